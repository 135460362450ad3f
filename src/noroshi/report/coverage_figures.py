"""The coverage report's maps and charts as Vega-Lite specifications (plain dicts), one function each.

A chart that would show one and the same value everywhere says nothing: its function returns None, and the page says
the value in words.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from noroshi.report import maps, raster
from noroshi.report.coverage_data import EXACT, LIST_MOST, Study, exceeded
from noroshi.report.coverage_text import speak
from noroshi.report.figures import HALF, chart_spec, even_ticks, rule_layer, tick_label
from noroshi.report.maps import BLUE, GREY, INK, ORANGE, SKY, VERMILION, WIDE, Columns, Key, Place, Spec
from noroshi.report.text import Say

HOUR_S, DAY_S = 3600.0, 86_400.0
FOLD_COLOURS = (VERMILION, ORANGE, SKY, BLUE)  # at least 1, 2, 3, 4
HATCHED = GREY
STEPS_MOST = 360  # of a line over time: three pixels each
TALL = 290
LOG_RATIO = 30.0  # a scale that spans more than this is logarithmic

What = Literal["mean", "gap", "least", "stereo", "error"]
MAPS: tuple[What, ...] = ("mean", "least", "gap", "stereo", "error")


# --- figures in words ------------------------------------------------------------------------------------------


def span(t: float | None, say: Say) -> str:
    """A time span in the units that suit it; None or nan: never."""
    if t is None or np.isnan(t):
        return say("never")
    if 0 < t < 10 and t != round(t):
        return f"{t:.2g}{say('unit_s')}"
    if t < 2 * HOUR_S:
        return say.seconds(t)
    minutes = round(t / 60)
    if minutes % 60 == 0:
        return f"{minutes // 60}{say('unit_h')}"
    return f"{minutes // 60}{say('unit_h')}{say('unit_gap')}{minutes % 60:02d}{say('unit_min')}"


def percent(share: float) -> str:
    """A share in per cent, with digits enough that only 0 and 1 read as 0 % and 100 %."""
    if share < EXACT:
        return "0 %"
    if share > 1 - EXACT:
        return "100 %"
    digits = next((d for d in range(1, 7) if 0 < round(100 * share, d) < 100), 7)
    return f"{100 * share:.{digits}f} %"


def metres(value: float) -> str:
    """A length in metres or kilometres with three digits that count; nan: a dash."""
    if np.isnan(value):
        return "–"
    unit, scale = ("km", 1e3) if abs(value) >= 2000 else ("m", 1.0)
    value /= scale
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def degrees(angle_rad: float) -> str:
    """An angle in degrees without useless digits."""
    return f"{np.rad2deg(angle_rad):.6g}°"


# --- axes and scales -------------------------------------------------------------------------------------------


def time_axis(end: float, title: str, say: Say, most: int = 12) -> Spec:
    """A linear axis of time from 0 to `end` [s], labelled in seconds and minutes, hours, or days."""
    if end <= 2 * HOUR_S:
        ticks, label = [float(t) for t in even_ticks(end, most)], tick_label(say)
    else:
        unit, name = (HOUR_S, "unit_h") if end <= 4 * DAY_S else (DAY_S, "unit_d")
        step = (
            next((s for s in (0.5, 1, 2, 3, 6, 12, 24, 48, 96) if end / (s * unit) <= most), 24 * 30.0) * unit
        )
        ticks, label = np.arange(0, end + 1, step).tolist(), f"datum.value / {unit:g} + '{say(name)}'"
    return {
        "type": "quantitative",
        "scale": {"domain": [0, round(end, 3)], "nice": False},
        "axis": {"title": title, "values": ticks, "labelExpr": label, "labelOverlap": True},
    }


def _fold_axis(count: int, say: Say) -> Spec:
    return {"title": say("fold_axis"), "tickCount": count, "tickMinStep": 1, "format": "d"}


def _share_axis(title: str, low: float = 0.0) -> Spec:
    """Shares from a round number below `low` to one."""
    step = next(s for s in (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.2) if 1.0 - low <= 5.001 * s)
    count = max(1, int(np.ceil((1.0 - low) / step - EXACT)))
    ticks = [round(1.0 - k * step, 9) for k in range(count, -1, -1)]
    digits = max(0, round(-np.log10(step)) - 2)
    return {
        "type": "quantitative",
        "scale": {"domain": [ticks[0], 1], "nice": False, "zero": False},
        "axis": {"title": title, "format": f".{digits}%", "values": ticks},
    }


def _series_colour(names: list[str], colours: list[str]) -> Spec:
    return {
        "field": "series",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": names, "range": colours},
        "legend": {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3},
    }


class Scale(NamedTuple):
    """A colour scale from low to high, its words, and the unit in which it prints."""

    low: float
    high: float
    title: str
    unit: float = 1.0
    suffix: str = ""
    reverse: bool = False  # high is worse, and dark
    log: bool = False
    whole: bool = False  # only whole numbers are printed


def _scale(values: np.ndarray, what: What, say: Say) -> Scale | None:
    """The scale for a map's values; None: they are all alike."""
    known = values[np.isfinite(values)]
    if not len(known) or np.ptp(known) <= EXACT * max(1.0, abs(float(known.max()))):
        return None
    low, high = float(known.min()), float(known.max())
    if what == "mean":
        return Scale(low, high, say("scale_mean"))
    if what in ("least", "stereo"):
        return Scale(low, high, say("scale_share"), 0.01, " %")
    if what == "gap":
        unit, name = (
            (1.0, "unit_s") if high < 300 else (60.0, "unit_min") if high < 3 * HOUR_S else (HOUR_S, "unit_h")
        )
        return Scale(low, high, say("scale_gap"), unit, say(name), reverse=True)
    unit, suffix = (1e3, " km") if high >= 2000 else (1.0, " m")
    log = low > 0 and high / low > LOG_RATIO
    return Scale(low, high, say("scale_error"), unit, suffix, reverse=True, log=log)


