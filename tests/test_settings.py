"""Settings: defaults, files, and errors that name key and value."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_a2.errors import SettingsError
from ml_a2.settings import Settings, TrainingSettings, load_settings

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7-1"


def _file(folder: Path, text: str) -> Path:
    path = folder / "pipeline.toml"
    path.write_text(text)
    return path


def test_every_key_has_a_default() -> None:
    """No file is needed."""
    assert load_settings() == Settings()


def test_numbers_become_strings_for_the_api(tmp_path: Path) -> None:
    """Hyperparameters may be written as TOML numbers and booleans."""
    settings = load_settings(_file(tmp_path, "[training.hyperparameters]\nnum_round = 7\neta = 0.5\n"))
    assert settings.training.hyperparameters == {"num_round": "7", "eta": "0.5"}
    assert settings.training.chosen_hyperparameters == {"num_round": "7", "eta": "0.5"}


def test_defaults_are_no_choice(tmp_path: Path) -> None:
    """A default objective does not bind a person who never named one."""
    assert load_settings(_file(tmp_path, "[training]\nvolume_size_gb = 5\n")).training.chosen_hyperparameters == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[trainning]\n", "unknown key 'trainning'"),
        ("[training]\nvolume = 3\n", "unknown key 'training.volume'"),
        ("[training]\nvolume_size_gb = 0\n", "training.volume_size_gb = 0: Input should be greater than or equal to 1"),
        ("[training]\nvolume_size_gb = '30'\n", "training.volume_size_gb = '30': Input should be a valid integer"),
        ("environment = 'test'\n", "environment = 'test': Input should be 'development' or 'production'"),
        ("[training]\ninstance_type = 'm5.xlarge'\n", "training.instance_type = 'm5.xlarge'"),
        ("[alerts]\nemails = ['nobody']\n", "alerts.emails.0 = 'nobody'"),
        ("[training]\ninstance_count = 21\n", "training.instance_count = 21: Input should be less than or equal to 20"),
        ("[training]\nimage_version = '3.2-0'\n", "reads models of 3.2 and predicts something else"),
        ("[training]\nimage_version = '9'\n", "training.image_version = '9': Input should be '1.7-1' or '3.0-5'"),
        ("[[gate.conditions]]\nmetric = 'aoc'\nminimum = 1\n", "gate.conditions.0.metric = 'aoc': it is not one of"),
        ("[[gate.conditions]]\nmetric = 'auc'\n", "the condition on 'auc' needs either minimum or maximum"),
        ("[[gate.conditions]]\nmetric = 'auc'\nminimum = 0.5\nmaximum = 0.9\n", "needs either minimum or maximum"),
        (
            "[[gate.conditions]]\nmetric = 'auc'\nminimum = nan\n",
            "gate.conditions.0.minimum = nan: Input should be a fin",
        ),
        ("[registry]\nmodel_package_group = 'a_b'\n", "registry.model_package_group = 'a_b': String should match"),
        ("[registry]\nmodel_package_group = '-a'\n", "registry.model_package_group = '-a': String should match"),
        ("[registry]\nmodel_package_group = 'a-'\n", "registry.model_package_group = 'a-': String should match"),
        (f"[registry]\nmodel_package_group = '{'a' * 64}'\n", "String should have at most 63 characters"),
        (
            "[registry]\nmodel_package_group = 'a'\napproval_status = 'Rejected'\n",
            "registry.approval_status = 'Rejected': Input should be 'PendingManualApproval' or 'Approved'",
        ),
        ("[registry]\napproval_status = 'Approved'\n", "says nothing without model_package_group; name a group"),
        ("[training\n", "cannot be read as TOML"),
        ("name = '1st'\n", "name = '1st': String should match"),
        ("[tags]\n'aws:x' = '1'\n", "'aws:x': keys that begin with aws: are AWS's own"),
        ("[tags]\nteam = 'a'\nTeam = 'b'\n", "two keys differ only in upper and lower case"),
        ("[tags]\nteam = 'a;b'\n", "'team' = 'a;b': allowed are letters, digits, spaces and _.:/=+-@"),
        (f"[tags]\n{'k' * 129} = ''\n", "a key has 1 to 128 characters, a value at most 256"),
        ("[tags]\n" + "".join(f"k{i} = ''\n" for i in range(50)), "there are 50 tags; a resource takes at most 49"),
        ("[training]\nmax_wait_seconds = 90000\n", "max_wait_seconds says nothing without spot = true"),
        ("[training]\nspot = true\nmax_wait_seconds = 60\n", "max_wait_seconds 60 is less than max_runtime_seconds"),
        ("[start]\nschedule = 'daily'\n", "start.schedule = 'daily': must be rate(VALUE UNIT) or cron()"),
        ("[start]\nschedule = 'rate(1 days)'\n", "a rate is 1 minute, 1 hour or 1 day, or several"),
        ("[start]\nschedule = 'rate(0 days)'\n", "a rate is 1 minute, 1 hour or 1 day, or several"),
        ("[start]\nschedule = 'cron(0 3 * * * *)'\n", "exactly one of day of month and day of week must be ?"),
        ("[start]\nschedule = 'cron(0 3 ? * MON)'\n", "a cron expression has six fields"),
        (
            "[start]\nschedule = 'cron(0 3 ? * mon *)'\n",
            "day of week 'mon' is not valid; 1 to 7 or SUN to SAT is allowed",
        ),
        ("[start]\nmarker = 'train/_DONE'\n", "start.marker = 'train/_DONE': jobs read what lies under train/"),
        ("[start]\nmarker = 'new data'\n", "start.marker = 'new data': String should match"),
        ("[network]\nsubnets = ['subnet-12345678']\n", "security_groups is empty; a VPC needs both"),
        ("[network]\nsecurity_groups = ['sg-12345678']\n", "subnets is empty; a VPC needs both"),
        ("[network]\nsubnets = ['eu-west-1a']\n", "network.subnets.0 = 'eu-west-1a': String should match"),
        ("[alerts]\nemails = ['a@b.c', 'd@e.f', 'a@b.c']\n", "'a@b.c' is named twice; leave one of them out"),
        ("[evaluation]\nslices = ['age', 'age']\n", "'age' is named twice"),
        (
            "[network]\nsubnets = ['subnet-12345678', 'subnet-12345678']\nsecurity_groups = ['sg-12345678']\n",
            "'subnet-12345678' is named twice",
        ),
        ("[gate]\nconditions = [{metric='auc', minimum=1}, {metric='auc', minimum=1}]\n", "metric='auc' minimum=1"),
        ("[network]\nisolation = 'no'\n", "network.isolation = 'no': Input should be a valid boolean"),
        (
            "[training]\nimage_uri = 'public.ecr.aws/sagemaker/sagemaker-xgboost:1.7-1'\n",
            "training.image_uri = 'public.ecr.aws/sagemaker/sagemaker-xgboost:1.7-1': SageMaker takes no images of",
        ),
        (
            f"[training]\nimage_uri = '{IMAGE.replace('xgboost:1.7-1', 'sagemaker-xgboost:3.2-0')}'\n",
            "reads models of 3.2 and predicts something else",
        ),
        ("[training]\nimage_uri = 'xgboost:1.7-1'\n", "'xgboost:1.7-1': it is not the URI of an image in Amazon ECR"),
        (f"[training]\nimage_uri = '{IMAGE.partition(':')[0]}'\n", "it names no image of the repository; add :TAG or"),
        (
            f"[training]\nimage_uri = '{IMAGE.replace('eu-west-1', 'cn-north-1')}'\n",
            "registries in cn-north-1 end with 'amazonaws.com.cn', not 'amazonaws.com'",
        ),
        (
            f"[training]\nimage_uri = '{IMAGE.replace(':', '/' + 'x' * 220 + ':')}'\n",
            "String should have at most 255 characters",
        ),
        (
            f"[training]\nimage_version = '1.7-1'\nimage_uri = '{IMAGE}'\n",
            "image_version and image_uri are both given, and one job has one image; leave one of them out",
        ),
        (
            f"[evaluation]\nimage_version = '1.2-1-cpu-py3'\nimage_uri = '{IMAGE}'\n",
            "image_version and image_uri are both given",
        ),
        (
            f"[training]\nimage_uri = '{IMAGE}'\n[evaluation]\nimage_uri = '{IMAGE.replace('eu-', 'us-')}'\n",
            "are in two regions, eu-west-1 and us-west-1; a stack is in one",
        ),
        ("[encryption]\nkms_key = 'alias/mine'\n", "encryption.kms_key = 'alias/mine': String should match"),
    ],
)
def test_fails_naming_key_and_value(tmp_path: Path, text: str, words: str) -> None:
    """Each bad file is refused with the key, the value and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        load_settings(_file(tmp_path, text))
    assert words in str(caught.value)


