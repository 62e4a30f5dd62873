"""The evaluation's modules lie beside evaluate.py, where it finds them itself once it is imported."""

from __future__ import annotations

from ml_a2.jobs import evaluate

__all__ = ["evaluate"]
