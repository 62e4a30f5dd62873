"""The assembly is synthesized when its inputs change, and only then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import grimp
import pytest

from ml_a2.errors import AssemblyError, PlatformError, UserError
from ml_a2.local.assembly import PROJECT, RECORD, SOURCES, assembly_at_hand, find_assembly, write_assembly
from ml_a2.local.runtime import read_template

pytestmark = pytest.mark.xdist_group("cdk")

FAKE_APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"]); out.mkdir()
text = json.dumps({"context": json.loads(os.environ["CDK_CONTEXT_JSON"])})
(out / "MlA2TrainingEvaluationStack.template.json").write_text(text)
"""


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
    template = json.loads((project / "cdk.out/MlA2TrainingEvaluationStack.template.json").read_text())
    assert template["context"]["settings"] == str(settings)
    assert not _synthesized(project, settings)


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
    """An edited cdk.out is replaced, never run as if it were the project's own."""
    assert _synthesized(project)
    (project / "cdk.out/MlA2TrainingEvaluationStack.template.json").write_text("{}")
    assert _synthesized(project)


def test_fails_with_the_words_of_the_app(project: Path) -> None:
    """What the stack refuses is told in its own words; the last assembly stays."""
    assert _synthesized(project)
    (project / "app.py").write_text("import sys\nsys.exit('error: settings are wrong')\n")
    with pytest.raises(UserError, match=r"^settings are wrong$"):
        find_assembly(None, project, tell=lambda _: None)
    assert (project / "cdk.out").is_dir()
    (project / "app.py").write_text("raise RuntimeError('a bug')\n")
    with pytest.raises(PlatformError, match="RuntimeError: a bug"):
        find_assembly(None, project, tell=lambda _: None)
    assert [path.name for path in project.glob(".cdk.out-*")] == []


def test_all_that_the_stack_is_made_of_is_an_input() -> None:
    """No module that it imports can change without a new synthesis."""
    graph = grimp.build_graph("ml_a2", cache_dir=None)
    imported = graph.find_upstream_modules("ml_a2.app") | {"ml_a2.app"}
    known = {f"ml_a2.{name}" for name in SOURCES}
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
    template = json.loads((other / "MlA2TrainingEvaluationStack.template.json").read_text())
    assert template["context"] == {"settings": str(settings)}
    (installed / "ml_a2" / "contract.py").write_text("another version")
    assert find(None)[0] not in (default, other)
    assert (default / RECORD).is_file()
    assert [path for path in sorted(installed.rglob("*")) if "__pycache__" not in path.parts] == before
    assert {path.parents[1] for path in (default, other)} == {cache}


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
    (output / "MlA2TrainingEvaluationStack.template.json").write_text("{}")
    assert write()
    assert sorted(path.name for path in output.iterdir()) == ["MlA2TrainingEvaluationStack.template.json", RECORD]


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
