"""Nodes, entry points, links and rules as plain values."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

Level = Literal["none", "cue", "track", "tracklet", "detection"]
LEVELS: tuple[Level, ...] = ("none", "cue", "track", "tracklet", "detection")


class Node(NamedTuple):
    """One nation's fusion centre."""

    nation: str
    r_itrs: Float64[np.ndarray, "3"]
    fusion_wait_s: float  # a scan that arrives later than this after its event is too late


class EntryPoint(NamedTuple):
    """A ground station where one nation's satellites may land their data."""

    name: str
    nation: str
    r_itrs: Float64[np.ndarray, "3"]
    up_itrs: Float64[np.ndarray, "3"]
    elevation_min_rad: float
    processing_s: float


class SpaceLinks(NamedTuple):
    """What a link between two satellites of one nation needs."""

    range_max_m: float
    grazing_height_m: float
    hop_s: float  # per satellite passed


class GroundLinks(NamedTuple):
    """Terrestrial links: light in fibre over the geodesic, times a detour factor, plus a fixed delay."""

    detour: float
    fixed_s: float


class ShareRule(NamedTuple):
    """What one nation lets another have. Anything that no rule names stays at home."""

    source: str  # `from` in the scenario
    to: str
    level: Level
    delay_s: float  # review before release
