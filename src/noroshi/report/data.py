"""Everything the report says, as plain numbers: the sentence, the cards and the charts all read from here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from noroshi.constants import EARTH_RADIUS_M
from noroshi.earth import destination, geodetic_from_itrs
from noroshi.frames import rotate
from noroshi.results import Run
from noroshi.scenario import build
from noroshi.sensors.models import Radar
from noroshi.summary import Facts, facts
from noroshi.tables import Notice, Phase
from noroshi.warning.areas import distances

WEST_DEG = -30.0  # maps run from 30 W eastwards: the Pacific is whole, centred on 150 E
LANES = (0, 1, 2, 3)  # sensors in custody; the last means "or more"


class Event(NamedTuple):
    """When something happens [s after launch]; `low`, `high` bound it where it is known to a minute only."""

    key: str  # of the text table
    who: str  # nation, "truth", or "published"
    t: float
    low: float
    high: float


class Card(NamedTuple):
    """One figure against its requirement. value None: it never happened."""

    key: str
    value: float | None
    required: float | None
    passed: bool | None
    low: float | None
    high: float | None


class Lane(NamedTuple):
    """A stretch of time with the same number of sensors in custody."""

    start: float
    end: float
    sensors: int


class Answer(NamedTuple):
    """The sentence: who warned whom, when, how long before what."""

    nation: str | None  # of the first public warning; None: nobody warned
    target: str
    area: str | None
    t_public: float | None
    t_before: float | None  # of what the warning precedes
    before: (
        str  # "pass" (over or beside the area), "impact", or "reach" (the earliest a glider could be there)
    )
    t_published: float | None  # the real warning, after the launch minute that fits
    published_by_launch: dict[str, float]


@dataclass(frozen=True)
class Report:
    """The plain numbers of one report, one target in focus (the first of the scenario)."""

    run: Run
    summary: dict[str, Any]
    manifest: dict[str, Any]
    flights: tuple[Facts, ...]
    answer: Answer
    cards: tuple[Card, ...]
    events: tuple[Event, ...]
    lanes: dict[tuple[str, str], tuple[Lane, ...]]


def collect(run: Run, summary: dict[str, Any], manifest: dict[str, Any]) -> Report:
    """Gather a report. `summary` may carry `statistics` and `phase_study` of a study around the run."""
    flights = tuple(facts(run.truth, run.itrs_from_gcrs, k) for k in range(len(run.truth.targets)))
    answer = _answer(run, summary, flights)
    return Report(
        run=run,
        summary=summary,
        manifest=manifest,
        flights=flights,
        answer=answer,
        cards=_cards(run, summary, answer),
        events=tuple(_events(run, summary, answer)),
        lanes=_lanes(run),
    )


def home(run: Run) -> str:
    """The nation whose figures the cards show: the first node of the scenario."""
    return run.scenario.nodes[0].nation


def fitting_launch(summary: dict[str, Any]) -> str | None:
    """UTC of the launch minute that the flight fits: the published one if it does, else an alternative that does."""
    launches = summary["published"].get("launch", {})
    ranked = sorted(launches.items(), key=lambda item: (not item[1]["consistent"], item[1]["alternative"]))
    return ranked[0][0] if ranked else None


def _first_warning(run: Run, node: int, target: int) -> int | None:
    """Row of the node's first issued warning from a track of the target."""
    samples, w = run.samples, run.warnings
    tracks = set(
        samples.track[(samples.node == node) & (samples.target == target) & (samples.track >= 0)].tolist()
    )
    rows = [
        r
        for r in np.flatnonzero((w.node == node) & (w.notice == Notice.ISSUED)).tolist()
        if int(w.track[r]) in tracks
    ]
    return min(rows, key=lambda r: (w.t[r], r)) if rows else None


def _answer(run: Run, summary: dict[str, Any], flights: tuple[Facts, ...]) -> Answer:
    target = run.truth.targets[0]
    launch = float(run.truth.t_launch[0])
    rows = {k: _first_warning(run, k, 0) for k in range(len(run.scenario.nodes))}
    found = [(float(run.warnings.t_public[r]), k, r) for k, r in rows.items() if r is not None]
    by_launch = {
        utc: entry["reported_s"]
        for utc, entry in summary["published"].get("warning_public", {}).get("by_launch", {}).items()
    }
    utc = fitting_launch(summary)
    t_published = by_launch.get(utc) if utc else None
    if not found:
        return Answer(None, target, None, None, None, "impact", t_published, by_launch)
    t_public, node, row = min(found)
    area = int(run.warnings.area[row])
    name = run.scenario.areas[area].name
    before, t_before = "impact", flights[0].t_impact
    first_over = _first_over(run, flights[0], area)
    if first_over is not None:
        before, t_before = "pass", first_over
    elif run.warnings.impact[row] and not np.isfinite(run.warnings.lat_rad[row]):
        before, t_before = "reach", float(run.warnings.t_earliest[row]) - launch
    return Answer(
        run.scenario.nodes[node].nation,
        target,
        name,
        t_public - launch,
        t_before,
        before,
        t_published,
        by_launch,
    )


