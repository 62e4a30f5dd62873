"""Whatever JSON is given for a definition, it is taken or refused by a rule, never by an accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_a2.errors import AssemblyError
from ml_a2.local.definition import check_definition
from ml_a2.local.states_language.functions import read_call
from ml_a2.local.states_language.paths import is_path, is_reference_path
from ml_a2.local.states_language.values import VALUES
from tests.local.states_language.machines import VALID

SETTINGS = settings(derandomize=True, max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = st.sampled_from(
    [*VALUES, "And", "Or", "Not", "Task", "Pass", "Fail", "$", "$.a", "A", "B", "States.ALL", "a.$"]
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 100_000_000) | st.floats(allow_nan=False) | WORDS
VALUE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=8
)
PATH_TEXT = st.text("$.[]()'\"\\@*?,: ab1=", max_size=12)
CALL_TEXT = st.text("$.()',{}\\ a1", max_size=12)


def _refusal(check: Callable[[], object]) -> str:
    """Return why something is refused; nothing where it is taken."""
    try:
        check()
    except AssemblyError as error:
        return str(error)
    return ""


def _places(value: Any) -> list[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inner for place in ((value, key), *_places(item))]


@given(number=st.integers(0, len(_places(VALID)) - 1), value=VALUE, name=WORDS)
@SETTINGS
def test_a_change_anywhere_is_taken_or_refused(number: int, value: Any, name: str) -> None:
    """Of a value, and of what stands beside it."""
    for beside in (False, True):
        definition = json.loads(json.dumps(VALID))
        owner, key = _places(definition)[number]
        owner[name if beside and isinstance(owner, dict) else key] = value
        assert len(_refusal(partial(check_definition, json.dumps(definition)))) < 1000


@given(text=PATH_TEXT.map(lambda text: f"${text}"))
@SETTINGS
def test_a_reference_path_is_a_path(text: str) -> None:
    """Of fewer forms."""
    assert is_path(text) or not is_reference_path(text)


@given(text=CALL_TEXT)
@SETTINGS
def test_any_text_is_a_call_or_refused(text: str) -> None:
    """To its last character."""
    for call in (text, f"States.Array({text})", f"States.Format('{text}')"):
        refusal = _refusal(partial(read_call, call, "/"))
        assert not refusal or " at /" in refusal
