"""Findings of cdk-nag that are meant to be, each with its reason beside the resource.

They stand in the assembly's manifest, not in the template; a test asks for each of them, and for no other.
"""

from __future__ import annotations

from constructs import Construct

ACKNOWLEDGED = "ml-a2:acknowledged"


def acknowledge(construct: Construct, rule: str, reason: str) -> None:
    """Note why a construct, or what lies within it, does not follow a rule."""
    construct.node.add_metadata(ACKNOWLEDGED, {"rule": rule, "reason": reason})
