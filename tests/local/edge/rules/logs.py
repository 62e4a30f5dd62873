"""What CloudWatch Logs refuses and takes."""

from __future__ import annotations

from tests.local.edge.rules.case import Case

SERVICE = "logs"
CASES = [
    Case(
        "retention",
        "PutRetentionPolicy",
        {"logGroupName": "g", "retentionInDays": refused},
        {"logGroupName": "g", "retentionInDays": taken},
    )
    for refused, taken in ((0, 1), (31, 30), (10, 14), (366, 365), (3654, 3653))
]
CASES.append(Case("group_name", "CreateLogGroup", {"logGroupName": "aws/g"}, {"logGroupName": "/aws/g"}))
