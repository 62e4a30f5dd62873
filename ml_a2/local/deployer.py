"""Deploy a template onto the embedded endpoint, strictly: what is not understood is refused before anything exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from ml_a2.errors import AssemblyError
from ml_a2.local.authorization import Authorization
from ml_a2.local.clients import Clients
from ml_a2.local.resources import RESOURCE_TYPES, Created, Creation
from ml_a2.local.template import Environment, Resolver, references
from ml_a2.local.template_shape import check_shape
from ml_a2.local.updates import check_properties, check_update, update

RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata",
}  # fmt: skip

# Of the types that are created here none has snapshots.
DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")

# The account of the endpoint counts as bootstrapped, by a version that is newer than any: `cdk bootstrap` finds nothing
# to do, and a template's own rule is content.
VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
SSM_PARAMETERS = {VERSION_PARAMETER: "99"}


@dataclass(frozen=True)
class Deployed:
    """A resource that exists: how the template has it, how it was resolved, and what it is called."""

    resource: Mapping[str, Any]
    properties: Mapping[str, Any]
    created: Created


class Watcher(Protocol):
    """Hears of each resource of a deployment."""

    def begins(self, verb: str, name: str, resource: Mapping[str, Any]) -> None:
        """Hear that a resource is about to be created or updated; the verb is CREATE or UPDATE."""

    def done(self, verb: str, name: str, deployed: Deployed) -> None:
        """Hear that it was; the verb is also KEEP, or ATTEMPT before an update that may come to stand half way."""


class Unwatched:
    """Hears and keeps nothing."""

    def begins(self, verb: str, name: str, resource: Mapping[str, Any]) -> None:
        """Hear."""

    def done(self, verb: str, name: str, deployed: Deployed) -> None:
        """Hear."""


@dataclass(frozen=True)
class Plan:
    """A template that was checked: its resources whose conditions hold, and the order of their creation."""

    resolver: Resolver
    resources: Mapping[str, Mapping[str, Any]]
    order: list[str]


def plan(template: Mapping[str, Any], environment: Environment, given: Mapping[str, str]) -> Plan:
    """Check what can be checked before anything is created.

    Args:
        template: the template.
        environment: where it is deployed.
        given: values of the template's parameters.

    Raises:
        AssemblyError: names the resource and the type, property, function or value that cannot be deployed.
    """
    resolver = open_template(template, environment, given)
    _check_rules(template, resolver)
    resources = active_resources(template, resolver)
    for name, resource in resources.items():
        _check_resource(name, resource)
    return Plan(resolver, resources, _order(resources))


def open_template(template: Mapping[str, Any], environment: Environment, given: Mapping[str, str]) -> Resolver:
    """Check the template's sections and parameters, and return what resolves its values.

    Raises:
        AssemblyError: names the section, or the parameter that has no value.
    """
    check_shape(template)
    return Resolver(template, {**environment.pseudo_parameters(), **_parameters(template, given)})


def active_resources(template: Mapping[str, Any], resolver: Resolver) -> dict[str, Mapping[str, Any]]:
    """Return the resources whose conditions hold."""
    return {
        name: resource
        for name, resource in template.get("Resources", {}).items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }


def deploy(
    template: Mapping[str, Any],
    environment: Environment,
    clients: Clients,
    authorization: Authorization,
    *,
    given: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    existing: Mapping[str, Deployed] | None = None,
    watcher: Watcher | None = None,
) -> dict[str, str]:
    """Create the template's resources in the order of their references, and update those that exist.

    Args:
        template: the template.
        environment: where it is deployed.
        clients: the services.
        authorization: decides what the template's roles may.
        given: values of the template's parameters.
        tags: the stack's own, which every resource gets that takes some and does not name another value itself.
        existing: the stack's resources by their logical ids; those that the template no longer has are left alone.
        watcher: hears of each resource.

    Returns:
        The stack's outputs.

    Raises:
        AssemblyError: names the resource and the type, property, function or value that cannot be deployed.
    """
    planned = plan(template, environment, given or {})
    present, hears = existing or {}, watcher or Unwatched()
    for name in present.keys() & planned.resources.keys():
        check_update(name, present[name].resource, planned.resources[name])
    for name in planned.order:
        creation = Creation(name, clients, environment, authorization, tags or {})
        created = _bring_about(creation, planned.resources[name], planned.resolver, present.get(name), hears)
        planned.resolver.values[name] = created.ref
        planned.resolver.attributes.update({(name, key): value for key, value in created.attributes.items()})
    outputs = template.get("Outputs", {})
    return {name: str(planned.resolver.resolve(output["Value"])) for name, output in outputs.items()}


def _bring_about(
    creation: Creation, resource: Mapping[str, Any], resolver: Resolver, existing: Deployed | None, watcher: Watcher
) -> Created:
    """Create a resource, or update it where its properties come out differently than they are."""
    name = creation.logical_id
    if existing is None:
        watcher.begins("CREATE", name, resource)
        with _naming(name, resource):
            properties = _properties(creation, resource, resolver)
            created = RESOURCE_TYPES[resource["Type"]].create(creation, properties)
        watcher.done("CREATE", name, Deployed(resource, properties, created))
        return created
    with _naming(name, resource):
        properties = _properties(creation, resource, resolver)
    if properties == existing.properties:
        watcher.done("KEEP", name, Deployed(resource, properties, existing.created))
        return existing.created
    deployed = Deployed(resource, properties, existing.created)
    watcher.begins("UPDATE", name, resource)
    check_properties(name, resource["Type"], existing.properties, properties)
    watcher.done("ATTEMPT", name, deployed)
    with _naming(name, resource):
        update(creation, resource["Type"], existing.properties, properties, existing.created)
    watcher.done("UPDATE", name, deployed)
    return existing.created


def _properties(creation: Creation, resource: Mapping[str, Any], resolver: Resolver) -> dict[str, Any]:
    """Return a resource's properties, with the stack's tags where its type takes some."""
    properties: dict[str, Any] = resolver.resolve(resource.get("Properties", {}))
    if not creation.tags or "Tags" not in RESOURCE_TYPES[resource["Type"]].optional:
        return properties
    own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    return {**properties, "Tags": [{"Key": k, "Value": v} for k, v in {**creation.tags, **own}.items()]}


@contextmanager
def _naming(name: str, resource: Mapping[str, Any]) -> Iterator[None]:
    """Name the resource in what a service, or the type, refuses; properties may have any shape."""
    try:
        yield
    except (ClientError, BotoCoreError, AssemblyError) as error:
        raise AssemblyError(f"resource {name!r} ({resource['Type']}): {error}") from error
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        reason = f"a property is missing or of another type than it should be: {type(error).__name__}: {error}"
        raise AssemblyError(f"resource {name!r} ({resource['Type']}): {reason}") from error


def _parameters(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = template.get("Parameters", {})
    if unknown := set(given) - set(declared):
        raise AssemblyError(f"parameter {min(unknown)!r} does not exist in the template")
    values = {}
    for name, parameter in declared.items():
        if name in given and (constraint := _constraint(parameter)):
            raise AssemblyError(f"parameter {name!r} has {constraint}, which is not supported locally with a value")
        if name not in given and "Default" not in parameter:
            raise AssemblyError(f"parameter {name!r} has no default and was given no value")
        value = given.get(name, parameter.get("Default"))
        if str(parameter.get("Type")).startswith("AWS::SSM::Parameter::Value"):
            if value not in SSM_PARAMETERS:
                raise AssemblyError(f"parameter {name!r}: SSM parameter {value!r} does not exist locally")
            value = SSM_PARAMETERS[value]
        values[name] = value
    return values


def _constraint(parameter: Mapping[str, Any]) -> str | None:
    """Return what decides which values a parameter takes, where it cannot be decided here."""
    kind = str(parameter.get("Type"))
    if kind != "String" and not kind.startswith("AWS::SSM::Parameter::Value"):
        return f"type {kind!r}"
    return next((key for key in parameter if key not in ("Type", "Default", "Description")), None)


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
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        if (policy := resource.get(attribute, "Delete")) not in DELETION_POLICIES:
            allowed = ", ".join(DELETION_POLICIES)
            raise AssemblyError(f"resource {name!r} ({kind}): {attribute} {policy!r} is not one of {allowed}")
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
