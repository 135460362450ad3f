"""Areas and the warning rule as plain values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64


class Area(NamedTuple):
    """A listed area: a convex polygon on the ellipsoid (vertices in order), or a circle (one vertex, radius)."""

    name: str
    lat_rad: Float64[np.ndarray, "vertex"]
    lon_rad: Float64[np.ndarray, "vertex"]
    radius_m: float  # 0 for a polygon


class WarningRule(NamedTuple):
    """When a node warns an area."""

    probability_min: float
    corridor_m: float  # the ground track may pass this far from the area and still count
    major_axis_max_m: float  # 1-sigma
    updates: int  # consecutive
    public_delay_s: float  # decision to siren
    bank_limit_rad: float  # glide footprint
    lift_to_drag: float  # assumed of a glider
    end_speed_m_s: float  # a glider is taken to fall when slower
