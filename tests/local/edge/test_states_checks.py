"""What Step Functions refuses beyond what its model says."""

from __future__ import annotations

import pytest

from ml_a2.local.edge.engine_checks import problems


@pytest.mark.parametrize("operation", ["StartExecution", "StartSyncExecution", "CreateStateMachine", "CreateActivity"])
@pytest.mark.parametrize("name", ["nightly run", "a/b", "a:b", "a\x85b", "a\tb"])
def test_fails_for_a_name_with_what_names_may_not_have(operation: str, name: str) -> None:
    """InvalidName, in the service's words, from every operation that takes one."""
    assert list(problems("states", operation, {"name": name})) == [("InvalidName", f"Invalid Name: '{name}'")]


@pytest.mark.parametrize("operation", ["StartExecution", "CreateStateMachine"])
def test_takes_a_name_or_none(operation: str) -> None:
    """An execution may have none; it gets one."""
    assert not list(problems("states", operation, {"name": "run_2024-01-05"}))
    assert not list(problems("states", operation, {}))


@pytest.mark.parametrize(
    ("name", "level", "refused"), [("größe", "ALL", True), ("größe", "OFF", False), ("run.1-a_b", "ALL", False)]
)
def test_a_machine_that_is_logged_has_a_plain_name(name: str, level: str, refused: bool) -> None:
    """Its log delivery bears the name."""
    request = {"name": name, "loggingConfiguration": {"level": level}}
    codes = [code for code, _ in problems("states", "CreateStateMachine", request)]
    assert codes == ["InvalidLoggingConfiguration"] * refused
