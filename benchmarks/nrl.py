"""Two ballistic targets 50 m apart and a radar with coarse angles (D. F. Crouse, demoBallisticScenario of the Naval
Research Laboratory's Tracker Component Library, 2015): `python -m benchmarks.nrl [--runs N] [--json]`.

A minimum-energy flight from the Sea of Japan to the middle of the Pacific, J2 and no air, seen from the Aleutians; the
second target is the first one, 50 m further away. The radar looks 100 times, evenly, while they stand above 10 degrees;
it measures range to 10 m and both angles to 0.1 deg (2-4 km across at these distances), sees each with probability
0.8, and has 1e-2 false alarms per m rad2 within 50 km and 2 deg of the first target: 4.9 in each scan. The library's
demonstration starts its tracks from true plots; here the tracker starts them itself, with its configuration `radar`.

Read as the demonstration has it: the minimum-energy velocity is that of a Kepler flight between the two points at
rest, taken relative to the turning Earth (so the flight passes beside its end point). Nothing here reads the
library; the geometry is in the same inertial axes as the product's scenarios, the Earth's axes at t = 0.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import cache
from math import acos, asin, atan2, cos, degrees, pi, radians, sin, sqrt
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.integrate import solve_ivp
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_E2, EARTH_J2, EARTH_MU, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.random import stream
from noroshi.tables import Background, Detections, Kind, Scans, Status
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.presets import preset
from noroshi.tracking.state import MERGED, init, settings
from noroshi.tracking.tracker import track_from

# of the demonstration
START_DEG = (39.61693, 134.54975)
END_DEG = (40.56751, -159.53953)
RADAR_DEG = (51.86310, -177.98669)
APART_M = 50.0
SCANS = 100
ELEVATION_MIN = radians(10.0)
SIGMA_RANGE_M = 10.0
SIGMA_RAD = radians(0.1)
P_DETECT = 0.8
CLUTTER = 1e-2  # per m rad2 of range, azimuth, elevation
CLUTTER_RANGE_M = 50e3
CLUTTER_RAD = radians(2.0)

SETTLED_SCAN = 20  # scoring begins after this scan
SHARE = 0.8  # of the scans after it
SIGMA3 = 14.156  # chi-square with 3 degrees of freedom at the 0.9973 that 3 sigma means in one dimension
NEAR_M = 30e3  # a track further than this from both targets is a false one: ten times the cross-range sigma


class Kepler(NamedTuple):
    """Minimum-energy flight over a sphere between two points on its surface."""

    angle_rad: float
    distance_m: float
    speed_m_s: float
    elevation_rad: float
    apogee_m: float
    time_s: float


class Flight(NamedTuple):
    """Both targets and the radar at the times of the scans, inertial axes."""

    t: Float64[np.ndarray, "scan"]
    r: Float64[np.ndarray, "scan target 3"]
    v: Float64[np.ndarray, "scan target 3"]
    r_radar: Float64[np.ndarray, "scan 3"]
    v_radar: Float64[np.ndarray, "scan 3"]
    axes: Float64[
        np.ndarray, "scan 3 3"
    ]  # of the radar, in columns: level towards the first target, left of it, up
    elevation: Float64[np.ndarray, "scan"]  # of the first target
    range_m: Float64[np.ndarray, "scan"]


class Score(NamedTuple):
    """One run."""

    passed: bool
    share: float  # of the scans after SETTLED_SCAN with a track for each target within its own 3 sigma
    both: float  # ... with at least two confirmed tracks near the targets
    first_scan: int  # with both targets inside the 3 sigma of tracks of their own, from 1; 0: none
    rmse_m: float  # of the one-to-one tracks, after SETTLED_SCAN
    rmse_radial_m: float
    rmse_velocity_m_s: float
    nees: float  # of position, by dimension
    numbers: int  # track numbers that ever served a target after SETTLED_SCAN
    extra: float  # confirmed tracks per scan near the targets beyond two, after SETTLED_SCAN
    false: int  # confirmed tracks that never came near
    merged: int


def central_angle(a_deg: tuple[float, float], b_deg: tuple[float, float]) -> float:
    """Angle at the centre of a sphere between two points (latitude, longitude in degrees), rad."""
    la, lb = radians(a_deg[0]), radians(b_deg[0])
    return acos(sin(la) * sin(lb) + cos(la) * cos(lb) * cos(radians(b_deg[1] - a_deg[1])))


def minimum_energy(angle_rad: float, radius_m: float) -> Kepler:
    """The cheapest flight between two points of a sphere at rest, closed form.

    The empty focus lies on the chord: 4 a = r1 + r2 + c; the transfer takes half a period and the part beyond the
    chord (Lambert's theorem with the greater angle pi).
    """
    chord = 2.0 * radius_m * sin(angle_rad / 2.0)
    a = (2.0 * radius_m + chord) / 4.0
    speed = sqrt(EARTH_MU * (2.0 / radius_m - 1.0 / a))
    elevation = (pi - angle_rad) / 4.0
    p = (radius_m * speed * cos(elevation)) ** 2 / EARTH_MU
    apogee = a * (1.0 + sqrt(1.0 - p / a)) - radius_m
    beta = 2.0 * asin(sqrt((2.0 * radius_m - chord) / (4.0 * a)))
    flight = sqrt(a**3 / EARTH_MU) * (pi - beta + sin(beta))
    return Kepler(angle_rad, radius_m * angle_rad, speed, elevation, apogee, flight)


def _place(point_deg: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A point on the ellipsoid, Earth-fixed, and its axes east, north, up in columns."""
    lat, lon = radians(point_deg[0]), radians(point_deg[1])
    n = EARTH_RADIUS_M / sqrt(1.0 - EARTH_E2 * sin(lat) ** 2)
    up = np.array([cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)])
    east = np.array([-sin(lon), cos(lon), 0.0])
    return n * up - np.array([0.0, 0.0, n * EARTH_E2 * sin(lat)]), np.stack(
        [east, np.cross(up, east), up], axis=1
    )


