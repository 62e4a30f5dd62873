"""The local runtime: the endpoint with a stack deployed on it, from start to clean end."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import moto.backends
from moto.core import DEFAULT_ACCOUNT_ID

from ml_a2 import contract
from ml_a2.errors import AssemblyError
from ml_a2.local import patches
from ml_a2.local.activity import Activity
from ml_a2.local.alarms import Alarms
from ml_a2.local.authorization import Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.cloudformation.api import CloudFormation
from ml_a2.local.cloudformation.bootstrap import TOOLKIT_STACK, ParameterStore, toolkit_template
from ml_a2.local.cloudformation.protocol import QueryApi
from ml_a2.local.edge import json_text
from ml_a2.local.edge.endpoint import Endpoint
from ml_a2.local.event_bus import EventBus
from ml_a2.local.faults import Faults
from ml_a2.local.incidents import Incidents
from ml_a2.local.objects.checksums import Checksums
from ml_a2.local.objects.store import ObjectStore, activate, active
from ml_a2.local.sagemaker.job import JobServices
from ml_a2.local.sagemaker.jobs import JOBS_AT_ONCE, Jobs
from ml_a2.local.sagemaker.model_packages import ModelRegistry
from ml_a2.local.sagemaker.protocol import SageMakerApi
from ml_a2.local.sagemaker.warm_containers import WarmContainers
from ml_a2.local.service_calls import PERMISSIONS, ServiceCalls
from ml_a2.local.state.folder import StateFolder
from ml_a2.local.state.keeper import Keeper
from ml_a2.local.status_changes import StatusChanges
from ml_a2.local.subscribers import post
from ml_a2.local.template import Environment

DEFAULT_REGION = "us-east-1"
DEFAULT_SPEED = 100.0
NOTIFICATION_QUEUE = "ml-a2-notifications"


class LocalRuntime:
    """An embedded endpoint; as a context manager it leaves no process, thread or file behind.

    One runtime at a time in a process: moto keeps its state in the process.
    """

    def __init__(
        self,
        *,
        region: str = DEFAULT_REGION,
        speed: float = DEFAULT_SPEED,
        port: int = 0,
        state: StateFolder | None = None,
        jobs_at_once: int = JOBS_AT_ONCE,
        warm: WarmContainers | None = None,
        activity: Activity | None = None,
    ) -> None:
        """Prepare the services.

        Args:
            region: the one that the endpoint plays.
            speed: divides waits and retry pauses, never the run times of jobs.
            port: where to listen; any free one with 0.
            state: what is found there, and kept from then on; without it, everything ends with the runtime.
            jobs_at_once: the account's quota of training jobs, and that of processing jobs.
            warm: containers that wait for the first jobs.
            activity: hears what goes on.

        Raises:
            UserError: what is kept there cannot be read.
        """
        _forget_everything()
        # What moto logs about a state machine stands in its history, in AWS's words.
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        self.environment = Environment(DEFAULT_ACCOUNT_ID, region, contract.STACK_NAME)
        patches.put_in_place()  # what is kept was written by patched classes
        self.keeper = Keeper(state, self.environment) if state else None
        self._folder = tempfile.TemporaryDirectory(prefix="ml-a2-")
        if self.keeper is None:
            activate(ObjectStore(Path(self._folder.name) / "objects", gives=Path(self._folder.name) / "scratch"))
        self._endpoint = Endpoint(self._answer, self.environment, port, self.keeper.gate if self.keeper else None)
        self.clients = Clients(self._endpoint.url, region, self._endpoint)
        self.authorization = Authorization(self.environment)
        activity = activity or Activity()
        self.incidents = Incidents(activity.incident)
        self._faults = Faults(PERMISSIONS)
        watchers = (self.clients, self.authorization, self.environment, self.incidents)
        self._changes = StatusChanges(
            self.clients,
            EventBus(*watchers),
            Alarms(*watchers, activity=activity),
            self.incidents,
            self.environment,
            activity=activity,
        )
        services = JobServices(
            self.clients,
            self.authorization,
            self.environment,
            Path(self._folder.name),
            self.incidents,
            self._faults.job,
            self.keeper.noting(self._job_changed) if self.keeper else self._job_changed,
            warm,
        )
        self._jobs = Jobs(services, at_once=jobs_at_once)
        self._queue_url = ""
        registry = ModelRegistry(self.clients, self.environment)
        self._stacks = CloudFormation(self.clients, self.environment, self.authorization)
        self._own: dict[str, Any] = {
            "sagemaker": SageMakerApi({**self._jobs.operations(), **registry.operations()}),
            "cloudformation": QueryApi("cloudformation", self._stacks.operations()),
            "ssm": ParameterStore(self.environment),
        }
        if self.keeper:
            self.keeper.restore(
                stacks=self._stacks.stacks, jobs=self._jobs, packages=registry, authorization=self.authorization
            )
        calls = ServiceCalls(self.clients, self.authorization, self.environment, self._faults)
        deliver = partial(post, incidents=self.incidents)
        patches.apply(calls.call, speed, self._changes.execution, deliver, published=activity.message)

    @property
    def url(self) -> str:
        """Return the endpoint's URL."""
        return self._endpoint.url

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._endpoint.start()
        self._changes.start()
        if self.keeper:
            self.keeper.start(lambda: not self._stacks.stacks.busy, lambda: self._changes.settled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what still runs, end every job's process, then the endpoint."""
        with ExitStack() as stack:  # whatever fails, or is interrupted again, the rest is done all the same
            stack.callback(self._folder.cleanup)
            if self.keeper:
                stack.callback(self.keeper.close)
            stack.callback(self._endpoint.close)
            stack.callback(self._jobs.close)
            stack.callback(self._stop_executions)
            stack.callback(self._stacks.close)
            self._changes.close()  # first, so that nothing new begins because executions are stopped

    def deploy(self, assembly: Path) -> dict[str, str]:
        """Deploy the assembly's one stack and return its outputs.

        Raises:
            AssemblyError: the assembly has no such stack, or its template cannot be deployed.
        """
        outputs = self._stacks.deploy(read_template(assembly), stack_name(assembly), _stack_tags(assembly))
        if missing := set(contract.OUTPUTS) - set(outputs):
            raise AssemblyError(
                f"{assembly}: the template has no output {min(missing)!r}, by which clients find the stack"
            )
        return outputs

    def bootstrap(self) -> None:
        """Do what `cdk bootstrap` does for an account: create the stack with the bucket that the CDK CLI uploads to."""
        self._stacks.deploy(toolkit_template(self.environment), TOOLKIT_STACK, {})

    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        """Return a folder for files to be uploaded and not to be changed: they become objects without a copy."""
        (folder := Path(self._folder.name) / "scratch").mkdir(exist_ok=True)
        return tempfile.TemporaryDirectory(dir=folder)

    @staticmethod
    def know(path: Path, checksums: Checksums) -> None:
        """Take the checksums of such a file, complete now: it need not be read when it becomes an object."""
        active().know(path, checksums)

    def inject(self, faults: Iterable[str]) -> None:
        """Let the calls and jobs to come meet these faults, in place of any before.

        Raises:
            UserError: a fault is not one that is known.
        """
        self._faults.inject(faults)

    def settle(self) -> None:
        """Wait until no execution runs and everything that followed from their ends is done: alarms, rules, logs."""
        while True:
            self._changes.settle()
            if not self._running_executions():
                self._changes.settle()  # the end of the last one
                if not self._running_executions():
                    return
            time.sleep(0.05)

    def await_end(self, seconds: float) -> None:
        """Wait these seconds, or until an execution has ended."""
        self._changes.await_end(seconds)

    def expire(self, execution_arn: str) -> None:
        """Let the time of an execution run out now, as its TimeoutSeconds would."""
        patches.expire(execution_arn, stepfunctions_backend(self.environment))

    def collect_notifications(self, topic_arn: str) -> None:
        """Listen to a topic as one more subscriber, a queue."""
        sqs = self.clients.sqs
        self._queue_url = sqs.create_queue(QueueName=NOTIFICATION_QUEUE)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])["Attributes"]
        self.clients.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def notifications(self) -> list[dict[str, Any]]:
        """Return what the topic has sent since it was last asked: SNS's own message documents."""
        found: list[dict[str, Any]] = []
        sqs = self.clients.sqs
        while messages := sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def email_addresses(self, topic_arn: str) -> list[str]:
        """Return who has subscribed to a topic by email."""
        subscriptions = self.clients.sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
        return [s["Endpoint"] for s in subscriptions if s["Protocol"] in ("email", "email-json")]

    def quieten_alarms(self) -> None:
        """Forget the metrics and bring every alarm back to OK, as time does, so that the next failure is a new one."""
        where = self.environment
        moto.backends.get_backend("cloudwatch")[where.account][where.region].metric_data.clear()
        cloudwatch = self.clients.cloudwatch
        for alarm in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]:
            cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="as time passes")

    def put_metric(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> None:
        """Count 1 on a metric, and let the alarms on it speak."""
        self._changes.count(namespace, name, dimensions)
        self.settle()

    def _job_changed(self, detail_type: str, arn: str, description: Mapping[str, Any]) -> None:
        self._changes.job(detail_type, arn, description)
        patches.job_changed(description)

    def _stop_executions(self) -> None:
        for arn in self._running_executions():
            self.clients.stepfunctions.stop_execution(
                executionArn=arn, error="RuntimeEnded", cause="the local runtime was ended"
            )

    def _running_executions(self) -> list[str]:
        stepfunctions = self.clients.stepfunctions
        return [
            execution["executionArn"]
            for machine in stepfunctions.list_state_machines()["stateMachines"]
            for execution in stepfunctions.list_executions(
                stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
            )["executions"]
        ]

    def _answer(self, service: str, environ: Any, start_response: Any) -> Any:
        return self._own[service](environ, start_response)


def read_template(assembly: Path) -> dict[str, Any]:
    """Read the stack's template out of a cloud assembly.

    Raises:
        AssemblyError: names the file that is missing or no JSON, or lies elsewhere.
    """
    template_file = _read_stack(assembly)[1].get("templateFile")
    if not template_file or not isinstance(template_file, str):
        raise AssemblyError(f"{assembly}: the stack in manifest.json names no templateFile")
    path = assembly / template_file
    if "\0" in template_file or not path.resolve().is_relative_to(assembly.resolve()):
        raise AssemblyError(f"{assembly}: templateFile {template_file!r} in manifest.json leads out of the assembly")
    return read_json(path)


def stack_name(assembly: Path) -> str:
    """Read the name under which the CDK deploys the stack of a cloud assembly.

    Raises:
        AssemblyError: there is no such stack.
    """
    name, properties = _read_stack(assembly)
    return str(properties.get("stackName", name))


def _stack_tags(assembly: Path) -> dict[str, str]:
    """Read the tags that the CDK gives a stack."""
    tags = _read_stack(assembly)[1].get("tags", {})
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise AssemblyError(f"{assembly}: the tags of the stack in manifest.json are no texts by their names")
    return tags


def _read_stack(assembly: Path) -> tuple[str, dict[str, Any]]:
    """Return the name and the properties of the one stack that the manifest lists."""
    artifacts = read_json(assembly / "manifest.json").get("artifacts", {})
    if not isinstance(artifacts, dict) or not all(isinstance(found, dict) for found in artifacts.values()):
        raise AssemblyError(f"{assembly}: the artifacts in manifest.json are no JSON objects by their names")
    stacks = [(name, found) for name, found in artifacts.items() if found.get("type") == "aws:cloudformation:stack"]
    if len(stacks) != 1:
        raise AssemblyError(f"{assembly}: {len(stacks)} stacks in manifest.json, exactly 1 can be run")
    name, stack = stacks[0]
    properties = stack.get("properties", {})
    if not isinstance(properties, dict):
        raise AssemblyError(f"{assembly}: the properties of the stack in manifest.json are no JSON object")
    return name, properties


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object out of a cloud assembly.

    Raises:
        AssemblyError: names the file that is missing or holds something else.
    """
    try:
        content = json_text.read_json(path.read_bytes())
    except OSError as error:
        raise AssemblyError(
            f"{path} cannot be read: {error.strerror}; is {path.parent} a cloud assembly? `ml-a2 synth` writes one"
        ) from error
    except ValueError as error:
        raise AssemblyError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"{path} is no JSON object")
    return content


def stepfunctions_backend(environment: Environment) -> Any:
    """Return moto's own store of executions."""
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    return stepfunctions_parser_backends[environment.account][environment.region]


def _forget_everything() -> None:
    """Empty the services' state of an earlier runtime in this process."""
    for service in ("s3", "sns", "sqs", "stepfunctions", "logs", "cloudwatch", "events", "iam", "sts"):
        moto.backends.get_backend(service).reset()
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    stepfunctions_parser_backends.reset()