def test_fails_for_a_missing_file(tmp_path: Path) -> None:
    """A settings file that is named must exist."""
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "nowhere.toml")


def test_fails_when_polling_would_pass_the_history_quota(tmp_path: Path) -> None:
    """Run times that 25,000 events cannot poll are refused with the number to change, and that number is accepted."""
    with pytest.raises(SettingsError, match=r"lower their sum to (\d+)") as caught:
        load_settings(_file(tmp_path, "[training]\nmax_runtime_seconds = 100000\n"))
    longest = int(str(caught.value).rpartition(" ")[2])
    evaluation = Settings().evaluation.max_runtime_seconds
    load_settings(_file(tmp_path, f"[training]\nmax_runtime_seconds = {longest - evaluation}\n"))


def test_images_are_named_by_uri(tmp_path: Path) -> None:
    """By tag or by digest; a job without keeps its version."""
    digest = f"{IMAGE.partition(':')[0]}@sha256:{'a' * 64}"
    settings = load_settings(_file(tmp_path, f"[training]\nimage_uri = '{digest}'\n"))
    assert settings.image_uris == (digest, None)
    assert Settings().image_uris == (None, None)
    assert TrainingSettings(image_version="3.0-5", image_uri=None).image_version == "3.0-5"


def test_gate_conditions_are_read(tmp_path: Path) -> None:
    """Several, each with one bound, whole numbers too."""
    text = "[[gate.conditions]]\nmetric = 'auc'\nminimum = 0.9\n[[gate.conditions]]\nmetric = 'rmse'\nmaximum = 3\n"
    conditions = load_settings(_file(tmp_path, text)).gate.conditions
    assert [condition.bound for condition in conditions] == ["at least 0.9", "at most 3"]


