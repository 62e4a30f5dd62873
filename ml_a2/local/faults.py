"""Faults on request, to see what the deployed definition does about them.

SPEC: `SERVICE:ACTION=CODE[*TIMES]` for a call of a state machine (`sagemaker:CreateTrainingJob=ThrottlingException*2`),
CODE `lost-answer` for one that is carried out and whose answer is lost; `training=KIND` or `evaluation=KIND` for a job.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ml_a2.errors import UserError
from ml_a2.suggestions import did_you_mean

LOST_ANSWER = "lost-answer"
JOB_FAULTS = ("capacity", "crash", "oom", "stopped", "timeout", "hang", "corrupt-model", "missing-data")
STAGES = ("training", "evaluation")
API_FAULT = re.compile(r"(?P<service>[a-z0-9]+):(?P<action>[A-Za-z0-9]+)=(?P<code>[A-Za-z-]+)(\*(?P<times>[1-9]\d*))?")
# What the services say, where it is known; an SDK integration tells throttling by its message only.
MESSAGES = {
    "ThrottlingException": "Rate exceeded",
    "ResourceLimitExceeded": (
        "The account-level service limit 'ml.m5.xlarge for training job usage' is 1 Instances, with current "
        "utilization of 1 Instances and a request delta of 1 Instances. Please contact AWS support to request an "
        "increase for this limit."
    ),
}
CLIENT_SERVICES = {"states": "stepfunctions", "sfn": "stepfunctions"}


@dataclass
class CallFault:
    """An error that the next calls of an operation meet."""

    service: str
    operation: str
    code: str
    times: int


class Faults:
    """The faults that are still to come, in any thread."""

    def __init__(self, known_calls: Iterable[tuple[str, str]]) -> None:
        """Start without faults; known calls: service as botocore names it, operation in snake case."""
        self._lock = threading.Lock()
        self._calls: list[CallFault] = []
        self._jobs: dict[str, str] = {}
        self._known = {(service, operation.replace("_", "")): operation for service, operation in known_calls}

    def inject(self, specs: Iterable[str]) -> None:
        """Let these faults come, in place of any before.

        Raises:
            UserError: a SPEC is malformed, or names a call or a kind that is not known.
        """
        with self._lock:
            self._calls, self._jobs = [], {}
            for spec in specs:
                self._add(spec)

    def call(self, service: str, operation: str) -> str | None:
        """Return the code of the error that this call meets, None when it meets none."""
        with self._lock:
            for fault in self._calls:
                if (fault.service, fault.operation) == (service, operation) and fault.times:
                    fault.times -= 1
                    return fault.code
        return None

    def job(self, stage: str) -> str | None:
        """Return the kind of fault that a job of the stage meets: `training` or `evaluation`."""
        return self._jobs.get(stage)

    def _add(self, spec: str) -> None:
        stage, _, kind = spec.partition("=")
        if stage in STAGES:
            if kind not in JOB_FAULTS:
                question = did_you_mean(kind, JOB_FAULTS)
                raise UserError(f"fault {spec!r}: {kind!r} is not one of {', '.join(JOB_FAULTS)}{question}")
            self._jobs[stage] = kind
            return
        match = API_FAULT.fullmatch(spec)
        if not match:
            raise UserError(
                f"fault {spec!r} is not SERVICE:ACTION=CODE[*TIMES], training=KIND or evaluation=KIND, for example "
                f"sagemaker:CreateTrainingJob=ThrottlingException*2{did_you_mean(stage, STAGES)}"
            )
        service = CLIENT_SERVICES.get(match["service"], match["service"])
        operation = self._known.get((service, match["action"].lower()))
        if operation is None:
            calls = sorted(f"{name}:{word.title().replace('_', '')}" for (name, _), word in self._known.items())
            question = did_you_mean(f"{match['service']}:{match['action']}", calls)
            raise UserError(
                f"fault {spec!r}: no state machine calls {match['action']}; known are {', '.join(calls)}{question}"
            )
        self._calls.append(CallFault(service, operation, match["code"], int(match["times"] or 1)))


def error_answer(code: str) -> dict[str, Any]:
    """Return what a service answers to a call that meets the fault."""
    message = MESSAGES.get(code, f"{code} was injected by --fault")
    metadata = {"HTTPStatusCode": 400, "RequestId": "00000000-0000-0000-0000-000000000000"}
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
