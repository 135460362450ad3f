"""Radiant intensity of targets in a spectral band, by direction: gliders, plumes, bodies, aircraft, satellites.

A body is facets in body axes (targets.light: x along the velocity relative to the air, z away from the Earth). Towards
the unit vector u it radiates I(u) = isotropic + sum of w max(0, n.u), w = emissivity L(T) A plus reflected light.
Facets do not hide each other, which is exact for convex bodies. No air between target and sensor.

How good: the glider reproduces a reference computation, itself good to a factor of 2 to 3 (turbulence, wake, attitude).
Plumes and aircraft are orders of magnitude, from memory of the open literature and not verified (validation.md, V-U12).
Figures marked notional are ours.
"""

from __future__ import annotations

from math import pi, radians, sqrt
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int

from noroshi.atmosphere import air, density
from noroshi.errors import PhysicsError
from noroshi.radiometry import BANDS, Band, radiance, sun_irradiance
from noroshi.tables import Phase
from noroshi.targets.heating import ALONG_BODY, laminar_unchecked, skin_temperature, stagnation_unchecked
from noroshi.targets.light import Light
from noroshi.targets.radiators import (
    AIRCRAFT,
    SKIN_START_K,
    Aircraft,
    Body,
    GliderShape,
    Model,
    Plume,
    Satellite,
)

AIR_EDGE_M = (
    100e3  # below, air points a body into its motion; above, attitude is unknown (the usual edge of space)
)
CONE_FACTOR = sqrt(3.0)  # laminar flux on a cone over that on a plate (Mangler's transformation)
NODES = 16  # of the Gauss-Legendre integral along a strip: radiance changes by a power of about -0.5 there (tested)
AROUND = 16  # facets around a cone or cylinder: its shadow comes out to 1.3 %
RINGS, SECTORS = 8, 16  # facets of a sphere: its phase function comes out to 2 % of the full one (tested)
EARTH_K, EARTH_ALBEDO = (
    280.0,
    0.3,
)  # notional: mean of warm ground and cloud; albedo of the whole spectrum, every band
RECOVERY = 0.89  # of the skin of an aircraft: cube root of the Prandtl number 0.71, turbulent boundary layer


class Signature(NamedTuple):
    """Radiant intensity in one band [W/sr]: the same in all directions, and by facet."""

    normal: Float64[np.ndarray, "facet 3"]  # outward unit vectors, body axes
    w_sr: Float64[np.ndarray, "time facet"]  # of each facet along its normal
    isotropic_w_sr: Float64[np.ndarray, "time"]


# Intensity of a plume by band over that in 2.69-2.95 um. Notional: hot water vapour and carbon dioxide radiate at 2.7
# and 4.3 um, soot and particles in between, little beyond 5 um
PLUME_COLOUR = {"swir": 2.0, "water": 1.0, "mwir": 1.5, "carbon-dioxide": 1.0, "lwir": 0.1}
PLUME_END_ON = 0.6  # notional: seen along its axis, over seen from the side
# Height [m] and share of full intensity; between: straight lines. Notional, except where the trough lies
PLUME_HEIGHT_M = (0.0, 60e3, 70e3, 90e3, 110e3)


def intensity(signature: Signature, u_body: Float[Any, "*n 3"]) -> Float[Any, "*n"]:
    """Radiant intensity [W/sr] towards unit vectors from target to sensor, body axes: [3], [time, 3], [time, n, 3]."""
    xp = np
    if type(u_body).__module__.startswith("jax"):
        import jax.numpy as xp
    seen = xp.maximum(u_body @ signature.normal.T, 0.0)
    between = (slice(None), *(None,) * max(seen.ndim - 2, 0))
    return signature.isotropic_w_sr[between] + xp.sum(signature.w_sr[(*between, slice(None))] * seen, axis=-1)


