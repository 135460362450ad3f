"""The report's time and loss charts as Vega-Lite specifications (plain dicts), one function each.

Colours are Okabe-Ito; a state is always said in words too. Long columns are not in the specifications but in
`datasets`, which the page holds once for both languages; there nations stand as codes, and the specification of each
language gives their words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from math import sqrt
from typing import Any

import numpy as np

from noroshi.report import data, maps
from noroshi.report.data import Event, Report
from noroshi.report.maps import BLUE, GREY, INK, ORANGE, SKY, VERMILION, WIDE, Columns, Spec
from noroshi.report.text import Say
from noroshi.scenario.schema import Scenario

LANE_COLOURS = (VERMILION, ORANGE, SKY, BLUE)  # 0 (drawn hatched), 1, 2, 3 or more
LANE_INKS = (INK, INK, INK, "#ffffff")
UNSEEN = "#e3e8ee"
HALF, TALL = 520, 250
CHAR_PX = 6.0  # of a letter at 10 px
ERROR_FLOOR_M = 1.0  # of the log axis
GOSPA_POINTS = 900  # at most, of each node
GOSPA_PARTS = {"localisation": SKY, "missed": VERMILION, "false": ORANGE}


def datasets(report: Report) -> dict[str, Columns]:
    """Columns of every long data set by name; all columns of one set are equally long."""
    return {
        "coast": maps.coast(maps.region(report)),
        "coast_world": maps.coast(maps.world()),
        "satellites": maps.satellite_columns(report),
        "error": _errors(report),
        "gospa": _gospa(report),
        "latency": _latencies(report),
    }


def chart_spec(layers: list[Spec], width: int, height: int, **more: Any) -> Spec:
    """A layered drawing, `width` by `height` pixels with its axes and legend."""
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


def _words(codes: Iterable[str], say: Say) -> str:
    """A Vega expression that turns a nation's code (datum.value) into its name."""
    return json.dumps({code: say.label(code) for code in codes}, ensure_ascii=False) + "[datum.value]"


def node_name(scenario: Scenario, index: int, say: Say) -> str:
    """The node's nation in words."""
    return say.label(scenario.nodes[index].nation)


# --- time axes -------------------------------------------------------------------------------------------------

ROUND_S = (0, 15, 30, 60, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10_800)


def tick_label(say: Say) -> str:
    """A Vega expression that prints a tick [s] in seconds or minutes."""
    minute, second = (f"'{say(k)}'" for k in ("unit_min", "unit_s"))
    return f"datum.value < 60 ? datum.value + {second} : datum.value / 60 + {minute}"


def _minutes(say: Say) -> str:
    minute, second = (f"'{say(k)}'" for k in ("unit_min", "unit_s"))
    return (
        f"floor(datum.value / 60) + {minute}"
        f" + (datum.value % 60 ? '{say('unit_gap')}' + format(datum.value % 60, '02.0f') + {second} : '')"
    )


def root_ticks(end: float, width: float, apart: float = 44.0) -> list[int]:
    """Round times for a square-root axis, at least `apart` pixels from each other; labels never repeat."""
    ticks: list[int] = []
    for t in ROUND_S:
        if t <= end and (not ticks or (sqrt(t) - sqrt(ticks[-1])) / sqrt(end) * width >= apart):
            ticks.append(t)
    return ticks


def even_ticks(end: float, most: int = 11) -> list[int]:
    """Round times in equal steps for a linear axis, `most` at most."""
    step = next((s for s in (15, 30, 60, 120, 300, 600, 900, 1800, 3600) if end / s <= most), 7200)
    return list(range(0, int(end) + 1, step))


def _time(say: Say, end: float, ticks: list[int], kind: str = "linear") -> Spec:
    return {
        "type": "quantitative",
        "scale": {"type": kind, "domain": [0, round(end, 1)], "nice": False},
        "axis": {"title": say("time_after_launch"), "values": ticks, "labelExpr": tick_label(say)},
    }


def _end(report: Report) -> float:
    return max(flight.t_impact for flight in report.flights)


