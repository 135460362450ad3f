"""The report's charts as Vega-Lite specifications (plain dicts), one function each.

Colours are Okabe-Ito; a state is always said in words too. Coastlines are not in the specification: the page holds
them once, as the named data set `coast`.
"""

from __future__ import annotations

from math import cos, radians
from typing import Any, NamedTuple

import numpy as np

from noroshi.report import data
from noroshi.report.data import Report
from noroshi.report.text import Say
from noroshi.scenario.schema import Scenario
from noroshi.tables import Reason

Spec = dict[str, Any]

BLUE, SKY, ORANGE, VERMILION = "#0072B2", "#56B4E9", "#E69F00", "#D55E00"
GREEN, YELLOW, PINK, GREY = "#009E73", "#F0E442", "#CC79A7", "#8895a3"
NODE_COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION)
LANE_COLOURS = (VERMILION, ORANGE, SKY, BLUE)  # 0 (drawn hatched), 1, 2, 3 or more
PHASE_COLOURS = {"BOOST": VERMILION, "COAST": "#222a33", "REENTRY": PINK, "GLIDE": "#222a33"}

WIDE, HALF, TALL = 1080, 500, 250
MAP_MARGIN_DEG = 6.0
MAP_HEIGHT_MAX = 720


def _spec(layers: list[Spec], width: int, height: int, **more: Any) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "layer": layers,
        **more,
    }


def _nodes(report: Report) -> list[str]:
    return [node.nation for node in report.run.scenario.nodes]


def _node_scale(report: Report, say: Say) -> Spec:
    nodes = _nodes(report)
    return {
        "domain": [say.nation(n) for n in nodes],
        "range": [NODE_COLOURS[k % len(NODE_COLOURS)] for k in range(len(nodes))],
    }


def node_name(scenario: Scenario, index: int, say: Say) -> str:
    """The node's nation in words."""
    return say.nation(scenario.nodes[index].nation)


# --- map -------------------------------------------------------------------------------------------------------


def extent(report: Report) -> tuple[float, float, float, float]:
    """West, east, south, north of the map: the flights, areas, radars and points, with a margin."""
    scenario = report.run.scenario
    lon = [data.map_lon(f.lon_rad) for f in report.flights]
    lat = [np.rad2deg(f.lat_rad) for f in report.flights]
    for part in (*scenario.radars, *scenario.points):
        lon.append(data.map_lon(np.array([radians(part.longitude_deg)])))
        lat.append(np.array([part.latitude_deg]))
    for area in scenario.areas:
        corners = np.array(area.polygon_deg or [area.centre_deg])
        lon.append(data.map_lon(np.deg2rad(corners[:, 1])))
        lat.append(corners[:, 0])
    x, y = np.concatenate(lon), np.concatenate(lat)
    west, east = float(x.min()) - MAP_MARGIN_DEG, float(x.max()) + MAP_MARGIN_DEG
    south, north = float(y.min()) - MAP_MARGIN_DEG, float(y.max()) + MAP_MARGIN_DEG
    south, north = max(south, -85.0), min(north, 85.0)
    # a tall region gets more of the sea beside it, so that the map stays true to scale within its height
    wanted = WIDE * (north - south) / (MAP_HEIGHT_MAX * cos(radians((south + north) / 2)))
    grow = max(0.0, wanted - (east - west)) / 2
    return max(west - grow, -30.0), min(east + grow, 330.0), south, north


