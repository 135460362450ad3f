"""HGT-24 by Stone Soup, and by us on the same draws: `make bench-tracking-peers`.

As the rows of the data's README: extended Kalman filter with Joseph's covariance, constant acceleration q = 5 m2/s5,
global nearest neighbour with 2-D assignment, Mahalanobis gate 4, one sensor after the other, tracks started from the
cues. Ten new raids (seeds 101 to 110), a hundred CPU seconds each.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hgt24_data import Case, of_raid
from benchmarks.hgt24_raid import CUE_SIGMA, make_raid
from benchmarks.hgt24_score import Picture, cued_scores
from noroshi.tracking.columns import rotation_gcrs_from_sensor

RESULTS = Path(__file__).parent / "results" / "hgt24-peers.json"
PAGE = RESULTS.with_name("hgt24.md")
NAMES = {"stonesoup": "Stone Soup", "noroshi": "noroshi"}
KEPT = ("cpu_s", "rmse_position_m", "rmse_velocity_m_s", "gospa_m", "nees", "lost_identity")
WHAT = (("rmse_position_m", "position"), ("rmse_velocity_m_s", "velocity"), ("gospa_m", "GOSPA"))
SWAP_M = 1000.0  # position RMSE of a draw beyond this: tracks have changed places
SEEDS = tuple(range(101, 111))
TARGETS, BOX_M, CLUTTER = 20, 200e3, 5.0
JERK_PSD = 5.0
GATE = 4.0
INTERLEAVED = [0, 3, 6, 1, 4, 7, 2, 5, 8]  # place of x, vx, ax, y, ... in our order


def follow(case: Case) -> tuple[Picture, float]:
    """Its tracks at every frame, and the CPU seconds of tracking alone (one thread)."""
    from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        ConstantAcceleration,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.types.state import GaussianState
    from stonesoup.types.track import Track
    from stonesoup.updater.kalman import ExtendedKalmanUpdater

    start = datetime.datetime(2026, 11, 22)
    predictor = KalmanPredictor(
        CombinedLinearGaussianTransitionModel([ConstantAcceleration(JERK_PSD) for _ in range(3)])
    )
    updater = ExtendedKalmanUpdater(measurement_model=None, use_joseph_cov=True)
    hypothesiser = DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=GATE)
    associator = GNNWith2DAssignment(hypothesiser)
    scans = _measurements(case, start)
    cov = np.diag(CUE_SIGMA[INTERLEAVED] ** 2)
    tracks = [Track([GaussianState(mean[INTERLEAVED, None], cov, start)]) for mean in case.cue]
    frames, targets = case.truth.shape[:2]
    picture = Picture(np.full((frames, targets, 9), np.nan), np.full((frames, targets, 9, 9), np.nan))
    cpu = 0.0
    for k in range(frames):
        begin = time.process_time()
        t = start + datetime.timedelta(seconds=float(k * case.sensing.frame_s))
        if k:
            for track in tracks:
                track.append(predictor.predict(track, timestamp=t))
            for detections in scans[k]:
                found = associator.associate(set(tracks), detections, t)
                for track, hypothesis in found.items():
                    if hypothesis:
                        track.append(updater.update(hypothesis))
        cpu += time.process_time() - begin
        for i, track in enumerate(tracks):
            picture.mean[k, i, INTERLEAVED] = np.asarray(track.state_vector, float)[:, 0]
            picture.cov[k, i][np.ix_(INTERLEAVED, INTERLEAVED)] = np.asarray(track.covar, float)
    return picture, cpu


def _measurements(case: Case, start: datetime.datetime) -> list[list[set[Any]]]:
    """Its detections: for every frame, a set for each sensor that reports."""
    from stonesoup.models.measurement.nonlinear import CartesianToElevationBearing
    from stonesoup.types.angle import Bearing, Elevation
    from stonesoup.types.array import StateVector
    from stonesoup.types.detection import Detection

    scans, found = case.scans, case.detections
    boresight = rotation_gcrs_from_sensor(scans.q_gcrs_from_sensor)[:, :, 0]
    noise = np.diag(np.full(2, case.sensing.sigma_rad**2))
    out: list[list[set[Any]]] = [[] for _ in range(len(case.truth))]
    stations = len(scans.scan) // len(case.truth)
    for scan in np.unique(found.scan):
        x, y, z = boresight[scan]
        model = CartesianToElevationBearing(
            ndim_state=9,
            mapping=(0, 3, 6),
            noise_covar=noise,
            translation_offset=StateVector(scans.r_gcrs[scan][:, None]),
            rotation_offset=StateVector([[0.0], [np.arcsin(z)], [np.arctan2(y, x)]]),
        )
        t = start + datetime.timedelta(seconds=float(scans.t_event[scan]))
        rows = np.flatnonzero(found.scan == scan)
        out[scan // stations].append(
            {
                Detection(
                    StateVector([[Elevation(found.el_rad[i])], [Bearing(found.az_rad[i])]]),
                    timestamp=t,
                    measurement_model=model,
                )
                for i in rows
            }
        )
    return out


def main() -> None:
    """Run what is missing, store each draw as it ends, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("stonesoup", "noroshi"), help="run one of the two")
    parser.add_argument("--again", action="store_true", help="run what is stored already, too")
    arguments = parser.parse_args()
    for tracker in ("stonesoup", "noroshi"):
        if arguments.only not in (None, tracker):
            continue
        for seed in SEEDS:
            stored = _stored()["draws"].get(str(seed), {})
            if tracker in stored and not arguments.again:
                continue
            case = of_raid(make_raid(TARGETS, BOX_M, CLUTTER, seed), f"seed {seed}", CLUTTER)
            row = _stonesoup(case) if tracker == "stonesoup" else _noroshi(case)
            _store(seed, tracker, row)
            print(seed, tracker, json.dumps(row), flush=True)
    PAGE.write_text(page(_stored()))