def _first_over(run: Run, flight: Facts, area: int) -> float | None:
    """When the flight first stands over the area, or else within the corridor beside it; None: never."""
    distance = distances([build.areas(run.scenario)[area]], flight.lat_rad, flight.lon_rad)[:, 0]
    for limit in (0.0, run.scenario.warning.corridor_km * 1e3):
        if (distance <= limit).any():
            return float(flight.t[np.argmax(distance <= limit)])
    return None


def _cards(run: Run, summary: dict[str, Any], answer: Answer) -> tuple[Card, ...]:
    need = run.scenario.requirement
    nation, target = home(run), run.truth.targets[0]
    node = summary["nodes"][nation]
    shown = node["targets"][target]
    spread = summary.get("statistics", {}).get(nation, {})
    target_spread = spread.get("targets", {}).get(target, {})
    lead = None
    if answer.t_before is not None and shown["t_warning_public_s"] is not None:
        lead = answer.t_before - shown["t_warning_public_s"]
    return (
        _card("custody_2", shown["custody_2"], need.custody_2, True, target_spread.get("custody_2")),
        _card(
            "rmse_position_m",
            shown["rmse_position_m"],
            need.rmse_position_m,
            False,
            target_spread.get("rmse_position_m"),
        ),
        _card(
            "latency_p95_s",
            node["latency_s"]["p95"],
            need.latency_p95_s,
            False,
            spread.get("latency_s", {}).get("p95"),
        ),
        _card("warning_lead_s", lead, need.warning_lead_s, True, None),
    )


def _card(key: str, value: float | None, required: float | None, at_least: bool, spread: Any) -> Card:
    passed = None
    if required is not None:
        passed = value is not None and (value >= required if at_least else value <= required)
    low, high = (spread["p05"], spread["p95"]) if spread else (None, None)
    return Card(key, value, required, passed, low, high)


def _events(run: Run, summary: dict[str, Any], answer: Answer) -> Iterator[Event]:
    target = run.truth.targets[0]
    truth = summary["targets"][target]

    def exact(key: str, who: str, t: float | None) -> Iterator[Event]:
        if t is not None and math.isfinite(t):
            yield Event(key, who, t, t, t)

    yield from exact("event_burnout", "truth", truth.get("t_burnout_s"))
    for name, at in truth.get("passes", {}).items():
        yield from exact(f"pass:{name}", "truth", at["t_s"])
    if answer.before == "pass" and answer.area is not None:
        yield from exact(f"pass_area:{answer.area}", "truth", answer.t_before)
    yield from exact("event_impact", "truth", truth.get("t_impact_s"))
    for node in run.scenario.nodes:
        shown = summary["nodes"][node.nation]["targets"][target]
        for key, field in (
            ("event_first_detection", "t_first_detection_s"),
            ("event_confirmed", "t_confirmed_s"),
            ("event_warning", "t_warning_s"),
            ("event_public", "t_warning_public_s"),
        ):
            yield from exact(key, node.nation, shown[field])
    keys = {"warning_public": "event_public", "impact": "event_impact"}
    for fact, entry in summary["published"].items():
        if fact == "launch":
            continue
        for utc, at in entry["by_launch"].items():
            slack = entry["rounding_s"] + summary["published"]["launch"][utc]["rounding_s"]
            middle = (at["reported_s"] + at["reported_until_s"]) / 2
            yield Event(
                str(keys.get(fact, fact)),
                f"published {utc}",
                middle,
                at["reported_s"] - slack,
                at["reported_until_s"] + slack,
            )


def _lanes(run: Run) -> dict[tuple[str, str], tuple[Lane, ...]]:
    lanes = {}
    for n, node in enumerate(run.scenario.nodes):
        for k, target in enumerate(run.truth.targets):
            rows = (run.samples.node == n) & (run.samples.target == k)
            t = run.samples.t[rows] - run.truth.t_launch[k]
            sensors = np.minimum(run.samples.sensors[rows], LANES[-1])
            if not len(t):
                lanes[node.nation, target] = ()
                continue
            change = np.flatnonzero(np.diff(sensors)) + 1
            starts = np.concatenate([[0], change])
            ends = np.concatenate([t[change], [float(run.truth.t_impact[k] - run.truth.t_launch[k])]])
            lanes[node.nation, target] = tuple(
                Lane(float(t[s]), float(e), int(sensors[s])) for s, e in zip(starts, ends, strict=True)
            )
    return lanes


# --- the map ---------------------------------------------------------------------------------------------------