def chart_map(report: Report, say: Say) -> Spec:
    """Flights by phase, satellites, radar fields, areas, impact ellipses over the coastlines."""
    run, scenario = report.run, report.run.scenario
    west, east, south, north = extent(report)
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [west, east], "nice": False, "zero": False},
        "axis": {
            "title": say("longitude"),
            "labelExpr": (
                "(datum.value > 180 ? 360 - datum.value : abs(datum.value)) + '°'"
                " + (datum.value > 180 || datum.value < 0 ? 'W' : 'E')"
            ),
        },
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [south, north], "nice": False, "zero": False},
        "axis": {
            "title": say("latitude"),
            "labelExpr": "abs(datum.value) + '°' + (datum.value < 0 ? 'S' : 'N')",
        },
    }
    clip = {"clip": True}

    def line(rows: list[dict[str, Any]], colour: Spec | None = None, **mark: Any) -> Spec:
        encoding: Spec = {
            "x": x,
            "y": y,
            "detail": {"field": "piece", "type": "nominal"},
            "order": {"field": "k", "type": "quantitative"},
        }
        if colour is not None:
            encoding["color"] = colour
        return {
            "data": {"values": rows},
            "mark": {"type": "line", "interpolate": "linear", **clip, **mark},
            "encoding": encoding,
        }

    warned = {int(a) for a in run.warnings.area.tolist()}
    shown: list[tuple[str, str]] = []
    layers: list[Spec] = [
        {
            "data": {"name": "coast"},
            "mark": {"type": "line", "stroke": "#6b7785", "strokeWidth": 0.7, **clip},
            "encoding": {"x": x, "y": y, "detail": {"field": "piece"}, "order": {"field": "k"}},
        }
    ]
    satellites = _rows(piece for parts in data.sensor_tracks(run).values() for piece in parts)
    if satellites:
        shown.append((say("layer_satellite"), SKY))
        layers.append(line(satellites, stroke=SKY, strokeWidth=0.8, strokeDash=[3, 3], opacity=0.7))
    fields = _rows(data.radar_fields(run).values())
    if fields:
        shown.append((say("layer_radar"), GREEN))
        layers.append(line(fields, stroke=GREEN, strokeWidth=0.9, opacity=0.8))
    for is_warned, colour, key in ((False, GREY, "layer_area"), (True, VERMILION, "layer_warned")):
        rows = _rows(_outline(scenario, k) for k in range(len(scenario.areas)) if (k in warned) == is_warned)
        if rows:
            shown.append((say(key), colour))
            layers.append(line(rows, stroke=colour, strokeWidth=2 if is_warned else 1.2))
    for phase, piece in (p for flight in report.flights for p in data.flight_phases(flight)):
        layers.append(line(_rows([piece]), stroke=PHASE_COLOURS.get(phase.name, "#222a33"), strokeWidth=2.6))
    for flight in report.flights:
        for phase in ("BOOST", "COAST", "REENTRY", "GLIDE"):
            label = (say(f"phase_{phase.lower()}"), PHASE_COLOURS[phase])
            if any(p.name == phase for p, _ in data.flight_phases(flight)) and label not in shown:
                shown.append(label)
    for nation, row in data.first_warnings(run).items():
        outline = data.ellipse(run, row)
        if outline is not None:
            colour = NODE_COLOURS[_nodes(report).index(nation) % len(NODE_COLOURS)]
            shown.append((f"{say('layer_ellipse')}: {say.nation(nation)}", colour))
            layers.append(line(_rows([outline]), stroke=colour, strokeWidth=1.6))
    layers += _marks(report, say, x, y, shown)
    if shown:
        layers.append(
            {
                "data": {"values": [{"what": what} for what, _ in shown]},
                "mark": {"type": "point", "opacity": 0, "size": 0},
                "encoding": {
                    "color": {
                        "field": "what",
                        "type": "nominal",
                        "sort": None,
                        "scale": {"domain": [w for w, _ in shown], "range": [c for _, c in shown]},
                        "legend": {
                            "title": None,
                            "orient": "bottom",
                            "columns": 4,
                            "symbolType": "stroke",
                            "symbolStrokeWidth": 3,
                            "symbolOpacity": 1,
                            "symbolSize": 200,
                            "labelLimit": 320,
                        },
                    }
                },
            }
        )
    return _spec(layers, WIDE, map_height(report))


def map_height(report: Report) -> int:
    """Height of the map in pixels: true to scale at its middle latitude, within limits."""
    west, east, south, north = extent(report)
    scale = cos(radians((south + north) / 2))
    return int(min(MAP_HEIGHT_MAX, max(320, WIDE * (north - south) / ((east - west) * scale))))


def _rows(pieces: Any) -> list[dict[str, Any]]:
    return [
        {"x": round(float(p[0]), 3), "y": round(float(p[1]), 3), "piece": n, "k": k}
        for n, piece in enumerate(pieces)
        for k, p in enumerate(piece)
    ]


def _outline(scenario: Scenario, k: int) -> np.ndarray:
    area = scenario.areas[k]
    if area.polygon_deg is not None:
        corners = np.array([*area.polygon_deg, area.polygon_deg[0]])
        return np.stack([data.map_lon(np.deg2rad(corners[:, 1])), corners[:, 0]], 1)
    assert area.centre_deg is not None
    assert area.radius_km is not None
    lat, lon = (radians(v) for v in area.centre_deg)
    to_lat, to_lon = data.destination(lat, lon, np.linspace(0, 2 * np.pi, 49), area.radius_km * 1e3)
    return np.stack([data.map_lon(to_lon), np.rad2deg(to_lat)], 1)


