"""What the pipeline costs beside a plain script as the data grows: whether it adds a constant, or a share."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.data import Size, tables
from bench.measure import Usage
from bench.plan import Plan, Section, table
from bench.runs import interleaved, spread
from bench.ways import OURS, PLAIN, DifferentResultsError, Work

ROWS, COLUMNS = (1_000, 10_000, 100_000, 1_000_000), (28, 280)
# Tables of more cells than this are for --quick too large, and without --full.
CELLS_IF_QUICK, CELLS = 100_000 * 28, 1_000_000 * 28
REPETITIONS, REPETITIONS_IF_QUICK = 3, 1
PICTURE = "sizes.svg"


@dataclass(frozen=True)
class Cost:
    """What one size took, medians."""

    rows: int
    columns: int
    plain_seconds: float
    seconds: float
    plain_mb: float
    mb: float


def run(plan: Plan, pictures: Path) -> Section:
    """Measure every size, and draw the times and the memory into a folder."""
    costs: list[Cost] = []
    try:
        costs.extend(_measure(plan, size) for size in sizes(plan))
    except DifferentResultsError as error:
        return Section(_text(costs), wrong=[str(error)])
    command = [sys.executable, "-m", "bench.sizes", str(pictures / PICTURE)]
    given = json.dumps([asdict(cost) for cost in costs])
    subprocess.run(command, input=given, text=True, check=True, cwd=Path(__file__).parents[1])
    alt = "Seconds and memory of the pipeline and of a plain script, by rows, for 28 and 280 columns"
    return Section(f"![{alt}](performance/{PICTURE})\n\n{_text(costs)}")


def sizes(plan: Plan) -> list[Size]:
    """Return what is measured: a tenth as many rows to validate on as to train on."""
    most = CELLS_IF_QUICK if plan.quick else max(ROWS) * max(COLUMNS) if plan.full else CELLS
    return [Size(rows, rows // 10, columns) for columns in COLUMNS for rows in ROWS if rows * columns <= most]


def _measure(plan: Plan, size: Size) -> Cost:
    data = tables(size, plan.cache, plan.tell)
    plan.tell(f"{size}, {data.megabytes:.1f} MB")
    ways = {way: call for way, call in Work(plan, data).ways().items() if way in (PLAIN, OURS)}
    runs = interleaved(ways, REPETITIONS_IF_QUICK if plan.quick else REPETITIONS, plan.tell)
    return Cost(size.rows, size.columns, *_medians(runs, "seconds"), *_medians(runs, "largest_mb"))


def _medians(runs: dict[str, list[Usage]], value: str) -> tuple[float, float]:
    return spread(runs[PLAIN], value).median, spread(runs[OURS], value).median


def _text(costs: Sequence[Cost]) -> str:
    head = ("rows", "columns", PLAIN, OURS, "more", "ratio", f"largest process: {PLAIN}", OURS, "ratio")
    return table(head, [_row(cost) for cost in costs])


def _row(cost: Cost) -> tuple[str, ...]:
    return (
        f"{cost.rows:,}",
        str(cost.columns),
        f"{cost.plain_seconds:.2f} s",
        f"{cost.seconds:.2f} s",
        f"{cost.seconds - cost.plain_seconds:+.2f} s",
        f"{cost.seconds / cost.plain_seconds:.2f}",
        f"{cost.plain_mb:.0f} MB",
        f"{cost.mb:.0f} MB",
        f"{cost.mb / cost.plain_mb:.2f}",
    )


def draw(costs: Sequence[Cost], path: Path) -> None:
    """Draw seconds and memory by rows, a column of plots for each number of columns."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    mpl.rcParams["svg.hashsalt"] = "sizes"  # the same figures make the same file
    figure = Figure(figsize=(9, 6), layout="constrained")
    plots = figure.subplots(2, len(COLUMNS), sharex=True, sharey="row", squeeze=False)
    quantities = (("seconds", "plain_seconds", "seconds"), ("MB, largest process", "plain_mb", "mb"))
    for row, (words, of_plain, of_ours) in zip(plots, quantities, strict=True):
        for plot, columns in zip(row, COLUMNS, strict=True):
            shown = [cost for cost in costs if cost.columns == columns]
            rows = [cost.rows for cost in shown]
            plot.loglog(rows, [getattr(cost, of_plain) for cost in shown], "s--", color="#666666", label=PLAIN)
            plot.loglog(rows, [getattr(cost, of_ours) for cost in shown], "o-", color="#0b5cad", label=OURS)
            plot.set(title=f"{columns} columns", xlabel="training rows", ylabel=words)
            plot.yaxis.set_major_formatter(LogFormatter())
            plot.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.4)))
            plot.grid(which="both", alpha=0.3)
    plots[0][0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Draw what standard input tells."""
    parser = argparse.ArgumentParser(description=draw.__doc__)
    parser.add_argument("path", type=Path)
    draw([Cost(**each) for each in json.load(sys.stdin)], parser.parse_args().path)


if __name__ == "__main__":
    main()
