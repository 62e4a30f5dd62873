"""The audit's arithmetic, and assemblies that are odd."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ml_a2.errors import AssemblyError
from ml_a2.local.audit import Machine, _images, _patience, _time
from ml_a2.local.doctor import _missing_assets


@pytest.mark.parametrize(
    ("retrier", "seconds"),
    [
        ({"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 3}, 2 + 4 + 8),
        ({"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 3, "MaxDelaySeconds": 5}, 2 + 4 + 5),
        ({}, 1 + 2 + 4),
        ({"MaxAttempts": 0}, 0),
        ({"IntervalSeconds": 30, "BackoffRate": 1, "MaxAttempts": 99_999_999}, 30 * 99_999_999),
        ({"IntervalSeconds": 30, "BackoffRate": 1.5, "MaxAttempts": 2000, "MaxDelaySeconds": 300}, 598_406.7),
    ],
)
def test_a_retrier_waits_for_the_sum_of_its_pauses(retrier: dict[str, Any], seconds: float) -> None:
    """Each grows from the one before, up to its longest, however many there are."""
    assert _patience({"ErrorEquals": ["States.ALL"], **retrier}) == pytest.approx(seconds, rel=1e-3)


def _machine(*, pause: int, between: str) -> Machine:
    call = {"StoppingCondition": {"MaxRuntimeInSeconds": 86_400}}
    resource = "arn:aws:states:::aws-sdk:sagemaker:createTrainingJob"
    states = {
        "Create": {"Type": "Task", "Resource": resource, "Parameters": call, "Next": between},
        "Keep": {"Type": "Pass", "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": pause, "End": True},
    }
    return Machine("m", {"TimeoutSeconds": 1_000_000, "States": states}, "ALL")


@pytest.mark.parametrize("between", ["Wait", "Keep"])
@pytest.mark.parametrize(("pause", "full"), [(0, True), (1, True), (30, True), (60, False)])
def test_polling_must_fit_into_the_history(between: str, pause: int, full: bool) -> None:
    """A day at 30 seconds does not, at 60 it does, also when a state stands before the wait."""
    found = [finding.problem for finding in _time(_machine(pause=pause, between=between))]
    assert ["history events" in problem for problem in found] == ([True] if full else [])


@pytest.mark.parametrize(("day", "warned"), [(17, False), (18, True)])
def test_an_image_without_patches_is_warned_of(day: int, warned: bool) -> None:
    """From the day after AWS's last one on."""
    machine = _machine(pause=60, between="Wait")
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    machine.states["Create"]["Parameters"]["AlgorithmSpecification"] = {"TrainingImage": image}
    found = [(finding.severity, finding.where) for finding in _images(machine, dt.date(2026, 11, day))]
    assert found == ([("warning", "m, state Create")] if warned else [])


def test_assets_that_are_odd_are_told(assembly: Path, tmp_path: Path) -> None:
    """A manifest that is no JSON is an error; an asset that a command makes is none."""
    copy = tmp_path / "cdk.out"
    shutil.copytree(assembly, copy)
    manifest = next(copy.glob("*.assets.json"))
    content = json.loads(manifest.read_text())
    content["files"]["made"] = {"source": {"executable": ["make"]}, "destinations": {}}
    manifest.write_text(json.dumps(content))
    assert list(_missing_assets(copy)) == []
    manifest.write_text("{")
    with pytest.raises(AssemblyError, match="is no JSON"):
        list(_missing_assets(copy))
