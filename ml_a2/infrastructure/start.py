"""What starts an execution beside a person: the clock, or new data."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2.settings import StartSettings


class Start(Construct):
    """A rule for each occasion; `rules` has them by the occasion's name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StartSettings,
        pipeline: sfn.StateMachine,
        training_data: s3.IBucket,
    ) -> None:
        """Create the rules that the settings want."""
        super().__init__(scope, construct_id)
        self._pipeline = pipeline
        rules = {"Schedule": self._schedule(settings), "NewData": self._marker(settings, training_data)}
        self.rules: Mapping[str, events.Rule] = {occasion: rule for occasion, rule in rules.items() if rule}

    def _execution(self) -> targets.SfnStateMachine:
        # Not the event itself: what it holds is no input of the pipeline.
        return targets.SfnStateMachine(self._pipeline, input=events.RuleTargetInput.from_object({}))

    def _schedule(self, settings: StartSettings) -> events.Rule | None:
        if not settings.schedule:
            return None
        return events.Rule(
            self,
            "Schedule",
            description="It is time: start the pipeline on the training data that is there.",
            schedule=events.Schedule.expression(settings.schedule),
            targets=[self._execution()],
        )

    def _marker(self, settings: StartSettings, training_data: s3.IBucket) -> events.Rule | None:
        """Wait for an object that says that the data is complete: data itself comes object by object."""
        if not settings.marker:
            return None
        bucket, key = {"name": [training_data.bucket_name]}, {"key": [settings.marker]}
        return events.Rule(
            self,
            "NewData",
            description="The marker was written: start the pipeline on the new training data.",
            event_pattern=events.EventPattern(
                source=["aws.s3"], detail_type=["Object Created"], detail={"bucket": bucket, "object": key}
            ),
            targets=[self._execution()],
        )
