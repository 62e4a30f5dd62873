"""A CloudFormation template: its intrinsic functions, resolved strictly.

Source: CloudFormation User Guide, "Intrinsic function reference". An unknown function, name or key is an error
that names it: nothing resolves to an empty value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_a2.errors import AssemblyError

SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Rules",
    "Resources", "Outputs",
}  # fmt: skip
URL_SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}


@dataclass(frozen=True)
class Environment:
    """Where a template is deployed."""

    account: str
    region: str
    stack_name: str
    # The last part of the stack's ARN, by which stacks of one name are told apart.
    stack_uuid: str = "local"

    @property
    def stack_id(self) -> str:
        """Return the stack's ARN."""
        stack = f"stack/{self.stack_name}/{self.stack_uuid}"
        return f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:{stack}"

    @property
    def partition(self) -> str:
        """Return the partition of the region."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def pseudo_parameters(self) -> dict[str, str]:
        """Return the AWS:: names that every template may refer to."""
        if "-iso" in self.region:
            raise AssemblyError(f"region {self.region!r} belongs to an isolated partition, not supported locally")
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": URL_SUFFIXES[self.partition],
            "AWS::StackName": self.stack_name,
            "AWS::StackId": self.stack_id,
        }


@dataclass
class Resolver:
    """Resolves values of one template in one environment, as resources come into being."""

    template: Mapping[str, Any]
    values: dict[str, Any]
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """Return the value with every intrinsic function replaced by what it gives.

        Raises:
            AssemblyError: a function, name, mapping key or attribute is unknown.
        """
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if call := intrinsic(value):
            return self._call(*call)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        try:
            return _FUNCTIONS[name](self, argument)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
            raise AssemblyError(f"{name} cannot be resolved with {argument!r}: {error}") from error

    def condition(self, name: str) -> bool:
        """Return the value of a condition of the template."""
        conditions = self.template.get("Conditions", {})
        if name not in conditions:
            raise AssemblyError(f"condition {name!r} is not defined in the template")
        return bool(self.resolve(conditions[name]))

    def ref(self, name: str) -> Any:
        """Return a parameter, a resource or a pseudo parameter."""
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name not in self.values:
            raise AssemblyError(f"Ref {name!r} names no parameter and no resource of the template")
        return self.values[name]

    def get_att(self, target: Any) -> str:
        """Return an attribute of a resource."""
        name, attribute = target if isinstance(target, list) else target.split(".", 1)
        if (name, attribute) not in self.attributes:
            raise AssemblyError(f"Fn::GetAtt {name}.{attribute} is not an attribute of a resource of the template")
        return self.attributes[name, attribute]

    def sub(self, value: Any) -> str:
        """Fill in the names within a text."""
        text, given = (value[0], self.resolve(value[1])) if isinstance(value, list) else (value, {})

        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return str(given[name])
            return str(self.get_att(name) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def find_in_map(self, path: list[Any]) -> Any:
        """Return a value of a mapping."""
        if len(path) != 3:
            raise AssemblyError(f"Fn::FindInMap takes three values, not {path}")
        name, *keys = (self.resolve(key) for key in path)
        found: Any = self.template.get("Mappings", {}).get(name)
        for key in keys:
            if not isinstance(found, dict) or key not in found:
                raise AssemblyError(f"Fn::FindInMap: mapping {name!r} has no key {key!r}")
            found = found[key]
        return found

    def join(self, value: list[Any]) -> str:
        """Put texts together."""
        separator, parts = value
        return str(separator).join(_text(part) for part in self.resolve(parts))

    def choose(self, value: list[Any]) -> Any:
        """Return one of two values by a condition."""
        return self.resolve(value[1] if self.condition(value[0]) else value[2])

    def select(self, value: list[Any]) -> Any:
        """Return one item of a list."""
        index, items = int(self.resolve(value[0])), self.resolve(value[1])
        if not 0 <= index < len(items):
            raise AssemblyError(f"Fn::Select: index {index} is outside a list of {len(items)}")
        return items[index]

    def equals(self, value: list[Any]) -> bool:
        """Compare two values."""
        return bool(self.resolve(value[0]) == self.resolve(value[1]))


_NO_VALUE = object()
_FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": Resolver.get_att,
    "Fn::Sub": Resolver.sub,
    "Fn::FindInMap": Resolver.find_in_map,
    "Fn::Join": Resolver.join,
    "Fn::If": Resolver.choose,
    "Fn::Select": Resolver.select,
    "Fn::Split": lambda self, value: str(self.resolve(value[1])).split(value[0]),
    "Fn::Equals": Resolver.equals,
    "Fn::Not": lambda self, value: not self.resolve(value[0]),
    "Fn::And": lambda self, value: all(map(self.resolve, value)),
    "Fn::Or": lambda self, value: any(map(self.resolve, value)),
    "Fn::Contains": lambda self, value: self.resolve(value[1]) in self.resolve(value[0]),
    "Condition": Resolver.condition,
}


def intrinsic(value: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Return name and argument when the mapping is a call of an intrinsic function.

    Raises:
        AssemblyError: it looks like a call, but the function is not known.
    """
    if len(value) != 1:
        return None
    name, argument = next(iter(value.items()))
    if name == "Condition" and not isinstance(argument, str):
        return None
    if name in _FUNCTIONS:
        return name, argument
    if name.startswith("Fn::"):
        raise AssemblyError(f"intrinsic function {name!r} is not supported locally; see docs/fidelity.md")
    return None


def references(value: Any) -> Iterator[str]:
    """Yield the logical names that a value refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        call = intrinsic(value)
        if call and call[0] == "Ref":
            yield str(call[1])
        elif call and call[0] == "Fn::GetAtt":
            yield _first(*call).split(".")[0]
        else:
            if call and call[0] == "Fn::Sub":
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^}!][^}]*)\}", _first(*call)))
            for item in value.values():
                yield from references(item)


def _first(name: str, argument: Any) -> str:
    """Return a function's argument, or the first one of several."""
    first = argument[0] if isinstance(argument, list) and argument else argument
    if not isinstance(first, str):
        raise AssemblyError(f"{name} cannot be resolved with {argument!r:.80}: it must begin with a text")
    return first


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise AssemblyError(f"Fn::Join takes strings, not {value}")
    return "true" if value is True else "false" if value is False else str(value)
