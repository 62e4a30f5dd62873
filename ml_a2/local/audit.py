"""What is wrong with a deployed stack that its executions need not show: read from the services, not executed.

A retrier that is missing shows only when a call fails, a time-out that is too short only in a long training. What must
be there follows from the contract of Step Functions and SageMaker; see docs/failures.md.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ml_a2.contract import EVENTS_PER_POLL, HISTORY_EVENT_LIMIT
from ml_a2.finding import Finding
from ml_a2.image_patches import unpatched
from ml_a2.local.clients import Clients
from ml_a2.local.integration import Integration, find_integration

# "Both create-job steps include retry logic with exponential backoff (3 attempts)": the mission, for every call.
LEAST_ATTEMPTS = 3
# An account quota is free again when another job ends.
LEAST_PATIENCE_SECONDS = 3600
QUOTA_ERROR = "SageMaker.ResourceLimitExceededException"
EXISTS_ERROR = "SageMaker.ResourceInUseException"
ANY_ERROR = {"States.ALL", "States.TaskFailed"}
# Defaults of a retrier. Source: Amazon States Language, "Retrying after error".
DEFAULTS = {"IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2.0}

# MaxDelaySeconds is less than a year.
LONGEST_DELAY_SECONDS = 31_622_400

State = Mapping[str, Any]


@dataclass(frozen=True)
class Machine:
    """A deployed state machine: its name and its definition."""

    name: str
    definition: Mapping[str, Any]
    log_level: str

    @property
    def states(self) -> dict[str, State]:
        """Return every state by its name, those of branches too."""
        found: dict[str, State] = {}
        waiting: list[Any] = [self.definition]
        while waiting:
            inner = waiting.pop()["States"]
            found |= inner
            for state in inner.values():
                waiting += state.get("Branches", [])
                waiting += [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        return found

    def tasks(self) -> Iterator[tuple[str, State, Integration]]:
        """Yield every task with its name and its call."""
        for name, state in self.states.items():
            if state["Type"] == "Task":
                yield name, state, find_integration(state["Resource"])

    def creations(self) -> Iterator[tuple[str, State]]:
        """Yield the tasks that create a job."""
        for name, state, integration in self.tasks():
            if integration.model.name in ("CreateTrainingJob", "CreateProcessingJob"):
                yield name, state


def audit(clients: Clients, pipeline_arn: str) -> Iterator[Finding]:
    """Yield what is wrong with the state machines of the endpoint, and with who hears of their topic.

    Args:
        clients: where the stack is deployed.
        pipeline_arn: the state machine that trains and evaluates.
    """
    today = dt.datetime.now(dt.UTC).date()
    for machine in clients.stepfunctions.list_state_machines()["stateMachines"]:
        answer = clients.stepfunctions.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        level = answer.get("loggingConfiguration", {}).get("level", "OFF")
        found = Machine(answer["name"], json.loads(answer["definition"]), level)
        checks = [_calls(found), _time(found), _log(found)]
        if machine["stateMachineArn"] == pipeline_arn:
            checks += [_jobs(found), _images(found, today), _registrations(found), _failure_path(found)]
        yield from chain.from_iterable(checks)


def _error(machine: Machine, state: str, problem: str, remedy: str) -> Finding:
    return Finding("error", f"{machine.name}, state {state}" if state else machine.name, problem, remedy)


def _calls(machine: Machine) -> Iterator[Finding]:
    """Every call is repeated when that can help, and caught when it cannot."""
    for name, state, integration in machine.tasks():
        retriers = [{**DEFAULTS, **retrier} for retrier in state.get("Retry", [])]
        general = next((r for r in retriers if ANY_ERROR & set(r["ErrorEquals"])), None)
        if general is None or general["MaxAttempts"] < LEAST_ATTEMPTS or general["BackoffRate"] <= 1:
            problem = "a throttled call is not repeated 3 times with growing pauses, so it fails the execution"
            yield _error(machine, name, problem, "add a retrier for States.TaskFailed: MaxAttempts 3, BackoffRate 2")
        if not any("States.ALL" in catcher["ErrorEquals"] for catcher in state.get("Catch", [])):
            problem = "an error of this call is not caught, so nobody is told its reason"
            yield _error(machine, name, problem, "catch States.ALL and lead it to the state that notifies")
        handlers = [*state.get("Retry", []), *state.get("Catch", [])]
        names = [error for handler in handlers for error in handler["ErrorEquals"]]
        for error in names:
            if not error.startswith("States.") and error not in integration.errors():
                problem = f"ErrorEquals {error!r} is no error of this call, so it never matches"
                yield _error(machine, name, problem, "write <Service>.<Error>Exception as SDK integrations do")


def _jobs(machine: Machine) -> Iterator[Finding]:
    """A job is created once, patiently, and bounded in time."""
    for name, state in machine.creations():
        quota = [r for r in state.get("Retry", []) if QUOTA_ERROR in r["ErrorEquals"]]
        if sum(map(_patience, quota)) < LEAST_PATIENCE_SECONDS:
            problem = "the call gives up within an hour when an account quota is reached"
            yield _error(machine, name, problem, f"add a retrier for {QUOTA_ERROR} of its own that waits for hours")
        if not any(EXISTS_ERROR in catcher["ErrorEquals"] for catcher in state.get("Catch", [])):
            problem = "a repeated call meets its own job and fails, when the first answer was lost"
            yield _error(machine, name, problem, f"catch {EXISTS_ERROR} and go on to wait for the job")
        if _run_seconds(state) is None:
            problem = "the job has no MaxRuntimeInSeconds: one that hangs goes on, and costs, for a day"
            yield _error(machine, name, problem, "set StoppingCondition.MaxRuntimeInSeconds")


def _images(machine: Machine, today: dt.date) -> Iterator[Finding]:
    """A job's image is one that still gets patches."""
    for name, state in machine.creations():
        image = state["Parameters"].get("AlgorithmSpecification", {}).get("TrainingImage", "")
        if warning := unpatched(image, f"{machine.name}, state {name}", today):
            yield warning


