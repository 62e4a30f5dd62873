"""The quality gate: Choice states on what the evaluation wrote, so that a model can be turned down."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.failure import FailurePath, Stage
from ml_a2.settings import GateCondition, GateSettings

UNDECIDED = "QualityGateUndecided"
# Where the evaluation of each kind of model has its metrics.
GROUPS = {
    "binary": "binary_classification_metrics",
    "multiclass": "multiclass_classification_metrics",
    "regression": "regression_metrics",
    "ranking": "ranking_metrics",
}
EVALUATION = "$.result.evaluation"
WORSE_BY = f"{EVALUATION}.champion.worse_by"
FAILED_ADVICE = (
    "the model is kept and was turned down: train on more or better data, choose other hyperparameters, or change the "
    "conditions under [gate] in the settings"
)
UNDECIDED_ADVICE = (
    "choose metrics under [gate] in the settings that this kind of model has, and that are defined on "
    "the validation data"
)


class QualityGate(Construct):
    """From `$.result.evaluation` on to the next state, or to the failure path with the numbers."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: GateSettings,
        stage: Stage,
        failure: FailurePath,
        then: sfn.IChainable,
    ) -> None:
        """Create the states; `start` is the first one."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self._stage = stage
        self._failure = failure
        self._passed = sfn.Pass(
            self,
            "GatePassed",
            state_name="GatePassed",
            result=sfn.Result.from_string("passed"),
            result_path=f"$.{contract.GATE_FIELD}",
        )
        self._passed.next(then)
        self.start = sfn.Choice(self, "QualityGate?", state_name="QualityGate?")
        for kind, group in GROUPS.items():
            self.start.when(sfn.Condition.is_present(f"{EVALUATION}.{group}"), self._judge(kind))
        self.start.otherwise(self._undecided("Kind", "of a kind that this gate knows"))

    def _judge(self, kind: str) -> sfn.IChainable:
        """Return what decides about a model of one kind: its metrics are known at synth."""
        foreign = [metric for metric in self._metrics(kind) if metric not in contract.METRICS[kind]]
        if foreign:
            what = f"for the metric {foreign[0]}, which a {kind} model does not have"
            return self._undecided(f"{kind} {foreign[0]}", what)
        choice = sfn.Choice(self, f"{kind}Gate?", state_name=f"{kind.title()}Gate?")
        self._need_numbers(choice, kind)
        if self._settings.conditions:
            failed = self._failed(kind, "", _numbers(kind, self._settings.conditions))
            for condition in self._settings.conditions:
                choice.when(_is_missed(kind, condition), failed)
        if self._settings.champion:
            self._compare(choice, kind)
        choice.otherwise(self._passed)
        return choice

    def _metrics(self, kind: str) -> list[str]:
        named = [condition.metric for condition in self._settings.conditions]
        return [*named, self._settings.champion_metric_of(kind)] if self._settings.champion else named

    def _need_numbers(self, choice: sfn.Choice, kind: str) -> None:
        """Decide nothing where a number is missing that a condition judges: on the data it may not be defined."""
        for condition in self._settings.conditions:
            metric = condition.metric
            undecided = self._undecided(metric, f"for the metric {metric}")
            choice.when(_is_no_number(_value(kind, metric)), undecided)
            if condition.interval:
                what = f"for the confidence interval of the metric {metric}"
                choice.when(_is_no_number(_end(condition)), self._undecided(f"interval {metric}", what))

    def _compare(self, choice: sfn.Choice, kind: str) -> None:
        """Turn a model down that is worse than the champion beyond the tolerance; without a champion none is."""
        metric, tolerance = self._settings.champion_metric_of(kind), self._settings.champion_tolerance
        worse_by = f"{WORSE_BY}.{metric}"
        is_there = sfn.Condition.not_(sfn.Condition.is_null(f"{EVALUATION}.champion"))
        undecided = self._undecided(f"champion {metric}", f"to compare with the champion's {metric}")
        choice.when(sfn.Condition.and_(is_there, _is_no_number(worse_by)), undecided)
        words = (
            f"{metric} is {{}}, that of the champion on the same rows {{}}: worse by {{}}, wanted at most {tolerance:g}"
        )
        paths = f"{_value(kind, metric)}, {EVALUATION}.champion.metrics.{metric}, {worse_by}"
        failed = self._failed(kind, "Champion", f"States.Format('{words}', {paths})")
        choice.when(sfn.Condition.and_(is_there, sfn.Condition.number_greater_than(worse_by, tolerance)), failed)

    def _failed(self, kind: str, what: str, numbers: str) -> sfn.State:
        reason = {"error": contract.GATE_FAILED, "cause.$": numbers}
        name = f"{kind.title()}{what}{contract.GATE_FAILED}"
        return self._failure.state(self._stage, name, reason, FAILED_ADVICE)

    def _undecided(self, key: str, what: str) -> sfn.IChainable:
        """Return the state that reports that the gate has no number, one for each key."""
        name = f"{UNDECIDED} {key}"
        existing = self._failure.node.try_find_child(name)
        if isinstance(existing, sfn.Pass):
            return existing
        cause = f"the quality gate cannot decide: the evaluation has no number {what}"
        return self._failure.state(self._stage, name, {"error": UNDECIDED, "cause": cause}, UNDECIDED_ADVICE)


def _value(kind: str, metric: str) -> str:
    return f"{EVALUATION}.{GROUPS[kind]}.{metric}.value"


def _end(condition: GateCondition) -> str:
    return f"{EVALUATION}.confidence_intervals.metrics.{condition.metric}.{condition.end}"


def _judged(kind: str, condition: GateCondition) -> str:
    return _end(condition) if condition.interval else _value(kind, condition.metric)


def _is_no_number(at: str) -> sfn.Condition:
    # A word in the place of a number is none either.
    return sfn.Condition.or_(
        sfn.Condition.not_(sfn.Condition.is_present(at)), sfn.Condition.not_(sfn.Condition.is_numeric(at))
    )


def _is_missed(kind: str, condition: GateCondition) -> sfn.Condition:
    at = _judged(kind, condition)
    if condition.minimum is not None:
        return sfn.Condition.number_less_than(at, condition.minimum)
    assert condition.maximum is not None
    return sfn.Condition.number_greater_than(at, condition.maximum)


def _numbers(kind: str, conditions: Sequence[GateCondition]) -> str:
    """Return the function that writes every condition with the numbers that it met."""
    words, values = [], []
    for condition in conditions:
        words.append(f"{condition.metric} is {{}}")
        values.append(_value(kind, condition.metric))
        if condition.interval:
            words[-1] += f" and its 95 percent interval ends at {{}}, of which {condition.bound} is wanted"
            values.append(_end(condition))
        else:
            words[-1] += f", wanted {condition.bound}"
    return f"States.Format('{'; '.join(words)}', {', '.join(values)})"
