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
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.score import CUTOFF_M, NodeScore, Scores, gospa, score, truth_at
from noroshi.tracking.screen import Screened
from noroshi.tracking.tracker import track


class Tracked(NamedTuple):
    """What became of a recording."""

    tracks: Tracks
    contributions: Contributions
    complaints: tuple[str, ...]  # of the tracker: what did not fit


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
        tracks, contributions = track(
            config, screened.scans, screened.detections, screened.order, 0, np.zeros(sensors, np.int64), 0.0
        )
    return Tracked(tracks, contributions, tuple(str(w.message).removeprefix("tracker: ") for w in said))


def judge(tracked: Tracked, scans: Scans, detections: Detections, truth: Truth) -> Judged:
    """Scores of a recording's tracks. Nothing is asked of which detection came from which target."""
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
    answers = DetectionTruth(detections.detection, np.full(len(detections.detection), -1))
    found: Scores = score(1, tracked.tracks, deliveries, scans, detections, answers, truth)
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
