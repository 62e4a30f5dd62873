"""A value of another kind than it should be is named with its place; what fits is passed over."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.records.shape import COUNT, NUMBER, TEXT, misfit

SHAPE = {"a": str, "b": [{"c": NUMBER}], "d": (None, {"*": TEXT}), "e": COUNT}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": "x", "b": [], "d": None, "e": None},
        {"a": "x", "b": [{"c": 1}, {"c": 0.5, "other": []}], "d": {"x": "y", "z": None}, "e": 3, "unknown": 1},
    ],
)
def test_what_fits_is_passed_over(value: Any) -> None:
    """Keys may be missing, and others may be there."""
    assert misfit(value, SHAPE) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1, "'' must be an object, not 1"),
        ({"a": None}, "'a' must be text, not None"),
        ({"b": {}}, "'b' must be a list, not {}"),
        ({"b": [{"c": 1}, {"c": "1"}]}, "'b[1].c' must be a number, not '1'"),
        ({"d": []}, "'d' must be an object, not []"),
        ({"d": {"x": 1}}, "'d.x' must be text or null, not 1"),
        ({"e": "y" * 1000}, "'e' must be a number or null, not '" + "y" * 79),
    ],
)
def test_what_does_not_fit_is_named(value: Any, words: str) -> None:
    """With what it should be, and the beginning of what it is."""
    assert misfit(value, SHAPE) == words
