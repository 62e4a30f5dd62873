"""Every rule refuses what it is about, and takes the nearest neighbour of that."""

from __future__ import annotations

from types import ModuleType

import pytest

from ml_a2.local.edge.rules import RULES, broken
from ml_a2.local.edge.rules.rule import Rule
from ml_a2.local.edge.validation import MODELS
from ml_a2.local.runtime import LocalRuntime
from ml_a2.local.sagemaker.protocol import problem_with
from ml_a2.local.service_models import service_model
from tests.local.edge import fuzzing
from tests.local.edge.rules import cloudwatch, events, iam, logs, s3, sagemaker, sns, sqs, stepfunctions
from tests.local.edge.rules.case import Case

REGION = "us-east-1"
MODULES: tuple[ModuleType, ...] = (cloudwatch, events, iam, logs, s3, sagemaker, sns, sqs, stepfunctions)
CASES = [(module.SERVICE, case) for module in MODULES for case in module.CASES]


def _rule(service: str, case: Case) -> Rule:
    return next(each for each in RULES if (each.service, each.name) == (service, case.rule))


def _name(value: object) -> str:
    return f"{value.operation}-{value.rule}" if isinstance(value, Case) else str(value)


@pytest.mark.parametrize(("service", "case"), CASES, ids=_name)
def test_a_rule_refuses_what_breaks_it_and_nothing_beside(service: str, case: Case) -> None:
    """The model takes both requests, the rule one of them."""
    rule = _rule(service, case)
    shape = service_model(MODELS.get(service, service)).operation_model(case.operation).input_shape
    assert shape
    assert [problem_with(each, shape) for each in (case.refused, case.taken)] == [None, None]
    assert case.operation in rule.operations
    assert list(rule.check(case.refused, REGION))
    assert rule.code in [code for code, _ in broken(service, case.operation, case.refused, REGION)]
    assert list(broken(service, case.operation, case.taken, REGION)) == []


def test_every_rule_has_a_case_and_a_source() -> None:
    """A rule that nothing shows is none."""
    shown = {(service, case.rule) for service, case in CASES}
    assert {(rule.service, rule.name) for rule in RULES} == shown
    assert all(rule.says and rule.source for rule in RULES)


def test_the_endpoint_answers_with_the_code_of_the_rule(runtime: LocalRuntime) -> None:
    """Over the wire, in each service's own protocol."""
    runtime.clients.s3.create_bucket(Bucket="data")
    wrong = []
    for service, case in CASES:
        model = MODELS.get(service, service)
        request = fuzzing.write(model, fuzzing.service_model(model).operation_model(case.operation), case.refused)
        assert request is not None
        answer = fuzzing.send(runtime.url, request)
        if answer.code != _rule(service, case).code:
            wrong.append((case, answer.code))
    assert wrong == []
