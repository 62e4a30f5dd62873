"""Whatever a command does: it writes on any stream, and shows nobody a traceback."""

from __future__ import annotations

import sys
import threading
from io import BytesIO, TextIOWrapper
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from rich.table import Table

from ml_a2.cli.program import Program

NAMES = ("解約", "ταξη", "źdźbło", "Straße", "ק", "\U0001f600", "caf\udce9")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is written among temporary files in a folder of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def _run(error: BaseException, *, in_thread: bool = False) -> Result:
    program = Program("program")

    def fail() -> None:
        raise error

    @program.command()
    def command() -> None:
        if not in_thread:
            fail()
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()

    return CliRunner().invoke(program, ["command"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TypeError("first\nsecond\n\tat Kernel.load (program.js:1)"), "TypeError: first;"),
        (KeyError("Period"), "KeyError: 'Period';"),
        (RecursionError(), "internal error: RecursionError;"),
        (MemoryError(), "internal error: MemoryError;"),
        (ValueError("x" * 300_000), "ValueError: xxx"),
    ],
)
def test_an_error_that_nobody_foresaw_is_one_line(temporary: Path, error: Exception, words: str) -> None:
    """The line says where the traceback lies."""
    answer = _run(error)
    assert (answer.exit_code, answer.stdout) == (1, "")
    (line,) = answer.stderr.splitlines()
    (details,) = temporary.glob("ml-a2-error-*.log")
    assert words in line
    assert line.endswith(f"please report it with {details}")
    assert len(line) < 500
    trace = details.read_text(encoding="utf-8")
    assert trace.startswith("Traceback")
    assert type(error).__name__ in trace


def test_an_error_in_a_thread_is_one_line(temporary: Path) -> None:
    """What goes on beside a command ends as it does."""
    answer = _run(TypeError("in a thread"), in_thread=True)
    assert "TypeError: in a thread; this is a bug of ml-a2" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert len(list(temporary.glob("ml-a2-error-*.log"))) == 1


def test_a_thread_that_ends_itself_is_no_error(temporary: Path) -> None:
    """As the interpreter has it."""
    assert _run(SystemExit(3), in_thread=True).stderr == ""
    assert list(temporary.iterdir()) == []


def test_details_that_cannot_be_kept_are_left_out(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full or missing temporary folder must not hide the error itself."""
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "missing"))
    assert _run(TypeError("x")).stderr == "internal error: TypeError: x; this is a bug of ml-a2, please report it\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "cp932", "latin-1", "utf-8"])
def test_every_name_can_be_written_on_every_stream(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code page that lacks a character, or a name whose bytes are no UTF-8, ends no command."""
    written = {name: BytesIO() for name in ("stdout", "stderr")}
    for name, stream in written.items():
        monkeypatch.setattr(sys, name, TextIOWrapper(stream, encoding=encoding))
    program = Program("program")

    @program.command()
    def command() -> None:
        for name in NAMES:
            click.echo(name)
            click.echo(f"error: {name}", err=True)
        table = Table("name")
        for name in NAMES:
            table.add_row(name)
        Console(width=80).print(table)

    program.main(["command"], standalone_mode=False)
    for name, stream in written.items():
        getattr(sys, name).flush()
        text = stream.getvalue().decode(encoding.replace("ascii", "utf-8"))  # click takes such a stream for UTF-8
        assert text.count("caf") == (2 if name == "stdout" else 1)
        assert len(text.splitlines()) >= len(NAMES)
