"""What a check found: something that would go wrong, or might."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One defect: where it is, what is wrong with it, and what to do; or what was not tried, and why."""

    severity: Literal["error", "warning", "untried"]
    where: str
    problem: str
    remedy: str

    def as_json(self) -> dict[str, str]:
        """Return the object that `--json` prints."""
        return asdict(self)

    def in_a_line(self) -> str:
        """Return all of it in one line."""
        return f"{self.where}: {self.problem}; {self.remedy}"
