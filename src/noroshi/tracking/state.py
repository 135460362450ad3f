"""Everything a tracker remembers between scans, and its settings in the form compiled code reads."""

from __future__ import annotations

from math import inf, log, pi
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from noroshi.errors import ScenarioError
from noroshi.tables import Status
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH
from noroshi.tracking.measurement import LOOK, WIDTH
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.parameters import parameters

LEFTOVERS = 4096  # capacity of the table of unassociated detections
SENSORS = 1024  # sensors that may report at one time and still be checked for repeats
TRACKS_MAX = 100_000  # a track takes some 3 kB for each model
COUNT_MAX = 2**31 - 1
EDGES_EACH = 64  # gated detections of one track in one scan, on average, before they overflow
EXISTENCE_MAX = 20.0  # log-odds; surer than this nothing needs to be
RECORD = 2  # column of State.quiet: what its looks have shown of a track (associate.shown), a cumulative sum
# of E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954: it may rise no further than this, so that a track
# that was good for long is still found out; a mature target then dies by chance once in exp(RECORD_MAX + limit) looks
RECORD_MAX = 6.0

# counters
NEXT_TRACK = 0
LEFT = 1  # leftovers kept
SEEN = 2  # sensors heard at the current time
CLOSED = 3  # 1: the current time is closed
USED = 4  # contributions at the current time
LIVE = 5  # slots in use: State.slots[:LIVE]
CUES = 6  # cues whose name has not settled
LATE = 7  # scans refused because their time was over
REPEATED = 8  # scans refused because the sensor had reported at that time
ABSURD = 9  # detections and scans refused: not finite, or a sigma that is not above 0
OVERFLOW_TRACKS = 10  # tracks not started for want of a slot
OVERFLOW_LEFT = 11  # detections not kept for initiation
OVERFLOW_USED = 12  # contributions not listed
OVERFLOW_EDGES = 13  # gated pairs not looked at
OVERFLOW_PAIRS = 14  # pairs of lines of sight not tried
UNRESOLVED = 15  # looks at two targets too close together, with one detection for both
SOFT = 16  # ambiguous components
MERGED = 17  # duplicates merged
COUNTERS = 18

# columns of State.info, one row for each slot
TRACK = 0  # its number, for ever; -1: the slot is free
STATUS = 1
HISTORY = 2  # hit or not at the last times it was looked for, one bit each
HITS = 3  # detections used at the current time
EXPECTED = 4  # 1: in view of a scan of the current time
MISSED = 5  # looks in a row without a detection
ORIGINATORS = 6
TWIN = 7  # slot of the elder track that it may double, -1: none
TWIN_TIMES = 8  # update times in a row alike and fed by the same detections
SHARED = 9  # 1: at the current time the two had one detection between them
APART = 10  # 1: at the current time one scan had a detection for each
LINE = 11  # 1: started along the line of one satellite
INFO = 12

# columns of State.left and of finished rows
LEFT_DET = SCAN_WIDTH
LEFT_Z = SCAN_WIDTH + DETECTION_WIDTH
LEFT_WIDTH = LEFT_Z + 3
ROW_COV = 9
ROW_MODES = 54
ROW_EXISTENCE = 57
ROW_WIDTH = 58


class Settings(NamedTuple):
    """A TrackerConfig as plain numbers of fixed type."""

    motion: Float64[np.ndarray, "model 18"]
    bias: Float64[np.ndarray, "sensor 3"]  # variances; no row for sensors beyond the last biased one
    sense: bool
    gate: float
    ambiguity: float
    resolution: float
    window: float
    miss: float
    height_min: float
    height_max: float
    speed_max: float
    crossing_cos: float
    single: bool
    spawn_distance: float
    spawn_sigma: float
    confirm_hits: int
    confirm_of: int
    confirm_score: float
    delete_missed: int
    delete_missed_tentative: int
    delete_score: float
    delete_record: float
    delete_sigma: float
    survive: float
    merge_times: int
    cue_resolve: float
    time_sigma: float


class State(NamedTuple):
    """A tracker between two scans; its arrays are changed in place. Few arrays, so that compiling stays quick."""

    clock: Float64[np.ndarray, "1"]  # time now
    counters: Int64[np.ndarray, "counter"]
    slots: Int64[np.ndarray, "slot"]  # slots in use, in ascending order
    mean: Float64[np.ndarray, "slot model 9"]
    cov: Float64[np.ndarray, "slot model 9 9"]
    weight: Float64[np.ndarray, "slot model"]
    cross: Float64[np.ndarray, "slot model sensor 9 3"]  # covariance with the sensors' biases
    score: Float64[np.ndarray, "slot"]  # log-odds that there is a target
    quiet: Float64[
        np.ndarray, "slot 3"
    ]  # log-chance of this time's infrared misses, last time seen by it, RECORD
    info: Int64[np.ndarray, "slot column"]  # TRACK, STATUS, ...
    seen: Int64[np.ndarray, "sensor"]  # sensors heard at the current time
    left: Float64[np.ndarray, "left column"]  # unassociated: scan row, detection row, direction in GCRS
    left_int: Int64[np.ndarray, "left 2"]  # detection, originator bits
    used: Int64[np.ndarray, "used 2"]  # track, detection: contributions of the current time
    cue_mean: Float64[
        np.ndarray, "cue 9"
    ]  # cues carried along untouched by detections until their name settles
    cue_cov: Float64[np.ndarray, "cue 9 9"]
    cue_track: Int64[np.ndarray, "cue"]  # the track that bears its name for now
    cue_time: Float64[np.ndarray, "cue"]  # when it settles
    looks: Float64[np.ndarray, "slot look"]  # scratch: how each track lies for the present scan
    work: Float64[np.ndarray, "5 9 9"]  # scratch


