"""What a terminal shows of an execution, and what a file gets of it."""

from __future__ import annotations

import io
from pathlib import Path

from ml_a2.client import Failure
from ml_a2.execution_events import LogLine, Pause, TrainingPlanned, TrainingRound
from ml_a2.local.run import RunResult
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


def test_a_result_ends_with_the_report_not_with_a_list_of_files(tmp_path: Path) -> None:
    """One line names the page to open; how many files there are is told, not each."""
    (tmp_path / "report.html").touch()
    (tmp_path / "curves.json").touch()
    stream = io.StringIO()
    with RunDisplay(stream) as display:
        display.result(RunResult("june", "SUCCEEDED", tmp_path, 6.9))
        display.following("ml-a2 report june --open")
    assert stream.getvalue().splitlines() == [
        "SUCCEEDED  june  6.9 s",
        f"  2 files in {tmp_path}",
        f"report: {tmp_path / 'report.html'}",
        "next: ml-a2 report june --open",
    ]


def test_nobody_misses_that_training_and_evaluation_differ(tmp_path: Path) -> None:
    """Both numbers stand below the status, and so does a training that gets worse, with its remedy."""
    stream = io.StringIO()
    pair = {"training": 1.0, "evaluation": 0.5}
    training = {"round": "last", "metrics": {"auc": pair}, "differing": ["auc"], "not_compared": []}
    with RunDisplay(stream) as display:
        display.plan(TrainingPlanned({"num_round": "60", "eval_metric": "logloss"}))
        for number in range(60):
            display.round(TrainingRound(number, {"validation-logloss": 0.3 + abs(number - 20) / 100}))
        display.result(RunResult("june", "SUCCEEDED", tmp_path, 6.9, evaluation={"training": training}))
    shown = stream.getvalue()
    assert (
        "  WARNING  the evaluation has not read the validation rows as the training did: auc 1 in the training" in shown
    )
    assert "0.5 here (last round)" in shown
    assert "gets worse on the validation rows: logloss 0.3 in round 21, 0.69 in the last, 60" in shown
    assert "`--set early_stopping_rounds=6`" in shown


def test_a_failure_has_the_advice_of_the_message(tmp_path: Path) -> None:
    """Below the reason and the last lines of the log."""
    stream = io.StringIO()
    failure = Failure("Training", "TrainingJobFailed", "no rows")
    result = RunResult(
        "june", "FAILED", tmp_path, 6.9, failure=failure, next_step="mend the cause", last_log_lines=("x",)
    )
    with RunDisplay(stream) as display:
        display.result(result)
    assert stream.getvalue().splitlines()[:6] == [
        "FAILED  june  6.9 s",
        "  stage  Training",
        "  error  TrainingJobFailed",
        "  cause  no rows",
        "  log    x",
        "  advice mend the cause",
    ]
