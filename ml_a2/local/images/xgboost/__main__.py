"""The image's entry point: train, and tell a failure the way the container does."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.channels import DATA_PATH, FORMATS, check_channels
from ml_a2.local.images.xgboost.collective import train_together
from ml_a2.local.images.xgboost.hyperparameters import parse_hyperparameters
from ml_a2.local.images.xgboost.image_errors import UserError
from ml_a2.local.images.xgboost.interface import DEFAULT_VERSION, VERSION_VARIABLE
from ml_a2.local.images.xgboost.matrices import load_matrices
from ml_a2.local.images.xgboost.plan import Folders, Version
from ml_a2.local.images.xgboost.training import train


def main(arguments: list[str]) -> int:
    """Train under SAGEMAKER_BASE_DIR, /opt/ml without it.

    Returns:
        0, or the number of an operating system's error, or 1, with the reason in output/failure.
    """
    if arguments != ["train"]:
        print("usage: python -m ml_a2.local.images.xgboost train", file=sys.stderr)
        return 2
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        _train(base)
    except Exception as error:  # noqa: BLE001  # whatever it is belongs into the failure file
        report = f"framework error: \n{traceback.format_exc()}\n{error}"
        print(report, file=sys.stderr, flush=True)
        failure = base / "output" / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(report, encoding="utf-8")
        return getattr(error, "errno", None) or 1
    return 0


def _train(base: Path) -> None:
    """Do it in the container's order, which decides what a person is told first."""
    configuration = base / "input" / "config"
    channels = _read(configuration / "inputdataconfig.json")
    if "train" not in channels:
        raise KeyError("SM_CHANNEL_TRAIN")
    given = _read(configuration / "hyperparameters.json")
    if "sagemaker_program" in given:
        raise UserError("script mode (sagemaker_program) is not carried out locally; see docs/fidelity.md")
    hyperparameters = parse_hyperparameters(given)
    check_channels(channels)
    folders: dict[str, Path] = {
        name: base / "input" / "data" / name for name in ("train", "validation") if name in channels
    }
    matrices, together = load_matrices(
        folders,
        FORMATS[channels["train"]["ContentType"]],
        weighted=hyperparameters.get("csv_weights") == 1,
        together="_kfold" in hyperparameters,
    )
    results = Folders(base / "model", base / "output" / "data", _checkpoint_folder(base))
    version = Version(os.environ.get(VERSION_VARIABLE, DEFAULT_VERSION))

    def fit(is_master: bool) -> None:
        train(hyperparameters, matrices, together, results, version, is_master=is_master)

    empty = [name for name in folders if name not in matrices]
    resources = _read(configuration / "resourceconfig.json", default={})
    hosts = resources.get("hosts", ["algo-1"])
    if len(hosts) > 1:
        train_together(hosts, resources["current_host"], fit, has_data=not empty)
        return
    if empty:
        words = "training" if empty[0] == "train" else "validation"
        raise UserError(f"No data in {words} channel path {DATA_PATH}/{empty[0]}")
    fit(True)


def _checkpoint_folder(base: Path) -> Path | None:
    """Return where checkpoints go when the job has any: its configuration names a path below /opt/ml."""
    path = base / "input" / "config" / "checkpointconfig.json"
    if not path.is_file() or "LocalPath" not in (configuration := _read(path)):
        return None
    return base / Path(configuration["LocalPath"]).relative_to("/opt/ml")


def _read(path: Path, default: dict[str, Any] | None = None) -> dict[str, Any]:
    if default is not None and not path.is_file():
        return default
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