def _colour(scale: Scale, width: int = WIDE) -> Spec:
    """The encoding of a colour scale, with its legend above the map."""
    count = len(raster.CIVIDIS)
    space = np.geomspace if scale.log else np.linspace
    values, digits = _round_values(scale, 6 if width == WIDE else 5)
    stops = [float(f"{v:.9g}") for v in space(scale.low, scale.high, count)]
    legend: Spec = {
        "title": scale.title,
        "titleOrient": "left",
        "orient": "top",
        "direction": "horizontal",
        "gradientLength": 360 if width == WIDE else 240,
        "gradientThickness": 12,
        "values": values,
        "labelExpr": f"format(datum.value / {scale.unit:g}, '{digits}') + '{scale.suffix}'",
    }
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {
            "type": "log" if scale.log else "linear",
            "domain": stops,
            "range": raster.ramp(reverse=scale.reverse),
        },
        "legend": legend,
    }


def _round_values(scale: Scale, about: int) -> tuple[list[float], str]:
    """Round numbers of a colour scale in the unit that it prints, and the d3 format that tells them apart."""
    low, high = scale.low / scale.unit, scale.high / scale.unit
    if scale.log:
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        marks = (1, 2, 5) if high / low < 1000 else (1,)
        round_ones = [m * 10.0**e for e in decades for m in marks if low <= m * 10.0**e <= high]
        return [v * scale.unit for v in round_ones], "~r"
    rough = max((high - low) / about, 1.0 if scale.whole else 0.0)
    power = 10.0 ** np.floor(np.log10(rough))
    marks = (1, 1.5, 2, 3, 6, 10) if scale.unit in (60.0, HOUR_S) and rough > 3 else (1, 2, 5, 10)
    step = next(float(m * power) for m in marks if rough <= m * power)
    first, last = np.ceil(low / step - EXACT), np.floor(high / step + EXACT)
    digits = max(0, -int(np.floor(np.log10(step) + EXACT)))
    return [round(float(k * step * scale.unit), 9) for k in np.arange(first, last + 1)], f",.{digits}f"


def _legend_layer(scale: Scale, width: int) -> Spec:
    """Nothing to see but the legend of a picture's colours; map_spec gives x and y."""
    return {
        "data": {"values": [{"value": scale.low}, {"value": scale.high}]},
        "mark": {"type": "point", "opacity": 0},
        "encoding": {"x": {"value": 0}, "y": {"value": 0}, "color": _colour(scale, width)},
    }


# --- maps ------------------------------------------------------------------------------------------------------


def map_values(study: Study, what: What) -> np.ndarray | None:
    """What a map shows, per place; None: it was not asked for."""
    c = study.coverage
    if what == "mean":
        return c.mean_fold
    if what == "gap":
        return c.longest_gap_s
    if what == "least":
        return c.fraction_at_least[:, (study.fold or 1) - 1]
    return c.stereo_fraction if what == "stereo" else c.error_median_m


def datasets(study: Study) -> dict[str, Columns]:
    """What the page holds once for both languages: the coast, and each map's picture."""
    sets: dict[str, Columns] = {"coast": maps.coast(study.frame)}
    for what in MAPS:
        drawn = _picture(study, what)
        if drawn is not None:
            sets[f"map_{what}"] = {"x": [study.frame.west], "y": [study.frame.north], "url": [drawn]}
    return sets