def of_target(
    model: Model,
    band: Band,
    phase: Int[np.ndarray, "time"],
    height_m: Float[np.ndarray, "time"],
    speed_m_s: Float[np.ndarray, "time"],
    light: Light | None = None,
) -> Signature:
    """Signature of a model along a flight: phase (tables.Phase), height, speed relative to the air, light.

    Without `light` nothing is reflected. Raises PhysicsError for impossible figures and, with a plume or aircraft, for
    a band that is not one of radiometry.BANDS.
    """
    parts = []
    if model.plume is not None:
        parts.append(of_plume(band, phase, height_m, model.plume))
    body = model.body
    if isinstance(body, GliderShape):
        parts.append(_unless_boost(of_glider(band, speed_m_s, height_m, body), phase))
    elif isinstance(body, Body):
        parts.append(_unless_boost(of_body(band, speed_m_s, height_m, body, light), phase))
    elif isinstance(body, Aircraft):
        parts.append(of_aircraft(band, speed_m_s, height_m, body))
    elif isinstance(body, Satellite):
        parts.append(of_satellite(band, len(height_m), body, light))
    return _joined(parts, len(height_m))


def of_glider(
    band: Band,
    speed_m_s: Float[np.ndarray, "time"],
    height_m: Float[np.ndarray, "time"],
    shape: GliderShape = GliderShape(),  # noqa: B008  (a tuple of numbers)
) -> Signature:
    """A glider in laminar flow at radiative equilibrium; strips of the upper side as in Wright's program.

    Simplified: the lower side is one flat plate, the sides are upright walls as warm as the upper side above them, the
    nose is a disc facing forward at the temperature of the stagnation point, the base is a flat plate in the wake. No
    bank, no turbulence, no glowing air.
    """
    s = shape
    _positive(s._asdict(), "glider")
    _shares(s.emissivity, 0.0)
    if not 0.0 < s.nose_radius_m < s.front_m < s.length_m:
        raise PhysicsError(
            f"a glider with nose {s.nose_radius_m:g} m, front part {s.front_m:g} m and length {s.length_m:g} m",
            remedy="these increase in this order; 0.034, 2.9 and 3.67 are usual",
        )
    speed, rho = _flow(speed_m_s, height_m, s.density_factor)

    def skin(x: float, angle: float, share: float = 1.0) -> np.ndarray:
        return skin_temperature(share * laminar_unchecked(rho, speed, x, angle), speed, s.emissivity)

    front, rear, lower = s.front_angle_rad, s.rear_angle_rad, s.lower_angle_rad
    at_1, at_35, below = skin(1.0, front), skin(3.5, rear), skin(1.0, lower)
    tan_plan = np.tan(s.half_plan_rad)

    def upper_front(x: np.ndarray) -> np.ndarray:
        return at_1[:, None] * (x / np.cos(front)) ** ALONG_BODY

    def upper_rear(x: np.ndarray) -> np.ndarray:
        return at_35[:, None] * ((s.front_m + (x - s.front_m) / np.cos(rear)) / 3.5) ** ALONG_BODY

    def rise(x: np.ndarray) -> np.ndarray:  # height of the walls
        return np.where(
            x < s.front_m,
            x * np.tan(front),
            s.front_m * np.tan(front) + (x - s.front_m) * np.tan(rear),
        )

    def strip(first: float, last: float, warm: Any, width: Any) -> np.ndarray:
        x, w = _nodes(first, last)
        return s.emissivity * (radiance(band, np.maximum(warm(x), SKIN_START_K)) * width(x) * w).sum(-1)

    start, mid, end = s.nose_radius_m, s.front_m, s.length_m

    def plan(x: np.ndarray) -> np.ndarray:
        return np.where(x < mid, 2.0 * x * tan_plan, s.rear_width_m)

    def lower_side(x: np.ndarray) -> np.ndarray:
        return below[:, None] * (x / np.cos(lower)) ** ALONG_BODY

    wall_front = strip(start, mid, upper_front, rise) / np.cos(s.half_plan_rad)
    wall_rear = strip(mid, end, upper_rear, rise)
    nose = skin_temperature(stagnation_unchecked(rho, speed, s.nose_radius_m), speed, s.emissivity)
    nose = np.maximum(nose, SKIN_START_K)
    base = np.maximum(skin(1.0, front, s.base_fraction), SKIN_START_K)
    side, forward = np.cos(s.half_plan_rad), np.sin(s.half_plan_rad)
    facets = [
        ((np.sin(front), 0.0, np.cos(front)), strip(start, mid, upper_front, plan) / np.cos(front)),
        ((np.sin(rear), 0.0, np.cos(rear)), strip(mid, end, upper_rear, plan) / np.cos(rear)),
        (
            (np.sin(lower), 0.0, -np.cos(lower)),
            (strip(start, mid, lower_side, plan) + strip(mid, end, lower_side, plan)) / np.cos(lower),
        ),
        ((forward, side, 0.0), wall_front),
        ((forward, -side, 0.0), wall_front),
        ((0.0, 1.0, 0.0), wall_rear),
        ((0.0, -1.0, 0.0), wall_rear),
        ((1.0, 0.0, 0.0), s.emissivity * radiance(band, nose) * pi * s.nose_radius_m**2),
        (
            (-1.0, 0.0, 0.0),
            s.emissivity * radiance(band, base) * s.rear_width_m * float(rise(np.array(s.length_m))),
        ),
    ]
    normal, w_sr = (np.array(column) for column in zip(*facets, strict=True))
    return Signature(normal, w_sr.T, np.zeros(len(speed)))


