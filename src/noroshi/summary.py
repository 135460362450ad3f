"""`summary.json`: the answer of a run in documented numbers (schema version 1, docs/reference/summary.md).

Times are seconds after the target's own launch; null where it never happened. Nothing here depends on the
machine, the clock or the number of workers.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int8

from noroshi.earth import geodesic, geodetic_from_itrs
from noroshi.frames import rotate
from noroshi.network.deliver import Why
from noroshi.scenario import build
from noroshi.scenario.schema import Scenario
from noroshi.tables import (
    Deliveries,
    Detections,
    Looks,
    Notice,
    Phase,
    Reason,
    Samples,
    Scans,
    Tracks,
    Truth,
    Warnings,
)
from noroshi.time import seconds_from_utc
from noroshi.tracking.consistency import chi2_interval
from noroshi.tracking.score import DIMENSION, NodeScore, TargetScore
from noroshi.tracking.siap import RADIUS_M
from noroshi.warning.areas import distances

SCHEMA = 1


class Facts(NamedTuple):
    """The true flight of one target on the ground, at its live grid times and at the end."""

    t: Float64[np.ndarray, "sample"]  # after launch
    lat_rad: Float64[np.ndarray, "sample"]
    lon_rad: Float64[np.ndarray, "sample"]
    height_m: Float64[np.ndarray, "sample"]
    phase: Int8[np.ndarray, "sample"]
    t_impact: float


def facts(truth: Truth, itrs_from_gcrs: Float64[np.ndarray, "time 3 3"], target: int) -> Facts:
    """Ground track and heights of a target while it is alive."""
    alive = truth.alive[:, target]
    r_itrs = rotate(itrs_from_gcrs[alive], truth.r_gcrs[alive, target])
    lat, lon, height = geodetic_from_itrs(r_itrs)
    launch = truth.t_launch[target]
    return Facts(
        truth.t[alive] - launch,
        lat,
        lon,
        height,
        truth.phase[alive, target],
        float(truth.t_impact[target] - launch),
    )


def cruises(flight: Facts) -> bool:
    """Whether a flight ends on its wings: it hits nothing, and no warning of a falling body is true of it."""
    return bool(len(flight.phase)) and bool(flight.phase[-1] == Phase.CRUISE)


def looks_by_reason(reasons: np.ndarray, without: tuple[Reason, ...] = ()) -> dict[str, float]:
    """Share of looks per outcome, summing to 1 (all zero when there was no look at all)."""
    counts = {r.name.lower(): int(np.sum(reasons == r)) for r in Reason if r not in without}
    total = sum(counts.values())
    return {name: count / total if total else 0.0 for name, count in counts.items()}


def summarise(
    scenario: Scenario,
    *,
    seed: int,
    itrs_from_gcrs: Float64[np.ndarray, "time 3 3"],
    truth: Truth,
    looks: Looks,
    scans: Scans,
    detections: Detections,
    deliveries: Deliveries,
    tracks: Tracks,
    warnings: Warnings,
    samples: Samples,
    scores: tuple[NodeScore, ...],
) -> dict[str, Any]:
    """The summary of one run, ready for JSON: floats, ints, strings and None only."""
    flights = [facts(truth, itrs_from_gcrs, k) for k in range(len(truth.targets))]
    never = _never(scenario)
    areas = build.areas(scenario)
    reached = [_reached(areas, scenario.warning.corridor_km * 1e3, flight) for flight in flights]
    nodes = {}
    for n, node in enumerate(build.nodes(scenario)):
        owner = _track_targets(samples, n)
        mine = warnings.node == n
        warned = _warned(warnings, mine, owner, reached, truth)
        nodes[node.nation] = {
            "targets": {
                name: _target(score, truth, flights[k], k, warnings, mine, owner)
                for k, (name, score) in enumerate(zip(truth.targets, scores[n].targets, strict=True))
            },
            "tracks": scores[n].tracks,
            "false_tracks": scores[n].false_tracks,
            "false_warnings": warned["false"],
            "warnings": warned,
            "gospa_m": _number(scores[n].gospa_m),
            **_picture(scores[n]),
            "latency_s": _latency(deliveries, detections, n),
            "looks": looks_by_reason(_looks_of(deliveries, looks, n), never),
        }
    return {
        "schema": SCHEMA,
        "scenario": scenario.name,
        "seed": seed,
        "epoch": scenario.epoch,
        "runs": 1,
        "targets": {
            name: _flown(scenario, flight, scenario.targets[k].kind)
            for k, (name, flight) in enumerate(zip(truth.targets, flights, strict=True))
        },
        "nodes": nodes,
        "looks": looks_by_reason(looks.reason, never),
        "looks_in_view": looks_by_reason(looks.reason, (*never, Reason.BELOW_HORIZON)),
        "published": published(scenario, truth, flights, nodes),
    }


def _never(scenario: Scenario) -> tuple[Reason, ...]:
    """Reasons for which no look of a scenario can fail, as no sensor of it states such a limit."""
    stated = {
        Reason.SUN_EXCLUSION: any(s.sun_exclusion_deg for s in scenario.infrared),
        Reason.MOON_EXCLUSION: any(s.moon_exclusion_deg for s in scenario.infrared),
        Reason.LIMB_EXCLUSION: any(s.limb_exclusion_km or s.limb_exclusion_deg for s in scenario.infrared),
    }
    return tuple(reason for reason, used in stated.items() if not used)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _picture(score: NodeScore) -> dict[str, Any]:
    """How good a node's whole picture was: GOSPA's parts, OSPA, SIAP, purity, NEES over all targets."""
    parts = {"squared_m2": score.gospa_squared_m2}
    parts |= {name: getattr(score, name) for name in ("localisation_m2", "missed_m2", "false_m2")}
    low, high = (edge / DIMENSION for edge in chi2_interval(DIMENSION, 1))
    return {
        "gospa_parts": {name: _number(value) for name, value in parts.items()},
        "ospa_m": _number(score.ospa_m),
        "siap": {"radius_m": RADIUS_M} | {k: _number(v) for k, v in score.siap._asdict().items()},
        "purity": _number(score.purity),
        "nees": {
            "mean": _number(score.nees_mean),
            "low": low,
            "high": high,
            "inside": _number(score.nees_inside),
        },
    }


def _target(
    score: TargetScore,
    truth: Truth,
    flight: Facts,
    target: int,
    warnings: Warnings,
    mine: np.ndarray,
    owner: dict[int, int],
) -> dict[str, float | None]:
    result: dict[str, float | None] = {
        name: _number(getattr(score, name))
        for name in (
            "t_first_detection_s",
            "t_confirmed_s",
            "custody_1",
            "custody_2",
            "longest_gap_s",
            "rmse_position_m",
            "rmse_velocity_m_s",
            "nees_mean",
            "nees_inside",
            "confirm_latency_s",
            "purity",
            "bound_position_m",
            "bound_velocity_m_s",
        )
    }
    result |= {name: getattr(score, name) for name in ("fragments", "breaks", "switches")}
    issued = [
        row
        for row in np.flatnonzero(mine & (warnings.notice == Notice.ISSUED))
        if owner.get(int(warnings.track[row])) == target
    ]
    result |= {"t_warning_s": None, "t_warning_public_s": None, "warning_impact_error_km": None}
    if issued:
        first = min(issued, key=lambda row: (warnings.t[row], row))
        launch = truth.t_launch[target]
        result["t_warning_s"] = _number(warnings.t[first] - launch)
        result["t_warning_public_s"] = _number(warnings.t_public[first] - launch)
        if np.isfinite(warnings.lat_rad[first]) and np.any(flight.phase == Phase.COAST):
            error, _ = geodesic(
                warnings.lat_rad[first], warnings.lon_rad[first], flight.lat_rad[-1], flight.lon_rad[-1]
            )
            result["warning_impact_error_km"] = float(error) / 1e3
    return result


def _track_targets(samples: Samples, node: int) -> dict[int, int]:
    """The target to which scoring assigned each track of a node most often."""
    mine = (samples.node == node) & (samples.track >= 0)
    pairs, counts = np.unique(
        np.stack([samples.track[mine], samples.target[mine]]), axis=1, return_counts=True
    )
    best: dict[int, tuple[int, int]] = {}
    for track, target, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
        if count > best.get(track, (0, -1))[0]:
            best[track] = (count, target)
    return {track: target for track, (_, target) in best.items()}


class Reached(NamedTuple):
    """What a true flight did to each listed area: passed over within the corridor, hit, and until when."""

    passed: np.ndarray  # [area] bool
    hit: np.ndarray  # [area] bool
    t_last: np.ndarray  # [area] s after launch: the last time within the corridor; nan: never


def _reached(areas: Any, corridor_m: float, flight: Facts) -> Reached:
    if not areas or not len(flight.t) or cruises(flight):
        nothing = np.zeros(len(areas), bool)
        return Reached(nothing, nothing, np.full(len(areas), np.nan))
    distance = distances(areas, flight.lat_rad, flight.lon_rad)
    within = distance <= corridor_m
    last = [flight.t[np.flatnonzero(w)[-1]] if w.any() else np.nan for w in within.T]
    return Reached(np.asarray(within.any(axis=0)), np.asarray(distance[-1] <= 0.0), np.array(last))


def _warned(
    warnings: Warnings, mine: np.ndarray, owner: dict[int, int], reached: list[Reached], truth: Truth
) -> dict[str, int]:
    """Count a node's notices. False: of no target, or of an area its target neither passes nor hits. Late: decided
    after the target had left the area for good."""
    counts = {"issued": 0, "false": 0, "late": 0, "revised": 0, "withdrawn": 0}
    for row in np.flatnonzero(mine):
        notice = Notice(int(warnings.notice[row]))
        if notice != Notice.ISSUED:
            counts["revised" if notice == Notice.REVISED else "withdrawn"] += 1
            continue
        counts["issued"] += 1
        target = owner.get(int(warnings.track[row]))
        area = int(warnings.area[row])
        if target is None or not (reached[target].passed[area] or reached[target].hit[area]):
            counts["false"] += 1
        elif warnings.t[row] - truth.t_launch[target] > reached[target].t_last[area]:
            counts["late"] += 1
    return counts


def _latency(deliveries: Deliveries, detections: Detections, node: int) -> dict[str, float | None]:
    """Arrival minus event over the scans with detections that are this node's to have."""
    allowed = (deliveries.node == node) & (deliveries.why != Why.NOT_RELEASED)
    rows = allowed & np.isin(deliveries.scan, detections.scan)
    delay = deliveries.t_arrival[rows] - deliveries.t_event[rows]
    arrived = delay[np.isfinite(delay)]
    if not len(delay):
        return {"p50": None, "p95": None, "max": None, "lost": None}
    lost = float(np.mean(~np.isfinite(delay)))
    if not len(arrived):
        return {"p50": None, "p95": None, "max": None, "lost": lost}
    p50, p95 = np.quantile(arrived, [0.5, 0.95])
    return {"p50": float(p50), "p95": float(p95), "max": float(arrived.max()), "lost": lost}


