"""What a model was trained with: data, files, hyperparameters, images, seeds and versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_a2.report.formatting import HASH_LENGTH, count, duration, moment, name, short, size
from ml_a2.report.record import Record, at, items, number, objects, table

MOST_NAMES, MOST_FILES = 200, 200
FILE_HEADER = ("Channel", "File", "Size", "SHA-256", "Version")


@dataclass(frozen=True)
class Fact:
    """A term and its value; the full value where it is shown cut."""

    term: str
    value: str
    full: str = ""
    code: bool = False


@dataclass(frozen=True)
class FileRow:
    """A file that the model was made from, or that was made."""

    channel: str
    path: str
    size: str
    sha256: Fact
    version: Fact


@dataclass(frozen=True)
class Provenance:
    """Everything that a repetition of the run would need."""

    data: tuple[Fact, ...]
    hyperparameters: tuple[Fact, ...]
    environment: tuple[Fact, ...]
    versions: tuple[Fact, ...]
    timings: tuple[Fact, ...]
    files: tuple[FileRow, ...]
    features: tuple[str, ...]
    features_left_out: int
    classes: tuple[Fact, ...]


def read_provenance(record: Record) -> Provenance:
    """Return what the manifest says about the making of the model."""
    manifest = record.manifest
    features = items(manifest, "data", "feature_columns")
    labels = table(manifest, "problem", "label_mapping")
    return Provenance(
        tuple(_data(record)),
        tuple(Fact(name(key), name(value), code=True) for key, value in table(manifest, "hyperparameters").items()),
        tuple(_environment(manifest)),
        tuple(_versions(manifest)),
        tuple(_timings(manifest)),
        tuple(_files(manifest))[:MOST_FILES],
        tuple(name(feature) for feature in features[:MOST_NAMES]),
        max(len(features) - MOST_NAMES, 0),
        tuple(Fact(name(label), name(value)) for label, value in list(labels.items())[:MOST_NAMES]),
    )


def _data(record: Record) -> Iterator[Fact]:
    data, problem = table(record.manifest, "data"), table(record.manifest, "problem")
    yield from _given(Fact("Training data", *_cut(data.get("train"))))
    validation, fraction = data.get("validation"), number(data.get("validation_fraction"))
    if validation:
        yield Fact("Validation data", *_cut(validation))
    elif fraction is not None:
        by_class = ", by class" if data.get("stratified") else ""
        yield Fact("Validation data", f"{100 * fraction:g} % of the rows, split off{by_class}")
    rows = [f"{short(number(data.get(f'{part}_rows')))} {part}" for part in ("train", "validation")]
    yield from _given(Fact("Rows", ", ".join(rows) if "train_rows" in data else ""))
    evaluated = number(at(record.evaluation, "dataset", "item_count"))
    yield from _given(Fact("Rows evaluated", short(evaluated) if evaluated is not None else ""))
    columns = items(data, "feature_columns")
    yield from _given(Fact("Columns", count(len(columns), "feature") if columns else ""))
    yield from _given(Fact("Target", *_cut(data.get("target_column") or at(record.curves, "target")), code=True))
    inferred = " (inferred from the labels)" if problem.get("objective_inferred") else ""
    objective = problem.get("objective") or record.evaluation.get("objective")
    yield from _given(Fact("Objective", f"{name(objective)}{inferred}" if objective else ""))


def _environment(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    for term, key in (("Training image", "training_image"), ("Evaluation image", "evaluation_image")):
        image = str(manifest.get(key) or "")
        # The repository and its tag say which one; registry and region stand in the full text.
        yield from _given(Fact(term, name(image.rpartition("/")[2]), image, code=True))
    yield from _given(Fact("Stand-in", str(manifest.get("stand_in") or "")))
    yield from _given(_hash("Template SHA-256", manifest.get("template_sha256")))
    model = table(manifest, "model")
    yield from _given(Fact("Model", *_cut(model.get("uri")), code=True))
    yield from _given(_hash("Model version", model.get("version_id")))
    yield from _given(_hash("Model SHA-256", model.get("sha256")))
    given = table(model, "given")
    yield from _given(Fact("Given model", *_cut(given.get("run") or given.get("path")), code=True))
    seeds = {**table(manifest, "seeds")}
    seeds.setdefault("split", at(manifest, "data", "split_seed"))
    for seed, value in seeds.items():
        yield from _given(Fact(f"Seed of {name(seed)}", "" if value is None else name(value), code=True))


def _versions(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    for package, version in table(manifest, "versions").items():
        yield Fact(name(package), name(version), code=True)
    yield from _given(Fact("Platform", *_cut(manifest.get("platform")), code=True))


def _timings(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    for term, keys in (
        ("Whole run", ("execution", "seconds")),
        ("Training job", ("timings", "training_seconds")),
        ("Evaluation job", ("timings", "evaluation_seconds")),
    ):
        seconds = number(at(manifest, *keys))
        yield from _given(Fact(term, duration(seconds) if seconds is not None else ""))
    for term in ("started", "ended"):
        if text := at(manifest, "execution", term):
            yield Fact(term.capitalize(), moment(text))


def _files(manifest: Mapping[str, Any]) -> Iterator[FileRow]:
    groups: Sequence[tuple[str, list[dict[str, Any]]]] = (
        ("source", objects(manifest, "data", "sources")),
        ("", objects(manifest, "data", "files")),
        ("code", objects(manifest, "code")),
    )
    for channel, files in groups:
        for file in files:
            yield FileRow(
                name(file.get("channel") or channel),
                name(file.get("key") or file.get("path") or ""),
                size(number(file.get("bytes"))),
                _hash("SHA-256", file.get("sha256")),
                _hash("Version", file.get("version_id")),
            )


def _given(fact: Fact) -> Iterator[Fact]:
    """Yield a fact that has a value."""
    if fact.value:
        yield fact


def _cut(value: Any) -> tuple[str, str]:
    """Return a value as it is shown, and in full where that is more."""
    text = "" if value is None else str(value)
    return name(text), text if name(text) != text else ""


def _hash(term: str, value: Any) -> Fact:
    text = str(value or "")
    return Fact(term, f"{text[:HASH_LENGTH]}…" if len(text) > HASH_LENGTH else text, text, code=True)
