"""The page in a real browser, opened from disk: it draws, asks nobody for anything, speaks one language, prints."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from make_run import MANIFEST, make_run, studied

from noroshi.report import page as report_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=f"no browser: none of {', '.join(BROWSERS)} is installed"),
    pytest.mark.skipif(
        not all((report_page._STATIC / name).is_file() for name in report_page.PIECES),
        reason="the front end has not been built: run `make web`",
    ),
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, list[str], Path]]:
    """The page of the made-up run in a browser, everything it complained of or asked for, and its file."""
    sync_api = pytest.importorskip("playwright.sync_api")
    run = make_run()
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_page.render(run, studied(run), MANIFEST), "utf-8")
    heard: list[str] = []
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.on("console", lambda m: heard.append(f"{m.type}: {m.text}"))
        tab.on("pageerror", lambda error: heard.append(f"error: {error}"))
        tab.on(
            "request",
            lambda r: r.url.startswith(("file:", "data:", "blob:")) or heard.append(f"asked {r.url}"),
        )
        tab.goto(file.as_uri())
        tab.wait_for_selector("html[data-ready=en]", timeout=60_000)
        yield tab, heard, file
        browser.close()


def choose(tab: Any, lang: str) -> None:
    tab.evaluate("document.documentElement.removeAttribute('data-ready')")
    tab.click(f"button[data-to={lang}]")
    tab.wait_for_selector(f"html[data-ready={lang}]", timeout=60_000)


def charts(tab: Any) -> list[dict[str, Any]]:
    """Of each shown figure: caption, drawings, marks, texts with their boxes, tick labels per axis."""
    return tab.evaluate(
        """() => [...document.querySelectorAll("main:not([hidden]) figure.vega")].map((figure) => {
            const svg = figure.querySelector(".chart svg");
            if (!svg) return {caption: figure.textContent, marks: 0};
            const frame = svg.getBoundingClientRect();
            const seen = (part) => [...part.querySelectorAll("text")]
                .filter((t) => t.textContent && t.getAttribute("opacity") !== "0");
            const inside = (box) => box.left > frame.left - 1 && box.right < frame.right + 1
                && box.top > frame.top - 1 && box.bottom < frame.bottom + 1;
            return {
                caption: figure.querySelector("figcaption").textContent,
                label: svg.getAttribute("aria-label"),
                marks: svg.querySelectorAll("[class*='mark-'] path, .mark-text text").length,
                axes: [...svg.querySelectorAll(".role-axis-label")].map((axis) => seen(axis).map((t) => t.textContent)),
                outside: seen(svg).filter((t) => !inside(t.getBoundingClientRect())).map((t) => t.textContent),
                boxes: seen(svg).map((t) => t.getBoundingClientRect()).map((b) => [b.left, b.right, b.top, b.bottom]),
                texts: seen(svg).map((t) => t.textContent),
            };
        })"""
    )


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_chart_draws(opened: tuple[Any, list[str], Path], lang: str) -> None:
    tab, heard, _ = opened
    choose(tab, lang)
    drawn = charts(tab)
    assert len(drawn) == 10  # two maps, timeline, custody, error, GOSPA, impact, latency, losses, phase study
    for chart in drawn:
        assert chart["marks"] > 3, chart["caption"]
        assert chart["caption"] in chart["label"]
        assert chart["outside"] == [], chart["caption"]
        for ticks in chart["axes"]:
            said = [tick for tick in ticks if tick]
            assert len(set(said)) == len(said), (chart["caption"], ticks)
    assert heard == []


def test_labels_of_the_timeline_do_not_collide(opened: tuple[Any, list[str], Path]) -> None:
    tab, _, _ = opened
    for lang in ("en", "ja"):
        choose(tab, lang)
        timeline = charts(tab)[1]
        boxes = timeline["boxes"]
        assert len(boxes) > 20
        for n, a in enumerate(boxes):
            for b in boxes[:n]:
                # boxes of text are taller than its letters: 3 pixels of overlap above and below touch nothing
                apart = a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] + 3 or b[3] <= a[2] + 3
                assert apart, (timeline["texts"][n], a, b)


def test_lost_is_hatched_in_each_language(opened: tuple[Any, list[str], Path]) -> None:
    """The pattern must be in the drawing that uses it: one in the hidden language's drawing is not painted."""
    tab, _, _ = opened
    for lang in ("ja", "en", "ja"):
        choose(tab, lang)
        inside = tab.evaluate(
            """() => [...document.querySelectorAll("main:not([hidden]) .chart svg [fill^='url(']")].map((path) => {
                const pattern = document.querySelector(path.getAttribute("fill").slice(4, -1));
                return path.closest(".chart > svg").contains(pattern);
            })"""
        )
        assert len(inside) >= 3  # a lane of each node, and the legend
        assert all(inside)


