"""Everything the report says, as plain numbers: the sentence, the cards and the charts all read from here.

Times are seconds after the launch of the first target, unless they say otherwise. `summary["published"]` is as
`noroshi.summary.published` makes it: per fact its UTC text, rounding, tag and source, `predicted_s` and
`predicted_until_s`, and `by_launch`, for each candidate launch minute, the `reported_s`, `reported_until_s`,
`difference_s` and whether they are `consistent`; under `launch` the verdict on each minute.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from noroshi.constants import EARTH_RADIUS_M
from noroshi.earth import destination, geodesic, geodetic_from_itrs
from noroshi.frames import rotate
from noroshi.results import Run
from noroshi.scenario import build
from noroshi.scenario.schema import radar_range_max_km
from noroshi.summary import Facts, facts
from noroshi.tables import REASONS_IN_ORDER, Notice, Phase, Reason
from noroshi.time import utc_text
from noroshi.warning.areas import distances

WEST_DEG = -30.0  # maps run from 30 W eastwards: the Pacific is whole, centred on 150 E
LANES = (0, 1, 2, 3)  # sensors in custody; the last means "or more"
RECENT_S = 3.0  # a sensor counts as seeing a target when its detection is at most this old (the custody rule)


class Event(NamedTuple):
    """When something happens [s after launch]; a published minute is only known to lie in [low, high].

    `launch` is the UTC of the launch minute that a published time is counted from, else None.
    """

    key: str  # of the text table; `pass:NAME`, `pass_area:NAME`
    who: tuple[str, ...]  # nations that share this very second, or ("truth",), ("published",)
    t: float
    until: float
    low: float
    high: float
    launch: str | None = None
    utc: str | None = None  # the minute that was published
    consistent: bool | None = None  # with the flight, for this launch minute; None: not compared


class Spread(NamedTuple):
    """5-95 % of a figure over the repetitions; None: so often it never happened."""

    low: float | None
    high: float | None
    runs: int


class Card(NamedTuple):
    """One figure against its requirement. value None: it never happened."""

    key: str
    value: float | None
    required: float | None
    passed: bool | None
    spread: Spread | None


class Loss(NamedTuple):
    """Share of looks with one outcome, in per cent as printed: each column adds up to exactly 100.0."""

    reason: str
    of_all: float
    of_view: float | None  # of those above the horizon; None: below it


class Lane(NamedTuple):
    """A stretch of time with the same number of sensors in custody."""

    start: float
    end: float
    sensors: int


class Answer(NamedTuple):
    """The sentence: who warned whom, when, how long before what."""

    nation: str | None  # home, or the first other node that warned where home never did; None: nobody warned
    target: str
    area: str | None
    t_public: float | None
    utc_public: str | None
    t_before: float | None  # of what the warning precedes
    before: (
        str  # "pass" (over or beside the area), "impact", or "reach" (the earliest a glider could be there)
    )
    utc_published: str | None  # the real warning
    published_by_launch: dict[str, float]  # its seconds after each candidate launch minute


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
    losses: tuple[Loss, ...]  # in the order in which a look can fail, `detected` last


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
        losses=_losses(summary),
    )


def home(run: Run) -> str:
    """The nation whose figures the cards show: the first node of the scenario."""
    return run.scenario.nodes[0].nation


def fitting_launch(summary: dict[str, Any]) -> str | None:
    """UTC of the launch minute that the flight fits: the published one if it does, else an alternative that does."""
    launches = summary["published"].get("launch", {})
    ranked = sorted(launches.items(), key=lambda item: (not item[1]["consistent"], item[1]["alternative"]))
    return ranked[0][0] if ranked else None


def _first_warning(run: Run, node: int) -> int | None:
    """Row of the warning that `t_warning_s` of the first target tells of; None: it was never warned of."""
    nation, target = run.scenario.nodes[node].nation, run.truth.targets[0]
    t_warning = run.summary["nodes"][nation]["targets"][target]["t_warning_s"]
    if t_warning is None:
        return None
    samples, w = run.samples, run.warnings
    mine = (samples.node == node) & (samples.target == 0) & (samples.track >= 0)
    rows = np.flatnonzero(
        (w.node == node)
        & (w.notice == Notice.ISSUED)
        & np.isin(w.track, samples.track[mine])
        & (np.abs(w.t - run.truth.t_launch[0] - t_warning) < 1e-6)
    )
    return int(rows[0]) if len(rows) else None


def _answer(run: Run, summary: dict[str, Any], flights: tuple[Facts, ...]) -> Answer:
    target = run.truth.targets[0]
    launch = float(run.truth.t_launch[0])
    found = [(float(run.warnings.t_public[r]), k, r) for k, r in enumerate(_firsts(run)) if r is not None]
    real = summary["published"].get("warning_public", {})
    by_launch = {utc: entry["reported_s"] for utc, entry in real.get("by_launch", {}).items()}
    if not found:
        return Answer(None, target, None, None, None, None, "impact", real.get("utc"), by_launch)
    # the first node's warning is the one the cards judge; another's counts where that node never warned
    t_public, node, row = next((f for f in found if f[1] == 0), min(found))
    area = int(run.warnings.area[row])
    before, t_before = "impact", flights[0].t_impact
    first_over = _first_over(run, flights[0], area)
    if first_over is not None:
        before, t_before = "pass", first_over
    elif run.warnings.impact[row] and not np.isfinite(run.warnings.lat_rad[row]):
        before, t_before = "reach", float(run.warnings.t_earliest[row]) - launch
    return Answer(
        nation=run.scenario.nodes[node].nation,
        target=target,
        area=run.scenario.areas[area].name,
        t_public=t_public - launch,
        utc_public=utc_text(build.epoch(run.scenario), t_public, 0),
        t_before=t_before,
        before=before,
        utc_published=real.get("utc"),
        published_by_launch=by_launch,
    )


def _firsts(run: Run) -> list[int | None]:
    return [_first_warning(run, k) for k in range(len(run.scenario.nodes))]


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
    over = summary.get("statistics", {}).get(nation, {})
    of_target = over.get("targets", {}).get(target, {})
    lead, lead_spread = None, None
    if answer.t_before is not None and shown["t_warning_public_s"] is not None:
        lead = answer.t_before - shown["t_warning_public_s"]
        public = _spread(of_target.get("t_warning_public_s"))
        # a glider's earliest arrival is the warning's own prediction and differs between repetitions
        if public is not None and answer.before != "reach":
            low, high = (None if t is None else answer.t_before - t for t in (public.high, public.low))
            lead_spread = Spread(low, high, public.runs)
    latency = _spread(over.get("latency_s", {}).get("p95"))
    return (
        _card("custody_2", shown["custody_2"], need.custody_2, _spread(of_target.get("custody_2"))),
        _card(
            "rmse_position_m",
            shown["rmse_position_m"],
            need.rmse_position_m,
            _spread(of_target.get("rmse_position_m")),
        ),
        _card("latency_p95_s", node["latency_s"]["p95"], need.latency_p95_s, latency),
        _card("warning_lead_s", lead, need.warning_lead_s, lead_spread),
    )


AT_LEAST = frozenset({"custody_2", "warning_lead_s"})  # the other cards want at most


def _card(key: str, value: float | None, required: float | None, spread: Spread | None) -> Card:
    passed = None
    if required is not None:
        passed = value is not None and (value >= required if key in AT_LEAST else value <= required)
    return Card(key, value, required, passed, spread)


def _spread(found: dict[str, Any] | None) -> Spread | None:
    return None if found is None else Spread(found["p05"], found["p95"], found["runs"])


def _events(run: Run, summary: dict[str, Any], answer: Answer) -> Iterator[Event]:
    target = run.truth.targets[0]
    truth = summary["targets"][target]

    def exact(key: str, who: tuple[str, ...], t: float | None) -> Iterator[Event]:
        if t is not None and math.isfinite(t):
            yield Event(key, who, t, t, t, t)

    yield from exact("event_launch", ("truth",), 0.0)
    yield from exact("event_burnout", ("truth",), truth.get("t_burnout_s"))
    for name, at in truth.get("passes", {}).items():
        yield from exact(f"pass:{name}", ("truth",), at["t_s"])
    reported = [fact for fact in summary["published"] if fact.startswith("pass_area:")]
    if answer.before == "pass" and f"pass_area:{answer.area}" not in reported:
        yield from exact(f"pass_area:{answer.area}", ("truth",), answer.t_before)
    for fact in reported:
        entry = summary["published"][fact]
        if entry["predicted_s"] is not None:
            t, until = entry["predicted_s"], entry["predicted_until_s"]
            yield Event(fact, ("truth",), t, until, t, until)
    yield from exact("event_impact", ("truth",), truth.get("t_impact_s"))
    for key, field in (
        ("event_first_detection", "t_first_detection_s"),
        ("event_confirmed", "t_confirmed_s"),
        ("event_warning", "t_warning_s"),
        ("event_public", "t_warning_public_s"),
    ):
        shared: dict[float, tuple[str, ...]] = {}
        for node in run.scenario.nodes:
            t = summary["nodes"][node.nation]["targets"][target][field]
            if t is not None:
                shared[t] = (*shared.get(t, ()), node.nation)
        for t, nations in shared.items():
            yield from exact(key, nations, t)
    keys = {"warning_public": "event_public", "impact": "event_impact"}
    for fact, entry in summary["published"].items():
        if fact == "launch":
            continue
        for launch, at in entry["by_launch"].items():
            slack = entry["rounding_s"] + summary["published"]["launch"][launch]["rounding_s"]
            t, until = at["reported_s"], at["reported_until_s"]
            yield Event(
                str(keys.get(fact, fact)),
                ("published",),
                t,
                until,
                t - slack,
                until + slack,
                launch,
                entry["utc"],
                None if fact == "warning_public" else at["consistent"],
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


def _losses(summary: dict[str, Any]) -> tuple[Loss, ...]:
    order = [r.name.lower() for r in REASONS_IN_ORDER]
    below = Reason.BELOW_HORIZON.name.lower()
    names = [name for name in order if summary["looks"].get(name, 0.0) > 0.0]
    of_all = printed_shares([summary["looks"][name] for name in names])
    above = [name for name in names if name != below]
    of_view = dict(
        zip(above, printed_shares([summary["looks_in_view"][name] for name in above]), strict=True)
    )
    return tuple(Loss(name, share, of_view.get(name)) for name, share in zip(names, of_all, strict=True))


def printed_shares(shares: list[float], digits: int = 1) -> list[float]:
    """Shares that sum to 1 as per cent with `digits` decimals that sum to 100 as printed (largest remainders)."""
    units = np.array(shares) * 100 * 10**digits
    floor = np.floor(units)
    short = round(100 * 10**digits - floor.sum()) if len(units) else 0
    up = np.argsort(-(units - floor), kind="stable")[:short]
    floor[up] += 1
    return [round(float(u) / 10**digits, digits) for u in floor]


# --- the map ---------------------------------------------------------------------------------------------------


def map_lon(lon_rad: np.ndarray) -> np.ndarray:
    """Longitudes in degrees from 30 W to 330 E."""
    return np.mod(np.rad2deg(lon_rad) - WEST_DEG, 360.0) + WEST_DEG


def pieces(lon_deg: np.ndarray, lat_deg: np.ndarray) -> list[np.ndarray]:
    """A line of [lon, lat], cut where it jumps across the map's edge."""
    cuts = np.flatnonzero(np.abs(np.diff(lon_deg)) > 180.0) + 1
    return [p for p in np.split(np.stack([lon_deg, lat_deg], 1), cuts) if len(p) > 1]


