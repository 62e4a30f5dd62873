"""What is to be measured, and what comes of a part of it: text for the page, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure, and with what.

    Attributes:
        quick: small sizes and few repetitions, to try the measuring itself.
        full: also what takes gigabytes.
        cache: keeps data and the peers' environment from one measuring to the next.
        assembly: the synthesized assembly, at hand as for a second `ml-a2 run`.
        python: the interpreter of the peers.
        scratch: a folder for what the measured commands write.
        tell: hears of the progress.
    """

    quick: bool
    full: bool
    cache: Path
    assembly: Path
    python: Path
    scratch: Path
    tell: Callable[[str], None]

    @property
    def repetitions(self) -> int:
        """Return how often everything is run."""
        return 2 if self.quick else 5


@dataclass(frozen=True)
class Goal:
    """What a figure was meant to be, at most unless `at_least`."""

    what: str
    found: float
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Tell whether it is."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    @property
    def meant(self) -> str:
        """Say what it was meant to be."""
        return f"at {'least' if self.at_least else 'most'} {self.bound:g}{self.unit}"

    def __str__(self) -> str:
        """Say it for a person."""
        return f"{self.what}: {self.found:.2f}{self.unit}, meant to be {self.meant}"


@dataclass(frozen=True)
class Section:
    """What measuring one part found.

    Attributes:
        text: Markdown for the page.
        goals: what was meant to be.
        wrong: results that must not be, whatever they took: worthless comparisons, lost executions.
    """

    text: str
    goals: Sequence[Goal] = ()
    wrong: Sequence[str] = ()

    @property
    def page(self) -> str:
        """Return the text, with the goals and what is wrong below it."""
        parts = [self.text.strip()]
        if self.goals:
            rows = [(g.what, f"{g.found:.2f}{g.unit}", g.meant, _word(g)) for g in self.goals]
            parts.append(table(("goal", "found", "meant", ""), rows))
        parts += [f"**Wrong:** {each}." for each in self.wrong]
        return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _word(goal: Goal) -> str:
    return "met" if goal.met else "**missed**"
