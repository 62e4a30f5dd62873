"""Which Node runs the construct library."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ml_a2.infrastructure.node import use_supported_node


def _node(folder: Path, version: str) -> str:
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    return str(folder)


def test_uses_a_recent_node_on_the_path(tmp_path: Path) -> None:
    """Node 22 or newer on PATH needs no other."""
    environment = {"PATH": _node(tmp_path, "v22.1.0")}
    use_supported_node(environment)
    assert "JSII_NODE" not in environment


def test_replaces_an_old_node(tmp_path: Path) -> None:
    """An older Node on PATH is passed over for the packaged one, which runs."""
    environment = {"PATH": _node(tmp_path, "v20.20.2")}
    use_supported_node(environment)
    version = subprocess.run([environment["JSII_NODE"], "--version"], capture_output=True, text=True, check=True)
    assert int(version.stdout.lstrip("v").partition(".")[0]) >= 22


def test_brings_a_node_where_there_is_none() -> None:
    """Without any Node on PATH the packaged one is used."""
    environment = {"PATH": ""}
    use_supported_node(environment)
    assert Path(environment["JSII_NODE"]).is_file()


def test_leaves_a_choice_alone() -> None:
    """A JSII_NODE that is set is the person's choice."""
    environment = {"PATH": "", "JSII_NODE": "/their/node"}
    use_supported_node(environment)
    assert environment["JSII_NODE"] == "/their/node"
