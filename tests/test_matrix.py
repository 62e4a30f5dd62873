"""The settings in combination: every pair of them synthesizes, and what is hardened stays so in all of them."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aspects, Environment
from aws_cdk.assertions import Annotations, Match

from ml_a2 import contract
from ml_a2.app import FEATURE_FLAGS
from ml_a2.infrastructure.acknowledged import ACKNOWLEDGED
from ml_a2.local.template import Environment as LocalEnvironment
from ml_a2.local.template import Resolver
from ml_a2.settings import (
    AlertSettings,
    EncryptionSettings,
    GateCondition,
    GateSettings,
    NetworkSettings,
    RegistrySettings,
    Settings,
    StartSettings,
    TrainingSettings,
)
from ml_a2.stack import MlA2Stack

pytestmark = pytest.mark.xdist_group("cdk")

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# Each choice with its values, the default first.
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "environment": ("development", "production"),
    "network": (
        NetworkSettings(),
        NetworkSettings(subnets=("subnet-0123456789abcdef0",), security_groups=("sg-0123456789abcdef0",)),
        NetworkSettings(isolation=False),
    ),
    "encryption": (EncryptionSettings(), EncryptionSettings(kms_key="create"), EncryptionSettings(kms_key=KEY)),
    "training": (TrainingSettings(), TrainingSettings(spot=True), TrainingSettings(instance_count=3)),
    "start": (StartSettings(), StartSettings(schedule="rate(7 days)"), StartSettings(marker="start/new-data")),
    "gate": (
        GateSettings(),
        GateSettings(conditions=(GateCondition(metric="auc", minimum=0.8),)),
        GateSettings(champion=True),
    ),
    "registry": (RegistrySettings(), RegistrySettings(model_package_group="churn")),
    "tags": ({}, {"team": "data", "cost centre": "42"}),
    "alerts": (AlertSettings(), AlertSettings(emails=("someone@example.com",))),
}
# One of each partition.
REGIONS = {"eu-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "us-gov-west-1": "amazonaws.com"}

# Actions that know no resources, so that nothing but * can be written. Source: Service Authorization Reference, the
# services' tables of actions, column "Resource types".
WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    # Also Step Functions Developer Guide, "Logging using CloudWatch Logs", IAM policies.
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
    # Also Step Functions Developer Guide, "Tracing with AWS X-Ray", IAM policies.
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
}  # fmt: skip


def _pairs() -> list[dict[str, Any]]:
    """Return combinations in which every value of a choice meets every value of every other one."""
    missing = {
        frozenset([(one, a), (other, b)])
        for one, other in itertools.combinations(CHOICES, 2)
        for a, b in itertools.product(range(len(CHOICES[one])), range(len(CHOICES[other])))
    }
    found = []
    while missing:
        combination: dict[str, int] = dict(sorted(min(missing, key=sorted)))
        for name in (name for name in CHOICES if name not in combination):
            combination[name] = max(
                range(len(CHOICES[name])), key=lambda value, name=name: _news(combination, name, value, missing)
            )
        missing -= {frozenset(pair) for pair in itertools.combinations(combination.items(), 2)}
        found.append({name: CHOICES[name][value] for name, value in combination.items()})
    return found


def _news(combination: Mapping[str, int], name: str, value: int, missing: set[frozenset[tuple[str, int]]]) -> int:
    return sum(frozenset([(name, value), other]) in missing for other in combination.items())


COMBINATIONS = _pairs()


@pytest.fixture(scope="module", params=range(len(COMBINATIONS)), ids=lambda number: f"combination {number}")
def assembly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthesize a combination, with cdk-nag looking on."""
    folder = tmp_path_factory.mktemp("matrix")
    app = App(outdir=str(folder), context=FEATURE_FLAGS, analytics_reporting=False)
    MlA2Stack(app, contract.STACK_NAME, settings=Settings(**COMBINATIONS[request.param]))
    app.synth()
    return folder


@pytest.fixture(scope="module")
def combined(assembly: Path) -> dict[str, Any]:
    """The template of a combination."""
    template: dict[str, Any] = json.loads((assembly / f"{contract.STACK_NAME}.template.json").read_text())
    return template


def test_every_pair_of_values_occurs() -> None:
    """The selection is small, and has every value beside every other one."""
    assert len(COMBINATIONS) <= 16
    for one, other in itertools.combinations(CHOICES, 2):
        for a, b in itertools.product(CHOICES[one], CHOICES[other]):
            assert [c for c in COMBINATIONS if c[one] == a and c[other] == b]


def test_cloudformations_schemas_accept_the_template(assembly: Path) -> None:
    """cfn-lint, with its check of state machines, finds nothing."""
    from cfnlint.api import ManualArgs, lint

    template = (assembly / f"{contract.STACK_NAME}.template.json").read_text(encoding="utf-8")
    # W3005: the CDK writes out dependencies that references imply already.
    found = lint(template, regions=list(REGIONS), config=ManualArgs(ignore_checks=["W3005"]))
    assert [str(match) for match in found] == []


