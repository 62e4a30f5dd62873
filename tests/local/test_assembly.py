"""The assembly is synthesized when its inputs change, and only then."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grimp
import pytest

from ml_a2.errors import AssemblyError, PlatformError, UserError
from ml_a2.local.assembly import KEPT, PLACE, PROJECT, RECORD, SOURCES, assembly_at_hand, find_assembly, write_assembly
from ml_a2.local.runtime import read_template

pytestmark = pytest.mark.xdist_group("cdk")

TEMPLATE = "MlA2TrainingEvaluationStack.template.json"
FAKE_APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"]); out.mkdir()
text = json.dumps({"context": json.loads(os.environ["CDK_CONTEXT_JSON"])})
(out / "MlA2TrainingEvaluationStack.template.json").write_text(text)
"""


@pytest.fixture(autouse=True)
def usual_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Assemblies are kept where they are without the environment's word."""
    monkeypatch.delenv(PLACE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project whose app answers at once."""
    shutil.copytree(PROJECT / "ml_a2", tmp_path / "ml_a2", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "cdk.json", tmp_path)
    (tmp_path / "app.py").write_text(FAKE_APP)
    return tmp_path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as pip installs it, with nothing beside it, whose app answers at once."""
    folder = tmp_path / "site-packages"
    shutil.copytree(PROJECT / "ml_a2", folder / "ml_a2", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "ml_a2" / "app.py").write_text(FAKE_APP)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def _synthesized(project: Path, settings: Path | None = None) -> bool:
    return find_assembly(settings, project, tell=lambda _: None)[1]


def _found(project: Path, settings: Path | None = None) -> Path:
    return find_assembly(settings, project, tell=lambda _: None)[0]


def test_reuses_until_an_input_changes(project: Path) -> None:
    """Stack, settings and context are inputs; other modules are not."""
    assert _synthesized(project)
    assert not _synthesized(project)
    (project / "ml_a2" / "cli.py").write_text("changed")
    assert not _synthesized(project)
    (project / "ml_a2" / "infrastructure" / "storage.py").write_text("changed")
    assert _synthesized(project)
    settings = project / "pipeline.toml"
    settings.write_text("environment = 'production'\n")
    assert _synthesized(project, settings)
    template = json.loads((_found(project, settings) / TEMPLATE).read_text())
    assert template["context"]["settings"] == str(settings)
    assert not _synthesized(project, settings)


def test_settings_live_side_by_side(project: Path) -> None:
    """What one command told a person to deploy is still that after another one with other settings."""
    settings = project / "pipeline.toml"
    settings.write_text("environment = 'production'\n")
    default, other = _found(project), _found(project, settings)
    assert default != other
    assert (_found(project), _found(project, settings)) == (default, other)
    assert not _synthesized(project)
    assert "settings" not in json.loads((default / TEMPLATE).read_text())["context"]
    assert not (project / "cdk.out").exists()


def test_two_commands_at_once_get_whole_assemblies(project: Path) -> None:
    """With other settings each its own, with the same settings one of them synthesizes."""
    files = [project / f"{name}.toml" for name in ("a", "b")]
    for file in files:
        file.write_text(f"name = '{file.stem}'\n")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda path: find_assembly(path, project, lambda _: None), [*files, *files]))
    assert sorted(fresh for _, fresh in made) == [False, False, True, True]
    for path, (folder, _) in zip([*files, *files], made, strict=True):
        assert json.loads((folder / TEMPLATE).read_text())["context"]["settings"] == str(path)


def test_old_assemblies_are_forgotten(project: Path) -> None:
    """So many are kept as were used last, whichever they are."""
    first = _found(project)
    for number in range(KEPT + 2):
        folder = Path(shutil.copytree(first, first.parents[1] / f"{number:016}" / "cdk.out"))
        os.utime(folder / RECORD, (number, number))
    (project / "ml_a2" / "contract.py").write_text("changed")
    newest = _found(project)
    left = {path.name for path in newest.parents[1].iterdir() if not path.name.startswith(".")}
    assert {first.parent.name, newest.parent.name} < left
    assert left - {first.parent.name, newest.parent.name} == {f"{number:016}" for number in range(4, KEPT + 2)}


