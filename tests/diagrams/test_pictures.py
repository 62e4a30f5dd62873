"""The pictures: complete, legible, deterministic, and of the template that is there."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import imageio_ffmpeg
import pytest
from click.testing import CliRunner
from PIL import Image

from ml_a2.cli import main
from ml_a2.diagrams.architecture import Architecture, Flow
from ml_a2.diagrams.lettering import LINE, width
from ml_a2.diagrams.painting import FINGERPRINT
from ml_a2.diagrams.pictures import NAME, SERVICES, scene_of, write_still
from ml_a2.diagrams.reading import read_architecture
from ml_a2.diagrams.scene import Box, Scene
from ml_a2.diagrams.services import services_of
from ml_a2.errors import AssemblyError

Template = dict[str, Any]
DIAGRAMS = Path(__file__).parents[2] / "diagrams"
MEGABYTE = 1_000_000


def _logical_id(template: Template, kind: str, part: str = "") -> str:
    return next(name for name, r in template["Resources"].items() if r["Type"] == kind and part in name)


@pytest.fixture(scope="module")
def plan(template: Template) -> Architecture:
    return read_architecture(template)


@pytest.fixture(scope="module")
def scene(template: Template) -> Scene:
    return scene_of(template)[1]


@pytest.fixture
def changed(template: Template) -> Template:
    """Somebody else's stack: subscribed twice, with one more bucket, and without the rule."""
    other = copy.deepcopy(template)
    resources = other["Resources"]
    topic = _logical_id(other, "AWS::SNS::Topic")
    for name in ("One", "Two"):
        subscription = {"TopicArn": {"Ref": topic}, "Protocol": "email", "Endpoint": f"{name}@example.com"}
        resources[name] = {"Type": "AWS::SNS::Subscription", "Properties": subscription}
    resources["PredictionsForEverybodyWhoAsks0123ABCD"] = {"Type": "AWS::S3::Bucket"}
    del resources[_logical_id(other, "AWS::Events::Rule")]
    return other


def _flows(plan: Architecture, label: str) -> set[tuple[str, str]]:
    titles = {part.id: part.title for part in plan.parts}
    chosen = [flow for flow in plan.flows if flow.label.startswith(label)]
    return {(titles.get(f.source, f.source), titles.get(f.target, f.target)) for f in chosen}


def test_policies_say_who_reads_and_writes(plan: Architecture) -> None:
    """The paths of data are those that the roles allow."""
    assert _flows(plan, "reads") >= {
        ("Training data", "Training job"),
        ("Training data", "Processing job"),
        ("Model artifacts", "Processing job"),
        ("Evaluation results", "ReadEvaluation"),
    }
    assert _flows(plan, "writes") >= {
        ("Training job", "Model artifacts"),
        ("Processing job", "Evaluation results"),
    }
    assert ("NotifyFailure", "Alerting") in _flows(plan, "publishes")
    assert _flows(plan, "notifies") == {("Alerting", "Subscribers")}


def test_what_a_role_does_not_allow_is_not_drawn(template: Template) -> None:
    """A call without a permission goes nowhere."""
    other = copy.deepcopy(template)
    del other["Resources"][_logical_id(other, "AWS::IAM::Policy", "TrainingRole")]
    left = {flow for flow in read_architecture(other).flows if "TrainingJob" in (flow.source, flow.target)}
    assert {flow.label for flow in left} == {"creates", "describes", "stops"}


def test_every_end_of_an_arrow_is_drawn(scene: Scene) -> None:
    """Arrows touch the boxes that they join."""
    boxes = scene.boxes()
    for route in scene.routes:
        for name, (x, y) in ((route.source, route.points[0]), (route.target, route.points[-1])):
            assert boxes[name].meets(Box(x, y, 0, 0), 0.01), (name, route)


