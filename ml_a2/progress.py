"""Show a run while it goes on: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from types import TracebackType
from typing import Any, Self, TextIO

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from ml_a2.client import Failure, metric_values
from ml_a2.execution_events import LogLine, Pause, StateEntered, TrainingPlanned, TrainingRound
from ml_a2.finding import Finding
from ml_a2.local.run import RunResult
from ml_a2.training_warnings import other_rows, worse_at_the_end

# In plain output, about this many lines for the rounds of one training.
ROUND_LINES = 10
LONGEST_CAUSE = 1024


class _BarDisplay:
    """Shows bars on a terminal and lines of text; as a context manager it leaves the terminal as it was."""

    def __init__(self, stream: TextIO | None, *columns: ProgressColumn) -> None:
        """Show on a stream, standard output without one."""
        self._console = Console(file=stream or sys.stdout, highlight=False, soft_wrap=True)
        self._bars = Bars(
            TextColumn("  {task.description}"),
            BarColumn(),
            *columns,
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._shown: set[str] = set()

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw no more."""
        self._bars.stop()

    def say(self, text: str) -> None:
        """Show a step of the preparation."""
        self._console.print(text, markup=False)

    def warn(self, text: str) -> None:
        """Show what would be ignored without a word."""
        self._console.print(f"  warning  {text}", style="yellow", markup=False)


