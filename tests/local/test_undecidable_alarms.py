"""Alarms that cannot be decided, which the engine may hold in spite of all checks, end nothing."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

from ml_a2.local import status_changes
from ml_a2.local.incidents import Incidents
from ml_a2.local.status_changes import StatusChanges
from ml_a2.local.template import Environment


class _Alarms:
    """Cannot be decided."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def evaluate(self, now: dt.datetime) -> None:
        self.asked.set()
        raise KeyError("Period")


def test_an_alarm_that_cannot_be_decided_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that follows every change goes on."""
    monkeypatch.setattr(status_changes, "EVALUATION_SECONDS", 0.01)
    alarms, incidents = _Alarms(), Incidents()
    nothing: Any = None
    where = Environment("123456789012", "us-east-1", "stack")
    changes = StatusChanges(nothing, nothing, alarms, incidents, where)  # type: ignore[arg-type]  # fakes
    changes.start()
    for _ in range(3):
        alarms.asked.clear()
        assert alarms.asked.wait(20)
    changes.close()
    assert "the alarms could not be evaluated" in incidents.all()[0]


def test_who_waits_for_what_follows_is_not_left_waiting_by_the_end() -> None:
    """A change that comes in after the end is followed by nobody."""
    nothing: Any = None
    changes = StatusChanges(nothing, nothing, nothing, Incidents(), Environment("123456789012", "us-east-1", "stack"))
    changes.start()
    changes.close()
    changes.count("AWS/Events", "FailedInvocations", {})
    waiting = threading.Thread(target=changes.settle, daemon=True)
    waiting.start()
    waiting.join(60)
    assert not waiting.is_alive()
