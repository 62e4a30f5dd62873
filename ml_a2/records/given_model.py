"""A model that exists already, to be evaluated again: found by its run or its archive, with the data that it knows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ml_a2 import contract
from ml_a2.dataset import Dataset, Split
from ml_a2.digest import file_sha256
from ml_a2.errors import DataError, UserError
from ml_a2.jobs.quality.archive import extract
from ml_a2.jobs.quality.errors import EvaluationError
from ml_a2.jobs.quality.model_file import check_model_file, unreadable
from ml_a2.loading import load_file_for_model, load_sample
from ml_a2.problem import KINDS, Problem
from ml_a2.records.manifest import read_manifest

MODEL_MEMBER = "xgboost-model"
READER = """
import sys, warnings
warnings.simplefilter("ignore", UserWarning)  # that the image's format is an old one
import xgboost
try:
    print(xgboost.Booster(model_file=sys.argv[1]).save_config())
except xgboost.core.XGBoostError as error:
    sys.exit(str(error).split("Stack trace")[0].strip())
"""
# A number as Python writes it; `01` is the name of something.
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?(e[-+]\d+)?")


@dataclass(frozen=True)
class GivenModel:
    """An archive, what its model predicts, and what its own run knew of the data; without a run there are no names."""

    archive: Path
    problem: Problem
    feature_count: int
    run: str | None = None
    feature_columns: tuple[str, ...] | None = None
    target_column: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    split: Split = field(default_factory=Split)

    def load_file(self, path: Path, target_column: str | None) -> Dataset:
        """Read the rows of a file, encoded as this model was trained.

        Raises:
            UserError: no target column is known.
            DataError: the file's columns or labels are not the model's.
        """
        target = target_column or self.target_column
        if target is None:
            raise UserError(f"{self.archive}: nothing is known of its data; name the target with --target-column NAME")
        dataset = load_file_for_model(path, target, self.problem, self.feature_columns)
        self._check_count(dataset)
        return dataset

    def load_sample(self, name: str) -> Dataset:
        """Take the rows of a sample that this model's run did not train on.

        Raises:
            DataError: the sample's columns or labels are not the model's.
        """
        dataset = load_sample(name, self.problem.objective, self.split)
        self._check_count(dataset)
        if self.feature_columns and self.feature_columns != dataset.feature_columns:
            raise DataError(f"sample {name}: its features are not those that the model of {self.run} was trained on")
        if self.problem.label_mapping != dataset.problem.label_mapping:
            raise DataError(f"sample {name}: its labels are not those that the model was trained on")
        origin = {**dataset.origin, "train": None, "validation": dataset.origin["train"]}
        return replace(dataset, train=None, problem=self.problem, origin=origin)

    def _check_count(self, dataset: Dataset) -> None:
        if len(dataset.feature_columns) != self.feature_count:
            raise DataError(
                f"{dataset.origin['validation'] or dataset.origin['train']} has {len(dataset.feature_columns)} feature "
                f"columns, but the model in {self.archive} was trained on {self.feature_count}"
            )


def find_model(path: Path) -> GivenModel:
    """Return the model of a run directory, or of an archive; what a manifest beside it says holds for both.

    Raises:
        UserError: there is no model, or it is not the one that the manifest tells of.
    """
    archive = path / contract.MODEL_ARCHIVE if path.is_dir() else path
    if not archive.is_file():
        raise UserError(f"{archive} does not exist; name a run that has trained a model, or a model.tar.gz")
    if path.is_dir() or (archive.parent / contract.MANIFEST_FILE).is_file():
        return _of_run(archive, read_manifest(archive.parent))
    return _of_archive(archive)


def _of_run(archive: Path, manifest: Mapping[str, Any]) -> GivenModel:
    recorded = (manifest.get("model") or {}).get("sha256")
    if recorded and recorded != file_sha256(archive):
        raise UserError(f"{archive} is not the model that {archive.parent / contract.MANIFEST_FILE} tells of")
    try:
        problem, data = manifest["problem"], manifest["data"]
        features = tuple(data["feature_columns"])
        return GivenModel(
            archive,
            Problem(problem["kind"], problem["objective"], "", _classes(problem["label_mapping"])),
            len(features),
            manifest["execution"]["name"],
            features,
            data["target_column"],
            manifest["hyperparameters"],
            Split(data.get("validation_fraction", Split.fraction), data.get("split_seed", Split.seed)),
        )
    except (KeyError, TypeError) as error:
        path = archive.parent / contract.MANIFEST_FILE
        raise UserError(f"{path} does not tell of the model's data: there is no {error}") from error


def _classes(mapping: Mapping[str, int]) -> tuple[Any, ...]:
    """Return the labels in the order of their numbers, as numbers again where all of them are."""
    names = sorted(mapping, key=mapping.__getitem__)
    if not all(NUMBER.fullmatch(name) for name in names):
        return tuple(names)
    return tuple(float(name) if set(name) & set(".e") else int(name) for name in names)


def _of_archive(archive: Path) -> GivenModel:
    learner = _configuration(archive)["learner"]
    objective, parameters = learner["objective"]["name"], learner["learner_model_param"]
    if objective not in KINDS:
        raise UserError(f"{archive}: a model of objective {objective!r} cannot be evaluated, only {', '.join(KINDS)}")
    kind = KINDS[objective]
    # Without a manifest labels are class numbers, as the algorithm itself takes them.
    classes = {"binary": 2, "multiclass": int(parameters["num_class"])}.get(kind, 0)
    return GivenModel(archive, Problem(kind, objective, "", tuple(range(classes))), int(parameters["num_feature"]))


def _configuration(archive: Path) -> dict[str, Any]:
    """Return what XGBoost says of a model; in a process of its own, which what is no model may crash."""
    with tempfile.TemporaryDirectory(prefix="ml-a2-") as folder:
        path = Path(folder, MODEL_MEMBER)
        try:
            extract(str(archive), MODEL_MEMBER, str(path))
            check_model_file(str(archive), MODEL_MEMBER, str(path))
        except EvaluationError as error:
            raise UserError(str(error)) from error
        command = [sys.executable, "-c", READER, str(path)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        reason = answer.stderr.strip() or f"XGBoost crashes on it (exit status {answer.returncode})"
        raise UserError(str(unreadable(str(archive), MODEL_MEMBER, reason)))
    configuration: dict[str, Any] = json.loads(answer.stdout)
    return configuration
