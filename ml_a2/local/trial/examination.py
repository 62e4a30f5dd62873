"""What a training job would be refused for: by the API, the image, its instances, XGBoost, or the evaluation."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ml_a2.channel_files import Reading
from ml_a2.dataset import Dataset
from ml_a2.errors import UserError
from ml_a2.finding import Finding
from ml_a2.local.hardware import Instances, check_instances, needs_gpu
from ml_a2.local.images.xgboost.channels import data_files, find_delimiter
from ml_a2.local.request_checks import check_request
from ml_a2.local.trial.attempt import Attempt, attempt
from ml_a2.local.trial.rows import first_rows_of, first_rows_of_files
from ml_a2.problem import DEFAULTS
from ml_a2.settings import Settings

# Within these bounds XGBoost refuses none of them, whatever the rows: the table's own bounds are wider.
ORDINARY = {
    "num_round": (1, 1e9), "seed": (-2e9, 2e9), "verbosity": (0, 3), "early_stopping_rounds": (1, 1e9),
    "max_depth": (1, 20), "eta": (1e-6, 1), "learning_rate": (1e-6, 1), "subsample": (0.01, 1),
    "colsample_bytree": (0.01, 1), "colsample_bylevel": (0.01, 1), "colsample_bynode": (0.01, 1),
    "min_child_weight": (0, 1e6), "gamma": (0, 1e6), "min_split_loss": (0, 1e6), "lambda": (0, 1e6),
    "reg_lambda": (0, 1e6), "alpha": (0, 1e6), "reg_alpha": (0, 1e6), "scale_pos_weight": (1e-6, 1e6),
    "num_class": (2, 1e6),
}  # fmt: skip
TRYING = "training two rounds on the first rows, and evaluating them"
# Files of other formats are tried whole, up to this size.
MOST_BYTES = 16 << 20


def examine_dataset(
    dataset: Dataset, hyperparameters: Mapping[str, str], settings: Settings, tell: Callable[[str], None]
) -> Iterator[Finding]:
    """Yield what would be refused about a training on prepared rows, and about its evaluation.

    Args:
        dataset: the rows.
        hyperparameters: all of them, as the API would get them.
        settings: those of the stack.
        tell: hears what is done.
    """
    checks = _checks(hyperparameters, settings, has_validation=True)
    yield from checks
    if not _wrong(checks):
        tell(TRYING)
        yield from _try(_attempt(dataset, hyperparameters, settings))


def refuse_unrunnable(dataset: Dataset, hyperparameters: Mapping[str, str], settings: Settings) -> tuple[Finding, ...]:
    """Return the warnings about a run on this machine; what it would fail for later is refused now.

    Nothing is tried where no hyperparameter could be refused: the run itself does that.

    Raises:
        UserError: something would be refused, or needs a GPU.
    """
    checks = _checks(hyperparameters, settings, has_validation=True)
    if dataset.train is not None and not _wrong(checks) and not is_ordinary(hyperparameters):
        checks = (*checks, *_try(_attempt(dataset, hyperparameters, settings)))
    fatal = [each for each in checks if each.severity == "error"]
    if needs_gpu(hyperparameters):  # another machine could do it, and the run is on this one
        fatal = fatal or [each for each in checks if each.severity == "untried"]
    if fatal:
        raise UserError("\nerror: ".join(each.in_a_line() for each in fatal))
    return checks


def examine_files(
    paths: Mapping[str, Path],
    reading: Reading,
    hyperparameters: Mapping[str, str],
    settings: Settings,
    tell: Callable[[str], None],
    *,
    content_type: str = "text/csv",
    only_checked: bool = False,
) -> Iterator[Finding]:
    """Yield what would be refused about a training on files that are channels already.

    Args:
        paths: a file or folder for each channel.
        reading: how the image reads them.
        hyperparameters: all of them.
        settings: those of the stack.
        tell: hears what is done.
        content_type: what they are.
        only_checked: whether nothing is tried, as the files are known to be refused.
    """
    checks = _checks(hyperparameters, settings, has_validation="validation" in paths)
    yield from checks
    if only_checked or _wrong(checks):
        return
    channels = {name: _first_of(path, reading, _classes(hyperparameters)) for name, path in paths.items()}
    if all(channels.values()):
        tell(TRYING)
        # The evaluation reads CSV; without the names of columns it knows features by f0, f1, ... alone.
        plain = [each for each in settings.evaluation.slices if each[:1] == "f" and each[1:].isdigit()]
        arguments = [*(["--weights"] if reading.weighted else []), *(f"--slice={each}" for each in plain)]
        evaluated = arguments if reading.data_format == "csv" else None
        version = settings.training.image_version
        yield from _try(Attempt(hyperparameters, channels, content_type, evaluated, None, version))


def is_ordinary(hyperparameters: Mapping[str, str]) -> bool:
    """Tell whether XGBoost refuses none of the hyperparameters, whatever the rows are."""
    kinds = dict(DEFAULTS.values())
    for name, value in hyperparameters.items():
        if name == "objective":
            continue
        if name == "eval_metric":
            if kinds.get(hyperparameters.get("objective", "")) != value:
                return False
            continue
        low, high = ORDINARY.get(name, (1, 0))
        try:
            if not low <= float(value) <= high:
                return False
        except ValueError:
            return False
    return True


def _checks(hyperparameters: Mapping[str, str], settings: Settings, *, has_validation: bool) -> tuple[Finding, ...]:
    training = settings.training
    instances = Instances(training.instance_type, training.instance_count)
    return (
        *check_request(hyperparameters, has_validation=has_validation),
        *check_instances(hyperparameters, instances),
    )


def _wrong(findings: tuple[Finding, ...]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _try(asked: Attempt) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="ml-a2-trial-") as folder:
        yield from attempt(asked, Path(folder))


def _attempt(dataset: Dataset, hyperparameters: Mapping[str, str], settings: Settings) -> Attempt:
    assert dataset.train is not None
    classes = len(dataset.problem.classes)
    channels = {
        name: {f"{name}.csv": first_rows_of(rows, classes)}
        for name, rows in (("train", dataset.train), ("validation", dataset.validation))
    }
    evaluation = settings.evaluation
    arguments = [f"--slice={feature}" for feature in evaluation.slices]
    arguments += [f"--group={evaluation.group_column}"] if evaluation.group_column else []
    version = settings.training.image_version
    return Attempt(hyperparameters, channels, "text/csv", arguments, dataset.columns(), version)


def _classes(hyperparameters: Mapping[str, str]) -> int:
    if hyperparameters.get("objective", "").startswith("binary:"):
        return 2
    return int(hyperparameters.get("num_class", "0"))


def _first_of(path: Path, reading: Reading, classes: int) -> dict[str, bytes]:
    """Return files with the first rows of a channel; none where it has no rows, or no few can be taken of it."""
    files = data_files([path]) if path.is_dir() else [path]
    files = [file for file in files if file.stat().st_size]
    if reading.data_format == "csv" and files:
        rows = first_rows_of_files(files, find_delimiter(files[0]), weighted=reading.weighted, classes=classes)
        return {"rows.csv": rows} if rows else {}
    if sum(file.stat().st_size for file in files) > MOST_BYTES:
        return {}
    return {f"{number:03}-{file.name}": file.read_bytes() for number, file in enumerate(files)}
