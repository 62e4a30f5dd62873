"""The stack's cloud assembly: synthesized when its inputs changed, otherwise used again.

It lies in a folder of its own for each state of the inputs, so that settings and versions live side by side, and no
command takes away what another one told a person to deploy: in a clone under .ml-a2, of an installed package, whose own
folder may be read-only and whose current one may be another project's, in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock
from platformdirs import user_cache_path

from ml_a2.errors import PlatformError, UserError

# The clone, or the folder that packages are installed in.
PROJECT = Path(__file__).parents[2]
RECORD = "ml-a2-inputs.json"
# The environment's word for where assemblies are kept.
PLACE = "ML_A2_ASSEMBLIES"
# So many are kept, those that were used last; one takes some 300 kB.
KEPT = 20
# Of ml_a2, what the template is made of.
SOURCES = (
    "app", "stack", "settings", "setting_types", "schedule_expression", "suggestions", "image_uri", "contract",
    "errors", "unforeseen", "data/file_kind", "jobs/quality/errors", "jobs/quality/signatures", "jobs/quality/trained",
)  # fmt: skip


def find_assembly(
    settings: Path | None, project: Path = PROJECT, tell: Callable[[str], None] = print, cache: Path | None = None
) -> tuple[Path, bool]:
    """Return the folder of the assembly, and whether it had to be synthesized.

    Args:
        settings: the settings file that the stack reads, None for the defaults.
        project: where the package ml_a2 lies, in a clone app.py and cdk.json beside it.
        tell: hears what is done.
        cache: where assemblies are kept, instead of where they are otherwise.

    Raises:
        UserError: the stack refuses its settings or its region.
        PlatformError: the synthesis failed otherwise, or the assembly cannot be written.
    """
    synth = _Synth(project, _existing(settings))
    place = _place(synth, cache)
    assembly = _assembly_in(place, synth)
    made = _made(synth, assembly, tell, lambda: _lock(place, synth.fingerprint))
    if made:
        _forget_oldest(place)
    return assembly, made


def assembly_at_hand(settings: Path | None, project: Path = PROJECT, cache: Path | None = None) -> Path | None:
    """Return the folder of the assembly where it need not be synthesized; the arguments are find_assembly's.

    None also where another run is just synthesizing, or where it cannot be told: find_assembly waits, and says why.
    """
    if settings and not settings.is_file():
        return None
    synth = _Synth(project, settings)
    place = _place(synth, cache)
    assembly = _assembly_in(place, synth)
    try:
        with _lock(place, synth.fingerprint, timeout=1):
            return assembly if _is_current(synth, assembly) else None
    except OSError:
        return None


def unchanged(assembly: Path) -> str:
    """Say that an assembly need not be synthesized."""
    return f"assembly: {seen_from_here(assembly)} (unchanged since the last synth)"


def seen_from_here(path: Path) -> Path:
    """Return a path as a person types it: relative where it lies below the current folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def write_assembly(
    settings: Path | None, output: Path, project: Path = PROJECT, tell: Callable[[str], None] = print
) -> bool:
    """Have the assembly in a folder of a person's choice; tell whether it had to be synthesized.

    Raises:
        UserError: there is something else than an assembly, or the stack refuses its settings or its region.
        PlatformError: the synthesis failed otherwise, or the assembly cannot be written.
    """
    if output.is_file() or (output.is_dir() and any(output.iterdir()) and not _is_assembly(output)):
        raise UserError(f"{output} is there and is no cloud assembly; name another folder with --output DIR")
    synth = _Synth(project, _existing(settings))
    output = output.resolve()
    return _made(synth, output, tell, lambda: _lock_elsewhere(_place(synth), output))


