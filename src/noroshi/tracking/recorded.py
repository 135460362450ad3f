"""Track a whole recording: screen it, track it, and, where the truth is known, score it."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from noroshi.tables import (
    Contributions,
    Deliveries,
    Detections,
    DetectionTruth,
    Samples,
    Scans,
    Status,
    Tracks,
    Truth,
)
from noroshi.tracking import state as fields
from noroshi.tracking.models import Bias, TrackerConfig
from noroshi.tracking.registration import Registration, estimate
from noroshi.tracking.score import CUTOFF_M, NodeScore, Scores, gospa, score, truth_at
from noroshi.tracking.screen import Screened
from noroshi.tracking.smooth import smooth
from noroshi.tracking.state import init, settings
from noroshi.tracking.tracker import track_from

# 1 sigma of what a sensor may be off by where nothing is said of it, before its biases are estimated; notional: a
# millirad is 1 km at 1000 km, more than any sensor that is of use here
BIAS_ANGLE_RAD = 1e-3
BIAS_RANGE_M = 100.0

COUNTS = {  # of summary.json: counters of the tracker's state
    "unresolved_looks": fields.UNRESOLVED,
    "ambiguous_components": fields.SOFT,
    "merged_tracks": fields.MERGED,
    "late_scans": fields.LATE,
    "repeated_scans": fields.REPEATED,
    "unusable_detections": fields.ABSURD,
    "tracks_not_started": fields.OVERFLOW_TRACKS,
    "detections_not_kept": fields.OVERFLOW_LEFT,
    "contributions_not_listed": fields.OVERFLOW_USED,
    "pairs_not_gated": fields.OVERFLOW_EDGES,
    "pairs_not_tried": fields.OVERFLOW_PAIRS,
}


class Tracked(NamedTuple):
    """What became of a recording."""

    tracks: Tracks
    contributions: Contributions
    complaints: tuple[str, ...]  # of the tracker: what did not fit
    counts: dict[str, int]  # see COUNTS


class GospaParts(NamedTuple):
    """GOSPA and its parts, root mean square over the update times while a target lives; the parts add in squares."""

    rms_m: float
    localisation_m: float
    missed_m: float
    false_m: float


class Judged(NamedTuple):
    """How well a recording was tracked."""

    samples: Samples
    node: NodeScore
    parts: GospaParts


def track_recording(config: TrackerConfig, screened: Screened) -> Tracked:
    """Tracks of everything that passed the screen, as one node at the time of each event.

    Raises ScenarioError for a bad config.
    """
    sensors = int(screened.scans.sensor.max(initial=-1)) + 1
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", RuntimeWarning)
        state = init(config)
        tracks, contributions = track_from(
            state, settings(config), screened.scans, screened.detections, screened.order, 0,
            np.zeros(sensors, np.int64), 0.0,
        )  # fmt: skip
    return Tracked(
        tracks,
        contributions,
        tuple(str(w.message).removeprefix("tracker: ") for w in said),
        {name: int(state.counters[column]) for name, column in COUNTS.items()},
    )


def smoothed(config: TrackerConfig, screened: Screened, tracked: Tracked) -> Tracked:
    """The same with the states of every confirmed track smoothed: what is known of each time afterwards."""
    return tracked._replace(
        tracks=smooth(config, screened.scans, screened.detections, tracked.tracks, tracked.contributions)
    )


def registration(config: TrackerConfig, screened: Screened, tracked: Tracked) -> Registration:
    """Biases of the sensors whose detections are in tracks, from what the tracks have in common.

    Beforehand: what `config.biases` says of a sensor, else BIAS_ANGLE_RAD and, where it measured ranges, BIAS_RANGE_M.
    Targets move as the first of the configuration's models has it, the loosest of every preset.
    """
    used = np.isin(screened.detections.detection, tracked.contributions.detection)
    scan = np.searchsorted(screened.scans.scan, screened.detections.scan[used])
    sensors = screened.scans.sensor[scan]
    ranged = np.isfinite(screened.detections.sigma_range_m[used])
    known = {b.sensor: b for b in config.biases}
    prior = tuple(
        known.get(
            s, Bias(s, BIAS_ANGLE_RAD, BIAS_ANGLE_RAD, BIAS_RANGE_M if ranged[sensors == s].any() else 0.0)
        )
        for s in np.unique(sensors).tolist()
    )
    return estimate(
        config.models[0], prior, screened.scans, screened.detections, tracked.tracks, tracked.contributions,
        config.time_sigma_s,
    )  # fmt: skip


def judge(
    tracked: Tracked,
    scans: Scans,
    detections: Detections,
    truth: Truth,
    answers: DetectionTruth | None = None,
) -> Judged:
    """Scores of a recording's tracks. answers: which detection came from which target; only purity asks for it."""
    n = len(scans.scan)
    deliveries = Deliveries(
        scan=scans.scan,
        node=np.zeros(n, np.int64),
        t_event=scans.t_event,
        t_released=scans.t_event,
        t_arrival=scans.t_event,
        hops=np.zeros(n, np.int64),
        why=np.zeros(n, np.int8),
    )
    known = DetectionTruth(detections.detection, np.full(len(detections.detection), -1))
    contributions = None
    if answers is not None:
        known, contributions = answers, tracked.contributions
    found: Scores = score(1, tracked.tracks, deliveries, scans, detections, known, truth, contributions)
    return Judged(found.samples, found.nodes[0], gospa_parts(tracked.tracks, truth))


def gospa_parts(tracks: Tracks, truth: Truth, c: float = CUTOFF_M) -> GospaParts:
    """GOSPA (p = 2, alpha = 2) of the confirmed tracks at every update time while a target lives."""
    times = np.unique(tracks.t)
    r_true, _ = truth_at(truth, times)
    alive = (times[:, None] >= truth.t_launch) & (times[:, None] <= truth.t_impact)
    rows = np.flatnonzero(tracks.status == Status.CONFIRMED)
    rows = rows[np.argsort(tracks.t[rows], kind="stable")]
    begin = np.searchsorted(tracks.t[rows], times, "left")
    end = np.searchsorted(tracks.t[rows], times, "right")
    parts = [
        gospa(r_true[k, alive[k]], tracks.mean[rows[begin[k] : end[k]], :3], c)[1:4]
        for k in np.flatnonzero(alive.any(1))
    ]
    if not parts:
        return GospaParts(np.nan, np.nan, np.nan, np.nan)
    squares = np.mean(np.array(parts, np.float64), axis=0)
    return GospaParts(float(np.sqrt(squares.sum())), *(float(np.sqrt(s)) for s in squares))
