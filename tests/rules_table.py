"""The table of rules in docs/fidelity.md, made of the rules themselves: `make rules` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ml_a2.local.edge.rules import RULES
from tests.operations_table import TITLES

PAGE = Path(__file__).parents[1] / "docs" / "fidelity.md"
BEGIN, END = "<!-- rules -->\n", "<!-- end of rules -->\n"
HEAD = "| service | operations | rule | code | source | test |\n|---|---|---|---|---|---|\n"
# Services that botocore calls otherwise than requests are signed.
SIGNED = {"states": "stepfunctions", "monitoring": "cloudwatch"}


def table() -> str:
    """Return the table: a row for a rule; the test's cases stand in tests/local/edge/rules, under the rule's name."""
    return HEAD + "".join(_rows())


def written(page: str, rows: str) -> str:
    """Return a page with the rows between its marks."""
    above, _, rest = page.partition(BEGIN)
    _, _, below = rest.partition(END)
    return above + BEGIN + rows + END + below


def _rows() -> Iterator[str]:
    for rule in RULES:
        service = SIGNED.get(rule.service, rule.service)
        cells = (
            TITLES[service],
            ", ".join(rule.operations),
            rule.says.replace("|", "\\|"),
            rule.code,
            rule.source,
            f"`{service}.py`, {rule.name}",
        )
        yield f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
