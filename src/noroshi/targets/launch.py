"""What one flight and many share: site and distance, phases, and where a booster's controls are looked for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from scipy.ndimage import minimum_filter

from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU, EARTH_RATE_RAD_S, GRAVITY_M_S2
from noroshi.earth import geodesic
from noroshi.tables import Phase
from noroshi.targets import boost
from noroshi.targets.ellipse import free_flight
from noroshi.targets.integrate import height
from noroshi.targets.models import BallisticFlight, GlideFlight

SURVEY_THRUST = GRAVITY_M_S2 * np.geomspace(0.9, 40.0, 72)
SURVEY_TILT = np.deg2rad(np.linspace(0.0, 120.0, 121))
REENTRY_M = 100e3  # below it, descending, the phase is REENTRY (the usual edge of space)
GOOD_START = 0.1**2  # apogee and range of the survey within a tenth


def site_of(flight: BallisticFlight | GlideFlight) -> boost.Site:
    """The launch site and booster of a flight."""
    return boost.Site(
        flight.launch_lat_rad,
        flight.launch_lon_rad,
        flight.launch_height_m,
        flight.boost_s,
        flight.vertical_s,
        flight.mass_fraction,
        flight.ballistic_coefficient_kg_m2,
    )


def distance_of(flight: BallisticFlight) -> float:
    """Geodesic from launch to impact [m]."""
    distance, _ = geodesic(
        flight.launch_lat_rad, flight.launch_lon_rad, flight.impact_lat_rad, flight.impact_lon_rad
    )
    return float(distance)


def phases(t: Float[np.ndarray, "step"], states: Float[np.ndarray, "step 6"], boost_s: float) -> np.ndarray:
    """BOOST to burn-out, COAST, REENTRY below 100 km on the way down."""
    down = (height(states[:, :3]) < REENTRY_M) & ((states[:, :3] * states[:, 3:]).sum(1) < 0.0)
    phase = np.where(down, Phase.REENTRY, Phase.COAST)
    return np.where(t < boost_s - 1e-9, Phase.BOOST, phase).astype(np.int8)


def guess(flight: BallisticFlight, site: boost.Site, distance: float) -> Float64[np.ndarray, "3"]:
    """Controls of the nearest flight of the survey, which has no air.

    Seen from the stars the impact point moves on during the flight, and the launch site carries the body with it.
    Depressed flights can have a second solution that burns out near the apogee with more thrust, spent on holding
    the body down; of all good minima the one with the least thrust is taken.
    """
    burnout, miss, azimuth, ground = _survey(flight, site, distance)
    least = minimum_filter(miss, size=3, mode="nearest") == miss
    good = least & (miss <= max(GOOD_START, float(miss.min())))
    i, j = np.argwhere(good)[0]  # thrusts ascend
    level = burnout.level[i, j, 0]
    east, north = level * np.sin(azimuth) - ground, level * np.cos(azimuth)
    return np.array([SURVEY_THRUST[i], *(SURVEY_TILT[j] / np.hypot(east, north) * np.array([east, north]))])


def _continue(burnout: boost.Burnout) -> tuple[np.ndarray, np.ndarray]:
    """Apogee height and range of free flight from burn-out [m], sphere; nan where it does not come down."""
    r, level = burnout.radius, burnout.level
    momentum = r * level
    parameter = momentum**2 / EARTH_MU
    energy = 0.5 * (burnout.climb**2 + level**2) - EARTH_MU / r
    with np.errstate(invalid="ignore", divide="ignore"):
        a = np.where(energy < 0.0, -0.5 * EARTH_MU / energy, np.nan)
        e = np.sqrt(np.maximum(1.0 - parameter / a, 1e-16))
        top = a * (1.0 + e)
        at = np.arccos(np.clip((parameter / r - 1.0) / e, -1.0, 1.0))
        at = np.where(burnout.climb < 0.0, 2.0 * np.pi - at, at)
        ground = (parameter / EARTH_MEAN_RADIUS_M - 1.0) / e
        down = 2.0 * np.pi - np.arccos(np.where(np.abs(ground) < 1.0, ground, np.nan))
        reach = EARTH_MEAN_RADIUS_M * (burnout.angle + down - at)
    flies = (burnout.climb > 0.0) & (r > EARTH_MEAN_RADIUS_M)
    return np.where(flies, top - EARTH_MEAN_RADIUS_M, np.nan), np.where(flies, reach, np.nan)


def likely(flight: BallisticFlight, site: boost.Site, distance: float) -> bool:
    """Whether the survey has a flight near this one that a booster could fly: a hundredth of the work of solving it.

    Twice the tolerance of a start and a tenth of thrust are left for air, rotation and the grid's own steps.
    """
    _, miss, _, _ = _survey(flight, site, distance)
    hardest = boost.BURNOUT_LIMIT_M_S2 * (1.0 - site.mass_fraction)
    can = (SURVEY_THRUST > 0.9 * GRAVITY_M_S2) & (hardest > SURVEY_THRUST / 1.1)
    return bool((miss[can] < 4.0 * GOOD_START).any())


def _survey(
    flight: BallisticFlight, site: boost.Site, distance: float
) -> tuple[boost.Burnout, Float64[np.ndarray, "thrust tilt"], float, float]:
    """Burn-outs of all controls, how far off in logarithms squared, azimuth seen from the stars, ground speed."""
    time = free_flight(flight.apogee_m, distance).time_s + flight.boost_s
    ahead = flight.impact_lon_rad + EARTH_RATE_RAD_S * time
    reach_m, azimuth = (
        float(x) for x in geodesic(flight.launch_lat_rad, flight.launch_lon_rad, flight.impact_lat_rad, ahead)
    )
    ground = EARTH_RATE_RAD_S * EARTH_MEAN_RADIUS_M * np.cos(flight.launch_lat_rad)
    burnout = boost.survey(site, SURVEY_THRUST, SURVEY_TILT, np.zeros(1), ground * np.sin(azimuth))
    apogee, reach = (x[:, :, 0] for x in _continue(burnout))
    with np.errstate(divide="ignore", invalid="ignore"):
        miss = np.log(apogee / flight.apogee_m) ** 2 + np.log(reach / reach_m) ** 2
    return burnout, np.where(np.isfinite(miss), miss, np.inf), azimuth, ground