def _picture(study: Study, what: What) -> str | None:
    values = map_values(study, what)
    if study.cells is None or values is None:
        return None
    filled, asked = raster.fill(study.cells, values, study.coverage.points.weight, _how(what))
    scale = _scale(values, what, speak("en"))
    if scale is None:
        return None
    share = raster.shade(filled, scale.low, scale.high, log=scale.log)
    return raster.picture(study.cells, share, asked, reverse=scale.reverse)


def _how(what: What) -> Literal["mean", "max"]:
    return "max" if what in ("gap", "error") else "mean"


def chart_map(study: Study, what: What, say: Say, width: int = WIDE) -> tuple[Spec, list[Key], str] | None:
    """A heat map of one figure with its legend and note; None: not asked for, or the same everywhere."""
    values = map_values(study, what)
    scale = None if values is None else _scale(values, what, say)
    if study.cells is None or values is None or scale is None:
        return None
    frame = _narrowed(study.frame, width)
    layers: list[Spec] = []
    keys: list[Key] = []
    more: Spec = {}
    if not np.isfinite(values).all():
        layers.append(
            {
                "data": {"values": [{}]},
                "mark": {"type": "rect", "fill": HATCHED},
                "encoding": {
                    "x": {"value": 0},
                    "x2": {"value": frame.width},
                    "y": {"value": 0},
                    "y2": {"value": frame.height},
                },
            }
        )
        keys.append(Key("hatch", HATCHED, say("map_none")))
        more = {"usermeta": {"hatch": HATCHED}}
    picture = {"type": "image", "aspect": False, "align": "left", "baseline": "top", "smooth": False}
    layers += [
        {
            "data": {"name": f"map_{what}"},
            "mark": {**picture, "width": frame.width, "height": frame.height},
            "encoding": {"url": {"field": "url", "type": "nominal"}},
        },
        _legend_layer(scale, width),
        *coast_layers(),
    ]
    note = say("map_cells", how=say(f"how_{_how(what)}"))
    note += (say("map_log") if scale.log else "") + ("" if study.kind == "globe" else say("map_true"))
    return maps.map_spec(frame, say, layers) | more, keys, note


def _narrowed(frame: maps.Frame, width: int) -> maps.Frame:
    """The same map in a drawing of another width."""
    inner = width - (WIDE - maps.MAP_WIDE)
    return frame._replace(width=inner, height=round(frame.height * inner / frame.width))


def coast_layers() -> list[Spec]:
    """Coast lines that show on dark and on bright colours."""
    coast = {"name": "coast"}
    return [
        maps.line_layer(coast, stroke=INK, strokeWidth=2.0, strokeOpacity=0.45),
        maps.line_layer(coast, stroke="#ffffff", strokeWidth=0.8),
    ]


def chart_sites_map(study: Study, say: Say) -> Spec:
    """The sites with their names, coloured by the mean number of sensors in view."""
    values = study.coverage.mean_fold
    scale = _scale(values, "mean", say)
    rows = [
        {"x": round(float(x), 3), "y": round(float(y), 3), "value": round(float(v), 4)}
        for x, y, v in zip(study.x, study.y, values, strict=True)
    ]
    dots: Spec = {
        "data": {"values": rows},
        "mark": {
            "type": "point",
            "shape": "circle",
            "size": 110,
            "filled": True,
            "opacity": 1,
            "strokeWidth": 1.2,
        },
        "encoding": {"stroke": {"value": INK}, "color": _colour(scale) if scale else {"value": BLUE}},
    }
    places = [
        Place(float(x), float(y), "circle", INK, name)
        for x, y, name in zip(study.x, study.y, study.coverage.points.names, strict=True)
    ]
    coast = maps.line_layer({"name": "coast"}, stroke="#6b7785", strokeWidth=0.7)
    labels = maps.name_layers(maps.place_labels(places, study.frame, []))
    return maps.map_spec(study.frame, say, [coast, dots, *labels])


