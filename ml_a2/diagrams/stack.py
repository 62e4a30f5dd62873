"""A template as the parts of it that a drawing is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ml_a2.diagrams.architecture import Part
from ml_a2.diagrams.definitions import Definition, call_of, read_definition
from ml_a2.diagrams.expressions import listed, properties, text_of, without_common_words, words
from ml_a2.diagrams.grants import Grants, grants_of
from ml_a2.errors import AssemblyError

# Each type that is a part of its own: kind, what a person calls it, column, the word by which its id ends.
DRAWN = {
    "AWS::S3::Bucket": ("bucket", "S3 bucket", "data", "Bucket"),
    "AWS::StepFunctions::StateMachine": ("machine", "state machine", "band", "StateMachine"),
    "AWS::Events::Rule": ("rule", "EventBridge rule", "band", "Rule"),
    "AWS::CloudWatch::Dashboard": ("dashboard", "dashboard", "alerting", "Dashboard"),
    "AWS::SNS::Topic": ("topic", "SNS topic", "alerting", "Topic"),
}
# The parts of several resources, and what appears as the arrows that it allows.
GATHERED = {"AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup", "AWS::SNS::Subscription"}
ALLOWING = {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"}
# What the CDK adds to empty buckets when the stack is destroyed: it does nothing while the stack is there.
SILENT = {"Custom::S3AutoDeleteObjects", "AWS::Lambda::Function"}
# What encrypts, which is a property of the parts.
ENCRYPTING = {"AWS::KMS::Key", "AWS::KMS::Alias"}
JOB_LOGS, ALARMS, LOGS = "job-logs", "alarms", "execution-logs"


@dataclass(frozen=True)
class Stack:
    """A template whose resources are of the types that can be drawn."""

    resources: Mapping[str, Any]

    @classmethod
    def of(cls, template: Mapping[str, Any]) -> Stack:
        """Check the types of a template's resources.

        Raises:
            AssemblyError: there is none, or names the resource and its type.
        """
        resources = template.get("Resources")
        if not isinstance(resources, dict) or not resources:
            raise AssemblyError("the template has no resources to draw")
        known = {*DRAWN, *GATHERED, *ALLOWING, *SILENT, *ENCRYPTING}
        for name, resource in resources.items():
            kind = resource.get("Type") if isinstance(resource, dict) else None
            if kind not in known:
                raise AssemblyError(f"resource {name!r} has type {kind!r}, which the diagrams have no picture for")
        stack = cls(resources)
        if not stack.definitions:
            raise AssemblyError("the template has no state machine, which the diagrams are drawn around")
        return stack

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the properties of the resources of a type by their logical ids."""
        return {name: properties(r) for name, r in self.resources.items() if r["Type"] == kind}

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Return the definitions of all state machines."""
        kind = "AWS::StepFunctions::StateMachine"
        return {name: read_definition(name, r) for name, r in self.resources.items() if r["Type"] == kind}

    @cached_property
    def main(self) -> Definition:
        """Return the state machine that is drawn with its states: the one that creates most, then the largest."""
        return max(self.definitions.values(), key=lambda d: (len(list(_created(d))), len(d.states)))

    @cached_property
    def jobs(self) -> dict[str, Mapping[str, Any]]:
        """Return the request that creates each kind of job, by what is created: `TrainingJob`."""
        return {call.partition(":Create")[2]: state.get("Parameters", {}) for call, state in _created(self.main)}

    def grants(self, role: str) -> Grants:
        """Return what a role may do."""
        return grants_of(self.resources, role)

    def job_grants(self, request: Mapping[str, Any]) -> Grants:
        """Return what a job may do that a request creates."""
        return self.grants(str(request.get("RoleArn", "")).strip("{}"))

    def parts(self) -> Iterator[Part]:
        """Yield all parts."""
        for kind, (name, subtitle, column, generic) in DRAWN.items():
            found = without_common_words({key: words(key, generic) for key in self.of_type(kind)})
            for key, title in found.items():
                states = f"{subtitle}, {len(self.definitions[key].states)} states" if name == "machine" else subtitle
                starting = name == "rule" and self.main.id in topics_of(self._targets(key))
                place = "machine" if key == self.main.id else "data" if starting else column
                yield Part(key, name, title, states, place)
        for created, request in self.jobs.items():
            yield Part(created, "job", words(created), _image(request), "data")
        yield from self._gathered()

    def _targets(self, rule: str) -> list[Any]:
        return [target.get("Arn", "") for target in listed(properties(self.resources[rule]).get("Targets"))]

    def _gathered(self) -> Iterator[Part]:
        groups = {group for r in self.jobs.values() for group in self.job_grants(r).resources("logs:CreateLogStream")}
        if groups:
            yield Part(JOB_LOGS, "logs", "Job logs", "log groups of SageMaker", "data")
        if logs := len(self.of_type("AWS::Logs::LogGroup")):
            yield Part(LOGS, "logs", "Execution logs", _counted(logs, "log group"), "alerting")
        if alarms := len(self.of_type("AWS::CloudWatch::Alarm")):
            yield Part(ALARMS, "alarm", "Alarms", _counted(alarms, "CloudWatch alarm"), "alerting")
        for topic in self.of_type("AWS::SNS::Topic"):
            protocols = Counter(
                str(s.get("Protocol"))
                for s in self.of_type("AWS::SNS::Subscription").values()
                if text_of(s.get("TopicArn", "")) == f"{{{topic}}}"
            )
            told = ", ".join(f"{count} by {protocol}" for protocol, count in sorted(protocols.items()))
            yield Part(subscribers_of(topic), "subscriber", "Subscribers", told or "none in the template", "alerting")


def subscribers_of(topic: str) -> str:
    """Return the id of the part that stands for a topic's subscribers."""
    return f"{topic}-subscribers"


def _created(definition: Definition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for state in definition.states.values():
        call = call_of(state)
        if call.startswith("sagemaker:Create") and call.endswith(("Job", "ModelPackage")):
            yield call, state


def _image(request: Mapping[str, Any]) -> str:
    """Return the repository of the image that a request names."""
    places = [request.get(key, {}) for key in ("AlgorithmSpecification", "AppSpecification")]
    images = [str(place.get(key, "")) for place in places for key in ("TrainingImage", "ImageUri")]
    named = [image.rpartition("/")[2].partition(":")[0] for image in images if image]
    return named[0] if named else "SageMaker"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"


def topics_of(values: Any) -> list[str]:
    """Return the logical ids to which a list of targets refers."""
    return [text_of(value).strip("{}") for value in listed(values)]