def _marks(report: Report, say: Say, x: Spec, y: Spec, shown: list[tuple[str, str]]) -> list[Spec]:
    """Points and their names: true impacts, named points, areas, radars, entry points; names make way for names."""
    scenario = report.run.scenario
    warned = {int(a) for a in report.run.warnings.area.tolist()}
    places: list[_Place] = []
    for flight, name in zip(report.flights, report.run.truth.targets, strict=True):
        end = (float(flight.lon_rad[-1]), float(np.rad2deg(flight.lat_rad[-1])))
        places.append(_Place(*end, "cross", "#222a33", f"{name}: {say('layer_impact')}"))
    for point in scenario.points:
        at = (radians(point.longitude_deg), point.latitude_deg)
        places.append(_Place(*at, "circle", "#222a33", point_name(point, say)))
    for k in sorted(range(len(scenario.areas)), key=lambda k: k not in warned):
        middle = np.mean(_outline(scenario, k)[:-1], axis=0)
        name = point_name(scenario.areas[k], say)
        places.append(_Place(radians(float(middle[0])), float(middle[1]), "", "", name))
    for radar in scenario.radars:
        places.append(
            _Place(radians(radar.longitude_deg), radar.latitude_deg, "triangle-up", GREEN, radar.name)
        )
    if scenario.entry_points:
        shown.append((say("layer_entry"), SKY))
    for entry in scenario.entry_points:
        places.append(_Place(radians(entry.longitude_deg), entry.latitude_deg, "square", SKY, entry.name))
    west, east, south, north = extent(report)
    marks: list[Spec] = []
    encoding = {"x": x, "y": y}
    kept = []
    for place in places:
        at = {"x": round(float(data.map_lon(np.array([place.lon_rad]))[0]), 3), "y": round(place.lat_deg, 3)}
        if not (west <= at["x"] <= east and south <= at["y"] <= north):
            continue
        kept.append((place, at))
        if place.shape:
            point = {"type": "point", "shape": place.shape, "filled": True, "size": 60, "fill": place.colour}
            marks.append({"data": {"values": [at]}, "mark": point, "encoding": encoding})
    size = (WIDE / (east - west), map_height(report) / (north - south))
    for (place, at), side in zip(kept, _sides(kept, size), strict=True):
        if side is None:
            continue
        text = {"type": "text", "text": place.name, "fontSize": 11, **side}
        halo = {"stroke": "white", "strokeWidth": 3.5, "strokeOpacity": 0.9}
        for style in (halo, {"fill": "#1b232c"}):
            marks.append({"data": {"values": [at]}, "mark": {**text, **style}, "encoding": encoding})
    return marks


class _Place(NamedTuple):
    """A place on the map with its symbol ("": none) and name; earlier ones go first when names collide."""

    lon_rad: float
    lat_deg: float
    shape: str
    colour: str
    name: str


_SIDES = (
    {"align": "center", "dx": 0, "dy": 14},
    {"align": "center", "dx": 0, "dy": -13},
    {"align": "left", "dx": 9, "dy": 0},
    {"align": "right", "dx": -9, "dy": 0},
    {"align": "left", "dx": 30, "dy": 10},
    {"align": "right", "dx": -30, "dy": 10},
    {"align": "left", "dx": 30, "dy": -10},
    {"align": "right", "dx": -30, "dy": -10},
)


def _sides(kept: list[tuple[_Place, dict[str, float]]], size: tuple[float, float]) -> list[Spec | None]:
    """Where each name can stand without touching one placed before it; None: nowhere."""
    boxes: list[tuple[float, float, float, float]] = []
    chosen: list[Spec | None] = []
    for place, at in kept:
        width = 6.2 * sum(2 if ord(c) > 0x2E80 else 1 for c in place.name)
        px, py = at["x"] * size[0], -at["y"] * size[1]
        options: tuple[Spec, ...] = (
            _SIDES if place.shape else ({"align": "center", "dx": 0, "dy": 0}, *_SIDES)
        )
        for side in options:
            left = px + side["dx"] - {"left": 0.0, "center": width / 2, "right": width}[side["align"]]
            box = (left, left + width, py + side["dy"] - 7, py + side["dy"] + 7)
            if not any(box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in boxes):
                boxes.append(box)
                chosen.append(side)
                break
        else:
            chosen.append(None)
    return chosen


def point_name(part: Any, say: Say) -> str:
    """The name of an area or point in the report's language, where the scenario has it."""
    return part.name_ja if say.lang == "ja" and part.name_ja else part.name