def satellites(run: Run) -> list[int]:
    """Columns of the ephemeris that are satellites."""
    ground = {radar.name for radar in run.scenario.radars}
    return [k for k, name in enumerate(run.ephemeris.sensors) if name not in ground]


def satellite_tracks(run: Run, every: int = 20) -> dict[str, list[np.ndarray]]:
    """Ground tracks [point, lon lat] of the satellites while the first target flies, thinned."""
    flying = np.flatnonzero(run.truth.alive[:, 0])[::every]
    tracks = {}
    for k in satellites(run):
        r = rotate(run.itrs_from_gcrs[flying], run.ephemeris.r_gcrs[flying, k])
        lat, lon, _ = geodetic_from_itrs(r)
        tracks[run.ephemeris.sensors[k]] = pieces(map_lon(lon), np.rad2deg(lat))
    return tracks


class Sky(NamedTuple):
    """Where the satellites stood at one instant, and which of them had just seen the first target."""

    t: float  # after launch
    names: tuple[str, ...]
    lon_deg: np.ndarray
    lat_deg: np.ndarray
    sees: np.ndarray  # bool


def sky(run: Run) -> Sky:
    """The satellites when the first node decided to warn; without a warning, half-way through the flight."""
    decided = [float(run.warnings.t[r]) for r in _firsts(run) if r is not None]
    middle = float(run.truth.t_launch[0] + min(run.truth.t_impact[0], run.truth.t[-1])) / 2
    t = min(decided, default=middle)
    at = int(np.argmin(np.abs(run.ephemeris.t - t)))
    columns = satellites(run)
    lat, lon, _ = geodetic_from_itrs(
        rotate(run.itrs_from_gcrs[at][None], run.ephemeris.r_gcrs[at][columns][None])[0]
    )
    hits = run.detections.scan[np.isin(run.detections.detection, _detections_of(run, 0))]
    recent = np.isin(run.scans.scan, hits) & (run.scans.t_event <= t) & (run.scans.t_event > t - RECENT_S)
    seeing = set(run.scans.sensor[recent].tolist())
    return Sky(
        t - float(run.truth.t_launch[0]),
        tuple(run.ephemeris.sensors[k] for k in columns),
        map_lon(lon),
        np.rad2deg(lat),
        np.array([k in seeing for k in columns], bool),
    )


