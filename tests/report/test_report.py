"""The report: what it says, whom it trusts, and how large it may become."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ml_a2.errors import UserError
from ml_a2.report import write_report
from ml_a2.report.page import read_page
from ml_a2.report.record import Record
from tests.report.run_files import history
from tests.report.samples import KINDS, Sample, sample

MOST_BYTES = 2_000_000
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;$\\frac{\x00\ud800'
FAILURE = {
    "stage": "Training",
    "error": "TrainingJobFailed",
    "cause": "Traceback\nValueError: could not convert 'x', exit code: 1",
    "next_step": "mend the cause and start a new execution",
}


class Parsed(HTMLParser):
    """A page taken apart: its elements, their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._outside = True
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._outside = tag != "style"

    def handle_data(self, data: str) -> None:
        if self._outside:
            self.text += f" {data}"

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


def report(run: Sample, folder: Path) -> Parsed:
    return Parsed(write_report(run.write(folder)))


@pytest.mark.parametrize(
    ("kind", "plots"),
    [
        ("binary", {"roc", "precision-recall", "calibration", "scores", "matrix"}),
        ("multiclass", {"calibration", "scores", "matrix", "classes"}),
        ("regression", {"predictions", "residuals", "calibration"}),
        ("ranking", {"group-ndcg"}),
    ],
)
def test_each_kind_has_its_plots(tmp_path: Path, kind: str, plots: set[str]) -> None:
    """A task gets the plots that belong to it, feature importance, provenance and states."""
    known = {"roc", "precision-recall", "calibration", "scores", "predictions", "residuals", "group-ndcg"}
    ids = set(report(sample(kind), tmp_path).ids)
    assert plots | {"metrics", "features", "made", "timing"} <= ids
    assert not (known - plots) & ids


@pytest.mark.parametrize("kind", KINDS)
def test_each_plot_has_words(tmp_path: Path, kind: str) -> None:
    """A plot is an image with a label, and stands in a figure with a caption and its numbers."""
    page = report(sample(kind), tmp_path)
    plots = [attributes for tag, attributes in page.elements if attributes.get("class") == "plot" and tag == "svg"]
    assert plots
    assert all(plot["role"] == "img" and len(plot["aria-label"] or "") > 60 for plot in plots)
    tags = Counter(tag for tag, _ in page.elements)
    assert tags["figure"] == tags["figcaption"] == len(plots) + ("matrix" in page.ids)
    assert sum(attributes.get("class") == "numbers" for _, attributes in page.elements) >= len(plots)


def test_identifiers_are_unique(tmp_path: Path) -> None:
    """No drawing points into another one."""
    assert max(Counter(report(sample("binary"), tmp_path).ids).values()) == 1


def test_nothing_is_loaded_and_no_style_stands_in_place(tmp_path: Path) -> None:
    """The page names no other place, so its strict policy takes nothing from it."""
    page = report(sample("binary"), tmp_path)
    assert not any("style" in attributes or "src" in attributes for _, attributes in page.elements)
    assert not {tag for tag, _ in page.elements} & {"script", "img", "iframe", "object", "base"}
    links = [attributes["href"] or "" for _, attributes in page.elements if "href" in attributes]
    assert not [link for link in links if ":" in link and link != "data:,"]


def test_the_verdict_comes_first(tmp_path: Path) -> None:
    """Gate, value, interval, baseline and champion stand above everything else."""
    run = sample("binary")
    run.manifest["gate"] = "passed"
    head = report(run, tmp_path).text.partition("Keep in mind")[0]
    assert "Passed the quality gate" in head
    assert all(word in head for word in ("95 % interval", "than the baseline", "than the champion"))


def test_without_a_gate_nothing_is_called_good(tmp_path: Path) -> None:
    """A run that nothing judged is told as one."""
    assert "No quality gate was set" in report(sample("binary"), tmp_path).text


