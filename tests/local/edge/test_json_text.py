"""JSON as AWS takes it."""

from __future__ import annotations

import pytest

from ml_a2.local.edge.json_text import DEEPEST, read_json


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NaN", "NaN is no JSON"),
        ("[-Infinity]", "-Infinity is no JSON"),
        ("1e999", "not JSON compliant"),
        ('"\\ud800"', "one half of a surrogate pair"),
        ('{"\\udc00": 1}', "one half of a surrogate pair"),
        (b"\xff", "decode"),
        ("9" * 5000, "4300 digits"),
        ("[" * 100_000, f"nested deeper than {DEEPEST} levels"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), f"nested deeper than {DEEPEST} levels"),
        ('{"a":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), f"nested deeper than {DEEPEST} levels"),
        ("", "Expecting value"),
    ],
)
def test_fails_with_what_is_wrong(text: str | bytes, words: str) -> None:
    """Each in a word that says what to mend."""
    with pytest.raises(ValueError, match=words):
        read_json(text)


def test_takes_what_is_json() -> None:
    """To the deepest level, in any characters."""
    assert read_json("[" * DEEPEST + "]" * DEEPEST)
    assert read_json('{"a": "\\ud83d\\ude00", "b": [1.5, null, true]}') == {"a": "\U0001f600", "b": [1.5, None, True]}