def _start_velocity(r1: np.ndarray, r2: np.ndarray) -> tuple[np.ndarray, float]:
    """Minimum-energy velocity at r1 of a Kepler flight to r2, and its time (as above, for two radii)."""
    a1, a2 = np.linalg.norm(r1), np.linalg.norm(r2)
    chord = np.linalg.norm(r2 - r1)
    s = 0.5 * (a1 + a2 + chord)
    a = 0.5 * s
    # along the chord and outwards alike: the velocity bisects the direction to r2 and the vertical
    d = (r2 - r1) / chord + r1 / a1
    speed = sqrt(EARTH_MU * (2.0 / a1 - 1.0 / a))
    beta = 2.0 * asin(sqrt((s - chord) / s))
    return speed * d / np.linalg.norm(d), float(sqrt(a**3 / EARTH_MU) * (pi - beta + sin(beta)))


def _gravity(r: np.ndarray) -> np.ndarray:
    d2 = r @ r
    s = 5.0 * r[2] ** 2 / d2
    k = 1.5 * EARTH_J2 * (EARTH_RADIUS_M**2 / d2)
    return -EARTH_MU / d2**1.5 * (r + k * r * np.array([1.0 - s, 1.0 - s, 3.0 - s]))


@cache
def flight() -> Flight:
    """The truth: DOP853 to 1e-10; the scans lie evenly between the first and the last moment above 10 degrees."""
    spin = np.array([0.0, 0.0, EARTH_RATE_RAD_S])
    r1, r2 = _place(START_DEG)[0], _place(END_DEG)[0]
    v1, duration = _start_velocity(r1, r2)
    home, enu = _place(RADAR_DEG)
    turned = lambda t: Rotation.from_rotvec(np.multiply.outer(t, spin)).as_matrix()  # noqa: E731

    def above(t, y):
        d = turned(t).T @ y[:3] - home
        return float(enu[:, 2] @ d / np.linalg.norm(d)) - sin(ELEVATION_MIN)

    out = solve_ivp(
        lambda _t, y: np.concatenate([y[3:], _gravity(y[:3])]),
        (0.0, 1.25 * duration),
        np.concatenate([r1, v1 + np.cross(spin, r1)]),
        method="DOP853",
        rtol=1e-10,
        atol=1e-6,
        dense_output=True,
        events=above,
    )
    rise, fall = out.t_events[0]
    t = np.linspace(rise + 1e-6, fall - 1e-6, SCANS)
    y = out.sol(t).T
    m = turned(t)
    r_radar = m @ home
    v_radar = np.cross(spin, r_radar)
    d = y[:, :3] - r_radar
    rho = np.linalg.norm(d, axis=1)
    u = d / rho[:, None]
    w = y[:, 3:] - v_radar
    turning = (w - u * np.sum(w * u, axis=1, keepdims=True)) / rho[:, None]  # rate of the line of sight
    r = np.stack([y[:, :3], y[:, :3] + APART_M * u], axis=1)
    v = np.stack([y[:, 3:], y[:, 3:] + APART_M * turning], axis=1)
    up = m @ enu[:, 2]
    elevation = np.arcsin(np.sum(up * u, axis=1))
    level = u - up * np.sum(up * u, axis=1, keepdims=True)
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    axes = np.stack([level, np.cross(up, level), up], axis=-1)
    return Flight(t, r, v, r_radar, v_radar, axes, elevation, rho)


