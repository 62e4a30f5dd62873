"""The image's entry point: train, and tell a failure the way the container does."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from ml_a2.local.images.xgboost.channels import check_channels, load_channel
from ml_a2.local.images.xgboost.hyperparameters import parse_hyperparameters
from ml_a2.local.images.xgboost.image_errors import ImageAlgorithmError, ImageUserError
from ml_a2.local.images.xgboost.training import save_model, train


def main(arguments: list[str]) -> int:
    """Train under SAGEMAKER_BASE_DIR, /opt/ml without it.

    Returns:
        0, or 1 with the reason in output/failure.
    """
    if arguments != ["train"]:
        print("usage: python -m ml_a2.local.images.xgboost train", file=sys.stderr)
        return 2
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        _train(base)
    except Exception as error:  # noqa: BLE001  # whatever it is belongs into the failure file
        report = f"framework error: \n{traceback.format_exc()}\n{_message(error)}"
        print(report, file=sys.stderr, flush=True)
        failure = base / "output" / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(report, encoding="utf-8")
        return 1
    return 0


def _train(base: Path) -> None:
    configuration = base / "input" / "config"
    hyperparameters = parse_hyperparameters(_read(configuration / "hyperparameters.json"))
    channels = _read(configuration / "inputdataconfig.json")
    check_channels(channels)
    weighted = hyperparameters.pop("csv_weights", 0) == 1
    data: dict[str, Any] = {
        name: load_channel(base / "input" / "data" / name, channels[name], weighted=weighted)
        for name in ("train", "validation")
        if name in channels
    }
    save_model(train(hyperparameters, data), base / "model")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _message(error: Exception) -> str:
    """Return the last words: the container names the class of what its own checks found."""
    if isinstance(error, ImageUserError | ImageAlgorithmError):
        return str(error)
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
