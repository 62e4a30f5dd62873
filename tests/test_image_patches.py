"""Images that AWS does not patch any more."""

from __future__ import annotations

import datetime as dt

import pytest

from ml_a2.image_patches import unpatched

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "today", "expected"),
    [
        (f"{REGISTRY}/sagemaker-xgboost:3.0-5", dt.date(2026, 11, 17), None),
        (
            f"{REGISTRY}/sagemaker-xgboost:3.0-5",
            dt.date(2026, 11, 18),
            "trains with sagemaker-xgboost:3.0-5, which AWS has not patched since 2026-11-17",
        ),
        (f"{REGISTRY}/sagemaker-xgboost:1.7-1", dt.date(2030, 1, 1), None),
        (f"{REGISTRY}/mine:3.0-5", dt.date(2030, 1, 1), None),
        ("no image", dt.date(2030, 1, 1), None),
    ],
)
def test_warns_once_the_patches_have_ended(image: str, today: dt.date, expected: str | None) -> None:
    """From the day after the last one on, of AWS's own image alone."""
    warning = unpatched(image, "state CreateTrainingJob", today)
    assert (warning.problem if warning else None) == expected
    if warning:
        assert (warning.severity, warning.where) == ("warning", "state CreateTrainingJob")