def observe(
    run: int, seed: int = 0, p_detect: float = P_DETECT, clutter: float = CLUTTER
) -> tuple[Scans, Detections, Int64[np.ndarray, "detection"]]:
    """Scans and detections of a run, and which target each detection is of (-1: none; only scoring may read it)."""
    f = flight()
    n = SCANS
    rng = stream(seed, run, "nrl")
    full = lambda value: np.full(n, float(value))  # noqa: E731
    scans = Scans(
        scan=np.arange(n),
        sensor=np.zeros(n, np.int64),
        kind=full(Kind.RADAR).astype(np.int8),
        t_event=f.t,
        r_gcrs=f.r_radar,
        v_gcrs=f.v_radar,
        q_gcrs_from_sensor=Rotation.from_matrix(f.axes).as_quat()[:, [3, 0, 1, 2]],
        p_detect=full(p_detect),
        clutter_density=max(clutter, 1e-9) / np.cos(f.elevation),  # per m and sr
        field_cone_rad=full(pi),
        field_azimuth_rad=full(CLUTTER_RAD),
        field_elevation_min_rad=f.elevation - CLUTTER_RAD,
        field_elevation_max_rad=f.elevation + CLUTTER_RAD,
        range_max_m=f.range_m + CLUTTER_RANGE_M,
        grazing_height_m=full(0.0),
        cloud_top_m=full(0.0),
        background=full(Background.ANY).astype(np.int8),
    )
    expected = clutter * 2.0 * CLUTTER_RANGE_M * (2.0 * CLUTTER_RAD) ** 2
    rows, target = [], []
    for k in range(n):
        found = []
        for i in range(2):
            if rng.random() < p_detect:
                d = f.axes[k].T @ (f.r[k, i] - f.r_radar[k])
                rho = np.linalg.norm(d)
                truth = np.array([atan2(d[1], d[0]), asin(d[2] / rho), rho])
                found.append((truth, i))
        for _ in range(rng.poisson(expected)):
            half = np.array([CLUTTER_RAD, CLUTTER_RAD, CLUTTER_RANGE_M])
            found.append(
                (np.array([0.0, f.elevation[k], f.range_m[k]]) + half * rng.uniform(-1.0, 1.0, 3), -1)
            )
        for i in rng.permutation(len(found)):
            z, who = found[i]
            rows.append([k, *(z + np.array([SIGMA_RAD, SIGMA_RAD, SIGMA_RANGE_M]) * rng.normal(size=3))])
            target.append(who)
    z = np.array(rows).reshape(-1, 4)
    m = len(z)
    detections = Detections(
        detection=np.arange(m),
        scan=z[:, 0].astype(np.int64),
        az_rad=z[:, 1],
        el_rad=z[:, 2],
        range_m=z[:, 3],
        range_rate_m_s=np.zeros(m),
        sigma_az_rad=np.full(m, SIGMA_RAD),
        sigma_el_rad=np.full(m, SIGMA_RAD),
        sigma_range_m=np.full(m, SIGMA_RANGE_M),
        sigma_range_rate_m_s=np.full(m, np.inf),
        snr=np.full(m, 10.0),
    )
    return scans, detections, np.array(target, np.int64)


def one_to_one(d2: Float64[np.ndarray, "track target"]) -> Int64[np.ndarray, "2"]:
    """The track of each target (-1: none): as many as possible within 3 sigma, then the nearest."""
    tracks, targets = np.full(2, -1), range(d2.shape[1])
    if len(d2):
        row, column = linear_sum_assignment(np.where(d2 < SIGMA3, d2, 1e6))
        for i, j in zip(row, column, strict=True):
            if j in targets and d2[i, j] < SIGMA3:
                tracks[j] = i
    return tracks


