"""Ready-made settings of the tracker; every figure is notional unless a source stands beside it."""

from __future__ import annotations

from difflib import get_close_matches
from math import inf

from noroshi.errors import ScenarioError
from noroshi.tracking.models import Motion, TrackerConfig
from noroshi.tracking.state import default_config

NAMES = ("space-infrared", "radar", "air")
_OFF = Motion(tau_s=0.0, sigma_m_s2=0.0, jerk_psd=0.0, velocity_psd=0.0)


def preset(name: str) -> TrackerConfig:
    """The configuration of this name. Raises ScenarioError for another one."""
    if (
        name == "space-infrared"
    ):  # boosters, bodies and gliders seen by angles from orbit: the tracker's defaults
        return default_config()
    if (
        name == "radar"
    ):  # the same targets seen by radars that see them cold: absence says more, plots start tracks
        return default_config()._replace(
            delete_missed=8,  # p_detect 0.9: a target in view misses 8 looks in a row once in 1e8
            delete_missed_tentative=3,  # false plots do not repeat
            delete_sigma_m=20_000.0,
            initiate_height_min_m=-500.0,
            max_tracks=512,
        )
    if name == "air":
        return default_config()._replace(
            # carried by wings: the lift of 9.8 m/s2 against gravity stays, so constant acceleration, nearly
            # undriven in straight flight (turbulence, and the turning of the vertical with the Earth) ...
            boost=Motion(tau_s=inf, sigma_m_s2=10.0, jerk_psd=0.02, velocity_psd=0.05),
            ballistic=_OFF,
            # ... and driven in turns: 8 m/s2 (3 deg/s at 150 m/s) put on or taken off within five seconds, 64/5
            manoeuvring=Motion(tau_s=inf, sigma_m_s2=10.0, jerk_psd=13.0, velocity_psd=1.0),
            dwell_s=(120.0, 0.0, 30.0),  # minutes straight, a turn of half a minute
            initiate_window_s=1.5,
            initiate_height_min_m=-500.0,  # below the ellipsoid by the geoid, and by the error of a low plot
            initiate_height_max_m=25_000.0,  # above the ceiling of aircraft
            initiate_speed_max_m_s=1_000.0,  # Mach 3
            delete_missed=6,
            delete_missed_tentative=3,
            delete_sigma_m=10_000.0,
            max_tracks=1024,
        )
    close = get_close_matches(name, NAMES, n=1, cutoff=0.5)
    remedy = f"did you mean {close[0]}?" if close else f"one of {', '.join(NAMES)}"
    raise ScenarioError(f"no configuration is called {name!r}", where="--config", remedy=remedy)
