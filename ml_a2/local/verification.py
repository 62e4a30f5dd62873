"""`ml-a2 verify`: compare what a run was made of with what is there now, repeat it, and compare what came of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.digest import file_sha256
from ml_a2.errors import UserError
from ml_a2.evaluation_code import evaluation_files
from ml_a2.local.assembly import find_assembly
from ml_a2.local.run import Progress, RunRequest, deploy, run, template_sha256
from ml_a2.local.runtime import LocalRuntime, read_template
from ml_a2.records.manifest import environment, parse, read_manifest
from ml_a2.records.recording import file_hashes
from ml_a2.records.request import Prepared, Request
from ml_a2.settings import load_settings

IDENTICAL, DIFFERS, NOT_CHECKED = "identical", "differs", "not checked"
# What can be verified needs all of these: what went in, and how to do it again.
NEEDED = {
    "request": dict, "code": list, "model": dict | None, "template_sha256": str, "versions": dict,
}  # fmt: skip
# What says when an evaluation was made, and what other model it was compared with.
NOT_OF_THE_MODEL = ("dataset.evaluation_time", "champion")
DIGITS_SHOWN = 12
DIFFERENCES_SHOWN = 5


@dataclass(frozen=True)
class Check:
    """What came of comparing one subject: identical, differs or not checked, and what of it, or why not."""

    subject: str
    result: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What is the same as in a run, and what is not."""

    run: str
    checks: tuple[Check, ...]

    @property
    def identical(self) -> bool:
        """Tell whether nothing differs of what was checked."""
        return not any(check.result == DIFFERS for check in self.checks)

    @property
    def verdict(self) -> str:
        """Return the result in words."""
        differing = [check.subject for check in self.checks if check.result == DIFFERS]
        unchecked = [check.subject for check in self.checks if check.result == NOT_CHECKED]
        words = f"differs in {', '.join(differing)}" if differing else "identical"
        return words + (f" ({' and '.join(unchecked)} not checked)" if unchecked else "")

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        checks = {check.subject: {"result": check.result, "details": list(check.details)} for check in self.checks}
        return {"run": self.run, "identical": self.identical, "checks": checks}


def verify(folder: Path, *, repeat: bool | None, progress: Progress) -> Verification:
    """Compare a run with what is there now.

    Args:
        folder: the run's directory.
        repeat: True to execute it again in any case, False never, None unless it would be on other data.
        progress: hears what is done.

    Raises:
        UserError: the run was not recorded well enough, or cannot be repeated as it was asked for.
        PlatformError: something that the repetition needs is not to be had.
    """
    return _Verifier(folder, progress).verify(repeat)


class _Verifier:
    """Holds a run against the present."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self._before = _verifiable(folder)
        self._asked = _asked(folder, self._before)
        self._prepared: Prepared | None = None
        self._assembly: Path | None = None

    def verify(self, repeat: bool | None) -> Verification:
        given = list(self._given_model())
        inputs = [self._data(usable=all(check.result == IDENTICAL for check in given)), *given]
        same_data = all(check.result == IDENTICAL for check in inputs)
        around = [self._code(), self._template(), self._environment()]
        if repeat is False:
            results = _not_checked("not repeated, as was asked for")
        elif self._assembly is None:
            results = _not_checked("there is no template to repeat it with")
        elif repeat is None and not same_data:
            results = _not_checked("not repeated: it would be on other data; --repeat does it all the same")
        else:
            results = self._repeat(self._assembly)
        return Verification(self._folder.resolve().name, (*inputs, *around, *results))

    def _data(self, *, usable: bool) -> Check:
        """Compare the person's files, and if they are the same, and the given model is usable, what is made of them."""
        data = self._before["data"]
        differences = list(_file_differences(((s["path"], s["sha256"]) for s in data["sources"]), self._asked.path))
        if usable and not differences:
            self._prepared = self._asked.prepare()
            with tempfile.TemporaryDirectory(prefix="ml-a2-") as scratch:
                made = file_hashes(self._prepared.write(Path(scratch), self._asked.hosts))
            recorded = {file["key"]: file["sha256"] for file in data["files"]}
            differences = [f"{text}, made of the same data" for text in _hash_differences(recorded, made)]
        return _check("data", differences)

    def _given_model(self) -> Iterator[Check]:
        given = (self._before["model"] or {}).get("given")
        if given:
            recorded = [(given["path"], self._before["model"]["sha256"])]
            yield _check("given model", list(_file_differences(recorded, self._asked.path)))

    def _code(self) -> Check:
        recorded = {code["key"]: code["sha256"] for code in self._before["code"]}
        return _check("code", list(_hash_differences(recorded, file_hashes(evaluation_files(tell=self._progress.say)))))

    def _template(self) -> Check:
        """Compare the template that would be executed now; keep the assembly that it lies in."""
        asked = self._asked
        try:
            if asked.assembly:
                assembly = asked.path(asked.assembly)
            else:
                settings = asked.path(asked.settings) if asked.settings else None
                load_settings(settings)  # what is wrong with them is told before anything is synthesized
                assembly, _ = find_assembly(settings, tell=self._progress.say)
            found = template_sha256(read_template(assembly))
        except UserError as error:
            return _check("template", [str(error)])
        self._assembly = assembly
        recorded = self._before["template_sha256"]
        return _check("template", [] if found == recorded else [_changed(str(assembly), found, recorded)])

    def _environment(self) -> Check:
        before = {**self._before["versions"], "platform": self._before.get("platform")}
        now = environment()
        return _check("environment", list(_value_differences(before, {**now["versions"], "platform": now["platform"]})))

    def _repeat(self, assembly: Path) -> list[Check]:
        self._progress.say(f"repeating {self._folder.name}")
        prepared = self._prepared or self._asked.prepare()
        with (
            tempfile.TemporaryDirectory(prefix="ml-a2-") as runs,
            LocalRuntime(region=self._asked.region, speed=self._asked.speed) as runtime,
        ):
            request = RunRequest(self._asked, prepared, Path(runs))
            result = run(deploy(assembly, runtime), request, self._progress)
            after = read_manifest(result.run_directory)
            evaluation = _evaluation(result.run_directory)
        files = [{f["name"]: f["sha256"] for f in (m["model"] or {}).get("files", [])} for m in (self._before, after)]
        metrics = [
            *_value_differences(_ending(self._before), _ending(after)),
            *_value_differences(self._before["metrics"], after["metrics"]),
        ]
        if not metrics and (self._folder / contract.EVALUATION_FILE).is_file():  # what else the evaluation says
            metrics = list(_value_differences(_evaluation(self._folder), evaluation))
        return [_check("model", list(_hash_differences(*files))), _check("metrics", metrics)]