def run_once(config: TrackerConfig, run: int, seed: int = 0) -> Score:
    """One draw tracked and scored."""
    f = flight()
    scans, detections, _ = observe(run, seed)
    state = init(config)
    tracks, _ = track_from(
        state, settings(config), scans, detections, np.arange(SCANS), 0, np.zeros(1, np.int64), 0.0
    )
    upper = np.zeros((9, 9), np.int64)
    upper[np.triu_indices(9)] = np.arange(45)
    block = np.maximum(upper, upper.T)[:3, :3]
    served: Bool[np.ndarray, "scan"] = np.zeros(SCANS, bool)
    enough = np.zeros(SCANS, bool)
    near_ever: set[int] = set()
    confirmed_ever: set[int] = set()
    numbers: set[int] = set()
    error, radial, speed, nees, extra = [], [], [], [], []
    for k in range(SCANS):
        rows = np.flatnonzero((tracks.t == f.t[k]) & (tracks.status == Status.CONFIRMED))
        gap = tracks.mean[rows, None, :3] - f.r[k]
        near = np.linalg.norm(gap, axis=2).min(axis=1, initial=np.inf) < NEAR_M
        confirmed_ever.update(tracks.track[rows].tolist())
        near_ever.update(tracks.track[rows[near]].tolist())
        rows, gap = rows[near], gap[near]
        enough[k] = len(rows) >= 2
        cov = tracks.cov[rows][:, block]
        d2 = np.einsum("nti,nij,ntj->nt", gap, np.linalg.inv(cov), gap) if len(rows) else np.empty((0, 2))
        mine = one_to_one(d2)
        served[k] = bool(np.all(mine >= 0))
        if k < SETTLED_SCAN:
            continue
        extra.append(max(len(rows) - 2, 0))
        u = (f.r[k, 0] - f.r_radar[k]) / f.range_m[k]
        for i in range(2):
            if mine[i] >= 0:
                numbers.add(int(tracks.track[rows[mine[i]]]))
                e = gap[mine[i], i]
                error.append(e @ e)
                radial.append((e @ u) ** 2)
                speed.append(np.sum((tracks.mean[rows[mine[i]], 3:6] - f.v[k, i]) ** 2))
                nees.append(d2[mine[i], i] / 3.0)
    mean = lambda values: float(np.mean(values)) if values else float("nan")  # noqa: E731
    share = float(served[SETTLED_SCAN:].mean())
    return Score(
        passed=share >= SHARE,
        share=share,
        both=float(enough[SETTLED_SCAN:].mean()),
        first_scan=int(np.argmax(served)) + 1 if served.any() else 0,
        rmse_m=sqrt(mean(error)) if error else float("nan"),
        rmse_radial_m=sqrt(mean(radial)) if error else float("nan"),
        rmse_velocity_m_s=sqrt(mean(speed)) if error else float("nan"),
        nees=mean(nees),
        numbers=len(numbers),
        extra=mean(extra),
        false=len(confirmed_ever - near_ever),
        merged=int(state.counters[MERGED]),
    )


def summary(config: TrackerConfig, runs: int, seed: int = 0) -> dict[str, Any]:
    """Means over the runs."""
    run_once(config, 0, seed)  # compiled
    start = time.process_time()
    scores = [run_once(config, run, seed) for run in range(runs)]
    cpu = time.process_time() - start
    with np.errstate(all="ignore"):
        figures = {
            name: float(np.nanmean([getattr(s, name) for s in scores]))
            for name in Score._fields
            if name != "passed"
        }
    return {
        "runs": runs,
        "passed": float(np.mean([s.passed for s in scores])),
        **figures,
        "cpu_s_run": cpu / runs,
    }


METHODS = {"hard": 0.0, "soft": 3.0}  # ambiguity: joint assignments closer than this are shared


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    f = flight()
    out: dict[str, Any] = {
        "scan_period_s": float(f.t[1] - f.t[0]),
        "seen_s": [float(f.t[0]), float(f.t[-1])],
        "range_km": [float(f.range_m.min() / 1e3), float(f.range_m.max() / 1e3)],
        "elevation_max_deg": degrees(float(f.elevation.max())),
    }
    for name, ambiguity in METHODS.items():
        out[name] = summary(preset("radar")._replace(ambiguity=ambiguity), given.runs, given.seed)
    if given.json:
        print(json.dumps(out, indent=1))
        return
    print(
        f"{SCANS} scans, one every {out['scan_period_s']:.3f} s; range {out['range_km'][0]:.0f} to "
        f"{out['range_km'][1]:.0f} km, elevation up to {out['elevation_max_deg']:.1f} deg"
    )
    print(f"{'':20}" + "".join(f"{name:>12}" for name in METHODS))
    for key in out["hard"]:
        print(f"{key:20}" + "".join(f"{out[name][key]:12.4g}" for name in METHODS))


if __name__ == "__main__":
    main()
