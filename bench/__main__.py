"""`make bench`, or `python -m bench`: measure side by side, print it, and write it into docs/performance.md."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from filelock import FileLock, Timeout

from bench import comparison, executions, machine, objects, reading, sizes, startup
from bench.environment import peers_python
from bench.page import written
from bench.plan import Plan, Section
from ml_a2.errors import PipelineError, UserError
from ml_a2.local.assembly import find_assembly

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "performance.md"
CACHE = PROJECT / ".bench"
# In this order: what most of all depends on a quiet machine comes first, what may take longest last.
PARTS: dict[str, Callable[[Plan], Section]] = {
    "startup": startup.run,
    "comparison": comparison.run,
    "reading": reading.run,
    "objects": objects.run,
    "executions": executions.run,
}
SIZES = "sizes"
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line names; return 1 when a result is not as it must be."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _plan(options) as plan:
            return _measure(plan, options)
    except KeyboardInterrupt:
        _tell("interrupted: what ran was ended, and parts that were finished are kept")
        return EXIT_INTERRUPTED
    except PipelineError as error:
        _tell(f"error: {error}")
        return EXIT_USAGE if isinstance(error, UserError) else EXIT_FAILED


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes and few repetitions, to try the measuring")
    parser.add_argument("--full", action="store_true", help="also 1,000,000 rows x 280 columns: 3 GB on disk")
    parser.add_argument("--only", action="append", choices=(*PARTS, SIZES), help="one part; may be repeated")
    parser.add_argument("--page", type=Path, help="where results go  [default: docs/performance.md; with --quick none]")
    options = parser.parse_args(arguments)
    if options.quick and options.full:
        parser.error("--quick and --full exclude each other")
    if options.page is None and not options.quick:
        options.page = PAGE
    return options


@contextmanager
def _plan(options: argparse.Namespace) -> Iterator[Plan]:
    """Make what is needed, and hold the place: two that measure at once would measure each other."""
    CACHE.mkdir(exist_ok=True)
    try:
        lock = FileLock(CACHE / "lock").acquire(timeout=0)
    except Timeout as error:
        raise UserError("another `make bench` runs, and the two would measure each other; wait for it") from error
    with lock, tempfile.TemporaryDirectory(prefix="ml-a2-bench-") as folder:
        python = peers_python(CACHE, _tell)
        # A copy: the project's own may be synthesized anew meanwhile.
        assembly = shutil.copytree(find_assembly(None, tell=_tell)[0], Path(folder, "cdk.out"))
        yield Plan(options.quick, options.full, CACHE, assembly, python, Path(folder), _tell)


def _measure(plan: Plan, options: argparse.Namespace) -> int:
    pictures = (options.page.parent if options.page else plan.scratch) / "performance"
    parts: dict[str, Callable[[Plan], Section]] = {**PARTS, SIZES: partial(sizes.run, pictures=pictures)}
    sections: list[Section] = []
    _keep(options.page, "machine", machine.describe())
    for name in options.only or parts:
        _tell(f"{name}:")
        section = parts[name](plan)
        sections.append(section)
        _keep(options.page, name, section.page)
    missed = [str(goal) for section in sections for goal in section.goals if not goal.met]
    wrong = [each for section in sections for each in section.wrong]
    for each in missed:
        _tell(f"missed: {each}")
    for each in wrong:
        _tell(f"wrong: {each}")
    return EXIT_FAILED if wrong else 0


def _keep(page: Path | None, name: str, text: str) -> None:
    print(f"\n{text}\n", flush=True)
    if page:
        page.write_text(written(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
