"""Track from a node's scans: the whole batch in compiled code, or scan by scan with the same compiled step."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Int

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tables import Contributions, Detections, Scans, Tracks
from noroshi.tracking import state as fields
from noroshi.tracking.columns import detection_slices, pack_detections, pack_scans
from noroshi.tracking.kernel import output, run
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.presets import default_config
from noroshi.tracking.state import Settings, State, init, settings

__all__ = ["Settings", "State", "default_config", "init", "settings", "track", "track_from"]

_CHUNK = 16_384  # rows of output taken at a time


def track(
    config: TrackerConfig,
    scans: Scans,
    detections: Detections,
    order: Int[np.ndarray, "delivered"],
    node: int,
    originator_of_sensor: Int[np.ndarray, "sensor"],
    wait_s: float,
) -> tuple[Tracks, Contributions]:
    """Tracks of one node from the scans that reached it in time.

    order: rows of `scans`, sorted by (t_event, sensor). originator_of_sensor: number of the nation that owns each
    sensor (bit n of `originators`). A row for every live track at every distinct event time, known to the node
    `wait_s` later; a track's last row has status DELETED. Reads no truth. Raises ScenarioError for a bad config.
    """
    return track_from(
        init(config), settings(config), scans, detections, order, node, originator_of_sensor, wait_s
    )


def track_from(
    state: State,
    config: Settings,
    scans: Scans,
    detections: Detections,
    order: Int[np.ndarray, "delivered"],
    node: int,
    originator_of_sensor: Int[np.ndarray, "sensor"],
    wait_s: float,
) -> tuple[Tracks, Contributions]:
    """As `track`, going on from a given state (changed in place), e.g. one that was cued."""
    order = np.ascontiguousarray(order, np.int64)
    times = scans.t_event[order]
    if np.any(np.diff(times) < 0.0):
        raise ValueError("order is not sorted by t_event")
    rows = pack_scans(scans)
    bits = np.left_shift(np.int64(1), np.asarray(originator_of_sensor, np.int64))[scans.sensor]
    dets = pack_detections(detections)
    idents = np.ascontiguousarray(detections.detection, np.int64)
    slices = detection_slices(scans, detections)
    room = output(max(_CHUNK, 2 * len(state.info)), max(_CHUNK, 2 * len(state.used)))
    parts: list[tuple[np.ndarray, ...]] = []
    refused = state.counters[[fields.LATE, fields.REPEATED]].copy()
    n = 0
    while True:
        n, count, uses = run(state, config, n, order, rows, slices, bits, dets, idents, True, room)
        columns = (*(column[:count] for column in room[:3]), *(column[:uses] for column in room[3:]))
        parts.append(tuple(column.copy() for column in columns))
        if n > len(order):
            break
    _report(state, refused)
    values, ints, t, used, used_t = (np.concatenate(column) for column in zip(*parts, strict=True))
    tracks = Tracks(
        node=np.full(len(t), node, np.int64),
        track=ints[:, 0].copy(),
        t=t,
        t_node=t + wait_s,
        mean=values[:, : fields.ROW_COV].copy(),
        cov=values[:, fields.ROW_COV : fields.ROW_MODES].copy(),
        status=ints[:, 1].astype(np.int8),
        modes=values[:, fields.ROW_MODES : fields.ROW_EXISTENCE].copy(),
        existence=values[:, fields.ROW_EXISTENCE].copy(),
        hits=ints[:, 2].copy(),
        originators=ints[:, 3].copy(),
    )
    contributions = Contributions(
        node=np.full(len(used_t), node, np.int64),
        track=used[:, 0].copy(),
        t=used_t,
        detection=used[:, 1].copy(),
    )
    return tracks, contributions


def _report(state: State, refused: np.ndarray) -> None:
    """Say what was refused or did not fit; nothing is dropped in silence."""
    late, repeated = state.counters[[fields.LATE, fields.REPEATED]] - refused
    c = state.counters
    complaints = [
        (late, "late scans refused"),
        (repeated, "repeated scans refused"),
        (c[fields.OVERFLOW_TRACKS], "tracks not started: raise max_tracks"),
        (c[fields.OVERFLOW_LEFT], "detections not kept for initiation"),
        (c[fields.OVERFLOW_USED], "contributions not listed"),
    ]
    for count, what in complaints:
        if count:
            warnings.warn(f"tracker: {count} {what}", RuntimeWarning, stacklevel=3)
