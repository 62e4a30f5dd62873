"""The machine that was measured on, without its name."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from bench.environment import REQUIREMENTS
from bench.plan import table

PACKAGES = ("xgboost-cpu", "pandas", "numpy", "scikit-learn", "moto", "boto3", "werkzeug", "aws-cdk-lib")


def describe() -> str:
    """Return a table of what results depend on."""
    peers = pins(REQUIREMENTS)
    rows = [
        ("processor", f"{_model()}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{_memory_gb():.0f} GB"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("ours", ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        ("the peers'", f"the same xgboost, pandas, numpy and scikit-learn; metaflow {peers['metaflow']}"),
    ]
    return table(("", "measured on"), rows)


def pins(requirements: Path) -> dict[str, str]:
    """Return the versions that a file of requirements names, by package."""
    lines = [line.partition(";")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    return dict(line.split("==") for line in lines if "==" in line)


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    # Not every processor says its name there.
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unnamed")


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