def _registrations(machine: Machine) -> Iterator[Finding]:
    """A model is registered once."""
    for name, state, integration in machine.tasks():
        has_token = any(member.startswith("ClientToken") for member in state.get("Parameters", {}))
        if integration.model.name == "CreateModelPackage" and not has_token:
            problem = "a repeated call registers the model twice, when the first answer was lost"
            yield _error(machine, name, problem, "set ClientToken to what is the same for every call of an execution")


def _time(machine: Machine) -> Iterator[Finding]:
    """The state machine ends at some time, not before its jobs may, and not because its history is full."""
    limit = machine.definition.get("TimeoutSeconds")
    if limit is None:
        problem = "there is no TimeoutSeconds: an execution that hangs is never told"
        yield _error(machine, "", problem, "set TimeoutSeconds beyond all that its jobs and waits may take")
        return
    needed, events = 0.0, 0.0
    for _, state in machine.creations():
        run = _run_seconds(state) or 0
        needed += run + sum(map(_patience, state.get("Retry", [])))
        pause = _seconds_between_polls(machine, state)
        events += (run / max(pause, 1) if pause is not None else 1) * EVENTS_PER_POLL
    if limit <= needed:
        problem = f"TimeoutSeconds {limit} is less than the {needed:.0f} s that its jobs and their retries may take"
        yield _error(machine, "", problem, "raise TimeoutSeconds, or lower MaxRuntimeInSeconds of the jobs")
    if events > HISTORY_EVENT_LIMIT:
        problem = f"polling its jobs may take {events:.0f} history events, above the quota of {HISTORY_EVENT_LIMIT}"
        yield _error(machine, "", problem, "poll less often, or lower MaxRuntimeInSeconds of the jobs")


def _log(machine: Machine) -> Iterator[Finding]:
    if machine.log_level == "OFF":
        problem = "executions are not logged: after 90 days nothing tells why one failed"
        yield _error(machine, "", problem, "set LoggingConfiguration.Level to ALL or ERROR")


def _failure_path(machine: Machine) -> Iterator[Finding]:
    """What is caught ends in a Fail state: an execution that succeeds sets off no alarm."""
    for name, state, _ in machine.tasks():
        for catcher in state.get("Catch", []):
            if "States.ALL" in catcher["ErrorEquals"] and (ending := _green_ending(machine, catcher["Next"])):
                problem = f"an error that is caught here may end in {ending}, and the execution SUCCEEDED"
                yield _error(machine, name, problem, "let the failure path end in a Fail state")


def _green_ending(machine: Machine, start: str) -> str | None:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        state = machine.states[name]
        if state["Type"] == "Succeed" or state.get("End"):
            return name
        followers = [state.get("Next"), state.get("Default"), *(rule["Next"] for rule in state.get("Choices", []))]
        waiting += [each for each in followers if each]
    return None


def _run_seconds(state: State) -> int | None:
    """Return how long a job may take, its waits for spot instances included."""
    limits = state["Parameters"].get("StoppingCondition", {})
    seconds: int | None = limits.get("MaxWaitTimeInSeconds", limits.get("MaxRuntimeInSeconds"))
    return seconds


def _patience(retrier: Mapping[str, Any]) -> float:
    """Return how long a retrier waits at most before it gives up."""
    given = {**DEFAULTS, **retrier}
    longest = float(given.get("MaxDelaySeconds", LONGEST_DELAY_SECONDS))
    pause, waited, left = float(given["IntervalSeconds"]), 0.0, int(given["MaxAttempts"])
    while left and pause < longest and given["BackoffRate"] > 1:
        pause, waited, left = pause * given["BackoffRate"], waited + pause, left - 1
    return waited + min(pause, longest) * left


def _seconds_between_polls(machine: Machine, state: State) -> float | None:
    """Return the seconds of the Wait that follows a creation, None when it is followed by none."""
    seen: set[str] = set()
    while state.get("Next") and state["Next"] not in seen:
        seen.add(state["Next"])
        state = machine.states[state["Next"]]
        if state["Type"] == "Wait":
            seconds = state.get("Seconds")
            return float(seconds) if seconds is not None else None
    return None