# --- timeline --------------------------------------------------------------------------------------------------


def event_name(key: str, report: Report, say: Say) -> str:
    """An event in words; `pass:NAME` and `pass_area:NAME` carry the name of a point or area."""
    kind, _, name = key.partition(":")
    if not name:
        return say(key)
    scenario = report.run.scenario
    listed = scenario.points if kind == "pass" else scenario.areas
    part = next((p for p in listed if p.name == name), None)
    return say(f"event_{kind}", name=maps.local_name(part, say) if part is not None else name)


def ordered_events(report: Report) -> list[Event]:
    """Events grouped by what happened, in the order of the first of each group; inside: truth, nodes, published."""
    first: dict[str, float] = {}
    for event in report.events:
        if event.launch is None or event.key not in first:
            first[event.key] = min(event.t, first.get(event.key, np.inf))
    rank = {"truth": 0, "published": 2}
    return sorted(
        report.events, key=lambda e: (first[e.key], e.key, rank.get(e.who[0], 1), e.t, e.launch or "")
    )


def _event_label(event: Event, report: Report, say: Say) -> str:
    when = say.seconds(event.t, sign=True)
    if round(event.until) != round(event.t):
        when += f" – {say.seconds(event.until, sign=True)}"
    if event.launch is None:
        who = say("truth") if event.who == ("truth",) else say.names(event.who)
        return say("event_label", who=who, when=when)
    minute, slack = say.local(event.utc or ""), say.seconds(event.t - event.low)
    fits = {True: " ✓", False: " ✗", None: ""}[event.consistent]
    return say("published_at", minute=minute, when=when, slack=slack) + fits


