"""The coverage page: sentence, cards, maps and tables of one set of figures; both languages; nothing fetched."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import struct
import time
import zlib
from string import Formatter
from typing import Any

import numpy as np
import pytest
from make_coverage import DESIGN, MANIFEST, bands, box, fibonacci, make_coverage, summarise

from noroshi.coverage.models import Coverage
from noroshi.report import (
    coverage_data,
    coverage_figures,
    coverage_page,
    coverage_text,
    maps,
    page,
    raster,
    text,
)
from noroshi.report.coverage_text import EN, JA, speak

built = pytest.mark.skipif(
    not all((page._STATIC / name).is_file() for name in page.PIECES),
    reason="the front end has not been built: run `make web`",
)


def study_of(coverage: Coverage, design: dict[str, Any] | None = None) -> coverage_data.Study:
    return coverage_data.collect(coverage, summarise(coverage), design)


def main_of(written: str, lang: str) -> str:
    """The words of one language's part, tags, scripts and swatches taken out."""
    part = re.search(rf'<main id="main-{lang}".*?</main>', written, re.S)
    assert part is not None
    bare = re.sub(r"<script.*?</script>|<svg.*?</svg>", " ", part[0], flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", bare))


# --- words -----------------------------------------------------------------------------------------------------


def test_both_languages_have_every_word() -> None:
    assert EN.keys() == JA.keys()
    assert not EN.keys() & text.EN.keys()  # a word that both tables had would change the other report's
    for key in EN:
        holes = [{name for _, name, _, _ in Formatter().parse(table[key]) if name} for table in (EN, JA)]
        assert holes[0] == holes[1], key
        assert EN[key], key


def test_japanese_words_are_japanese() -> None:
    for key, words in JA.items():
        rest = re.sub(r"(?<![A-Za-z])(km|kW|sr|WGS|rad)(?![A-Za-z])", "", re.sub(r"\{\w+\}", "", words))
        assert not re.search(r"[A-Za-z]{2,}", rest), (key, words)


def test_every_word_is_used() -> None:
    """Keys that no code asks for by name, or by its start or end, would be dead weight in two languages."""
    folder = maps.files("noroshi") / "report"
    code = "".join(
        (folder / name).read_text("utf-8")
        for name in ("coverage_page.py", "coverage_figures.py", "coverage_data.py")
    )
    asked = set(re.findall(r"[\"'](\w+)[\"']", code))
    starts, ends = tuple(re.findall(r'f"(\w+_)\{', code)), tuple(re.findall(r'f"\{\w+\}(_\w+)"', code))
    assert [
        key for key in EN if key not in asked and not key.startswith(starts) and not key.endswith(ends)
    ] == []


def test_figures_in_words() -> None:
    en, ja = speak("en"), speak("ja")
    spans = (0.0, 0.5, 59.6, 125.0, 5400.0, 7200.0, 86_400.0, 12_300.0, np.nan)
    assert [coverage_figures.span(t, en) for t in spans] == [
        "0 s",
        "0.5 s",
        "1 min",
        "2 min 05 s",
        "90 min",
        "2 h",
        "24 h",
        "3 h 25 min",
        "never",
    ]
    assert coverage_figures.span(12_300.0, ja) == "3時間25分"
    # only exact shares read as 0 % and 100 %: a rounded 99.97 % must not hide a gap
    shares = (0.0, 1.0, 1.0 - 1e-12, 0.5, 0.9997, 0.99999, 1e-5, 0.0004)
    assert [coverage_figures.percent(s) for s in shares] == [
        "0 %",
        "100 %",
        "100 %",
        "50.0 %",
        "99.97 %",
        "99.999 %",
        "0.001 %",
        "0.04 %",
    ]
    assert [coverage_figures.metres(v) for v in (3.456, 150.4, 1999.0, 2345.0, 123_456.0, np.nan)] == [
        "3.46 m",
        "150 m",
        "1,999 m",
        "2.35 km",
        "123 km",
        "–",
    ]


# --- figures ---------------------------------------------------------------------------------------------------


def test_quantiles_by_weight() -> None:
    """By hand: of weights 0.1, 0.2, 0.3, 0.4 a quarter is reached at the second value, a half at the third."""
    values, weight = np.array([3.0, 1.0, np.nan, 2.0]), np.array([0.3, 0.1, 0.4, 0.2])
    assert coverage_data.quantiles(values, weight, (0.0, 0.1, 0.25, 0.5, 0.6)) == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert np.isnan(coverage_data.quantiles(values, weight, (0.61,))[0])  # no figure is beyond every figure


def test_shares_that_exceed() -> None:
    """By hand: of the area half has no gap, a quarter one of 60 s, a quarter one of 120 s."""
    t, share = coverage_data.exceeded(np.array([0.0, 0.0, 60.0, 120.0]), np.full(4, 0.25))
    at = {x: s for x, s in zip(t, share, strict=True)}
    assert at == {0.0: 0.5, 60.0: 0.25, 120.0: 0.0}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("globe", "globe"),
        ("region", "region"),
        ("atlantic", "region"),
        ("sites", "sites"),
        ("moving", "moving"),
    ],
)
def test_what_was_asked_is_recognised(kind: str, found: str) -> None:
    assert coverage_data.kind_of(make_coverage(kind, steps=4)) == found


