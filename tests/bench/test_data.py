"""Made-up tables are always the same."""

from __future__ import annotations

from pathlib import Path

from bench import data


def test_tables_are_the_same_every_time(tmp_path: Path) -> None:
    """A size has its rows, both labels, a header where it is asked for, and nothing that depends on the moment."""
    for name, header in (("one", True), ("other", True), ("channel", False)):
        data.write(tmp_path / name, 300, 4, 1, header=header)
    text = (tmp_path / "one").read_text(encoding="utf-8")
    assert (tmp_path / "other").read_text(encoding="utf-8") == text
    header, _, rows = text.partition("\n")
    assert header == "target,f0,f1,f2,f3"
    assert (tmp_path / "channel").read_text(encoding="utf-8") == rows
    lines = rows.splitlines()
    assert len(lines) == 300
    assert {line.split(",")[0] for line in lines} == {"0", "1"}
    assert {len(line.split(",")) for line in lines} == {5}