def chart_timeline(report: Report, say: Say) -> tuple[Spec, list[maps.Key]]:
    """Every event on one square-root time axis: the flight, the nodes, and what was published per launch minute."""
    events = ordered_events(report)
    end = max([_end(report), *(e.high for e in events)]) * 1.02
    ids, bands, heads, rows = [], [], {}, []
    colours = launch_colours(report)
    room = WIDE - 190
    for group, (_, members) in enumerate(groupby(events, key=lambda e: e.key)):
        members = list(members)
        for k, event in enumerate(members):
            name = f"{group:02d}.{k}"
            ids.append(name)
            heads[name] = event_name(event.key, report, say) if k == 0 else ""
            if group % 2 == 0:
                bands.append({"id": name})
            label = _event_label(event, report, say)
            to_right = (
                sqrt(max(event.high, 0.0) / end) * room
                + 10
                + len(label) * CHAR_PX * (1.6 if say.lang == "ja" else 1.0)
            )
            left = to_right > room
            if event.launch is not None:
                colour, mark = colours[event.launch], "published"
            elif event.who == ("truth",):
                colour, mark = INK, "truth"
            else:
                colour, mark = maps.nations_colour(report, event.who), "node"
            rows.append(
                {
                    "id": name,
                    "t": round(event.t, 1),
                    "until": round(event.until, 1),
                    "low": round(max(event.low, 0.0), 1),
                    "high": round(event.high, 1),
                    "text": label,
                    "at": round(max(event.low, 0.0) if left else event.high, 1),
                    "align": "right" if left else "left",
                    "dx": -9 if left else 9,
                    "colour": colour,
                    "shape": {"truth": "diamond", "node": "circle", "published": "stroke"}[mark],
                    "mark": mark,
                }
            )
    x = _time(say, end, root_ticks(end, room), "sqrt")
    y = {
        "field": "id",
        "type": "nominal",
        "sort": ids,
        "title": None,
        "scale": {"domain": ids, "padding": 0},
        "axis": {
            "labelExpr": json.dumps(heads, ensure_ascii=False) + "[datum.value]",
            "labelLimit": 220,
            "labelFontWeight": "bold",
            "labelOverlap": False,
            "labelPadding": 10,
            "ticks": False,
            "grid": False,
        },
    }
    published = [r for r in rows if r["mark"] == "published"]
    dots = [r for r in rows if r["mark"] != "published"]
    paint = {"expr": "datum.colour"}
    layers: list[Spec] = [
        {
            "data": {"values": bands},
            "mark": {"type": "rect", "fill": "#f3f6fa"},
            "encoding": {"y": y, "x": {"value": 0}, "x2": {"value": "width"}},
        },
        {
            "data": {"values": published},
            "mark": {
                "type": "bar",
                "height": {"band": 0.62},
                "fill": paint,
                "fillOpacity": 0.35,
                "stroke": paint,
            },
            "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y},
        },
        {
            "data": {"values": published},
            "mark": {
                "type": "bar",
                "height": {"band": 0.62},
                "fill": paint,
                "stroke": paint,
                "strokeWidth": 2.5,
            },
            "encoding": {"x": {"field": "t", **x}, "x2": {"field": "until"}, "y": y},
        },
        {
            "data": {"values": [r for r in dots if r["until"] > r["t"]]},
            "mark": {"type": "rule", "stroke": paint, "strokeWidth": 2.5},
            "encoding": {"x": {"field": "t", **x}, "x2": {"field": "until"}, "y": y},
        },
        {
            "data": {"values": dots},
            "mark": {
                "type": "point",
                "size": 70,
                "opacity": 1,
                "shape": {"expr": "datum.shape"},
                "fill": paint,
                "stroke": paint,
            },
            "encoding": {"x": {"field": "t", **x}, "y": y},
        },
        {
            "data": {"values": rows},
            "mark": {
                "type": "text",
                "align": {"expr": "datum.align"},
                "dx": {"expr": "datum.dx"},
                "fontSize": 10.5,
                "fill": INK,
            },
            "encoding": {"x": {"field": "at", **x}, "y": y, "text": {"field": "text"}},
        },
    ]
    keys = [maps.Key("diamond", INK, say("truth"))]
    for nation in _nodes(report):
        if any(e.who == (nation,) for e in events):
            keys.append(maps.Key("circle", maps.nation_colour(report, nation), say.label(nation)))
    if any(len(e.who) > 1 for e in events):
        keys.append(maps.Key("circle", maps.SHARED, say("several_nodes")))
    for launch, colour in colours.items():
        fits = report.summary["published"]["launch"][launch]["consistent"]
        verdict = {True: "✓ " + say("consistent"), False: "✗ " + say("inconsistent"), None: "–"}[fits]
        words = say("published_for", utc=say.local(launch), verdict=verdict)
        keys.append(maps.Key("area", colour, words))
    return chart_spec(layers, WIDE, max(200, 19 * len(ids) + 50)), keys


def launch_colours(report: Report) -> dict[str, str]:
    """A colour for each candidate launch minute: blue for the one that fits, orange and grey for others."""
    fits = data.fitting_launch(report.summary)
    others = iter((ORANGE, GREY, VERMILION))
    return {
        utc: BLUE if utc == fits else next(others, GREY)
        for utc in report.summary["published"].get("launch", {})
    }


# --- custody ---------------------------------------------------------------------------------------------------


