"""The assembly is synthesized when its inputs change, and only then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ml_a2.errors import AssemblyError, PlatformError, UserError
from ml_a2.local.assembly import PROJECT, find_assembly
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


def test_fails_where_there_is_no_stack(tmp_path: Path) -> None:
    """Installed without its clone, the command says what it needs."""
    with pytest.raises(UserError, match="there is no stack to synthesize"):
        find_assembly(None, tmp_path, tell=lambda _: None)


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
