"""Schedule expressions are judged as EventBridge judges them, and the wrong field is named."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_a2.schedule_expression import CRON, MONTHS, WEEKDAYS, check_schedule_expression

# Accepted by PutRule, as public test suites recorded it.
ACCEPTED = [
    "rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "rate(12 hours)", "rate(1 day)", "rate(365 days)",
    "cron(0 2 ? * SAT *)", "cron(0 12 * * ? *)", "cron(5,35 14 * * ? *)", "cron(15 10 ? * 6L 2002-2005)",
    "cron(0 2 ? * SAT#3 *)", "cron(* * ? * SAT#3 *)", "cron(0/5 5 ? JAN 1-5 2022)", "cron(0 8 1 * ? *)",
    "cron(0 18 ? * MON-FRI *)", "cron(0/10 * ? * MON-FRI *)", "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0/30 20-23 ? * MON-FRI *)", "cron(0/30 0-2 ? * MON-FRI *)", "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
    "cron(1-31/30 1-1 ? * 1,7 *)", "cron(0 10 ? * MON-SUN *)", "cron(0 10 ? * FRI-MON *)",
    "cron(*/1 * L * ? *)", "cron(0 9 3W * ? *)", "cron(0 9 LW FEB,APR ? 2026/2)",
    "cron(0 9 ? * L *)", "cron(0 9 ? * 2#5 *)",
]  # fmt: skip

# Refused by PutRule in the same recordings, in its issues, or by its user guide; with words that name the fault.
REFUSED = {
    "rate(10 seconds)": "a rate is", "rate(10 years)": "a rate is", "rate(1 minutes)": "a rate is",
    "rate(10 minute)": "a rate is", "rate()": "a rate is", "rate(10)": "a rate is", "rate(0 minutes)": "a rate is",
    "rate(-10 minutes)": "a rate is", "rate(10 MINUTES)": "a rate is", "rate( 10 minutes)": "a rate is",
    "rate(10  minutes)": "a rate is", "rate(1.5 days)": "a rate is", " rate(10 minutes)": "must be rate",
    "rate(1 day) ": "a rate is", "daily": "must be rate", "": "must be rate", "cron 0 3 ? * MON *": "must be rate",
    "at(2026-01-01T00:00:00)": "must be rate",
    "cron(0 1 * * * *)": "exactly one", "cron(0 1 ? * ? *)": "exactly one", "cron(0 1 1 * 1 *)": "exactly one",
    "cron(7 20 * * NOT *)": "day of week 'NOT'", "cron(INVALID)": "six fields", "cron(0 dummy ? * MON-FRI *)": "hours",
    "cron(71 8 1 * ? *)": "minutes '71'", "cron(0 3 ? * MON)": "six fields", "cron(0  3 ? * MON *)": "six fields",
    "cron(*/60 * * * ? *)": "minutes '*/60': a step of 60; 1 to 59", "cron(0/0 * * * ? *)": "a step of 0",
    "cron(0 */24 * * ? *)": "hours '*/24': a step of 24; 1 to 23", "cron(0/ * * * ? *)": "a step of nothing",
    "cron(15 12 ? * -1 *)": "day of week '-1'", "cron(15 12 ? * 0 *)": "day of week '0' is not valid; 1 to 7",
    "cron(15 12 ? * 8 *)": "day of week '8'", "cron(0 50 0,6,12,18 * ? *)": "hours '50' is not valid; 0 to 23",
    "cron(0 25 ? * MON *)": "hours '25'", "cron(60 3 ? * MON *)": "minutes '60'", "cron(0 3 0 * ? *)": "day of month",
    "cron(0 3 32 * ? *)": "day of month '32'", "cron(0 3 32W * ? *)": "day of month '32W'",
    "cron(0 3 1 0 ? *)": "month '0'", "cron(0 3 1 13 ? *)": "month '13'", "cron(0 3 1 * ? 1969)": "year '1969'",
    "cron(0 3 1 * ? 2200)": "year '2200'", "cron(0 3 ? * mon *)": "day of week 'mon'", "cron(0 3 ? * 2#6 *)": "week",
    "cron(0 3 ? * 3#1,6#3 *)": "day of week '3#1,6#3'", "cron(0 3 ? * 2/2 *)": "day of week '2/2'",
    "cron(0 3 ? * 8L *)": "day of week '8L'", "cron(0 22-2 * * ? *)": "write two ranges: 22-23,0-2",
    "cron(1,,2 3 ? * MON *)": "minutes '1,,2'",
    "cron(1-2-3 3 ? * MON *)": "minutes '1-2-3'", "cron(? 3 ? * MON *)": "minutes '?'", "cron(0 3 ? ? MON *)": "month",
    "cron(0 3 ?,1 * MON *)": "day of month '?,1'", "cron(0 3 1,L * ? *)": "day of month '1,L'",
    "cron(0 3 ? * MON *)\n": "must be rate", "cron(٣ 3 ? * MON *)": "minutes",
}  # fmt: skip


@pytest.mark.parametrize("expression", ACCEPTED)
def test_expressions_that_eventbridge_takes_are_taken(expression: str) -> None:
    """A refusal here would keep a schedule from somebody who may have it."""
    check_schedule_expression(expression)


@pytest.mark.parametrize(("expression", "words"), REFUSED.items())
def test_fails_with_the_field_that_is_wrong(expression: str, words: str) -> None:
    """EventBridge itself names none."""
    with pytest.raises(ValueError, match=re.escape(words)):
        check_schedule_expression(expression)


NAMES = {"month": MONTHS, "day of week": WEEKDAYS}


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.integers(0, 5), st.integers(-5, 2300), st.booleans())
def test_every_number_is_judged_by_its_fields_bounds(place: int, number: int, named: bool) -> None:
    """In each field what lies within is taken, and what lies outside is refused with the field's name."""
    field = CRON[place]
    texts = ["0", "3", "?" if field.name == "day of week" else "*", "*", "?", "*"]
    inside = field.smallest <= number <= field.largest
    names = NAMES.get(field.name)
    texts[place] = names[number - field.smallest] if named and names and inside else str(number)
    expression = f"cron({' '.join(texts)})"
    if inside:
        check_schedule_expression(expression)
    else:
        with pytest.raises(ValueError, match=f"^{field.name} '{number}' is not valid"):
            check_schedule_expression(expression)
