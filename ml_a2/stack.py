"""The stack: composes storage, training, evaluation, workflow and alerting."""

from __future__ import annotations

import os
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.alerting import Alerting
from ml_a2.infrastructure.clean_up import CleanUp
from ml_a2.infrastructure.dashboard import Dashboard
from ml_a2.infrastructure.evaluation import Evaluation
from ml_a2.infrastructure.images import ImageRegistry, registry_account
from ml_a2.infrastructure.storage import Storage
from ml_a2.infrastructure.training import Training
from ml_a2.infrastructure.workflow import Workflow
from ml_a2.settings import Settings, load_settings


class MlA2Stack(Stack):
    """The training and evaluation pipeline."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings | None = None, **kwargs: object
    ) -> None:
        """Compose the constructs and name what clients need to find."""
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]  # StackProps, passed through
        settings = settings or Settings()
        retain = settings.environment == "production"
        self.storage = Storage(self, "Storage", retain=retain)
        images = ImageRegistry(self, "Images")
        training = Training(self, "Training", storage=self.storage, images=images, settings=settings.training)
        evaluation = Evaluation(
            self,
            "Evaluation",
            storage=self.storage,
            images=images,
            settings=settings.evaluation,
            weighted=settings.training.is_weighted,
            champion=settings.gate.champion,
        )
        alerting = Alerting(self, "Alerting", emails=settings.alerts.emails)
        workflow = Workflow(
            self,
            "Workflow",
            storage=self.storage,
            training=training,
            evaluation=evaluation,
            topic=alerting.topic,
            settings=settings,
        )
        pipeline = workflow.state_machine
        clean_up = CleanUp(self, "CleanUp", pipeline=pipeline, topic=alerting.topic, retain=retain)
        alerting.watch(pipeline)
        alerting.watch_clean_up(clean_up.state_machine, clean_up.rule)
        Dashboard(self, "Monitoring", pipeline=pipeline, clean_up=clean_up.state_machine, alarms=alerting.alarms)
        self._outputs(workflow, alerting)

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


def synthesize() -> None:
    """Write the cloud assembly where the CDK asks for it.

    The template names no account and no region, so that the one that ran on the laptop is, byte by byte, the one
    that is deployed; a region that the caller's AWS configuration names is checked all the same.

    Raises:
        SettingsError: the settings file (context `settings`) or the region cannot be used.
    """
    app = App(analytics_reporting=False)
    path = app.node.try_get_context("settings")
    region = os.environ.get("CDK_DEFAULT_REGION")
    if region:
        registry_account(region)
    MlA2Stack(app, contract.STACK_NAME, settings=load_settings(Path(path) if path else None))
    app.synth()
