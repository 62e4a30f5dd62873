"""Three ways to do the same work: a plain script, a Metaflow flow and the pipeline; whether they found the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.data import TARGET, Tables
from bench.environment import PEERS
from bench.measure import Usage, measure
from bench.plan import Plan
from ml_a2.errors import PlatformError

PLAIN, METAFLOW, OURS = "plain script", "Metaflow", "ml-a2 run"
# The image scores the training rows after each round, too, which neither peer would.
SCORING = "plain script that scores the training rows, too"
# What the peers' PARAMETERS are; the image's base_score is 0.5 by itself.
HYPERPARAMETERS = {"num_round": "50", "max_depth": "6", "tree_method": "hist", "eval_metric": "auc"}
COMPARED = ("auc", "accuracy", "precision", "recall", "f1", "log_loss")
TOLERANCE = 1e-4
METRICS = "metrics.json"

Metrics = Mapping[str, float]


class DifferentResultsError(PlatformError):
    """Two ways did not find the same: what they took says nothing then."""


@dataclass(frozen=True)
class Work:
    """The work of all three on one size of data."""

    plan: Plan
    tables: Tables

    def ways(self) -> dict[str, Callable[[], Usage]]:
        """Return each way to run once; all must find the same metrics, every time.

        The callables raise DifferentResultsError where they do not.
        """
        return {
            PLAIN: self._checked(self._plain),
            SCORING: self._checked(lambda folder: self._plain(folder, "--score-training")),
            METAFLOW: self._checked(self._metaflow),
            OURS: self._checked(self._ours),
        }

    def _checked(self, run: Callable[[Path], tuple[Usage, Metrics]]) -> Callable[[], Usage]:
        def once() -> Usage:
            with TemporaryDirectory(dir=self.plan.scratch) as folder:
                usage, metrics = run(Path(folder))
            check_agreement(metrics, self._expected(metrics), str(self.tables.size))
            return usage

        return once

    def _expected(self, metrics: Metrics) -> Metrics:
        """Return the metrics that the first run on this data found."""
        path = self.plan.scratch / f"{self.tables.train.stem}-{METRICS}"
        if not path.is_file():
            path.write_text(json.dumps(dict(metrics)), encoding="utf-8")
        found: Metrics = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _plain(self, folder: Path, *options: str) -> tuple[Usage, Metrics]:
        files = [*options, str(self.tables.train), str(self.tables.validation), str(folder)]
        usage = measure([str(self.plan.python), str(PEERS / "plain_script.py"), *files], folder)
        return usage, _read(folder)

    def _metaflow(self, folder: Path) -> tuple[Usage, Metrics]:
        command = [str(self.plan.python), str(PEERS / "metaflow_flow.py"), "run"]
        options = {"train_file": self.tables.train, "validation_file": self.tables.validation, "output": folder}
        command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        own = {
            "METAFLOW_HOME": str(folder / "home"),  # no configuration of the person's
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder),
            "METAFLOW_USER": "bench",
        }
        return measure(command, folder, own), _read(folder)

    def _ours(self, folder: Path) -> tuple[Usage, Metrics]:
        usage = measure(run_command(self.plan.assembly, self.tables), folder)
        metrics: Metrics = json.loads(usage.output)["metrics"]
        return usage, metrics


def run_command(assembly: Path, tables: Tables) -> list[str]:
    """Return the pipeline's command: that of a person whose stack is synthesized already."""
    command = [sys.executable, "-m", "ml_a2.cli", "run", "--json", "--assembly", str(assembly)]
    command += ["--train", str(tables.train), "--validation", str(tables.validation), "--target-column", TARGET]
    return command + [word for pair in HYPERPARAMETERS.items() for word in ("--set", "=".join(pair))]


def check_agreement(found: Metrics, expected: Metrics, where: str) -> None:
    """Compare what one way found with what another did.

    Raises:
        DifferentResultsError: names the first metric that differs, or is missing.
    """
    for name in COMPARED:
        if name not in found or name not in expected:
            raise DifferentResultsError(f"{where}: not every way has the metric {name!r}")
        if not abs(found[name] - expected[name]) <= TOLERANCE:
            raise DifferentResultsError(
                f"{where}: {name} is {found[name]:.6f} for one way and {expected[name]:.6f} for another; their times "
                "cannot be compared before they do the same work"
            )


def _read(folder: Path) -> Metrics:
    metrics: Metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return metrics