def _looks_of(deliveries: Deliveries, looks: Looks, node: int) -> np.ndarray:
    reached = deliveries.scan[(deliveries.node == node) & np.isfinite(deliveries.t_arrival)]
    return looks.reason[np.isin(looks.scan, reached)]


def _flown(scenario: Scenario, flight: Facts, kind: str) -> dict[str, Any]:
    """What truly happened: burn-out, impact, apogee, range, and the closest pass to each named point."""
    if not len(flight.t):
        return {"kind": kind}
    boosting = flight.t[flight.phase == Phase.BOOST]
    distance, _ = geodesic(flight.lat_rad[0], flight.lon_rad[0], flight.lat_rad[-1], flight.lon_rad[-1])
    passes = {}
    for point in build.points(scenario):
        d, _ = geodesic(flight.lat_rad, flight.lon_rad, point.lat_rad, point.lon_rad)
        nearest = int(np.argmin(d))
        passes[point.name] = {"t_s": float(flight.t[nearest]), "distance_km": float(d[nearest]) / 1e3}
    return {
        "kind": kind,
        "t_burnout_s": float(boosting[-1]) + scenario.step_s if len(boosting) else None,
        "t_impact_s": None if cruises(flight) else _number(flight.t_impact),
        "apogee_km": float(flight.height_m.max()) / 1e3,
        "range_km": float(distance) / 1e3,
        "passes": passes,
    }


