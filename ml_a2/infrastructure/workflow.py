"""The state machine: train, evaluate, read the evaluation, register, and report every failure."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from ml_a2 import contract
from ml_a2.infrastructure.calls import QUOTA_PATIENCE_SECONDS, confine, job_call, jobs_arn, service_call
from ml_a2.infrastructure.champion import Champion
from ml_a2.infrastructure.encryption import use_of
from ml_a2.infrastructure.evaluation import Evaluation
from ml_a2.infrastructure.execution_log import ExecutionLog
from ml_a2.infrastructure.failure import FAILED_ADVICE, STATUS_ADVICE, FailurePath, Stage
from ml_a2.infrastructure.quality_gate import QualityGate
from ml_a2.infrastructure.registry import Registry
from ml_a2.infrastructure.storage import Storage
from ml_a2.infrastructure.training import Training
from ml_a2.settings import MARGIN_SECONDS, Settings, TrainingSettings

TRAINING = Stage("Training", "$.training_job_name", contract.TRAINING_LOG_GROUP)
EVALUATION = Stage("Evaluation", "$.processing_job_name", contract.PROCESSING_LOG_GROUP)
QUALITY_GATE = Stage("QualityGate", EVALUATION.job_name_path, EVALUATION.log_group)
REGISTRY = Stage("Registry", EVALUATION.job_name_path, EVALUATION.log_group)
# Names an execution for good: an execution's own name may be used again after 90 days.
EXECUTION = "States.Format('{} {}', $$.Execution.Id, $$.Execution.StartTime)"


class Workflow(Construct):
    """One STANDARD state machine that polls SageMaker through AWS SDK integrations."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: Storage,
        training: Training,
        evaluation: Evaluation,
        topic: sns.ITopic,
        settings: Settings,
        key: kms.IKey | None = None,
    ) -> None:
        """Create the state machine with its role and its log group."""
        super().__init__(scope, construct_id)
        self._storage = storage
        self._training = training
        self._evaluation = evaluation
        self._settings = settings
        self._failure = FailurePath(self, "Failure", topic=topic)
        self._champion = None
        if settings.gate.champion:
            self._champion = Champion(self, "Champion", storage=storage, stage=QUALITY_GATE, failure=self._failure)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            timeout=self._timeout(),
            tracing_enabled=True,
            logs=ExecutionLog(self, "Log", retain=settings.is_production, key=key).options,
        )
        confine(self.state_machine)
        if key:
            self.state_machine.add_to_role_policy(use_of(key))

    def _definition(self) -> sfn.Chain:
        evaluate = self._evaluate()
        if self._champion:
            evaluate = self._champion.find(then=evaluate)
        given = self._pass("UseGivenModel", input_path="$.request.model_artifact", result_path="$.model_artifact")
        given.next(evaluate)
        model_given = sfn.Choice(self, "ModelGiven?", state_name="ModelGiven?")
        model_given.when(sfn.Condition.is_present("$.request.model_artifact"), given)
        model_given.otherwise(self._train(then=evaluate))
        return self._apply_defaults().next(model_given)

    def _apply_defaults(self) -> sfn.Chain:
        """Lay the execution's input over the stack's defaults; JsonMerge merges one level, so in two steps.

        The jobs are named first of all: whoever has to stop them finds their names at the head of the history.
        """
        prefixes = contract.job_prefixes(Stack.of(self).stack_name)
        jobs = {contract.TRAINING_JOB_FIELD: prefixes["training-job"]}
        jobs[contract.PROCESSING_JOB_FIELD] = prefixes["processing-job"]
        named = {f"{field}.$": f"$.{field}" for field in jobs}
        name = self._pass(
            contract.NAMING_STATE,
            parameters={
                **{f"{field}.$": _job_name(prefix) for field, prefix in jobs.items()},
                "defaults": {**self._training.defaults, **self._evaluation.defaults, "hyperparameters": {}},
                "hyperparameters": self._training.default_hyperparameters,
                "input.$": "$",
            },
        )
        apply = self._pass(
            "ApplyDefaults",
            parameters={
                **named,
                "request.$": "States.JsonMerge($.defaults, $.input, false)",
                "hyperparameters.$": "$.hyperparameters",
            },
        )
        merge = self._pass(
            contract.PLANNING_STATE,
            parameters={
                **named,
                "request.$": "$.request",
                "hyperparameters.$": "States.JsonMerge($.hyperparameters, $.request.hyperparameters, false)",
            },
        )
        return name.next(apply).next(merge)

    def _train(self, *, then: sfn.IChainable) -> sfn.IChainable:
        use_trained = self._pass(
            "UseTrainedModel", input_path="$.training.ModelArtifacts.S3ModelArtifacts", result_path="$.model_artifact"
        )
        use_trained.next(then)
        wait = self._poll(
            TRAINING,
            describe=job_call(
                self,
                "DescribeTrainingJob",
                "DescribeTrainingJob",
                "training-job",
                {"TrainingJobName.$": "$.training_job_name"},
                result_path="$.training",
            ),
            result_path="$.training",
            status="TrainingJobStatus",
            limit=_training_limit(self._settings.training),
            then=use_trained,
        )
        create = self._create_call("CreateTrainingJob", "training-job", self._training.request(), self._training.role)
        self._failure.protect(create, TRAINING, adopt=wait)
        return create.next(wait)

    def _evaluate(self) -> sfn.IChainable:
        wait = self._poll(
            EVALUATION,
            describe=job_call(
                self,
                "DescribeProcessingJob",
                "DescribeProcessingJob",
                "processing-job",
                {"ProcessingJobName.$": "$.processing_job_name"},
                result_path="$.evaluation",
            ),
            result_path="$.evaluation",
            status="ProcessingJobStatus",
            limit=f"MaxRuntimeInSeconds ({self._settings.evaluation.max_runtime_seconds})",
            then=self._read_evaluation().next(self._judge()),
        )
        create = self._create_call(
            "CreateProcessingJob", "processing-job", self._evaluation.request(), self._evaluation.role
        )
        self._failure.protect(create, EVALUATION, adopt=wait)
        return create.next(wait)

    def _judge(self) -> sfn.IChainable:
        """Go on with an accepted model, by way of the quality gate when the settings have one."""
        accepted, gate = self._register(), self._settings.gate
        if not gate.conditions and not gate.champion:
            return accepted
        if self._champion:
            accepted = self._champion.name(then=accepted)
        return QualityGate(self, "Gate", settings=gate, stage=QUALITY_GATE, failure=self._failure, then=accepted).start

    def _register(self) -> sfn.IChainable:
        """End in success, by way of the model registry when the settings name a group."""
        succeeded = sfn.Succeed(self, "PipelineSucceeded", state_name="PipelineSucceeded")
        group = self._settings.registry.model_package_group
        if group is None:
            return succeeded
        return Registry(
            self,
            "Registry",
            group=group,
            approval_status=self._settings.registry.approval_status,
            image_uri=self._training.image_uri,
            storage=self._storage,
            # The same for a repeated call; 32 characters of the 36 that there may be.
            client_token=f"States.Hash({EXECUTION}, 'MD5')",
            stage=REGISTRY,
            failure=self._failure,
            then=succeeded,
        ).start

    def _poll(
        self,
        stage: Stage,
        *,
        describe: tasks.CallAwsService,
        result_path: str,
        status: str,
        limit: str,
        then: sfn.IChainable,
    ) -> sfn.Wait:
        """Wait, describe, choose; statuses as contract section 3 lists them."""
        wait_name = f"WaitFor{stage.name}"
        every = sfn.WaitTime.duration(Duration.seconds(contract.POLL_SECONDS))
        wait = sfn.Wait(self, wait_name, state_name=wait_name, time=every)
        self._failure.protect(describe, stage)
        at = f"{result_path}.{status}"
        choice_name = f"{stage.name}Status?"
        choice = sfn.Choice(self, choice_name, state_name=choice_name)
        choice.when(sfn.Condition.string_equals(at, "Completed"), then)
        choice.when(
            sfn.Condition.or_(
                sfn.Condition.string_equals(at, "InProgress"), sfn.Condition.string_equals(at, "Stopping")
            ),
            wait,
        )
        for name, (condition, reason, advice) in _endings(stage, result_path, at, limit).items():
            choice.when(condition, self._failure.state(stage, name, reason, advice))
        unknown = f"{stage.name}StatusUnknown"
        cause = f"States.Format('the job has the status {{}}, which this pipeline does not know', {at})"
        choice.otherwise(self._failure.state(stage, unknown, {"error": unknown, "cause.$": cause}, STATUS_ADVICE))
        wait.next(describe).next(choice)
        return wait

    def _read_evaluation(self) -> tasks.CallAwsService:
        results = self._storage.evaluation_results
        key = f"{contract.EVALUATIONS_PREFIX}{{}}/{contract.EVALUATION_FILE}"
        read = service_call(
            self,
            "ReadEvaluation",
            service="s3",
            parameters={
                "Bucket": results.bucket_name,
                "Key.$": f"States.Format('{key}', $$.Execution.Name)",
            },
            iam_action="s3:GetObject",
            resources=[results.arn_for_objects(f"{contract.EVALUATIONS_PREFIX}*")],
            result_selector={"evaluation.$": "States.StringToJson($.Body)"},
            result_path="$.result",
        )
        self._failure.protect(read, EVALUATION)
        return read

    def _create_call(
        self, name: str, resource: str, request: dict[str, Any], job_role: iam.IRole
    ) -> tasks.CallAwsService:
        pass_role = iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[job_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
        more = [pass_role]
        if "Tags" in request:
            jobs = jobs_arn(self, resource)
            more.append(iam.PolicyStatement(actions=["sagemaker:AddTags"], resources=[jobs]))
        return job_call(self, name, name, resource, request, result_path="$.created", more=more, quota=True)

    def _pass(self, name: str, **properties: Any) -> sfn.Pass:
        return sfn.Pass(self, name, state_name=name, **properties)

    def _timeout(self) -> Duration:
        """Outlive everything that the two jobs and their waits for quotas may take."""
        return Duration.seconds(self._settings.longest_jobs_seconds + 2 * QUOTA_PATIENCE_SECONDS + MARGIN_SECONDS)


def _job_name(prefix: str) -> str:
    # Legal for any execution name, the same for a repeated call, and new for an execution whose name was used before.
    return f"States.Format('{prefix}{{}}', States.Hash({EXECUTION}, 'SHA-1'))"


def _training_limit(settings: TrainingSettings) -> str:
    run_time = f"MaxRuntimeInSeconds ({settings.max_runtime_seconds})"
    if not settings.spot:
        return run_time
    return f"{run_time}, or with its waits for spot instances for longer than {settings.longest_seconds} seconds"


def _endings(
    stage: Stage, result_path: str, at: str, limit: str
) -> dict[str, tuple[sfn.Condition, dict[str, str], str]]:
    """Return the states that report a job which did not complete: condition, reason and advice of each."""
    failed = f"{stage.name}JobFailed"
    stopped = f"{stage.name}JobStopped"
    stop_cause = f"the {stage.name.lower()} job was stopped: by somebody, or because it ran for longer than {limit}"
    stop_advice = (
        f"if nobody stopped it, raise {stage.name.lower()}.max_runtime_seconds in the settings or choose a larger "
        "instance type, and start a new execution"
    )
    has_failed = sfn.Condition.string_equals(at, "Failed")
    message = f"{result_path}.ExitMessage"
    return {
        # A processing job's own last words say more than the service's reason.
        f"{failed}WithMessage": (
            sfn.Condition.and_(has_failed, sfn.Condition.is_present(message)),
            {"error": failed, "cause.$": message},
            FAILED_ADVICE,
        ),
        failed: (has_failed, {"error": failed, "cause.$": f"{result_path}.FailureReason"}, FAILED_ADVICE),
        stopped: (
            sfn.Condition.string_equals(at, "Stopped"),
            {"error": stopped, "cause": stop_cause},
            stop_advice,
        ),
    }
