"""What a run on this machine suggests at its end, and the page that it opens."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ml_a2.cli.following import commands_after
from ml_a2.cli.opening import open_page
from ml_a2.client import Failure
from ml_a2.local.run import RunResult
from tests.records.manifests import execution, write_run


def _result(runs: Path, name: str, **more: object) -> RunResult:
    write_run(runs, name, execution=execution(name, started="2026-11-25T10:00:00.000+00:00"))
    return RunResult(**{"execution": name, "status": "SUCCEEDED", "run_directory": runs / name, "seconds": 6.9, **more})


def test_a_first_run_can_be_verified_and_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report first; what is deployed is what was executed."""
    monkeypatch.chdir(tmp_path)
    assembly = tmp_path / "my stack" / "cdk.out"
    assert commands_after(_result(tmp_path / "runs", "first"), assembly, opened=False) == [
        "ml-a2 report first --open",
        "ml-a2 verify first",
        "npx aws-cdk@2.160.0 deploy --app 'my stack/cdk.out'",
    ]


def test_a_second_run_is_compared_with_the_newest_that_has_metrics(tmp_path: Path) -> None:
    """One that failed has none; a report that is open already is not to be opened."""
    write_run(tmp_path, "older", execution=execution("older", started="2026-11-23T10:00:00.000+00:00"))
    write_run(tmp_path, "failed", metrics={})
    result = _result(tmp_path, "second")
    assert commands_after(result, tmp_path, opened=True)[0] == "ml-a2 compare older second"


def test_a_run_that_failed_is_looked_at(tmp_path: Path) -> None:
    """Neither compared nor deployed."""
    failure = Failure("Training", "TrainingJobFailed", "x")
    failed = _result(tmp_path, "bad", status="FAILED", failure=failure)
    assert commands_after(failed, tmp_path, opened=False) == ["ml-a2 report bad --open", "ml-a2 show bad"]


def test_a_page_is_opened_in_the_persons_browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one that the environment names, by a URL of the file."""
    seen = tmp_path / "seen"
    program = f"import sys; open({str(seen)!r}, 'w').write(sys.argv[1])"
    (tmp_path / "browser.py").write_text(program)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {tmp_path / 'browser.py'} %s")
    open_page(tmp_path / "report.html")
    assert seen.read_text() == (tmp_path / "report.html").as_uri()
    assert capsys.readouterr() == ("", f"opened {tmp_path / 'report.html'} in the browser\n")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a browser there")
@pytest.mark.parametrize("browser", [None, "false"])
def test_without_a_browser_the_path_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], browser: str | None
) -> None:
    """Where there is no screen none of the terminal is started, which would wait to be ended."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    if browser:
        monkeypatch.setenv("BROWSER", f"{browser} %s")
        monkeypatch.setattr("webbrowser._tryorder", [])
    open_page(tmp_path / "report.html")
    path = tmp_path / "report.html"
    assert capsys.readouterr() == ("", f"no browser could be started here: open {path} yourself\n")