# --- time charts -----------------------------------------------------------------------------------------------


def _time_axis(say: Say, end: float) -> Spec:
    return {
        "type": "quantitative",
        "scale": {"domain": [0, end], "nice": False},
        "axis": {"title": say("time_after_launch"), "tickCount": 10},
    }


def _end(report: Report) -> float:
    return max(flight.t_impact for flight in report.flights)


def chart_custody(report: Report, say: Say) -> Spec:
    """Lanes of the number of sensors, per node and target; nothing is drawn before the first detection."""
    rows, lanes = [], []
    for (nation, target), stretches in report.lanes.items():
        lane = say.nation(nation) if len(report.flights) == 1 else f"{say.nation(nation)} · {target}"
        lanes.append(lane)
        seen = False
        for stretch in stretches:
            seen = seen or stretch.sensors > 0
            if seen:
                rows.append(
                    {
                        "lane": lane,
                        "start": stretch.start,
                        "end": stretch.end,
                        "sensors": say(f"lane_{stretch.sensors}"),
                    }
                )
    names = [say(f"lane_{k}") for k in data.LANES]
    bar: Spec = {
        "data": {"values": rows},
        "mark": {"type": "bar", "height": {"band": 0.62}},
        "encoding": {
            "x": {"field": "start", **_time_axis(say, _end(report))},
            "x2": {"field": "end"},
            "y": {
                "field": "lane",
                "type": "nominal",
                "sort": lanes,
                "title": None,
                "scale": {"domain": lanes},
            },
            "color": {
                "field": "sensors",
                "type": "nominal",
                "scale": {"domain": names, "range": list(LANE_COLOURS)},
                "legend": {"title": say("sensors"), "orient": "top"},
            },
        },
    }
    return _spec([bar], HALF, max(150, 46 * len(lanes) + 80))


def chart_error(report: Report, say: Say) -> Spec:
    """Error and 1 sigma of each node's track of the first target, log axis, with the requirement."""
    run = report.run
    rows = []
    for n, nation in enumerate(_nodes(report)):
        mine = (run.samples.node == n) & (run.samples.target == 0) & (run.samples.track >= 0)
        for t, error, sigma in zip(
            run.samples.t[mine] - run.truth.t_launch[0],
            run.samples.error_position_m[mine],
            run.samples.sigma_position_m[mine],
            strict=True,
        ):
            for series, value in (("series_error", error), ("series_sigma", sigma)):
                if np.isfinite(value):
                    rows.append(
                        {
                            "t": round(float(t), 1),
                            "value": round(max(float(value), 0.1), 2),
                            "node": say.nation(nation),
                            "series": say(series),
                        }
                    )
    lines: Spec = {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 1.4},
        "encoding": {
            "x": {"field": "t", **_time_axis(say, _end(report))},
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"type": "log"},
                "axis": {"title": say("error_axis"), "tickCount": 5, "format": "~s"},
            },
            "color": {
                "field": "node",
                "type": "nominal",
                "scale": _node_scale(report, say),
                "legend": {"title": say("node"), "orient": "top"},
            },
            "strokeDash": {
                "field": "series",
                "type": "nominal",
                "scale": {"domain": [say("series_error"), say("series_sigma")], "range": [[1, 0], [4, 3]]},
                "legend": {"title": say("series"), "orient": "top", "symbolStrokeColor": "#333c47"},
            },
        },
    }
    layers = [lines]
    need = run.scenario.requirement.rmse_position_m
    if need is not None:
        layers.append(_rule("y", need, say("requirement")))
    return _spec(layers, HALF, TALL)


def _rule(axis: str, value: float, label: str) -> Spec:
    at = {axis: {"datum": value}}
    text: Spec = {"type": "text", "text": label, "fontSize": 10, "fill": VERMILION}
    text |= {"align": "left", "dx": 4, "dy": -6, "x": 0} if axis == "y" else {"angle": 270, "dy": -6, "y": 36}
    return {
        "data": {"values": [{}]},
        "layer": [
            {"mark": {"type": "rule", "stroke": VERMILION, "strokeDash": [6, 3]}, "encoding": at},
            {"mark": text, "encoding": at},
        ],
    }