def _stonesoup(case: Case) -> dict[str, Any]:
    picture, cpu = follow(case)
    return _kept({"cpu_s": cpu, **cued_scores(case.truth, picture)})


def _noroshi(case: Case) -> dict[str, Any]:
    from benchmarks.hgt24 import cued

    return _kept(cued(case))


def _kept(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: scores[name] for name in KEPT if name in scores}


def _stored() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"about": {}, "draws": {}}


def _store(seed: int, tracker: str, row: dict[str, Any]) -> None:
    kept = _stored()
    kept["about"] = {
        **kept["about"],
        "raids": f"{TARGETS} targets, box {BOX_M / 1e3:g} km, clutter {CLUTTER:g}, 301 frames, cued (hgt24_raid)",
        tracker: {
            "version": version(tracker),
            "date": f"{datetime.date.today()}",
            "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}",
        },
    }
    kept["draws"].setdefault(str(seed), {})[tracker] = row
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def page(kept: dict[str, Any]) -> str:
    """The page of both on the same draws."""
    about = kept["about"]
    lines = [
        "# HGT-24 by Stone Soup and by noroshi, the same draws",
        "",
        "Written by `make bench-tracking-peers`. "
        + "; ".join(
            f"{name} {about[key]['version']} on {about[key]['date']}, {about[key]['machine']}"
            for key, name in NAMES.items()
            if key in about
        )
        + ".",
        "",
        f"Raids: {about['raids']}.",
        "Stone Soup: EKF, Joseph's covariance, constant acceleration q = 5 m²/s⁵, global nearest neighbour with 2-D",
        "assignment, Mahalanobis gate 4, one sensor after the other. noroshi: one constant-acceleration model, that q.",
        "Frames 20 to 300; NEES divided by 9; lost: track of cue i over 5 km from target i at the end.",
        "",
        "| seed | tracker | CPU s | position m | velocity m/s | GOSPA m | NEES | lost |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for seed, draw in sorted(kept["draws"].items()):
        lines += [_row(seed, NAMES[key], draw[key]) for key in NAMES if key in draw]
    notes: list[str] = []
    both = [draw for draw in kept["draws"].values() if all(key in draw for key in NAMES)]
    for what, average in (("mean", np.mean), ("median", np.median)):
        if not both:
            break
        middle = {key: {name: float(average([d[key][name] for d in both])) for name in KEPT} for key in NAMES}
        lines += [_row(f"{what} of {len(both)}", NAMES[key], middle[key]) for key in NAMES]
        ours, theirs = middle["noroshi"], middle["stonesoup"]
        apart = ", ".join(f"{name} {ours[key] / theirs[key] - 1:+.2%}" for key, name in WHAT)
        notes.append(f"- {what}: {apart}; CPU {theirs['cpu_s'] / ours['cpu_s']:,.0f} times less")
    swapped = [
        seed for seed, d in sorted(kept["draws"].items()) if any(d[k]["rmse_position_m"] > SWAP_M for k in d)
    ]
    if swapped:
        notes.append(
            f"- seed {', '.join(swapped)}: two tracks changed places and ended within 5 km of their own targets, so "
            "the rule does not call\n  them lost; GOSPA, which knows no names, does not mind"
        )
    return "\n".join([*lines, "", "Ours against theirs:", *notes]) + "\n"


def _row(seed: str, name: str, row: dict[str, Any]) -> str:
    return (
        f"| {seed} | {name} | {row['cpu_s']:.4g} | {row['rmse_position_m']:.1f} | {row['rmse_velocity_m_s']:.2f} "
        f"| {row['gospa_m']:.1f} | {row['nees']:.3f} | {row['lost_identity']:g} |"
    )


if __name__ == "__main__":
    main()