def test_a_failure_tells_stage_error_reason_and_next_step(tmp_path: Path) -> None:
    """A run that failed in training has a page too, though there is no evaluation."""
    run = Sample(sample("binary").manifest, history=history(polls=1, failure=FAILURE))
    run.manifest["execution"]["status"] = "FAILED"
    run.manifest["failure"] = {key: FAILURE[key] for key in ("stage", "error", "cause")}
    page = report(run, tmp_path)
    assert "Failed in Training" in page.text
    assert "ValueError: could not convert 'x', exit code: 1. There is no evaluation" in page.text
    assert all(word in page.text for word in ("TrainingJobFailed", "Mend the cause and start a new execution."))
    assert "1 failed call: SageMaker.SageMakerException" in page.text
    assert "metrics" not in page.ids


def test_a_run_without_a_reason_says_how_it_ended(tmp_path: Path) -> None:
    """An aborted execution has no failure path, a timed out one no cause."""
    run = Sample(sample("binary").manifest, history=None)
    run.manifest["execution"]["status"] = "TIMED_OUT"
    assert "Timed out: " in report(run, tmp_path).text
    run.manifest["execution"]["status"] = "ABORTED"
    run.manifest["failure"] = {"stage": "WaitForTraining", "error": "Interrupted", "cause": ""}
    assert "Stopped in WaitForTraining" in report(run, tmp_path).text


def test_the_gate_shows_each_condition(tmp_path: Path) -> None:
    """A model that was turned down has the conditions with what they met, and its metrics below."""
    run = sample("binary")
    run.manifest |= {"gate": "failed"}
    run.manifest["execution"]["status"] = "FAILED"
    cause = "auc is 0.9917328, wanted at least 0.999; false_positive_rate is 0.05, wanted at most 0.1"
    run.manifest["failure"] = {"stage": "QualityGate", "error": "QualityGateFailed", "cause": cause}
    page = report(run, tmp_path)
    assert "Turned down by the quality gate" in page.text
    assert "auc at least 0.999 0.9917 missed" in page.text
    assert "false_positive_rate at most 0.1 0.0500 met" in page.text
    assert "metrics" in page.ids


@pytest.mark.parametrize(
    ("cause", "row"),
    [
        (
            "auc is 0.9 and its 95 percent interval ends at 0.85, of which at least 0.88 is wanted",
            "auc at least 0.88 interval ends at 0.8500 missed",
        ),
        (
            "rmse is 60.5, that of the champion on the same rows 50.25: worse by 10.25, wanted at most 0.5",
            "rmse at most 0.5 worse by 10.25 missed",
        ),
    ],
)
def test_the_gate_may_judge_intervals_and_champions(tmp_path: Path, cause: str, row: str) -> None:
    """What was judged is named where it is not the value itself."""
    run = sample("binary")
    run.manifest |= {"gate": "failed"}
    run.manifest["failure"] = {"stage": "QualityGate", "error": "QualityGateFailed", "cause": cause}
    assert row in report(run, tmp_path).text


def test_nominal_waits_and_injected_faults_are_told(tmp_path: Path) -> None:
    """Who reads the page must know that waits were shortened, and that a fault was asked for."""
    run = sample("ranking")
    run.manifest["request"]["faults"] = ["sagemaker:CreateTrainingJob=ThrottlingException*2"]
    text = report(run, tmp_path).text
    assert "Faults were injected on purpose: sagemaker:CreateTrainingJob=ThrottlingException*2." in text
    assert "WaitForTraining 5 1.5 s 2 min 30 s" in text
    assert "divided by 100" in text


def test_states_come_from_the_manifest_where_there_is_no_history(tmp_path: Path) -> None:
    """The timings that the manifest keeps are enough for a timeline."""
    run = sample("ranking")
    run.history = None
    assert "WaitForTraining" in report(run, tmp_path).text


def test_gate_words_of_another_kind_are_shown_as_they_are(tmp_path: Path) -> None:
    """A reason that is no list of bounds is not taken apart."""
    run = sample("binary")
    run.manifest |= {"gate": "failed", "failure": {"stage": "QualityGate", "error": "E", "cause": "the champion wins"}}
    assert "the champion wins" in report(run, tmp_path).text