def test_cfn_lints_check_of_state_machines_accepts_the_definitions(combined: dict[str, Any]) -> None:
    """It looks into definitions that are one text, so the references within are filled in; a wrong one is found."""
    from cfnlint.api import ManualArgs, lint

    for broken in (False, True):
        template = copy.deepcopy(combined)
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::StepFunctions::StateMachine":
                text = _definition(resource)
                resource["Properties"]["DefinitionString"] = text.replace('"Type":"Pass"', '"Type":"Pas"', broken)
        found = lint(json.dumps(template), config=ManualArgs(ignore_checks=["W"]))
        assert ["E3601" in str(match) for match in found if "E3601" in str(match)][:1] == [True] * broken


def test_wildcards_stand_only_where_actions_allow_nothing_else(combined: dict[str, Any]) -> None:
    """Of every role's policy; a key's own policy means the key by it."""
    found = {
        action
        for statement in _statements(combined)
        for resource in _listed(statement["Resource"])
        for action in _listed(statement["Action"])
        if resource == "*"
    }
    assert found <= WITHOUT_RESOURCES


def test_the_definition_names_states_that_exist(combined: dict[str, Any]) -> None:
    """Whatever is combined, the state machines can be created."""
    from ml_a2.local.definition import check_definition

    for resource in combined["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            check_definition(_definition(resource))


@pytest.mark.parametrize("region", REGIONS)
def test_images_are_those_of_the_region(combined: dict[str, Any], region: str) -> None:
    """The template's own mappings and pseudo parameters give registry, domain and partition."""
    where = LocalEnvironment("123456789012", region, contract.STACK_NAME)
    resolver = Resolver(combined, dict(where.pseudo_parameters()))
    parts = _pipeline(combined)["Properties"]["DefinitionString"]["Fn::Join"][1]
    known = [part if isinstance(part, str) else _resolved(resolver, part) for part in parts]
    images = set(re.findall(r'[^"]*/sagemaker-[a-z-]+:', "".join(known)))
    registry = f"{contract.REGISTRY_ACCOUNTS[region]}.dkr.ecr.{region}.{REGIONS[region]}"
    assert images == {f"{registry}/{name}:" for name in ("sagemaker-xgboost", "sagemaker-scikit-learn")}


@pytest.mark.parametrize("region", REGIONS)
def test_a_stack_of_a_named_region_synthesizes(region: str) -> None:
    """Production with everything, in an account and region that are known at synth."""
    everything = {name: values[1] for name, values in CHOICES.items()}
    environment = Environment(account="123456789012", region=region)
    app = App(context=FEATURE_FLAGS, analytics_reporting=False)
    stack = MlA2Stack(app, contract.STACK_NAME, settings=Settings(**everything), env=environment)
    text = json.dumps(app.synth().get_stack_by_name(stack.stack_name).template)
    assert f"{contract.REGISTRY_ACCOUNTS[region]}.dkr.ecr.{region}." in text


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_nag_pack_finds_only_what_is_acknowledged(number: int) -> None:
    """AwsSolutions on the default, and on production with the first and the second of all other values."""
    from cdk_nag import AwsSolutionsChecks

    chosen = {name: values[min(number, len(values) - 1)] for name, values in CHOICES.items()}
    stack = MlA2Stack(App(context=FEATURE_FLAGS), "Nag", settings=Settings(**chosen))
    Aspects.of(stack).add(AwsSolutionsChecks())
    stated = Match.string_like_regexp("AwsSolutions-.*")
    annotations = Annotations.from_stack(stack)
    found = [*annotations.find_error("*", stated), *annotations.find_warning("*", stated)]
    expected = _acknowledged(stack)
    surprising = [str(each.entry.data) for each in found if not _is_expected(each.id, str(each.entry.data), expected)]
    assert surprising == []
    told = [(each.id, str(each.entry.data)) for each in found]
    for path, rule in expected:
        assert [1 for where, words in told if where.startswith(path) and words.startswith(rule)], (path, rule)


def _acknowledged(stack: MlA2Stack) -> dict[tuple[str, str], str]:
    """Return the reasons that stand beside the resources, by path and rule."""
    return {
        (f"/{construct.node.path}", str(entry.data["rule"])): str(entry.data["reason"])
        for construct in stack.node.find_all()
        for entry in construct.node.metadata
        if entry.type == ACKNOWLEDGED
    }


def _is_expected(resource: str, finding: str, expected: Mapping[tuple[str, str], str]) -> bool:
    return any(
        resource.startswith(f"{path}/") and finding.startswith(rule) and reason
        for (path, rule), reason in expected.items()
    )


def _statements(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            yield from resource["Properties"]["PolicyDocument"]["Statement"]
        for policy in resource.get("Properties", {}).get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def _definition(machine: Mapping[str, Any]) -> str:
    """Return a definition with every reference filled in."""
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else "aws" for part in parts)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pipeline(template: Mapping[str, Any]) -> dict[str, Any]:
    resources: dict[str, dict[str, Any]] = template["Resources"]
    return next(resource for name, resource in resources.items() if name.startswith("WorkflowStateMachine8"))


def _resolved(resolver: Resolver, part: Any) -> str:
    """Resolve what needs no resource."""
    name, argument = next(iter(part.items()))
    if name == "Fn::FindInMap" or (name == "Ref" and argument.startswith("AWS::")):
        return str(resolver.resolve(part))
    return "resource"
