"""What goes on in the endpoint, told to a person as it happens: a line for each thing that matters."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_a2.local.subscribers import write_outbox

# Of a reason: what fits on two lines of a terminal.
LONGEST_REASON = 120


class Activity:
    """Hears what the services do, tells it in lines, and brings emails into an outbox."""

    def __init__(self, tell: Callable[[str], None] | None = None, outbox: Path | None = None) -> None:
        """Tell who listens; without an outbox emails are not kept here."""
        self._tell = tell
        self._outbox = outbox
        self._statuses: dict[str, str] = {}
        # Jobs, executions and callers of SNS each have threads of their own.
        self._lock = threading.Lock()

    def execution(self, execution: Mapping[str, Any], status: str) -> None:
        """Hear that an execution, as DescribeExecution has it, started or ended."""
        name, machine = execution["name"], execution["stateMachineArn"].rpartition(":")[2]
        if status == "RUNNING":
            self._say(f"execution {name} of {machine}: RUNNING")
            return
        seconds = (execution["stopDate"] - execution["startDate"]).total_seconds()
        error = ": ".join(filter(None, (execution.get("error"), execution.get("cause"))))
        self._say(f"execution {name} of {machine}: {status} after {seconds:.1f} s{_reason(error)}")

    def job(self, description: Mapping[str, Any]) -> None:
        """Hear what a training or processing job is now, as its Describe call has it; each status is told once."""
        kind = "Training" if "TrainingJobName" in description else "Processing"
        name, status = description[f"{kind}JobName"], description[f"{kind}JobStatus"]
        with self._lock:
            known, self._statuses[name] = self._statuses.get(name), status
        if status != known:
            words = "created, InProgress" if known is None and status == "InProgress" else status
            self._say(f"{kind.lower()} job {name}: {words}{_reason(description.get('FailureReason', ''))}")

    def alarm(self, name: str, before: str, state: str, reason: str) -> None:
        """Hear that an alarm came from one state into another; that it has data at last is no alarm."""
        if "ALARM" in (before, state):
            self._say(f"alarm {name}: {state}{_reason(reason)}")

    def message(self, topic_arn: str, subject: str, text: str, addresses: Sequence[str], others: int) -> None:
        """Hear what a topic sends: to whom by email, and to how many other subscribers."""
        emails, rest = ", ".join(addresses), f"{others} other subscriber{'s' if others > 1 else ''}" if others else ""
        heard = " and ".join(filter(None, (emails, rest))) or "nobody: none is subscribed"
        self._say(f"message of {topic_arn.rpartition(':')[2]} to {heard}: {_first_line(subject or text)}")
        if self._outbox and addresses:
            self._keep(self._outbox, subject, text, addresses)

    def _keep(self, outbox: Path, subject: str, text: str, addresses: Sequence[str]) -> None:
        mail = {"Subject": subject, "Message": text, "Timestamp": dt.datetime.now(dt.UTC).isoformat()}
        try:
            with self._lock:
                write_outbox(outbox, [mail], addresses)
        except OSError as error:  # who publishes is not to blame
            self.incident(f"the email cannot be written to {outbox}: {error.strerror}")
        else:
            self._say(f"email written to {outbox}")

    def incident(self, text: str) -> None:
        """Hear what AWS would let go wrong without a word."""
        self._say(f"warning: {text}")

    def _say(self, text: str) -> None:
        try:
            if self._tell:
                self._tell(f"{dt.datetime.now().astimezone():%H:%M:%S}  {text}")
        except (
            OSError,
            ValueError,
        ):  # whoever read has gone, or the stream is closed, as `head` does; what was asked for goes on
            self._tell = None


def _reason(text: str) -> str:
    return f": {_first_line(text)}" if text else ""


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 3]}..."