def _detections_of(run: Run, target: int) -> np.ndarray:
    return run.detection_truth.detection[run.detection_truth.target == target]


def radar_fields(run: Run) -> dict[str, np.ndarray]:
    """Outline [point, lon lat] of each radar's sector at its maximum range (ground distance, flat at height 0)."""
    fields = {}
    for radar in run.scenario.radars:
        half = radar.field_azimuth_deg
        azimuth = np.deg2rad(np.linspace(radar.facing_deg - half, radar.facing_deg + half, 49))
        lat, lon = np.deg2rad(radar.latitude_deg), np.deg2rad(radar.longitude_deg)
        reach = min(radar_range_max_km(radar) * 1e3, EARTH_RADIUS_M)
        to_lat, to_lon = destination(lat, lon, azimuth, reach)
        edge = np.stack([map_lon(to_lon), np.rad2deg(to_lat)], 1)
        site = np.array([[map_lon(np.array(lon)).item(), radar.latitude_deg]])
        fields[radar.name] = edge if half >= 180.0 else np.concatenate([site, edge, site])
    return fields


class Impact(NamedTuple):
    """A node's predicted impact point at its first warning."""

    lat_rad: float
    lon_rad: float
    east_m: float  # of the true impact point
    north_m: float
    major_m: float  # 1 sigma
    minor_m: float
    azimuth_rad: float  # of the major axis