def chart_moving_map(study: Study, say: Say) -> tuple[Spec, list[Key]]:
    """The way of a moving target, coloured by the number of sensors in view; crosses where there is none."""
    c = study.coverage
    thin = np.unique(np.linspace(0, len(c.t) - 1, min(len(c.t), 400)).astype(int))
    fold = c.mean_at[thin]
    rows = [
        {"x": round(float(x), 3), "y": round(float(y), 3), "value": int(v)}
        for x, y, v in zip(study.x[thin], study.y[thin], fold, strict=True)
    ]
    scale = _scale(fold[fold > 0], "mean", say)
    scale = scale and scale._replace(whole=True)
    seen, unseen = ([row for row in rows if (row["value"] > 0) == flag] for flag in (True, False))
    layers = [maps.line_layer({"name": "coast"}, stroke="#6b7785", strokeWidth=0.7)]
    path = np.stack([study.x, study.y], 1)[thin]
    cuts = np.flatnonzero(np.abs(np.diff(path[:, 0])) > 180.0) + 1
    pieces = [piece for piece in np.split(path, cuts) if len(piece) > 1]
    layers.append(maps.line_layer(maps.line_rows(pieces), stroke=INK, strokeWidth=1.0))
    keys: list[Key] = []
    if seen:
        layers.append(
            {
                "data": {"values": seen},
                "mark": {"type": "point", "shape": "circle", "size": 46, "filled": True, "opacity": 1},
                "encoding": {
                    "stroke": {"value": INK},
                    "strokeWidth": {"value": 0.5},
                    "color": _colour(scale) if scale else {"value": BLUE},
                },
            }
        )
    if unseen:
        cross = {"type": "point", "shape": "cross", "size": 50, "fill": VERMILION, "stroke": VERMILION}
        layers.append({"data": {"values": unseen}, "mark": {**cross, "opacity": 1}})
        keys.append(Key("cross", VERMILION, say("unseen")))
    marks = np.unique(np.linspace(0, len(c.t) - 1, 6).astype(int))
    places = [
        Place(float(study.x[k]), float(study.y[k]), "circle", INK, span(float(c.t[k]), say), filled=False)
        for k in marks
    ]
    layers += maps.symbol_layers(places)
    layers += maps.name_layers(maps.place_labels(places, study.frame, pieces))
    return maps.map_spec(study.frame, say, layers), keys


# --- by latitude -----------------------------------------------------------------------------------------------


def _latitude(study: Study, say: Say) -> Spec:
    bands = study.coverage.bands
    low, high = float(np.rad2deg(bands.south_rad.min())), float(np.rad2deg(bands.north_rad.max()))
    step = next((s for s in (1, 2, 5, 10) if (high - low) / s <= 9), 30)
    ticks = [v for v in range(-90, 91, step) if low - EXACT <= v <= high + EXACT]
    return {
        "type": "quantitative",
        "scale": {"domain": [round(low, 6), round(high, 6)], "nice": False, "zero": False},
        "axis": {
            "title": say("latitude"),
            "values": ticks,
            "labelExpr": "abs(datum.value) + '°' + (datum.value < 0 ? 'S' : datum.value > 0 ? 'N' : '')",
        },
    }


def _edges(study: Study) -> list[dict[str, Any]]:
    bands = study.coverage.bands
    south, north = np.rad2deg(bands.south_rad), np.rad2deg(bands.north_rad)
    return [
        {"south": round(float(s), 4), "north": round(float(n), 4), "middle": round(float(s + n) / 2, 4)}
        for s, n in zip(south, north, strict=True)
    ]


def chart_latitude_fold(study: Study, say: Say) -> Spec | None:
    """Mean, least and most sensors in view of each latitude band; None: fewer than three bands."""
    bands = study.coverage.bands
    if len(bands.south_rad) < 3:
        return None
    rows = [
        row | {"mean": round(float(m), 4), "low": int(lo), "high": int(hi)}
        for row, m, lo, hi in zip(_edges(study), bands.mean_fold, bands.min_fold, bands.max_fold, strict=True)
    ]
    x = _latitude(study, say)
    y = {
        "type": "quantitative",
        "scale": {"domain": [0, round(1.06 * max(int(bands.max_fold.max()), 1), 2)], "nice": False},
        "axis": _fold_axis(6, say),
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "rect", "fill": SKY, "fillOpacity": 0.45, "stroke": SKY, "strokeWidth": 0.5},
            "encoding": {
                "x": {"field": "south", **x},
                "x2": {"field": "north"},
                "y": {"field": "low", **y},
                "y2": {"field": "high"},
            },
        },
        {
            "mark": {"type": "rule", "stroke": BLUE, "strokeWidth": 2.5},
            "encoding": {"x": {"field": "south", **x}, "x2": {"field": "north"}, "y": {"field": "mean", **y}},
        },
    ]
    return chart_spec(layers, HALF, TALL, data={"values": rows})


def on_the_edge(shares: np.ndarray) -> tuple[list[int], list[int]]:
    """Of the shares seen by at least so many (last axis): those that are full throughout, and those that are nil."""
    folds = range(1, min(shares.shape[1], len(FOLD_COLOURS)) + 1)
    full = [k for k in folds if shares[:, k - 1].min() > 1 - EXACT]
    return full, [k for k in folds if shares[:, k - 1].max() < EXACT]