def test_a_band_of_latitudes_is_not_the_earth() -> None:
    points = box(20, 60, -180, 180, 5.0)
    assert not raster.cover_all(points.lat_rad, points.lon_rad)
    points = box(-90, 90, -180, 180, 10.0)
    assert raster.cover_all(points.lat_rad, points.lon_rad)


@built
@pytest.mark.parametrize(("kind", "west", "east"), [("region", 121.0, 199.0), ("atlantic", -59.0, -1.0)])
def test_regions_are_whole_on_their_map(kind: str, west: float, east: float) -> None:
    """Over the antimeridian and over 30 W, where the maps of the report begin, alike; true to scale in the middle."""
    study = study_of(make_coverage(kind, steps=4))
    assert (study.x.min(), study.x.max()) == pytest.approx((west, east))
    frame = study.frame
    assert frame.west < west < east < frame.east
    across = (frame.east - frame.west) * np.cos(np.deg2rad((frame.south + frame.north) / 2)) / frame.width
    up = (frame.north - frame.south) / frame.height
    assert across == pytest.approx(up, rel=0.01)  # height is whole pixels
    columns = maps.coast(frame)
    assert min(columns["x"]) > frame.west - 3
    assert max(columns["x"]) < frame.east + 3
    ends = np.diff(columns["piece"]) != 0
    assert np.abs(np.diff(columns["x"]))[~ends].max() < 10  # no line across the map


# --- pictures --------------------------------------------------------------------------------------------------


