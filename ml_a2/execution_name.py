"""Names that Step Functions takes: of executions and of state machines."""

from __future__ import annotations

import re

LONGEST_NAME = 80
# AWS Step Functions API Reference, StartExecution, "name": "A name must not contain: white space, brackets, wildcard
# characters, special characters, control characters, surrogates, invalid characters".
NOT_ALLOWED = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0010ffff]')


def problem_with_name(name: str) -> str | None:
    """Return what Step Functions would refuse about a name, None where it takes it."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"it has {len(name)} characters, 1 to {LONGEST_NAME} may be"
    refused = sorted({*NOT_ALLOWED.findall(name)})
    if refused:
        return f"it has {', '.join(map(ascii, refused))}, which Step Functions does not take in a name"
    return None
