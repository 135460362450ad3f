"""`python -m benchmarks.montecarlo [--runs 1000] [--json]`: a Monte Carlo of the whole chain, timed.

Every run: gliders and their flight, what 24 satellites report of them in 300 s, tracks that the tracker starts itself,
scores. Raids, satellites and sensors are those of HGT-24 (hgt24_raid), but for the number of targets, the angle noise
and the clutter. Each run draws from a random stream of its own: results do not depend on the number of threads.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from math import asin, atan2, cos, sin, sqrt
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from benchmarks.hgt24_kernel import uncued_config
from benchmarks.hgt24_raid import (
    CONE_RAD,
    EARTH_M,
    HEADING,
    HEADING_SPREAD,
    HEIGHT_M,
    HEIGHT_PERIOD_S,
    HEIGHT_SWING_M,
    P_DETECT,
    SLOWING_M_S2,
    SPEED_M_S,
    START_LATITUDE,
    START_LONGITUDE,
    WEAVE_M_S2,
    WEAVE_PERIOD_S,
    satellites,
)
from benchmarks.hgt24_raid import RANGE_MAX_M as REACH_M
from noroshi.random import stream
from noroshi.tables import Kind, Status
from noroshi.tracking import columns
from noroshi.tracking.assign import linear_sum_assignment
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH
from noroshi.tracking.kernel import Output, output, run
from noroshi.tracking.state import State, copied, init, settings

BOX_M = 400e3  # side of the square in which the targets start, notional: 5 targets well apart
SUBSTEP_S = 0.5  # of the flight: Runge-Kutta of fourth order is then within 2 cm after 300 s
TARGET_CUTOFF_M = 1_000.0  # a target further from its track has none
GOSPA_CUTOFF_M = 5_000.0
BURN_IN = 20  # frames before errors count, as in HGT-24

_CONFIRMED = int(Status.CONFIRMED)
_INFRARED = int(Kind.INFRARED)
_COS_CONE = float(np.cos(CONE_RAD))


class Plan(NamedTuple):
    """What all runs share."""

    satellites: Float64[np.ndarray, "frame sensor 3"]
    targets: int
    sigma_rad: float
    clutter: float  # false alarms of a scan, over the cone
    seed: int


class Figures(NamedTuple):
    """Scores of each run."""

    square_m2: Float64[np.ndarray, "run"]  # summed squares of position errors, from frame 20 on
    squares: Int64[np.ndarray, "run"]  # how many they are
    held: Int64[np.ndarray, "run"]  # target-frames with a track
    confirmed: Int64[np.ndarray, "run"]  # track-frames
    tracks: Int64[np.ndarray, "run"]  # distinct confirmed tracks
    gospa_m: Float64[np.ndarray, "run"]  # mean over frames, cut-off 5 km, order 2, alpha 2
    detections: Int64[np.ndarray, "run"]
    updates: Int64[np.ndarray, "run"]


@njit(cache=True, nogil=True, error_model="numpy")
def _flow(t, r, d, weave, phase, swing, out):
    """Rate of change of the unit vectors of place r and course d (see hgt24_raid.glides), into out [2, 3]."""
    h = EARTH_M + HEIGHT_M + HEIGHT_SWING_M * sin(2.0 * np.pi / HEIGHT_PERIOD_S * t + swing)
    speed = SPEED_M_S - SLOWING_M_S2 * t
    around = speed / h
    turn = WEAVE_M_S2 * sin(weave * t + phase) / speed
    for a in range(3):
        b = (a + 1) % 3
        c = (a + 2) % 3
        out[0, a] = around * d[a]
        out[1, a] = turn * (r[b] * d[c] - r[c] * d[b]) - around * r[a]


@njit(cache=True, nogil=True, error_model="numpy")
def fly(draw, truth):
    """Positions of gliders drawn by `draw`, into truth [frame, target, 3]; one frame a second."""
    frames, targets = truth.shape[:2]
    y = np.empty((2, 3))
    z = np.empty((2, 3))
    k = np.empty((4, 2, 3))
    steps = round(1.0 / SUBSTEP_S)
    for i in range(targets):
        lat = START_LATITUDE + (draw.random() - 0.5) * BOX_M / EARTH_M
        lon = START_LONGITUDE + (draw.random() - 0.5) * BOX_M / EARTH_M / cos(lat)
        course = HEADING + (2.0 * draw.random() - 1.0) * HEADING_SPREAD
        weave = 2.0 * np.pi / draw.uniform(WEAVE_PERIOD_S[0], WEAVE_PERIOD_S[1])
        phase = 2.0 * np.pi * draw.random()
        swing = 2.0 * np.pi * draw.random()
        y[0, 0] = cos(lat) * cos(lon)
        y[0, 1] = cos(lat) * sin(lon)
        y[0, 2] = sin(lat)
        y[1, 0] = -cos(course) * sin(lat) * cos(lon) - sin(course) * sin(lon)
        y[1, 1] = -cos(course) * sin(lat) * sin(lon) + sin(course) * cos(lon)
        y[1, 2] = cos(course) * cos(lat)
        for frame in range(frames):
            t = np.float64(frame)
            h = EARTH_M + HEIGHT_M + HEIGHT_SWING_M * sin(2.0 * np.pi / HEIGHT_PERIOD_S * t + swing)
            for a in range(3):
                truth[frame, i, a] = h * y[0, a]
            for step in range(steps):
                s = t + step * SUBSTEP_S
                for stage in range(4):
                    c = 0.0 if stage == 0 else SUBSTEP_S if stage == 3 else 0.5 * SUBSTEP_S
                    for v in range(2):
                        for a in range(3):
                            z[v, a] = y[v, a] + (c * k[stage - 1, v, a] if stage > 0 else 0.0)
                    _flow(s + c, z[0], z[1], weave, phase, swing, k[stage])
                for v in range(2):
                    for a in range(3):
                        y[v, a] += (
                            SUBSTEP_S / 6.0 * (k[0, v, a] + 2.0 * (k[1, v, a] + k[2, v, a]) + k[3, v, a])
                        )


@njit(cache=True, nogil=True, error_model="numpy")
def observe(plan, draw, truth, scans, slices, dets):
    """One run's flight and detections: drawn by `draw` into the rest; how many detections, -1 where they found no room.

    A sensor looks at the targets' mean, sees those in its cone, in range and not behind the Earth, each with P_D, and
    false alarms evenly over its cone, if it sees any target at all. Sensors that see none report an empty scan.
    """
    fly(draw, truth)
    frames, targets = truth.shape[:2]
    sensors = plan.satellites.shape[1]
    axes = np.empty((3, 3))
    mean = np.empty(3)
    seen = np.empty(targets, np.int64)
    sights = np.empty((targets, 2))
    count = 0
    for frame in range(frames):
        for a in range(3):
            mean[a] = 0.0
            for i in range(targets):
                mean[a] += truth[frame, i, a] / targets
        for s in range(sensors):
            place = plan.satellites[frame, s]
            for a in range(3):
                axes[0, a] = mean[a] - place[a]
            far = sqrt(axes[0, 0] ** 2 + axes[0, 1] ** 2 + axes[0, 2] ** 2)
            for a in range(3):
                axes[0, a] /= far
            level = sqrt(axes[0, 0] ** 2 + axes[0, 1] ** 2)
            axes[1, 0] = -axes[0, 1] / level
            axes[1, 1] = axes[0, 0] / level
            axes[1, 2] = 0.0
            axes[2, 0] = -axes[0, 2] * axes[1, 1]
            axes[2, 1] = axes[0, 2] * axes[1, 0]
            axes[2, 2] = level
            row = scans[frame * sensors + s]
            row[columns.SENSOR] = s
            row[columns.T] = frame
            for a in range(3):
                row[columns.R + a] = place[a]
                for b in range(3):
                    row[columns.M + 3 * a + b] = axes[b, a]
            visible = 0
            for i in range(targets):
                d0 = truth[frame, i, 0] - place[0]
                d1 = truth[frame, i, 1] - place[1]
                d2 = truth[frame, i, 2] - place[2]
                rho = sqrt(d0 * d0 + d1 * d1 + d2 * d2)
                if rho > REACH_M:
                    continue
                x = (axes[0, 0] * d0 + axes[0, 1] * d1 + axes[0, 2] * d2) / rho
                if x < _COS_CONE:
                    continue
                along = -(place[0] * d0 + place[1] * d1 + place[2] * d2) / rho
                along = min(max(along, 0.0), rho) / rho
                e0 = place[0] + along * d0
                e1 = place[1] + along * d1
                e2 = place[2] + along * d2
                if e0 * e0 + e1 * e1 + e2 * e2 < EARTH_M * EARTH_M:
                    continue
                y = (axes[1, 0] * d0 + axes[1, 1] * d1 + axes[1, 2] * d2) / rho
                z = (axes[2, 0] * d0 + axes[2, 1] * d1 + axes[2, 2] * d2) / rho
                seen[visible] = i
                sights[visible, 0] = atan2(y, x)
                sights[visible, 1] = asin(z)
                visible += 1
            slices[frame * sensors + s, 0] = count
            if visible > 0:
                false = draw.poisson(plan.clutter)
                if count + visible + false > len(dets):
                    return -1
                for v in range(visible):
                    if draw.random() < P_DETECT:
                        dets[count, 0] = sights[v, 0] + plan.sigma_rad * draw.normal()
                        dets[count, 1] = sights[v, 1] + plan.sigma_rad * draw.normal()
                        count += 1
                for _ in range(false):
                    x = _COS_CONE + (1.0 - _COS_CONE) * draw.random()
                    around = 2.0 * np.pi * draw.random()
                    off = sqrt(1.0 - x * x)
                    dets[count, 0] = atan2(off * cos(around), x)
                    dets[count, 1] = asin(off * sin(around))
                    count += 1
            slices[frame * sensors + s, 1] = count
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def score(truth, values, ints, t, rows):
    """Squares, target-frames held, confirmed track-frames, distinct confirmed tracks and mean GOSPA of one run.

    Targets and confirmed tracks of a frame are matched one to one with the least sum of squared distances cut at 5 km.
    """
    frames, targets = truth.shape[:2]
    square = 0.0
    squares = 0
    held = 0
    confirmed = 0
    gospa = 0.0
    known = np.zeros(ints[:rows, 0].max() + 1 if rows > 0 else 1, np.bool_)
    at = 0
    index = np.empty(rows, np.int64)
    cut2 = GOSPA_CUTOFF_M * GOSPA_CUTOFF_M
    for frame in range(frames):
        m = 0
        while at < rows and t[at] <= frame:
            if ints[at, 1] == _CONFIRMED and t[at] == frame:
                index[m] = at
                m += 1
                known[ints[at, 0]] = True
            at += 1
        confirmed += m
        more = m > targets
        cost = np.empty((targets, m) if more else (m, targets))
        for i in range(targets):
            for j in range(m):
                d2 = 0.0
                for a in range(3):
                    d2 += (values[index[j], a] - truth[frame, i, a]) ** 2
                d2 = min(d2, cut2)
                if more:
                    cost[i, j] = d2
                else:
                    cost[j, i] = d2
        mate = linear_sum_assignment(cost)
        total = 0.0
        matched = 0
        for q in range(len(mate)):
            d2 = cost[q, mate[q]]
            if d2 < cut2:
                total += d2
                matched += 1
            if d2 < TARGET_CUTOFF_M * TARGET_CUTOFF_M:
                held += 1
                if frame >= BURN_IN:
                    square += d2
                    squares += 1
        gospa += sqrt(total + 0.5 * cut2 * (targets + m - 2 * matched)) / frames
    return square, squares, held, confirmed, known.sum(), gospa


def _empty_scans(plan: Plan) -> Float64[np.ndarray, "scan 28"]:
    """What does not change from run to run."""
    rows = np.zeros((plan.satellites.shape[0] * plan.satellites.shape[1], SCAN_WIDTH))
    rows[:, columns.KIND] = _INFRARED
    rows[:, columns.P_DETECT] = P_DETECT
    rows[:, columns.CLUTTER] = max(plan.clutter, 0.01) / (2.0 * np.pi * (1.0 - _COS_CONE))
    rows[:, columns.COS_CONE] = _COS_CONE
    rows[:, columns.AZIMUTH] = np.pi
    rows[:, columns.ELEVATION_MIN] = -np.pi / 2
    rows[:, columns.ELEVATION_MAX] = np.pi / 2
    rows[:, columns.RANGE_MAX] = REACH_M
    rows[:, columns.CLOUD] = -1e5
    return rows


def _work(
    plan: Plan,
    start: State,
    fixed: Any,
    chosen: np.ndarray,
    room: Output,
    figures: Figures,
) -> None:
    """Runs `chosen`, one after the other, into `figures`; called by one thread."""
    frames = len(plan.satellites)
    truth = np.empty((frames, plan.targets, 3))
    scans = _empty_scans(plan)
    slices = np.empty((len(scans), 2), np.int64)
    dets = np.zeros((round(len(scans) * (plan.targets + 1.2 * plan.clutter)) + 1000, DETECTION_WIDTH))
    dets[:, 4:6] = plan.sigma_rad
    dets[:, 6:] = np.inf
    order, idents, bits = np.arange(len(scans)), np.arange(len(dets)), np.ones(len(scans), np.int64)
    for k in chosen:
        count = observe(plan, stream(plan.seed, int(k), "montecarlo"), truth, scans, slices, dets)
        done, rows, updates = run(
            copied(start), fixed, 0, order, scans, slices, bits, dets, idents, True, room
        )
        if count < 0 or done <= len(order):
            raise RuntimeError("too little room for a run")
        figures.detections[k], figures.updates[k] = count, updates
        (
            figures.square_m2[k],
            figures.squares[k],
            figures.held[k],
            figures.confirmed[k],
            figures.tracks[k],
            figures.gospa_m[k],
        ) = score(truth, room.values, room.ints, room.t, rows)


def simulate(plan: Plan, runs: int, workers: int) -> Figures:
    """All runs, by so many threads."""
    config = uncued_config()._replace(max_tracks=64)
    start, fixed = init(config), settings(config)
    frames = len(plan.satellites)
    figures = Figures(
        square_m2=np.empty(runs),
        squares=np.empty(runs, np.int64),
        held=np.empty(runs, np.int64),
        confirmed=np.empty(runs, np.int64),
        tracks=np.empty(runs, np.int64),
        gospa_m=np.empty(runs),
        detections=np.empty(runs, np.int64),
        updates=np.empty(runs, np.int64),
    )
    rooms = [output((frames + 2) * len(start.info), 300 * 24 * 64) for _ in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            pool.submit(_work, plan, start, fixed, np.arange(w, runs, workers), rooms[w], figures)
            for w in range(workers)
        ]
        for job in jobs:
            job.result()
    return figures


def measure(
    runs: int, workers: int, targets: int, sigma_rad: float, clutter: float, seed: int
) -> dict[str, Any]:
    """Figures over all runs, and what they cost once everything is compiled."""
    plan = Plan(satellites(301), targets, sigma_rad, clutter, seed)
    simulate(plan, 1, 1)  # compiles, or reads what was compiled
    wall, cpu = time.perf_counter(), time.process_time()
    found = simulate(plan, runs, workers)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    frames = len(plan.satellites)
    return {
        "runs": runs,
        "workers": workers,
        "frames": frames,
        "targets": targets,
        "sigma_rad": sigma_rad,
        "clutter_per_scan": clutter,
        "wall_s": wall,
        "cpu_s": cpu,
        "detections": int(found.detections.sum()),
        "updates": int(found.updates.sum()),
        "rmse_position_m": float(np.sqrt(found.square_m2.sum() / found.squares.sum())),
        "completeness": float(found.held.sum() / (runs * frames * targets)),
        "confirmed_per_frame": float(found.confirmed.sum() / (runs * frames)),
        "tracks_per_run": float(found.tracks.mean()),
        "gospa_m": float(found.gospa_m.mean()),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--targets", type=int, default=5)
    parser.add_argument("--sigma-urad", type=float, default=30.0)
    parser.add_argument("--clutter", type=float, default=5.0, help="false alarms of a scan (5, as in HGT-24)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    g = parser.parse_args(arguments)
    one = measure(g.runs, g.workers, g.targets, 1e-6 * g.sigma_urad, g.clutter, g.seed)
    if g.json:
        print(json.dumps(one, indent=1))
    else:
        print(
            f"{one['runs']} runs of {one['frames']} frames, {g.targets} targets, {one['detections']:,} detections, "
            f"{one['updates']:,} updates: {one['wall_s']:.1f} s by {g.workers} thread(s), {one['cpu_s']:.1f} CPU s; "
            f"RMSE {one['rmse_position_m']:.1f} m, completeness {one['completeness']:.3f}, "
            f"{one['confirmed_per_frame']:.2f} tracks at a time, {one['tracks_per_run']:.2f} in a run, "
            f"GOSPA {one['gospa_m']:.0f} m"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
