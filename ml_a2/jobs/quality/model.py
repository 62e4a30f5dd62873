"""The model: out of its archive, what it predicts, and what it rests on."""

from __future__ import annotations

import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from .archive import extract
from .arrays import Array
from .errors import EvaluationError
from .model_file import check_model_file, unreadable

# Seen: models of 3.0.5 predict the same in 2.1.4, those of 3.2.0 do not, since base_score is stored otherwise.
FIRST_UNREADABLE = (3, 1)

BINARY = ("binary:logistic", "binary:logitraw", "binary:hinge")
MULTI_CLASS = ("multi:softmax", "multi:softprob")
REGRESSION = ("reg:", "count:poisson")
RANKING = ("rank:pairwise", "rank:ndcg", "rank:map")


class Model:
    """A trained booster with its objective."""

    def __init__(self, booster: Any) -> None:
        """Take a loaded booster."""
        learner = json.loads(booster.save_config())["learner"]
        self._booster = booster
        self.objective: str = learner["objective"]["name"]
        self.kind = problem_kind(self.objective)
        self.features = int(booster.num_features())
        self.is_linear = learner["gradient_booster"]["name"] == "gblinear"
        self._drops_trees = learner["gradient_booster"]["name"] == "dart"
        # 2 for a binary objective, 0 where there are no classes.
        self.classes = 2 if self.kind == "binary" else 0
        if self.kind == "multiclass":
            self.classes = int(learner["learner_model_param"]["num_class"])

    def predict(self, matrix: Any) -> Array:
        """Predict probabilities or values, also for the objectives whose own prediction is something else.

        Returns:
            Per row of the matrix the probability of class 1 (n,), of each class (n, classes), or the value (n,).
        """
        if self.objective == "multi:softmax":
            margins = self._booster.predict(matrix, output_margin=True).astype(np.float64)
            exponents = np.exp(margins - margins.max(axis=1, keepdims=True))
            return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))
        predictions = np.asarray(self._booster.predict(matrix))
        if self.objective == "binary:logitraw":
            return np.asarray(1 / (1 + np.exp(-predictions.astype(np.float64))))
        return predictions

    def best_score(self) -> float | None:
        """Return what the validation metric was in the best round, where the training kept that one's trees.

        NaN where it is no longer what they give: rounds that drop trees weigh those of earlier rounds anew.
        """
        score = self._booster.attr("best_score")
        if score is None:
            return None
        return math.nan if self._drops_trees else float(score)

    def importance(self) -> tuple[str, dict[int, float]]:
        """Return what the share of a feature means, and the shares that are not 0 by the feature's number.

        A linear model has no splits and so no gain: its coefficients stand in, without their sign.
        """
        measure = "weight" if self.is_linear else "gain"
        scores = self._booster.get_score(importance_type=measure)
        sizes = {int(name[1:]): float(np.mean(np.abs(score))) for name, score in scores.items()}
        total = sum(sizes.values())
        return measure, {number: size / total for number, size in sizes.items() if size}


def problem_kind(objective: str) -> str:
    """Return binary, multiclass, regression or ranking."""
    if objective in BINARY:
        return "binary"
    if objective in MULTI_CLASS:
        return "multiclass"
    if objective in RANKING:
        return "ranking"
    if objective.startswith(REGRESSION):
        return "regression"
    raise EvaluationError(
        "objective {!r} cannot be evaluated: only binary, multi-class, regression, count and ranking".format(objective)
    )


def load_model(folder: str) -> Model:
    """Load `xgboost-model` out of the folder's model.tar.gz."""
    xgboost = import_xgboost()
    archive = os.path.join(folder, "model.tar.gz")
    if not os.path.isfile(archive):
        raise EvaluationError("there is no model.tar.gz in {}".format(folder))
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "xgboost-model")
        extract(archive, "xgboost-model", path)
        check_model_file(archive, "xgboost-model", path)
        _check_version(path)
        booster = xgboost.Booster()
        try:
            booster.load_model(path)
        except xgboost.core.XGBoostError as error:
            raise unreadable(archive, "xgboost-model", str(error)) from error
    return Model(booster)


def import_xgboost() -> Any:
    """Import xgboost; where it is missing, install the wheel beside evaluate.py, for this process only."""
    try:
        return _import_without_scikit_learn()
    except ImportError:
        code = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        wheels = glob.glob(os.path.join(code, "xgboost*.whl"))
        if not wheels:
            raise EvaluationError("xgboost cannot be imported, and no xgboost wheel lies beside evaluate.py") from None
        target = tempfile.mkdtemp(prefix="xgboost-")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target]
        subprocess.check_call([*command, "--disable-pip-version-check", wheels[0]])
        sys.path.insert(0, target)
        return _import_without_scikit_learn()


def _import_without_scikit_learn() -> Any:
    """Import xgboost without its wrappers of scikit-learn, which take most of the time of importing it."""
    absent = "sklearn" not in sys.modules
    if absent:
        sys.modules["sklearn"] = None  # type: ignore[assignment]  # importing it raises ImportError
    try:
        import xgboost
    finally:
        if absent:
            del sys.modules["sklearn"]
    return xgboost


def _check_version(path: str) -> None:
    """Refuse a model of XGBoost 3.1 or later: 2.1.4 reads it without a word, and predicts something else.

    UBJSON ends with the version's three numbers; the binary format of 1.7 has none there.
    """
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 256))
        found = re.search(rb"version\[#L.{8}i(.)i(.)i.\}$", file.read(), re.DOTALL)
    if found and (ord(found.group(1)), ord(found.group(2))) >= FIRST_UNREADABLE:
        message = (
            "the model was written by XGBoost {}.{}, whose models this evaluation would read wrongly; train with the"
        )
        raise EvaluationError(message.format(ord(found.group(1)), ord(found.group(2))) + " image 1.7-1 or 3.0-5")