def published(
    scenario: Scenario, truth: Truth, flights: list[Facts], nodes: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """What really happened beside what the run predicts, for each candidate launch minute.

    A report rounds to a minute: a prediction is consistent with it when it lies within the rounding of the fact
    plus that of the launch. The verdict on a launch minute asks the flight's facts (passes and impact), not the
    warning, whose delay is the scenario's own statement. The first target is the one that was reported.
    """
    if not scenario.published or not flights:
        return {}
    epoch = build.epoch(scenario)
    launches = [fact for fact in scenario.published if fact.fact == "launch"]
    result: dict[str, dict[str, Any]] = {}
    for fact in scenario.published:
        if fact.fact == "launch":
            continue
        start = seconds_from_utc(epoch, fact.utc)
        until = seconds_from_utc(epoch, fact.until_utc) if fact.until_utc else start
        predicted = _predicted(scenario, fact.fact, flights[0], nodes, truth.targets[0])
        by_launch = {}
        for launch in launches:
            t0 = seconds_from_utc(epoch, launch.utc)
            difference = None
            if predicted is not None:
                t = [t0 + p for p in predicted]
                # zero when the predicted and the reported intervals meet, else the signed distance between them
                difference = float(max(t[0] - until, 0.0) + min(t[1] - start, 0.0))
            slack = fact.rounding_s + launch.rounding_s
            by_launch[launch.utc] = {
                "reported_s": float(start - t0),
                "reported_until_s": float(until - t0),
                "difference_s": difference,
                "consistent": None if difference is None else abs(difference) <= slack,
            }
        result[fact.fact] = {
            "utc": fact.utc,
            "until_utc": fact.until_utc,
            "rounding_s": fact.rounding_s,
            "tag": fact.tag,
            "source": fact.source,
            "predicted_s": None if predicted is None else predicted[0],
            "predicted_until_s": None if predicted is None else predicted[1],
            "by_launch": by_launch,
        }
    physical = [
        name for name in result if name != "warning_public" and result[name]["predicted_s"] is not None
    ]
    result["launch"] = {
        launch.utc: {
            "alternative": launch.alternative,
            "rounding_s": launch.rounding_s,
            "tag": launch.tag,
            "source": launch.source,
            "consistent": all(result[name]["by_launch"][launch.utc]["consistent"] for name in physical)
            if physical
            else None,
        }
        for launch in launches
    }
    return result


def _predicted(
    scenario: Scenario, fact: str, flight: Facts, nodes: dict[str, Any], target: str
) -> tuple[float, float] | None:
    """Seconds after launch, first and last, at which the run says this happens; None: it does not."""
    what, _, name = fact.partition(":")
    if what == "impact" and cruises(flight):
        return None
    if what == "impact":
        return (flight.t_impact, flight.t_impact) if math.isfinite(flight.t_impact) else None
    if what == "pass":
        point = next(p for p in build.points(scenario) if p.name == name)
        distance, _ = geodesic(flight.lat_rad, flight.lon_rad, point.lat_rad, point.lon_rad)
        t = float(flight.t[int(np.argmin(distance))])
        return t, t
    if what == "pass_area":
        area = next(a for a in build.areas(scenario) if a.name == name)
        over = flight.t[distances([area], flight.lat_rad, flight.lon_rad)[:, 0] <= 0.0]
        return (float(over[0]), float(over[-1])) if len(over) else None
    times = [node["targets"][target]["t_warning_public_s"] for node in nodes.values()]
    warned = [t for t in times if t is not None]
    return (min(warned), min(warned)) if warned else None
