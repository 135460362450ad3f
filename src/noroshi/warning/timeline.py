"""What time is left after the delays of a warning, and the civil yardstick for an impact prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from noroshi.errors import PhysicsError


class Yardstick(NamedTuple):
    """Largest error of a predicted impact point that civil range safety accepts, as shares of the range."""

    across: float
    down: float


# National Academies 9790 (2000), Streamlining Space Launch Range Safety, chapter 3; lag included
EASTERN_RANGE = Yardstick(0.005, 0.05)
WESTERN_RANGE = Yardstick(0.01, 0.01)


def time_left(event_s: float, delays_s: Sequence[float]) -> float:
    """Time between the end of a chain of delays and an event [s], both from launch; negative: too late."""
    if min(delays_s, default=0.0) < 0.0:
        raise PhysicsError(f"a delay of {min(delays_s):g} s is none", remedy="delays are 0 s or longer")
    return event_s - sum(delays_s)


def reach_lost(speed_m_s: float, latency_s: float) -> float:
    """Distance that something moving at a mean speed no longer covers when told later by `latency_s` [m]."""
    if speed_m_s < 0.0:
        raise PhysicsError(f"a speed of {speed_m_s:g} m/s is none", remedy="speeds are 0 m/s or more")
    return speed_m_s * latency_s


def within_range_safety(across_m: float, down_m: float, range_m: float, yardstick: Yardstick) -> bool:
    """Whether errors across and down range of an impact prediction meet a yardstick at a range from launch [m]."""
    if not range_m > 0.0:
        raise PhysicsError(f"an impact {range_m:g} m away has no range", remedy="give a range above 0 m")
    return across_m <= yardstick.across * range_m and down_m <= yardstick.down * range_m
