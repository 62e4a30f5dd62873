"""Numbers, times and names as a person reads them."""

from __future__ import annotations

import datetime as dt
from typing import Any

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
LONGEST_NAME = 80
HASH_LENGTH = 12


def short(value: float | None) -> str:
    """Return a number with about four digits that count."""
    if value is None:
        return NOTHING
    size = abs(value)
    if size < 1e9 and (isinstance(value, int) or size >= 1000):
        text = f"{value:,.0f}"
    elif size and (size < 1e-4 or size >= 1e9):
        text = f"{value:.3e}"
    else:
        digits = 4 if size <= 1 else 3 if size < 10 else 2 if size < 100 else 1
        text = f"{value:,.{digits}f}"
    return text.replace("-", MINUS)


def percent(share: float | None) -> str:
    """Return a share of one as per cent, never 100 or 0 for what is not all or nothing."""
    if share is None:
        return NOTHING
    digits = 0 if share in (0, 1) else 1
    text = f"{100 * share:.{digits}f}"
    if share < 1 and text == "100.0":
        return "> 99.9 %"
    return "< 0.1 %" if share > 0 and text == "0.0" else f"{text} %"


def duration(seconds: float | None) -> str:
    """Return a duration in the units that suit its length."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def moment(text: Any) -> str:
    """Return a point in time as UTC, to the second; a text that is none as it is."""
    try:
        time = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return name(text)
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def size(count: float | None) -> str:
    """Return a number of bytes in decimal units."""
    if count is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def name(value: Any, longest: int = LONGEST_NAME) -> str:
    """Return somebody's name for something, cut where it is too long to show."""
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def count(amount: int, thing: str, plural: str | None = None) -> str:
    """Return an amount with its noun."""
    return f"{amount:,} {thing if amount == 1 else plural or thing + 's'}"
