"""XGBoost, imported without its wrappers of pandas and scikit-learn, which take a second and which no image uses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

WRAPPED = ("pandas", "sklearn")


@contextmanager
def without_wrappers() -> Iterator[None]:
    """Let XGBoost find neither of the two, unless one is imported already: it looks whether it was given their data."""
    absent = [name for name in WRAPPED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: importing it raises ImportError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with without_wrappers():
    import xgboost as xgb

__all__ = ["without_wrappers", "xgb"]
