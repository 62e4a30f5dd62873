"""S3: names of buckets, and metadata of objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import regex

from ml_a2.local.edge.rules.rule import Rulebook

BOOK = Rulebook("s3")
GUIDE = "S3 User Guide, "
BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
IP_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
LARGEST_METADATA_BYTES = 2048
MOST_TAGS = 50
TAG_TEXT = regex.compile(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")


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


@BOOK.rule(
    "PutBucketTagging",
    "InvalidTag",
    f"a bucket has at most {MOST_TAGS} tags; a key has 1 to 128 characters, stands once, does not begin with `aws:`, "
    "a value has at most 256; both have letters, digits, blanks and `_.:/=+-@`",
    f"{GUIDE}Using cost allocation S3 bucket tags; S3 API reference, PutBucketTagging",
)
def _bucket_tags(request: Mapping[str, Any], region: str) -> Iterator[str]:
    tags = [(tag["Key"], tag["Value"]) for tag in request["Tagging"]["TagSet"]]
    if len(tags) > MOST_TAGS:
        yield f"The number of tags exceeds the limit of {MOST_TAGS} tags"
    if len({key for key, _ in tags}) < len(tags):
        yield "Cannot provide multiple Tags with the same key"
    for key, value in tags:
        if len(key) > 128 or key.lower().startswith("aws:") or not TAG_TEXT.fullmatch(key):
            yield f"The TagKey you have provided is invalid ({key:.40})"
        if len(value) > 256 or not TAG_TEXT.fullmatch(value):
            yield f"The TagValue you have provided is invalid ({value:.40})"


@BOOK.rule(
    "PutBucketEncryption",
    "InvalidArgument",
    "a key is named with aws:kms only",
    "recorded answer",
)
def _encryption(request: Mapping[str, Any], region: str) -> Iterator[str]:
    for rule in request["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if "KMSMasterKeyID" in default and not default["SSEAlgorithm"].startswith("aws:kms"):
            yield "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