def chart_custody(report: Report, say: Say) -> Spec:
    """Lanes of the number of sensors, per node and target; grey before the node's first detection."""
    rows, lanes = [], []
    end = _end(report)
    per_second = (WIDE - 200) / end
    for (nation, target), stretches in report.lanes.items():
        lane = say.label(nation) if len(report.flights) == 1 else f"{say.label(nation)} · {target}"
        share = report.summary["nodes"][nation]["targets"][target]["custody_2"]
        if share is not None:
            lane += f"  {say('custody_2_short', share=card_value('custody_2', share, say))}"
        lanes.append(lane)
        seen = False
        for stretch in stretches:
            seen = seen or stretch.sensors > 0
            words = say(f"lane_{stretch.sensors}") if seen else say("lane_unseen")
            wide = (stretch.end - stretch.start) * per_second
            rows.append(
                {
                    "lane": lane,
                    "start": round(stretch.start, 2),
                    "end": round(stretch.end, 2),
                    "middle": round((stretch.start + stretch.end) / 2, 2),
                    "state": words,
                    "text": words if wide > maps.text_width(words) + 4 else "",
                    "ink": LANE_INKS[stretch.sensors] if seen else INK,
                }
            )
    names = [say("lane_unseen"), *(say(f"lane_{k}") for k in data.LANES)]
    x = _time(say, end, even_ticks(end))
    y = {
        "field": "lane",
        "type": "nominal",
        "sort": lanes,
        "title": None,
        "scale": {"domain": lanes},
        "axis": {"labelLimit": 240, "labelFontWeight": "bold"},
    }
    colour = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": names, "range": [UNSEEN, *LANE_COLOURS]},
        "legend": {"title": say("sensors"), "orient": "top", "direction": "horizontal", "columns": 5},
    }
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "bar", "height": {"band": 0.66}},
            "encoding": {"x": {"field": "start", **x}, "x2": {"field": "end"}, "y": y, "color": colour},
        },
    ]
    lost = say("lane_0")  # dark words on a hatched lane need a light edge
    for style, which in (
        (maps.HALO, [row for row in rows if row["text"] == lost]),
        ({"fill": {"expr": "datum.ink"}}, [row for row in rows if row["text"]]),
    ):
        layers.append(
            {
                "data": {"values": which},
                "mark": {"type": "text", "fontSize": 10.5, **style},
                "encoding": {"x": {"field": "middle", **x}, "y": y, "text": {"field": "text"}},
            }
        )
    return chart_spec(layers, WIDE, 36 * len(lanes) + 96, usermeta={"hatch": VERMILION})


# --- error and latency -----------------------------------------------------------------------------------------


def _errors(report: Report) -> Columns:
    run = report.run
    columns: Columns = {"node": [], "t": [], "error": [], "sigma": [], "bound": []}
    for n, nation in enumerate(_nodes(report)):
        mine = (run.samples.node == n) & (run.samples.target == 0) & (run.samples.track >= 0)
        mine &= np.isfinite(run.samples.error_position_m) & np.isfinite(run.samples.sigma_position_m)
        columns["node"] += [nation] * int(mine.sum())
        columns["t"] += np.round(run.samples.t[mine] - run.truth.t_launch[0], 1).tolist()
        for name, values in (
            ("error", run.samples.error_position_m),
            ("sigma", run.samples.sigma_position_m),
            ("bound", run.samples.bound_position_m),
        ):
            columns[name] += _on_log_axis(values[mine])
    return columns


def _on_log_axis(values: np.ndarray) -> list[float | None]:
    """Values as drawn: three digits, no less than the floor of the axis; None where there is none."""
    drawn = []
    for value in values.tolist():
        if not np.isfinite(value):
            drawn.append(None)
            continue
        value = max(value, ERROR_FLOOR_M)
        digits = 2 - int(np.floor(np.log10(value)))
        drawn.append(round(value, digits) if digits > 0 else int(round(value, digits)))
    return drawn


def trackless(report: Report) -> list[str]:
    """Nodes that never had a confirmed track of the first target."""
    tracked = set(_errors(report)["node"])
    return [nation for nation in _nodes(report) if nation not in tracked]


