"""What the evaluation can tell a person."""

from __future__ import annotations


class EvaluationError(Exception):
    """The evaluation cannot be done; the message is for a person."""