def chart_latency(report: Report, say: Say) -> Spec:
    """Distribution of arrival minus event, per node, over scans with detections that are the node's to have."""
    run = report.run
    rows = []
    for n, nation in enumerate(_nodes(report)):
        d = run.deliveries
        mine = (d.node == n) & np.isin(d.scan, run.detections.scan) & np.isfinite(d.t_released)
        delay = np.sort((d.t_arrival - d.t_event)[mine])
        arrived = delay[np.isfinite(delay)]
        if not len(arrived):
            continue
        shares = np.unique(np.concatenate([np.linspace(0, 1, 101), [0.995, 0.999]]))
        at = np.minimum((shares * (len(arrived) - 1)).astype(int), len(arrived) - 1)
        rows += [
            {
                "latency": round(float(arrived[k]), 4),
                "share": round(float((k + 1) / len(delay)), 4),
                "node": say.nation(nation),
            }
            for k in at
        ]
    line: Spec = {
        "data": {"values": rows},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8},
        "encoding": {
            "x": {
                "field": "latency",
                "type": "quantitative",
                "scale": {"type": "log", "nice": True},
                "axis": {"title": say("latency_axis"), "tickCount": 6, "format": "~g"},
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": {"title": say("share_axis"), "format": ".0%"},
            },
            "color": {
                "field": "node",
                "type": "nominal",
                "scale": _node_scale(report, say),
                "legend": {"title": say("node"), "orient": "top"},
            },
        },
    }
    layers = [line]
    need = run.scenario.requirement.latency_p95_s
    if need is not None:
        layers.append(_rule("x", need, say("requirement")))
    return _spec(layers, HALF, TALL)


def event_name(key: str, report: Report, say: Say) -> str:
    """An event in words; `pass:NAME` and `pass_area:NAME` carry the name of a point or area."""
    kind, _, name = key.partition(":")
    if not name:
        return say(key)
    scenario = report.run.scenario
    listed = scenario.points if kind == "pass" else scenario.areas
    part = next((p for p in listed if p.name == name), None)
    return say(f"event_{kind}", name=point_name(part, say) if part is not None else name)


def who_name(who: str, say: Say) -> str:
    """Whose event it is, in words."""
    if who == "truth":
        return say("truth")
    if who.startswith("published "):
        return say("published_for", utc=say.clock(who.removeprefix("published ")))
    return say.nation(who)


def chart_timeline(report: Report, say: Say) -> Spec:
    """Every event on one time axis: the flight, each node, and what was published for each launch minute."""
    order = sorted(
        {e.key for e in report.events}, key=lambda k: min(e.t for e in report.events if e.key == k)
    )
    names = [event_name(key, report, say) for key in order]
    who = list(dict.fromkeys(who_name(e.who, say) for e in report.events))
    rows = [
        {
            "event": event_name(e.key, report, say),
            "who": who_name(e.who, say),
            "t": round(e.t, 1),
            "low": round(max(e.low, 0.0), 1),
            "high": round(e.high, 1),
        }
        for e in report.events
    ]
    end = max(_end(report), *(e.high for e in report.events)) if report.events else _end(report)
    nodes = {say.nation(n): NODE_COLOURS[k % len(NODE_COLOURS)] for k, n in enumerate(_nodes(report))}
    published = iter((GREY, VERMILION, YELLOW))
    colours = [nodes.get(w) or ("#222a33" if w == say("truth") else next(published, GREY)) for w in who]
    y = {
        "field": "event",
        "type": "nominal",
        "sort": names,
        "title": None,
        "axis": {"labelLimit": 220, "grid": True},
    }
    offset = {"yOffset": {"field": "who", "sort": who}}
    colour = {
        "field": "who",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": who, "range": colours},
        "legend": {"title": say("who"), "orient": "top", "columns": 6, "labelLimit": 260},
    }
    base = {"data": {"values": rows}}
    layers: list[Spec] = [
        {
            **base,
            "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.45},
            "encoding": {
                "x": {"field": "low", **_time_axis(say, end)},
                "x2": {"field": "high"},
                "y": y,
                **offset,
                "color": colour,
            },
        },
        {
            **base,
            "mark": {"type": "point", "filled": True, "size": 55},
            "encoding": {"x": {"field": "t", **_time_axis(say, end)}, "y": y, **offset, "color": colour},
        },
        {
            **base,
            "mark": {"type": "text", "align": "left", "dx": 7, "fontSize": 9.5, "fill": "#333c47"},
            "encoding": {
                "x": {"field": "t", **_time_axis(say, end)},
                "y": y,
                **offset,
                "text": {"field": "t", "format": ".0f"},
            },
        },
    ]
    return _spec(layers, WIDE, max(240, (11 * len(who) + 6) * len(order)))


