"""Deploy a template onto the embedded endpoint, strictly: what is not understood is refused before anything exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ml_a2.errors import AssemblyError
from ml_a2.local.authorization import Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.resources import RESOURCE_TYPES, Created, Creation
from ml_a2.local.template import SECTIONS, Environment, Resolver, references

RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata",
}  # fmt: skip

# The account of the endpoint counts as bootstrapped: the version that the CDK's own rule asks for.
SSM_PARAMETERS = {"/cdk-bootstrap/hnb659fds/version": "21"}


def deploy(
    template: Mapping[str, Any], environment: Environment, clients: Clients, authorization: Authorization
) -> dict[str, str]:
    """Create the template's resources in the order of their references.

    Returns:
        The stack's outputs.

    Raises:
        AssemblyError: names the resource and the type, property, function or value that cannot be deployed.
    """
    _check_sections(template)
    resolver = Resolver(template, {**environment.pseudo_parameters(), **_parameters(template)})
    _check_rules(template, resolver)
    resources = {
        name: resource
        for name, resource in template.get("Resources", {}).items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }
    for name, resource in resources.items():
        _check_resource(name, resource)
    for name in _order(resources):
        created = _create(Creation(name, clients, environment, authorization), resources[name], resolver)
        resolver.values[name] = created.ref
        resolver.attributes.update({(name, key): value for key, value in created.attributes.items()})
    return {name: str(resolver.resolve(output["Value"])) for name, output in template.get("Outputs", {}).items()}


def _check_sections(template: Mapping[str, Any]) -> None:
    if unknown := set(template) - SECTIONS:
        raise AssemblyError(f"template section {min(unknown)!r} is not supported locally; see docs/fidelity.md")
    for section in SECTIONS - {"AWSTemplateFormatVersion", "Description"}:
        entries = template.get(section, {})
        if not isinstance(entries, dict):
            raise AssemblyError(f"template section {section!r} is no JSON object")
        for name, entry in entries.items():
            if section != "Metadata" and not isinstance(entry, dict):
                raise AssemblyError(f"{name!r} in template section {section!r} is no JSON object")
    if not template.get("Resources"):
        raise AssemblyError("the template has no resources")


def _parameters(template: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for name, parameter in template.get("Parameters", {}).items():
        if "Default" not in parameter:
            raise AssemblyError(f"parameter {name!r} has no default, and none can be given locally")
        value = parameter["Default"]
        if str(parameter.get("Type")).startswith("AWS::SSM::Parameter::Value"):
            if value not in SSM_PARAMETERS:
                raise AssemblyError(f"parameter {name!r}: SSM parameter {value!r} does not exist locally")
            value = SSM_PARAMETERS[value]
        values[name] = value
    return values


def _check_rules(template: Mapping[str, Any], resolver: Resolver) -> None:
    for name, rule in template.get("Rules", {}).items():
        if "RuleCondition" in rule and not resolver.resolve(rule["RuleCondition"]):
            continue
        for assertion in rule["Assertions"]:
            if not resolver.resolve(assertion["Assert"]):
                raise AssemblyError(f"rule {name!r} is not met: {assertion.get('AssertDescription', '')}")


def _check_resource(name: str, resource: Mapping[str, Any]) -> None:
    kind = resource.get("Type")
    if kind not in RESOURCE_TYPES:
        raise AssemblyError(
            f"resource {name!r} has type {kind!r}, which is not supported locally; see docs/fidelity.md"
        )
    if unknown := set(resource) - RESOURCE_KEYS:
        raise AssemblyError(f"resource {name!r}: attribute {min(unknown)!r} is not supported locally")
    given = set(resource.get("Properties", {}))
    known = RESOURCE_TYPES[kind]
    if unknown := given - known.required - known.optional:
        raise AssemblyError(
            f"resource {name!r} ({kind}): property {min(unknown)!r} is not supported locally; see docs/fidelity.md"
        )
    if missing := known.required - given:
        raise AssemblyError(f"resource {name!r} ({kind}): property {min(missing)!r} is required")


def _order(resources: Mapping[str, Any]) -> list[str]:
    graph = {}
    for name, resource in resources.items():
        depends = resource.get("DependsOn", [])
        explicit = [depends] if isinstance(depends, str) else depends
        if missing := [target for target in explicit if target not in resources]:
            raise AssemblyError(f"resource {name!r} depends on {missing[0]!r}, which is not in the template")
        graph[name] = [*explicit, *(r for r in references(resource.get("Properties", {})) if r in resources)]
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise AssemblyError(f"circular dependency between resources: {' -> '.join(error.args[1])}") from error
    return list(_least_favourable(sorter, resources))


def _least_favourable(sorter: TopologicalSorter[str], resources: Mapping[str, Any]) -> Iterator[str]:
    """Yield the resources in an order that CloudFormation may choose, policies as late as that can be.

    What needs a policy and does not say so then fails here, as it does on AWS now and then.
    """
    ready: list[str] = []
    while sorter.is_active():
        ready += sorter.get_ready()
        ready.sort(key=lambda name: resources[name]["Type"] == "AWS::IAM::Policy")
        name = ready.pop(0)
        yield name
        sorter.done(name)


def _create(creation: Creation, resource: Mapping[str, Any], resolver: Resolver) -> Created:
    properties = resolver.resolve(resource.get("Properties", {}))
    try:
        return RESOURCE_TYPES[resource["Type"]].create(creation, properties)
    except (ClientError, BotoCoreError, AssemblyError) as error:
        raise AssemblyError(f"resource {creation.logical_id!r} ({resource['Type']}): {error}") from error