def log_odds(p: float) -> float:
    """ln p / (1 - p), infinite at 0 and 1."""
    return -inf if p <= 0.0 else inf if p >= 1.0 else log(p / (1.0 - p))


def biased_sensors(config: TrackerConfig) -> int:
    """One more than the highest number of a sensor whose bias may differ from 0; 0: no bias is considered."""
    return max((b.sensor + 1 for b in config.biases if max(b[1:]) > 0.0), default=0)


def settings(config: TrackerConfig) -> Settings:
    """Settings of a configuration. Raises ScenarioError for values that no tracker can work with."""
    problems = []
    c = config
    if not c.models:
        problems.append("models must name at least one motion model")
    if not 0 < c.confirm_hits <= c.confirm_of <= 62:
        problems.append("confirm_hits must lie in 1..confirm_of and confirm_of in 1..62")
    for name in ("delete_missed", "delete_missed_tentative", "max_tracks", "merge_times"):
        most = TRACKS_MAX if name == "max_tracks" else COUNT_MAX
        if not 1 <= getattr(c, name) <= most:
            problems.append(f"{name} must lie in 1..{most}")
    for name in ("gate", "initiate_miss", "delete_sigma_m", "survive_s", "initiate_speed_max_m_s"):
        if not 0.0 < getattr(c, name) < inf:
            problems.append(f"{name} must be finite and above 0")
    for name in (
        "ambiguity", "resolution_sigma", "initiate_window_s", "spawn_distance_m", "cue_resolve_s", "time_sigma_s",
        "delete_ghost",
    ):  # fmt: skip
        if not 0.0 <= getattr(c, name) < inf:
            problems.append(f"{name} must be finite and at least 0")
    if not 0.0 < c.spawn_sigma_m_s < inf:
        problems.append("spawn_sigma_m_s must be finite and above 0")
    if not 0.0 <= c.initiate_crossing_min_rad <= pi:
        problems.append("initiate_crossing_min_rad must lie in 0..pi")
    if not c.initiate_height_min_m < c.initiate_height_max_m:
        problems.append("initiate_height_min_m must be below initiate_height_max_m")
    if not 0.0 <= c.confirm_existence < 1.0 or not 0.0 <= c.delete_existence < 1.0:
        problems.append("confirm_existence and delete_existence must lie in [0, 1)")
    for b in c.biases:
        if not (0 <= b.sensor < SENSORS and 0.0 <= min(b[1:]) <= max(b[1:]) < inf):
            problems.append(f"a bias needs a sensor number in 0..{SENSORS - 1} and finite sigmas >= 0: {b}")
    if len({b.sensor for b in c.biases}) < len(c.biases):
        problems.append("biases must name every sensor once")
    if problems:
        raise ScenarioError(
            "; ".join(problems),
            where="[tracker]",
            remedy="see noroshi.tracking.presets for settings that work",
        )
    bias = np.zeros((biased_sensors(c), 3))
    for b in c.biases:
        if b.sensor < len(bias):
            bias[b.sensor] = b.az_rad**2, b.el_rad**2, b.range_m**2
    return Settings(
        motion=np.array([parameters(m) for m in c.models]),
        bias=bias,
        sense=bool(c.sense),
        gate=float(c.gate),
        ambiguity=float(c.ambiguity),
        resolution=float(c.resolution_sigma),
        window=float(c.initiate_window_s),
        miss=float(c.initiate_miss),
        height_min=float(c.initiate_height_min_m),
        height_max=float(c.initiate_height_max_m),
        speed_max=float(c.initiate_speed_max_m_s),
        crossing_cos=float(np.cos(c.initiate_crossing_min_rad)),
        single=bool(c.initiate_single),
        spawn_distance=float(c.spawn_distance_m),
        spawn_sigma=float(c.spawn_sigma_m_s),
        confirm_hits=int(c.confirm_hits),
        confirm_of=int(c.confirm_of),
        confirm_score=log_odds(c.confirm_existence),
        delete_missed=int(c.delete_missed),
        delete_missed_tentative=int(c.delete_missed_tentative),
        delete_score=log_odds(c.delete_existence),
        delete_record=-float(c.delete_ghost) if c.delete_ghost > 0.0 else -inf,
        delete_sigma=float(c.delete_sigma_m),
        survive=float(c.survive_s),
        merge_times=int(c.merge_times),
        cue_resolve=float(c.cue_resolve_s),
        time_sigma=float(c.time_sigma_s),
    )