def pixels(address: str) -> tuple[np.ndarray, np.ndarray]:
    """Indices and palette of a PNG, read with nothing of the code that wrote it."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    columns, rows, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert (lines[:, 0] == 0).all()
    return lines[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def test_each_cell_has_the_colour_of_its_place() -> None:
    """A field that is its own latitude comes out darkest in the south and brightest in the north, cell by cell."""
    points = fibonacci(3000)
    x, y = np.rad2deg(points.lon_rad) % 360.0, np.rad2deg(points.lat_rad)
    x = np.where(x > 330.0, x - 360.0, x)
    frame = maps.globe()
    cells = raster.divide(frame, x, y, everywhere=True)
    filled, asked = raster.fill(cells, y, points.weight, "mean")
    assert asked.all()
    lat = 90.0 - (np.arange(cells.rows) + 0.5) * 180.0 / cells.rows
    # a point of 3,000 is never farther than about 3.2 degrees: sqrt(41253 / 3000) = 3.7 apart on average
    assert np.abs(filled.reshape(cells.rows, -1) - lat[:, None]).max() < 3.2
    index, palette = pixels(raster.picture(cells, raster.shade(filled, -90.0, 90.0), asked))
    assert index.shape == (cells.rows, cells.columns)
    assert palette[index[0, 0]].tolist() == pytest.approx([252, 230, 71], abs=6)  # the bright end of cividis
    assert palette[index[-1, 0]].tolist() == pytest.approx([0, 32, 81], abs=6)


def test_a_lattice_fills_its_rectangles_and_no_more() -> None:
    points = box(20, 56, 120, 200, 2.0)
    study = study_of(make_coverage("region", steps=4))
    cells = study.cells
    assert cells is not None
    frame = study.frame
    lon = frame.west + (np.arange(cells.columns) + 0.5) * (frame.east - frame.west) / cells.columns
    lat = frame.north - (np.arange(cells.rows) + 0.5) * (frame.north - frame.south) / cells.rows
    inside = ((lat > 20) & (lat < 56))[:, None] & ((lon > 120) & (lon < 200))
    assert ((cells.nearest >= 0).reshape(inside.shape) == inside).all()
    assert len(np.unique(cells.nearest)) == len(points.weight) + 1  # every point and the outside


def test_several_points_in_a_cell_show_their_mean_or_worst() -> None:
    frame = maps.globe()
    x, y = np.array([10.1, 10.2, 200.0]), np.array([5.1, 5.2, -40.0])
    cells = raster.divide(frame, x, y, everywhere=True)
    values, weight = np.array([1.0, 3.0, 7.0]), np.array([0.75, 0.25, 1.0])
    at = cells.of_point[0]
    assert cells.of_point[1] == at
    assert raster.fill(cells, values, weight, "mean")[0][at] == pytest.approx(1.5)
    assert raster.fill(cells, values, weight, "max")[0][at] == 3.0


# --- the page --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def globe() -> Coverage:
    return make_coverage("globe", sensors=18, stereo=True, error=True)


@pytest.fixture(scope="module")
def written(globe: Coverage) -> str:
    return coverage_page.render(globe, summarise(globe), MANIFEST)


@built
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_sentence_cards_and_tables_agree(globe: Coverage, written: str, lang: Any) -> None:
    """The figures straight from the arrays stand in the sentence, in the cards and in the table."""
    say, words = speak(lang), main_of(written, lang)
    weight = globe.points.weight
    mean = f"{weight @ globe.mean_fold:.1f}"
    share = coverage_figures.percent(float(weight @ globe.fraction_at_least[:, 0]))
    stereo = coverage_figures.percent(float(weight @ globe.stereo_fraction))
    gap = coverage_figures.span(float(globe.longest_gap_s.max()), say)
    sentence = coverage_page.sentence(study_of(globe), say)
    assert sentence in words
    for figure in (mean, share, stereo, gap):
        assert figure in sentence
        assert words.count(figure) >= 3, figure  # sentence, card, and table or note


@built
@pytest.mark.parametrize(
    ("kind", "sensors", "expected"),
    [
        (
            "globe",
            288,
            "Any place on Earth, 40 km up, is seen by 28.4 sensors on average and never by fewer than",
        ),
        ("region", 24, "Any of the 720 points between 21°N and 55°N, 121°E and 161°W, 40 km up, is seen by"),
        ("sites", 24, "The 6 sites are seen by"),
        ("moving", 12, "The target on its way is seen by"),
    ],
)
def test_the_sentence_says_what_was_asked(kind: str, sensors: int, expected: str) -> None:
    """28.4: share of a sphere within acos(R / (R + 1000 km)) + acos(R / (R + 40 km)), that is 0.5277 + 0.1118 rad:
    (1 - cos 0.6395) / 2 x 288 = 28.4."""
    coverage = make_coverage(kind, sensors=sensors, steps=20 if sensors == 288 else 120)
    assert coverage_page.sentence(study_of(coverage), speak("en")).startswith(expected)


def test_a_gap_that_is_cut_is_said_to_be() -> None:
    coverage = make_coverage("sites", sensors=6)
    summary = summarise(coverage)
    worst = int(np.argmax(coverage.longest_gap_s))
    name = coverage.points.names[worst]
    for cut, words in ((True, "at least "), (False, "")):
        study = coverage_data.collect(coverage, summary | {"gap_truncated": cut}, None)
        gap = coverage_figures.span(float(coverage.longest_gap_s[worst]), speak("en"))
        assert f"The longest gap is {words}{gap} (at {name})" in coverage_page.sentence(study, speak("en"))


def test_what_is_never_seen() -> None:
    coverage = make_coverage("sites", sensors=24, steps=10)
    nothing = summarise(coverage) | {"mean_fold": 0.0, "min_fold": 0, "max_fold": 0}
    study = coverage_data.collect(coverage, nothing | {"target_altitude_km": None}, None)
    assert coverage_page.sentence(study, speak("en")).endswith("never seen.")


@built
def test_what_is_alike_everywhere_is_said_not_drawn() -> None:
    """288 satellites see every place always by far more than four: no map of one colour, a line of words instead."""
    coverage = make_coverage("globe", sensors=288, steps=20)
    study = study_of(coverage)
    assert study.fold is None
    for what in ("gap", "least", "stereo", "error"):
        assert coverage_figures.chart_map(study, what, speak("en")) is None
    assert coverage_figures.chart_shares_over_time(study, speak("en")) is None
    assert coverage_figures.chart_gaps(study, speak("en")) is None
    words = main_of(coverage_page.render(coverage, summarise(coverage), MANIFEST), "en")
    assert "No place has a gap." in words
    assert "Every place is seen by at least 4 for 100 % of the time." in words


@built
def test_places_without_a_fix_are_hatched(globe: Coverage) -> None:
    error = globe.error_median_m.copy()
    error[globe.points.lat_rad > 1.0] = np.nan
    study = study_of(dataclasses.replace(globe, error_median_m=error))
    drawn = coverage_figures.chart_map(study, "error", speak("en"))
    assert drawn is not None
    assert [key.mark for key in drawn[1]] == ["hatch"]
    assert drawn[0]["usermeta"]["hatch"] == drawn[0]["layer"][0]["mark"]["fill"]
    index, _ = pixels(coverage_figures.datasets(study)["map_error"]["url"][0])
    lat = 90.0 - (np.arange(len(index)) + 0.5) * 180.0 / len(index)
    # 1 rad is 57.3 degrees; points of 1,500 are about 5.2 degrees apart
    assert (index[lat > 63] == 1).all()
    assert (index[lat < 52] > 1).all()


@built
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_design_and_what_losing_some_costs(lang: Any) -> None:
    coverage = make_coverage("region", sensors=60, steps=20)
    study = study_of(coverage, DESIGN)
    words = main_of(coverage_page.render(coverage, summarise(coverage), MANIFEST, design=DESIGN), lang)
    assert DESIGN["need"] in coverage_page.sentence(study, speak(lang))
    for figure in ("99.5 %", "98.7 %", "97.1 %", "90.2 %", "1,240", "99.97 %"):
        assert figure in words
    lost = {"en": ("1 satellite ", "2 satellites", "one plane"), "ja": ("衛星1基", "衛星2基", "1軌道面")}
    for name in lost[lang]:
        assert name in words
    front = coverage_figures.chart_front(study, speak(lang))
    assert front is not None
    assert "55°: 60/6/1" in json.dumps(front, ensure_ascii=False)


@built
@pytest.mark.parametrize("kind", ["globe", "region", "atlantic", "sites", "moving"])
@pytest.mark.parametrize("more", [False, True])
def test_every_kind_renders_in_both_languages(kind: str, more: bool) -> None:
    coverage = make_coverage(kind, sensors=12, stereo=more, error=more, steps=30, count=600)
    written = coverage_page.render(coverage, summarise(coverage), MANIFEST, lang="ja")
    assert '<html lang="ja">' in written
    assert "NOTIONAL EXERCISE DATA" in written
    assert len(written.encode()) < 2_000_000
    for lang in ("en", "ja"):
        words = main_of(written, lang)
        assert speak(lang)("coverage_limits") in words
        assert not re.search(r"\bnan\b", words)
        assert "{" not in words


@built
def test_a_single_sample_of_a_single_place_renders() -> None:
    coverage = make_coverage("sites", steps=1)
    written = coverage_page.render(coverage, summarise(coverage), MANIFEST)
    assert "Coverage of sites" in written


@built
def test_nothing_is_fetched_and_nothing_injected() -> None:
    coverage = make_coverage("sites", steps=10)
    names = ("</script><b>x</b>", *coverage.points.names[1:])
    coverage = dataclasses.replace(coverage, points=coverage.points._replace(names=names))
    summary = summarise(coverage, notes=["<i>note</i>"], constraints="<u>words</u>")
    written = coverage_page.render(coverage, summary, MANIFEST | {"scenario": "<em>s</em>"})
    for tag in ("<b>x", "<i>note", "<u>words", "<em>s"):
        assert tag not in re.sub(r"<script.*?</script>", "", written, flags=re.S), tag
    assert "default-src 'none'" in written
    assert not re.search(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", written)
    assert written.lower().count("<script") == written.lower().count("</script")


@built
def test_a_hundred_thousand_points_and_a_day_of_seconds_stay_small() -> None:
    """Noise, the worst that a picture can hold; 3 s of processor is what the page may take."""
    count, rng = 100_000, np.random.default_rng(5)
    points = fibonacci(count)
    t = np.arange(86_400.0)
    low = make_coverage("globe", sensors=12, stereo=True, error=True, count=600, steps=4)
    mean = rng.uniform(0, 30, count)
    shares = rng.uniform(0, 1, (count, 4))
    coverage = dataclasses.replace(
        low,
        points=points,
        t=t,
        mean_fold=mean,
        min_fold=np.zeros(count, int),
        max_fold=np.full(count, 30),
        fraction_at_least=shares,
        stereo_fraction=rng.uniform(0, 1, count),
        longest_gap_s=rng.uniform(0, 9000, count),
        gap_truncated=np.zeros(count, bool),
        gaps=np.ones(count, int),
        mean_gap_s=rng.uniform(0, 900, count),
        mean_response_s=rng.uniform(0, 900, count),
        first_look_s=rng.uniform(0, 900, count),
        error_median_m=rng.uniform(10, 9000, count),
        error_95_m=rng.uniform(10, 9000, count),
        error_fraction=shares[:, 0],
        mean_at=rng.uniform(0, 30, len(t)),
        min_at=rng.integers(0, 9, len(t)),
        fraction_at=rng.uniform(0, 1, (len(t), 4)),
    )
    start = time.process_time()
    written = coverage_page.render(coverage, summarise(coverage), MANIFEST)
    took = time.process_time() - start
    assert len(written.encode()) < 2_000_000
    assert took < 3.0


def test_bands_of_the_made_up_study_cover_it(globe: Coverage) -> None:
    """The test's own bands: their weights are all of the area, their mean is the mean."""
    found = globe.bands
    assert bands.__doc__
    assert found.weight.sum() == pytest.approx(1.0)
    assert found.weight @ found.mean_fold == pytest.approx(globe.points.weight @ globe.mean_fold)
    assert coverage_text.WORDS["en"] is EN
