"""What a tracker is told: three motion models, gates, initiation and confirmation rules."""

from __future__ import annotations

from typing import NamedTuple


class Motion(NamedTuple):
    """One motion model. State: position, velocity, acceleration beyond gravity (thrust, lift, drag).

    The acceleration beyond gravity is a first-order Gauss-Markov process (Singer): time constant `tau_s`,
    standard deviation `sigma_m_s2`. tau = inf: white jerk of PSD `jerk_psd` (constant acceleration).
    sigma = 0 with jerk_psd = 0: none at all (a ballistic flight above the air); `velocity_psd` [m2/s3] is added
    white acceleration noise.
    """

    tau_s: float
    sigma_m_s2: float
    jerk_psd: float
    velocity_psd: float


class TrackerConfig(NamedTuple):
    """The tracker's settings; all of them may be given in a scenario's [tracker]."""

    boost: Motion
    ballistic: Motion
    manoeuvring: Motion
    dwell_s: tuple[float, float, float]  # mean time a target stays in a mode
    gate: float  # squared Mahalanobis distance
    initiate_window_s: float  # lines of sight (or radar plots) at most this far apart may start a track
    initiate_miss: float  # in sigmas of the miss distance
    initiate_height_min_m: float
    initiate_height_max_m: float
    initiate_speed_max_m_s: float
    initiate_crossing_min_rad: float
    confirm_hits: int  # M of the last N update times with a detection
    confirm_of: int
    delete_missed: int  # expected looks missed in a row: a confirmed track dies
    delete_missed_tentative: int
    delete_sigma_m: float  # or when its position sigma exceeds this
    max_tracks: int