def chart_error(report: Report, say: Say) -> Spec | None:
    """Error, 1 sigma and bound of each node's track of the first target, a panel per node, log axis, requirement line.

    None: no node had a track.
    """
    drawn = _errors(report)
    run, nodes = report.run, list(dict.fromkeys(drawn["node"]))
    if not nodes:
        return None
    end = _end(report)
    target = run.truth.targets[0]
    heads = {}
    for nation in nodes:
        rms = report.summary["nodes"][nation]["targets"][target]["rmse_position_m"]
        heads[nation] = f"{say.label(nation)}: {say('rms', value=card_value('rmse_position_m', rms, say))}"
    x = {"field": "t", **_time(say, end, even_ticks(end, 6))}
    axis = {"title": say("error_axis"), "tickCount": 5, "format": "~s"}
    need = run.scenario.requirement.rmse_position_m
    least = [value for value in drawn["bound"] if value is not None]
    shown = np.concatenate([drawn["error"], drawn["sigma"], [need or 1000.0]])
    top = float(10 ** np.ceil(np.log10(1.2 * shown.max())))
    bottom = float(10 ** np.floor(np.log10(min(shown.min(), *least) if least else shown.min())))
    scale = {"type": "log", "domain": [bottom, top], "nice": False}
    legend = {"title": None, "orient": "bottom", "symbolStrokeWidth": 2.5, "symbolSize": 300}
    series = [say("series_error"), say("series_sigma"), say("series_bound")]
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "strokeWidth": 1.2},
            "encoding": {
                "x": x,
                "y": {"field": "error", "type": "quantitative", "scale": scale, "axis": axis},
                "color": {
                    "datum": say("series_error"),
                    "type": "nominal",
                    "scale": {"domain": series, "range": [SKY, INK, VERMILION]},
                    "legend": legend,
                },
            },
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.8, "strokeDash": [5, 3]},
            "encoding": {
                "x": x,
                "y": {"field": "sigma", "type": "quantitative", "scale": scale},
                "color": {"datum": say("series_sigma"), "type": "nominal"},
            },
        },
        {
            # it may lie far above the panel while one sensor looks: the axis is the error's
            "mark": {"type": "line", "strokeWidth": 1.6, "strokeDash": [1.5, 2.5], "clip": True},
            "encoding": {
                "x": x,
                "y": {"field": "bound", "type": "quantitative", "scale": scale},
                "color": {"datum": say("series_bound"), "type": "nominal"},
            },
        },
    ]
    if need is not None:
        layers.append(
            rule_layer("y", need, say("required_max", value=card_value("rmse_position_m", need, say)))
        )
    return _panels("error", nodes, heads, layers)


def _panels(dataset: str, nodes: list[str], heads: dict[str, str], layers: list[Spec]) -> Spec:
    """One panel per node, side by side, each under its head."""
    columns = min(len(nodes), 3)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"name": dataset},
        "facet": {
            "field": "node",
            "type": "nominal",
            "sort": nodes,
            "header": {
                "title": None,
                "labelExpr": json.dumps(heads, ensure_ascii=False) + "[datum.value]",
                "labelFontSize": 12,
                "labelFontWeight": "bold",
            },
        },
        "columns": columns,
        "spacing": 24,
        "spec": {"width": (WIDE - 60) // columns - 34, "height": 210, "layer": layers},
    }


def _gospa(report: Report) -> Columns:
    """GOSPA of each node's whole picture, and the root of each part; None where a part is nothing."""
    run = report.run
    columns: Columns = {"node": [], "t": [], "all": [], **{name: [] for name in GOSPA_PARTS}}
    for n, nation in enumerate(_nodes(report)):
        mine = np.flatnonzero(run.node_samples.node == n)
        mine = mine[:: len(mine) // GOSPA_POINTS + 1]  # a panel has some 320 pixels
        columns["node"] += [nation] * len(mine)
        columns["t"] += np.round(run.node_samples.t[mine] - run.truth.t_launch[0], 1).tolist()
        columns["all"] += _on_log_axis(run.node_samples.gospa_m[mine])
        for name in GOSPA_PARTS:
            part = getattr(run.node_samples, f"{name}_m2")[mine]
            columns[name] += _on_log_axis(np.sqrt(np.where(part > 0.0, part, np.nan)))
    return columns


def chart_gospa(report: Report, say: Say) -> Spec | None:
    """GOSPA and the root of its parts over time, a panel per node, log axis. None: no target ever flew."""
    drawn = _gospa(report)
    nodes = list(dict.fromkeys(drawn["node"]))
    if not nodes:
        return None
    heads = {}
    for nation in nodes:
        mean = report.summary["nodes"][nation]["gospa_m"]
        heads[nation] = f"{say.label(nation)}: {say('mean', value=card_value('rmse_position_m', mean, say))}"
    x = {"field": "t", **_time(say, _end(report), even_ticks(_end(report), 6))}
    values = [v for name in ("all", *GOSPA_PARTS) for v in drawn[name] if v is not None]
    top = float(10 ** np.ceil(np.log10(1.2 * max(values))))
    bottom = float(10 ** np.floor(np.log10(min(values))))
    scale = {"type": "log", "domain": [bottom, top], "nice": False}
    colours = {"all": GREY, **GOSPA_PARTS}
    names = {name: say(f"gospa_{name}") for name in colours}
    layers: list[Spec] = []
    for name, words in names.items():
        layers.append(
            {
                # parts come and go from one second to the next: dots; the sum is always there: a line
                "mark": {"type": "line", "strokeWidth": 1.4}
                if name == "all"
                else {"type": "circle", "size": 9, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": {
                        "field": name,
                        "type": "quantitative",
                        "scale": scale,
                        "axis": {"title": say("gospa_axis"), "tickCount": 5, "format": "~s"},
                    },
                    "color": {
                        "datum": words,
                        "type": "nominal",
                        "scale": {"domain": list(names.values()), "range": [colours[k] for k in names]},
                        "legend": {"title": None, "orient": "bottom", "symbolSize": 90},
                    },
                },
            }
        )
    return _panels("gospa", nodes, heads, layers)


