"""The last value of each metric that a training job wrote: FinalMetricDataList of DescribeTrainingJob."""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections.abc import Mapping
from typing import Any

# A control character as the service's log agent writes it, and as the metric definitions expect it.
ESCAPED_TAB = "#011"
# No line of a metric is longer; of any other, the search for so many metrics could take longer than the job.
LONGEST_LINE = 4096


class FinalMetrics:
    """Reads a job's lines and keeps the newest value of each metric."""

    def __init__(self, definitions: Mapping[str, str]) -> None:
        """Take regular expressions by the metrics' names; the first group is the value."""
        self._definitions = {name: re.compile(expression) for name, expression in definitions.items()}
        self._found: dict[str, tuple[float, dt.datetime]] = {}

    def read(self, line: str, time: dt.datetime) -> None:
        """Look for metrics in a line that was written at this time."""
        line = line.replace("\t", ESCAPED_TAB)
        if ESCAPED_TAB not in line or len(line) > LONGEST_LINE:
            return
        for name, expression in self._definitions.items():
            # The channel and the metric stand in every such line as they do in the name.
            if name.replace(":", "-") in line and (found := expression.search(line)):
                value = in_32_bits(found[1])
                if value is not None:
                    self._found[name] = (value, time)

    def answer(self) -> list[dict[str, Any]]:
        """Return the metrics as the API answers them, times in whole seconds as seen there."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": time.replace(microsecond=0)}
            for name, (value, time) in self._found.items()
        ]


def in_32_bits(text: str) -> float | None:
    """Return a number as the API holds it; None for what CloudWatch takes no value of: text, NaN and infinities."""
    try:
        value: float = struct.unpack("<f", struct.pack("<f", float(text)))[0]
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
