"""The coverage page in a real browser, from disk: every chart draws, nothing is asked for, one language at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from make_coverage import DESIGN, MANIFEST, make_coverage, summarise
from test_page_browser import CHROMIUM, charts, choose, pytestmark  # noqa: F401  (skips without a browser)

from noroshi.report import coverage_page

STUDIES: dict[str, tuple[dict[str, Any], dict[str, Any] | None, int]] = {
    # charts: of the globe five maps, four by latitude, histogram, gaps, two over time
    "globe": ({"kind": "globe", "sensors": 18, "stereo": True, "error": True}, None, 13),
    # front, two maps (no gaps), two by latitude, histogram, two over time
    "region": ({"kind": "region", "sensors": 60}, DESIGN, 8),
    # map, bars, two over time, histogram, gaps
    "sites": ({"kind": "sites", "sensors": 24, "stereo": True, "error": True}, None, 6),
    # map, over time, histogram
    "moving": ({"kind": "moving", "sensors": 12}, None, 3),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as p:
        started = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module", params=STUDIES)
def opened(
    request: pytest.FixtureRequest, browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Any, list[str], Path]]:
    """A study's page in a tab, and everything it complained of or asked for."""
    how, design, _ = STUDIES[request.param]
    coverage = make_coverage(**how)
    if request.param == "globe":  # some latitudes without a fix, and errors that differ elsewhere
        error = coverage.error_median_m
        lat = coverage.points.lat_rad
        error[lat < -1.2] = float("nan")
        error += 300.0 * abs(lat)
        coverage.bands.error_m[:] += 30.0 * abs(coverage.bands.south_rad)
    file = tmp_path_factory.mktemp("coverage") / f"{request.param}.html"
    file.write_text(coverage_page.render(coverage, summarise(coverage), MANIFEST, design=design), "utf-8")
    heard: list[str] = []
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.on("console", lambda m: heard.append(f"{m.type}: {m.text}"))
    tab.on("pageerror", lambda error: heard.append(f"error: {error}"))
    tab.on(
        "request",
        lambda r: r.url.startswith(("file:", "data:", "blob:")) or heard.append(f"asked {r.url}"),
    )
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready=en]", timeout=60_000)
    yield request.param, tab, heard, file
    tab.close()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_chart_draws(opened: tuple[str, Any, list[str], Path], lang: str) -> None:
    name, tab, heard, _ = opened
    choose(tab, lang)
    drawn = charts(tab)
    assert len(drawn) == STUDIES[name][2], [chart["caption"] for chart in drawn]
    for chart in drawn:
        assert chart["marks"] > 3, chart["caption"]
        assert chart["outside"] == [], chart["caption"]
        for ticks in chart["axes"]:
            said = [tick for tick in ticks if tick]
            assert len(said) > 1, (chart["caption"], ticks)
            # a map of the whole Earth begins and ends at the same meridian
            assert len(set(said)) >= len(said) - 1, (chart["caption"], ticks)
        boxes = chart["boxes"]
        for n, a in enumerate(boxes):
            for m, b in enumerate(boxes[:n]):
                same = chart["texts"][n] == chart["texts"][m]  # a name over its own light edge
                apart = a[1] <= b[0] + 1 or b[1] <= a[0] + 1 or a[3] <= b[2] + 3 or b[3] <= a[2] + 3
                assert same or apart, (chart["caption"], chart["texts"][n], chart["texts"][m])
    assert heard == []


def test_pictures_are_painted_under_the_coast(opened: tuple[str, Any, list[str], Path]) -> None:
    """The browser decodes every heat map: its natural size is what was written."""
    name, tab, _, _ = opened
    choose(tab, "en")
    sizes = tab.evaluate(
        """async () => Promise.all([...document.querySelectorAll("main:not([hidden]) svg image")].map(async (at) => {
            const picture = new Image();
            picture.src = at.getAttribute("href");
            await picture.decode();
            return [picture.naturalWidth, picture.naturalHeight];
        }))"""
    )
    assert len(sizes) == {"globe": 5, "region": 2}.get(name, 0)
    assert all(wide == 480 and high > 100 for wide, high in sizes)


def test_no_fix_and_no_sensor_are_hatched(opened: tuple[str, Any, list[str], Path]) -> None:
    name, tab, _, _ = opened
    for lang in ("en", "ja"):
        choose(tab, lang)
        count = tab.evaluate(
            "document.querySelectorAll(\"main:not([hidden]) .chart svg [fill^='url(#hatch']\").length"
        )
        assert (count > 0) == (name in ("globe", "moving"))


# what Japanese pages keep in Latin letters: names of the study, units, propagators
KEPT = r"(?<![A-Za-z])(Wakkanai|Niigata|Yonaguni|Guam|Hilo|Darwin|km|WGS|SGP|rad|sha256)(?![A-Za-z])"


def test_no_english_is_left_in_japanese(opened: tuple[str, Any, list[str], Path]) -> None:
    _, tab, _, _ = opened
    choose(tab, "ja")
    for chart in charts(tab):
        for words in chart["texts"]:
            assert not re.search(r"[A-Za-z]{2,}", re.sub(KEPT, "", words)), (chart["caption"], words)
    heads = tab.evaluate(
        "() => [...document.querySelectorAll('main:not([hidden]) :is(h1, h2, h3, th, figcaption, .legend li, .note)')]"
        ".map((e) => e.textContent)"
    )
    for head in heads:
        rest = re.sub(r"Vega|Lite|BSD|Clause|Natural|Earth|world|atlas|ISC", "", re.sub(KEPT, "", head))
        assert not re.search(r"[A-Za-z]{2,}", rest), head
    choose(tab, "en")
    assert not re.search(r"[぀-ヿ一-鿿]", "".join(t for chart in charts(tab) for t in chart["texts"]))


def test_the_page_fits_small_screens_and_paper(opened: tuple[str, Any, list[str], Path]) -> None:
    name, tab, _, file = opened
    choose(tab, "en")
    try:
        tab.set_viewport_size({"width": 420, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 420
    finally:
        tab.set_viewport_size({"width": 1280, "height": 900})
    paper = tab.pdf(format="A4", print_background=True)
    assert 2 <= len(re.findall(rb"/Type /Page\b", paper)) <= 9, name
    picture = file.with_suffix(".png")
    tab.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 50_000  # an empty page of this size compresses to a tenth of that
