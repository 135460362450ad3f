"""Everything a tracker remembers between scans, and its settings in the form compiled code reads."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from noroshi.constants import EARTH_MU
from noroshi.errors import ScenarioError
from noroshi.tables import Status
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH
from noroshi.tracking.models import Motion, TrackerConfig

LEFTOVERS = 2048  # capacity of the table of unassociated detections
SENSORS = 1024  # sensors that may report at one time and still be checked for repeats

# counters
NEXT_TRACK = 0
LEFT = 1  # leftovers kept
SEEN = 2  # sensors heard at the current time
CLOSED = 3  # 1: the current time is closed
USED = 4  # contributions at the current time
ROWS = 5  # finished rows ready to be read
USED_OUT = 6  # finished contributions ready to be read
LATE = 7  # scans refused because their time was over
REPEATED = 8  # scans refused because the sensor had reported at that time
OVERFLOW_TRACKS = 9  # tracks not started for want of a slot
OVERFLOW_LEFT = 10  # detections not kept for initiation
OVERFLOW_USED = 11  # contributions not listed
COUNTERS = 12

# columns of State.info, one row for each slot
LIVE = 0  # 1: the slot holds a track
TRACK = 1  # its number, for ever
STATUS = 2
HISTORY = 3  # hit or not at the last times it was looked for, one bit each
HITS = 4  # detections used at the current time
EXPECTED = 5  # 1: in view of a scan of the current time
MISSED = 6  # looks in a row without a detection
ORIGINATORS = 7
INFO = 8

# columns of State.left and State.row
LEFT_DET = SCAN_WIDTH
LEFT_Z = SCAN_WIDTH + DETECTION_WIDTH
LEFT_WIDTH = LEFT_Z + 3
ROW_COV = 9
ROW_MODES = 54
ROW_WIDTH = 57


class Settings(NamedTuple):
    """A TrackerConfig as plain numbers of fixed type."""

    motion: Float64[np.ndarray, "3 4"]
    dwell: Float64[np.ndarray, "3"]
    mu: float
    gate: float
    window: float
    miss: float
    height_min: float
    height_max: float
    speed_max: float
    crossing_cos: float
    confirm_hits: int
    confirm_of: int
    delete_missed: int
    delete_missed_tentative: int
    delete_sigma: float


class State(NamedTuple):
    """A tracker between two scans; its arrays are changed in place. Few arrays, so that compiling stays quick."""

    clock: Float64[np.ndarray, "2"]  # time now, time of the finished rows
    counters: Int64[np.ndarray, "12"]
    mean: Float64[np.ndarray, "slot 3 9"]
    cov: Float64[np.ndarray, "slot 3 9 9"]
    weight: Float64[np.ndarray, "slot 3"]
    score: Float64[np.ndarray, "slot"]  # log-likelihood ratio against clutter
    quiet: Float64[np.ndarray, "slot 2"]  # see kernel._hush: log-chance of this time's misses, last time seen
    info: Int64[np.ndarray, "slot 8"]  # LIVE, TRACK, ...
    twin: Int64[np.ndarray, "slot slot"]  # times in a row that two tracks looked the same
    seen: Int64[np.ndarray, "sensor"]  # sensors heard at the current time
    left: Float64[np.ndarray, "left 39"]  # unassociated: scan row, detection row, direction in GCRS
    left_int: Int64[np.ndarray, "left 2"]  # detection, originator bits
    used: Int64[np.ndarray, "used 2"]  # track, detection: contributions of the current time
    row: Float64[np.ndarray, "slot 57"]  # finished rows: mean 9, covariance 45, modes 3
    row_int: Int64[np.ndarray, "slot 4"]  # track, status, hits, originators
    used_out: Int64[np.ndarray, "used 2"]  # contributions that belong to the finished rows


def default_config() -> TrackerConfig:
    """The tracker's defaults, all notional: chosen on synthetic flights, reasons beside each figure."""
    return TrackerConfig(
        # thrust: constant acceleration; it grows by at most ~1.5 m/s3 as a stage empties and turns by under a
        # degree a second; 30 m/s2 is what is believed before anything is known of it (10-60 m/s2 fly)
        boost=Motion(tau_s=inf, sigma_m_s2=30.0, jerk_psd=2.0, velocity_psd=0.0),
        # nothing but gravity; 1e-4 m2/s3 covers harmonics above J2 (3e-5 m/s2 sustained) and the last of the air
        ballistic=Motion(tau_s=0.0, sigma_m_s2=0.0, jerk_psd=0.0, velocity_psd=1e-4),
        # lift 4-10 m/s2 that may change sign in seconds, drag 1-4 m/s2 of a glider; the onset of re-entry
        manoeuvring=Motion(tau_s=20.0, sigma_m_s2=10.0, jerk_psd=0.0, velocity_psd=0.0),
        dwell_s=(
            100.0,
            400.0,
            100.0,
        ),  # a boost of 60-250 s, a coast of minutes, a glide phase between reversals
        gate=20.0,  # chi-square 2 dof: 0.99995, 3 dof: 0.9998
        initiate_window_s=1.5,  # the next scan of a 1 Hz sensor, with any offset, still pairs
        initiate_miss=4.0,
        initiate_height_min_m=0.0,
        initiate_height_max_m=1_500_000.0,  # above the apogee of an intermediate-range flight
        initiate_speed_max_m_s=8_000.0,  # above circular speed nothing comes down
        initiate_crossing_min_rad=0.14,  # 8 deg: sigma along the bisector is 10 R sigma
        confirm_hits=3,
        confirm_of=5,
        delete_missed=150,  # 20 s with seven sensors looking: the gap between burn-out and a radar's first plot
        delete_missed_tentative=12,  # a dim start (p 0.3) survives 12 looks with 0.986; a ghost dies in seconds
        delete_sigma_m=50_000.0,
        max_tracks=256,
    )