@dataclass(frozen=True)
class _Synth:
    """What an assembly is made of, and how."""

    project: Path
    settings: Path | None

    @cached_property
    def is_clone(self) -> bool:
        return all((self.project / name).is_file() for name in ("app.py", "cdk.json"))

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in self._inputs():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        for package in ("aws-cdk-lib", "constructs", "jsii"):
            digest.update(f"{package}=={version(package)}\n".encode())
        return digest.hexdigest()

    def _inputs(self) -> Iterator[Path]:
        if self.is_clone:
            yield self.project / "app.py"
            yield self.project / "cdk.json"
        package = self.project / "ml_a2"
        yield from (package / f"{name}.py" for name in SOURCES)
        yield from sorted((package / "infrastructure").glob("*.py"))
        if self.settings:
            yield self.settings

    def write(self, output: Path) -> None:
        """Synthesize, as the CDK CLI has it done."""
        context = json.loads((self.project / "cdk.json").read_text(encoding="utf-8")) if self.is_clone else {}
        context = context.get("context", {})
        if self.settings:
            context["settings"] = str(self.settings.resolve())
        # The region of the person's AWS configuration plays no part here.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CDK_")}
        environment |= {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)}
        entry = [str(self.project / "app.py")] if self.is_clone else ["-m", "ml_a2.app"]
        # Not in the current folder: no module that lies there takes another one's place.
        folder = self.project if self.is_clone else output.parent
        answer = subprocess.run(
            [sys.executable, *entry], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            return
        for line in answer.stderr.splitlines():
            if line.startswith("error: "):
                raise UserError(answer.stderr[answer.stderr.index(line) :].removeprefix("error: ").strip())
        raise PlatformError(f"synth failed with exit status {answer.returncode}: {_last_line(answer.stderr)}")


def _last_line(text: str) -> str:
    """Return what a program said last: the error, in one line."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def _is_assembly(folder: Path) -> bool:
    """Tell whether this module wrote a folder, or the CDK, which marks what it writes by a file cdk.out."""
    return any((folder / name).is_file() for name in (RECORD, "cdk.out"))


def _place(synth: _Synth, cache: Path | None = None) -> Path:
    """Return where assemblies are kept, each in a folder by what it is made of."""
    if cache:
        return cache
    if named := os.environ.get(PLACE):
        return Path(named).absolute()
    root = synth.project / ".ml-a2" if synth.is_clone else user_cache_path("ml-a2")
    return root / "assemblies"


def _assembly_in(place: Path, synth: _Synth) -> Path:
    return place / synth.fingerprint[:16] / "cdk.out"


def _existing(settings: Path | None) -> Path | None:
    if settings and not settings.is_file():
        raise UserError(f"settings file {settings} does not exist; name an existing file")
    return settings


def _made(
    synth: _Synth, assembly: Path, tell: Callable[[str], None], lock: Callable[[], AbstractContextManager[Any]]
) -> bool:
    try:
        with lock():
            assembly.parent.mkdir(parents=True, exist_ok=True)
            return _renewed(synth, assembly, tell)
    except OSError as error:
        raise PlatformError(
            f"the assembly cannot be written to {assembly}: {error}; have it written elsewhere, with `ml-a2 synth "
            "--output DIR`, and name that with --assembly DIR"
        ) from error


def _renewed(synth: _Synth, assembly: Path, tell: Callable[[str], None]) -> bool:
    if _is_current(synth, assembly):
        tell(unchanged(assembly))
        return False
    tell("assembly: synthesizing, some 10 seconds; it is used again until the stack changes")
    with tempfile.TemporaryDirectory(dir=assembly.parent, prefix=f".{assembly.name}-") as scratch:
        fresh = Path(scratch, "cdk.out")
        synth.write(fresh)
        record = {"inputs": synth.fingerprint, "template": _template_hash(fresh)}
        (fresh / RECORD).write_text(json.dumps(record), encoding="utf-8")
        if assembly.exists():
            shutil.rmtree(assembly)
        fresh.rename(assembly)
    return True


def _lock(place: Path, key: str, timeout: float = -1) -> FileLock:
    """Return what is held by who looks at an assembly or writes it: of two runs at once, one synthesizes.

    A lock is a file that stays, so there are not more than 16 of them.
    """
    place.mkdir(parents=True, exist_ok=True)
    return FileLock(place / f".lock-{key[0]}", timeout=timeout)


def _lock_elsewhere(place: Path, output: Path) -> AbstractContextManager[Any]:
    """Return the lock of a person's own folder, in which none is left; without one where nothing can be kept."""
    try:
        return _lock(place, hashlib.sha256(bytes(output)).hexdigest())
    except OSError:
        return nullcontext()


def _forget_oldest(place: Path) -> None:
    """Remove assemblies but for those that were used last."""
    records = sorted(place.glob(f"*/cdk.out/{RECORD}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for record in records[KEPT:]:
        folder = record.parents[1]
        with suppress(OSError), _lock(place, folder.name, timeout=0):  # who holds it uses it
            shutil.rmtree(folder)


def _is_current(synth: _Synth, assembly: Path) -> bool:
    current = _read_record(assembly) == {"inputs": synth.fingerprint, "template": _template_hash(assembly)}
    if current:
        with suppress(OSError):  # where nothing can be written, nothing is removed either
            os.utime(assembly / RECORD)
    return current


def _read_record(assembly: Path) -> dict[str, str] | None:
    try:
        record: dict[str, str] = json.loads((assembly / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # there is no assembly of ours: synthesize one
    return record


def _template_hash(assembly: Path) -> str | None:
    template = next(assembly.glob("*.template.json"), None)
    return hashlib.sha256(template.read_bytes()).hexdigest() if template else None
