"""What targets look like to an infrared sensor, as plain numbers; `targets.signature` makes intensities of them.

Figures marked notional are ours. Those of plumes and aircraft are orders of magnitude, from memory of the open
literature and not verified (validation.md, V-U12).
"""

from __future__ import annotations

from math import radians
from typing import Literal, NamedTuple

SKIN_START_K = 300.0  # notional: a skin leaves the ground so, and has no time to cool below


class GliderShape(NamedTuple):
    """A flat wedge-shaped glider. Lengths and angles of the upper side: D. Wright's public program on HTV-2.

    Angles are against the velocity.
    """

    nose_radius_m: float = 0.034
    front_m: float = 2.9  # length of the front part, a triangle in plan
    length_m: float = 3.67
    half_plan_rad: float = radians(22.3)  # half-angle of that triangle
    rear_width_m: float = 2.2
    front_angle_rad: float = radians(11.3)  # slope of the upper side, front and rear
    rear_angle_rad: float = radians(7.6)
    lower_angle_rad: float = radians(12.0)  # notional: a flat lower side at the angle of attack of best glide
    emissivity: float = 0.85
    base_fraction: float = (
        0.03  # notional: flux into the base over that 1 m behind the nose on the upper side
    )
    density_factor: float = 1.0  # of the standard atmosphere


class Plume(NamedTuple):
    """A rocket plume, order of magnitude, unverified (V-U12)."""

    w_sr: float  # from the side, in 2.69-2.95 um
    trough: float = 0.3  # notional depth of the trough at 70-90 km; where it lies: G. Forden


# V-U12 gives 1e5 to 1e6 and more for intercontinental missiles, 1e4 to 1e5 for shorter ranges; where in them is ours
PLUMES = {"long-range": Plume(3e5), "medium-range": Plume(5e4), "short-range": Plume(2e4)}


class Body(NamedTuple):
    """A body without engine: blunted cone (with a cylinder behind it, or none) or sphere. Sizes are notional."""

    shape: Literal["cone", "sphere"] = "cone"
    radius_m: float = 0.4  # of the base or the sphere
    nose_radius_m: float = 0.05  # cone
    half_angle_rad: float = radians(10.0)  # cone
    cylinder_m: float = 0.0  # length of the cylinder behind the cone
    emissivity: float = 0.85  # that of the reference glider
    reflectance: float = 0.15  # one less the emissivity, in every band
    temperature_k: float = SKIN_START_K  # in coast
    shade_fraction: float = 0.1  # notional: flux into the cylinder over that at the end of the cone
    base_fraction: float = (
        0.03  # notional: flux into base or lee side, over that 1 m behind the tip or at the nose
    )


class Aircraft(NamedTuple):
    """A jet: box of skin at recovery temperature, tailpipe, plume. Order of magnitude (V-U12, unverified)."""

    top_m2: float
    side_m2: float
    front_m2: float
    tailpipe_m2: float
    tailpipe_k: float
    plume_w_sr: float  # from the side, in 3-5 um
    emissivity: float = 0.9  # of paint, notional


# Sizes and tailpipes are notional, chosen so that 3-5 um comes out inside V-U12: fighter 1e2 to 1e3 W/sr without
# afterburner, about 1e4 with; cruise missile 1 to 1e2 W/sr
AIRCRAFT = {
    "fighter": Aircraft(50.0, 20.0, 5.0, 0.3, 800.0, 200.0),
    "fighter-afterburner": Aircraft(50.0, 20.0, 5.0, 0.3, 1000.0, 1e4),
    "cruise-missile": Aircraft(3.0, 3.0, 0.25, 0.02, 800.0, 5.0),
}


class Satellite(NamedTuple):
    """A satellite of unknown attitude: a sphere of its mean cross-section. All figures notional."""

    area_m2: float = 10.0
    emissivity: float = 0.8
    reflectance: float = 0.2
    temperature_k: float = 290.0


class Model(NamedTuple):
    """What radiates: a body (not during boost, unless it is an aircraft or satellite), and a plume during boost."""

    body: GliderShape | Body | Aircraft | Satellite | None
    plume: Plume | None = None
