"""The typed settings, read at synth and by the command line from an optional pipeline.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from ml_a2.contract import CHAMPION_METRICS, EVENTS_PER_POLL, HISTORY_EVENT_LIMIT, METRICS, POLL_SECONDS
from ml_a2.errors import SettingsError

InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
Bound = Annotated[float, Field(allow_inf_nan=False)]
# SageMaker's names of entities.
EntityName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=63)]
# One of a processing job's arguments, of 256 characters with the option's name.
Feature = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=240)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]

# States outside the two polling loops, with every retry of their own taken, stay below this many events.
EVENTS_OUTSIDE_POLLING = 1_000
# Instances are found, data is copied and results are uploaded outside a job's own run time.
MARGIN_SECONDS = 2 * 3600
DEFAULT_ROUNDS = "100"


def _is_metric(metric: str) -> str:
    known = sorted({name for names in METRICS.values() for name in names})
    if metric not in known:
        raise ValueError(f"it is not one of {', '.join(known)}")
    return metric


Metric = Annotated[str, AfterValidator(_is_metric)]


def _as_float(value: Any) -> Any:
    """Take a whole number for the fraction that it stands for."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, table: Any) -> Any:
        """Take TOML's lists for what they are here: settings do not change."""
        if not isinstance(table, dict):
            return table
        return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


class TrainingSettings(_Table):
    """The training job."""

    image_version: Literal["1.7-1", "3.0-5"] = "1.7-1"
    instance_type: InstanceType = "ml.m5.xlarge"
    instance_count: Annotated[int, Field(ge=1, le=20)] = 1
    volume_size_gb: Annotated[int, Field(ge=1, le=16_384)] = 30
    max_runtime_seconds: Annotated[int, Field(ge=60, le=432_000)] = 4 * 3600
    hyperparameters: dict[str, str] = Field(
        default_factory=lambda: {"num_round": DEFAULT_ROUNDS, "objective": "binary:logistic", "eval_metric": "auc"}
    )

    @field_validator("image_version", mode="before")
    @classmethod
    def _models_can_be_evaluated(cls, version: Any) -> Any:
        if version == "3.2-0":
            raise ValueError(
                "the evaluation image (Python 3.9) can only have XGBoost 2.1.4, which reads models of 3.2 and predicts "
                "something else; choose '1.7-1' or '3.0-5' (decision 0007)"
            )
        return version

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
            given = {name: _as_api_string(value) for name, value in table["hyperparameters"].items()}
            # The one that the algorithm requires.
            return {**table, "hyperparameters": {"num_round": DEFAULT_ROUNDS, **given}}
        return table


class EvaluationSettings(_Table):
    """The processing job that evaluates the model."""

    image_version: Literal["1.2-1-cpu-py3"] = "1.2-1-cpu-py3"
    instance_type: InstanceType = "ml.m5.xlarge"
    volume_size_gb: Annotated[int, Field(ge=1, le=16_384)] = 30
    max_runtime_seconds: Annotated[int, Field(ge=60, le=432_000)] = 3600
    # Features by whose values the metrics are also computed.
    slices: Annotated[tuple[Feature, ...], Field(max_length=10)] = ()
    # The feature that tells the groups of a ranking apart.
    group_column: Feature | None = None


class GateCondition(_Table):
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
        return _as_float(value)

    @model_validator(mode="after")
    def _has_one_bound(self) -> GateCondition:
        if (self.minimum is None) == (self.maximum is None):
            raise ValueError(f"the condition on {self.metric!r} needs either minimum or maximum")
        return self


class GateSettings(_Table):
    """When a model is turned down."""

    conditions: tuple[GateCondition, ...] = ()
    # Whether a model must not be worse than the last one that was accepted, on the same validation data.
    champion: bool = False
    champion_metric: Metric | None = None
    champion_tolerance: Annotated[Bound, Field(ge=0)] = 0.0

    @field_validator("champion_tolerance", mode="before")
    @classmethod
    def _may_be_whole(cls, value: Any) -> Any:
        return _as_float(value)

    @model_validator(mode="after")
    def _details_have_a_champion(self) -> GateSettings:
        for name in ("champion_metric", "champion_tolerance"):
            if name in self.model_fields_set and not self.champion:
                raise ValueError(f"{name} says nothing without champion = true; add that, or leave it out")
        return self

    def champion_metric_of(self, kind: str) -> str:
        """Return the metric by which a model of a kind is compared with the champion."""
        return self.champion_metric or CHAMPION_METRICS[kind]


class RegistrySettings(_Table):
    """Where models that were accepted are registered; without a group they are not."""

    model_package_group: EntityName | None = None
    approval_status: Literal["PendingManualApproval", "Approved"] = "PendingManualApproval"

    @model_validator(mode="after")
    def _status_has_a_group(self) -> RegistrySettings:
        if self.model_package_group is None and "approval_status" in self.model_fields_set:
            raise ValueError("approval_status says nothing without model_package_group; name a group, or leave it out")
        return self


class AlertSettings(_Table):
    """Who hears of a failure."""

    emails: tuple[Email, ...] = ()


class Settings(_Table):
    """Every key has a default, so that no file is needed."""

    environment: Literal["development", "production"] = "development"
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSettings = GateSettings()
    registry: RegistrySettings = RegistrySettings()
    alerts: AlertSettings = AlertSettings()

    @model_validator(mode="after")
    def _polling_fits_the_history(self) -> Settings:
        """Refuse run times whose polling would pass the quota of history events (contract, section 4)."""
        run_seconds = self.training.max_runtime_seconds + self.evaluation.max_runtime_seconds
        polled_seconds = run_seconds + MARGIN_SECONDS
        events = polled_seconds // POLL_SECONDS * EVENTS_PER_POLL + EVENTS_OUTSIDE_POLLING
        if events > HISTORY_EVENT_LIMIT:
            longest = (HISTORY_EVENT_LIMIT - EVENTS_OUTSIDE_POLLING) // EVENTS_PER_POLL * POLL_SECONDS - MARGIN_SECONDS
            raise ValueError(
                f"training.max_runtime_seconds + evaluation.max_runtime_seconds = {run_seconds} would take up "
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
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"settings file {path} does not exist; name an existing file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings file {path} cannot be read as TOML: {error}") from error
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(path, detail) for detail in error.errors())) from error


def _as_api_string(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _explain(path: Path, detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{path}: unknown key {key!r}; see docs/settings.md for all keys"
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{path}: {key} = {detail['input']!r}: {reason}" if key else f"{path}: {reason}"