# --- losses and studies ----------------------------------------------------------------------------------------


def losses(report: Report) -> list[tuple[str, float]]:
    """Outcomes above the horizon that happened, in the order in which a look can fail, `detected` last."""
    view = report.summary["looks_in_view"]
    order = [r.name.lower() for r in Reason if r not in (Reason.DETECTED, Reason.BELOW_HORIZON)]
    return [(name, view[name]) for name in order if view[name] > 0.0] + [("detected", view["detected"])]


def chart_waterfall(report: Report, say: Say) -> Spec:
    """What was lost to each reason in turn, down to what was detected."""
    left = 100.0
    rows = [{"what": say("reason_all"), "low": 0.0, "high": 100.0, "label": "100.0 %", "kind": "all"}]
    for name, share in losses(report):
        part = 100.0 * share
        if name == "detected":
            rows.append(
                {
                    "what": say("reason_detected"),
                    "low": 0.0,
                    "high": part,
                    "label": f"{part:.1f} %",
                    "kind": "kept",
                }
            )
        else:
            rows.append(
                {
                    "what": say(f"reason_{name}"),
                    "low": left - part,
                    "high": left,
                    "label": f"−{part:.1f} %",
                    "kind": "lost",
                }
            )
            left -= part
    names = [row["what"] for row in rows]
    y = {"field": "what", "type": "nominal", "sort": names, "title": None, "axis": {"labelLimit": 200}}
    x = {
        "field": "low",
        "type": "quantitative",
        "scale": {"domain": [0, 112], "nice": False},
        "axis": {"title": say("looks_axis"), "values": [0, 20, 40, 60, 80, 100]},
    }
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": ["all", "lost", "kept"], "range": [GREY, ORANGE, BLUE]},
        "legend": None,
    }
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "bar", "height": {"band": 0.65}},
            "encoding": {"x": x, "x2": {"field": "high"}, "y": y, "color": colour},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 10},
            "encoding": {"x": {**x, "field": "high"}, "y": y, "text": {"field": "label"}},
        },
    ]
    return _spec(layers, HALF, max(180, 34 * len(rows) + 50))


def chart_phase_study(report: Report, say: Say) -> Spec:
    """Median and 5-95 % of the warning time per node, with and without sharing."""
    study = report.summary["phase_study"]
    target = report.run.truth.targets[0]
    rows = []
    for nation in _nodes(report):
        for mode in ("shared", "alone"):
            s = study[mode][nation][target]["t_warning_s"]
            never = s["never"] / s["runs"]
            rows.append(
                {
                    "node": say.nation(nation),
                    "mode": say(mode),
                    "median": s["median"],
                    "low": s["p05"],
                    "high": s["p95"]
                    if s["p95"] is not None
                    else (_end(report) if s["p05"] is not None else None),
                    "label": f"{say('never')} {never:.0%}" if never else "",
                    "label_at": s["p95"] or s["median"] or s["p05"] or 0.0,
                }
            )
    modes = [say("shared"), say("alone")]
    y = {
        "field": "node",
        "type": "nominal",
        "sort": [say.nation(n) for n in _nodes(report)],
        "title": None,
        "scale": {"paddingInner": 0.3},
    }
    offset = {"yOffset": {"field": "mode", "sort": modes}}
    colour = {
        "field": "mode",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": modes, "range": [BLUE, ORANGE]},
        "legend": {"title": say("sharing"), "orient": "top"},
    }
    known = [row for row in rows if row["low"] is not None]
    ends = [row["high"] for row in known]
    top = max([*ends, 60.0]) * 1.12
    axis = {
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"title": say("warning_axis"), "tickCount": 10},
    }
    layers: list[Spec] = [
        {
            "data": {"values": known},
            "mark": {"type": "rule", "strokeWidth": 7, "opacity": 0.45},
            "encoding": {
                "x": {"field": "low", **axis},
                "x2": {"field": "high"},
                "y": y,
                **offset,
                "color": colour,
            },
        },
        {
            "data": {"values": [row for row in rows if row["median"] is not None]},
            "mark": {"type": "point", "filled": True, "size": 70},
            "encoding": {"x": {"field": "median", **axis}, "y": y, **offset, "color": colour},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "dx": 10, "fontSize": 10, "fill": "#333c47"},
            "encoding": {"x": {"field": "label_at", **axis}, "y": y, **offset, "text": {"field": "label"}},
        },
    ]
    return _spec(layers, HALF, max(180, 70 * len(_nodes(report)) + 60))
