"""The tracker on one HGT-24 case: its compiled loop alone, timed, and the picture that came of it.

The only place in the benchmarks that knows how the tracker is called.
"""

from __future__ import annotations

import time
from math import inf
from typing import NamedTuple

import numpy as np

from benchmarks.hgt24_data import Case
from benchmarks.hgt24_raid import CUE_SIGMA
from benchmarks.hgt24_score import Picture
from noroshi.tables import Status, unpack_covariance
from noroshi.tracking import state as fields
from noroshi.tracking.columns import detection_slices, pack_detections, pack_scans
from noroshi.tracking.kernel import output, run
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.parameters import Motion
from noroshi.tracking.presets import default_config
from noroshi.tracking.state import State, copied, cue, init, settings

CALLS = 20  # timed calls, after the first


class Run(NamedTuple):
    """What the tracker made of a case, and the CPU seconds of its compiled loop (this process, all threads)."""

    picture: Picture
    updates: int  # detections used
    cpu_s: float  # median of the timed calls
    compile_s: float  # the first call less that: compiling, or reading what was compiled earlier


def cued_config() -> TrackerConfig:
    """One constant-acceleration model, q = 5 m2/s5 as the peers have, no gravity; the same for every raid.

    Tracks are shared out softly where they compete, a target that nobody follows is started anew, and a cue's name
    settles after 12 s: by then 100 m/s of velocity are 1.2 km, while white jerk blurs a cue by 250 m only.
    """
    return uncued_config()._replace(cue_resolve_s=12.0)


def uncued_config() -> TrackerConfig:
    """The same filter with nothing but the tracker's own initiation."""
    return default_config()._replace(
        models=(_glider(),),
        sense=False,
        gate=16.0,
        ambiguity=3.0,  # a factor of 20 in likelihood between the best assignment and the next
        initiate_window_s=0.5,  # all sensors report in the same instant
        initiate_height_min_m=10e3,  # the general band of tracking.md section 6
        initiate_height_max_m=100e3,
        spawn_distance_m=15e3,  # members of a raid fly alike, give or take 500 m/s
        confirm_existence=0.999,
        delete_existence=0.01,
        delete_ghost=8.0,
        max_tracks=1024,
    )


def _glider() -> Motion:
    return Motion(
        "constant-acceleration",
        "manoeuvring",
        dwell_s=inf,
        sigma_m_s2=30.0,
        jerk_psd_m2_s5=5.0,
        gravity=False,
    )


def track_cued(case: Case, config: TrackerConfig, calls: int = CALLS) -> Run:
    """Tracks started from the cues at frame 0 (track i from cue i), frames from 1 on."""
    state = init(config._replace(max_tracks=max(config.max_tracks, len(case.cue))))
    cue(state, config, 0.0, case.cue, np.tile(np.diag(CUE_SIGMA**2), (len(case.cue), 1, 1)))
    return _run(case, config, state, np.flatnonzero(case.scans.t_event > 0.0), calls)


def track_uncued(case: Case, config: TrackerConfig, calls: int = CALLS) -> Run:
    """Tracks that the tracker starts itself, all frames."""
    return _run(case, config, init(config), np.arange(len(case.scans.scan)), calls)


def _run(case: Case, config: TrackerConfig, start: State, order: np.ndarray, calls: int) -> Run:
    """The compiled loop over all scans: once for the tracks, then `calls` times for its median."""
    fixed = settings(config)
    scans, dets = pack_scans(case.scans), pack_detections(case.detections)
    slices = detection_slices(case.scans, case.detections)
    bits = np.ones(len(scans), np.int64)
    idents = case.detections.detection.astype(np.int64)
    frames = len(case.truth)
    rows = (frames + 1) * len(start.info)
    room = output(rows, len(dets) + 2 * len(start.used))
    took = []
    for _ in range(1 + calls):
        state = copied(start)
        begin = time.process_time()
        done, count, updates = run(state, fixed, 0, order, scans, slices, bits, dets, idents, True, room)
        took.append(time.process_time() - begin)
        if done <= len(order):
            raise RuntimeError("the room for the tracks' rows was too small")
    cpu = float(np.median(took[1:])) if calls else took[0]
    picture = _picture(case, room.values[:count], room.ints[:count], room.t[:count], len(case.cue))
    return Run(picture, int(updates), cpu, max(0.0, took[0] - cpu))


def _picture(case: Case, values: np.ndarray, ints: np.ndarray, t: np.ndarray, least: int) -> Picture:
    """Confirmed rows by frame and track number; tracks that never were confirmed are left out."""
    good = ints[:, 1] == int(Status.CONFIRMED)
    names = np.union1d(np.arange(least), ints[good, 0])
    mean = np.full((len(case.truth), len(names), 9), np.nan)
    cov = np.full((*mean.shape, 9), np.nan)
    frame = np.rint(t[good] / case.sensing.frame_s).astype(int)
    column = np.searchsorted(names, ints[good, 0])
    mean[frame, column] = values[good, : fields.ROW_COV]
    cov[frame, column] = unpack_covariance(values[good, fields.ROW_COV : fields.ROW_MODES])
    return Picture(mean, cov)