def rule_layer(axis: str, value: float, label: str) -> Spec:
    """A dashed line across the drawing at a value of one axis ("x" or "y"), with words beside it."""
    at = {axis: {"datum": value}}
    text: Spec = {"type": "text", "text": label, "fontSize": 10, "align": "left"}
    text |= {"dx": 4, "dy": -7, "x": 0} if axis == "y" else {"dx": 5, "y": 34}
    layers: list[Spec] = [
        {"mark": {"type": "rule", "stroke": VERMILION, "strokeDash": [6, 3]}, "encoding": at},
    ]
    if label:
        layers += [{"mark": text | style, "encoding": at} for style in (maps.HALO, {"fill": "#a34700"})]
    return {"data": {"values": [{}]}, "layer": layers}


def _latencies(report: Report) -> Columns:
    """Shares of the scans with detections that are a node's to have, by the delay within which they arrived."""
    run, d = report.run, report.run.deliveries
    columns: Columns = {"node": [], "latency": [], "share": []}
    for n, nation in enumerate(_nodes(report)):
        mine = (d.node == n) & np.isin(d.scan, run.detections.scan) & np.isfinite(d.t_released)
        delay = np.sort((d.t_arrival - d.t_event)[mine])
        arrived = delay[np.isfinite(delay)]
        if not len(arrived):
            continue
        steps = np.unique(np.linspace(0, len(arrived) - 1, 201).astype(int))
        columns["node"] += [nation] * (len(steps) + 1)
        columns["latency"] += [round(float(arrived[0]), 4), *np.round(arrived[steps], 4).tolist()]
        columns["share"] += [0.0, *np.round((steps + 1) / len(delay), 4).tolist()]
    return columns


def chart_latency(report: Report, say: Say, width: int) -> Spec:
    """Distribution of arrival minus event, per node, log axis, with the requirement on its 95 % value."""
    nodes = _nodes(report)
    seen = np.array([*_latencies(report)["latency"], 1.0])
    need = report.run.scenario.requirement.latency_p95_s
    low = _step_below(max(float(seen.min()), 1e-3))
    high = _step_above(max(float(seen.max()), (need or 1.0) * 1.3))
    ticks = [m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5) if low <= m * 10.0**e <= high * 1.001]
    line: Spec = {
        "data": {"name": "latency"},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8},
        "encoding": {
            "x": {
                "field": "latency",
                "type": "quantitative",
                "scale": {"type": "log", "domain": [low, high], "nice": False},
                "axis": {
                    "title": say("latency_axis"),
                    "values": ticks,
                    "format": "~g",
                    "labelOverlap": False,
                },
            },
            "y": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": {"title": say("share_axis"), "format": ".0%"},
            },
            "order": {"field": "k", "type": "quantitative"},
            "color": {
                "field": "node",
                "type": "nominal",
                "sort": nodes,
                "scale": {"domain": nodes, "range": [maps.nation_colour(report, n) for n in nodes]},
                "legend": {
                    "title": None,
                    "orient": "top",
                    "labelExpr": _words(nodes, say),
                    "symbolType": "stroke",
                    "symbolStrokeWidth": 3,
                },
            },
        },
    }
    layers = [line]
    if need is not None:
        layers.append(rule_layer("x", need, say("requirement_95")))
        layers.append(rule_layer("y", 0.95, ""))
    return chart_spec(layers, width, TALL + 60)


