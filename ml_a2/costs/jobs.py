"""What a template asks for: the instances of its jobs, and what of the stack costs while nothing runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_a2.costs.route import CREATE_CALLS
from ml_a2.diagrams.definitions import Definition, call_of, read_definition
from ml_a2.errors import AssemblyError

MACHINE = "AWS::StepFunctions::StateMachine"
DEFAULTS_PATH = "$.request."
# CloudWatch Logs keeps events for ever where no retention is set.
FOR_EVER_DAYS = 3650


@dataclass(frozen=True)
class Job:
    """A kind of job as its create request has it; an execution's input may name another instance type."""

    kind: str
    instance_type: str
    instance_count: int
    volume_size_gb: int
    # The longest run that is billed, and the longest that it is waited for: with spot there are pauses.
    max_runtime_seconds: int
    max_wait_seconds: int
    spot: bool


@dataclass(frozen=True)
class StandingParts:
    """What is billed by the month."""

    alarms: int
    dashboards: int
    keys: int
    log_retention_days: int


def find_pipeline(template: Mapping[str, Any]) -> Definition:
    """Return the definition of the state machine that creates the jobs.

    Raises:
        AssemblyError: there is none.
    """
    for name, resource in template.get("Resources", {}).items():
        if resource.get("Type") == MACHINE:
            definition = read_definition(name, resource)
            if set(CREATE_CALLS) <= {call_of(state) for state in definition.states.values()}:
                return definition
    raise AssemblyError(f"the template has no state machine that makes the calls {' and '.join(CREATE_CALLS)}")


def read_jobs(definition: Definition) -> dict[str, Job]:
    """Return the jobs that a state machine creates, by their kind.

    Raises:
        AssemblyError: names the state and the member that is missing.
    """
    calls = {call_of(state): (name, state) for name, state in definition.states.items()}
    return {kind: _job(definition, kind, *calls[call]) for call, kind in CREATE_CALLS.items()}


def read_standing_parts(template: Mapping[str, Any]) -> StandingParts:
    """Count what of a stack costs while nothing runs."""
    resources = template.get("Resources", {}).values()
    types = Counter(resource.get("Type") for resource in resources)
    groups = [r.get("Properties", {}) for r in resources if r.get("Type") == "AWS::Logs::LogGroup"]
    return StandingParts(
        alarms=types["AWS::CloudWatch::Alarm"],
        dashboards=types["AWS::CloudWatch::Dashboard"],
        keys=types["AWS::KMS::Key"],
        log_retention_days=max((int(g.get("RetentionInDays", FOR_EVER_DAYS)) for g in groups), default=0),
    )


def _job(definition: Definition, kind: str, name: str, state: Mapping[str, Any]) -> Job:
    request = state.get("Parameters", {})
    try:
        cluster = request["ResourceConfig"] if kind == "training" else request["ProcessingResources"]["ClusterConfig"]
        stopping = request["StoppingCondition"]
        return Job(
            kind,
            _instance_type(definition, cluster),
            int(cluster["InstanceCount"]),
            int(cluster["VolumeSizeInGB"]),
            int(stopping["MaxRuntimeInSeconds"]),
            int(stopping.get("MaxWaitTimeInSeconds", stopping["MaxRuntimeInSeconds"])),
            bool(request.get("EnableManagedSpotTraining", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise AssemblyError(f"state {name!r}: what its job costs cannot be read from its request: {error!r}") from error


def _instance_type(definition: Definition, cluster: Mapping[str, Any]) -> str:
    """Return the instance type: the request's own, or the default that the execution's input is laid over."""
    if "InstanceType" in cluster:
        return str(cluster["InstanceType"])
    path = str(cluster["InstanceType.$"])
    for defaults in _defaults(definition):
        if (found := defaults.get(path.removeprefix(DEFAULTS_PATH))) and path.startswith(DEFAULTS_PATH):
            return str(found)
    raise KeyError(path)


def _defaults(definition: Definition) -> Iterator[Mapping[str, Any]]:
    for state in definition.states.values():
        defaults = state.get("Parameters", {}).get("defaults")
        if isinstance(defaults, dict):
            yield defaults