@pytest.mark.parametrize("which", ["own", "changed"])
def test_nothing_overlaps_and_nothing_is_cut(which: str, template: Template, changed: Template) -> None:
    """Texts lie apart, within the page, as wide as they are, and in the boxes that they belong to."""
    _, scene = scene_of(template if which == "own" else changed)
    page = Box(0, 0, scene.width, scene.height)
    texts = scene.all_texts()
    for one, other in itertools.combinations(texts, 2):
        assert not one.box.meets(other.box), (one.lines, other.lines)
    for text in texts:
        assert page.holds(text.box), text
        assert max(width(line, text.size, bold=text.bold) for line in text.lines) <= text.box.w + 0.01
        assert len(text.lines) * text.size * LINE <= text.box.h + 0.01
    for owner in (scene.panel, *scene.cards, *scene.states):
        assert all(owner.box.holds(text.box) for text in owner.texts), owner
    boxes = [each.box for each in (*scene.cards, *scene.states)]
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].meets(pair[1], 8)]
    labels = [route.label for route in scene.routes if route.label]
    assert not [(label, box) for label in labels for box in boxes if label.box.meets(box)]


def test_no_arrow_runs_through_a_box(scene: Scene) -> None:
    """What is crossed is other arrows, never a part or a state."""
    boxes = [each.box for each in (*scene.cards, *scene.states)]
    inner = [Box(box.x + 1, box.y + 1, box.w - 2, box.h - 2) for box in boxes]
    crossed = [(r.source, r.target) for r in scene.routes for s in r.segments() for box in inner if s.meets(box)]
    assert not crossed


def test_nearly_every_flow_has_its_label(plan: Architecture, scene: Scene) -> None:
    """What has none runs together with an arrow that has the same one."""
    words = {(flow.source, flow.target): flow.label for flow in plan.flows}
    labelled = {words[route.source, route.target] for route in scene.routes if route.label}
    assert labelled == set(words.values())


def _cells(template: Template, folder: Path) -> list[ET.Element]:
    write_still(template, folder)
    return list(ET.parse(folder / f"{NAME}.drawio").getroot().iter("mxCell"))  # noqa: S314  # written a line before


