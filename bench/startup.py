"""How long one waits before anything begins: for the command line's help, and for an endpoint with the stack."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

from bench.measure import Running, Usage, measure
from bench.plan import Goal, Plan, Section, table
from bench.runs import Spread, interleaved, spread
from ml_a2.contract import STACK_NAME
from ml_a2.errors import PlatformError

HELP_SECONDS, READY_SECONDS, PATIENCE_SECONDS = 0.3, 2.0, 60
# From look to look whether the stack is complete: each takes its answer's time from the deployment.
LOOK_SECONDS = 0.05
HEAVY = ("aws_cdk", "moto", "xgboost", "pandas", "boto3", "botocore", "sklearn", "numpy")
EXTRA_REPETITIONS = 5
TIMED_IMPORT = "import time; began = time.perf_counter(); import ml_a2.cli; print(time.perf_counter() - began)"
NOTHING, HELP, IMPORT = "python -c pass", "ml-a2 --help", "import of the command line"


def run(plan: Plan) -> Section:
    """Measure the command line's import and help, then the endpoint."""
    repetitions = plan.repetitions + EXTRA_REPETITIONS
    commands = {
        NOTHING: lambda: measure([sys.executable, "-c", "pass"], plan.scratch),
        HELP: lambda: measure([sys.executable, "-m", "ml_a2.cli", "--help"], plan.scratch),
        IMPORT: lambda: measure([sys.executable, "-c", TIMED_IMPORT], plan.scratch),
    }
    runs = interleaved(commands, repetitions, plan.tell)
    imports = [float(usage.output) for usage in runs[IMPORT]]
    ready = interleaved({"endpoint ready": lambda: _ready(plan)}, plan.repetitions, plan.tell)["endpoint ready"]
    heavy = json.loads(measure([sys.executable, "-m", "bench.startup"], Path(__file__).parents[1]).output)
    memory = spread(ready, "largest_mb").median
    rows = [
        *((f"`{words}`", str(spread(runs[words], "seconds"))) for words in (NOTHING, HELP)),
        ("`import ml_a2.cli`, within a process", str(Spread.of(imports))),
        (
            f"`ml-a2 local up`, until it answers that the stack is complete; {memory:.0f} MB",
            str(spread(ready, "seconds")),
        ),
    ]
    return Section(
        table(("what", "seconds"), rows),
        [
            Goal(IMPORT, Spread.of(imports).median, HELP_SECONDS, " s"),
            Goal("endpoint ready", spread(ready, "seconds").median, READY_SECONDS, " s"),
        ],
        [f"the help of a command imports {', '.join(heavy)}"] if heavy else [],
    )


def _ready(plan: Plan) -> Usage:
    """Serve the stack, and end it as soon as the endpoint answers that it is there."""
    port = free_port()
    command = [sys.executable, "-m", "ml_a2.cli", "local", "up", "--port", str(port), "--assembly", str(plan.assembly)]
    began = time.perf_counter()
    with Running(command, plan.scratch) as server:
        while not _is_deployed(await_answer(server, port, "cloudformation")):
            time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - began
    return replace(server.usage(), seconds=seconds)


def _is_deployed(stacks: bytes) -> bool:
    return STACK_NAME.encode() in stacks and b"IN_PROGRESS" not in stacks


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(server: Running, port: int, service: str) -> bytes:
    """Return what a service of the endpoint lists, as soon as it listens: its buckets, or its stacks.

    Raises:
        PlatformError: it has ended, or does not listen in time.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := _list(port, service)) is None:
        if server.has_ended() or time.monotonic() > deadline:
            raise PlatformError(f"the endpoint does not answer: {server.last_words()}")
        time.sleep(0.01)
    return answer


def _list(port: int, service: str) -> bytes | None:
    scope = f"local/20260101/us-east-1/{service}/aws4_request"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/",
        data=b"Action=DescribeStacks&Version=2010-05-15" if service == "cloudformation" else None,
        headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # http, see above
            found: bytes = answer.read()
            return found
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return None  # it does not listen yet
        raise


def main() -> None:
    """Print the help of every command; tell what of the heavy packages was imported."""
    from ml_a2 import cli

    with contextlib.redirect_stdout(io.StringIO()):
        _print_help(cli.main, [])
    print(json.dumps([name for name in HEAVY if name in sys.modules]))


def _print_help(command: object, words: list[str]) -> None:
    import click

    from ml_a2 import cli

    cli.main([*words, "--help"], standalone_mode=False)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _print_help(inner, [*words, name])


if __name__ == "__main__":
    main()
