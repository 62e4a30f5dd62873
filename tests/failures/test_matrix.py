"""Every way to fail of the matrix, executed end to end: status, error, cause, messages, alarms, nothing left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_a2.local.rehearsal import Scenario, Stage
from ml_a2.local.runtime import LocalRuntime
from tests.failures import matrix
from tests.failures.interruptions import INTERRUPTIONS
from tests.failures.page import rows_of

CELLS = list(matrix.cells())


@pytest.fixture(scope="module")
def stage(assembly: Path) -> Iterator[Stage]:
    with LocalRuntime(speed=5000) as runtime:
        yield Stage(runtime, assembly)


@pytest.mark.xdist_group("failures")
@pytest.mark.parametrize("cell", CELLS, ids=[cell.name for cell in CELLS])
def test_a_failure_reaches_a_person_and_leaves_nothing(stage: Stage, cell: Scenario) -> None:
    """The execution ends as it must, exactly these messages and alarms go out, no job and no process is left."""
    result, processes = matrix.run(stage, cell)
    assert result.problems() == []
    assert processes == []


def test_the_page_has_every_cell() -> None:
    """docs/failures.md lists what is executed here, no more and no less."""
    assert [row[0] for row in rows_of(matrix.PAGE, matrix.TABLE_HEAD)] == [
        *(cell.name for cell in CELLS),
        *INTERRUPTIONS,
    ]
