"""The quality gate: Choice states on what the evaluation wrote, so that a model can be turned down."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.failure import FailurePath, Stage
from ml_a2.settings import GateCondition

UNDECIDED = "QualityGateUndecided"
# Where the evaluation of each kind of model has its metrics.
GROUPS = {
    "binary": "binary_classification_metrics",
    "multiclass": "multiclass_classification_metrics",
    "regression": "regression_metrics",
}
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
        conditions: Sequence[GateCondition],
        stage: Stage,
        failure: FailurePath,
        then: sfn.IChainable,
    ) -> None:
        """Create the states; `start` is the first one."""
        super().__init__(scope, construct_id)
        self._conditions = conditions
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
            self.start.when(sfn.Condition.is_present(f"$.result.evaluation.{group}"), self._judge(kind))
        self.start.otherwise(self._undecided("Kind", "of a kind that this gate knows"))

    def _judge(self, kind: str) -> sfn.IChainable:
        """Return what decides about a model of one kind: its metrics are known at synth."""
        foreign = [each.metric for each in self._conditions if each.metric not in contract.METRICS[kind]]
        if foreign:
            what = f"for the metric {foreign[0]}, which a {kind} model does not have"
            return self._undecided(f"{kind} {foreign[0]}", what)
        choice = sfn.Choice(self, f"{kind}Gate?", state_name=f"{kind.title()}Gate?")
        for metric in dict.fromkeys(each.metric for each in self._conditions):
            # Where a metric is not defined on the data, it is left out, or a word stands in its place.
            undecided = self._undecided(metric, f"for the metric {metric}")
            choice.when(sfn.Condition.not_(sfn.Condition.is_present(_value(kind, metric))), undecided)
            choice.when(sfn.Condition.not_(sfn.Condition.is_numeric(_value(kind, metric))), undecided)
        reason = {"error": contract.GATE_FAILED, "cause.$": _numbers(kind, self._conditions)}
        failed = self._failure.state(self._stage, f"{kind.title()}{contract.GATE_FAILED}", reason, FAILED_ADVICE)
        for condition in self._conditions:
            choice.when(_is_missed(kind, condition), failed)
        choice.otherwise(self._passed)
        return choice

    def _undecided(self, key: str, what: str) -> sfn.IChainable:
        """Return the state that reports that the gate has no number, one for each key."""
        name = f"{UNDECIDED} {key}"
        existing = self._failure.node.try_find_child(name)
        if isinstance(existing, sfn.Pass):
            return existing
        cause = f"the quality gate cannot decide: the evaluation has no number {what}"
        return self._failure.state(self._stage, name, {"error": UNDECIDED, "cause": cause}, UNDECIDED_ADVICE)


def _value(kind: str, metric: str) -> str:
    return f"$.result.evaluation.{GROUPS[kind]}.{metric}.value"


def _is_missed(kind: str, condition: GateCondition) -> sfn.Condition:
    at = _value(kind, condition.metric)
    if condition.minimum is not None:
        return sfn.Condition.number_less_than(at, condition.minimum)
    assert condition.maximum is not None
    return sfn.Condition.number_greater_than(at, condition.maximum)


def _numbers(kind: str, conditions: Sequence[GateCondition]) -> str:
    """Return the function that writes every condition with the number that it met."""
    words = "; ".join(f"{condition.metric} is {{}}, wanted {condition.bound}" for condition in conditions)
    values = ", ".join(_value(kind, condition.metric) for condition in conditions)
    return f"States.Format('{words}', {values})"
