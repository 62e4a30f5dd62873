"""Who hears from a topic beside queues: HTTP endpoints, and people by email, for whom an outbox stands in."""

from __future__ import annotations

import datetime as dt
import mailbox
import threading
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import requests

from ml_a2.local.incidents import Incidents
from ml_a2.loopback import is_loopback

# "Amazon SNS waits 15 seconds for the endpoint's response".
TIMEOUT_SECONDS = 15
SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"


def post(url: str, message: Mapping[str, Any], incidents: Incidents) -> None:
    """Bring a message to an HTTP endpoint, in a thread of its own; a failure is told, since SNS gives up in silence."""
    threading.Thread(target=_post, args=(url, message, incidents), name="http delivery", daemon=True).start()


def _post(url: str, message: Mapping[str, Any], incidents: Incidents) -> None:
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": "Notification",
        "x-amz-sns-topic-arn": message["TopicArn"],
        "x-amz-sns-message-id": message["MessageId"],
    }
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(url)  # no proxy reaches this machine
            session.post(url, json=message, headers=headers, timeout=TIMEOUT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        incidents.report(f"a message could not be delivered to {url}: {error}")


def write_outbox(path: Path, messages: Iterable[Mapping[str, Any]], addresses: Iterable[str]) -> None:
    """Write what subscribers by email would get, as a mailbox file; none when there is nothing to write."""
    mails = [_mail(message, address) for message in messages for address in addresses]
    if not mails:
        return
    box = mailbox.mbox(path)
    try:
        for mail in mails:
            box.add(mail)
    finally:
        box.close()


def _mail(message: Mapping[str, Any], address: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = SENDER
    mail["To"] = address
    mail["Subject"] = message.get("Subject") or "AWS Notification Message"
    mail["Date"] = format_datetime(dt.datetime.fromisoformat(message["Timestamp"]))
    mail.set_content(message["Message"])
    return mail
