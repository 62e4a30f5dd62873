"""What hyperparameters ask of the training job's instances: a GPU, and that they can share a training.

Source: runs of XGBoost 1.7.4 without a GPU, and the messages in it of what several hosts cannot do together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ml_a2 import contract
from ml_a2.finding import Finding

WHERE = "the hyperparameters"
# Families of SageMaker's instance types with NVIDIA GPUs: p3, p4d, g4dn, g5, gr6 ...
GPU_FAMILY = re.compile(r"ml\.(?:p|g|gr)\d")
# What needs a GPU, and what is tried in its place where there is none: None leaves it out.
ON_GPU: Mapping[str, tuple[str, str | None]] = {
    "tree_method": ("gpu_hist", "hist"),
    "predictor": ("gpu_predictor", None),
    "sampling_method": ("gradient_based", None),
    "use_dask_gpu_training": ("true", None),
}
# These two go with tree_method=gpu_hist; beside any other XGBoost or the image refuses them in their own words.
WITH_HISTOGRAMS_ON_GPU = ("sampling_method", "use_dask_gpu_training")
# Where each of several hosts has a share of the rows, no one can look at all values of a feature.
ALONE = {"tree_method": "exact", "updater": "grow_colmaker"}


@dataclass(frozen=True)
class Instances:
    """The training job's instances: of which type, how many, and the settings' key or option that names the type."""

    kind: str
    count: int = 1
    named_by: str = "training.instance_type"

    @property
    def have_gpus(self) -> bool:
        """Tell whether they have GPUs."""
        return bool(GPU_FAMILY.match(self.kind))


def instances_of(states: Mapping[str, Any], given: str | None = None) -> Instances:
    """Return the training job's instances of a stack's state machine, or of the type that an execution names."""
    defaults = states.get(contract.NAMING_STATE, {}).get("Parameters", {}).get("defaults", {})
    clusters = [(state.get("Parameters") or {}).get("ResourceConfig") or {} for state in states.values()]
    count = max((each["InstanceCount"] for each in clusters if isinstance(each.get("InstanceCount"), int)), default=1)
    if given is not None:
        return Instances(given, count, "training_instance_type")
    return Instances(defaults.get("training_instance_type", ""), count)


def own_hyperparameters(states: Mapping[str, Any]) -> dict[str, str]:
    """Return the hyperparameters of a stack's state machine, over which those of an execution's input are laid."""
    return dict(states.get(contract.NAMING_STATE, {}).get("Parameters", {}).get("hyperparameters", {}))


def needs_gpu(hyperparameters: Mapping[str, str]) -> list[str]:
    """Return the hyperparameters that work on a GPU alone, as `name=value`."""
    on_gpu = hyperparameters.get("tree_method") == ON_GPU["tree_method"][0]
    return [
        f"{name}={value}"
        for name, (value, _) in ON_GPU.items()
        if hyperparameters.get(name) == value and (on_gpu or name not in WITH_HISTOGRAMS_ON_GPU)
    ]


def without_gpu(hyperparameters: Mapping[str, str]) -> dict[str, str]:
    """Return what can be tried on a machine without a GPU in place of the hyperparameters."""
    found = dict(hyperparameters)
    for asked in needs_gpu(hyperparameters):
        name = asked.partition("=")[0]
        instead = ON_GPU[name][1]
        del found[name]
        if instead:
            found[name] = instead
    return found


def check_instances(hyperparameters: Mapping[str, str], instances: Instances) -> Iterator[Finding]:
    """Yield what the hyperparameters ask of instances that have it not; what only this machine has not is untried."""
    if asked := needs_gpu(hyperparameters):
        yield _gpu(" and ".join(asked), instances)
    if instances.count > 1:
        for name, value in ALONE.items():
            if value in hyperparameters.get(name, "").split(","):
                problem = f"{name}={value} cannot be shared among {instances.count} instances: XGBoost refuses it"
                yield Finding("error", WHERE, problem, f"leave {name} out, or set training.instance_count = 1")


def _gpu(asked: str, instances: Instances) -> Finding:
    needs = "need" if " and " in asked else "needs"
    if instances.have_gpus:
        problem = f"{asked} {needs} a GPU, which {instances.kind} has and this machine has not: it cannot be tried here"
        return Finding("untried", WHERE, problem, "start it on AWS, or choose tree_method=hist to try the rest here")
    problem = f"{asked} {needs} a GPU, and {instances.kind} has none: no visible GPU is found for XGBoost"
    remedy = f"choose tree_method=hist and leave out the rest, or set {instances.named_by} to one as ml.g4dn.xlarge"
    return Finding("error", WHERE, problem, remedy)
