"""What Step Functions and S3 know of the executions of a deployed stack, on AWS and locally alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.client import AwsClients, Pipeline, last_known, metric_values
from ml_a2.errors import UserError
from ml_a2.records.manifest import check, execution_facts, job_facts, parse
from ml_a2.records.names import LAST, name_meant
from ml_a2.records.record import Record

# Among how many a part of a name is looked for: what Step Functions lists in one answer.
PARTS_AMONG = 1000


class RemoteRecords:
    """The executions of a deployed stack, as Step Functions and S3 know them."""

    def __init__(self, clients: AwsClients, outputs: Mapping[str, str]) -> None:
        """Take the clients and the stack's outputs."""
        self._clients = clients
        self._pipeline = Pipeline(clients, outputs)
        self._machine = outputs[contract.OUTPUT_STATE_MACHINE]
        self._bucket = outputs[contract.OUTPUT_EVALUATION_RESULTS_BUCKET]

    def newest(self, limit: int) -> tuple[list[Record], bool]:
        """Return at most so many executions, the newest first, and whether there are more."""
        executions = self._executions(limit + 1)
        return [self._listed(*execution) for execution in executions[:limit]], len(executions) > limit

    def _executions(self, limit: int) -> list[tuple[str, str]]:
        """Return names and ARNs; Step Functions lists the newest first."""
        pages = self._clients.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._machine, PaginationConfig={"MaxItems": limit}
        )
        return [(execution["name"], execution["executionArn"]) for page in pages for execution in page["executions"]]

    def get(self, name: str) -> Record:
        """Return an execution with its evaluation; the name may be a part of a newer one's, or `last`.

        Raises:
            UserError: there is none of this name, or what is written down of it cannot be read.
        """
        if name == LAST:
            name = self._meant(name)
        try:
            return self._exactly(name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidName", "InvalidArn"):
                raise
        return self._exactly(self._meant(name))

    def _meant(self, name: str) -> str:
        names = [name for name, _ in self._executions(PARTS_AMONG)]
        return name_meant(name, names, "execution", self._machine)

    def _exactly(self, name: str) -> Record:
        evaluation = self._read(name, contract.EVALUATION_FILE) or {}
        # The manifest outlives the 90 days for which Step Functions remembers an execution.
        document = self._manifest(name)
        if document is None:
            arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
            document = self._known(name, arn, evaluation)
        return Record(name, document, evaluation)

    def _listed(self, name: str, arn: str) -> Record:
        try:
            document = self._manifest(name)
            if document is None:
                document = self._known(name, arn, self._read(name, contract.EVALUATION_FILE) or {})
        except UserError as error:
            return Record(name, {}, problem=str(error))
        return Record(name, document)

    def _manifest(self, name: str) -> dict[str, Any] | None:
        document = self._read(name, contract.MANIFEST_FILE)
        return None if document is None else check(document, self._uri(name, contract.MANIFEST_FILE))

    def _known(self, name: str, arn: str, evaluation: Mapping[str, Any]) -> dict[str, Any]:
        """Return as much of a manifest as the services know of an execution that somebody else started."""
        outcome = self._pipeline.outcome(arn)
        history = self._pipeline.history(arn)
        training = last_known(history, "training")
        return {
            "execution": execution_facts(name, arn, outcome),
            "gate": outcome.gate,
            "failure": asdict(outcome.failure) if outcome.failure else None,
            **job_facts(training, last_known(history, "evaluation")),
            "data": _channels(training),
            **({"model": {"uri": outcome.output["model_artifact"]}} if "model_artifact" in outcome.output else {}),
            "metrics": metric_values(evaluation),
        }

    def _read(self, name: str, file: str) -> dict[str, Any] | None:
        try:
            answer = self._clients.s3.get_object(Bucket=self._bucket, Key=f"{contract.EVALUATIONS_PREFIX}{name}/{file}")
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return parse(answer["Body"].read(), self._uri(name, file))

    def _uri(self, name: str, file: str) -> str:
        return f"s3://{self._bucket}/{contract.EVALUATIONS_PREFIX}{name}/{file}"


def _channels(training: Mapping[str, Any]) -> dict[str, Any]:
    channels = training.get("InputDataConfig", [])
    return {channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in channels}