def test_comparisons_are_words(tmp_path: Path) -> None:
    """Better, worse and the same are said, in the direction of the metric."""
    run = sample("regression")
    run.evaluation["baseline"]["metrics"] |= {"r2": run.evaluation["regression_metrics"]["r2"]["value"]}
    run.evaluation["champion"] = {"metrics": {"rmse": 50.0}, "worse_by": {"rmse": 10.25}}
    text = report(run, tmp_path).text
    assert all(words in text for words in ("better by", "worse by 10.25", "the same", "Worse than the champion in"))
    assert "R² is no better than the baseline's" in text


def test_undefined_metrics_keep_their_reason(tmp_path: Path) -> None:
    """A metric without a value says why."""
    assert "not defined: the labels are not 0 and 1 alone" in report(sample("ranking"), tmp_path).text


def test_small_slices_are_flagged(tmp_path: Path) -> None:
    """A slice with few rows says so, and is not named as the weakest."""
    run = sample("binary")
    small = next(entry for entry in run.evaluation["slices"] if entry["small"])
    small |= {"value": "the tiny one", "metrics": {"auc": 0.1}}
    text = report(run, tmp_path).text
    assert "few rows" in text.partition("the tiny one")[2][:40]
    assert "Weakest: mean radius = the tiny one" not in text


def test_the_rest_of_the_features_is_summed(tmp_path: Path) -> None:
    """Twenty features have a bar, the others one line."""
    run = sample("binary")
    run.curves["feature_importance"]["features"] = [{"feature": f"f{i}", "share": 0.02} for i in range(50)]
    text = report(run, tmp_path).text
    assert "f19 2.0 % 30 more features 60.0 %" in text


def test_without_curves_there_are_no_plots(tmp_path: Path) -> None:
    """A run whose evaluation has no curves keeps its metrics, and its matrix from evaluation.json."""
    run = sample("binary")
    matrix = {"0": {"0": 5, "1": 1}, "1": {"0": 0, "1": 6}}
    run.evaluation["binary_classification_metrics"]["confusion_matrix"] = matrix
    run.curves = None
    page = report(run, tmp_path)
    assert "no curves.json" in page.text
    assert "11 of 12 rows are predicted right" in page.text
    assert "roc" not in page.ids


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A file that is cut off is missing, and the page says so."""
    sample("binary").write(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"version": 0.0, "data')
    assert "evaluation.json is there but cannot be read" in Parsed(write_report(tmp_path)).text


def test_fails_without_a_manifest_and_keeps_what_was_there(tmp_path: Path) -> None:
    """A folder that is no run directory is named; an earlier report stays."""
    (tmp_path / "report.html").write_text("earlier")
    with pytest.raises(UserError, match=r"has no manifest\.json"):
        write_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_reads_runs_that_know_less(tmp_path: Path) -> None:
    """The manifest of an older run has neither gate nor files nor timings."""
    run = sample("binary")
    for key in ("gate", "failure", "code", "model", "evaluation_image", "stand_in", "seeds", "timings"):
        del run.manifest[key]
    for key in ("kind", "confidence_intervals", "baseline", "undefined", "slices", "champion"):
        del run.evaluation[key]
    run.curves = None
    assert "Trained and evaluated" in report(run, tmp_path).text


def test_what_a_run_was_warned_of_stands_in_its_verdict(tmp_path: Path) -> None:
    """Where the rows make an evaluation worthless, its numbers do not stand alone."""
    run = sample("binary")
    problem = "114 of 114 rows (100 %) are training rows, too: the evaluation would measure memory"
    run.manifest["warnings"] = [
        {"severity": "warning", "where": "v.csv", "problem": problem, "remedy": "hold out others"}
    ]
    assert f"v.csv: {problem}." in report(run, tmp_path).text


def test_the_learning_curve_marks_the_best_round(tmp_path: Path) -> None:
    """It is drawn from the log, told in words, and a training that gets worse is a caution with its remedy."""
    rounds = [f"[{n}]\ttrain-mae:{1 / (n + 1):.5f}\tvalidation-mae:{50 + abs(n - 30):.5f}" for n in range(100)]
    run = copy.deepcopy(sample("regression"))
    run.log = "\n".join(["starting", "[x]\tnot a round", "[7]\tneither is this", *rounds])
    run.manifest["hyperparameters"] = {"num_round": "100", "eval_metric": "mae"}
    page = report(run, tmp_path)
    assert "On the validation rows mae is best in round 31 with 50.00, and 119.0 in the last, 100." in page.text
    assert "The model is that of the last round." in page.text
    assert "best round: 31" in page.text
    assert "The training gets worse on the validation rows: mae 50 in round 31, 119 in the last, 100" in page.text
    assert "--set early_stopping_rounds=10" in page.text
    labels = [attributes.get("aria-label") or "" for _, attributes in page.elements]
    assert any(label.startswith("Learning curve. On the validation rows") for label in labels)


def test_a_training_that_stops_early_is_no_caution(tmp_path: Path) -> None:
    """Its model is the best round's."""
    run = copy.deepcopy(sample("regression"))
    run.log = "\n".join(f"[{n}]\tvalidation-mae:{1 + abs(n - 30) / 50:.5f}" for n in range(100))
    run.manifest["hyperparameters"] = {"eval_metric": "mae", "early_stopping_rounds": "70"}
    page = report(run, tmp_path)
    assert "The model is that of the best round." in page.text
    assert "gets worse" not in page.text


