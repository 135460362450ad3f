"""The charts: names that make way, axes whose ticks differ, data that exist."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_run import MANIFEST, make_run, studied

from noroshi.report import data, figures, maps
from noroshi.report.maps import Frame, Place
from noroshi.report.text import Say

FRAME = Frame(120.0, 160.0, 30.0, 50.0, 1080, 680)

pytestmark = pytest.mark.skipif(
    not (maps.files("noroshi") / "report" / "static" / "coast.json").is_file(),
    reason="the front end has not been built: run `make web`",
)


@pytest.fixture(scope="module")
def report() -> data.Report:
    run = make_run()
    return data.collect(run, studied(run), MANIFEST)


place = st.builds(
    Place,
    lon=st.floats(120, 160),
    lat=st.floats(30, 50),
    shape=st.sampled_from(["", "circle"]),
    colour=st.just("#000"),
    name=st.text("abc北海 ", min_size=1, max_size=20),
)


def _boxes(labels: list[maps.Label]) -> list[tuple[float, float, float, float]]:
    boxes = []
    for label in labels:
        x, y = FRAME.pixel(label.x, label.y)
        width = maps.text_width(label.text)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[label.align]
        boxes.append((left, left + width, y - 7, y + 7))
    return boxes


@given(st.lists(place, max_size=14))
def test_names_touch_neither_each_other_nor_the_frame(places: list[Place]) -> None:
    boxes = _boxes(maps.place_labels(places, FRAME, []))
    slack = 0.2  # pixels: places are rounded to a thousandth of a degree
    for n, a in enumerate(boxes):
        assert a[0] > 0
        assert a[1] < FRAME.width
        assert a[2] > 0
        assert a[3] < FRAME.height
        for b in boxes[:n]:
            apart = a[1] <= b[0] + slack or b[1] <= a[0] + slack
            assert apart or a[3] <= b[2] + slack or b[3] <= a[2] + slack


def test_a_name_moves_off_the_flight() -> None:
    line = np.stack([np.linspace(120, 160, 400), np.full(400, 40.0)], 1)
    (label,) = maps.place_labels([Place(140.0, 40.0, "", "", "on the path")], FRAME, [line])
    assert abs(FRAME.pixel(label.x, label.y)[1] - FRAME.pixel(140.0, 40.0)[1]) > 7


def test_crowded_names_keep_their_order_of_importance() -> None:
    crowd = [Place(140.0, 40.0, "circle", "", f"name {n:02d} of a crowd in one place") for n in range(60)]
    kept = [label.text for label in maps.place_labels(crowd, FRAME, [])]
    assert kept[0] == crowd[0].name
    assert kept == sorted(kept)
    assert 5 < len(kept) < 60  # some find no room, and are left out


@pytest.mark.parametrize("end", [45.0, 200.0, 960.0, 2149.0, 9000.0])
def test_ticks_of_a_root_axis_stand_apart(end: float) -> None:
    ticks = figures.root_ticks(end, 900.0)
    assert ticks[0] == 0
    assert ticks[-1] <= end
    gaps = np.diff(np.sqrt(ticks)) / np.sqrt(end) * 900.0
    assert gaps.min() >= 44.0
    labels = [f"{t} s" if t < 60 else f"{t / 60:g} min" for t in ticks]  # as the axis prints them
    assert len(set(labels)) == len(labels) >= 3


def test_the_coast_has_no_false_edges() -> None:
    """The atlas cuts its polygons at 180 degrees; those cuts must not be drawn (a known fault of such maps)."""
    coast = maps.coast(maps.world())
    x, y, piece = (np.array(coast[k]) for k in ("x", "y", "piece"))
    joined = piece[1:] == piece[:-1]
    step = np.hypot(np.diff(x), np.diff(y))[joined]
    assert len(x) > 5000
    # thinned, yet no segment crosses the map (Antarctica's false edges along 90 S and 180 E are off or dropped)
    assert step.max() < 12.0
    along = joined & (np.abs(x[1:] - 180.0) < 0.05) & (np.abs(x[:-1] - 180.0) < 0.05)
    assert not along.any()
    # Cape Soya (45.52 N 141.94 E, GSI) is on the coast: within a pixel of the map, a third of a degree
    assert np.hypot(x - 141.94, y - 45.52).min() < 0.34


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_named_data_set_is_there(report: data.Report, lang: Any) -> None:
    say, sets = Say(lang), figures.datasets(report)
    specs = [
        maps.chart_region(report, say)[0],
        maps.chart_world(report, say)[0],
        figures.chart_timeline(report, say)[0],
        figures.chart_custody(report, say),
        figures.chart_error(report, say),
        figures.chart_gospa(report, say),
        figures.chart_latency(report, say, figures.HALF),
        figures.chart_impact(report, say),
        figures.chart_waterfall(report, say),
        figures.chart_phase_study(report, say),
    ]
    named = set(re.findall(r'"data": \{"name": "(\w+)"', json.dumps(specs)))
    assert named == set(sets)
    for columns in sets.values():
        assert len({len(column) for column in columns.values()}) == 1


def test_the_waterfall_ends_at_what_was_detected(report: data.Report) -> None:
    rows = figures.chart_waterfall(report, Say("en"))["layer"][0]["data"]["values"]
    assert [(row["low"], row["high"]) for row in rows] == [(0, 100), (82.5, 100), (78.5, 82.5), (0, 78.5)]


def test_a_study_in_which_most_never_warn(report: data.Report) -> None:
    rows = figures.chart_phase_study(report, Say("en"))["layer"][-1]["data"]["values"]
    row = next(r for r in rows if r["node"] == "United States" and r["mode"] == "alone")
    assert row["median"] is None
    assert row["text"] == "never 70%"
    assert row["high"] == max(r["high"] for r in rows)


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    run = make_run(seen=False)
    bare = data.collect(run, run.summary, MANIFEST)
    assert figures.chart_impact(bare, Say("en")) is None
    assert figures.datasets(bare)["error"] == {k: [] for k in ("node", "t", "error", "sigma", "bound")}
    assert figures.chart_error(bare, Say("en")) is None
    assert figures.trackless(bare) == ["JPN", "USA"]
    json.dumps(figures.chart_latency(bare, Say("en"), figures.WIDE), allow_nan=False)
