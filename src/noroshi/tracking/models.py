"""What a tracker is told: its motion models, gates, and the rules of association, initiation and confirmation."""

from __future__ import annotations

from typing import NamedTuple

from noroshi.tracking.parameters import Motion


class Bias(NamedTuple):
    """What a sensor's constant registration errors may be, 1 sigma, about zero; considered, never corrected for."""

    sensor: int
    az_rad: float  # across the azimuth: the angle on the sky, not azimuth itself
    el_rad: float
    range_m: float = 0.0


class TrackerConfig(NamedTuple):
    """The tracker's settings; most of them may be given in a scenario's [tracker]."""

    models: tuple[Motion, ...]
    sense: bool  # weigh the models by what physics allows of missiles (mixture.weigh_sense), and by silence
    gate: float  # squared Mahalanobis distance
    # joint assignments closer than this in log-likelihood are ambiguous: tracks take shares of all; 0: never
    ambiguity: float
    resolution_sigma: float  # closer than this many sigmas, two targets may give one detection
    initiate_window_s: float  # lines of sight (or radar plots) at most this far apart may start a track
    initiate_miss: float  # in sigmas of the miss distance
    initiate_height_min_m: float
    initiate_height_max_m: float
    initiate_speed_max_m_s: float
    initiate_crossing_min_rad: float
    initiate_single: bool  # a tentative track along the line of one satellite alone
    spawn_distance_m: float  # a track started so near a confirmed one is believed to fly like it
    spawn_sigma_m_s: float  # give or take this
    confirm_hits: int  # M of the last N update times with a detection
    confirm_of: int
    confirm_existence: float  # and the probability that there is a target at all
    delete_missed: int  # expected looks missed in a row: a confirmed track dies
    delete_missed_tentative: int
    delete_existence: float  # or when the probability that there is a target falls below this
    delete_ghost: float  # or when its looks are likelier for a ghost, exp(this) to 1; 0: never
    delete_sigma_m: float  # or when its position sigma exceeds this
    survive_s: float  # mean time that a target goes on being one
    merge_times: int  # so many update times in a row alike and fed by the same detections: one track
    cue_resolve_s: float  # a cue's name settles on a track after so long; 0: at once
    time_sigma_s: float  # of the scans' time tags
    biases: tuple[Bias, ...]
    max_tracks: int