def test_a_training_on_other_rows_is_the_verdict(tmp_path: Path) -> None:
    """Whatever the gate said: neither number can be trusted."""
    run = copy.deepcopy(sample("binary"))
    assert run.evaluation is not None
    pair = {"training": 1.0, "evaluation": 0.5}
    run.evaluation["training"] = {"round": "best", "metrics": {"auc": pair}, "differing": ["auc"], "not_compared": []}
    page = report(run, tmp_path)
    assert "Not to be trusted" in page.text
    assert "The evaluation has not read the validation rows as the training did: auc 1 in the training" in page.text


def test_names_from_data_stay_text(tmp_path: Path) -> None:
    """Whatever a file says, it becomes no element, no attribute and no formula."""
    plain = report(sample("binary"), tmp_path / "plain")
    run = _hostile(sample("binary"))
    page = report(run, tmp_path / "hostile")
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"pre", "dl"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.text.count("<script>alert(1)</script>") > 20
    assert "{{ 7 * 7 }}" in page.text


@pytest.mark.parametrize("kind", KINDS)
def test_any_part_may_be_missing_or_something_else(kind: str) -> None:
    """A page is laid out from whatever a job left: each key gone, or of another kind."""
    run = sample(kind)
    for name in ("manifest", "evaluation", "curves"):
        for path in _paths(getattr(run, name), depth=2):
            for junk in (None, "x", [1, "x", None], {"x": {"y": None}}, -1, True):
                files = {n: copy.deepcopy(getattr(run, n)) for n in ("manifest", "evaluation", "curves")}
                parent: Any = files[name]
                for key in path[:-1]:
                    parent = parent[key]
                parent[path[-1]] = junk
                read_page(Record(**files, history=run.history))


def test_the_largest_report_stays_below_the_limit(tmp_path: Path) -> None:
    """50 classes, 1,000 features with long names, 200 slices, long curves, a history at its quota: at most 2 MB."""
    path = write_report(_largest().write(tmp_path))
    assert path.stat().st_size <= MOST_BYTES


def test_the_same_files_make_the_same_page(tmp_path: Path) -> None:
    """The report is a function of the files: another process writes the same bytes."""
    path = write_report(sample("binary").write(tmp_path))
    first = path.read_bytes()
    code = f"from pathlib import Path; from ml_a2.report import write_report; write_report(Path({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert path.read_bytes() == first


