"""The stack: composes storage, training, evaluation, workflow and alerting."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.alerting import Alerting
from ml_a2.infrastructure.clean_up import CleanUp
from ml_a2.infrastructure.dashboard import Dashboard
from ml_a2.infrastructure.encryption import Encryption
from ml_a2.infrastructure.evaluation import Evaluation
from ml_a2.infrastructure.images import ImageRegistry
from ml_a2.infrastructure.job_place import JobPlace
from ml_a2.infrastructure.start import Start
from ml_a2.infrastructure.storage import Storage
from ml_a2.infrastructure.training import Training
from ml_a2.infrastructure.workflow import Workflow
from ml_a2.settings import Settings

# These take the tags that CloudFormation hands on from the stack: not every version of the CDK knows their own.
TAGGED_BY_THE_STACK = ["AWS::CloudWatch::Dashboard", "AWS::Events::Rule"]


class MlA2Stack(Stack):
    """The training and evaluation pipeline."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings | None = None, **kwargs: object
    ) -> None:
        """Compose the constructs and name what clients need to find."""
        settings = settings or Settings()
        if settings.is_production:
            kwargs = {"termination_protection": True, **kwargs}
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]  # StackProps, passed through
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value, exclude_resource_types=TAGGED_BY_THE_STACK)
        retain, key = settings.is_production, self._key(settings)
        place = JobPlace(settings.network, key, settings.tags)
        self.storage = Storage(self, "Storage", retain=retain, key=key, tell=settings.start.marker is not None)
        images = ImageRegistry(self, "Images")
        training = Training(
            self, "Training", storage=self.storage, images=images, settings=settings.training, place=place
        )
        evaluation = Evaluation(
            self,
            "Evaluation",
            storage=self.storage,
            images=images,
            settings=settings.evaluation,
            weighted=settings.training.is_weighted,
            champion=settings.gate.champion,
            place=place,
        )
        alerting = Alerting(self, "Alerting", emails=settings.alerts.emails, key=key)
        workflow = Workflow(
            self,
            "Workflow",
            storage=self.storage,
            training=training,
            evaluation=evaluation,
            topic=alerting.topic,
            settings=settings,
            key=key,
        )
        pipeline = workflow.state_machine
        clean_up = CleanUp(self, "CleanUp", pipeline=pipeline, topic=alerting.topic, retain=retain, key=key)
        alerting.watch(pipeline)
        alerting.watch_clean_up(clean_up.state_machine, clean_up.rule)
        self._start(settings, pipeline, alerting)
        Dashboard(self, "Monitoring", pipeline=pipeline, clean_up=clean_up.state_machine, alarms=alerting.alarms)
        self._outputs(workflow, alerting)

    def _key(self, settings: Settings) -> kms.IKey | None:
        kms_key, retain = settings.encryption.kms_key, settings.is_production
        return Encryption(self, "Encryption", kms_key=kms_key, retain=retain).key if kms_key else None

    def _start(self, settings: Settings, pipeline: sfn.StateMachine, alerting: Alerting) -> None:
        data = self.storage.training_data
        start = Start(self, "Start", settings=settings.start, pipeline=pipeline, training_data=data)
        for occasion, rule in start.rules.items():
            alerting.watch_start(occasion, rule)

    def _outputs(self, workflow: Workflow, alerting: Alerting) -> None:
        values = {
            contract.OUTPUT_TRAINING_DATA_BUCKET: self.storage.training_data.bucket_name,
            contract.OUTPUT_MODEL_ARTIFACTS_BUCKET: self.storage.model_artifacts.bucket_name,
            contract.OUTPUT_EVALUATION_RESULTS_BUCKET: self.storage.evaluation_results.bucket_name,
            contract.OUTPUT_STATE_MACHINE: workflow.state_machine.state_machine_arn,
            contract.OUTPUT_TOPIC: alerting.topic.topic_arn,
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)
