"""Until when AWS patches the tags of its XGBoost image."""

from __future__ import annotations

import datetime as dt

from ml_a2.contract import TRAINING_REPOSITORY
from ml_a2.finding import Finding
from ml_a2.image_uri import parse_image_uri

# Of the other tags no end is published.
PATCHED_UNTIL = {"3.0-5": dt.date(2026, 11, 17), "3.2-0": dt.date(2027, 5, 13)}


def unpatched(image: str, where: str, today: dt.date) -> Finding | None:
    """Return a warning where an image is used that AWS does not patch any more."""
    uri = parse_image_uri(image)
    if uri is None or uri.repository != TRAINING_REPOSITORY or uri.tag is None:
        return None
    until = PATCHED_UNTIL.get(uri.tag)
    if until is None or today <= until:
        return None
    problem = f"trains with {uri.repository}:{uri.tag}, which AWS has not patched since {until}"
    return Finding("warning", where, problem, "choose another training.image_version in the settings, and deploy")