class RunDisplay(_BarDisplay):
    """Hears of a run and shows it; as a context manager it leaves the terminal as it was."""

    def __init__(self, stream: TextIO | None = None, *, lines: bool = False) -> None:
        """Show on a stream, standard output without one; with every line of the logs, rounds are among them."""
        self._lines = lines
        metric = TextColumn("{task.fields[metric]}")
        super().__init__(stream, MofNCompleteColumn(), metric, TimeElapsedColumn())
        self._rounds = 0
        self._heard: list[TrainingRound] = []
        self._hyperparameters: Mapping[str, str] = {}
        self._training = self._bars.add_task("training", start=False, total=None, metric="", visible=False)

    def state(self, entered: StateEntered) -> None:
        """Show a state; of the polling loops the first wait only."""
        if entered.name in self._shown or entered.name.startswith("Describe") or entered.name.endswith("Status?"):
            return
        self._shown.add(entered.name)
        if entered.name == "WaitForTraining":
            self._bars.start_task(self._training)
        self._bars.update(self._training, visible=entered.name == "WaitForTraining")
        self._console.print(f"  {entered.name}", markup=False)

    def plan(self, planned: TrainingPlanned) -> None:
        """Expect that many training rounds."""
        self._hyperparameters = planned.hyperparameters
        rounds = planned.hyperparameters.get("num_round", "")
        if rounds.isdigit():  # anything else is for the job to refuse
            self._rounds = int(rounds)
            self._bars.update(self._training, total=self._rounds)

    def round(self, done: TrainingRound) -> None:
        """Show a training round with its metrics."""
        self._heard.append(done)
        metrics = "  ".join(f"{name} {value:.5f}" for name, value in done.metrics.items())
        self._bars.update(self._training, completed=done.number + 1, metric=metrics)
        every = max(1, self._rounds // ROUND_LINES)
        last = done.number + 1 == self._rounds
        if not (self._console.is_terminal or self._lines) and ((done.number + 1) % every == 0 or last):
            of = f"/{self._rounds}" if self._rounds else ""
            self._console.print(f"    round {done.number + 1}{of}  {metrics}", markup=False)

    def line(self, written: LogLine) -> None:
        """Show what a job wrote."""
        self._console.print(f"    {written.stage.lower()}  {written.text}", style="dim", markup=False)

    def pause(self, pause: Pause) -> None:
        """Show that nothing can be heard for a while, or can again."""
        if pause.reason:
            self.warn(f"{pause.kind}, waiting; the execution goes on: {pause.reason}")
        else:
            self.say("  AWS answers again")

    def permissions(self, result: RunResult) -> None:
        """Show what was granted and never used."""
        self._console.print("granted and never used in this execution:")
        for role, permissions in groupby(result.unused_permissions, key=lambda permission: permission.role):
            self._console.print(f"  {role}", style="bold", markup=False)
            for permission in permissions:
                self._console.print(f"    {permission.action}  {permission.resource}", markup=False)

    def ended(
        self, execution: str, status: str, seconds: float, failure: Failure | None, evaluation: Mapping[str, Any]
    ) -> None:
        """Show how an execution ended."""
        if metrics := metric_values(evaluation):
            self._console.print(_metrics_table(metrics, evaluation))
        style = "green" if status == "SUCCEEDED" else "red"
        self._console.print(f"{status}  {execution}  {seconds:.1f} s", style=style, markup=False)
        if words := other_rows(evaluation):
            self._console.print(f"  WARNING  {words}", style="bold red", markup=False)
        if words := worse_at_the_end(self._heard, self._hyperparameters, evaluation):
            self.warn(words)
        if failure:
            self._console.print(f"  stage  {failure.stage}", markup=False)
            self._console.print(f"  error  {failure.error}", markup=False)
            self._console.print(f"  cause  {_shortened(failure.cause)}", markup=False)

    def last_words(self, lines: Sequence[str]) -> None:
        """Show the end of the log of a job that failed."""
        for line in lines:
            self._console.print(f"  log    {line}", markup=False)

    def advice(self, next_step: str) -> None:
        """Show what the message to the topic advises."""
        if next_step:
            self._console.print(f"  advice {next_step}", markup=False)

    def following(self, *commands: str) -> None:
        """Show which commands are useful next."""
        for command in commands:
            self._console.print(f"next: {command}", markup=False)

    def result(self, result: RunResult) -> None:
        """Show what came of it, and where everything lies."""
        failure = result.failure
        self.ended(result.execution, result.status, result.seconds, failure, result.evaluation)
        self.last_words(result.last_log_lines if failure else ())
        self.advice(result.next_step if failure else "")
        if result.stand_in:
            self._console.print(f"  {result.stand_in}; see docs/fidelity.md", style="dim", markup=False)
        for incident in result.incidents:
            self.warn(incident)
        files = sum(path.is_file() for path in result.run_directory.rglob("*"))
        self._console.print(f"  {_counted(files, 'file')} in {result.run_directory}", style="dim", markup=False)
        self._console.print(f"report: {result.report}", style="bold", markup=False)


class UploadDisplay(_BarDisplay):
    """Shows how much of an upload is done: a bar on a terminal, a line for each object elsewhere."""

    def __init__(self, stream: TextIO | None, total: int) -> None:
        """Show on a stream, standard output without one; the total is in bytes."""
        super().__init__(stream, DownloadColumn(), TransferSpeedColumn())
        self._task = self._bars.add_task("uploading", total=total)

    def sent(self, key: str, size: int) -> None:
        """Show that so many bytes more of an object have gone up."""
        self._bars.advance(self._task, size)
        if not self._console.is_terminal and key not in self._shown:
            self._shown.add(key)
            self._console.print(f"  {key}", markup=False)


class CheckDisplay:
    """Hears of an examination and shows it: what is being done, what was found, and the verdict."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Show on a stream, standard output without one."""
        self._console = Console(file=stream or sys.stdout, highlight=False, soft_wrap=True)
        self._status = self._console.status("")

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw no more."""
        self._status.stop()

    def say(self, text: str) -> None:
        """Show what is being done."""
        self._status.update(escape(text))
        self._console.print(f"  {text}", style="dim", markup=False)

    def finding(self, found: Finding) -> None:
        """Show what was found."""
        style = {"error": "red", "warning": "yellow"}.get(found.severity, "magenta")
        self._console.print(f"{found.severity}  {found.where}: {_shortened(found.problem)}", style=style, markup=False)
        self._console.print(f"       {found.remedy}", markup=False)

    def verdict(self, findings: Sequence[Finding], wrong: int) -> None:
        """Show how it ends."""
        severities = [finding.severity for finding in findings]
        counts = f"{_counted(severities.count('error'), 'error')}, {_counted(severities.count('warning'), 'warning')}"
        untried = [finding.where for finding in findings if finding.severity == "untried"]
        # What is warned of fails nowhere, and may make the result worthless.
        end, style = ("fail", "yellow") if "warning" in severities else ("go wrong", "green")
        nothing = f"nothing {'that could be tried here ' if untried else ''}would {end}"
        words = f"{'something would go wrong' if wrong else nothing}: {counts}"
        style = "red" if wrong else "magenta" if untried else style
        self._console.print(words, style=style, markup=False)
        if untried:
            self._console.print(f"not tried: {', '.join(untried)}", style=style, markup=False)


def _metrics_table(metrics: Mapping[str, float], evaluation: Mapping[str, Any]) -> Table:
    """Show each metric with its confidence interval, what looks at no feature, and the champion where there is one."""
    intervals = evaluation.get("confidence_intervals", {}).get("metrics", {})
    baseline = evaluation.get("baseline", {}).get("metrics", {})
    champion = (evaluation.get("champion") or {}).get("metrics", {})
    table = Table("metric", "value", "95 % interval", "baseline", *(["champion"] if champion else []), box=SIMPLE)
    for name, value in metrics.items():
        interval = intervals.get(name)
        between = f"{interval['lower']:.5f} to {interval['upper']:.5f}" if interval else ""
        others = [f"{each[name]:.5f}" if name in each else "" for each in (baseline, *([champion] if champion else []))]
        table.add_row(name, f"{value:.5f}", between, *others)
    return table


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _shortened(cause: str) -> str:
    """Keep what fits on a screen; a cause may hold the whole state."""
    if len(cause) <= LONGEST_CAUSE:
        return cause
    return f"{cause[:LONGEST_CAUSE]} ... ({len(cause)} characters, all of them in history.json)"
