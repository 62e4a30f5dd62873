"""The learning curve: a metric of the training rows and of the validation rows, round by round, as the log has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ml_a2.execution_events import TrainingRound, training_round

# Of these more is better, of every other one less; as the image judges when it stops early.
MAXIMISED = frozenset(
    {
        "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision",
        "r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro",
    }
)  # fmt: skip
HOST = re.compile(r"\[algo-\d+\] ")
# A training has become worse when so many rounds, and this share of all, came after the best one,
FEWEST_AFTER, SHARE_AFTER = 5, 0.1
# and the metric by more than this share of what was left to gain, or than so many of its own steps from round to round.
SHARE_WORSE, STEPS_WORSE = 0.02, 3
# Two models on the same rows differ by less than one on other rows: of that uncertainty, this share is noise.
SHARE_UNCERTAIN = 0.125
LAST_ROUNDS = 3
# Beyond it differences overflow; NaN is no smaller either.
LARGEST = 1e100


@dataclass(frozen=True)
class LearningCurve:
    """A metric by round, rounds counted from 1; without a channel's values its list is empty."""

    metric: str
    train: Sequence[tuple[int, float]]
    validation: Sequence[tuple[int, float]]

    @property
    def is_maximised(self) -> bool:
        """Tell whether more is better."""
        return self.metric.partition("@")[0] in MAXIMISED

    @property
    def best(self) -> tuple[int, float] | None:
        """Return the first round with the best validation metric."""
        if not self.validation:
            return None
        sign = -1 if self.is_maximised else 1
        return min(self.validation, key=lambda point: (sign * point[1], point[0]))

    @property
    def last(self) -> tuple[int, float] | None:
        """Return the last round with its validation metric."""
        return self.validation[-1] if self.validation else None

    def worsens(self, uncertainty: float = 0.0) -> bool:
        """Tell whether the validation metric is worse at the end than in its best round, by more than noise.

        Args:
            uncertainty: how far the metric of other rows of the same kind may lie from this one.
        """
        if self.best is None or self.last is None:
            return False
        (best_round, best), values = self.best, [value for _, value in self.validation]
        after = self.last[0] - best_round
        if after < max(FEWEST_AFTER, SHARE_AFTER * len(values)):
            return False
        steps = [abs(b - a) for a, b in pairwise(values)]
        left = abs(1 - best) if self.is_maximised else abs(best)
        noise = max(SHARE_WORSE * left, STEPS_WORSE * median(steps), SHARE_UNCERTAIN * uncertainty)
        return abs(median(values[-LAST_ROUNDS:]) - best) > noise


def rounds_of(lines: Iterable[str]) -> list[TrainingRound]:
    """Return the rounds that a training's log tells of."""
    return [found for line in lines if (found := training_round(HOST.sub("", line, count=1)))]


def learning_curve(rounds: Sequence[TrainingRound], hyperparameters: Mapping[str, str]) -> LearningCurve | None:
    """Return the curve of the metric that counts: the last one that was asked for, or the first that was printed.

    None where there are not two rounds, or where the rounds are of several models, as in k-fold cross validation.
    """
    numbers = [each.number for each in rounds]
    if len(rounds) < 2 or any(b <= a for a, b in pairwise(numbers)):
        return None
    printed = list(dict.fromkeys(name.partition("-")[2] for each in rounds for name in each.metrics))
    asked = [name.strip() for name in hyperparameters.get("eval_metric", "").split(",")]
    metric = next((name for name in reversed(asked) if name in printed), printed[0] if printed else "")
    return LearningCurve(metric, *(_points(rounds, f"{channel}-{metric}") for channel in ("train", "validation")))


def stops_early(hyperparameters: Mapping[str, str]) -> bool:
    """Tell whether a training keeps its best round: without a metric the image ignores early_stopping_rounds."""
    metrics = ("eval_metric", "_tuning_objective_metric")
    return "early_stopping_rounds" in hyperparameters and any(name in hyperparameters for name in metrics)


def _points(rounds: Sequence[TrainingRound], name: str) -> list[tuple[int, float]]:
    there = ((each.number + 1, each.metrics[name]) for each in rounds if name in each.metrics)
    return [(number, value) for number, value in there if abs(value) <= LARGEST]
