"""Transitions and jobs, read from the synthesized definition and from small ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ml_a2.costs.jobs import Job, find_pipeline, read_jobs, read_standing_parts
from ml_a2.costs.route import Poll, route_of
from ml_a2.errors import AssemblyError

CALL = "arn:aws:states:::aws-sdk:sagemaker:{}"


def _template(states: Mapping[str, Any], start: str) -> dict[str, Any]:
    properties = {"DefinitionString": json.dumps({"StartAt": start, "States": states}), "RoleArn": "role"}
    return {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}


def _loop(kind: str, onward: str, seconds: int = 30) -> dict[str, Any]:
    return {
        f"Create{kind}": {"Type": "Task", "Resource": CALL.format(f"create{kind}Job"), "Next": f"Wait{kind}"},
        f"Wait{kind}": {"Type": "Wait", "Seconds": seconds, "Next": f"Describe{kind}"},
        f"Describe{kind}": {"Type": "Task", "Resource": CALL.format(f"describe{kind}Job"), "Next": f"Status{kind}"},
        f"Status{kind}": {"Type": "Choice", "Choices": [{"Next": onward}, {"Next": f"Wait{kind}"}], "Default": "No"},
    }


def _pipeline(**more: Any) -> dict[str, Any]:
    states = {**_loop("Training", "CreateProcessing"), **_loop("Processing", "Yes", 10)}
    return {**states, "Yes": {"Type": "Succeed"}, "No": {"Type": "Fail"}, **more}


def test_the_stack_has_fifteen_states_on_its_way_to_success(template: dict[str, Any]) -> None:
    """And two loops of three."""
    route = route_of(find_pipeline(template))
    assert len(route.states) == 15
    assert route.states[-1] == "PipelineSucceeded"
    assert route.polls == {"training": Poll("WaitForTraining", 30, 3), "processing": Poll("WaitForEvaluation", 30, 3)}
    assert route.transitions({"training": 1, "processing": 1}) == 15
    assert route.transitions({"training": 20, "processing": 8}) == 15 + 3 * 19 + 3 * 7


def test_a_model_that_is_given_spares_the_training(template: dict[str, Any]) -> None:
    """The way past CreateTrainingJob."""
    route = route_of(find_pipeline(template), without=["training"])
    assert set(route.polls) == {"processing"}
    assert "UseGivenModel" in route.states
    assert route.transitions({"processing": 1}) == 11


@pytest.mark.parametrize(("seconds", "count"), [(0, 1), (1, 1), (30, 1), (30.1, 2), (600, 20)])
def test_a_job_is_waited_for_before_it_is_first_asked_for(seconds: float, count: int) -> None:
    """So that there is at least one poll."""
    assert Poll("Wait", 30, 3).count(seconds) == count


def test_of_two_ways_the_longer_one_counts() -> None:
    """Costs are told as much as they may be."""
    fork = {"Type": "Choice", "Choices": [{"Next": "CreateTraining"}], "Default": "Detour"}
    detour = {"Type": "Pass", "Next": "CreateTraining"}
    route = route_of(find_pipeline(_template(_pipeline(Fork=fork, Detour=detour), "Fork")))
    assert route.states[:3] == ("Fork", "Detour", "CreateTraining")
    assert (route.polls["training"].seconds, route.polls["processing"].seconds) == (30, 10)


def test_fails_without_a_way_to_success() -> None:
    """Rather than to count another way."""
    states = {**_pipeline(), **_loop("Processing", "No")}
    with pytest.raises(AssemblyError, match="'Machine' has no way to success that waits for a processing and a trai"):
        route_of(find_pipeline(_template(states, "CreateTraining")))


def test_fails_without_a_loop_that_asks_for_the_job() -> None:
    """A job that nobody waits for has no polls to count."""
    states = _pipeline(CreateTraining={"Type": "Task", "Resource": CALL.format("createTrainingJob"), "Next": "Yes"})
    with pytest.raises(AssemblyError, match="so that its transitions cannot be counted"):
        route_of(find_pipeline(_template(states, "CreateTraining")), without=["processing"])


def test_fails_without_a_state_machine_that_creates_the_jobs(template: dict[str, Any]) -> None:
    """The clean-up is none."""
    others = {name: r for name, r in template["Resources"].items() if "Workflow" not in name}
    with pytest.raises(AssemblyError, match="no state machine that makes the calls sagemaker:CreateTrainingJob and"):
        find_pipeline({"Resources": others})


def test_jobs_are_read_from_their_requests(template: dict[str, Any]) -> None:
    """Instance types from the defaults that an execution's input is laid over."""
    assert read_jobs(find_pipeline(template)) == {
        "training": Job("training", "ml.m5.xlarge", 1, 30, 4 * 3600, 4 * 3600, spot=False),
        "processing": Job("processing", "ml.m5.xlarge", 1, 30, 3600, 3600, spot=False),
    }


def test_fails_on_a_request_without_instances() -> None:
    """Naming state and member."""
    with pytest.raises(AssemblyError, match=r"state 'CreateTraining': what its job costs .* KeyError.'ResourceConfig'"):
        read_jobs(find_pipeline(_template(_pipeline(), "CreateTraining")))


def test_what_costs_while_nothing_runs_is_counted(template: dict[str, Any]) -> None:
    """Six alarms, one dashboard, no key of its own, logs for half a year."""
    parts = read_standing_parts(template)
    assert (parts.alarms, parts.dashboards, parts.keys, parts.log_retention_days) == (6, 1, 0, 180)
