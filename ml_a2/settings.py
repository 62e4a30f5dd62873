"""The typed settings, read at synth and by the command line from an optional pipeline.toml.

The table of all keys in docs/settings.md is made of these classes (`make settings`).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from ml_a2.contract import (
    CHAMPION_METRICS,
    EVENTS_PER_POLL,
    HISTORY_EVENT_LIMIT,
    POLL_SECONDS,
    STACK_NAME,
    TRAINING_REPOSITORY,
)
from ml_a2.data.file_kind import kind_of
from ml_a2.errors import SettingsError
from ml_a2.image_uri import parse_image_uri
from ml_a2.setting_types import (
    Bound,
    EcrImage,
    Email,
    EntityName,
    Feature,
    InstanceType,
    KmsKey,
    MarkerKey,
    Metric,
    RunTime,
    Schedule,
    SecurityGroupId,
    StackName,
    SubnetId,
    Table,
    Tags,
    VolumeSize,
    as_api_string,
    as_float,
    choices_of,
    each_once,
    keys_of,
    refuse_two_images,
)
from ml_a2.suggestions import did_you_mean

# States outside the two polling loops, with every retry of their own taken, stay below this many events.
EVENTS_OUTSIDE_POLLING = 2_000
# Instances are found, data is copied and results are uploaded outside a job's own run time.
MARGIN_SECONDS = 2 * 3600
DEFAULT_ROUNDS = "100"
LONGEST_JOB_SECONDS = 432_000
# Of what is wrong with a settings file: how much of it is told, and how much of a value is quoted.
MOST_TOLD = 8
LONGEST_QUOTE = 500


class TrainingSettings(Table):
    """The training job."""

    image_version: Literal["1.7-1", "3.0-5"] = Field(
        "1.7-1", description="tag of the built-in XGBoost image; AWS patches 3.0-5 until 2026-11-17"
    )
    image_uri: EcrImage | None = Field(
        None,
        description="in place of image_version, your own copy of such an image, in Amazon ECR in the stack's region",
    )
    instance_type: InstanceType = Field("ml.m5.xlarge", description="a SageMaker instance type")
    instance_count: Annotated[int, Field(ge=1, le=20)] = Field(
        1, description="hosts that train together, each on a share of the training objects"
    )
    volume_size_gb: VolumeSize = Field(30, description="each host's volume")
    max_runtime_seconds: RunTime = Field(4 * 3600, description="after it the job is stopped and the execution fails")
    spot: bool = Field(False, description="managed spot training, with checkpoints: cheaper, and perhaps interrupted")
    max_wait_seconds: RunTime | None = Field(
        None,
        description="with spot, the longest from the job's start to its end, interruptions included; by default twice "
        "max_runtime_seconds, at most 432000",
    )
    hyperparameters: dict[str, str] = Field(
        default_factory=lambda: {"num_round": DEFAULT_ROUNDS, "objective": "binary:logistic", "eval_metric": "auc"},
        description="those of the built-in algorithm; an execution's input is laid over them",
    )

    @field_validator("image_version", "image_uri", mode="before")
    @classmethod
    def _models_can_be_evaluated(cls, image: Any) -> Any:
        if image == "3.2-0" or str(image).endswith(f"/{TRAINING_REPOSITORY}:3.2-0"):
            raise ValueError(
                "the evaluation image (Python 3.9) can only have XGBoost 2.1.4, which reads models of 3.2 and predicts "
                "something else; choose '1.7-1' or '3.0-5' (decision 0007)"
            )
        return image

    @model_validator(mode="after")
    def _names_one_image(self) -> TrainingSettings:
        refuse_two_images(self, self.image_uri)
        return self

    @model_validator(mode="after")
    def _waits_for_spot_instances(self) -> TrainingSettings:
        if self.max_wait_seconds is not None and not self.spot:
            raise ValueError("max_wait_seconds says nothing without spot = true; add that, or leave it out")
        if self.max_wait_seconds is not None and self.max_wait_seconds < self.max_runtime_seconds:
            raise ValueError(
                f"max_wait_seconds {self.max_wait_seconds} is less than max_runtime_seconds, which it contains; "
                f"{self.max_runtime_seconds} to {LONGEST_JOB_SECONDS} is allowed"
            )
        return self

    @property
    def longest_seconds(self) -> int:
        """Return how long the job takes at most: with spot, until the wait for instances is given up."""
        if not self.spot:
            return self.max_runtime_seconds
        return self.max_wait_seconds or min(2 * self.max_runtime_seconds, LONGEST_JOB_SECONDS)

    @property
    def chosen_hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters that a settings file names; none when they are the defaults."""
        return dict(self.hyperparameters) if "hyperparameters" in self.model_fields_set else {}

    @property
    def is_weighted(self) -> bool:
        """Tell whether the second column of the data is the weight of a row."""
        return self.hyperparameters.get("csv_weights") == "1"

    @model_validator(mode="before")
    @classmethod
    def _hyperparameters_are_strings(cls, table: Any) -> Any:
        """Let numbers be written as numbers: the API itself takes strings only."""
        if isinstance(table, dict) and isinstance(table.get("hyperparameters"), dict):
            given = {name: as_api_string(value) for name, value in table["hyperparameters"].items()}
            # The one that the algorithm requires.
            return {**table, "hyperparameters": {"num_round": DEFAULT_ROUNDS, **given}}
        return table


