"""The model registry in the template: nothing without a group, and with one no more than it needs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from ml_a2.settings import GateCondition, GateSettings, RegistrySettings, Settings
from ml_a2.stack import MlA2Stack
from tests.conftest import definition_of

pytestmark = pytest.mark.xdist_group("cdk")

STATES = {
    "TrainedHere?", "TrainedModel", "GivenModel", "RegisterModel", "CreateModelPackageGroup", "RegisterModelInNewGroup",
    "ModelNotRegistered", "RegistryCallFailed",
}  # fmt: skip
GATE = GateSettings(conditions=(GateCondition(metric="auc", minimum=0.5),))


def _template(settings: Settings) -> dict[str, Any]:
    template: dict[str, Any] = Template.from_stack(MlA2Stack(App(), "Stack", settings=settings)).to_json()
    return template


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return _template(Settings())


@pytest.fixture(scope="module")
def registering() -> dict[str, Any]:
    return _template(Settings(registry=RegistrySettings(model_package_group="churn")))


def _statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = (
        resource["Properties"]["PolicyDocument"]
        for name, resource in template["Resources"].items()
        if name.startswith("WorkflowStateMachineRoleDefaultPolicy")
    )
    statements: list[dict[str, Any]] = policy["Statement"]
    return statements


def test_a_group_adds_states_and_permissions_and_nothing_else(
    plain: dict[str, Any], registering: dict[str, Any]
) -> None:
    """Every resource is what it was, but for the state machine's definition and its role's policy."""
    changed = {
        name: resource
        for name, resource in registering["Resources"].items()
        if plain["Resources"].get(name) != resource
    }
    assert {resource["Type"] for resource in changed.values()} == {
        "AWS::StepFunctions::StateMachine", "AWS::IAM::Policy",
    }  # fmt: skip
    assert set(plain["Resources"]) == set(registering["Resources"])
    before, after = definition_of(plain)["States"], definition_of(registering)["States"]
    assert set(after) - set(before) == STATES
    assert {name for name in before if before[name] != after[name]} == {"ReadEvaluation"}
    assert (before["ReadEvaluation"]["Next"], after["ReadEvaluation"]["Next"]) == ("PipelineSucceeded", "TrainedHere?")


def test_a_model_is_registered_after_it_was_accepted() -> None:
    """The gate leads to the registry, the registry to success."""
    settings = Settings(gate=GATE, registry=RegistrySettings(model_package_group="churn"))
    states = definition_of(_template(settings))["States"]
    assert states["ReadEvaluation"]["Next"] == "QualityGate?"
    assert states["GatePassed"]["Next"] == "TrainedHere?"
    before = [name for name, state in states.items() if state.get("Next") == "PipelineSucceeded"]
    assert before == ["RegisterModel", "RegisterModelInNewGroup"]


def test_only_a_call_that_may_lack_its_group_is_made_again(registering: dict[str, Any]) -> None:
    """Any other error is told at once; what the creation of the group answers never ends the execution by itself."""
    states = definition_of(registering)["States"]
    catches = {
        name: [(catcher["ErrorEquals"], catcher["Next"]) for catcher in states[name]["Catch"]]
        for name in ("RegisterModel", "CreateModelPackageGroup", "RegisterModelInNewGroup")
    }
    assert catches == {
        "RegisterModel": [
            (["SageMaker.SageMakerException"], "CreateModelPackageGroup"),
            (["States.ALL"], "RegistryCallFailed"),
        ],
        "CreateModelPackageGroup": [
            (["States.TaskFailed", "States.Timeout"], "RegisterModelInNewGroup"),
            (["States.ALL"], "RegistryCallFailed"),
        ],
        "RegisterModelInNewGroup": [(["States.ALL"], "ModelNotRegistered")],
    }
    for name in catches:
        assert states[name]["Retry"][-1]["MaxAttempts"] == 3
    assert states["RegisterModel"]["Parameters"] == states["RegisterModelInNewGroup"]["Parameters"]
    assert "Tags" not in states["RegisterModel"]["Parameters"]
    for name in ("ModelNotRegistered", "RegistryCallFailed"):
        assert states[name]["Parameters"]["stage"] == "Registry"
        assert states[name]["Next"] == "FindLogStream"


def test_the_role_may_register_in_its_group_alone(plain: dict[str, Any], registering: dict[str, Any]) -> None:
    """Packages of the group, and the group itself."""
    added = [statement for statement in _statements(registering) if statement not in _statements(plain)]
    assert [statement["Action"] for statement in added] == [
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateModelPackageGroup",
    ]
    named = [re.findall(r":(model-package[a-z-]*/[^\"']*)", str(statement["Resource"])) for statement in added]
    assert named == [["model-package/churn/*", "model-package-group/churn"], ["model-package-group/churn"]]


def test_the_package_has_the_status_of_the_settings() -> None:
    """A person decides, unless the settings say that the gate does."""
    for status in ("PendingManualApproval", "Approved"):
        registry = RegistrySettings(model_package_group="churn", approval_status=status)
        states = definition_of(_template(Settings(registry=registry)))["States"]
        assert states["RegisterModel"]["Parameters"]["ModelApprovalStatus"] == status
