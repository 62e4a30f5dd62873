"""The table of the States Language's rules in docs/fidelity.md, made of the rules: `make operations` writes it."""

from __future__ import annotations

from collections.abc import Iterator

from ml_a2.local.states_language.rules import Rule
from tests.operations_table import PAGE

BEGIN, END = "<!-- states language rules -->\n", "<!-- end of states language rules -->\n"
HEAD = "| rule | refused with | source | test |\n|---|---|---|---|\n"
# What reads the whole text, and what knows the services.
OF_DEFINITIONS = {Rule.JSON, Rule.REQUEST}


def table() -> str:
    """Return the table: a row a rule."""
    return HEAD + "".join(_rows())


def written(page: str, rows: str) -> str:
    """Return a page with the rows between its marks."""
    above, _, rest = page.partition(BEGIN)
    _, _, below = rest.partition(END)
    return above + BEGIN + rows + END + below


def _rows() -> Iterator[str]:
    for rule in Rule:
        module = "test_definition.py" if rule in OF_DEFINITIONS else "states_language/test_rules.py"
        where = module if rule in OF_DEFINITIONS else f"{module}, `{rule.name}`"
        sentence = rule.value.sentence.replace("|", "\\|")
        yield f"| {sentence} | {rule.value.code} | {rule.value.source} | {where} |\n"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