def test_the_environment_says_where_assemblies_are_kept(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For tests, and where the usual place cannot be written to."""
    monkeypatch.setenv(PLACE, str(tmp_path / "elsewhere"))
    assert _found(project).is_relative_to(tmp_path / "elsewhere")
    assert not (project / ".ml-a2").exists()


def test_an_assembly_is_at_hand_when_it_need_not_be_synthesized(project: Path, installed: Path, tmp_path: Path) -> None:
    """In a clone and in the cache; of settings that do not exist there is none."""
    for place in (project, installed):
        where = {"project": place, "cache": tmp_path / "cache"}
        assert assembly_at_hand(None, **where) is None
        made, _ = find_assembly(None, tell=lambda _: None, **where)
        assert assembly_at_hand(None, **where) == made
        assert assembly_at_hand(place / "nowhere.toml", **where) is None
        (place / "ml_a2" / "infrastructure" / "storage.py").write_text("changed")
        assert assembly_at_hand(None, **where) is None


def test_a_template_changed_by_hand_is_not_reused(project: Path) -> None:
    """An edited assembly is replaced, never run as if it were the project's own."""
    assert _synthesized(project)
    (_found(project) / TEMPLATE).write_text("{}")
    assert _synthesized(project)


def test_fails_with_the_words_of_the_app(project: Path) -> None:
    """What the stack refuses is told in its own words, and nothing is left of it; the last assembly stays."""
    made = _found(project)
    (project / "app.py").write_text("import sys\nsys.exit('error: settings are wrong')\n")
    with pytest.raises(UserError, match=r"^settings are wrong$"):
        find_assembly(None, project, tell=lambda _: None)
    assert (made / TEMPLATE).is_file()
    (project / "app.py").write_text("raise RuntimeError('a bug')\n")
    with pytest.raises(PlatformError, match="RuntimeError: a bug"):
        find_assembly(None, project, tell=lambda _: None)
    assert list(project.rglob(".cdk.out-*")) == []


def test_all_that_the_stack_is_made_of_is_an_input() -> None:
    """No module that it imports can change without a new synthesis."""
    graph = grimp.build_graph("ml_a2", cache_dir=None)
    imported = graph.find_upstream_modules("ml_a2.app") | {"ml_a2.app"}
    known = {f"ml_a2.{name.replace('/', '.')}" for name in SOURCES}
    assert {name for name in imported if not name.startswith("ml_a2.infrastructure")} == known
    assert {path.count(".") for path in imported if path.startswith("ml_a2.infrastructure.")} == {2}


def test_an_installed_package_keeps_its_assemblies_in_the_cache(installed: Path, tmp_path: Path) -> None:
    """Neither its own folder nor the current one is written to, and settings live side by side."""
    before = sorted(installed.rglob("*"))
    settings = tmp_path / "pipeline.toml"
    settings.write_text("environment = 'production'\n")
    cache = tmp_path / "cache" / "assemblies"

    def find(settings: Path | None) -> tuple[Path, bool]:
        return find_assembly(settings, installed, tell=lambda _: None, cache=cache)

    default, made = find(None)
    other, made_too = find(settings)
    assert (made, made_too, default != other) == (True, True, True)
    assert (find(None), find(settings)) == ((default, False), (other, False))
    template = json.loads((other / TEMPLATE).read_text())
    assert template["context"] == {"settings": str(settings)}
    (installed / "ml_a2" / "contract.py").write_text("another version")
    assert find(None)[0] not in (default, other)
    assert (default / RECORD).is_file()
    assert [path for path in sorted(installed.rglob("*")) if "__pycache__" not in path.parts] == before
    assert {path.parents[1] for path in (default, other)} == {cache}


def test_an_assembly_is_written_where_nothing_can_be_kept(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that cannot be written to is no reason to refuse a folder that can."""
    (tmp_path / "cache").touch()
    monkeypatch.setenv(PLACE, str(tmp_path / "cache" / "assemblies"))
    assert write_assembly(None, tmp_path / "cdk.out", installed, tell=lambda _: None)


def test_modules_of_the_current_folder_take_nothings_place(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's own json.py is not imported by the synthesis."""
    (tmp_path / "json.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    assert write_assembly(None, Path("cdk.out"), installed, tell=lambda _: None)


def test_an_assembly_is_written_where_a_person_wants_it(installed: Path, tmp_path: Path) -> None:
    """It is replaced when it is old or changed, and nothing else is left there."""
    output = tmp_path / "there" / "churn.out"

    def write() -> bool:
        return write_assembly(None, output, installed, tell=lambda _: None)

    assert write()
    assert [path.name for path in output.parent.iterdir()] == ["churn.out"]
    assert not write()
    (output / TEMPLATE).write_text("{}")
    assert write()
    assert sorted(path.name for path in output.iterdir()) == [TEMPLATE, RECORD]


def test_fails_for_a_folder_with_something_else(installed: Path, tmp_path: Path) -> None:
    """Nothing of a person's own is removed for an assembly."""
    file = tmp_path / "manifest.json"  # as a web page has one, too
    file.touch()
    for output in (tmp_path, file):
        with pytest.raises(UserError, match="is there and is no cloud assembly; name another folder with --output DIR"):
            write_assembly(None, output, installed)
    assert file.is_file()
    (tmp_path / "empty").mkdir()
    assert write_assembly(None, tmp_path / "empty", installed, tell=lambda _: None)


def test_fails_where_nothing_can_be_written(installed: Path, tmp_path: Path) -> None:
    """It is told where, why, and what to do instead."""
    (tmp_path / "cache").touch()
    with pytest.raises(PlatformError, match=r"cannot be written to .*/cache/.*: .* `ml-a2 synth --output DIR`"):
        find_assembly(None, installed, tell=lambda _: None, cache=tmp_path / "cache" / "assemblies")


def test_fails_without_its_settings_file(project: Path) -> None:
    """A file that is not there is told by name."""
    with pytest.raises(UserError, match=r"settings file .*none\.toml does not exist"):
        find_assembly(project / "none.toml", project)


def test_fails_for_a_folder_that_is_no_assembly(tmp_path: Path) -> None:
    """A folder without a manifest, or with a broken one, is told as such."""
    with pytest.raises(AssemblyError, match=r"manifest.json cannot be read: .* is .* a cloud assembly\?"):
        read_template(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(AssemblyError, match=r"manifest.json is no JSON"):
        read_template(tmp_path)
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    with pytest.raises(AssemblyError, match=r"0 stacks in manifest\.json, exactly 1 can be run"):
        read_template(tmp_path)
