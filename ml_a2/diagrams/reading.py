"""A template becomes an architecture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_a2.diagrams.architecture import Architecture
from ml_a2.diagrams.flows import flows_of
from ml_a2.diagrams.stack import Stack


def read_architecture(template: Mapping[str, Any]) -> Architecture:
    """Read what is to be drawn out of a template.

    Raises:
        AssemblyError: names the resource that cannot be drawn.
    """
    stack = Stack.of(template)
    parts = tuple(stack.parts())
    ends = {*(part.id for part in parts), *stack.main.states}
    flows = tuple(flow for flow in dict.fromkeys(flows_of(stack)) if {flow.source, flow.target} <= ends)
    others = tuple(d.machine() for name, d in stack.definitions.items() if name != stack.main.id)
    return Architecture(parts, flows, stack.main.machine(), others)
