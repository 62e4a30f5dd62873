"""What `ml-a2 doctor` says of settings that ask for what only AWS has."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ml_a2.cli import main
from ml_a2.finding import Finding
from ml_a2.local import doctor
from ml_a2.local.untried import KEYS, refused, settings_without, untried
from ml_a2.progress import CheckDisplay
from ml_a2.settings import load_settings

# What EVERYTHING asks for: all but the hyperparameters of a GPU.
ASKED = [key for key in KEYS if key != "training.hyperparameters"]

pytestmark = pytest.mark.xdist_group("cdk")

REST = """
name = "Churn"
tags = { team = "data", "a b" = 'literal' }

[training]
instance_type = "ml.m5.large"
hyperparameters = { num_round = 7, eta = 0.5 }
{training}
[[gate.conditions]]
metric = "auc"
minimum = 0.5
interval = true

[evaluation]
slices = ["sex 😀\\u007f", "a \\"b\\" \\\\ c"]
{evaluation}
{more}
"""
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/own:1"
EVERYTHING = {
    "training": f'spot = true\nmax_wait_seconds = 20000\nimage_uri = "{IMAGE}"\n',
    "evaluation": f'image_uri = "{IMAGE}"',
    "more": """
[start]
schedule = "rate(1 day)"
marker = "start/new"
[network]
subnets = ["subnet-0123456789abcdef0"]
security_groups = ["sg-0123456789abcdef0"]
[encryption]
kms_key = "create"
""",
}


def _settings(**parts: str) -> str:
    text = REST
    for name in ("training", "evaluation", "more"):
        text = text.replace(f"{{{name}}}", parts.get(name, ""))
    return text


def test_all_of_it_is_told_at_once_by_the_keys_of_the_settings(tmp_path: Path) -> None:
    """Read from the template alone, so that a given assembly is told of too."""
    from aws_cdk import App

    from ml_a2.stack import MlA2Stack

    (tmp_path / "pipeline.toml").write_text(_settings(**EVERYTHING), encoding="utf-8")
    app = App(analytics_reporting=False)
    settings = load_settings(tmp_path / "pipeline.toml")
    MlA2Stack(app, "Churn", settings=settings)
    template = app.synth().get_stack_by_name("Churn").template
    assert [finding.where for finding in untried(template)] == ASKED
    assert {finding.severity for finding in untried(template)} == {"untried"}


def test_the_stack_of_the_defaults_is_tried_whole(template: dict[str, Any]) -> None:
    """Nothing of it is left out."""
    assert untried(template) == []


def test_the_rest_is_the_same_settings_without_them(tmp_path: Path) -> None:
    """Every other key has its value, in whatever characters."""
    every, rest, left = (tmp_path / f"{name}.toml" for name in ("every", "rest", "left"))
    every.write_text(_settings(**EVERYTHING), encoding="utf-8")
    rest.write_text(_settings(), encoding="utf-8")
    left.write_text(settings_without(every, ASKED), encoding="utf-8")
    assert load_settings(left) == load_settings(rest)
    left.write_text(settings_without(every, []), encoding="utf-8")
    assert load_settings(left) == load_settings(every)


@pytest.mark.parametrize(
    ("more", "status"), [([], 1), (["--accept-untried"], 0), (["--accept-untried", "--strict"], 0)]
)
def test_what_was_not_tried_is_no_clean_bill_of_health(
    more: list[str], status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor is it a defect: it is accepted by name, and then exits with 0."""
    found = [Finding("untried", "training.spot", "cannot be tried here", "try it there")]
    monkeypatch.setattr(doctor, "examine_stack", lambda *_, **__: iter(found))
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["doctor", "--json", *more])
    assert answer.exit_code == status
    assert json.loads(answer.stdout) == {"wrong": 0, "findings": [found[0].as_json()]}
    assert (
        "nothing that could be tried here would go wrong: 0 errors, 0 warnings\nnot tried: training.spot"
        in answer.stderr
    )