def init(config: TrackerConfig) -> State:
    """An empty tracker. Raises ScenarioError as `settings` does."""
    settings(config)  # before its size is believed
    n, models = config.max_tracks, len(config.models)
    biased = biased_sensors(config)
    info = np.zeros((n, INFO), np.int64)
    info[:, TRACK] = -1
    info[:, STATUS] = int(Status.DELETED)
    return State(
        clock=np.array([-inf]),
        counters=np.zeros(COUNTERS, np.int64),
        slots=np.zeros(n, np.int64),
        mean=np.zeros((n, models, WIDTH)),
        cov=np.zeros((n, models, WIDTH, WIDTH)),
        weight=np.zeros((n, models)),
        cross=np.zeros((n, models, biased, WIDTH, 3)),
        score=np.zeros(n),
        quiet=np.zeros((n, 3)),
        info=info,
        seen=np.zeros(SENSORS, np.int64),
        left=np.zeros((LEFTOVERS, LEFT_WIDTH)),
        left_int=np.zeros((LEFTOVERS, 2), np.int64),
        used=np.zeros((32 * n + LEFTOVERS, 2), np.int64),
        cue_mean=np.zeros((n, WIDTH)),
        cue_cov=np.zeros((n, WIDTH, WIDTH)),
        cue_track=np.full(n, -1),
        cue_time=np.zeros(n),
        looks=np.zeros((n, LOOK)),
        work=np.zeros((5, WIDTH, WIDTH)),
    )


def copied(state: State) -> State:
    """A state of its own with the same contents."""
    return State(*(column.copy() for column in state))


def cue(
    state: State,
    config: TrackerConfig,
    t: float,
    means: Float64[np.ndarray, "track 9"],
    covs: Float64[np.ndarray, "track 9 9"],
    originators: int = 0,
) -> None:
    """Start confirmed tracks at time t from given states, in place (a cue from elsewhere, or a benchmark).

    The third triple is the acceleration; a model that carries something else starts from its own prior for it. With
    `cue_resolve_s` above 0 a cue gives its name, for good, only that much later to the track it fits best by then.
    Raises ScenarioError when they are more than the slots left, or t lies in the past.
    """
    from noroshi.tracking.transition import meaning, prior

    free = np.flatnonzero(state.info[:, TRACK] < 0)
    if len(free) < len(means) or t < state.clock[0]:
        raise ScenarioError(
            f"cannot start {len(means)} tracks at t = {t}: {len(free)} slots are left, clock {state.clock[0]}",
            where="[tracker]",
            remedy="raise max_tracks, or cue before the scans",
        )
    if state.counters[LIVE] and t != state.clock[0]:
        raise ScenarioError(
            "tracks can be cued only at the tracker's present time", where="[tracker]", remedy="cue first"
        )
    rows = settings(config).motion
    state.clock[0] = t
    state.counters[CLOSED] = 0
    extras, var = np.empty(3), np.empty(3)
    for k, mean, cov in zip(free, means, covs, strict=False):
        state.mean[k] = mean
        state.cov[k] = cov
        state.cross[k] = 0.0
        for m, par in enumerate(rows):
            if meaning(par) != 0:
                prior(par, extras, var)
                state.mean[k, m, 6:] = extras
                state.cov[k, m, 6:] = 0.0
                state.cov[k, m, :, 6:] = 0.0
                state.cov[k, m, range(6, 9), range(6, 9)] = var
        state.weight[k] = 1.0 / len(rows)
        state.score[k] = EXISTENCE_MAX
        state.quiet[k] = (0.0, -inf, RECORD_MAX)
        state.info[k] = 0
        number = state.counters[NEXT_TRACK]
        state.counters[NEXT_TRACK] += 1
        state.info[k, TRACK] = number
        state.info[k, STATUS] = int(Status.CONFIRMED)
        state.info[k, HISTORY] = (1 << config.confirm_of) - 1
        state.info[k, ORIGINATORS] = originators
        state.info[k, TWIN] = -1
        c = state.counters[CUES]
        if config.cue_resolve_s > 0.0 and c < len(state.cue_track):
            state.cue_mean[c], state.cue_cov[c] = mean, cov
            state.cue_track[c], state.cue_time[c] = number, t + config.cue_resolve_s
            state.counters[CUES] += 1
    live = np.flatnonzero(state.info[:, TRACK] >= 0)
    state.counters[LIVE] = len(live)
    state.slots[: len(live)] = live