def chart_latitude_shares(study: Study, say: Say) -> Spec | None:
    """Shares seen by at least 1, 2, 3, 4, and of stereo, by latitude; None: full everywhere, or too few bands."""
    bands = study.coverage.bands
    if len(bands.south_rad) < 3:
        return None
    series: list[tuple[str, str, np.ndarray]] = []
    hidden = {k for part in on_the_edge(bands.fraction_at_least) for k in part}
    for k in range(min(bands.fraction_at_least.shape[1], len(FOLD_COLOURS))):
        if k + 1 not in hidden:
            series.append((say("at_least", k=k + 1), FOLD_COLOURS[k], bands.fraction_at_least[:, k]))
    dashed = say("stereo")
    if np.isfinite(bands.stereo_fraction).any() and bands.stereo_fraction.min() < 1 - EXACT:
        series.append((dashed, INK, bands.stereo_fraction))
    if not series:
        return None
    edges = _edges(study)
    rows = [
        {"middle": edge["middle"], "share": round(float(v), 7), "series": name}
        for name, _, values in series
        for edge, v in zip(edges, values, strict=True)
    ]
    y = _share_axis(say("share_of_area_time"), min(float(v.min()) for _, _, v in series))
    names = [name for name, _, _ in series]
    encoding = {
        "x": {"field": "middle", **_latitude(study, say)},
        "y": {"field": "share", **y},
        "color": _series_colour(names, [colour for _, colour, _ in series]),
    }
    layers: list[Spec] = []
    for dash, mine in (([], names), ([5, 3], [dashed])):
        drawn = [row for row in rows if row["series"] in mine and (row["series"] == dashed) == bool(dash)]
        if drawn:
            mark = {"type": "line", "strokeWidth": 2, "strokeDash": dash or [1, 0], "point": {"size": 18}}
            layers.append({"data": {"values": drawn}, "mark": mark, "encoding": encoding})
    return chart_spec(layers, HALF, TALL)


def chart_latitude_waits(study: Study, say: Say) -> Spec | None:
    """Longest gap and mean response by latitude; None: no gap anywhere, or too few bands."""
    bands = study.coverage.bands
    if len(bands.south_rad) < 3 or not bands.longest_gap_s.max() > 0:
        return None
    series = (
        (say("longest_gap"), VERMILION, bands.longest_gap_s),
        (say("mean_response"), BLUE, bands.mean_response_s),
    )
    rows = [
        edge | {"t": round(float(v), 3), "series": name}
        for name, _, values in series
        for edge, v in zip(_edges(study), values, strict=True)
        if np.isfinite(v)
    ]
    y = time_axis(1.04 * max(row["t"] for row in rows), say("wait_axis"), say, most=8)
    encoding = {
        "x": {"field": "south", **_latitude(study, say)},
        "x2": {"field": "north"},
        "y": {"field": "t", **y},
        "color": _series_colour([name for name, _, _ in series], [colour for _, colour, _ in series]),
    }
    layers: list[Spec] = [{"mark": {"type": "rule", "strokeWidth": 2.5}, "encoding": encoding}]
    return chart_spec(layers, HALF, TALL, data={"values": rows})


def chart_latitude_error(study: Study, say: Say) -> Spec | None:
    """Median position error by latitude; None: not asked for, or too few bands with one."""
    error = study.coverage.bands.error_m
    known = error[np.isfinite(error)]
    if len(known) < 3 or np.ptp(known) <= EXACT * known.max():
        return None
    unit, factor = ("km", 1e3) if known.max() >= 2000 else ("m", 1.0)
    rows = [
        edge | {"error": float(f"{v / factor:.5g}")}
        for edge, v in zip(_edges(study), error, strict=True)
        if np.isfinite(v)
    ]
    log = known.max() / known.min() > LOG_RATIO
    y = {
        "field": "error",
        "type": "quantitative",
        "scale": {"type": "log"} if log else {"domainMin": 0},
        "axis": {"title": say("error_axis_of", unit=unit), "tickCount": 6, "format": "~g" if log else "~r"},
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "rule", "stroke": BLUE, "strokeWidth": 2.5},
            "encoding": {"x": {"field": "south", **_latitude(study, say)}, "x2": {"field": "north"}, "y": y},
        }
    ]
    return chart_spec(layers, HALF, TALL, data={"values": rows})


# --- fold, time, gaps ------------------------------------------------------------------------------------------


