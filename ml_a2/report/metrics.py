"""The metrics of an evaluation: what they are called, what they mean, and how they compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_a2.report.formatting import NOTHING, short
from ml_a2.report.record import Record, at, number, table

# Names as SageMaker's model quality has them, each with what a person calls it and what it says.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "accuracy": ("Accuracy", "share of rows whose class is predicted right"),
    "precision": ("Precision", "share of the predicted positives that are positive"),
    "recall": ("Recall", "share of the positives that are found"),
    "f0_5": ("F0.5", "precision and recall in one, precision counting more"),
    "f1": ("F1", "precision and recall in one, counting alike"),
    "f2": ("F2", "precision and recall in one, recall counting more"),
    "true_positive_rate": ("True positive rate", "share of the positives that are found"),
    "true_negative_rate": ("True negative rate", "share of the negatives that are recognised"),
    "false_positive_rate": ("False positive rate", "share of the negatives that are taken for positives"),
    "false_negative_rate": ("False negative rate", "share of the positives that are missed"),
    "auc": ("AUC", "chance that a positive row scores above a negative one"),
    "au_prc": ("Average precision", "area below the precision-recall curve"),
    "log_loss": ("Log loss", "price of probabilities that were sure and wrong"),
    "weighted_precision": ("Precision, weighted", "precision of each class, by its number of rows"),
    "weighted_recall": ("Recall, weighted", "recall of each class, by its number of rows"),
    "weighted_f0_5": ("F0.5, weighted", "F0.5 of each class, by its number of rows"),
    "weighted_f1": ("F1, weighted", "F1 of each class, by its number of rows"),
    "weighted_f2": ("F2, weighted", "F2 of each class, by its number of rows"),
    "mae": ("Mean absolute error", "how far off a prediction is on average"),
    "mse": ("Mean squared error", "mean of the squared errors"),
    "rmse": ("Root mean squared error", "typical error, large ones counting more"),
    "r2": ("R²", "share of the label's variance that the model explains"),
    "mean_poisson_deviance": ("Mean Poisson deviance", "error of predicted counts"),
    "ndcg": ("NDCG", "how well the order agrees with the labels, 1 being the best order"),
    "ndcg_at_10": ("NDCG at 10", "the same for the first ten places"),
    "map": ("Mean average precision", "precision at every relevant place, over the groups"),
    "mrr": ("Mean reciprocal rank", "1 divided by the place of the first relevant row"),
}
LOWER_IS_BETTER = frozenset(
    {"false_positive_rate", "false_negative_rate", "log_loss", "mae", "mse", "rmse", "mean_poisson_deviance"}
)
# Those that do not end at 1.
UNBOUNDED = frozenset({"log_loss", "mae", "mse", "rmse", "mean_poisson_deviance"})
# What is told first, by the kind of model.
HEADLINES: Mapping[str, tuple[str, ...]] = {
    "binary": ("auc", "accuracy", "f1"),
    "multiclass": ("accuracy", "weighted_f1", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
    "ranking": ("ndcg", "ndcg_at_10", "mrr"),
}
# Differences below this are noise of the arithmetic.
SAME = 1e-9


@dataclass(frozen=True)
class Comparison:
    """The model against another predictor: in words, and as a tone (good, bad, even)."""

    words: str
    tone: str


@dataclass(frozen=True)
class Range:
    """Where the numbers of a metric lie on its own axis, in per cent of its length; None where there is none."""

    value: float
    lower: float | None
    upper: float | None
    baseline: float | None
    champion: float | None


@dataclass(frozen=True)
class Metric:
    """A metric with all that is known about it; numbers are None where there are none."""

    name: str
    value: float | None
    deviation: float | None = None
    lower: float | None = None
    upper: float | None = None
    method: str = ""
    baseline: float | None = None
    champion: float | None = None
    worse_by: float | None = None
    undefined: str = ""

    @property
    def label(self) -> str:
        """Return what a person calls it."""
        return MEANINGS[self.name][0] if self.name in MEANINGS else self.name

    @property
    def in_text(self) -> str:
        """Return what a person calls it, inside a sentence."""
        return (
            self.label
            if self.label[1:2].isupper() or self.label[1:2].isdigit()
            else self.label[:1].lower() + self.label[1:]
        )

    @property
    def meaning(self) -> str:
        """Return what it says, and in which direction it is better."""
        if self.name not in MEANINGS:
            return ""
        direction = "lower" if self.higher_is_worse else "higher"
        return f"{MEANINGS[self.name][1]}; {direction} is better"

    @property
    def higher_is_worse(self) -> bool:
        """Tell in which direction it is better; a metric that is not known counts as better when it is higher."""
        return self.name in LOWER_IS_BETTER

    @property
    def interval(self) -> str:
        """Return the confidence interval in words."""
        return f"{short(self.lower)} to {short(self.upper)}" if self.has_interval else NOTHING

    @property
    def has_interval(self) -> bool:
        """Tell whether both ends are known."""
        return self.lower is not None and self.upper is not None

    @property
    def against_baseline(self) -> Comparison | None:
        """Return how the model does against the baseline."""
        if self.value is None or self.baseline is None:
            return None
        return _compared(self.value - self.baseline if self.higher_is_worse else self.baseline - self.value)

    @property
    def against_champion(self) -> Comparison | None:
        """Return how the model does against the champion: by the evaluation's own word, where it has one."""
        if self.worse_by is not None:
            return _compared(self.worse_by)
        if self.value is None or self.champion is None:
            return None
        return _compared(self.value - self.champion if self.higher_is_worse else self.champion - self.value)

    def holds(self, other: float | None) -> bool:
        """Tell whether another predictor's value lies inside this one's interval."""
        return (
            other is not None
            and self.lower is not None
            and self.upper is not None
            and self.lower <= other <= self.upper
        )

    @property
    def range(self) -> Range | None:
        """Return the numbers' places on one axis: 0 to 1, or to the largest where the metric has no bound."""
        known = [v for v in (self.value, self.lower, self.upper, self.baseline, self.champion) if v is not None]
        if self.value is None or self.name not in MEANINGS:
            return None
        low = min([0.0, *known])
        high = max(known) * 1.05 if self.name in UNBOUNDED else max([1.0, *known])
        if high <= low:
            return None

        def place(value: float | None) -> float | None:
            return None if value is None else round(100 * (value - low) / (high - low), 2)

        return Range(
            place(self.value) or 0.0, place(self.lower), place(self.upper), place(self.baseline), place(self.champion)
        )