def test_of_a_given_assembly_nothing_else_is_examined(tmp_path: Path) -> None:
    """Its settings are not known; that it was not examined is said."""
    template = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}}
    (tmp_path / "t.json").write_text(json.dumps(template))
    artifacts = {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t.json"}}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    told: list[str] = []
    found = list(doctor.examine_stack(None, tmp_path, region="us-east-1", permissions=False, tell=told.append))
    assert [(finding.severity, finding.where) for finding in found] == [("untried", "encryption.kms_key")]
    assert told == ["nothing else is examined: name the --settings in place of an --assembly"]


def test_a_defect_is_told_before_what_was_not_tried() -> None:
    """The verdict is that of the defect."""
    stream = io.StringIO()
    with CheckDisplay(stream) as display:
        display.verdict([Finding("error", "a", "b", "c"), Finding("untried", "training.spot", "b", "c")], 1)
    assert stream.getvalue() == "something would go wrong: 1 error, 0 warnings\nnot tried: training.spot\n"


def test_settings_may_begin_with_a_mark(tmp_path: Path) -> None:
    """As some editors write UTF-8."""
    path = tmp_path / "pipeline.toml"
    path.write_text("\ufeff[training]\nspot = true\ninstance_count = 2\n", encoding="utf-8")
    assert '"instance_count" = 2' in settings_without(path, ["training.spot"])


def test_warnings_are_not_said_to_be_nothing() -> None:
    """They fail nowhere, and may make what comes of it worthless."""
    stream = io.StringIO()
    with CheckDisplay(stream) as display:
        display.verdict([], 0)
        display.verdict([Finding("warning", "a", "b", "c")], 0)
        display.verdict([Finding("warning", "a", "b", "c")], 1)
    assert stream.getvalue().splitlines() == [
        "nothing would go wrong: 0 errors, 0 warnings",
        "nothing would fail: 0 errors, 1 warning",
        "something would go wrong: 0 errors, 1 warning",
    ]


def _template(instance_type: str, **hyperparameters: str) -> dict[str, Any]:
    """Make a template whose state machine trains with these on instances of that type, and evaluates."""
    defaults = {"defaults": {"training_instance_type": instance_type}, "hyperparameters": hyperparameters}
    call = "arn:aws:states:::aws-sdk:sagemaker:create"
    states = {
        "NameJobs": {"Type": "Pass", "Parameters": defaults, "Next": "Train"},
        "Train": {"Type": "Task", "Resource": f"{call}TrainingJob", "Parameters": {}, "Next": "Evaluate"},
        "Evaluate": {"Type": "Task", "Resource": f"{call}ProcessingJob", "Parameters": {}, "End": True},
    }
    definition = json.dumps({"StartAt": "NameJobs", "States": states})
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": definition, "RoleArn": "r"},
    }
    return {"Resources": {"Pipeline": machine}}


def test_a_stacks_own_hyperparameters_may_need_a_gpu() -> None:
    """On an instance with one they cannot be tried here; without one every training would be refused."""
    on_gpu = _template("ml.g5.xlarge", num_round="5", tree_method="gpu_hist")
    assert [found.where for found in untried(on_gpu)] == ["training.hyperparameters"]
    assert refused(on_gpu) == []
    (found,) = refused(_template("ml.m5.xlarge", num_round="5", tree_method="gpu_hist"))
    assert "tree_method=gpu_hist needs a GPU, and ml.m5.xlarge has none" in found.problem


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"_kfold": "3"}, "_kfold=3 leaves a model for each fold"),
        ({"max_deep": "3"}, "Extraneous hyperparameter found: max_deep"),
        ({"early_stopping_rounds": "3"}, None),
        ({}, None),
    ],
)
def test_fails_for_a_stacks_own_hyperparameters(hyperparameters: dict[str, str], words: str | None) -> None:
    """Those that no training would succeed with, whatever its data; what is ignored is none of them."""
    found = refused(_template("ml.m5.xlarge", num_round="5", **hyperparameters))
    assert [words in each.problem for each in found if words] == ([True] if words else [])
    assert bool(found) is bool(words)