class EvaluationSettings(Table):
    """The processing job that evaluates the model."""

    image_version: Literal["1.2-1-cpu-py3"] = Field("1.2-1-cpu-py3", description="tag of the scikit-learn image")
    image_uri: EcrImage | None = Field(
        None,
        description="in place of image_version, your own copy of such an image, in Amazon ECR in the stack's region",
    )
    instance_type: InstanceType = Field("ml.m5.xlarge", description="a SageMaker instance type")
    volume_size_gb: VolumeSize = Field(30, description="the host's volume")
    max_runtime_seconds: RunTime = Field(3600, description="after it the job is stopped and the execution fails")
    slices: Annotated[tuple[Feature, ...], Field(max_length=10), AfterValidator(each_once)] = Field(
        (), description="features by whose values the metrics are also computed"
    )
    group_column: Feature | None = Field(
        None, description="the feature that tells the groups of a ranking apart; without it all rows are one group"
    )

    @model_validator(mode="after")
    def _names_one_image(self) -> EvaluationSettings:
        refuse_two_images(self, self.image_uri)
        return self


class GateCondition(Table):
    """What a metric of the evaluation must reach, or stay below."""

    metric: Metric
    minimum: Bound | None = None
    maximum: Bound | None = None
    # Whether the worse end of the metric's confidence interval must do so: the lower one for a minimum.
    interval: bool = False

    @property
    def bound(self) -> str:
        """Return what is wanted, in words."""
        return f"at least {self.minimum:g}" if self.minimum is not None else f"at most {self.maximum:g}"

    @property
    def end(self) -> str:
        """Return the end of the interval that decides where the interval does."""
        return "lower" if self.minimum is not None else "upper"

    @field_validator("minimum", "maximum", mode="before")
    @classmethod
    def _may_be_whole(cls, value: Any) -> Any:
        return as_float(value)

    @model_validator(mode="after")
    def _has_one_bound(self) -> GateCondition:
        if (self.minimum is None) == (self.maximum is None):
            raise ValueError(f"the condition on {self.metric!r} needs either minimum or maximum")
        return self


class GateSettings(Table):
    """When a model is turned down."""

    conditions: Annotated[tuple[GateCondition, ...], AfterValidator(each_once)] = Field(
        (), description="tables with `metric`, either `minimum` or `maximum`, and perhaps `interval = true`, see below"
    )
    champion: bool = Field(
        False, description="not worse than the last model that was accepted, on the same validation data"
    )
    champion_metric: Metric | None = Field(
        None, description="a metric of the evaluation; by default auc, accuracy, rmse or ndcg, by the kind of model"
    )
    champion_tolerance: Annotated[Bound, Field(ge=0)] = Field(0.0, description="by how much a model may be worse")

    @field_validator("champion_tolerance", mode="before")
    @classmethod
    def _may_be_whole(cls, value: Any) -> Any:
        return as_float(value)

    @model_validator(mode="after")
    def _details_have_a_champion(self) -> GateSettings:
        for name in ("champion_metric", "champion_tolerance"):
            if name in self.model_fields_set and not self.champion:
                raise ValueError(f"{name} says nothing without champion = true; add that, or leave it out")
        return self

    def champion_metric_of(self, kind: str) -> str:
        """Return the metric by which a model of a kind is compared with the champion."""
        return self.champion_metric or CHAMPION_METRICS[kind]


class RegistrySettings(Table):
    """Where models that were accepted are registered; without a group they are not."""

    model_package_group: EntityName | None = Field(None, description="without it nothing is registered")
    approval_status: Literal["PendingManualApproval", "Approved"] = Field(
        "PendingManualApproval", description="a new version's: a person decides, or the gate did"
    )

    @model_validator(mode="after")
    def _status_has_a_group(self) -> RegistrySettings:
        if self.model_package_group is None and "approval_status" in self.model_fields_set:
            raise ValueError("approval_status says nothing without model_package_group; name a group, or leave it out")
        return self


class AlertSettings(Table):
    """Who hears of a failure."""

    emails: Annotated[tuple[Email, ...], AfterValidator(each_once)] = Field(
        (), description="addresses that the topic writes to, once each has confirmed"
    )


class StartSettings(Table):
    """What starts an execution beside a person, on the stack's defaults."""

    schedule: Schedule | None = Field(
        None, description="`rate(1 day)`, `cron(0 3 ? * MON *)`: an EventBridge expression, in UTC"
    )
    marker: MarkerKey | None = Field(
        None, description="key in the bucket of training data: each time it is written an execution starts"
    )