def test_the_drawing_opens_with_connected_shapes(template: Template, tmp_path: Path) -> None:
    """Ids are unique, parents, sources and targets exist, and shapes lie on the page."""
    cells = _cells(template, tmp_path)
    ids = [cell.get("id") for cell in cells]
    assert len(ids) == len(set(ids))
    assert ids[:2] == ["0", "1"]
    assert all(cell.get("parent") in ids for cell in cells[1:])
    scene = scene_of(template)[1]
    flows = [cell for cell in cells if cell.get("edge") and not str(cell.get("id")).startswith("legend")]
    assert len(flows) == len(scene.routes)
    for edge in flows:
        assert {edge.get("source"), edge.get("target")} <= set(ids)
    for shape in (cell for cell in cells if cell.get("vertex") and not cell.get("connectable")):
        geometry = shape.find("mxGeometry")
        assert geometry is not None
        x, y, wide, tall = (float(geometry.get(name, "")) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + wide <= scene.width
        assert y + tall <= scene.height


def test_the_same_template_gives_the_same_bytes(template: Template, tmp_path: Path) -> None:
    """Nothing but the template decides about the still pictures."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        write_still(copy.deepcopy(template), folder)
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()


def test_the_fingerprint_knows_what_is_drawn_and_nothing_else(plan: Architecture, template: Template) -> None:
    """Another retention of logs changes nothing, another wait does."""
    other = copy.deepcopy(template)
    other["Resources"][_logical_id(other, "AWS::Logs::LogGroup")]["Properties"]["RetentionInDays"] = 7
    assert read_architecture(other).fingerprint() == plan.fingerprint()
    machine = other["Resources"][plan.machine.id]["Properties"]["DefinitionString"]["Fn::Join"][1]
    machine[:] = [p.replace('"Seconds":30', '"Seconds":31') if isinstance(p, str) else p for p in machine]
    assert read_architecture(other).fingerprint() != plan.fingerprint()


def test_the_pictures_are_of_this_template(plan: Architecture) -> None:
    """They are made again, with `make diagrams`, when the stack changes."""
    remedy = "the pictures are older than the template: run `make diagrams`"
    fingerprint = plan.fingerprint()
    drawing = ET.parse(DIAGRAMS / f"{NAME}.drawio").getroot()  # noqa: S314  # our own
    assert drawing.get(FINGERPRINT) == fingerprint, remedy
    for name in (f"{NAME}.png", SERVICES):
        with Image.open(DIAGRAMS / name) as image:
            assert image.info[FINGERPRINT] == fingerprint, remedy
    with Image.open(DIAGRAMS / f"{NAME}.gif") as image:
        assert image.info["comment"].decode() == fingerprint, remedy
    assert fingerprint.encode() in (DIAGRAMS / f"{NAME}.mp4").read_bytes(), remedy


def test_the_committed_drawing_is_what_the_template_gives(template: Template, tmp_path: Path) -> None:
    """Not even the layout is older."""
    write_still(template, tmp_path)
    # Icons are compressed by whatever zlib a machine has: they are left out.
    one, two = (_without_images((folder / f"{NAME}.drawio").read_text("utf-8")) for folder in (DIAGRAMS, tmp_path))
    assert one == two, "run `make diagrams`"


def _without_images(text: str) -> list[str]:
    return [line.partition("data:image/png")[0] for line in text.splitlines()]


def test_the_walkthrough_is_short_and_small() -> None:
    """A README loads it, and nobody waits for its end."""
    gif, mp4 = DIAGRAMS / f"{NAME}.gif", DIAGRAMS / f"{NAME}.mp4"
    assert gif.stat().st_size < 3 * MEGABYTE
    assert mp4.stat().st_size < 5 * MEGABYTE
    with Image.open(gif) as image:
        assert image.width == 900
        milliseconds = 0
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            milliseconds += image.info["duration"]
    reader = imageio_ffmpeg.read_frames(str(mp4))
    about = next(reader)
    reader.close()
    assert about["size"][0] == 1800
    for seconds in (milliseconds / 1000, about["duration"]):
        assert 10 <= seconds <= 25


def test_another_stack_is_drawn_as_it_is(changed: Template) -> None:
    """Its subscriptions and buckets are there, and the rule that it has not is not."""
    plan = read_architecture(changed)
    parts = {part.title: part.subtitle for part in plan.parts}
    assert parts["Subscribers"] == "2 by email"
    assert "Predictions for everybody who asks" in parts
    assert not [part for part in plan.parts if part.kind == "rule"]
    assert "Amazon EventBridge" not in services_of(changed)


def test_a_rule_that_starts_the_pipeline_stands_at_its_start(template: Template) -> None:
    """A schedule is a trigger, beside the data."""
    other = copy.deepcopy(template)
    machine = read_architecture(template).machine.id
    role = _logical_id(other, "AWS::IAM::Role", "EventsRole")
    policy = other["Resources"][_logical_id(other, "AWS::IAM::Policy", "EventsRole")]
    policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] = {"Ref": machine}
    target = {"Arn": {"Ref": machine}, "Id": "T", "RoleArn": {"Fn::GetAtt": [role, "Arn"]}}
    rule = {"ScheduleExpression": "rate(1 day)", "Targets": [target]}
    other["Resources"]["Nightly"] = {"Type": "AWS::Events::Rule", "Properties": rule}
    plan = read_architecture(other)
    assert next(part.column for part in plan.parts if part.id == "Nightly") == "data"
    assert Flow("Nightly", machine, "starts", "call") in plan.flows
    scene_of(other)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda r: r.update(Extra={"Type": "AWS::EC2::Instance"}), "'Extra' has type 'AWS::EC2::Instance'"),
        (lambda r: r.clear(), "no resources to draw"),
        (lambda r: [r.pop(n) for n in [*r] if "StateMachine" in r[n]["Type"]], "no state machine"),
    ],
)
def test_fails_on_what_cannot_be_drawn(break_it: Any, words: str, template: Template) -> None:
    """It is named, not left out."""
    other = copy.deepcopy(template)
    break_it(other["Resources"])
    with pytest.raises(AssemblyError, match=words):
        scene_of(other)


def test_fails_without_an_assembly_and_writes_nothing(tmp_path: Path) -> None:
    """The command says which file is missing, with the status of a wrong input."""
    output = tmp_path / "pictures"
    answer = CliRunner().invoke(main, ["diagrams", "--assembly", str(tmp_path), "--output", str(output)])
    assert answer.exit_code == 2
    assert "manifest.json" in answer.output
    assert not output.exists()
