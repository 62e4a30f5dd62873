"""Names of executions as people give them: whole, a part that only one of them has, or `last`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from ml_a2.errors import UserError

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
    raise UserError(f"{kind} {given!r} does not exist in {where}; {_there_are(given, names)}")


def _there_are(given: str, names: Sequence[str]) -> str:
    """Tell of a name that is like the one that was asked for, or of the newest ones."""
    if not names:
        return "there are none yet: `ml-a2 run` makes one"
    alike = get_close_matches(given, names, n=1, cutoff=0.75)
    meant = f"did you mean {alike[0]}? " if alike else ""
    return f"{meant}there is {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return f"{', '.join(names[:NAMES_TOLD])}{more}"
