"""Faults on request: their grammar."""

from __future__ import annotations

import pytest

from ml_a2.errors import UserError
from ml_a2.local.faults import Faults
from ml_a2.local.service_calls import PERMISSIONS


def test_a_call_meets_its_fault_as_often_as_asked() -> None:
    """Twice, then no more; other calls never."""
    faults = Faults(PERMISSIONS)
    faults.inject(["sagemaker:CreateTrainingJob=ThrottlingException*2", "evaluation=oom"])
    assert faults.call("sagemaker", "describe_training_job") is None
    met = [faults.call("sagemaker", "create_training_job") for _ in range(3)]
    assert met == ["ThrottlingException", "ThrottlingException", None]
    assert (faults.job("evaluation"), faults.job("training")) == ("oom", None)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("training=tired", "'tired' is not one of capacity, crash"),
        ("sagemaker:CreateTrainingJob", "is not SERVICE:ACTION=CODE"),
        ("sagemaker:CreateTrainingJob=X*0", "is not SERVICE:ACTION=CODE"),
        ("sagemaker:CreateModel=X", "no state machine calls CreateModel; known are"),
        ("", "is not SERVICE:ACTION=CODE"),
    ],
)
def test_fails_on_a_fault_that_is_not_known(spec: str, words: str) -> None:
    """A fault that could never come is refused with what is known."""
    with pytest.raises(UserError) as caught:
        Faults(PERMISSIONS).inject([spec])
    assert words in str(caught.value)