def chart_histogram(study: Study, say: Say, width: int = HALF) -> Spec:
    """Share of area and time with exactly so many lines of sight, and the mean."""
    share = study.coverage.histogram
    held = np.flatnonzero(share > 0)
    low, high = int(held[0]), int(held[-1])
    rows = [
        {"low": k - 0.45, "high": k + 0.45, "share": float(f"{share[k]:.6g}")} for k in range(low, high + 1)
    ]
    x = {
        "type": "quantitative",
        "scale": {"domain": [low - 0.6, high + 0.6], "nice": False, "zero": False},
        "axis": {"title": say("fold_axis"), "values": _whole_ticks(low, high), "format": "d", "grid": False},
    }
    top = float(share.max())
    title = say(
        {"moving": "share_of_time", "sites": "share_of_sites_time"}.get(study.kind, "share_of_area_time")
    )
    axis = {"title": title, "tickCount": 6, "format": ".0%" if top >= 0.06 else ".1%"}
    y = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": [0, top * 1.15], "nice": False},
        "axis": axis,
    }
    mean = float(study.summary["mean_fold"])
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "rect", "fill": BLUE},
            "encoding": {
                "x": {"field": "low", **x},
                "x2": {"field": "high"},
                "y": y,
                "y2": {"datum": 0},
            },
        },
        rule_layer("x", round(mean, 4), ""),
    ]
    right = mean > low + 0.6 * (high - low)
    text: Spec = {
        "type": "text",
        "text": say("mean_mark", mean=f"{mean:.1f}"),
        "fontSize": 10.5,
        "align": "right" if right else "left",
        "dx": -5 if right else 5,
        "y": 10,
    }
    for style in (maps.HALO, {"fill": "#a34700"}):
        layers.append(
            {"data": {"values": [{}]}, "mark": text | style, "encoding": {"x": {"datum": round(mean, 4)}}}
        )
    return chart_spec(layers, width, TALL)


def _whole_ticks(low: int, high: int, most: int = 12) -> list[int]:
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if (high - low) / s <= most), 500)
    return list(range(-(-low // step) * step, high + 1, step))


def samples_per_step(study: Study) -> int:
    """How many samples a step of the lines over time gathers."""
    return -(-len(study.coverage.t) // STEPS_MOST)


def _gathered(values: np.ndarray, per: int, how: Any) -> np.ndarray:
    starts = np.arange(0, len(values), per)
    if how is np.add:
        return np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values)))
    return how.reduceat(values, starts)


def chart_over_time(study: Study, say: Say) -> Spec | None:
    """Mean over area and least sensors in view over time; None: a single sample."""
    c = study.coverage
    if len(c.t) < 2:
        return None
    per = samples_per_step(study)
    t = c.t[::per]
    series = (
        (say("series_mean"), BLUE, _gathered(c.mean_at.astype(float), per, np.add)),
        (say("series_min"), VERMILION, _gathered(c.min_at, per, np.minimum)),
    )
    rows = [
        {"t": round(float(at), 3), "fold": round(float(v), 3), "series": name}
        for name, _, values in series
        for at, v in zip([*t, c.t[-1] + c.step_s], [*values, values[-1]], strict=True)
    ]
    x = {"field": "t", **time_axis(float(c.t[-1] + c.step_s), say("time_axis"), say)}
    y = {
        "field": "fold",
        "type": "quantitative",
        "scale": {"domain": [0, round(1.08 * max(float(series[0][2].max()), 1.0), 3)], "nice": False},
        "axis": _fold_axis(5, say),
    }
    colour = _series_colour([name for name, _, _ in series], [colour for _, colour, _ in series])
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6}
    layers: list[Spec] = [{"mark": mark, "encoding": {"x": x, "y": y, "color": colour}}]
    return chart_spec(layers, WIDE, 240, data={"values": rows})


def chart_shares_over_time(study: Study, say: Say) -> Spec | None:
    """Share of area seen by at least 1, 2, 3, 4 at each time; None: full at every time, or a single sample."""
    c = study.coverage
    if len(c.t) < 2:
        return None
    per = samples_per_step(study)
    t = c.t[::per]
    rows: list[dict[str, Any]] = []
    names, colours, lowest = [], [], 1.0
    hidden = {k for part in on_the_edge(c.fraction_at) for k in part}
    for k in range(min(c.fraction_at.shape[1], len(FOLD_COLOURS))):
        values = _gathered(c.fraction_at[:, k], per, np.minimum)
        if k + 1 in hidden:
            continue
        lowest = min(lowest, float(values.min()))
        names.append(say("at_least", k=k + 1))
        colours.append(FOLD_COLOURS[k])
        rows += [
            {"t": round(float(at), 3), "share": round(float(v), 7), "series": names[-1]}
            for at, v in zip([*t, c.t[-1] + c.step_s], [*values, values[-1]], strict=True)
        ]
    if not rows:
        return None
    title = say("share_of_sites" if study.kind == "sites" else "share_of_area")
    encoding = {
        "x": {"field": "t", **time_axis(float(c.t[-1] + c.step_s), say("time_axis"), say)},
        "y": {"field": "share", **_share_axis(title, lowest)},
        "color": _series_colour(names, colours),
    }
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6}
    return chart_spec([{"mark": mark, "encoding": encoding}], WIDE, 240, data={"values": rows})