def map_lon(lon_rad: np.ndarray) -> np.ndarray:
    """Longitudes in degrees from 30 W to 330 E."""
    return np.mod(np.rad2deg(lon_rad) - WEST_DEG, 360.0) + WEST_DEG


def pieces(lon_deg: np.ndarray, lat_deg: np.ndarray) -> list[np.ndarray]:
    """A line of [lon, lat], cut where it jumps across the map's edge."""
    cuts = np.flatnonzero(np.abs(np.diff(lon_deg)) > 180.0) + 1
    return [p for p in np.split(np.stack([lon_deg, lat_deg], 1), cuts) if len(p) > 1]


def sensor_tracks(run: Run, every: int = 10) -> dict[str, list[np.ndarray]]:
    """Ground tracks of the satellites while the first target flies, thinned."""
    sensors = build.sensors(run.scenario)
    flying = np.flatnonzero(run.truth.alive[:, 0])[::every]
    tracks = {}
    for k, sensor in enumerate(sensors):
        if isinstance(sensor.model, Radar):
            continue
        r = rotate(run.itrs_from_gcrs[flying], run.ephemeris.r_gcrs[flying, k])
        lat, lon, _ = geodetic_from_itrs(r)
        tracks[sensor.name] = pieces(map_lon(lon), np.rad2deg(lat))
    return tracks


def radar_fields(run: Run) -> dict[str, np.ndarray]:
    """Outline [point, lon lat] of each radar's sector at its maximum range (ground distance, flat at height 0)."""
    fields = {}
    for radar in run.scenario.radars:
        half = radar.field_azimuth_deg
        azimuth = np.deg2rad(np.linspace(radar.facing_deg - half, radar.facing_deg + half, 49))
        lat, lon = np.deg2rad(radar.latitude_deg), np.deg2rad(radar.longitude_deg)
        reach = min(radar.range_max_km * 1e3, EARTH_RADIUS_M)
        to_lat, to_lon = destination(lat, lon, azimuth, reach)
        edge = np.stack([map_lon(to_lon), np.rad2deg(to_lat)], 1)
        site = np.array([[map_lon(np.array(lon)).item(), radar.latitude_deg]])
        fields[radar.name] = edge if half >= 180.0 else np.concatenate([site, edge, site])
    return fields


def ellipse(run: Run, row: int) -> np.ndarray | None:
    """Outline [point, lon lat] of the 2-sigma impact ellipse behind a warning row; None for a glide."""
    w = run.warnings
    if not np.isfinite(w.lat_rad[row]) or not np.isfinite(w.major_m[row]):
        return None
    t = run.tracks
    same = np.flatnonzero((t.node == w.node[row]) & (t.track == w.track[row]) & (t.t_node == w.t[row]))
    if not len(same):
        return None
    turn = run.predictions.azimuth_rad[same[-1]]
    angle = np.linspace(0.0, 2.0 * np.pi, 49)
    along, across = 2 * w.major_m[row] * np.cos(angle), 2 * w.minor_m[row] * np.sin(angle)
    azimuth = turn + np.arctan2(across, along)
    lat, lon = destination(w.lat_rad[row], w.lon_rad[row], azimuth, np.hypot(along, across))
    return np.stack([map_lon(lon), np.rad2deg(lat)], 1)


def flight_phases(flight: Facts) -> list[tuple[Phase, np.ndarray]]:
    """The flight's ground track [point, lon lat] by phase, each piece joined to the next."""
    change = np.flatnonzero(np.diff(flight.phase)) + 1
    bounds = np.concatenate([[0], change, [len(flight.t)]])
    found = []
    for start, end in pairwise(bounds.tolist()):
        part = slice(start, min(end + 1, len(flight.t)))
        for piece in pieces(map_lon(flight.lon_rad[part]), np.rad2deg(flight.lat_rad[part])):
            found.append((Phase(int(flight.phase[start])), piece))
    return found


def first_warnings(run: Run) -> dict[str, int]:
    """Row of each node's first warning about the first target."""
    rows = {node.nation: _first_warning(run, k, 0) for k, node in enumerate(run.scenario.nodes)}
    return {nation: row for nation, row in rows.items() if row is not None}


def assumptions(value: Any, path: str = "") -> Iterator[tuple[str, str | None, str | None]]:
    """Every part of a scenario that states a source or a reason: (where, source, notional)."""
    if isinstance(value, dict):
        if value.get("source") or value.get("notional"):
            name = value.get("name") or value.get("fact") or value.get("nation") or ""
            source = value.get("source")
            yield f"{path} {name}".strip(), source if isinstance(source, str) else None, value.get("notional")
        for key, inner in value.items():
            if isinstance(inner, dict | list | tuple):
                yield from assumptions(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from assumptions(inner, path)
