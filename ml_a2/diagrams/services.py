"""The services of a stack, and what it has of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ml_a2.diagrams.expressions import properties, words
from ml_a2.diagrams.lettering import HEADING, LINE, SMALL, TITLE, width, wrap
from ml_a2.diagrams.painting import Painter
from ml_a2.diagrams.scene import Box, Text
from ml_a2.diagrams.stack import Stack

SERVICES = {
    "AWS::S3": "Amazon S3",
    "Custom::S3AutoDeleteObjects": "Amazon S3",
    "AWS::StepFunctions": "AWS Step Functions",
    "AWS::SNS": "Amazon SNS",
    "AWS::CloudWatch": "Amazon CloudWatch",
    "AWS::Logs": "Amazon CloudWatch",
    "AWS::Events": "Amazon EventBridge",
    "AWS::IAM": "AWS IAM",
    "AWS::Lambda": "AWS Lambda",
    "AWS::KMS": "AWS KMS",
}
EACH_ROW, TALL, GAP, MARGIN = 3, 104, 16, 20
PAGE, ICON = 900, 52


def services_of(template: Mapping[str, Any]) -> dict[str, str]:
    """Return each service with what the stack has of it, the jobs that its state machine creates first.

    Raises:
        AssemblyError: names a resource that there is no picture for.
    """
    stack = Stack.of(template)
    counts: dict[str, Counter[str]] = {}
    for resource in stack.resources.values():
        kind = resource["Type"]
        service = next(name for start, name in SERVICES.items() if kind.startswith(start))
        counts.setdefault(service, Counter())[_words(kind)] += 1
    found = {service: _listed(counter) for service, counter in counts.items()}
    if stack.jobs:
        made = ", ".join(f"{words(job).lower()}s" for job in stack.jobs)
        found = {"Amazon SageMaker": f"{made}, created by the state machine", **found}
    if any(stack.job_grants(request).allow("ecr:BatchGetImage") for request in stack.jobs.values()):
        found["Amazon ECR"] = "images of the jobs, pulled by their roles"
    if any(properties(stack.resources[n]).get("TracingConfiguration", {}).get("Enabled") for n in stack.definitions):
        found["AWS X-Ray"] = "traces of executions"
    return found


def services_picture(template: Mapping[str, Any], fingerprint: str) -> bytes:
    """Return the services as a PNG."""
    services = services_of(template)
    rows = -(-len(services) // EACH_ROW)
    painter = Painter(PAGE, 70 + rows * (TALL + GAP) + 6)
    painter.texts((_line("Services used", TITLE, MARGIN, 18, bold=True),))
    wide = (PAGE - 2 * MARGIN - (EACH_ROW - 1) * GAP) / EACH_ROW
    for index, (service, holds) in enumerate(services.items()):
        row, column = divmod(index, EACH_ROW)
        box = Box(MARGIN + column * (wide + GAP), 62 + row * (TALL + GAP), wide, TALL)
        painter.box(box, "#ffffff", "#c3c9d0", 8, 1.2)
        painter.icon(service, Box(box.x + 16, box.y + (TALL - ICON) / 2, ICON, ICON))
        painter.texts(_card_texts(service, holds, box))
    return painter.png(fingerprint)


def _card_texts(service: str, holds: str, box: Box) -> tuple[Text, ...]:
    left = box.x + ICON + 30
    lines = wrap(holds, box.right - left - 12, SMALL)
    tall = HEADING * LINE + 4 + len(lines) * SMALL * LINE
    top = box.middle[1] - tall / 2
    below = Box(left, top + HEADING * LINE + 4, max(width(line, SMALL) for line in lines), len(lines) * SMALL * LINE)
    return (_line(service, HEADING, left, top, bold=True), Text(lines, below, SMALL, ink="faint"))


def _line(text: str, size: float, x: float, y: float, *, bold: bool) -> Text:
    return Text((text,), Box(x, y, width(text, size, bold=bold), size * LINE), size, bold)


def _words(kind: str) -> str:
    if kind.startswith("Custom::"):
        return "emptied when destroyed"
    name = kind.rpartition("::")[2]
    return " ".join(re.findall("[A-Z][a-z]*", name)).lower()


def _listed(counter: Counter[str]) -> str:
    return ", ".join(
        word if word.startswith("emptied") else f"{number} {_plural(word) if number > 1 else word}"
        for word, number in counter.items()
    )


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
