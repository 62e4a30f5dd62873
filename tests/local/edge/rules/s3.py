"""What S3 refuses and takes."""

from __future__ import annotations

from typing import Any

from tests.local.edge.rules.case import Case
from tests.local.edge.rules.policies import MISSING, ROLE, document

SERVICE = "s3"
BUCKET = "arn:aws:s3:::data"
OBJECTS = f"{BUCKET}/*"
STATEMENT = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": OBJECTS}


def _policy(text: str) -> dict[str, Any]:
    return {"Bucket": "data", "Policy": text}


def _case(rule: str, refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    requests = [_policy(document(STATEMENT, **changes)) for changes in (refused, taken)]
    return Case(f"bucket_policy{rule}", "PutBucketPolicy", *requests)


def _name(refused: str, taken: str) -> Case:
    return Case("bucket_name", "CreateBucket", {"Bucket": refused}, {"Bucket": taken})


def _object(size: int) -> dict[str, Any]:
    return {"Bucket": "data", "Key": "k", "Metadata": {"name": "v" * (size - 4)}}


def _padded(size: int) -> dict[str, Any]:
    rest = len("".join(document(STATEMENT, Sid="").split()))
    return {"Sid": "x" * (size - rest)}


def _tags(*tags: tuple[str, str]) -> dict[str, Any]:
    return {"Bucket": "data", "Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}}


def _tagging(refused: dict[str, Any], taken: dict[str, Any]) -> Case:
    return Case("bucket_tags", "PutBucketTagging", refused, taken)


def _encryption(**default: str) -> dict[str, Any]:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    return {"Bucket": "data", "ServerSideEncryptionConfiguration": rules}


WITHIN = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
CASES = [
    _name("data_1", "data-1"),
    _name("Data", "data"),
    _name("ab", "abc"),
    _name("a" * 64, "a" * 63),
    _name("-data", "1data"),
    _name("data-", "data1"),
    _name("a..b", "a.b"),
    _name("192.168.5.4", "192.168.5"),
    _name("xn--data", "xndata"),
    _name("data-s3alias", "data-alias"),
    _name("data--ol-s3", "data-ol-s3"),
    Case("metadata", "PutObject", _object(2049), _object(2048)),
    Case("bucket_policy", "PutBucketPolicy", _policy("{"), _policy(document(STATEMENT))),
    Case("bucket_policy", "PutBucketPolicy", _policy("[]"), _policy(document(STATEMENT))),
    _case("", {"Principal": None}, {"Principal": None, "NotPrincipal": {"AWS": ROLE}, "Effect": "Deny"}),
    _case("", {"Principal": {"AWS": "role/r"}}, {"Principal": {"AWS": "123456789012"}}),
    _case("", {"Principal": {"Service": "logs"}}, {"Principal": {"Service": "logging.s3.amazonaws.com"}}),
    _case("", {"Principal": {"Everybody": "*"}}, {"Principal": {"CanonicalUser": "79a59d"}}),
    _case("", {"Resource": None}, {"Resource": [OBJECTS]}),
    _case("", {"Action": []}, {"Action": ["s3:GetObject"]}),
    _case("", {"Effect": "Grant"}, {"Effect": "Deny"}),
    _case("", {"Sid": 1}, {"Sid": "with blanks"}),
    _case("", {"Condition": {"Boolean": {"a": "b"}}}, {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    _case("", {"document_changes": {"Version": "2020-01-01"}}, {"document_changes": {"Version": "2008-10-17"}}),
    _case("", {"document_changes": {"Statement": None}}, {"document_changes": {"Id": "i"}}),
    _case("_principals", {"Principal": {"AWS": MISSING}}, {"Principal": {"AWS": ROLE}}),
    _case("_actions", {"Action": "s3:GetObjects"}, {"Action": "S3:getobject"}),
    _case("_actions", {"Action": "sqs:SendMessage"}, {"Action": "s3:Get*"}),
    _case("_actions", {"Action": "s3:ListAllMyBuckets", "Resource": BUCKET}, {"Action": "s3:*"}),
    _case("_resources", {"Resource": "*"}, {"Resource": OBJECTS}),
    _case("_resources", {"Resource": "arn:aws:s3:::other/*"}, {"Resource": f"{BUCKET}*"}),
    _case("_resources", {"Resource": "arn:aws-cn:s3:::data/*"}, {"Resource": f"{BUCKET}/train/*"}),
    _case("_resources", {"Resource": "arn:aws:s3:::database/*"}, {"Resource": f"{BUCKET}/base/*"}),
    _case("_applies", {"Action": "s3:ListBucket"}, {"Action": "s3:ListBucket", "Resource": BUCKET}),
    _case("_applies", {"Resource": BUCKET}, {"Resource": [BUCKET, OBJECTS]}),
    _case(
        "_applies",
        {"Action": ["s3:GetObject", "s3:GetBucketAcl"]},
        {"Action": ["s3:GetObject", "s3:GetBucketAcl"], "Resource": [BUCKET, OBJECTS]},
    ),
    _case("_applies", {"Action": "s3:GetObject*", "Resource": BUCKET}, {"Action": "s3:Get*", "Resource": BUCKET}),
    _case("_size", _padded(20_481), _padded(20_480)),
    _case("_public", {"Principal": "*"}, {"Principal": "*", "Effect": "Deny"}),
    _case("_public", {"Principal": {"AWS": ["*"]}}, {"Principal": {"AWS": "*"}, "Condition": WITHIN}),
    _case(
        "_public",
        {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
    ),
    _tagging(_tags(("a", "1"), ("a", "2")), _tags(("a", "1"), ("A", "1"))),
    _tagging(_tags(("a#", "1")), _tags(("a:b/c=d+e-f@g_h. i", "1"))),
    _tagging(_tags(("aws:a", "1")), _tags(("a:aws", "1"))),
    _tagging(_tags(("a", "1&2")), _tags(("\u00e9", "\u00e9 1"))),
    _tagging(_tags(("a", "v" * 257)), _tags(("a", "v" * 256))),
    _tagging(_tags(*[(f"k{number}", "") for number in range(51)]), _tags(*[(f"k{n}", "") for n in range(50)])),
    Case(
        "encryption",
        "PutBucketEncryption",
        _encryption(SSEAlgorithm="AES256", KMSMasterKeyID="k"),
        _encryption(SSEAlgorithm="aws:kms", KMSMasterKeyID="k"),
    ),
]
