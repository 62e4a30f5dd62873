"""The regular expressions of service models, which the services match with Java's engine.

Source: java.util.regex.Pattern, "Predefined character classes" and "Line terminators": without flags, digits, words and
white space are those of ASCII, and a dot matches no line terminator.
"""

from __future__ import annotations

from functools import lru_cache

import regex

# Inside of a character class; outside one they stand in brackets.
CLASSES = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "a-zA-Z0-9_",
    "W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    "s": r" \t\n\x0b\f\r",
    "S": r"\x00-\x08\x0e-\x1f!-\U0010ffff",
}
NO_LINE_TERMINATOR = r"[^\n\r\x85\u2028\u2029]"
# A pattern that takes longer on a value is none that this value is meant for.
PATTERN_SECONDS = 1


def has_pattern(pattern: str, value: str) -> bool:
    """Tell whether a whole value has a pattern, in bounded time: some patterns take exponential time to say no."""
    try:
        return _compiled(pattern).fullmatch(value, timeout=PATTERN_SECONDS) is not None
    except TimeoutError:
        return False


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(_translated(pattern))


def _translated(pattern: str) -> str:
    """Return the pattern with Java's classes written out."""
    parts: list[str] = []
    # Java's UTF-16 for the characters beyond U+FFFF.
    rest, depth = iter(pattern.replace("\\uD800\\uDC00-\\uDBFF\\uDFFF", "\\U00010000-\\U0010ffff")), 0
    for character in rest:
        if character == "\\":
            parts.append(_escape(next(rest, ""), within=depth > 0))
            continue
        depth += (character == "[") - (character == "]" and depth > 0)
        parts.append(NO_LINE_TERMINATOR if character == "." and not depth else character)
    return "".join(parts)


def _escape(letter: str, *, within: bool) -> str:
    if letter not in CLASSES:
        return f"\\{letter}"
    return CLASSES[letter] if within else f"[{CLASSES[letter]}]"