def test_a_group_is_named(tmp_path: Path) -> None:
    """A person decides about its packages unless the settings say otherwise."""
    registry = load_settings(_file(tmp_path, "[registry]\nmodel_package_group = 'Churn--v2'\n")).registry
    assert (registry.model_package_group, registry.approval_status) == ("Churn--v2", "PendingManualApproval")
    text = "[registry]\nmodel_package_group = 'a'\napproval_status = 'Approved'\n"
    assert load_settings(_file(tmp_path, text)).registry.approval_status == "Approved"


def test_waits_for_spot_instances_count_as_run_time(tmp_path: Path) -> None:
    """By default twice the run time; what the history can hold is bounded by the wait."""
    settings = load_settings(_file(tmp_path, "[training]\nspot = true\nmax_runtime_seconds = 7200\n"))
    assert (settings.training.longest_seconds, settings.longest_jobs_seconds) == (14_400, 18_000)
    text = "[training]\nspot = true\nmax_wait_seconds = 20000\n"
    assert load_settings(_file(tmp_path, text)).training.longest_seconds == 20_000
    with pytest.raises(SettingsError, match=r"training\.max_wait_seconds \+ evaluation\.max_runtime_seconds = 93600"):
        load_settings(_file(tmp_path, "[training]\nspot = true\nmax_wait_seconds = 90000\n"))


@pytest.mark.parametrize(
    "expression",
    ["rate(1 day)", "rate(12 hours)", "cron(0 3 ? * MON *)", "cron(15 10 L * ? *)", "cron(0/5 8-17 ? * 2#1 2026)"],
)
def test_schedules_are_eventbridges(tmp_path: Path, expression: str) -> None:
    """Rates and cron expressions as its user guide has them."""
    assert load_settings(_file(tmp_path, f"[start]\nschedule = '{expression}'\n")).start.schedule == expression


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("cp1252", "is not UTF-8: line 1, column 15 has the byte 0xFC"), ("utf-16", "is not UTF-8, it looks like UTF-16")],
)
def test_settings_in_another_encoding_are_told(tmp_path: Path, encoding: str, words: str) -> None:
    """As some shells and editors write them; a mark before UTF-8 is passed over."""
    path = tmp_path / "pipeline.toml"
    text = "# of the old m\u00fcll\nname = 'Churn'\n"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert words in str(caught.value)
    assert "save it as TOML in UTF-8" in str(caught.value)
    path.write_bytes(text.encode("utf-8-sig"))
    assert load_settings(path).name == "Churn"
