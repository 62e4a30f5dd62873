"""The report in a real browser: nothing is asked of a network, nothing is complained of, everything can be seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from ml_a2.report import write_report
from tests.report.run_files import history
from tests.report.samples import KINDS, Sample, sample

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE, DESK = 360, 1280

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: `apt-get install chromium`"),
    pytest.mark.xdist_group("browser"),  # one browser is enough
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages; it may run as root."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report of each kind, and one of a run that failed."""
    runs: dict[str, Sample] = {kind: sample(kind) for kind in KINDS}
    cause = f"ValueError: {'a_word_that_goes_on_' * 30}"
    failure = {"stage": "Training", "error": "TrainingJobFailed", "cause": cause, "next_step": "mend the cause"}
    runs["failed"] = Sample(sample("binary").manifest, history=history(failure=failure))
    runs["failed"].manifest["execution"]["status"] = "FAILED"
    folder = tmp_path_factory.mktemp("runs")
    return {name: write_report(run.write(folder / name)) for name, run in runs.items()}


class Witness:
    """What a browser asked for and complained of while it showed a page."""

    def __init__(self, browser: Browser, path: Path, *, width: int = DESK, scheme: str = "light") -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        self.requests.remove(path.as_uri())


NAMES = (*KINDS, "failed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", NAMES)
def test_it_opens_offline(browser: Browser, reports: dict[str, Path], name: str, width: int, scheme: str) -> None:
    """A page asks for nothing, complains of nothing and is no wider than its window, with every part opened."""
    witness = Witness(browser, reports[name], width=width, scheme=scheme)
    assert witness.requests == []
    assert witness.complaints == []
    assert witness.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    witness.page.close()


def test_the_witness_sees_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    """The same eyes catch an image from elsewhere, a word on the console, an error, and a page that is too wide."""
    path = tmp_path / "page.html"
    path.write_text(
        '<!doctype html><title>x</title><p style="width:2000px">x</p><img src="http://127.0.0.1:1/x.png">'
        "<script>console.error('a complaint'); throw new Error('an error')</script>"
    )
    witness = Witness(browser, path)
    assert witness.requests == ["http://127.0.0.1:1/x.png"]
    assert "a complaint" in witness.complaints
    assert any("an error" in complaint for complaint in witness.complaints)
    assert not witness.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    witness.page.close()


def test_the_policy_stops_what_is_not_the_pages_own(browser: Browser, reports: dict[str, Path], tmp_path: Path) -> None:
    """A script, a style in place or an image that gets into the page is refused, and nothing is fetched."""
    foreign = '<p style="color:red">x</p><img src="http://127.0.0.1:1/x.png"><script>document.title = "x"</script>'
    path = tmp_path / "page.html"
    path.write_text(reports["ranking"].read_text(encoding="utf-8").replace("</main>", f"{foreign}</main>"))
    witness = Witness(browser, path)
    assert sum("Content Security Policy" in complaint for complaint in witness.complaints) == 3
    assert witness.page.title() != "x"
    witness.page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_plots_are_seen_in_light_and_dark(browser: Browser, reports: dict[str, Path], kind: str) -> None:
    """Each plot has a size and letters that can be read, and takes its colours from the scheme."""
    drawn = """() => [...document.querySelectorAll('svg.plot')].map(plot => ({
        width: plot.getBoundingClientRect().width, height: plot.getBoundingClientRect().height,
        letters: Math.min(...[...plot.querySelectorAll('text')].map(text => text.getBoundingClientRect().height)),
        ink: getComputedStyle(plot.querySelector('.stroke-first, .fill-first')).stroke
           + getComputedStyle(plot.querySelector('.stroke-first, .fill-first')).fill,
        text: getComputedStyle(plot.querySelector('text')).fill}))"""
    seen = {}
    for scheme in ("light", "dark"):
        witness = Witness(browser, reports[kind], width=PHONE, scheme=scheme)
        seen[scheme] = witness.page.evaluate(drawn)
        witness.page.close()
    assert seen["light"]
    for light, dark in zip(seen["light"], seen["dark"], strict=True):
        assert light["width"] > 250
        assert light["height"] > 150
        assert light["letters"] > 9
        assert light["ink"] != dark["ink"]
        assert light["text"] != dark["text"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_accessible(browser: Browser, reports: dict[str, Path], name: str, scheme: str) -> None:
    """Axe finds nothing against WCAG 2.2 AA, contrast included; the dark scheme differs in contrast alone."""
    witness = Witness(browser, reports[name], scheme=scheme)
    # Axe cannot tell the background where it is a gradient: below the shadows it is the card's.
    witness.page.evaluate("document.querySelectorAll('.scroll').forEach(e => e.style.background = 'var(--card)')")
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] if scheme == "light" else ["color-contrast"]
    found = Axe().run(witness.page, options={"runOnly": rules})
    assert found.violations_count == 0, found.generate_report()
    witness.page.close()


def test_it_prints_dark_on_white(browser: Browser, reports: dict[str, Path]) -> None:
    """Paper is white, whatever the screen was, and what scrolls is laid out in full."""
    witness = Witness(browser, reports["binary"], scheme="dark")
    witness.page.emulate_media(media="print")
    colours = witness.page.evaluate(
        "() => { const style = getComputedStyle(document.body); return [style.backgroundColor, style.color] }"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert witness.page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert len(witness.page.pdf()) > 10_000
    witness.page.close()