def of_plume(
    band: Band, phase: Int[np.ndarray, "time"], height_m: Float[np.ndarray, "time"], plume: Plume
) -> Signature:
    """A plume during boost, 0 otherwise: order of magnitude only.

    From the side it shows its full intensity, along the axis 0.6 of it (facets around the axis make that within 4 %).
    Dimmer by `trough` between 70 and 90 km.
    """
    _positive(plume._asdict(), "plume")
    colour = _colour(band)
    shares = (1.0, 1.0, plume.trough, plume.trough, 1.0)
    full = plume.w_sr * colour * np.interp(height_m, PLUME_HEIGHT_M, shares)
    return _axial(np.where(np.asarray(phase) == Phase.BOOST, full, 0.0))


def of_body(
    band: Band,
    speed_m_s: Float[np.ndarray, "time"],
    height_m: Float[np.ndarray, "time"],
    body: Body = Body(),  # noqa: B008
    light: Light | None = None,
) -> Signature:
    """A coasting or re-entering body.

    Above 100 km its attitude is unknown: the mean over all of them, which for a convex body is a sphere of the same
    surface (Cauchy), at `temperature_k`, in sunlight and Earthshine. Below, it points into its motion and the air heats
    it: laminar flow on the cone, a cosine of the stagnation flux over a sphere.
    """
    _positive({name: value for name, value in body._asdict().items() if name != "shape"}, "body")
    _shares(body.emissivity, body.reflectance)
    speed, rho = _flow(speed_m_s, height_m)
    in_air = np.asarray(height_m) < AIR_EDGE_M
    ball_normal, ball_share = _ball()
    if body.shape == "sphere":
        area = 4.0 * pi * body.radius_m**2
        nose = stagnation_unchecked(rho, speed, body.radius_m)
        flux = nose[:, None] * np.maximum(ball_normal[:, 0], body.base_fraction)
        warm = skin_temperature(flux, speed[:, None], body.emissivity)
        warm = np.where(in_air[:, None], np.maximum(warm, body.temperature_k), body.temperature_k)
        patch = area * ball_share
        thermal = body.emissivity * radiance(band, warm) * patch
        return Signature(
            ball_normal,
            thermal + _reflected(band, ball_normal, patch, body.reflectance, light, len(speed)),
            np.zeros(len(speed)),
        )
    normal, patch, warm = _cone(body, speed, rho)
    pointed = body.emissivity * warm(band) + _reflected(
        band, normal, patch, body.reflectance, light, len(speed)
    )
    surface = float(patch.sum())
    ball = _reflected(band, ball_normal, surface * ball_share, body.reflectance, light, len(speed))
    resting = body.emissivity * float(radiance(band, body.temperature_k)) * surface / 4.0
    return Signature(
        np.concatenate([normal, ball_normal]),
        np.concatenate([np.where(in_air[:, None], pointed, 0.0), np.where(in_air[:, None], 0.0, ball)], 1),
        np.where(in_air, 0.0, resting),
    )