# what Japanese pages keep in Latin letters: names of the scenario, clocks, units
KEPT = r"(?<![A-Za-z])(arrow|Here|There|gate|dish|ring-\d|Southland|UTC|JST|km|noroshi|English|k|GOSPA)(?![A-Za-z])"


def test_no_english_is_left_in_japanese(opened: tuple[Any, list[str], Path]) -> None:
    tab, _, _ = opened
    choose(tab, "ja")
    for chart in charts(tab):
        for text in chart["texts"]:
            assert not re.search(r"[A-Za-z]{2,}", re.sub(KEPT, "", text)), (chart["caption"], text)
    heads = tab.evaluate(
        "() => [...document.querySelectorAll('main:not([hidden]) :is(h2, h3, th, figcaption, .legend li, .note)')]"
        ".map((e) => e.textContent)"
    )
    for head in heads:
        rest = re.sub(KEPT, "", head)
        rest = re.sub(r"GOSPA|SIAP|NEES|Vega|Lite|BSD|Clause|Natural|Earth|world|atlas|ISC|sha256", "", rest)
        assert not re.search(r"[A-Za-z]{2,}", rest), head
    assert tab.title() == "架空の飛行"
    choose(tab, "en")
    assert not re.search(r"[぀-ヿ一-鿿]", "".join(t for chart in charts(tab) for t in chart["texts"]))


def test_the_keyboard_switches_languages(opened: tuple[Any, list[str], Path]) -> None:
    tab, _, _ = opened
    choose(tab, "en")
    tab.focus("button[data-to=ja]")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("html[lang=ja][data-ready=ja]")
    pressed = tab.eval_on_selector_all(
        "button[data-to]", "bs => bs.map((b) => b.getAttribute('aria-pressed'))"
    )
    assert pressed == ["false", "true"]
    assert tab.is_visible("#main-ja")
    assert tab.is_hidden("#main-en")


def test_the_address_opens_a_language(opened: tuple[Any, list[str], Path]) -> None:
    tab, heard, file = opened
    tab.goto(file.as_uri() + "?lang=ja")
    tab.wait_for_selector("html[lang=ja][data-ready=ja]", timeout=60_000)
    assert tab.is_visible("#main-ja")
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready=en]", timeout=60_000)
    assert heard == []


def test_the_page_fits_small_screens_and_paper(opened: tuple[Any, list[str], Path]) -> None:
    tab, _, file = opened
    choose(tab, "en")
    try:
        tab.set_viewport_size({"width": 420, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 420
        tab.emulate_media(media="print")
        assert tab.is_hidden("nav")
        assert tab.is_visible(".banner b")
        tab.emulate_media(media="screen")
    finally:
        tab.set_viewport_size({"width": 1280, "height": 900})
    paper = tab.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF")
    sizes = {tuple(float(v) for v in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", paper)}
    # A4 is 595.28 x 841.89 points
    assert all(abs(w - 595.28) < 1 and abs(h - 841.89) < 1 for _, _, w, h in sizes)
    assert 3 <= len(re.findall(rb"/Type /Page\b", paper)) <= 8
    picture = file.with_name("report.png")
    tab.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 50_000  # an empty page of this size compresses to a tenth of that
