"""What would go wrong with an execution of a deployed stack for what is asked of it, before it is started."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ml_a2 import contract
from ml_a2.client import AwsClients
from ml_a2.errors import HyperparameterError
from ml_a2.finding import Finding
from ml_a2.image_uri import parse_image_uri
from ml_a2.local.hardware import check_instances, instances_of, own_hyperparameters
from ml_a2.local.images.xgboost.hyperparameters import check_hyperparameters, hyperparameter_table
from ml_a2.local.request_checks import check_request
from ml_a2.object_keys import has_illegal_sequence
from ml_a2.service_errors import code_of

# What every instance type looks like; AWS adds new ones at any time.
INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
DENIED = ("AccessDenied", "AccessDeniedException", "403")
# Which of the inputs name objects, and where the roles of the jobs that read them may read.
PREFIXES = {
    "train_prefix": (contract.TRAIN_PREFIX, contract.VALIDATION_PREFIX),
    "validation_prefix": (contract.VALIDATION_PREFIX,),
}
DEFAULTS = {"train_prefix": contract.TRAIN_PREFIX, "validation_prefix": contract.VALIDATION_PREFIX}


class ExecutionChecks:
    """Holds an execution's input against the stack that is deployed, by calls that only read."""

    def __init__(self, clients: AwsClients, outputs: Mapping[str, str], tell: Callable[[str], None]) -> None:
        """Take the services, the stack's outputs, and who hears of what may not be looked at."""
        self._clients = clients
        self._outputs = outputs
        self._tell = tell

    def findings(self, given: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is wrong with an execution's input; warnings are of what would be ignored.

        Args:
            given: `hyperparameters`, prefixes, instance types and `model_artifact`, those that differ from the stack's.
        """
        trains = "model_artifact" not in given
        if trains:
            yield from self._hyperparameters(given.get("hyperparameters", {}), given.get("training_instance_type"))
        else:
            yield from self._model(given["model_artifact"])
        for field in ("train_prefix", "validation_prefix"):
            if field == "train_prefix" and not trains:
                if field in given:
                    yield _error(field, given[field], "nothing is trained with a model_artifact", "leave it out")
                continue
            yield from self._prefix(field, given.get(field))
        for field in ("training_instance_type", "evaluation_instance_type"):
            if field in given and not INSTANCE_TYPE.fullmatch(given[field]):
                yield _error(field, given[field], "is no instance type of SageMaker", "ml.m5.xlarge is one")

    def _hyperparameters(self, given: Mapping[str, str], instance_type: str | None) -> Iterator[Finding]:
        """Check those that the job will get, each that is wrong alone and then how they go together."""
        states = self._definition().get("States", {})
        if not _is_xgboost(states):
            return  # another image has hyperparameters of its own
        wrong = {name: problem for name, value in given.items() if (problem := _problem_alone(name, value))}
        for name, problem in wrong.items():
            remedy = "see the table of the built-in algorithm's hyperparameters"
            yield Finding("error", f"--set {name}={given[name]}", problem, remedy)
        if not states:
            return  # how they go with the stack's own is not known
        rest = {name: value for name, value in {**own_hyperparameters(states), **given}.items() if name not in wrong}
        yield from check_request({"num_round": "1", **rest}, has_validation=True)
        instances = instances_of(states, instance_type)
        if instances.kind:
            yield from (each for each in check_instances(rest, instances) if each.severity == "error")

    def _definition(self) -> dict[str, Any]:
        machine = self._outputs[contract.OUTPUT_STATE_MACHINE]
        try:
            answer = self._clients.stepfunctions.describe_state_machine(stateMachineArn=machine)
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            self._tell(f"the stack's own hyperparameters are not looked at: {error}")
            return {}
        definition: dict[str, Any] = json.loads(answer["definition"])
        return definition

    def _prefix(self, field: str, given: str | None) -> Iterator[Finding]:
        prefix = DEFAULTS[field] if given is None else given
        places = PREFIXES[field]
        if problem := _problem_with_prefix(prefix, places):
            yield _error(field, prefix, *problem)
        elif not self._is_there(contract.OUTPUT_TRAINING_DATA_BUCKET, prefix):
            bucket = self._outputs[contract.OUTPUT_TRAINING_DATA_BUCKET]
            yield _error(field, prefix, f"nothing lies under s3://{bucket}/{prefix}", "upload data, see `ml-a2 upload`")

    def _model(self, uri: str) -> Iterator[Finding]:
        """A model lies where the evaluation's role may read, under the name that the evaluation looks for."""
        bucket = self._outputs[contract.OUTPUT_MODEL_ARTIFACTS_BUCKET]
        place = f"s3://{bucket}/{contract.MODELS_PREFIX}"
        if not uri.startswith(place):
            yield _error("model_artifact", uri, f"the evaluation may read below {place} alone", "copy the model there")
        elif not uri.endswith(f"/{contract.MODEL_ARCHIVE}"):
            remedy = f"name one as a training job leaves it, .../{contract.MODEL_ARCHIVE}"
            yield _error("model_artifact", uri, f"is no {contract.MODEL_ARCHIVE}", remedy)
        elif not self._is_there(contract.OUTPUT_MODEL_ARTIFACTS_BUCKET, uri.removeprefix(f"s3://{bucket}/")):
            yield _error("model_artifact", uri, "is not there", "`ml-a2 show` tells where an execution's model lies")

    def _is_there(self, output: str, prefix: str) -> bool:
        """Tell whether objects lie under a prefix; also where nobody may look, which is told."""
        try:
            found = self._clients.s3.list_objects_v2(Bucket=self._outputs[output], Prefix=prefix, MaxKeys=1)
        except ClientError as error:
            if code_of(error) not in DENIED:
                raise
            self._tell(f"what lies under {prefix} is not looked at: {error}")
            return True
        return found["KeyCount"] > 0


def _problem_alone(name: str, value: str) -> str | None:
    """Return what the image would say of a hyperparameter whatever stands beside it, None where nothing."""
    try:
        _check_alone(name, value)
    except HyperparameterError as error:
        return str(error)
    return None


def _check_alone(name: str, value: str) -> None:
    row = hyperparameter_table().get(name)
    if row is None:
        check_hyperparameters({"num_round": "1", name: value})
        return
    try:
        row.check_range(row.parse(value))
    except Exception as problem:  # whatever the container would die of
        check_hyperparameters({"num_round": "1", name: value})  # which has the words for it
        raise HyperparameterError(f"the XGBoost image would refuse this: {problem}") from problem


def _is_xgboost(states: Mapping[str, Any]) -> bool:
    """Tell whether the training's image is the built-in algorithm's; it is unless the definition says otherwise."""
    for state in states.values():
        if image := state.get("Parameters", {}).get("AlgorithmSpecification", {}).get("TrainingImage"):
            uri = parse_image_uri(image)
            return uri is not None and uri.repository == contract.TRAINING_REPOSITORY
    return True


def _problem_with_prefix(prefix: str, places: tuple[str, ...]) -> tuple[str, str] | None:
    """Return what is wrong with where data shall lie, and what to do."""
    allowed = " or ".join(places)
    if prefix.startswith("s3://"):
        return "is a URI, and the bucket is the stack's own", f"give what follows the bucket, below {allowed}"
    if has_illegal_sequence(prefix):
        return "has two slashes in a row, for which SageMaker refuses the download", "use single slashes"
    if not prefix.startswith(places):
        return f"the jobs' roles may read below {allowed} alone", f"upload it to {places[0]}... and give that"
    return None


def _error(field: str, value: str, problem: str, remedy: str) -> Finding:
    return Finding("error", f"--{field.replace('_', '-')} {value}", problem, remedy)