def _step_below(value: float) -> float:
    return max(m * 10.0**e for e in range(-4, 5) for m in (1, 2, 5) if m * 10.0**e <= value)


def _step_above(value: float) -> float:
    return min(m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5) if m * 10.0**e >= value)


def chart_impact(report: Report, say: Say) -> Spec | None:
    """Predicted impact points with 2-sigma ellipses at the nodes' first warnings, about the true one; None: none."""
    found = data.impacts(report.run, report.flights[0])
    if not found:
        return None
    rows, points = [], []
    for nations, impact in found:
        azimuth, distance = data.ellipse(impact)
        east = (impact.east_m + distance * np.sin(azimuth)) / 1e3
        north = (impact.north_m + distance * np.cos(azimuth)) / 1e3
        who = say.names(nations)
        rows += [
            {"x": round(float(e), 3), "y": round(float(n), 3), "who": who, "k": k}
            for k, (e, n) in enumerate(zip(east, north, strict=True))
        ]
        points.append({"x": round(impact.east_m / 1e3, 3), "y": round(impact.north_m / 1e3, 3), "who": who})
    width, height = HALF, TALL + 60
    across, up = width - 66, height - 78  # what the axes and the legend leave: equal scales on both axes
    scale = 1.15 * max(max(abs(r["x"]) / across, abs(r["y"]) / up) for r in rows)

    def axis(field: str, reach: float, title: str) -> Spec:
        domain = [-round(reach, 3), round(reach, 3)]
        scale = {"domain": domain, "nice": False}
        return {
            "field": field,
            "type": "quantitative",
            "scale": scale,
            "axis": {"title": title, "tickCount": 7},
        }

    place = {"x": axis("x", scale * across, say("east_axis")), "y": axis("y", scale * up, say("north_axis"))}
    names = [say.names(nations) for nations, _ in found]
    colour = {
        "field": "who",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names, "range": [maps.nations_colour(report, nations) for nations, _ in found]},
        "legend": {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3},
    }
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {**place, "order": {"field": "k"}, "color": colour},
        },
        {
            "data": {"values": points},
            "mark": {"type": "point", "shape": "triangle-down", "size": 80, "filled": True, "opacity": 1},
            "encoding": {**place, "color": colour},
        },
        {
            "data": {"values": [{"x": 0, "y": 0, "text": say("layer_impact")}]},
            "encoding": place,
            "layer": [
                {"mark": {"type": "point", "shape": "cross", "size": 110, "fill": INK, "opacity": 1}},
                {
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "dx": 9,
                        "dy": 11,
                        "fontSize": 10.5,
                        "fill": INK,
                    },
                    "encoding": {"text": {"field": "text"}},
                },
            ],
        },
    ]
    return chart_spec(layers, width, height)


# --- losses and studies ----------------------------------------------------------------------------------------


