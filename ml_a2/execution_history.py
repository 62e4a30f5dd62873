"""What the events of an execution's history tell: its jobs, what it knew last, where it failed."""

from __future__ import annotations

import json
from typing import Any

from ml_a2 import contract


def job_name(events: list[dict[str, Any]], field: str) -> str | None:
    """Return the name that the execution gave to a job, once it has: `training_job_name` or `processing_job_name`."""
    return output_of(events, contract.NAMING_STATE).get(field)


def last_known(events: list[dict[str, Any]], field: str) -> dict[str, Any]:
    """Return what stood last in a field of the execution's state, `training` say; nothing when it never was there."""
    for event in reversed(events):
        text = event.get("stateExitedEventDetails", {}).get("output") or event.get("stateEnteredEventDetails", {}).get(
            "input"
        )
        state = json.loads(text) if text else None
        if isinstance(state, dict) and isinstance(state.get(field), dict):
            return dict(state[field])
    return {}


def output_of(events: list[dict[str, Any]], state: str) -> dict[str, Any]:
    """Return the output of a state, an empty one until the execution has left it."""
    for event in events:
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") == state:
            output: dict[str, Any] = json.loads(exited["output"])
            return output
    return {}


def next_step(events: list[dict[str, Any]]) -> str:
    """Return what the failure path advises, as the message to the topic has it; empty where it was not passed."""
    return str(last_known(events, "failure").get("next_step", ""))


def failed_stage(events: list[dict[str, Any]]) -> str:
    """Return the stage that the failure path names, or the state that the execution was in."""
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    if not entered:
        return "start"
    state = json.loads(entered[-1].get("input") or "{}")
    failure = state.get("failure") if isinstance(state, dict) else None
    return str(failure["stage"] if isinstance(failure, dict) and "stage" in failure else entered[-1]["name"])
