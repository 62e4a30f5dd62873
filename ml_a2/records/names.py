"""Names of executions as people give them: whole, a part that only one of them has, or `last`."""

from __future__ import annotations

from collections.abc import Sequence

from ml_a2.errors import UserError
from ml_a2.suggestions import did_you_mean

# The word for the newest execution, unless one is named so.
LAST = "last"
NAMES_TOLD = 5


def name_meant(given: str, names: Sequence[str], kind: str, where: object) -> str:
    """Return the name that is meant.

    Args:
        given: a name, a part of one, or `last`.
        names: those that there are, the newest first.
        kind: what they are names of, for errors.
        where: where they were looked for, for errors.

    Raises:
        UserError: none has such a part, or several have.
    """
    if given in names:
        return given
    if given == LAST and names:
        return names[0]
    found = [name for name in names if given and given in name]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{kind} {given!r} is ambiguous in {where}: {_listed(found)}; give more of the name, or {LAST!r} for "
            f"the newest {kind}"
        )
    there_are = f"there is {_listed(names)}" if names else "there are none yet: `ml-a2 run` makes one"
    raise UserError(f"{kind} {given!r} does not exist in {where}; {there_are}{did_you_mean(given, names)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return f"{', '.join(names[:NAMES_TOLD])}{more}"