def settings(config: TrackerConfig, mu: float = EARTH_MU) -> Settings:
    """Settings of a configuration. mu = 0 switches gravity off (kinematic benchmarks).

    Raises ScenarioError for values that no tracker can work with.
    """
    motion = np.array([config.boost, config.ballistic, config.manoeuvring], dtype=np.float64)
    dwell = np.array(config.dwell_s, dtype=np.float64)
    problems = []
    if np.isnan(motion).any() or (motion < 0.0).any() or np.isinf(motion[:, 1:]).any():
        problems.append("motion models need values >= 0; only tau_s may be inf")
    if dwell.shape != (3,) or np.isnan(dwell).any() or (dwell < 0.0).any() or not (dwell > 0.0).any():
        problems.append("dwell_s needs three values >= 0, at least one of them above 0")
    if not 0 < config.confirm_hits <= config.confirm_of <= 62:
        problems.append("confirm_hits must lie in 1..confirm_of and confirm_of in 1..62")
    if config.delete_missed < 1 or config.delete_missed_tentative < 1 or config.max_tracks < 1:
        problems.append("delete_missed, delete_missed_tentative and max_tracks must be at least 1")
    if not config.gate > 0.0 or not config.initiate_miss > 0.0 or not config.delete_sigma_m > 0.0:
        problems.append("gate, initiate_miss and delete_sigma_m must be above 0")
    if not config.initiate_height_min_m < config.initiate_height_max_m:
        problems.append("initiate_height_min_m must be below initiate_height_max_m")
    if problems:
        raise ScenarioError(
            "; ".join(problems), where="[tracker]", remedy="see noroshi.tracking.state.default_config"
        )
    return Settings(
        motion,
        dwell,
        float(mu),
        float(config.gate),
        float(config.initiate_window_s),
        float(config.initiate_miss),
        float(config.initiate_height_min_m),
        float(config.initiate_height_max_m),
        float(config.initiate_speed_max_m_s),
        float(np.cos(config.initiate_crossing_min_rad)),
        int(config.confirm_hits),
        int(config.confirm_of),
        int(config.delete_missed),
        int(config.delete_missed_tentative),
        float(config.delete_sigma_m),
    )


def init(config: TrackerConfig) -> State:
    """An empty tracker."""
    n = config.max_tracks
    info = np.zeros((n, INFO), np.int64)
    info[:, TRACK] = -1
    info[:, STATUS] = int(Status.DELETED)
    return State(
        clock=np.array([-inf, -inf]),
        counters=np.zeros(COUNTERS, np.int64),
        mean=np.zeros((n, 3, 9)),
        cov=np.zeros((n, 3, 9, 9)),
        weight=np.zeros((n, 3)),
        score=np.zeros(n),
        quiet=np.zeros((n, 2)),
        info=info,
        twin=np.zeros((n, n), np.int64),
        seen=np.zeros(SENSORS, np.int64),
        left=np.zeros((LEFTOVERS, LEFT_WIDTH)),
        left_int=np.zeros((LEFTOVERS, 2), np.int64),
        used=np.zeros((32 * n + LEFTOVERS, 2), np.int64),
        row=np.zeros((n, ROW_WIDTH)),
        row_int=np.zeros((n, 4), np.int64),
        used_out=np.zeros((32 * n + LEFTOVERS, 2), np.int64),
    )


def cue(
    state: State,
    config: TrackerConfig,
    t: float,
    means: Float64[np.ndarray, "track 9"],
    covs: Float64[np.ndarray, "track 9 9"],
    originators: int = 0,
) -> None:
    """Start confirmed tracks at time t from given states, in place (a cue from elsewhere, or a benchmark).

    Every active model starts from the same Gaussian (the ballistic one ignores the acceleration at its first
    prediction). Raises ScenarioError when they are more than the slots left, or t lies in the past.
    """
    free = np.flatnonzero(state.info[:, LIVE] == 0)
    if len(free) < len(means) or t < state.clock[0]:
        raise ScenarioError(
            f"cannot start {len(means)} tracks at t = {t}: {len(free)} slots are left, clock {state.clock[0]}",
            where="[tracker]",
            remedy="raise max_tracks, or cue before the scans",
        )
    if state.info[:, LIVE].any() and t != state.clock[0]:
        raise ScenarioError(
            "tracks can be cued only at the tracker's present time", where="[tracker]", remedy="cue first"
        )
    active = np.array(config.dwell_s) > 0.0
    state.clock[0] = t
    state.counters[CLOSED] = 0
    for k, mean, cov in zip(free, means, covs, strict=False):
        state.mean[k] = mean
        state.cov[k] = cov
        state.weight[k] = active / active.sum()
        state.score[k] = 0.0
        state.quiet[k] = (0.0, -inf)
        history = (1 << config.confirm_of) - 1
        number = state.counters[NEXT_TRACK]
        state.counters[NEXT_TRACK] += 1
        state.info[k] = (1, number, int(Status.CONFIRMED), history, 0, 0, 0, originators)
        state.twin[k, :] = 0
        state.twin[:, k] = 0
