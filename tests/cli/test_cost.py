"""`ml-a2 cost`, as a person calls it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ml_a2.cli import main
from tests.records.manifests import write_run

MINUTES = ("--training-minutes", "10", "--evaluation-minutes", "4")
TIMINGS = {
    "states": [{"name": "WaitForTraining", "visits": 20}, {"name": "PipelineSucceeded", "visits": 1}],
    "training_seconds": 90.0,
    "evaluation_seconds": 31.0,
    "speed": 100.0,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, assembly: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is called: a run, and a copy of the assembly."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "first", timings=TIMINGS)
    shutil.copytree(assembly, tmp_path / "assembly")
    return tmp_path


def _ml_a2(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cost", "--assembly", "assembly", *arguments])


def _json(*arguments: str) -> dict[str, Any]:
    answer = _ml_a2(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.count("\n") == 1
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def test_without_run_times_the_most_and_each_minute_are_told() -> None:
    """What an execution may cost, before anybody knows how long it takes."""
    text = _ml_a2().output
    assert "each minute of the training job: 0.00401 USD, without training volumes; 6 transitions of it" in text
    assert "at most, when the jobs run for as long as they may (MaxRuntimeInSeconds): 1.20 USD" in text
    assert "state transitions     1809 states: 480 polls of training and 120 polls of processing  0.04523" in text
    assert "a month with no execution and 0 GB in the buckets, USD" in text
    assert _json()["execution"] is None


def test_with_run_times_an_execution_is_told() -> None:
    """93 states, ten minutes and four minutes of an instance; each price with its day, each source once."""
    text = _ml_a2(*MINUTES).output
    assert (
        "93 states: 20 polls of training and 8 polls of processing  0.00233    0.000025 / transition, 2026-08" in text
    )
    assert "1 x ml.m5.xlarge for 600 s                                 0.03833    0.23 / hour, 2026-09-24 [2]" in text
    assert text.count("[2] AWS bulk price list, offer AmazonSageMaker") == 1


def test_as_json_everything_is_one_object() -> None:
    """Numbers as numbers, prices with day and source."""
    document = _json(*MINUTES, "--executions-per-month", "300", "--stored-gb", "5")
    transitions = document["execution"]["lines"][0]
    assert (transitions["quantity"], transitions["unit"], transitions["usd"]) == (93, "transition", 0.002325)
    assert document["seconds"] == {"training": 600, "processing": 240}
    assert document["at_most"]["usd"] > document["execution"]["usd"]
    assert document["month"]["usd"] > 300 * document["execution"]["usd"]
    assert {price["name"] for price in document["prices"]} >= {"transition", "training:ml.m5.xlarge", "alarm"}
    assert all(price["source"] and price["as_of"] for price in document["prices"])


def test_a_run_gives_its_own_times() -> None:
    """Those of the laptop are told as such."""
    document = _json("--run", "first")
    assert document["seconds"] == {"training": 90, "processing": 31}
    assert document["execution"]["lines"][0]["quantity"] == 15 + 3 * 2 + 3
    assert document["run"] == {"name": "first", "local": True, "transitions": 21}
    assert "with the run times of first on this laptop, not of an instance" in _ml_a2("--run", "first").output


def test_a_run_that_trained_nothing_has_no_training(folder: Path) -> None:
    """It is counted past the training."""
    write_run(folder / "runs", "given", timings={**TIMINGS, "training_seconds": None})
    document = _json("--run", "given")
    assert document["execution"]["lines"][0]["reckoning"] == "14 states: 2 polls of processing"
    assert all("training" not in line["what"] for line in document["execution"]["lines"])


def test_an_unknown_instance_type_has_time_but_no_price(folder: Path) -> None:
    """Until one is given."""
    template = next((folder / "assembly").glob("*.template.json"))
    template.write_text(template.read_text().replace("ml.m5.xlarge", "ml.x9.large"))
    text = _ml_a2(*MINUTES).output
    assert "1 x ml.x9.large for 600 s" in text
    assert "not known  --price training:ml.x9.large=USD" in text
    document = _json(*MINUTES, "--price", "ml.x9.large=6", "--price", "training-volume=0.1")
    assert document["execution"]["price_not_known"] == ["processing-volume"]
    assert document["execution"]["lines"][1]["usd"] == pytest.approx(1)


def test_a_region_without_prices_has_quantities(folder: Path) -> None:
    """Nothing is taken from another region."""
    document = _json(*MINUTES, "--region", "eu-west-3")
    assert (document["execution"]["usd"], document["prices"]) == (0, [])
    assert document["execution"]["lines"][0]["quantity"] == 93


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--training-minutes", "1"), "--evaluation-minutes is missing: an execution has both jobs"),
        (("--run", "first", *MINUTES), "--run tells the run times, and so do --training-minutes"),
        (("--run", "second"), "run 'second' does not exist in runs; there is first"),
        (("--settings", "pipeline.toml"), "--settings is read when the stack is synthesized"),
        (("--prices", "mine.toml"), "price file mine.toml cannot be read"),
        (("--price", "lunch=1"), "'lunch' is the price of nothing here"),
        (("--price", "ml.m5.xlarge"), "'ml.m5.xlarge' is not NAME=USD"),
        (("--price", "ml.m5.xlarge=-1"), "'ml.m5.xlarge=-1': a price is 0 USD or more"),
    ],
)
def test_fails_on_wrong_usage(arguments: tuple[str, ...], message: str) -> None:
    """With status 2, in one line."""
    answer = _ml_a2(*arguments)
    assert answer.exit_code == 2
    assert message in answer.output


def test_fails_on_a_run_without_times(folder: Path) -> None:
    """Such as one that failed before its evaluation."""
    write_run(folder / "runs", "failed")
    answer = _ml_a2("--run", "failed")
    assert answer.exit_code == 2
    assert "run 'failed' has no time of an evaluation in its manifest" in answer.output
