"""Intrinsic functions, resolved strictly."""

from __future__ import annotations

from typing import Any

import pytest

from ml_a2.errors import AssemblyError
from ml_a2.local.template import Environment, Resolver, references

TEMPLATE = {
    "Mappings": {"Regions": {"eu-west-1": {"account": "111"}}},
    "Conditions": {"IsEurope": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}},
}


@pytest.fixture
def resolver() -> Resolver:
    environment = Environment("123456789012", "eu-west-1", "Stack")
    values = {**environment.pseudo_parameters(), "Bucket": "b-1"}
    return Resolver(TEMPLATE, values, {("Bucket", "Arn"): "arn:b-1"})


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Bucket"}, "b-1"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:b-1"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "arn:b-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}, 3]]}, "a-eu-west-1-3"),
        ({"Fn::Sub": "${Bucket}/${Bucket.Arn}/${!kept}"}, "b-1/arn:b-1/${kept}"),
        ({"Fn::Sub": ["${x}", {"x": {"Ref": "Bucket"}}]}, "b-1"),
        ({"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "account"]}, "111"),
        ({"Fn::If": ["IsEurope", "yes", "no"]}, "yes"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::Not": [{"Fn::Contains": [["1", "2"], "3"]}]}, True),
        ({"kept": [1, {"Ref": "AWS::NoValue"}], "gone": {"Ref": "AWS::NoValue"}}, {"kept": [1]}),
        ({"Condition": {"Bool": {"a": "b"}}}, {"Condition": {"Bool": {"a": "b"}}}),
    ],
)
def test_functions_resolve_as_documented(resolver: Resolver, value: Any, resolved: Any) -> None:
    """Each function gives what CloudFormation gives."""
    assert resolver.resolve(value) == resolved


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Ref": "Bukket"}, "Ref 'Bukket' names no parameter and no resource"),
        ({"Fn::GetAtt": ["Bucket", "Aarn"]}, "Fn::GetAtt Bucket.Aarn is not an attribute"),
        ({"Fn::FindInMap": ["Regions", "mars-1", "account"]}, "mapping 'Regions' has no key 'mars-1'"),
        ({"Fn::FindInMap": ["Nothing", "a", "b"]}, "mapping 'Nothing' has no key 'a'"),
        ({"Fn::ImportValue": "x"}, "intrinsic function 'Fn::ImportValue' is not supported"),
        ({"Fn::If": ["Unknown", 1, 2]}, "condition 'Unknown' is not defined"),
        ({"Fn::Select": [5, ["a"]]}, "index 5 is outside"),
        ({"Fn::Join": ["", [{"a": 1}]]}, "Fn::Join takes strings"),
    ],
)
def test_fails_naming_what_cannot_be_resolved(resolver: Resolver, value: Any, words: str) -> None:
    """Nothing resolves to an empty value."""
    with pytest.raises(AssemblyError) as caught:
        resolver.resolve(value)
    assert words in str(caught.value)


def test_references_are_found_in_every_function() -> None:
    """References order the resources, wherever they stand."""
    value = {"a": [{"Ref": "A"}, {"Fn::GetAtt": ["B", "Arn"]}], "b": {"Fn::Sub": "${C}/${D.Arn}/${!E}"}}
    assert set(references({**value, "c": {"Fn::Join": ["", [{"Ref": "F"}]]}})) == {"A", "B", "C", "D", "F"}


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_pseudo_parameters_follow_the_partition(region: str, partition: str, suffix: str) -> None:
    """China and GovCloud have their own partitions and domains."""
    pseudo = Environment("123456789012", region, "Stack").pseudo_parameters()
    assert (pseudo["AWS::Partition"], pseudo["AWS::URLSuffix"]) == (partition, suffix)


def test_fails_in_an_isolated_region() -> None:
    """A partition whose domain is not known is refused by name."""
    with pytest.raises(AssemblyError, match="'us-iso-east-1' belongs to an isolated partition"):
        Environment("123456789012", "us-iso-east-1", "Stack").pseudo_parameters()
