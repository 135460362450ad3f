"""The tracker beside the posterior Cramer-Rao bound: one target, matched motion, no false alarms.

`python -m benchmarks.bound [--runs 1000] [--json]`. The flight is drawn from the tracker's own motion model (white jerk
of 5 m2/s5, no gravity); the cue is drawn about its true start with the covariance that the tracker is told. Those
satellites of a Walker constellation 24/4/1 (50 deg, 1000 km) that see the mean flight report angles of 50 urad with
P_D 0.9 once a second, as in HGT-24. Then nothing but the filter separates the error from the bound.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import NamedTuple

import numpy as np

from noroshi.constants import EARTH_MU
from noroshi.tables import Detections, Kind, Scans, unpack_covariance
from noroshi.tracking import bound, tracker
from noroshi.tracking.consistency import chi2_interval, nees
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.parameters import Motion
from noroshi.tracking.presets import default_config
from noroshi.tracking.state import Settings, cue, init, settings

SEED = 1
STEPS, SCORED_FROM_S = 60, 5  # s; the first seconds still show the prior
JERK_PSD = 5.0  # m2/s5
SIGMA_RAD, P_DETECT, RANGE_MAX_M, CONE_RAD = 50e-6, 0.9, 4_500e3, np.radians(10.0)
PRIOR = np.repeat([1000.0, 100.0, 30.0], 3)  # m, m/s, m/s2
EARTH_M = 6_371e3  # a sphere that does not turn
TOTAL, PLANES, PHASING, INCLINATION_RAD, HEIGHT_M = 24, 4, 1, np.radians(50.0), 1_000e3
RATIO = (0.97, 1.03)  # wanted of the mean RMSE over the bound, and of the mean NEES over its dimension
INSIDE = 0.90  # wanted share of scans whose mean NEES lies in its 95 % interval


class Outcome(NamedTuple):
    """What one set of runs came to."""

    runs: int
    ratio: float  # mean over t of RMSE / bound, position
    ratio_velocity: float
    ratio_expected: float  # the same over the bound of the expected information, which is optimistic
    ratio_at: dict[int, float]
    nees: float  # mean over runs and scans, over 9
    nees_inside: float
    rmse_m: float
    bound_m: float
    detections: int
    track_cpu_s: float
    wall_s: float


def walker(t: np.ndarray) -> np.ndarray:
    """Positions [time, satellite, 3] of the constellation on circular orbits about a sphere."""
    plane, slot = np.divmod(np.arange(TOTAL), TOTAL // PLANES)
    a = EARTH_M + HEIGHT_M
    node = 2 * np.pi * plane / PLANES
    u = 2 * np.pi * (slot * PLANES + PHASING * plane) / TOTAL + np.sqrt(EARTH_MU / a**3) * t[:, None]
    x, y, up = np.cos(u), np.sin(u) * np.cos(INCLINATION_RAD), np.sin(u) * np.sin(INCLINATION_RAD)
    return a * np.stack([np.cos(node) * x - np.sin(node) * y, np.sin(node) * x + np.cos(node) * y, up], -1)


def start() -> np.ndarray:
    """State of every flight at time 0: a glider at 40 km over 38 N 140 E, 6 km/s towards 230 deg, level round Earth."""
    lat, lon, heading, speed = np.radians(38.0), np.radians(140.0), np.radians(230.0), 6_000.0
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    ahead = np.cos(heading) * np.cross(up, east) + np.sin(heading) * east
    r = EARTH_M + 40e3
    return np.concatenate([r * up, speed * ahead, -3.0 * ahead - speed**2 / r * up])


def flights(runs: int, rng: np.random.Generator) -> np.ndarray:
    """States [run, time, 9] drawn from the motion model, time 0 first."""
    f, q = bound.constant_acceleration(1.0, JERK_PSD)
    x = np.empty((runs, STEPS + 1, 9))
    x[:, 0] = start()
    factor = np.linalg.cholesky(q)
    for k in range(STEPS):
        x[:, k + 1] = x[:, k] @ f.T + rng.standard_normal((runs, 9)) @ factor.T
    return x


def visible(places: np.ndarray) -> np.ndarray:
    """Whether each satellite sees the mean flight [time from 1 s, satellite]: in range, the Earth not in between."""
    f, _ = bound.constant_acceleration(np.arange(1.0, STEPS + 1), 0.0)
    d = (f @ start())[:, None, :3] - places
    rho = np.linalg.norm(d, axis=-1)
    u = d / rho[..., None]
    lowest = np.clip(-np.sum(places * u, -1), 0.0, rho)
    return (np.linalg.norm(places + lowest[..., None] * u, axis=-1) > EARTH_M) & (rho < RANGE_MAX_M)


def pointing(places: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rotations [..., 3, 3] from sensor axes, x towards the target, y level."""
    x = target - places
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    y = np.cross([0.0, 0.0, 1.0], x)
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], -1)


