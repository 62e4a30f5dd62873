"""Patterns of service models mean what they mean in Java."""

from __future__ import annotations

import pytest

from ml_a2.local.java_patterns import has_pattern


@pytest.mark.parametrize(
    ("pattern", "value", "matched"),
    [
        (r"[\w+=,.@-]+", "a_B1", True),
        (r"[\w+=,.@-]+", "\u00e9", False),
        (r"\w+", "\u00e9", False),
        (r"\d{2}", "12", True),
        (r"\d{2}", "\u0661\u0662", False),
        (r"a\sb", "a\u00a0b", False),
        (r"a\sb", "a\tb", True),
        (r"\S+", "\u00e9\u00a0", True),
        (r"\S+", "a b", False),
        (r"[\s\S]+", "a\n\u2028b", True),
        (r"\W\D", "`a", True),
        (r"[\W]", "_", False),
        (r"[\W]", "^", True),
        (r".*", "a\rb", False),
        (r".*", "\u2028", False),
        (r".*", "a b\t", True),
        (r"[.]", "a", False),
        (r"\.", "a", False),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "\u00e9 1", True),
        (r"[\u0020-\u00FF]+", "\u00e9", True),
        (r"[\u0020-\u00FF]+", "\u0100", False),
        (r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a--b", True),
        (r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a-", False),
        (r"\\", "\\", True),
        (r"(a+)+b", "a" * 40, False),
    ],
)
def test_classes_are_those_of_ascii_and_dots_match_within_lines(pattern: str, value: str, matched: bool) -> None:
    """Python's own classes hold every language's letters and digits."""
    assert has_pattern(pattern, value) is matched


def test_characters_beyond_16_bits_are_one_character() -> None:
    """Java writes their range as two halves, of which some service models are made."""
    pattern = r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*"
    assert has_pattern(pattern, "catalog \U0001f600\t")
    assert not has_pattern(pattern, "\x00")
