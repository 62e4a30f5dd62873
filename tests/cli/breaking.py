"""Inputs that somebody broke: random, each time the same for the same seed, and never whole by chance."""

from __future__ import annotations

import copy
import gzip
import io
import json
import pickle
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.records.manifests import manifest

HEADER = "target,age,income\n"
TABLE = HEADER + "".join(f"{number % 2},{number * 7 % 90},{number * 31 % 1000}.5\n" for number in range(40))
SETTINGS = '[training]\ninstance_count = 1\nspot = false\n[alerts]\nemails = ["a@example.com"]\n[tags]\nteam = "a"\n'
EVALUATION: dict[str, Any] = {
    "binary_classification_metrics": {
        "auc": {"value": 0.9, "standard_deviation": 0.01},
        "log_loss": {"value": 0.4, "standard_deviation": "NaN"},
        "confusion_matrix": {"0": {"0": 9, "1": 1}, "1": {"0": 0, "1": 10}},
    },
    "dataset": {"item_count": 20, "evaluation_time": "2026-11-24T10:00:05+00:00"},
    "objective": "binary:logistic",
    "kind": "binary",
    "confidence_intervals": {"level": 0.95, "seed": 1, "metrics": {"auc": {"lower": 0.85, "upper": 0.94}}},
    "baseline": {"predictor": "the mean", "metrics": {"auc": 0.5}},
    "undefined": {},
    "slices": [{"feature": "age", "value": "1", "item_count": 4, "metrics": {"auc": 0.9}, "few": False}],
    "champion": {"metrics": {"auc": 0.8}, "worse_by": {"auc": -0.1}},
}
# What no parser of ours may take for a document.
NO_DOCUMENTS = ("", "[" * 100_000, '{"a":' * 50_000, "nul", "{" + "x" * 300_000, "\x00\x00", "\ufeff\ufeff{}", "'a'")


def rubbish(chance: random.Random) -> bytes:
    """Return bytes that are nothing, beginning now and then as something does."""
    beginnings = (
        b"",
        b"\x1f\x8b\x08",
        b"PK\x03\x04",
        b"PAR1",
        b"\xff\xfe",
        b"\x80\x04",
        b"\x89HDF",
        b"SQLite format 3\0",
    )
    return chance.choice(beginnings) + chance.randbytes(chance.choice((1, 60, 5000)))


def table(chance: random.Random) -> bytes:
    """Return a table that cannot be trained on."""
    rows = TABLE.splitlines()
    place = chance.randrange(1, len(rows))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: rubbish(chance),
        lambda: b"",
        HEADER.encode,
        lambda: TABLE.replace("target", "other").encode(),
        lambda: TABLE.encode("utf-16"),
        lambda: TABLE.encode("utf-32"),
        lambda: "\n".join([*rows[:place], rows[place] + ",9,9", *rows[place + 1 :]]).encode(),
        lambda: "\n".join([*rows[:place], "1,text in Zürich,3", *rows[place + 1 :]]).encode("latin-1"),
        lambda: "\n".join([*rows[:place], "1,12,\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]).encode(),
        lambda: "\n".join([*rows[:place], '1,"12,3', *rows[place + 1 :]]).encode(),
        lambda: "\n".join([*rows[:place], f"1,{'9' * 400_000}x,3", *rows[place + 1 :]]).encode(),
        lambda: "\n".join([*rows[:place], f"1,{chance.choice(('inf', 'abc', '1e999', '0x', '--'))},3"]).encode(),
        lambda: "\n".join([*rows[:place], ",1,3", *rows[place + 1 :]]).encode(),
        lambda: HEADER.encode() + b"1,2,3\n" * 20,
        lambda: json.dumps([{"target": 1, "age": 2}] * 9_000).encode(),
        f"<html><body>{'x' * 300_000}</body></html>".encode,
        lambda: gzip.compress(TABLE.encode())[: chance.randrange(12, 60)],
    )
    return chance.choice(ways)()


def settings(chance: random.Random) -> bytes:
    """Return settings that must be refused."""
    place = chance.randrange(len(SETTINGS))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: SETTINGS.encode()[:place] + b"\xff\xfe\x00" + SETTINGS.encode()[place:],
        lambda: rubbish(chance) + b"=",
        (SETTINGS + f"\n[{'x' * chance.choice((3, 5000))}]\na = 1\n").encode,
        lambda: SETTINGS.encode("utf-16"),
        ("\n".join(f"unknown{number} = {number}" for number in range(300)) + "\n" + SETTINGS).encode,
        ("tags = " + "[" * 5_000).encode,
        lambda: SETTINGS.replace(
            "1", chance.choice(('"1"', "0", "-1", "1e9", "nan", "[1]", "true", "{}", "99"))
        ).encode(),
        lambda: SETTINGS.replace("false", f'"{"y" * 300_000}"').encode(),
        lambda: SETTINGS.replace(
            '"a@example.com"', chance.choice(("1", '"a b"', '""', "[]", '"a@b.c", "a@b.c"'))
        ).encode(),
        lambda: SETTINGS.replace('"a"', chance.choice(("1", '"\\u0000"', '"é;"', f'"{"v" * 300}"'))).encode(),
    )
    return chance.choice(ways)()


