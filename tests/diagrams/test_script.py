"""The walkthrough: what it shows comes from histories, in their order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ml_a2.diagrams.architecture import Architecture
from ml_a2.diagrams.reading import read_architecture
from ml_a2.diagrams.script import Story, Visit, beats_of, visits_of

FAILING = (
    "CreateTrainingJob", "WaitForTraining", "DescribeTrainingJob", "TrainingStatus?", "FindLogStream", "LogFound?",
    "ReadLastLines", "MoreLines?", "MoreLines?", "NotifyFailure", "PipelineFailed",
)  # fmt: skip


@pytest.fixture(scope="module")
def plan(template: dict[str, Any]) -> Architecture:
    return read_architecture(template)


@pytest.fixture
def failing() -> Story:
    visits = tuple(Visit(name, 30 if name.startswith("Wait") else 0.1) for name in FAILING)
    others = ((Visit("LetCallsSettle", 30), Visit("ReadHistory", 0.1), Visit("DescribeTrainingJob", 0.1)),)
    return Story("it fails", "FAILED", visits, others, ("the Training stage failed", 'ALARM: "Failed"'))


def test_a_history_becomes_visits_with_nominal_waits() -> None:
    """A wait takes what the definition says, everything else what was measured."""
    began = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    history = [
        {"timestamp": began, "stateEnteredEventDetails": {"name": "Wait"}},
        {"timestamp": began + dt.timedelta(seconds=0.3), "stateExitedEventDetails": {"name": "Wait"}},
        {"timestamp": began + dt.timedelta(seconds=0.3), "stateEnteredEventDetails": {"name": "Call"}},
        {"timestamp": began + dt.timedelta(seconds=2.3), "executionFailedEventDetails": {}},
    ]
    assert visits_of(history, {"Wait": 30}) == (Visit("Wait", 30), Visit("Call", 2))


def test_beats_come_in_the_order_of_the_history(plan: Architecture, failing: Story) -> None:
    """A state that is visited again and again without another between is one beat."""
    states = {state.name for state in plan.machine.states}
    shown = [beat.now for beat in beats_of(plan, failing) if beat.now in states]
    assert shown == list(dict.fromkeys(FAILING))


def test_one_sees_the_notification_leave(plan: Architecture, failing: Story) -> None:
    """From the state to the topic, from there to the subscribers, with its subject; then the alarm speaks."""
    beats = beats_of(plan, failing)
    topic = next(part.id for part in plan.parts if part.kind == "topic")
    sent = next(i for i, beat in enumerate(beats) if ("NotifyFailure", topic) in beat.arrows)
    assert beats[sent + 1].arrows == ((topic, f"{topic}-subscribers"),)
    assert "the Training stage failed" in beats[sent + 1].detail
    assert any(beat.arrows == (("alarms", topic),) and "ALARM" in beat.detail for beat in beats[sent + 2 :])


def test_the_clean_up_is_shown_only_when_it_ran(plan: Architecture, failing: Story) -> None:
    """What no execution did lights nothing."""
    clean_up = plan.others[0].id
    assert any(beat.now == clean_up for beat in beats_of(plan, failing))
    alone = Story(failing.title, failing.status, failing.visits, (), failing.messages)
    assert not any(beat.now == clean_up for beat in beats_of(plan, alone))


def test_a_job_at_work_is_lit_until_it_is_over(plan: Architecture, failing: Story) -> None:
    """Then it is shown as failed."""
    beats = {beat.now: beat for beat in beats_of(plan, failing)}
    assert beats["WaitForTraining"].jobs == ("TrainingJob",)
    assert beats["TrainingStatus?"].failed == ("TrainingJob",)
    assert beats["TrainingStatus?"].jobs == ()


def test_a_long_story_takes_no_longer(plan: Architecture, failing: Story) -> None:
    """A thousand polls are fitted to the time of a take."""
    polls = [Visit(name, 30) for _ in range(1000) for name in FAILING[1:4]]
    long = Story("long", "FAILED", (*failing.visits[:1], *polls, *failing.visits[4:]), (), ())
    assert sum(beat.seconds for beat in beats_of(plan, long)) <= 12
