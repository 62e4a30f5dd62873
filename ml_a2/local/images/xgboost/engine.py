"""XGBoost, imported without its wrappers of pandas and scikit-learn, which take a second and which no image uses."""

from __future__ import annotations

import sys

WRAPPED = ("pandas", "sklearn")

_absent = [name for name in WRAPPED if name not in sys.modules]
sys.modules.update(dict.fromkeys(_absent))  # type: ignore[arg-type]  # None: importing it raises ImportError
try:
    import xgboost as xgb
finally:
    for _name in _absent:
        del sys.modules[_name]

__all__ = ["xgb"]