def document(chance: random.Random, whole: Any) -> bytes:
    """Return JSON that is broken as text."""
    text = json.dumps(whole)
    ways: tuple[Callable[[], bytes], ...] = (
        text[: chance.randrange(len(text) - 1)].encode,
        lambda: chance.choice(NO_DOCUMENTS).encode(),
        lambda: rubbish(chance),
        lambda: b"\xff" + text.encode(),
    )
    return chance.choice(ways)()


def other_shape(chance: random.Random, whole: Any) -> bytes:
    """Return JSON one of whose values is of another kind than it should be, or is missing; it may be bearable."""
    changed = copy.deepcopy(whole)
    parent: Any = changed
    while True:
        key = chance.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        if chance.random() < 0.5 or not isinstance(parent[key], dict | list) or not parent[key]:
            break
        parent = parent[key]
    if chance.random() < 0.2:
        del parent[key]
    else:
        parent[key] = chance.choice((None, [], {}, "", 0, -1, 1e308, "x" * 10_000, [[]], {"a": None}, True, "\ud800"))
    return json.dumps(changed).encode()


def archive(chance: random.Random) -> bytes:
    """Return what is no model.tar.gz of XGBoost."""
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: rubbish(chance),
        lambda: b"",
        lambda: _tar({}),
        lambda: _tar({"xgboost-model": rubbish(chance)}),
        lambda: _tar({"xgboost-model": b""}),
        lambda: _tar({"xgboost-model": pickle.dumps({"a": 1})}),
        lambda: _tar({"xgboost-model": b'{"learner": {}}'}),
        lambda: _tar({"xgboost-model": b"binf" + chance.randbytes(300)}),
        lambda: _tar({"../../xgboost-model": b"x"}),
        lambda: _tar({"xgboost-model/model": b"x"}),
        lambda: _tar({"other": b"x"}),
        lambda: _tar({"xgboost-model": b"x"})[: chance.randrange(1, 60)],
        lambda: gzip.compress(rubbish(chance)),
    )
    return chance.choice(ways)()


def _tar(members: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive_:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive_.addfile(member, io.BytesIO(content))
    return written.getvalue()


def arguments(chance: random.Random) -> list[str]:
    """Return a command line that must be refused, whatever lies in the folder."""
    value = chance.choice(("nan", "-1", "1e999", "", "x" * 60, "\u202e\u0007", "0x10", "caf\udce9", "--", "=", "a=b=c"))
    return chance.choice(
        (
            [value or "unknown"],
            ["run", f"--{'x' * chance.randrange(1, 50)}"],
            ["run", "--speed", chance.choice(("0", "-1", "x", "", "10001", "1e999"))],
            ["run", "--seed", chance.choice(("-1", "1.5", "x", str(2**40)))],
            ["run", "--validation-fraction", chance.choice(("0", "1", "2", "-0.5", "x"))],
            ["run", "--set", chance.choice(("", "=", "a", "=1", "num_round=", "colour=red", "max_depth=deep"))],
            ["run", "--fault", chance.choice(("", "training", "training=x", "x:y", "s3:GetObject=", "a:b=c*x"))],
            ["run", "--train", f"missing-{value[:20]}", "--target-column", "t"],
            ["run", "--train", ".", "--target-column", "t"],
            ["run", "--target-column", value],
            ["run", "--sample", value],
            ["run", "--model", f"missing-{value[:20]}", "--sample", "digits"],
            ["run", "--assembly", "missing", "--settings", "missing"],
            ["run", "--settings", "."],
            ["synth", "--settings", f"missing-{value[:20]}"],
            ["doctor", "--train", f"missing-{value[:20]}"],
            ["doctor", "--content-type", value, "--train", "."],
            ["show", f"missing-{value[:20]}"],
            ["compare", "missing-a", "missing-b"],
            ["compare"],
            ["report", f"missing-{value[:20]}"],
            ["verify", f"missing-{value[:20]}"],
            ["cost", "--training-minutes", chance.choice(("-1", "x", ""))],
            ["cost", "--price", chance.choice(("", "x", "a=b", "=1", "ml.m5.xlarge=-1"))],
            ["cost", "--prices", f"missing-{value[:20]}"],
            ["cost", "--run", "missing"],
            ["local", "up", "--port", chance.choice(("-1", "65536", "x", "1.5"))],
            ["list", "--limit", chance.choice(("0", "-1", "x"))],
            ["list", "--runs", f"missing-{value[:20]}"],
            ["start", "--name", chance.choice(("a b", "a/b", "x" * 81, "", "a\u0007"))],
            ["watch"],
        )
    )


def whole_manifest(name: str) -> dict[str, Any]:
    """Return a manifest as a run leaves it."""
    return manifest(name)


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write a file, with the folders above it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