def _verifiable(folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder)
    path = folder / contract.MANIFEST_FILE
    for key in (*NEEDED, "data.files", "data.sources"):
        table, _, name = key.rpartition(".")
        values = manifest[table] if table else manifest
        if name not in values:
            raise UserError(
                f"{path} has no {key!r}: it was written by an older ml-a2, which kept no hashes, so the run cannot be "
                "verified; run it again, and verify that"
            )
        wrong = not isinstance(values[name], NEEDED.get(key, list))
        if wrong or (isinstance(values[name], list) and not all(map(_is_hashed, values[name]))):
            raise UserError(f"{path}: {key} is broken, so the run cannot be verified; run it again, and verify that")
    return manifest


def _is_hashed(entry: Any) -> bool:
    """Tell whether an entry of a list has a hash, and what it is of."""
    return isinstance(entry, dict) and isinstance(entry.get("sha256"), str) and bool({"key", "path"} & set(entry))


def _asked(folder: Path, manifest: Mapping[str, Any]) -> Request:
    try:
        return Request.from_json(manifest["request"])
    except UserError as error:
        raise UserError(f"{folder / contract.MANIFEST_FILE}: {error}") from error


def _ending(manifest: Mapping[str, Any]) -> dict[str, Any]:
    failure = manifest.get("failure") or {}
    ending = {"status": manifest["execution"]["status"], "gate": manifest.get("gate")}
    return {**ending, "error": failure.get("error"), "stage": failure.get("stage")}


def _evaluation(folder: Path) -> dict[str, Any]:
    """Return every value of an evaluation that is the model's, by its path in the document."""
    path = folder / contract.EVALUATION_FILE
    document = parse(path.read_bytes(), str(path)) if path.is_file() else {}
    return {where: value for where, value in _leaves(document) if not where.startswith(NOT_OF_THE_MODEL)}


def _leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        yield where, value
    for key, inner in items:
        yield from _leaves(inner, f"{where}.{key}" if where else str(key))


def _check(subject: str, differences: list[str]) -> Check:
    more = len(differences) - DIFFERENCES_SHOWN
    shown = [*differences[:DIFFERENCES_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return Check(subject, DIFFERS if differences else IDENTICAL, tuple(shown))


def _not_checked(reason: str) -> list[Check]:
    return [Check(subject, NOT_CHECKED, (reason,)) for subject in ("model", "metrics")]


def _file_differences(recorded: Any, find: Callable[[str], Path]) -> Iterator[str]:
    for given, sha256 in recorded:
        path = find(given)
        try:
            found = file_sha256(path)
        except OSError as error:
            yield f"{path} cannot be read any more: {error.strerror}"
            continue
        if found != sha256:
            yield _changed(str(path), found, sha256)


def _hash_differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *now}):
        if name not in now:
            yield f"{name} is not there any more"
        elif name not in before:
            yield f"{name} was not there"
        elif before[name] != now[name]:
            yield _changed(name, now[name], before[name])


def _changed(name: str, found: str, recorded: str) -> str:
    return f"{name} has SHA-256 {found[:DIGITS_SHOWN]}, had {recorded[:DIGITS_SHOWN]}"


def _value_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Compare exactly, as JSON has the values: there a NaN equals itself."""
    for name in {**before, **now}:
        was, is_now = (json.dumps(values.get(name)) for values in (before, now))
        if was != is_now:
            yield f"{name} {is_now}, was {was}"
