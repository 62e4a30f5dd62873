"""What hyperparameters ask of instances."""

from __future__ import annotations

import pytest

from ml_a2.local.hardware import Instances, check_instances, instances_of, needs_gpu, without_gpu


@pytest.mark.parametrize("kind", ["ml.m5.xlarge", "ml.c5.9xlarge", "ml.r5.large", "ml.t3.medium", "ml.inf1.xlarge"])
@pytest.mark.parametrize(
    "asked",
    [
        {"tree_method": "gpu_hist"},
        {"predictor": "gpu_predictor"},
        {"predictor": "gpu_predictor", "tree_method": "exact"},
        {"tree_method": "gpu_hist", "sampling_method": "gradient_based"},
        {"tree_method": "gpu_hist", "use_dask_gpu_training": "true"},
    ],
)
def test_what_needs_a_gpu_is_an_error_without_one(kind: str, asked: dict[str, str]) -> None:
    """It names the hyperparameter, the instance type and the setting."""
    (found,) = check_instances(asked, Instances(kind))
    assert found.severity == "error"
    assert kind in found.problem
    assert all(f"{name}={value}" in found.problem for name, value in asked.items() if value != "exact")
    assert "training.instance_type" in found.remedy


@pytest.mark.parametrize(
    "kind", ["ml.p3.2xlarge", "ml.p4d.24xlarge", "ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.gr6.4xlarge"]
)
def test_what_only_this_machine_cannot_do_is_untried(kind: str) -> None:
    """The instance has a GPU: it cannot be tried here, and is no error."""
    (found,) = check_instances({"tree_method": "gpu_hist"}, Instances(kind))
    assert found.severity == "untried"
    assert "cannot be tried here" in found.problem


def test_what_needs_no_gpu_is_right_everywhere() -> None:
    """Nothing is found of the other methods."""
    for method in ("auto", "exact", "approx", "hist"):
        asked = {"tree_method": method, "predictor": "cpu_predictor", "use_dask_gpu_training": "false"}
        assert list(check_instances(asked, Instances("ml.m5.xlarge"))) == []
        assert list(check_instances(asked, Instances("ml.p3.2xlarge"))) == []


def test_in_place_of_a_gpu_histograms_are_tried() -> None:
    """The rest stays; what goes with the GPU is left out, and without gpu_hist it stays to be refused."""
    asked = {"tree_method": "gpu_hist", "sampling_method": "gradient_based", "predictor": "gpu_predictor", "eta": "1"}
    assert without_gpu(asked) == {"tree_method": "hist", "eta": "1"}
    alone = {"tree_method": "hist", "sampling_method": "gradient_based"}
    assert (without_gpu(alone), needs_gpu(alone)) == (alone, [])


@pytest.mark.parametrize("asked", [{"tree_method": "exact"}, {"updater": "grow_colmaker,prune"}])
def test_fails_for_what_several_instances_cannot_share(asked: dict[str, str]) -> None:
    """XGBoost: the exact tree method does not support distributed training; one instance is enough for it."""
    (found,) = check_instances(asked, Instances("ml.m5.xlarge", 2))
    assert "cannot be shared among 2 instances" in found.problem
    assert list(check_instances(asked, Instances("ml.m5.xlarge"))) == []


def test_a_stacks_instances_are_those_of_its_state_machine() -> None:
    """Its own type and number, or the type that an execution's input names."""
    naming = {"Parameters": {"defaults": {"training_instance_type": "ml.m5.large"}}}
    states = {"NameJobs": naming, "Create": {"Parameters": {"ResourceConfig": {"InstanceCount": 3}}}, "Wait": {}}
    assert instances_of(states) == Instances("ml.m5.large", 3)
    assert instances_of(states, "ml.g5.xlarge") == Instances("ml.g5.xlarge", 3, "training_instance_type")
    assert instances_of({}) == Instances("", 1)
