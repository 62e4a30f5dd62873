"""Job names: legal for every legal execution name, the same for a repeated call, and unique."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ml_a2 import contract
from tests.conftest import definition_of

LEGAL = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
EXECUTION_NAMES = st.text("abcXYZ019._-", min_size=1, max_size=80)
START_TIMES = st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z")
MACHINE = "arn:aws:states:us-east-1:123456789012:execution:machine:"


def _name(prefix: str, execution: str, start: str) -> str:
    """Do what the template's two intrinsic functions do."""
    return prefix + hashlib.sha1(f"{MACHINE}{execution} {start}".encode(), usedforsecurity=False).hexdigest()


def test_the_template_names_jobs_as_checked_here(template: dict[str, Any]) -> None:
    """The definition's expression is the one whose properties are checked below."""
    parameters = definition_of(template)["States"][contract.NAMING_STATE]["Parameters"]
    for field, prefix in (
        (contract.TRAINING_JOB_FIELD, contract.TRAINING_JOB_PREFIX),
        (contract.PROCESSING_JOB_FIELD, contract.PROCESSING_JOB_PREFIX),
    ):
        inner = "States.Format('{} {}', $$.Execution.Id, $$.Execution.StartTime)"
        assert parameters[f"{field}.$"] == f"States.Format('{prefix}{{}}', States.Hash({inner}, 'SHA-1'))"


@given(EXECUTION_NAMES, START_TIMES)
def test_names_are_legal_and_repeatable(execution: str, start: str) -> None:
    """SageMaker takes them, and a repeated call has the same one."""
    own, others = (contract.job_prefixes(name).values() for name in (contract.STACK_NAME, "Churn"))
    for prefix in (*own, *others):
        assert LEGAL.fullmatch(_name(prefix, execution, start))
        assert _name(prefix, execution, start) == _name(prefix, execution, start)


@given(st.lists(st.tuples(EXECUTION_NAMES, START_TIMES), min_size=2, max_size=30, unique=True))
def test_names_are_unique(executions: list[tuple[str, str]]) -> None:
    """No two executions share a job name, nor one execution that reuses a name after 90 days."""
    assert len({_name(contract.TRAINING_JOB_PREFIX, *one) for one in executions}) == len(executions)


def test_no_stack_may_touch_the_jobs_of_another() -> None:
    """What a stack's roles are allowed, the jobs that begin with its prefixes, are no other stack's jobs."""
    stacks = [contract.STACK_NAME, "Churn", "Churn2", "ml-a2-training"]
    prefixes = [prefix for stack in stacks for prefix in contract.job_prefixes(stack).values()]
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]
    assert len(set(prefixes)) == 2 * len(stacks)