def quaternion(m: np.ndarray) -> np.ndarray:
    """Unit quaternions (w, x, y, z) of rotation matrices, as eigenvectors (Bar-Itzhack, J. Guidance 23(6), 2000)."""
    k = np.empty((*m.shape[:-2], 4, 4))
    k[..., 0, 0] = np.trace(m, axis1=-2, axis2=-1)
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        k[..., 0, i + 1] = k[..., i + 1, 0] = m[..., b, a] - m[..., a, b]
        for j in range(3):
            k[..., i + 1, j + 1] = m[..., i, j] + m[..., j, i] - (i == j) * k[..., 0, 0]
    return np.linalg.eigh(k)[1][..., :, -1]


def scans_of(seen: np.ndarray, places: np.ndarray, m: np.ndarray) -> Scans:
    """The scans of one run: every second, every satellite that sees the target; seen [time from 1 s, satellite]."""
    step, sensor = np.nonzero(seen)
    n = len(step)
    return Scans(
        scan=np.arange(n),
        sensor=sensor,
        kind=np.full(n, Kind.INFRARED, np.int8),
        t_event=step + 1.0,
        r_gcrs=places[step, sensor],
        v_gcrs=np.zeros((n, 3)),
        q_gcrs_from_sensor=quaternion(m[step, sensor]),
        p_detect=np.full(n, P_DETECT),
        clutter_density=np.full(n, 1e-3),  # no false alarm is drawn; the tracker must not divide by zero
        field_cone_rad=np.full(n, CONE_RAD),
        field_azimuth_rad=np.full(n, np.pi),
        field_elevation_min_rad=np.full(n, -np.pi / 2),
        field_elevation_max_rad=np.full(n, np.pi / 2),
        range_max_m=np.full(n, RANGE_MAX_M),
        grazing_height_m=np.zeros(n),
        cloud_top_m=np.full(n, -1e5),
        background=np.zeros(n, np.int8),
    )


def detections_of(scans: Scans, x: np.ndarray, m: np.ndarray, rng: np.random.Generator) -> Detections:
    """One noisy detection of the target in nine scans of ten; x [time from 1 s, 9]."""
    hit = np.flatnonzero(rng.random(len(scans.scan)) < P_DETECT)
    step, sensor = scans.t_event[hit].astype(int) - 1, scans.sensor[hit]
    d = np.einsum("nij,ni->nj", m[step, sensor], x[step, :3] - scans.r_gcrs[hit])
    n = len(hit)
    el = np.arctan2(d[:, 2], np.hypot(d[:, 0], d[:, 1]))
    noise = SIGMA_RAD * rng.standard_normal((n, 2))
    return Detections(
        detection=np.arange(n),
        scan=hit,
        az_rad=np.arctan2(d[:, 1], d[:, 0]) + noise[:, 0],
        el_rad=el + noise[:, 1],
        range_m=np.zeros(n),
        range_rate_m_s=np.zeros(n),
        sigma_az_rad=np.full(n, SIGMA_RAD),
        sigma_el_rad=np.full(n, SIGMA_RAD),
        sigma_range_m=np.full(n, inf),
        sigma_range_rate_m_s=np.full(n, inf),
        snr=np.full(n, 10.0),
    )


def matched() -> tuple[TrackerConfig, Settings]:
    """The tracker told the truth about the motion: one model, no gravity, no initiation, no deletion."""
    config = default_config()._replace(
        models=(
            Motion(
                "constant-acceleration",
                "manoeuvring",
                dwell_s=inf,
                sigma_m_s2=30.0,
                jerk_psd_m2_s5=JERK_PSD,
                gravity=False,
            ),
        ),
        sense=False,
        gate=30.0,  # one true detection in 3 million outside (chi-square, 2 degrees of freedom)
        delete_missed=10**6,
        delete_sigma_m=1e9,
        initiate_crossing_min_rad=3.0,  # no two lines of sight cross so
        max_tracks=1,
    )
    return config, settings(config)