SAME_M = 100.0  # predictions closer than this are one on the page


def impacts(run: Run, flight: Facts) -> list[tuple[tuple[str, ...], Impact]]:
    """Predicted impact points at the nodes' first warnings, with the nodes that predict the same; none for glides."""
    found: list[tuple[tuple[str, ...], Impact]] = []
    w, tracks = run.warnings, run.tracks
    for nation, row in first_warnings(run).items():
        lat, lon = float(w.lat_rad[row]), float(w.lon_rad[row])
        same = np.flatnonzero(
            (tracks.node == w.node[row]) & (tracks.track == w.track[row]) & (tracks.t_node == w.t[row])
        )
        if not (np.isfinite(lat) and np.isfinite(w.major_m[row]) and len(same)):
            continue
        distance, azimuth = geodesic(flight.lat_rad[-1], flight.lon_rad[-1], lat, lon)
        impact = Impact(
            lat,
            lon,
            float(distance * np.sin(azimuth)),
            float(distance * np.cos(azimuth)),
            float(w.major_m[row]),
            float(w.minor_m[row]),
            float(run.predictions.azimuth_rad[same[-1]]),
        )
        twin = next((k for k, (_, other) in enumerate(found) if _alike(impact, other)), None)
        if twin is None:
            found.append(((nation,), impact))
        else:
            found[twin] = ((*found[twin][0], nation), found[twin][1])
    return found


def _alike(a: Impact, b: Impact) -> bool:
    return all(
        abs(getattr(a, k) - getattr(b, k)) < SAME_M for k in ("east_m", "north_m", "major_m", "minor_m")
    )


def ellipse(impact: Impact, sigmas: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and distances [m] from the predicted point to its error ellipse, all round."""
    angle = np.linspace(0.0, 2.0 * np.pi, 49)
    along, across = sigmas * impact.major_m * np.cos(angle), sigmas * impact.minor_m * np.sin(angle)
    return impact.azimuth_rad + np.arctan2(across, along), np.hypot(along, across)


def ellipse_outline(impact: Impact, sigmas: float = 2.0) -> np.ndarray:
    """The error ellipse on the map [point, lon lat]."""
    azimuth, distance = ellipse(impact, sigmas)
    lat, lon = destination(impact.lat_rad, impact.lon_rad, azimuth, distance)
    return np.stack([map_lon(lon), np.rad2deg(lat)], 1)


MARK_STEPS_S = (60, 120, 300, 600, 1200, 1800, 3600)


def flight_marks(flight: Facts, most: int = 9) -> list[tuple[int, float, float]]:
    """Round times along a flight for the map: (s after launch, lon, lat), `most` at most."""
    span = float(flight.t[-1]) if len(flight.t) else 0.0
    step = next((s for s in MARK_STEPS_S if span / s <= most), MARK_STEPS_S[-1])
    marks = []
    for t in range(step, int(span) + 1, step):
        k = int(np.argmin(np.abs(flight.t - t)))
        marks.append((t, map_lon(flight.lon_rad[k]).item(), float(np.rad2deg(flight.lat_rad[k]))))
    return marks


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
    rows = zip(run.scenario.nodes, _firsts(run), strict=True)
    return {node.nation: row for node, row in rows if row is not None}


def assumptions(value: Any, path: str = "") -> Iterator[tuple[str, str, str | None, str | None]]:
    """Every part of a scenario that states a source or a reason: (kind, name, source, reason)."""
    if isinstance(value, dict):
        reason = value.get("notional") or value.get("reason")
        source = value.get("source")
        source = source if isinstance(source, str) else None
        if source or reason:
            yield path, str(value.get("name") or value.get("fact") or ""), source, reason
        for key, inner in value.items():
            if isinstance(inner, dict | list | tuple):
                yield from assumptions(inner, key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from assumptions(inner, path)