def of_aircraft(
    band: Band,
    speed_m_s: Float[np.ndarray, "time"],
    height_m: Float[np.ndarray, "time"],
    aircraft: Aircraft = AIRCRAFT["fighter"],
) -> Signature:
    """An aircraft or cruise missile: a box at recovery temperature, a hot tailpipe seen from behind, a plume.

    Order of magnitude. The tailpipe is a flat disc facing backwards; the plume counts from the side, 0.6 of it along
    the axis, and scales over the bands like a rocket's. The air, which absorbs most where a plume is brightest, is left
    out, and so is the ground behind, from which the skin hardly differs.
    """
    a = aircraft
    _positive(a._asdict(), "aircraft")
    _shares(a.emissivity, 0.0)
    speed, _ = _flow(speed_m_s, height_m)
    around = air(np.asarray(height_m, np.float64))
    skin = around.temperature_k * (1.0 + RECOVERY * 0.2 * (speed / around.sound_m_s) ** 2)
    box = np.array([a.front_m2, a.front_m2, a.side_m2, a.side_m2, a.top_m2, a.top_m2])
    pipe = a.emissivity * float(radiance(band, a.tailpipe_k)) * a.tailpipe_m2
    normal = np.array(
        [(1.0, 0, 0), (-1.0, 0, 0), (0, 1.0, 0), (0, -1.0, 0), (0, 0, 1.0), (0, 0, -1.0), (-1.0, 0, 0)]
    )
    w_sr = np.column_stack([a.emissivity * radiance(band, skin)[:, None] * box, np.full(len(speed), pipe)])
    plume = a.plume_w_sr * _colour(band) / PLUME_COLOUR["mwir"]
    return _joined(
        [Signature(normal, w_sr, np.zeros(len(speed))), _axial(np.full(len(speed), plume))], len(speed)
    )


def of_satellite(
    band: Band,
    times: int,
    satellite: Satellite = Satellite(),  # noqa: B008
    light: Light | None = None,
) -> Signature:
    """A satellite of unknown attitude: a Lambertian sphere of its mean cross-section, warm, in sun and Earthshine."""
    s = satellite
    _positive(s._asdict(), "satellite")
    _shares(s.emissivity, s.reflectance)
    normal, share = _ball()
    warm = s.emissivity * float(radiance(band, s.temperature_k)) * s.area_m2
    reflected = _reflected(band, normal, 4.0 * s.area_m2 * share, s.reflectance, light, times)
    return Signature(normal, reflected, np.full(times, warm))


def lambert_sphere(irradiance_w_m2: Any, reflectance: Any, radius_m: Any, phase_angle_rad: Any) -> Any:
    """Intensity [W/sr] of a diffuse sphere lit by a distant source, by the angle source-sphere-sensor (Lambert)."""
    p = phase_angle_rad
    return 2.0 / (3.0 * pi) * reflectance * irradiance_w_m2 * radius_m**2 * (np.sin(p) + (pi - p) * np.cos(p))


