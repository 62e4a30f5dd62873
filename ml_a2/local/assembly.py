"""The project's own cloud assembly: synthesized when its inputs changed, otherwise used again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from ml_a2.errors import PlatformError, UserError

PROJECT = Path(__file__).parents[2]
RECORD = "ml-a2-inputs.json"


def find_assembly(
    settings: Path | None, project: Path = PROJECT, tell: Callable[[str], None] = print
) -> tuple[Path, bool]:
    """Return the folder of the assembly, and whether it had to be synthesized.

    Args:
        settings: the settings file that the stack reads, None for the defaults.
        project: where app.py lies, and cdk.out is written.
        tell: hears what is done.

    Raises:
        UserError: the stack refuses its settings or its region.
        PlatformError: the synthesis failed otherwise.
    """
    if not (project / "app.py").is_file():
        raise UserError(
            f"there is no stack to synthesize in {project}; run from a clone, or name one with --assembly DIR"
        )
    with FileLock(project / ".cdk.out.lock"):  # of two runs at once, one synthesizes
        return _find(settings, project, tell)


def _find(settings: Path | None, project: Path, tell: Callable[[str], None]) -> tuple[Path, bool]:
    assembly = project / "cdk.out"
    fingerprint = _fingerprint(project, settings)
    if _read_record(assembly) == {"inputs": fingerprint, "template": _template_hash(assembly)}:
        tell(f"assembly: {assembly} (unchanged since the last synth)")
        return assembly, False
    tell("assembly: synthesizing, some 10 seconds; it is used again until the stack changes")
    with tempfile.TemporaryDirectory(dir=project, prefix=".cdk.out-") as scratch:
        fresh = Path(scratch, "cdk.out")
        _synthesize(project, fresh, settings)
        record = {"inputs": fingerprint, "template": _template_hash(fresh)}
        (fresh / RECORD).write_text(json.dumps(record), encoding="utf-8")
        if assembly.exists():
            shutil.rmtree(assembly)
        fresh.rename(assembly)
    return assembly, True


def _synthesize(project: Path, output: Path, settings: Path | None) -> None:
    context = json.loads((project / "cdk.json").read_text(encoding="utf-8")).get("context", {})
    if settings:
        context["settings"] = str(settings.resolve())
    # What the CDK CLI sets before it starts the app; the region of the person's AWS configuration plays no part here.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CDK_")}
    environment |= {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)}
    command = [sys.executable, str(project / "app.py")]
    answer = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        return
    for line in answer.stderr.splitlines():
        if line.startswith("error: "):
            raise UserError(answer.stderr[answer.stderr.index(line) :].removeprefix("error: ").strip())
    raise PlatformError(f"synth failed with exit status {answer.returncode}:\n{answer.stderr.strip()}")


def _fingerprint(project: Path, settings: Path | None) -> str:
    digest = hashlib.sha256()
    for path in _inputs(project, settings):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for package in ("aws-cdk-lib", "constructs", "jsii"):
        digest.update(f"{package}=={version(package)}\n".encode())
    return digest.hexdigest()


def _inputs(project: Path, settings: Path | None) -> Iterator[Path]:
    yield project / "app.py"
    yield project / "cdk.json"
    package = project / "ml_a2"
    yield from (package / f"{name}.py" for name in ("stack", "settings", "setting_types", "contract", "errors"))
    yield from sorted((package / "infrastructure").glob("*.py"))
    if settings:
        yield settings


def _read_record(assembly: Path) -> dict[str, str] | None:
    try:
        record: dict[str, str] = json.loads((assembly / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # there is no assembly of ours: synthesize one
    return record


def _template_hash(assembly: Path) -> str | None:
    template = next(assembly.glob("*.template.json"), None)
    return hashlib.sha256(template.read_bytes()).hexdigest() if template else None
