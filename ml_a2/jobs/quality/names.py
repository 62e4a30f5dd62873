"""The person's own names of columns and classes, where columns.json lies beside evaluate.py."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from .errors import EvaluationError

FILE = "columns.json"


class Names(NamedTuple):
    """The target, the features in their order, and the classes by number; None where nobody told."""

    target: str | None
    features: list[str]
    classes: list[str] | None

    def number(self, feature: str) -> int:
        """Return the number of a feature by its name, or by f0, f1, ... as XGBoost itself calls them."""
        if feature in self.features:
            return self.features.index(feature)
        if feature[:1] == "f" and feature[1:].isdigit() and int(feature[1:]) < len(self.features):
            return int(feature[1:])
        known = ", ".join(repr(name) for name in self.features[:20])
        more = ", ..." if len(self.features) > 20 else ""
        message = "there is no feature {!r} to evaluate by; there are {}{}"
        raise EvaluationError(message.format(feature, known, more))


def read_names(folder: str, features: int, classes: int) -> Names:
    """Read the names; those of data with another number of columns or classes are not this model's.

    Raises:
        EvaluationError: the file is broken.
    """
    plain = Names(None, ["f{}".format(number) for number in range(features)], None)
    path = os.path.join(folder, FILE)
    if not os.path.isfile(path):
        return plain
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        names = Names(content["target"], list(content["features"]), content["classes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError("{} cannot be read: {!r}; upload it again".format(FILE, error)) from error
    if len(names.features) != features or len(names.classes or ()) not in (0, classes):
        print("{} describes other data than the model's: {} features".format(FILE, len(names.features)))
        return plain
    return names