def chart_moving_over_time(study: Study, say: Say) -> Spec | None:
    """Sensors in view of a moving target over time, the times without any hatched; None: a single sample."""
    c = study.coverage
    if len(c.t) < 2:
        return None
    per = samples_per_step(study)
    fold = _gathered(c.min_at, per, np.minimum)
    edges = np.append(c.t[::per], c.t[-1] + c.step_s)
    rows = [
        {"t": round(float(at), 3), "fold": int(v)} for at, v in zip(edges, [*fold, fold[-1]], strict=True)
    ]
    lost = [
        {"t": round(float(a), 3), "until": round(float(b), 3)}
        for a, b, v in zip(edges[:-1], edges[1:], fold, strict=True)
        if v == 0
    ]
    x = time_axis(float(edges[-1]), say("time_axis"), say)
    top = int(fold.max())
    y: Spec = {
        "type": "quantitative",
        "scale": {"domain": [0, max(top, 1) * 1.08], "nice": False},
        "axis": {"title": say("fold_axis"), "values": _whole_ticks(0, max(top, 1), 6), "format": "d"},
    }
    layers: list[Spec] = [
        {
            "data": {"values": joined(lost)},
            "mark": {"type": "rect", "fill": VERMILION},
            "encoding": {
                "x": {"field": "t", **x},
                "x2": {"field": "until"},
                "y": {"value": 0},
                "y2": {"value": "height"},
            },
        },
        {
            "data": {"values": rows},
            "mark": {
                "type": "area",
                "interpolate": "step-after",
                "fill": SKY,
                "fillOpacity": 0.4,
                "line": {"stroke": BLUE, "strokeWidth": 1.6},
            },
            "encoding": {"x": {"field": "t", **x}, "y": {"field": "fold", **y}},
        },
    ]
    return chart_spec(layers, WIDE, 240, usermeta={"hatch": VERMILION})


def joined(pieces: list[dict[str, float]]) -> list[dict[str, float]]:
    """Stretches of time that touch, made one."""
    whole: list[dict[str, float]] = []
    for piece in pieces:
        if whole and whole[-1]["until"] == piece["t"]:
            whole[-1]["until"] = piece["until"]
        else:
            whole.append(dict(piece))
    return whole


def chart_gaps(study: Study, say: Say, width: int = HALF) -> Spec | None:
    """Share of area with a longest and a mean gap longer than a time; None: no gap, or a single place."""
    c, weight = study.coverage, study.coverage.place_weight
    if study.kind == "moving" or not c.longest_gap_s.max() > 0:
        return None
    series = (
        (say("longest_gap"), VERMILION, c.longest_gap_s),
        (say("mean_gap"), BLUE, c.mean_gap_s),
    )
    rows = []
    for name, _, values in series:
        t, share = exceeded(values, weight)
        keep = np.unique(np.linspace(0, len(t) - 1, min(len(t), 200)).astype(int))
        rows += [
            {"t": round(float(t[k]), 3), "share": round(float(share[k]), 7), "series": name} for k in keep
        ]
    top = max(row["share"] for row in rows)
    title = say("share_of_sites" if study.kind == "sites" else "share_of_area")
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": [0, min(1.0, top * 1.1)], "nice": False},
        "axis": {"title": title, "format": ".0%" if top >= 0.06 else ".1%", "tickCount": 6},
    }
    encoding = {
        "x": {"field": "t", **time_axis(1.04 * float(c.longest_gap_s.max()), say("gap_axis"), say, 7)},
        "y": y,
        "color": _series_colour([name for name, _, _ in series], [colour for _, colour, _ in series]),
    }
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2}
    return chart_spec([{"mark": mark, "encoding": encoding}], width, TALL, data={"values": rows})