def _flow(
    speed: Float[np.ndarray, "time"], height: Float[np.ndarray, "time"], factor: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Speed and density along a flight, where they make sense."""
    v, h = np.asarray(speed, np.float64), np.asarray(height, np.float64)
    if v.ndim != 1 or v.shape != h.shape or not np.all(np.isfinite(v) & np.isfinite(h) & (v >= 0.0)):
        raise PhysicsError(
            "speeds and heights of a flight must be finite, speeds 0 or more, one of each per time",
            remedy="give two arrays [time], in m/s and metres",
        )
    return v, factor * density(h)


def _nodes(first: float, last: float) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    half = 0.5 * (last - first)
    return first + half * (x + 1.0), half * w


def _cone(body: Body, speed: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray, Any]:
    """Facets of a blunted cone with cylinder: normals, areas, and band -> area times radiance [time facet]."""
    if body.nose_radius_m >= body.radius_m or not 0.0 < body.half_angle_rad <= radians(60.0):
        raise PhysicsError(
            f"a cone of half-angle {np.rad2deg(body.half_angle_rad):g} deg from radius {body.nose_radius_m:g} m to "
            f"{body.radius_m:g} m",
            remedy=f"the nose must be narrower than the base, e.g. {0.5 * body.radius_m:g} m, the half-angle above 0 "
            "and at most 60 deg",
        )
    sin, cos = np.sin(body.half_angle_rad), np.cos(body.half_angle_rad)
    turn = 2.0 * pi * np.arange(AROUND) / AROUND
    ring = np.stack([np.zeros(AROUND), np.cos(turn), np.sin(turn)], axis=-1)
    tip, shoulder = (
        body.nose_radius_m / sin,
        body.radius_m / sin,
    )  # along the slant, from where the cone would end

    def skin(flux: np.ndarray) -> np.ndarray:
        return np.maximum(skin_temperature(flux, speed, body.emissivity), body.temperature_k)

    at_1 = CONE_FACTOR * laminar_unchecked(rho, speed, 1.0, body.half_angle_rad)
    behind = body.shade_fraction * at_1 / sqrt(shoulder)
    hot, warm = skin_temperature(at_1, speed, body.emissivity), skin(behind)
    nose, base = skin(stagnation_unchecked(rho, speed, body.nose_radius_m)), skin(body.base_fraction * at_1)
    x, w = _nodes(tip, shoulder)
    cone_m2 = pi * (body.radius_m**2 - body.nose_radius_m**2) / sin
    cylinder_m2 = 2.0 * pi * body.radius_m * body.cylinder_m
    nose_m2, base_m2 = pi * body.nose_radius_m**2, pi * body.radius_m**2
    normal = np.concatenate([ring * cos + [sin, 0.0, 0.0], ring, [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]])
    area = np.concatenate(
        [np.full(AROUND, cone_m2 / AROUND), np.full(AROUND, cylinder_m2 / AROUND), [nose_m2, base_m2]]
    )

    def shine(band: Band) -> np.ndarray:
        along = np.maximum(hot[:, None] * x**ALONG_BODY, body.temperature_k)
        cone = (radiance(band, along) * 2.0 * pi * sin * x * w).sum(-1) / AROUND
        return np.column_stack(
            [
                np.repeat(cone[:, None], AROUND, 1),
                np.repeat(radiance(band, warm)[:, None] * cylinder_m2 / AROUND, AROUND, 1),
                radiance(band, nose) * nose_m2,
                radiance(band, base) * base_m2,
            ]
        )

    return normal, area, shine


def _ball() -> tuple[Float64[np.ndarray, "facet 3"], Float64[np.ndarray, "facet"]]:
    """Normals of a sphere's facets, in rings about x, and their shares of its surface."""
    z, w = np.polynomial.legendre.leggauss(RINGS)
    turn = 2.0 * pi * np.arange(SECTORS) / SECTORS
    level = np.sqrt(1.0 - z * z)[:, None]
    normal = np.stack(
        np.broadcast_arrays(z[:, None], level * np.cos(turn), level * np.sin(turn)), axis=-1
    ).reshape(-1, 3)
    return normal, np.repeat(0.5 * w, SECTORS) / SECTORS


def _reflected(
    band: Band, normal: np.ndarray, area_m2: np.ndarray, reflectance: float, light: Light | None, times: int
) -> np.ndarray:
    """Sunlight and Earthshine that facets send back, as w_sr [time facet].

    The Earth is a diffuse ball of EARTH_K and EARTH_ALBEDO, lit as the ground below is. The share of a facet's view
    that it fills is (R/r)^2 for a facet that looks straight down (exact); tilted ones lie between the infinite plane
    (near) and the distant point (far).
    """
    if light is None:
        return np.zeros((times, len(normal)))
    sun = sun_irradiance(band)
    from_sun = sun * np.maximum(light.sun_body @ normal.T, 0.0) * light.sunlit[:, None]
    ground = radiance(band, EARTH_K) + EARTH_ALBEDO / pi * sun * np.maximum(light.sun_cos, 0.0)
    down = -(light.up_body @ normal.T)
    near = light.earth_ratio[:, None]
    view = near**2 * ((1.0 - near) * np.maximum(down, 0.0) + near * 0.5 * (1.0 + down))
    return reflectance / pi * area_m2 * (from_sun + pi * ground[:, None] * view)


def _axial(w_sr: Float[np.ndarray, "time"]) -> Signature:
    """PLUME_END_ON along x, full from the side: eight facets around x stand for the sine of the angle off it."""
    turn = 2.0 * pi * np.arange(8) / 8
    normal = np.stack([np.zeros(8), np.cos(turn), np.sin(turn)], axis=-1)
    # a full circle of facets sums to (their number / pi) sin(angle)
    each = (1.0 - PLUME_END_ON) * pi / 8 * w_sr
    return Signature(normal, np.repeat(each[:, None], 8, axis=1), PLUME_END_ON * w_sr)


def _colour(band: Band) -> float:
    for name, known in BANDS.items():
        if known == band:
            return PLUME_COLOUR[name]
    raise PhysicsError(
        f"no plume is known in {band.low_m * 1e6:g} to {band.high_m * 1e6:g} um",
        remedy=f"use one of: {', '.join(BANDS)}",
    )


def _joined(parts: list[Signature], times: int) -> Signature:
    empty = Signature(np.zeros((0, 3)), np.zeros((times, 0)), np.zeros(times))
    parts = [empty, *parts]
    return Signature(
        np.concatenate([p.normal for p in parts]),
        np.concatenate([p.w_sr for p in parts], axis=1),
        np.sum([p.isotropic_w_sr for p in parts], axis=0),
    )


def _unless_boost(signature: Signature, phase: np.ndarray) -> Signature:
    on = (np.asarray(phase) != Phase.BOOST).astype(float)
    return signature._replace(w_sr=signature.w_sr * on[:, None], isotropic_w_sr=signature.isotropic_w_sr * on)


_MAY_BE_0 = ("reflectance", "plume_w_sr", "trough", "cylinder_m", "shade_fraction", "base_fraction")


def _positive(figures: dict[str, float], what: str) -> None:
    for name, value in figures.items():
        may_be_0 = name in _MAY_BE_0
        if not (np.isfinite(value) and (value > 0.0 or (may_be_0 and value == 0.0))):
            raise PhysicsError(
                f"a {what} with {name} = {value:g}",
                remedy="give 0 or more" if may_be_0 else "give a number above 0",
            )


def _shares(emissivity: float, reflectance: float) -> None:
    if emissivity + reflectance > 1.0 + 1e-9:
        raise PhysicsError(
            f"emissivity {emissivity:g} and reflectance {reflectance:g} add up to more than 1",
            remedy=f"a reflectance of at most {max(1.0 - emissivity, 0.0):g} goes with this emissivity",
        )