def measure(runs: int, seed: int = SEED, workers: int | None = None) -> Outcome:
    """Draw the flights, compute the bound, track every run, compare. The same for any number of workers."""
    began = time.perf_counter()
    flown = flights(runs, np.random.default_rng([seed, 0]))
    places = walker(np.arange(STEPS + 1.0))[1:]
    x = flown[:, 1:]
    seen = visible(places)
    stations = bound.Stations(places, SIGMA_RAD, SIGMA_RAD, P_DETECT)
    f, q = bound.constant_acceleration(1.0, JERK_PSD)
    everywhere = np.broadcast_to(seen, (runs, *seen.shape))
    luck = np.random.default_rng([seed, 2])
    least = bound.over_detections(x, stations, everywhere, f, q, np.diag(PRIOR**2), luck)
    quick = bound.recursion(f, q, bound.expected_information(x, stations, everywhere), np.diag(PRIOR**2))
    config, numbers = matched()

    def one(k: int) -> tuple[np.ndarray, np.ndarray, int, float]:
        rng = np.random.default_rng([seed, 1, k])
        m = pointing(places, x[k, :, None, :3])
        scans = scans_of(seen, places, m)
        detections = detections_of(scans, x[k], m, rng)
        state = init(config)
        believed = start() + PRIOR * rng.standard_normal(9)
        cue(state, config, 0.0, believed[None], np.diag(PRIOR**2)[None])
        cpu = time.thread_time()
        found, _ = tracker.track_from(
            state, numbers, scans, detections, np.arange(len(scans.scan)), 0, np.zeros(TOTAL, int), 0.0
        )
        cpu = time.thread_time() - cpu
        at = np.searchsorted(found.t, np.arange(1.0, STEPS + 1), "right") - 1
        if (
            len(np.unique(found.track)) != 1
            or (at < 0).any()
            or (found.t[at] != np.arange(1.0, STEPS + 1)).any()
        ):
            raise RuntimeError(f"run {k}: the cued track is not there at every second")
        return found.mean[at] - x[k], unpack_covariance(found.cov[at]), len(detections.scan), cpu

    one(0)  # compile
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        parts = list(pool.map(one, range(runs)))
    error, cov = np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])
    scored = slice(SCORED_FROM_S - 1, STEPS)

    def rms(part: slice) -> np.ndarray:
        return np.sqrt(np.mean(np.sum(error[..., part] ** 2, -1), 0))[scored]

    def root(cov: np.ndarray, part: slice) -> np.ndarray:
        return np.sqrt(np.trace(cov[:, part, part], axis1=1, axis2=2))[scored]

    r, v = slice(0, 3), slice(3, 6)
    ratio = rms(r) / root(least, r)
    mean_nees = np.mean(nees(error, cov), 0)[scored] / 9
    low, high = (edge / 9 for edge in chi2_interval(9, runs))
    return Outcome(
        runs=runs,
        ratio=float(ratio.mean()),
        ratio_velocity=float((rms(v) / root(least, v)).mean()),
        ratio_expected=float((rms(r) / root(quick, r)).mean()),
        ratio_at={t: float(ratio[t - SCORED_FROM_S]) for t in (5, 10, 20, 31, 45, 60)},
        nees=float(mean_nees.mean()),
        nees_inside=float(np.mean((mean_nees >= low) & (mean_nees <= high))),
        rmse_m=float(rms(r).mean()),
        bound_m=float(root(least, r).mean()),
        detections=sum(p[2] for p in parts),
        track_cpu_s=sum(p[3] for p in parts),
        wall_s=time.perf_counter() - began,
    )


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.runs < 2:
        parser.error("--runs must be at least 2")
    found = measure(given.runs, given.seed)
    if given.json:
        print(json.dumps(found._asdict()))
        return

    def mark(value: float, low: float, high: float) -> str:
        return "✓" if low <= value <= high else "✗"

    low, high = (edge / 9 for edge in chi2_interval(9, found.runs))
    print(f"{found.runs} runs, {STEPS} s, {found.detections} detections, seed {given.seed}\n")
    print(f"{'mean over t = 5..60 s':46} {'measured':>10}   wanted")
    print(f"{'position RMSE / bound':46} {found.ratio:10.4f}   0.97-1.03  {mark(found.ratio, *RATIO)}")
    print(f"{'velocity RMSE / bound':46} {found.ratio_velocity:10.4f}")
    print(
        f"{'position RMSE / bound of expected information':46} {found.ratio_expected:10.4f}   (optimistic bound)"
    )
    print(f"{'NEES / 9':46} {found.nees:10.4f}   0.97-1.03  {mark(found.nees, *RATIO)}")
    inside = f"scans with mean NEES / 9 in {low:.3f}-{high:.3f}"
    print(f"{inside:46} {found.nees_inside:10.1%}   >= 90 %    {mark(found.nees_inside, INSIDE, 1.0)}")
    print(f"{'position RMSE, bound [m]':46} {found.rmse_m:10.1f}   {found.bound_m:.1f}")
    print("RMSE / bound at " + ", ".join(f"{t} s {value:.3f}" for t, value in found.ratio_at.items()))
    print(f"{found.track_cpu_s:.2f} CPU s in the tracker, {found.wall_s:.1f} s in all")


if __name__ == "__main__":
    main()