def chart_sites(study: Study, say: Say) -> Spec:
    """Mean, least and most sensors in view of each site, the least seen first."""
    c = study.coverage
    order = np.argsort(c.mean_fold, kind="stable")[:LIST_MOST]
    rows = [
        {
            "site": c.points.names[k],
            "low": int(c.min_fold[k]),
            "high": int(c.max_fold[k]),
            "mean": round(float(c.mean_fold[k]), 3),
        }
        for k in order
    ]
    names = [row["site"] for row in rows]
    x = {
        "type": "quantitative",
        "scale": {"domainMin": 0},
        "axis": _fold_axis(8, say),
    }
    y = {"field": "site", "type": "nominal", "sort": names, "title": None, "axis": {"labelLimit": 200}}
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "height": {"band": 0.5}, "fill": SKY, "fillOpacity": 0.5},
            "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y},
        },
        {
            "mark": {"type": "point", "filled": True, "fill": BLUE, "size": 70, "opacity": 1},
            "encoding": {"x": {"field": "mean", **x}, "y": y},
        },
    ]
    return chart_spec(layers, HALF, max(160, 24 * len(names) + 60), data={"values": rows})


# --- design ----------------------------------------------------------------------------------------------------


def design_name(one: dict[str, Any]) -> str:
    """A Walker design as it is written: inclination:satellites/planes/phasing."""
    return f"{one['inclination_deg']:g}°: {one['satellites']}/{one['planes']}/{one['phasing']}"


def chart_front(study: Study, say: Say) -> Spec | None:
    """Satellites against the coverage reached, coloured by altitude, the chosen design ringed; None: no front."""
    design = study.design
    if design is None or not design.get("front"):
        return None
    front = sorted(design["front"], key=lambda one: (one["satellites"], -one["achieved"]))
    rows = [
        {
            "satellites": one["satellites"],
            "achieved": round(float(one["achieved"]), 7),
            "altitude": float(one["altitude_km"]),
        }
        for one in front
    ]
    chosen = {
        "satellites": design["satellites"],
        "achieved": round(float(design["achieved"]), 7),
        "text": say("chosen", name=design_name(design)),
    }
    counts = [row["satellites"] for row in rows] + [chosen["satellites"]]
    low, high = min(counts), max(counts)
    margin = max(1, round(0.06 * (high - low)))
    x = {
        "field": "satellites",
        "type": "quantitative",
        "scale": {"domain": [max(0, low - margin), high + margin], "nice": False, "zero": False},
        "axis": {"title": say("front_axis"), "format": "d", "tickCount": 8, "tickMinStep": 1},
    }
    lowest = min([row["achieved"] for row in rows] + [chosen["achieved"]])
    y = {"field": "achieved", **_share_axis(say("achieved_axis"), lowest)}
    floor = y["scale"]["domain"][0]
    y["scale"] = y["scale"] | {"domain": [floor, 1 + 0.16 * (1 - floor)]}  # room for the chosen design's name
    altitudes = sorted({row["altitude"] for row in rows})
    if len(altitudes) > 1:
        stops = np.linspace(0, len(raster.CIVIDIS) - 2, min(len(altitudes), 8)).astype(int)
        colours = [raster.CIVIDIS[k] for k in stops]
        colour: Spec = {
            "field": "altitude",
            "type": "ordinal" if len(altitudes) <= 8 else "quantitative",
            "scale": {
                "domain": altitudes if len(altitudes) <= 8 else [altitudes[0], altitudes[-1]],
                "range": colours,
            },
            "legend": {
                "title": say("altitude_legend"),
                "orient": "top",
                "direction": "horizontal",
                "titleOrient": "left",
            },
        }
        if len(altitudes) > 8:
            colour["scale"]["domain"] = np.linspace(altitudes[0], altitudes[-1], len(colours)).tolist()
    else:
        colour = {"value": BLUE}
    right = chosen["satellites"] > (low + high) / 2
    label = {
        "type": "text",
        "align": "right" if right else "left",
        "dx": 8 if right else -8,
        "dy": -17,
        "fontSize": 11,
        "fontWeight": "bold",
    }
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "line", "interpolate": "step-after", "stroke": GREY, "strokeWidth": 1.2},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "color": colour,
                "stroke": {"value": INK},
                "strokeWidth": {"value": 0.7},
            },
        },
        {
            "data": {"values": [chosen]},
            "mark": {
                "type": "point",
                "shape": "circle",
                "size": 300,
                "stroke": VERMILION,
                "strokeWidth": 2.4,
                "opacity": 1,
            },
            "encoding": {"x": x, "y": y},
        },
    ]
    for style in (maps.HALO, {"fill": INK}):
        layers.append(
            {
                "data": {"values": [chosen]},
                "mark": label | style,
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            }
        )
    return chart_spec(layers, HALF, TALL + 50)
