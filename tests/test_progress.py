"""What a terminal shows of an execution, and what a file gets of it."""

from __future__ import annotations

import io

from ml_a2.execution_events import LogLine, Pause, TrainingPlanned, TrainingRound
from ml_a2.progress import RunDisplay


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        return True


def _shown(stream: io.StringIO, *, lines: bool) -> str:
    with RunDisplay(stream, lines=lines) as display:
        display.plan(TrainingPlanned({"num_round": "1"}))
        display.line(LogLine("Training", "[algo-2] [0]\ttrain-auc:0.5"))
        display.round(TrainingRound(0, {"train-auc": 0.5}))
        display.pause(Pause("throttled", "Rate exceeded"))
        display.pause(Pause("", ""))
    return stream.getvalue()


def test_lines_of_a_log_are_plain_text_in_a_file() -> None:
    """Rounds are among them, and not told again."""
    assert _shown(io.StringIO(), lines=True).splitlines() == [
        "    training  [algo-2] [0]      train-auc:0.5",
        "  warning  throttled, waiting; the execution goes on: Rate exceeded",
        "  AWS answers again",
    ]


def test_rounds_are_told_where_no_lines_are() -> None:
    """A line each."""
    assert "    round 1/1  train-auc 0.50000\n" in _shown(io.StringIO(), lines=False)


def test_lines_of_a_log_stay_above_the_bar_of_a_terminal() -> None:
    """The bar is gone in the end."""
    shown = _shown(Terminal(), lines=True)
    assert "[algo-2] [0]      train-auc:0.5" in shown
    assert "round 1/1" not in shown
