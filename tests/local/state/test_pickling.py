"""A snapshot can name nothing but what a state consists of."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import pickle
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from ml_a2.errors import PlatformError, UserError
from ml_a2.local.cloudformation.stack import ChangeSet, Event, Stack, Submission
from ml_a2.local.deployer import Deployed
from ml_a2.local.resources import Created
from ml_a2.local.sagemaker.ended_job import EndedJob
from ml_a2.local.sagemaker.model_packages import ModelPackage, ModelPackageGroup
from ml_a2.local.state.folder import FORMAT
from ml_a2.local.state.pickling import dumps, loads
from ml_a2.local.template import Environment
from tests.local.state.conftest import Serve, state_folder


class Call:
    """Is pickled as a call of any function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        """Return the call."""
        return self._call


def _global(module: str, name: str) -> bytes:
    """Return a pickle of nothing but a name, as protocol 4 writes it."""
    parts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)]
    return b"\x80\x04" + b"".join(parts) + b"\x93."


@pytest.mark.parametrize(
    "payload",
    [
        pickle.dumps(Call(os.system, "true")),
        pickle.dumps(Call(eval, "1")),
        pickle.dumps(Call(getattr, "", "join")),
        _global("moto.s3.models", "os"),
        _global("moto.s3.models", "os.system"),
        _global("moto.s3.models", "FakeKey.__init__.__globals__"),
        _global("moto.s3.models", "gzip.GzipFile"),
        _global("moto.s3.models", "compute_checksum"),
        _global("ml_a2.local.deployer", "deploy"),
        _global("ml_a2.local.sagemaker.launcher", "main"),
        _global("subprocess", "Popen"),
    ],
)
def test_fails_on_what_no_state_has(payload: bytes) -> None:
    """Functions, and classes that a module only imported, are refused before they are called."""
    with pytest.raises(UserError, match=r"there: .* is named in it, which no state has"):
        loads(payload, "there")


def test_a_malicious_snapshot_is_refused_by_the_endpoint(serve: Serve, tmp_path: Path) -> None:
    """Also one with a right header; what it would call is not called."""
    proof = tmp_path / "proof"
    with state_folder(tmp_path / "state") as folder:
        folder.write(pickle.dumps(Call(os.mkdir, str(proof))))
    with pytest.raises(UserError, match=r"posix.mkdir is named in it.*do not use it"), serve():
        pass
    assert not proof.exists()


@pytest.mark.parametrize("payload", [b"", b"no pickle", pickle.dumps({"a": 1})[:-3], b"\x80\x04Pnobody\n."])
def test_fails_on_what_is_no_pickle(payload: bytes) -> None:
    """As damage, whatever the reader stumbles over."""
    with pytest.raises(UserError, match=r"there is damaged: .*nothing of it was used"):
        loads(payload, "there")


@pytest.mark.parametrize("value", [threading.Thread(), os.system, Call(print), json.JSONDecoder()])
def test_fails_to_keep_what_could_not_be_read_again(value: Any) -> None:
    """Named when it is written, not when it is too late."""
    with pytest.raises(PlatformError, match=r"the state cannot be kept: .* is in it"):
        dumps({"x": [value]}, {})


def test_values_come_back() -> None:
    """Also sets, ordered dictionaries and patterns."""
    state = {"set": {1}, "dict": collections.OrderedDict(a=1), "pattern": re.compile("a+")}
    assert loads(dumps(state, {}), "there") == state


def test_a_change_of_what_is_kept_needs_another_format() -> None:
    """Fields that are added or renamed cannot be read from an older snapshot: raise FORMAT, then change this."""
    kept = (
        Environment,
        Submission,
        Event,
        ChangeSet,
        Stack,
        Deployed,
        Created,
        EndedJob,
        ModelPackageGroup,
        ModelPackage,
    )
    names = {kind.__name__: " ".join(field.name for field in dataclasses.fields(kind)) for kind in kept}
    assert (FORMAT, names) == (
        1,
        {
            "Environment": "account region stack_name stack_uuid",
            "Submission": "body template parameters tags capabilities role_arn",
            "Event": "logical_id physical_id kind status reason id time",
            "ChangeSet": "name id submission changes description status execution_status reason created",
            "Stack": "environment status reason submission change_set_id created updated deleted "
            "termination_protection outputs resources states events change_sets",
            "Deployed": "resource properties created",
            "Created": "ref attributes",
            "EndedJob": "kind resource description",
            "ModelPackageGroup": "name arn description created last_version",
            "ModelPackage": "group version arn request approval_status properties approval_description created "
            "modified",
        },
    )