class NetworkSettings(Table):
    """The network of the jobs."""

    isolation: bool = Field(True, description="no job reaches the network; none needs it")
    subnets: Annotated[tuple[SubnetId, ...], Field(max_length=16), AfterValidator(each_once)] = Field(
        (), description="subnets of a VPC that S3 can be reached from; the jobs run in them"
    )
    security_groups: Annotated[tuple[SecurityGroupId, ...], Field(max_length=5), AfterValidator(each_once)] = Field(
        (), description="security groups of the jobs, in the same VPC"
    )

    @model_validator(mode="after")
    def _is_a_whole_vpc(self) -> NetworkSettings:
        if bool(self.subnets) != bool(self.security_groups):
            missing = "security_groups" if self.subnets else "subnets"
            raise ValueError(f"{missing} is empty; a VPC needs both subnets and security_groups, or neither")
        return self


class EncryptionSettings(Table):
    """The key that everything is encrypted with."""

    kms_key: KmsKey | None = Field(
        None, description="`\"create\"`: a key of the stack's own; or an ARN; without it, the services' own keys"
    )


class Settings(Table):
    """Every key has a default, so that no file is needed."""

    name: StackName = Field(
        STACK_NAME, description="the stack's name; pipelines with different names live side by side"
    )
    environment: Literal["development", "production"] = Field(
        "development",
        description="development: everything leaves with the stack. production: data and logs stay, and the stack is "
        "protected from deletion",
    )
    tags: Tags = Field(default_factory=dict, description="on every resource and every job; at most 49")
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSettings = GateSettings()
    registry: RegistrySettings = RegistrySettings()
    alerts: AlertSettings = AlertSettings()
    start: StartSettings = StartSettings()
    network: NetworkSettings = NetworkSettings()
    encryption: EncryptionSettings = EncryptionSettings()

    @property
    def is_production(self) -> bool:
        """Tell whether what was written stays when the stack is deleted."""
        return self.environment == "production"

    @property
    def longest_jobs_seconds(self) -> int:
        """Return how long the two jobs take together at most."""
        return self.training.longest_seconds + self.evaluation.max_runtime_seconds

    @property
    def image_uris(self) -> tuple[str | None, str | None]:
        """Return the images of the two jobs that the settings name by URI; None for those by version."""
        return self.training.image_uri, self.evaluation.image_uri

    @model_validator(mode="after")
    def _images_lie_together(self) -> Settings:
        """Refuse images of two regions: a job takes those of its own region alone."""
        found = [parse_image_uri(uri) for uri in self.image_uris if uri]
        regions = sorted({image.region for image in found if image})
        if len(regions) > 1:
            raise ValueError(
                f"training.image_uri and evaluation.image_uri are in two regions, {' and '.join(regions)}; a stack is "
                "in one, and SageMaker takes no image of another: copy one of them"
            )
        return self

    @model_validator(mode="after")
    def _polling_fits_the_history(self) -> Settings:
        """Refuse run times whose polling would pass the quota of history events (contract, section 4)."""
        run_seconds = self.longest_jobs_seconds
        polled_seconds = run_seconds + MARGIN_SECONDS
        events = polled_seconds // POLL_SECONDS * EVENTS_PER_POLL + EVENTS_OUTSIDE_POLLING
        if events > HISTORY_EVENT_LIMIT:
            longest = (HISTORY_EVENT_LIMIT - EVENTS_OUTSIDE_POLLING) // EVENTS_PER_POLL * POLL_SECONDS - MARGIN_SECONDS
            training = "max_wait_seconds" if self.training.spot else "max_runtime_seconds"
            raise ValueError(
                f"training.{training} + evaluation.max_runtime_seconds = {run_seconds} would take up "
                f"to {events} history events, above the quota of {HISTORY_EVENT_LIMIT}; lower their sum to {longest}"
            )
        return self


def load_settings(path: Path | None = None) -> Settings:
    """Read a settings file, or give the defaults.

    Raises:
        SettingsError: the file cannot be read, or a key is unknown or its value not allowed.
    """
    if path is None:
        return Settings()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise SettingsError(f"settings file {path} does not exist; name an existing file") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings file {path} {kind_of(path).words}; save it as TOML in UTF-8") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings file {path} cannot be read as TOML: {error}") from error
    except RecursionError as error:
        raise SettingsError(f"settings file {path} cannot be read as TOML: it is nested too deeply") from error
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        details = error.errors()
        more = [f"{path}: and {len(details) - MOST_TOLD} more"] if len(details) > MOST_TOLD else []
        raise SettingsError("\n".join([_explain(path, detail) for detail in details[:MOST_TOLD]] + more)) from error


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."


def _explain(path: Path, detail: Any) -> str:
    key = _cut(".".join(str(part) for part in detail["loc"]))
    if detail["type"] == "extra_forbidden":
        question = did_you_mean(str(detail["loc"][-1]), keys_of(Settings, detail["loc"][:-1]))
        return f"{path}: unknown key {key!r}; see docs/settings.md for all keys{question}"
    reason = _cut(detail["msg"].removeprefix("Value error, "))
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        reason += did_you_mean(detail["input"], choices_of(Settings, detail["loc"]))
    return f"{path}: {key} = {_cut(repr(detail['input']))}: {reason}" if key else f"{path}: {reason}"
