"""A made-up run for the report's tests: two nodes, two satellites, one radar, one flight along 40 N, all by formula.

Nothing here is simulated. The Earth does not turn (GCRS and ITRS axes coincide), so that every figure of the page can
be written down by hand. The tables agree with each other, and the summary is made of them by `noroshi.summary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from noroshi.earth import itrs_from_geodetic
from noroshi.results import Run
from noroshi.scenario.load import parse
from noroshi.summary import summarise
from noroshi.tables import (
    Contributions,
    Deliveries,
    Detections,
    DetectionTruth,
    Ephemeris,
    Kind,
    Looks,
    NodeSamples,
    Notice,
    Opportunities,
    Phase,
    Reason,
    Samples,
    Scans,
    Status,
    Tracks,
    Truth,
    Warnings,
)
from noroshi.tracking.score import NodeScore, TargetScore
from noroshi.tracking.siap import Siap
from noroshi.warning.impact import POINTS, Predictions

LAUNCH, FLIGHT = 10.0, 200.0  # s past the epoch; s
DECIDED = {"JPN": 40.0, "USA": 45.0}  # s after launch
LATENCY = {"JPN": 0.25, "USA": 0.5}  # s, of every scan
FIRST_SEEN, CONFIRMED, LOST_FROM = 20.0, 25.0, 190.0
BOUND_M = 25.0  # Cramer-Rao bound of the position
MAJOR_M, MINOR_M, TURN = 20e3, 5e3, np.deg2rad(30.0)

SCENARIO = """
schema = 1
name = "made-up"
title = "Made-up <b>flight</b> </script> & co."
title_ja = "架空の飛行"
epoch = "2026-01-01T00:00:00Z"
duration_s = 220
step_s = 1.0

[requirement]
custody_2 = 0.5
rmse_position_m = 100.0
latency_p95_s = 0.2
warning_lead_s = 30.0
reason = "the requirement's reason"

[[nations]]
code = "JPN"
[[nations]]
code = "USA"

[[nodes]]
nation = "JPN"
name = "Here"
latitude_deg = 36.0
longitude_deg = 140.0
notional = "the first node's reason"
[[nodes]]
nation = "USA"
name = "There"
latitude_deg = 20.0
longitude_deg = -155.0
source = "the second node's source"

[[layers]]
name = "ring"
owner = "USA"
sensor = "eye"
satellites = 2
planes = 1
altitude_km = 1000.0
inclination_deg = 60.0
notional = "the ring's reason"

[[infrared]]
name = "eye"
band = "mwir"
field_of_regard_deg = 70.0
range_max_km = 5000.0
nei_space_w_m2 = 1e-13
nei_earth_w_m2 = 1e-11
sigma_floor_urad = 50.0
pixel_urad = 100.0
notional = "the eye's reason"

[[radars]]
name = "dish"
owner = "JPN"
latitude_deg = 40.0
longitude_deg = 140.0
facing_deg = 270.0
field_azimuth_deg = 60.0
range_max_km = 1000.0
range_reference_km = 500.0
sigma_range_m = 10.0
sigma_angle_mrad = 1.0
notional = "the dish's reason"

[[entry_points]]
name = "gate"
nation = "USA"
latitude_deg = 21.0
longitude_deg = -158.0
notional = "the gate's reason"

[[targets]]
name = "arrow"
kind = "ballistic"
launch_s = 10.0
latitude_deg = 40.0
longitude_deg = 130.0
azimuth_deg = 90.0
range_km = 1700.0
apogee_km = 300.0
boost_s = 30.0
notional = "the arrow's reason"
[targets.intensity_kw_sr.mwir]
boost = 1.0

[[areas]]
name = "Midland"
name_ja = "中の国"
polygon_deg = [[39.0, 139.95], [39.0, 142.0], [41.0, 142.0], [41.0, 139.95]]
notional = "the area's reason"
[[areas]]
name = "Southland"
centre_deg = [20.0, 140.0]
radius_km = 100.0
notional = "the other area's reason"

[[points]]
name = "Cape"
name_ja = "岬"
latitude_deg = 40.0
longitude_deg = 141.0

[warning]
public_delay_s = 20.0

