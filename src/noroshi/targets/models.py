"""Flights as plain numbers in SI and radians, and the trajectory they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import radians
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int8

from noroshi.targets.radiators import Model


class BallisticFlight(NamedTuple):
    """Published facts of a ballistic flight: from these `targets.ballistic.rebuild` finds the trajectory."""

    launch_lat_rad: float
    launch_lon_rad: float
    launch_height_m: float
    impact_lat_rad: float
    impact_lon_rad: float
    apogee_m: float  # height above the ellipsoid
    boost_s: float
    ballistic_coefficient_kg_m2: float  # m / (Cd A)
    mass_fraction: (
        float  # propellant share of the launch mass: thrust acceleration grows as 1 / (1 - share t / boost)
    )
    vertical_s: float  # vertical rise before the pitch-over


class ShapedFlight(NamedTuple):
    """A ballistic flight whose apogee follows from a shape; see `targets.shapes`."""

    facts: BallisticFlight  # its apogee counts for nothing
    shape: Literal["minimum-energy", "lofted", "depressed"]
    apogee_factor: float | None  # of the minimum-energy apogee
    burnout_angle_rad: float | None  # of the path above the horizontal


class Stage(NamedTuple):
    """One stage of a booster: constant thrust and mass flow."""

    thrust_n: float
    propellant_kg: float
    burn_s: float
    inert_kg: float  # dropped at its burn-out
    coast_s: float = 0.0  # without thrust before its ignition


class Pitch(NamedTuple):
    """Direction of thrust: vertical rise, then a table of tilts from the launch site's vertical, then what it ends in.

    Between the times of the table (after launch) the tilt changes evenly, from 0 at the end of the rise. After it
    the thrust keeps the last tilt, or follows the velocity relative to the air (a gravity turn).
    """

    vertical_s: float
    times_s: tuple[float, ...]
    tilt_rad: tuple[float, ...]
    gravity_turn: bool


class StagedFlight(NamedTuple):
    """A staged booster flown as stated: apogee and impact follow, nothing is solved."""

    launch_lat_rad: float
    launch_lon_rad: float
    launch_height_m: float
    azimuth_rad: float  # of the tilt, clockwise from north
    stages: tuple[Stage, ...]
    pitch: Pitch
    payload_kg: float
    drag_area_m2: float  # Cd A of the whole booster while it burns and coasts
    ballistic_coefficient_kg_m2: float  # of the payload, after the last burn-out


class GlideFlight(NamedTuple):
    """A boost-glide flight: boost to equilibrium glide at `glide_speed_m_s`, then a bank schedule."""

    launch_lat_rad: float
    launch_lon_rad: float
    launch_height_m: float
    azimuth_rad: float  # of the launch, clockwise from north
    boost_s: float
    mass_fraction: float
    vertical_s: float
    glide_speed_m_s: float  # relative to the air, at burn-out
    lift_to_drag: float
    ballistic_coefficient_kg_m2: float
    bank_times_s: tuple[float, ...]  # after launch, grid times; the bank holds until the next
    bank_rad: tuple[float, ...]  # positive: turn to the right
    end_speed_m_s: float  # the glide ends here (or at the ground)
    density_factor: float
    glide_height_m: float | None = None  # stated by a source: checked against equilibrium, never flown
    waypoints_rad: tuple[
        tuple[float, float], ...
    ] = ()  # latitude, longitude to pass over, instead of a schedule
    bank_limit_rad: float = radians(45.0)  # towards waypoints


class AirFlight(NamedTuple):
    """A flight of wings through waypoints on WGS-84: fly-by turns, level in them; `targets.air` flies it.

    At each waypoint it turns at that speed and height; between two the speed changes evenly in time, the height
    at an even rate. `closed`: from the last waypoint back to the first, `laps` times round (inf: until asked to
    stop), starting where the turn at the first waypoint ends.
    """

    lat_rad: tuple[float, ...]  # of the waypoints
    lon_rad: tuple[float, ...]
    height_m: tuple[float, ...]  # above the ellipsoid
    speed_m_s: tuple[float, ...]  # over the ground, that is of the point below on the ellipsoid
    bank_limit_rad: float
    climb_limit_m_s: float  # climbing or descending
    acceleration_limit_m_s2: float  # along the path
    closed: bool = False
    laps: float = 1.0
    turn_radius_m: float | None = None  # of every turn; None: the smallest that the bank limit allows


class Record(NamedTuple):
    """A recorded trajectory as its file states it; `targets.recorded` puts it on a grid.

    Axes are those of `frame`: "ITRS", "GCRS", "EME2000" or "TEME". `day`, `fraction` (TT, two-part Julian
    date) are the instant of t = 0, nan where the file knows none.
    """

    name: str
    where: str  # file, for messages
    frame: str
    day: float
    fraction: float
    t: Float64[np.ndarray, "row"]  # s after the first row
    r: Float64[np.ndarray, "row 3"]
    v: Float64[np.ndarray, "row 3"] | None  # None: not recorded
    method: str  # "lagrange" or "hermite", as the file asks; "spline" where it does not say
    degree: int
    useable: tuple[float, float]  # first and last t that may be used


@dataclass(frozen=True)
class Trajectory:
    """A flight on a uniform grid from launch: t [s after launch], ITRS position and velocity, phase."""

    t: Float64[np.ndarray, "step"]
    r_itrs: Float64[np.ndarray, "step 3"]
    v_itrs: Float64[np.ndarray, "step 3"]
    phase: Int8[np.ndarray, "step"]  # tables.Phase
    t_end: float  # impact (height 0) or end of the record, not on the grid in general
    r_end_itrs: Float64[np.ndarray, "3"]


class Target(NamedTuple):
    """A flight with its launch time and what sensors can see of it."""

    name: str
    trajectory: Trajectory
    t_launch: float  # s past the scenario epoch, on the grid
    intensity_w_sr: Mapping[str, Mapping[str, float]]  # band -> phase name (boost, coast, ...) -> W/sr
    rcs_m2: float
    signature: Model | None = None  # for the bands and phases that intensity_w_sr does not state
