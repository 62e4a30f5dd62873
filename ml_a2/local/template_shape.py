"""The shape of a CloudFormation template: sections, and what of each entry is text, an object or a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ml_a2.errors import AssemblyError
from ml_a2.local.template import SECTIONS

TEXT = (str,)
SCALAR = (str, int, float)
# Of the entries of each section.
ATTRIBUTES: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "Parameters": {"Type": TEXT, "Default": SCALAR, "Description": TEXT, "NoEcho": SCALAR},
    "Resources": {
        "Type": TEXT, "Properties": (dict,), "DependsOn": (str, list), "Condition": TEXT, "DeletionPolicy": TEXT,
        "UpdateReplacePolicy": TEXT,
    },
    "Outputs": {"Description": TEXT, "Condition": TEXT},
    "Rules": {"Assertions": (list,)},
}  # fmt: skip
# Whose entries have logical names; those of metadata may be any.
NAMED = {"Parameters", "Resources", "Outputs", "Conditions"}
NAME = re.compile("[A-Za-z0-9]+")
REQUIRED = {"Outputs": "Value", "Rules": "Assertions"}


def check_shape(template: Mapping[str, Any]) -> None:
    """Refuse what is no template, whatever its values are.

    Raises:
        AssemblyError: names the section, the entry and the attribute.
    """
    if unknown := set(template) - SECTIONS:
        raise AssemblyError(f"template section {min(unknown)!r} is not supported locally; see docs/fidelity.md")
    if not isinstance(template.get("Description", ""), str):
        raise AssemblyError("template section 'Description' is no text")
    for section in SECTIONS - {"AWSTemplateFormatVersion", "Description"}:
        entries = template.get(section, {})
        if not isinstance(entries, dict):
            raise AssemblyError(f"template section {section!r} is no JSON object")
        for name, entry in entries.items() if section != "Metadata" else ():
            _check_entry(section, name, entry)
    if not template.get("Resources"):
        raise AssemblyError("the template has no resources")


def _check_entry(section: str, name: str, entry: Any) -> None:
    if section in NAMED and not NAME.fullmatch(name):
        raise AssemblyError(f"{name!r:.80} in template section {section!r} is non alphanumeric")
    if not isinstance(entry, dict):
        raise AssemblyError(f"{name!r} in template section {section!r} is no JSON object")
    if (required := REQUIRED.get(section)) and required not in entry:
        raise AssemblyError(f"{name!r} in template section {section!r} has no {required}")
    for attribute, types in ATTRIBUTES.get(section, {}).items():
        if attribute in entry and not isinstance(entry[attribute], types):
            value = f"{entry[attribute]!r:.80}"
            raise AssemblyError(f"{name!r} in template section {section!r}: {attribute} {value} is of another type")
    depends = entry.get("DependsOn", []) if section == "Resources" else []
    if not isinstance(depends, str) and not all(isinstance(target, str) for target in depends):
        raise AssemblyError(f"{name!r} in template section {section!r}: DependsOn names something other than resources")
    assertions = entry["Assertions"] if section == "Rules" else []
    if not all(isinstance(assertion, dict) and "Assert" in assertion for assertion in assertions):
        raise AssemblyError(f"{name!r} in template section {section!r} has an assertion without Assert")
