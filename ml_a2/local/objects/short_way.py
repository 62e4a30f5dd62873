"""Files of this machine into objects and back, without their bytes in a request.

The request itself is made: policies, versions, metadata and errors are those of any other. A ticket in one of its
headers stands for the bytes, which the kernel copies. Nobody else can have a ticket: they are random, and go once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from ml_a2.local.objects.value import Value

if TYPE_CHECKING:
    from botocore.hooks import BaseEventHooks
    from mypy_boto3_s3 import S3Client

TICKET_HEADER = "x-ml-a2-ticket"

# The files that requests to come will bring, and what requests have left to be fetched, by ticket.
_brought: dict[str, Path] = {}
_left: dict[str, Value] = {}
_wanted: set[str] = set()
_ticket: ContextVar[str | None] = ContextVar("_ticket", default=None)


def register(events: BaseEventHooks) -> None:
    """Let the S3 clients to come of a session take the short way in `upload_file` and `download_file`."""
    for operation in ("PutObject", "GetObject"):
        events.register(f"before-call.s3.{operation}", _present)
    events.register("creating-client-class.s3", _replace_transfers)


def put_file(s3: S3Client, bucket: str, key: str, path: Path, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make an object of a file's bytes, and return PutObject's answer; `extra` are further members of its request.

    Raises:
        ClientError: as PutObject.
    """
    with _new_ticket() as ticket:
        _brought[ticket] = path
        try:
            return dict(s3.put_object(Bucket=bucket, Key=key, **(extra or {})))
        finally:
            _brought.pop(ticket, None)


def fetch_file(s3: S3Client, bucket: str, key: str, path: Path, extra: Mapping[str, Any] | None = None) -> int:
    """Copy an object's bytes to a file, whole or not at all, and return their number.

    Raises:
        ClientError: as GetObject.
    """
    with _new_ticket() as ticket:
        _wanted.add(ticket)
        try:
            s3.get_object(Bucket=bucket, Key=key, **(extra or {}))
            value = _left.pop(ticket)
        finally:
            _wanted.discard(ticket)
            _left.pop(ticket, None)
    unfinished = path.with_name(f".{uuid.uuid4().hex}")
    try:
        value.copy_to(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(value)


def take_brought(ticket: str | None) -> Path | None:
    """Return the file that a request brings, once."""
    return _brought.pop(ticket, None) if ticket else None


def leave(ticket: str | None, value: Value) -> bool:
    """Leave what a request answers, if it is its ticket that is waited for; tell whether it was."""
    if ticket not in _wanted:
        return False
    _wanted.discard(ticket)
    _left[ticket] = value.share()
    return True


@contextmanager
def _new_ticket() -> Iterator[str]:
    token = _ticket.set(ticket := uuid.uuid4().hex)
    try:
        yield ticket
    finally:
        _ticket.reset(token)


def _present(params: dict[str, Any], **_: Any) -> None:
    if ticket := _ticket.get():
        params["headers"][TICKET_HEADER] = ticket


def _replace_transfers(class_attributes: dict[str, Any], **_: Any) -> None:
    """Put our functions in the place of boto3's, which were registered before."""
    class_attributes |= {"upload_file": _upload_file, "download_file": _download_file}


def _upload_file(  # noqa: PLR0917  # boto3's
    self: S3Client,
    Filename: str,  # noqa: N803  # the names are boto3's
    Bucket: str,  # noqa: N803
    Key: str,  # noqa: N803
    ExtraArgs: Mapping[str, Any] | None = None,  # noqa: N803
    Callback: Callable[[int], object] | None = None,  # noqa: N803
    Config: object = None,  # noqa: N803  # of sizes and numbers of parts: there are none
) -> None:
    """Upload a file as boto3's function of that name does."""
    path = Path(Filename)
    size = path.stat().st_size
    try:
        put_file(self, Bucket, Key, path, ExtraArgs)
    except ClientError as error:
        raise S3UploadFailedError(f"Failed to upload {Filename} to {Bucket}/{Key}: {error}") from error
    if Callback:
        Callback(size)


def _download_file(  # noqa: PLR0917  # boto3's
    self: S3Client,
    Bucket: str,  # noqa: N803
    Key: str,  # noqa: N803
    Filename: str,  # noqa: N803
    ExtraArgs: Mapping[str, Any] | None = None,  # noqa: N803
    Callback: Callable[[int], object] | None = None,  # noqa: N803
    Config: object = None,  # noqa: N803
) -> None:
    """Download a file as boto3's function of that name does."""
    size = fetch_file(self, Bucket, Key, Path(Filename), ExtraArgs)
    if Callback:
        Callback(size)