def chart_waterfall(report: Report, say: Say) -> Spec:
    """What was lost to each reason in turn, down to what was detected, of the looks above the horizon."""
    left = 100.0
    rows = [{"what": say("reason_all"), "low": 0.0, "high": 100.0, "text": "100.0 %", "kind": "all"}]
    for loss in report.losses:
        part = loss.of_view
        if part is None:
            continue
        if loss.reason == "detected":
            low, high, text, kind = 0.0, part, f"{part:.1f} %", "kept"
        else:
            low, high, text, kind = round(left - part, 1), left, f"−{part:.1f} %", "lost"
            left = low
        rows.append(
            {"what": say(f"reason_{loss.reason}"), "low": low, "high": high, "text": text, "kind": kind}
        )
    names = [row["what"] for row in rows]
    y = {"field": "what", "type": "nominal", "sort": names, "title": None, "axis": {"labelLimit": 220}}
    x = {
        "type": "quantitative",
        "scale": {"domain": [0, 114], "nice": False},
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
            "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y, "color": colour},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 10.5, "fill": INK},
            "encoding": {"x": {"field": "high", **x}, "y": y, "text": {"field": "text"}},
        },
    ]
    return chart_spec(layers, HALF, 28 * len(rows) + 60)


def chart_phase_study(report: Report, say: Say) -> Spec:
    """Median and 5-95 % of the warning time per node, with and without sharing, after burn-out."""
    study, target = report.summary["phase_study"], report.run.truth.targets[0]
    rows = []
    for nation in _nodes(report):
        for mode in ("shared", "alone"):
            s = study[mode][nation][target]["t_warning_s"]
            never = s["never"] / s["runs"]
            rows.append(
                {
                    "node": say.label(nation),
                    "mode": say(mode),
                    "median": s["median"],
                    "low": s["p05"],
                    "high": s["p95"],
                    "text": f"{say('never')} {never:.0%}" if never else "",
                }
            )
    burnout = report.summary["targets"][target].get("t_burnout_s")
    known = [t for row in rows for t in (row["low"], row["high"]) if t is not None]
    known += [burnout] if burnout is not None else []
    low, high = (min(known), max(known)) if known else (0.0, 60.0)
    margin = max(0.15 * (high - low), 5.0)
    start, end = max(0.0, low - margin), high + 2 * margin
    for row in rows:
        if row["low"] is not None and row["high"] is None:
            row["high"] = end  # more than one run in twenty never warns: the bar goes on to the edge
        row["at"] = row["high"] if row["high"] is not None else burnout or start
    x = {
        "type": "quantitative",
        "scale": {"domain": [round(start, 1), round(end, 1)], "nice": False, "zero": False},
        "axis": {"title": say("warning_axis"), "tickCount": 6, "labelExpr": _minutes(say)},
    }
    modes = [say("shared"), say("alone")]
    y = {
        "field": "node",
        "type": "nominal",
        "sort": [say.label(n) for n in _nodes(report)],
        "title": None,
        "scale": {"paddingInner": 0.3},
        "axis": {"labelFontWeight": "bold"},
    }
    offset = {"yOffset": {"field": "mode", "sort": modes}}
    colour = {
        "field": "mode",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": modes, "range": [BLUE, ORANGE]},
        "legend": {"title": None, "orient": "top", "symbolOpacity": 1},
    }
    layers: list[Spec] = []
    if burnout is not None:
        layers.append(rule_layer("x", burnout, say("event_burnout")))
    layers += [
        {
            "data": {"values": [row for row in rows if row["low"] is not None]},
            "mark": {"type": "rule", "strokeWidth": 8, "opacity": 0.45},
            "encoding": {
                "x": {"field": "low", **x},
                "x2": {"field": "high"},
                "y": y,
                **offset,
                "color": colour,
            },
        },
        {
            "data": {"values": [row for row in rows if row["median"] is not None]},
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": {"x": {"field": "median", **x}, "y": y, **offset, "color": colour},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 10.5, "fill": INK},
            "encoding": {"x": {"field": "at", **x}, "y": y, **offset, "text": {"field": "text"}},
        },
    ]
    return chart_spec(layers, HALF, max(180, 62 * len(_nodes(report)) + 80))


def card_value(key: str, value: float | None, say: Say) -> str:
    """A card's figure with its unit; the charts that repeat a figure print it the same way."""
    if value is None:
        return say("never")
    if key == "custody_2":
        return f"{100 * value:.1f} %"
    if key == "rmse_position_m":
        return f"{value:,.0f} m"
    if key == "latency_p95_s":
        return f"{value:.2f}{say('unit_s')}"
    return say.seconds(value)