def test_importing_it_is_cheap() -> None:
    """Every command may import the package: plots and templates come with the first report."""
    code = "import sys, ml_a2.report; sys.exit(bool({'matplotlib', 'jinja2', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def _paths(tree: Any, depth: int) -> list[tuple[Any, ...]]:
    """Return the ways to every member, so many levels down."""
    if not depth or not isinstance(tree, dict):
        return []
    return [path for key in tree for path in [(key,), *((key, *below) for below in _paths(tree[key], depth - 1))]]


def _hostile(run: Sample) -> Sample:
    """Return the run with a hostile text wherever a file has words of somebody's own."""
    run.manifest |= {"gate": HOSTILE, "stand_in": HOSTILE, "training_image": HOSTILE, "template_sha256": HOSTILE}
    run.manifest["execution"] |= {"name": HOSTILE, "status": HOSTILE, "started": HOSTILE}
    run.manifest["failure"] = dict.fromkeys(("stage", "error", "cause"), HOSTILE)
    run.manifest["data"] |= dict.fromkeys(("train", "validation", "target_column"), HOSTILE)
    run.manifest["data"]["feature_columns"] = [HOSTILE]
    run.manifest["data"]["files"] = [dict.fromkeys(("channel", "key", "version_id", "sha256", "bytes"), HOSTILE)]
    run.manifest["problem"]["label_mapping"] = {HOSTILE: 0}
    run.manifest["hyperparameters"] = {HOSTILE: HOSTILE}
    run.manifest["versions"] = {HOSTILE: HOSTILE}
    run.evaluation["baseline"]["predictor"] = HOSTILE
    run.evaluation["undefined"] = {HOSTILE: HOSTILE}
    run.evaluation["confidence_intervals"]["metrics"]["auc"]["method"] = HOSTILE
    run.evaluation["slices"][0] |= {"column": HOSTILE, "value": HOSTILE}
    run.curves |= {"classes": [HOSTILE, HOSTILE], "target": HOSTILE}
    run.curves["feature_importance"] |= {"measure": HOSTILE, "features": [{"feature": HOSTILE, "share": 1.0}]}
    run.history = history(failure=dict.fromkeys(FAILURE, HOSTILE))
    for event in run.history:
        for details in ("stateEnteredEventDetails", "stateExitedEventDetails"):
            if details in event:
                event[details]["name"] = HOSTILE
    return run


def _largest() -> Sample:
    run = sample("multiclass")
    names = [f"{index} {'a long name ' * 20}" for index in range(1000)]
    run.manifest["data"]["feature_columns"] = names
    run.manifest["data"]["files"] = [{**run.manifest["data"]["files"][0], "key": name} for name in names]
    run.manifest["problem"]["label_mapping"] = {name: index for index, name in enumerate(names)}
    run.manifest["failure"] = {"stage": "s", "error": "e", "cause": "x" * 262_144}
    run.curves["classes"] = names[:50]
    run.curves["confusion_matrix"] = {"counts": [[1000 + row + column for column in range(50)] for row in range(50)]}
    run.curves["per_class"] = [{"class": i, "rows": 5, "precision": 0.1, "recall": 0.2, "f1": 0.3} for i in range(50)]
    run.curves["feature_importance"]["features"] = [{"feature": name, "share": 0.001} for name in names]
    curve = [index / 199 for index in range(200)]
    run.curves["roc"] = {"false_positive_rate": curve, "true_positive_rate": curve, "threshold": curve}
    run.curves["predictions"] = {"actual": [i / 499 for i in range(500)], "predicted": [i % 7 for i in range(500)]}
    values = json.loads(json.dumps(run.evaluation["multiclass_classification_metrics"]))
    numbers = {name: entry["value"] for name, entry in values.items()}
    run.evaluation["slices"] = [
        {"column": names[column], "value": names[value], "rows": 1000, "small": True, "metrics": numbers}
        for column in range(10)
        for value in range(20)
    ]
    run.history = history(polls=1350)
    return run
