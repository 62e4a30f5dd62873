"""What a cloud assembly's manifest says is checked: it may come from somewhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml_a2.errors import AssemblyError
from ml_a2.local.runtime import read_template

STACK = "aws:cloudformation:stack"


def _write_manifest(assembly: Path, **properties: Any) -> None:
    stack = {"type": STACK, "properties": properties}
    (assembly / "manifest.json").write_text(json.dumps({"artifacts": {"stack": stack}}))


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("name", ["../outside.json", "{outside}", "inside/../../outside.json", "link.json", "a\0b"])
def test_fails_for_a_template_that_lies_elsewhere(tmp_path: Path, name: str, linked: bool) -> None:
    """A manifest cannot lead to a file of the machine; the assembly's own folder may be a link."""
    outside = tmp_path / "outside.json"
    outside.write_text('{"Resources": {}}')
    assembly = tmp_path / "assembly"
    (assembly / "inside").mkdir(parents=True)
    (assembly / "link.json").symlink_to(outside)
    named = tmp_path / "named"
    named.symlink_to(assembly)
    _write_manifest(assembly, templateFile=name.format(outside=outside))
    with pytest.raises(AssemblyError, match=r"templateFile .* in manifest\.json leads out of the assembly"):
        read_template(named if linked else assembly)
    _write_manifest(assembly, templateFile="inside.json")
    (assembly / "inside.json").write_text('{"Resources": {}}')
    assert read_template(named if linked else assembly) == {"Resources": {}}


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("[" * 100_000, "manifest.json is no JSON: it is nested deeper than 40 levels"),
        (json.dumps({"artifacts": []}), "the artifacts in manifest.json are no JSON objects"),
        (json.dumps({"artifacts": {"a": 1}}), "the artifacts in manifest.json are no JSON objects"),
        (
            json.dumps({"artifacts": {"a": {"type": STACK, "properties": "x"}}}),
            "the properties of the stack in manifest.json are no JSON object",
        ),
        (
            json.dumps({"artifacts": {"a": {"type": STACK, "properties": {"templateFile": 1}}}}),
            "the stack in manifest.json names no templateFile",
        ),
    ],
)
def test_fails_for_a_manifest_of_another_shape(tmp_path: Path, manifest: str, words: str) -> None:
    """Whatever somebody wrote there, it is told in words."""
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(AssemblyError, match=words):
        read_template(tmp_path)