[[published]]
fact = "launch"
utc = "2026-01-01T00:01:00Z"
source = "a paper"
[[published]]
fact = "launch"
alternative = true
utc = "2026-01-01T00:00:00Z"
tag = "computed"
source = "a guess"
[[published]]
fact = "warning_public"
utc = "2026-01-01T00:02:00Z"
source = "a siren"
[[published]]
fact = "impact"
utc = "2026-01-01T00:03:00Z"
source = "a fisherman"
"""


def lon_deg(t: np.ndarray) -> np.ndarray:
    """Longitude of the flight t seconds after launch: a tenth of a degree a second along 40 N."""
    return 130.0 + 0.1 * t


def make_run(*, warned: bool = True, seen: bool = True, decided: dict[str, float] = DECIDED) -> Run:
    """The made-up run; `warned=False`: nobody decides; `seen=False`: nothing was ever detected either."""
    scenario, problems = parse(SCENARIO)
    assert scenario is not None, problems
    grid = np.arange(221.0)
    after = np.clip(grid - LAUNCH, 0.0, FLIGHT)
    height = 300e3 * (1 - (after / FLIGHT * 2 - 1) ** 2)
    lat = np.full_like(grid, np.deg2rad(40.0))
    r = np.asarray(itrs_from_geodetic(lat, np.deg2rad(lon_deg(after)), height))
    phase = np.select(
        [grid < LAUNCH, after < 30, after < 180, after < FLIGHT],
        [Phase.WAITING, Phase.BOOST, Phase.COAST, Phase.REENTRY],
        Phase.LANDED,
    ).astype(np.int8)
    alive = (grid >= LAUNCH) & (grid < LAUNCH + FLIGHT)
    truth = Truth(
        targets=("arrow",),
        bands=("mwir",),
        t=grid,
        r_gcrs=r[:, None],
        v_gcrs=np.gradient(r, axis=0)[:, None],
        phase=phase[:, None],
        alive=alive[:, None],
        intensity_w_sr=np.ones((221, 1, 1)),
        rcs_m2=np.ones(1),
        t_launch=np.array([LAUNCH]),
        t_impact=np.array([LAUNCH + FLIGHT]),
    )
    # one satellite stands still over 40 N 150 E, one over 30 S 30 W (the map's edge); the radar at its site
    places = itrs_from_geodetic(
        np.deg2rad([40.0, -30.0, 40.0]), np.deg2rad([150.0, -30.0, 140.0]), np.array([1e6, 1e6, 0.0])
    )
    ephemeris = Ephemeris(
        ("ring-0", "ring-1", "dish"), grid, np.tile(np.asarray(places), (221, 1, 1)), np.zeros((221, 3, 3))
    )
    sights = _sights(grid, alive, seen)
    samples = _samples(grid[alive], seen)
    tracks = _tracks(grid[alive], r[alive], seen)
    warnings = _warnings(decided if warned and seen else {})
    summary = summarise(
        scenario,
        seed=0,
        itrs_from_gcrs=np.tile(np.eye(3), (221, 1, 1)),
        truth=truth,
        looks=sights["looks"],
        scans=sights["scans"],
        detections=sights["detections"],
        deliveries=sights["deliveries"],
        tracks=tracks,
        warnings=warnings,
        samples=samples,
        scores=tuple(_score(samples, n, seen) for n in range(2)),
    )
    return Run(
        scenario=scenario,
        seed=0,
        run=0,
        ephemeris=ephemeris,
        truth=truth,
        itrs_from_gcrs=np.tile(np.eye(3), (221, 1, 1)),
        tracks=tracks,
        contributions=Contributions(*(np.zeros(0, int),) * 2, np.zeros(0), np.zeros(0, int)),
        predictions=_predictions(len(tracks.t)),
        warnings=warnings,
        samples=samples,
        node_samples=_node_samples(samples),
        summary=summary,
        **sights,
    )


def _sights(grid: np.ndarray, alive: np.ndarray, seen: bool) -> dict[str, Any]:
    """A scan a second of every sensor. ring-0 and the dish see the flight from FIRST_SEEN to LOST_FROM (the dish ten
    seconds later), the dish misses every tenth look; ring-1 is below the horizon."""
    t, sensor = (a.ravel() for a in np.meshgrid(grid[alive], np.arange(3), indexing="ij"))
    after = t - LAUNCH
    inside = seen & (after >= FIRST_SEEN + 10.0 * (sensor == 2)) & (after < LOST_FROM)
    reason = np.select(
        [sensor == 1, ~inside, (sensor == 2) & (after % 10 == 0)],
        [Reason.BELOW_HORIZON, Reason.BELOW_GRAZING, Reason.MISSED],
        Reason.DETECTED,
    ).astype(np.int8)
    scan = np.arange(len(t))
    zero = np.zeros(len(t))
    hits = scan[reason == Reason.DETECTED]
    nothing = np.zeros(len(hits))
    node = np.repeat([0, 1], len(t))
    delay = np.repeat(list(LATENCY.values()), len(t))
    return {
        "opportunities": Opportunities(
            grid, *(np.zeros((221, 3, 1), d) for d in (np.int8, float, float, float))
        ),
        "looks": Looks(scan, sensor, np.zeros(len(t), int), t, reason, zero),
        "scans": Scans(
            scan,
            sensor,
            np.where(sensor == 2, Kind.RADAR, Kind.INFRARED).astype(np.int8),
            t,
            np.zeros((len(t), 3)),
            np.zeros((len(t), 3)),
            np.tile([1.0, 0, 0, 0], (len(t), 1)),
            *(zero,) * 9,
            np.zeros(len(t), np.int8),
        ),
        "detections": Detections(np.arange(len(hits)), hits, *(nothing,) * 9),
        "detection_truth": DetectionTruth(np.arange(len(hits)), np.zeros(len(hits), int)),
        "deliveries": Deliveries(
            np.tile(scan, 2),
            node,
            np.tile(t, 2),
            np.tile(t, 2),
            np.tile(t, 2) + delay,
            np.zeros(2 * len(t), int),
            np.zeros(2 * len(t), np.int8),
        ),
    }


def _samples(t: np.ndarray, seen: bool) -> Samples:
    after = np.tile(t - LAUNCH, 2)
    node = np.repeat([0, 1], len(t))
    tracked = seen & (after >= CONFIRMED)
    sensors = (after >= FIRST_SEEN).astype(int) + (after >= FIRST_SEEN + 10)
    sensors = np.where(seen & (after < LOST_FROM), sensors, 0)
    error = np.where(tracked, np.where(node == 0, 30.0, 40.0), np.nan)
    return Samples(
        node,
        np.zeros(len(node), int),
        np.tile(t, 2),
        sensors,
        np.where(tracked, 0, -1),
        error,
        error / 10,
        np.where(tracked, 50.0, np.nan),
        np.where(tracked, 1.0, np.nan),
        np.where(seen & (after >= FIRST_SEEN), BOUND_M, np.nan),
        np.where(seen & (after >= FIRST_SEEN), BOUND_M / 10, np.nan),
    )


def _node_samples(samples: Samples) -> NodeSamples:
    """One target: missed before it is tracked, off by its error then; a false track in the ten seconds after that."""
    held = samples.track >= 0
    after = samples.t - LAUNCH
    false = held & (after < CONFIRMED + 10.0)
    local = np.where(held, np.nan_to_num(samples.error_position_m) ** 2, 0.0)
    missed, wrong = np.where(held, 0.0, 12.5e6), np.where(false, 12.5e6, 0.0)
    return NodeSamples(
        samples.node,
        samples.t,
        np.ones(len(after), int),
        held.astype(int) + false,
        np.sqrt(local + missed + wrong),
        local,
        missed,
        wrong,
    )


def _tracks(t: np.ndarray, r: np.ndarray, seen: bool) -> Tracks:
    rows = np.flatnonzero(seen & (t - LAUNCH >= CONFIRMED))
    count = 2 * len(rows)
    return Tracks(
        np.repeat([0, 1], len(rows)),
        np.zeros(count, int),
        np.tile(t[rows], 2),
        np.tile(t[rows], 2),
        np.tile(np.concatenate([r[rows], np.zeros((len(rows), 6))], 1), (2, 1)),
        np.zeros((count, 45)),
        np.full(count, Status.CONFIRMED, np.int8),
        np.tile([0.0, 1.0, 0.0], (count, 1)),
        np.ones(count),
        np.ones(count, int),
        np.ones(count, int),
    )


def _warnings(decided_at: dict[str, float]) -> Warnings:
    """The nodes warn Midland of overflight; JPN warns Southland with it, and withdraws that."""
    rows = [(("JPN", "USA").index(nation), t, 0, Notice.ISSUED) for nation, t in decided_at.items()]
    if "JPN" in decided_at:
        first = decided_at["JPN"]
        rows += [(0, first + 1, 1, Notice.ISSUED), (0, first + 9, 1, Notice.WITHDRAWN)]
    node, decided, area, notice = np.array(rows).reshape(-1, 4).T
    n = len(node)
    t = decided + LAUNCH
    return Warnings(
        node.astype(int),
        t,
        t + 20.0,
        np.zeros(n, int),
        area.astype(int),
        np.zeros(n, bool),
        notice.astype(np.int8),
        np.full(n, 0.97),
        np.full(n, LAUNCH + 95.0),
        np.full(n, LAUNCH + 125.0),
        np.full(n, np.deg2rad(40.0)),
        np.full(n, np.deg2rad(150.0)),
        np.full(n, MAJOR_M),
        np.full(n, MINOR_M),
        np.zeros(n, int),
        np.full(n, -1),
    )


def _predictions(rows: int) -> Predictions:
    def blank(*shape: int) -> np.ndarray:
        return np.full((rows, *shape), np.nan)

    return Predictions(
        t_impact=np.full(rows, LAUNCH + FLIGHT),
        sigma_t_s=blank(),
        lat_rad=np.full(rows, np.deg2rad(40.0)),
        lon_rad=np.full(rows, np.deg2rad(150.0)),
        cov_en_m2=blank(2, 2),
        major_m=np.full(rows, MAJOR_M),
        minor_m=np.full(rows, MINOR_M),
        azimuth_rad=np.full(rows, TURN),
        track_t=blank(POINTS),
        track_lat_rad=blank(POINTS),
        track_lon_rad=blank(POINTS),
        track_height_m=blank(POINTS),
        track_jacobian=blank(POINTS, 2, 6),
        time_jacobian=blank(6),
    )


def _score(samples: Samples, node: int, seen: bool) -> NodeScore:
    mine = samples.node == node
    tracked = mine & (samples.track >= 0)

    def rms(values: np.ndarray) -> float:
        return float(np.sqrt(np.mean(values[tracked] ** 2))) if tracked.any() else np.nan

    target = TargetScore(
        t_first_detection_s=FIRST_SEEN if seen else np.nan,
        t_confirmed_s=CONFIRMED + LATENCY[("JPN", "USA")[node]] if seen else np.nan,
        custody_1=float(np.mean(samples.sensors[mine] >= 1)),
        custody_2=float(np.mean(samples.sensors[mine] >= 2)),
        longest_gap_s=FLIGHT - LOST_FROM if seen else np.nan,
        rmse_position_m=rms(samples.error_position_m),
        rmse_velocity_m_s=rms(samples.error_velocity_m_s),
        nees_mean=1.0 if seen else np.nan,
        nees_inside=0.9 if seen else np.nan,
        confirm_latency_s=CONFIRMED - FIRST_SEEN if seen else np.nan,
        fragments=2 if seen else 0,
        breaks=1 if seen else 0,
        switches=1 if seen else 0,
        purity=0.99 if seen else np.nan,
        bound_position_m=BOUND_M if seen else np.nan,
        bound_velocity_m_s=BOUND_M / 10 if seen else np.nan,
    )
    of_whole = Siap(0.875, 1.0, 0.05, 35.0, 3.5, 0.01, 0.85) if seen else Siap(0.0, *(np.nan,) * 5, 0.0)
    whole = _node_samples(samples)
    parts = {
        name: float(np.mean(getattr(whole, name)[whole.node == node]))
        for name in ("localisation_m2", "missed_m2", "false_m2")
    }
    return NodeScore(
        targets=(target,),
        tracks=int(seen),
        false_tracks=0,
        gospa_m=100.0,
        gospa_squared_m2=sum(parts.values()),
        **parts,
        ospa_m=90.0,
        siap=of_whole,
        purity=0.98 if seen else np.nan,
        nees_mean=1.0 if seen else np.nan,
        nees_inside=0.9 if seen else np.nan,
    )


MANIFEST: dict[str, Any] = {
    "command": "noroshi run made-up.toml",
    "scenario_sha256": "0123456789abcdef" * 4,
    "seed": 0,
    "finished_utc": "2026-01-01T00:10:00Z",
    "versions": {"noroshi": "0.1.0", "numpy": "2"},
}


def studied(run: Run) -> dict[str, Any]:
    """The run's summary as a phase study of ten repetitions would leave it: later by up to 10 s, USA alone 3 of 10."""

    def spread(low: float | None, middle: float | None, high: float | None, never: int = 0) -> dict[str, Any]:
        return {"p05": low, "median": middle, "p95": high, "runs": 10, "never": never}

    def warned(nation: str, later: float) -> dict[str, Any]:
        t = DECIDED[nation]
        return {"arrow": {"t_warning_s": spread(t + later, t + later + 5, t + later + 10)}}

    statistics = {
        nation: {
            "latency_s": {"p95": spread(0.2, 0.25, 0.3)},
            "targets": {
                "arrow": {
                    "custody_2": spread(0.7, 0.8, 0.9),
                    "rmse_position_m": spread(20.0, 30.0, None, 1),
                    "t_warning_public_s": spread(60.0, 65.0, 70.0),
                }
            },
        }
        for nation in ("JPN", "USA")
    }
    study = {
        "runs": 10,
        "shared": {nation: warned(nation, 0.0) for nation in DECIDED},
        "alone": {
            "JPN": warned("JPN", 20.0),
            "USA": {"arrow": {"t_warning_s": spread(60.0, None, None, 7)}},
        },
    }
    return run.summary | {"runs": 10, "statistics": statistics, "phase_study": study}