def _compared(worse_by: float) -> Comparison:
    if abs(worse_by) < SAME:
        return Comparison("the same", "even")
    words = f"{'worse' if worse_by > 0 else 'better'} by {short(abs(worse_by))}"
    return Comparison(words, "bad" if worse_by > 0 else "good")


def kind_of(record: Record) -> str:
    """Return what kind of model was evaluated: by the evaluation's word, its metrics, or the manifest."""
    for place in (record.evaluation, record.curves, table(record.manifest, "problem")):
        if isinstance(kind := at(place, "kind"), str) and kind in HEADLINES:
            return kind
    groups = (key.removesuffix("_metrics").removesuffix("_classification") for key in record.evaluation)
    return next((group for group in groups if group in HEADLINES), "")


def read_metrics(record: Record) -> list[Metric]:
    """Return every metric of the evaluation, those without a value too, headlines first."""
    evaluation = record.evaluation
    values = _values(record)
    undefined = table(evaluation, "undefined")
    names = dict.fromkeys([*values, *undefined])
    first = [name for name in HEADLINES.get(kind_of(record), ()) if name in names]
    return [_metric(evaluation, values, name) for name in dict.fromkeys([*first, *names])]


def headlines(record: Record, metrics: list[Metric]) -> list[Metric]:
    """Return the metrics that are told first."""
    wanted = HEADLINES.get(kind_of(record), ())
    return [metric for metric in metrics if metric.name in wanted] or metrics[:3]


def _values(record: Record) -> dict[str, dict[str, Any]]:
    for key, group in record.evaluation.items():
        if key.endswith("_metrics") and isinstance(group, dict):
            return {str(name): entry for name, entry in group.items() if isinstance(entry, dict) and "value" in entry}
    return {str(name): {"value": value} for name, value in table(record.manifest, "metrics").items()}


def _metric(evaluation: dict[str, Any], values: dict[str, dict[str, Any]], name: str) -> Metric:
    interval = table(evaluation, "confidence_intervals", "metrics", name)
    return Metric(
        name,
        number(at(values, name, "value")),
        number(at(values, name, "standard_deviation")),
        number(at(interval, "lower")),
        number(at(interval, "upper")),
        str(interval.get("method", "")),
        number(at(evaluation, "baseline", "metrics", name)),
        number(at(evaluation, "champion", "metrics", name)),
        number(at(evaluation, "champion", "worse_by", name)),
        str(at(evaluation, "undefined", name) or ""),
    )
