"""The schedule expressions of EventBridge rules: rate() and cron(), judged before EventBridge does.

EventBridge answers every other expression with "Parameter ScheduleExpression is not valid." and names no field.

Source: EventBridge User Guide, "Cron expressions" and "Rate expressions"; recorded answers to PutRule. Where neither
says whether a form is taken (a range that ends before it begins, a weekday's name before L), it is not, and the error
names another form that means the same. Ranges of weekdays that end before they begin, as MON-SUN, stand in many stacks
that are deployed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EXAMPLES = "rate(1 day), cron(0 3 ? * MON *)"
UNITS = ("minute", "hour", "day")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# The fifth week of a month is its last.
MOST_WEEKS = 5


@dataclass(frozen=True)
class Field:
    """A field of a cron expression: the numbers that it holds, names for them, and forms of its own."""

    name: str
    smallest: int
    largest: int
    names: tuple[str, ...] = ()
    takes_steps: bool = True
    wraps: bool = False
    # Patterns of whole fields beside lists of numbers, each with the group of its number where it has one.
    special: tuple[str, ...] = ()

    def check(self, text: str) -> None:
        """Refuse a text that the field does not take.

        Raises:
            ValueError: names the field and what it takes.
        """
        for pattern in self.special:
            if match := re.fullmatch(pattern, text):
                for number in match.groups():
                    self._number(number, text)
                return
        for element in text.split(","):
            self._check_element(element, text)

    def _check_element(self, element: str, text: str) -> None:
        """Refuse what is not `*`, a number, a range, or one of them with a step."""
        values, *steps = element.split("/")
        if len(steps) > 1 or (steps and not self.takes_steps):
            raise self._error(text)
        if values != "*":
            first, *last = values.split("-")
            numbers = [self._number(each, text) for each in (first, *last)]
            if len(last) > 1:
                raise self._error(text)
            if numbers[0] > numbers[-1] and not self.wraps:
                remedy = f"write two ranges: {first}-{self.largest},{self.smallest}-{last[0]}"
                raise ValueError(f"{self.name} {text!r}: the range {values} ends before it begins; {remedy}")
        for step in steps:
            if not (re.fullmatch(r"[0-9]{1,4}", step) and 1 <= int(step) <= self.largest):
                raise ValueError(f"{self.name} {text!r}: a step of {step or 'nothing'}; 1 to {self.largest} is allowed")

    def _number(self, text: str, field: str) -> int:
        if text in self.names:
            return self.smallest + self.names.index(text)
        if not re.fullmatch(r"[0-9]{1,4}", text) or not self.smallest <= int(text) <= self.largest:
            raise self._error(field)
        return int(text)

    def _error(self, text: str) -> ValueError:
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return ValueError(f"{self.name} {text!r} is not valid; {self.smallest} to {self.largest}{names} is allowed")


CRON = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("day of month", 1, 31, special=(r"\?", "L", "LW", r"([0-9]+)W")),
    Field("month", 1, 12, MONTHS),
    Field(
        "day of week",
        1,
        7,
        WEEKDAYS,
        takes_steps=False,
        wraps=True,
        special=(r"\?", "L", r"([0-9]+)L", rf"(\w+)#[1-{MOST_WEEKS}]"),
    ),
    Field("year", 1970, 2199),
)


def check_schedule_expression(expression: str) -> None:
    """Refuse an expression that EventBridge would not take.

    Raises:
        ValueError: names the field that is wrong, and what is allowed.
    """
    if expression.startswith("rate("):
        _check_rate(expression)
    elif match := re.fullmatch(r"cron\((.*)\)", expression):
        _check_cron(match[1])
    else:
        raise ValueError(f"must be rate(VALUE UNIT) or cron() with six fields: {EXAMPLES}")


def _check_rate(expression: str) -> None:
    match = re.fullmatch(r"rate\(([1-9][0-9]*) ([a-z]+)\)", expression)
    if not match or match[2] not in [unit if match[1] == "1" else f"{unit}s" for unit in UNITS]:
        raise ValueError("a rate is 1 minute, 1 hour or 1 day, or several minutes, hours or days: rate(1 day)")


def _check_cron(text: str) -> None:
    fields = text.split(" ")
    if len(fields) != len(CRON):
        names = ", ".join(field.name for field in CRON)
        raise ValueError(f"a cron expression has six fields with one blank between ({names}), this has {len(fields)}")
    for field, value in zip(CRON, fields, strict=True):
        field.check(value)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError("exactly one of day of month and day of week must be ?: cron(0 3 ? * MON *)")
