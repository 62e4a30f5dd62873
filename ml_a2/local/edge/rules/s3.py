"""S3: names of buckets, and metadata of objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("s3")
GUIDE = "S3 User Guide, "
BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
IP_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
LARGEST_METADATA_BYTES = 2048


@BOOK.rule(
    "CreateBucket",
    "InvalidBucketName",
    "a name has 3 to 63 small letters, digits, `-` and single dots, begins and ends with a letter or digit, is no IP "
    "address and has none of the reserved beginnings and ends",
    f"{GUIDE}General purpose bucket naming rules; recorded answer",
)
def _bucket_name(request: Mapping[str, Any], region: str) -> Iterator[str]:
    name = request["Bucket"]
    reserved = name.startswith(RESERVED_STARTS) or name.endswith(RESERVED_ENDS)
    if reserved or not BUCKET_NAME.fullmatch(name) or IP_ADDRESS.fullmatch(name):
        yield "The specified bucket is not valid."


@BOOK.rule(
    "PutObject CreateMultipartUpload",
    "MetadataTooLarge",
    f"an object's own metadata has at most {LARGEST_METADATA_BYTES} bytes",
    f"{GUIDE}Working with object metadata",
)
def _metadata(request: Mapping[str, Any], region: str) -> Iterator[str]:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in request.get("Metadata", {}).items())
    if size > LARGEST_METADATA_BYTES:
        yield "Your metadata headers exceed the maximum allowed metadata size"
