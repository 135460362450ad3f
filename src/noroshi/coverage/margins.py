"""By how much every limit of a sensor is kept: signed margins in float64, >= 0 where the sensor sees.

Plain NumPy, one formula per limit, every limit judged on its own: what refines the edges of access windows, and the
reference that the counting kernel is checked against. Vectors are ITRS [m]. Margins are radians to first order at
their zero (an angle's own cosine or sine, divided by its slope there), so that they are smooth and their sign is
that of the plain comparison; those of range and shell are shares of the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, NamedTuple

import erfa
import numpy as np
from jaxtyping import Bool, Float, Float64

from noroshi.coverage.models import WGS84, Behind, Body, Limits, Quality
from noroshi.errors import ScenarioError

_TINY = 1e-12


class Constraint(IntEnum):
    """What can keep a sensor from seeing, in the order in which the first that fails is named."""

    OCCLUSION = 0
    CONE_MIN = 1
    CONE_MAX = 2
    RANGE = 3
    ELEVATION_TARGET = 4
    GRAZING = 5
    BACKGROUND = 6
    SUN = 7
    MOON = 8
    ELEVATION_MIN = 9
    ELEVATION_MAX = 10
    AZIMUTH = 11
    BRIGHTNESS = 12

    @property
    def label(self) -> str:
        """Its name in tables."""
        return self.name.lower()


class Reach(NamedTuple):
    """How far away a target is bright enough, by what is behind it, one entry per sensor; inf: however far."""

    space_m: Float[np.ndarray, "sensor"]
    earth_m: Float[np.ndarray, "sensor"]


class Scene(NamedTuple):
    """Who looks at whom, over what, under which Sun and Moon: ITRS, leading axes broadcast."""

    sensor: Float[np.ndarray, "*#n 3"]
    target: Float[np.ndarray, "*#n 3"]
    body: Body = WGS84
    sun: Float[np.ndarray, "*#n 3"] | None = None
    moon: Float[np.ndarray, "*#n 3"] | None = None
    reach: Reach | None = None  # None: brightness is no question


def reach_of(quality: Quality) -> Reach:
    """Where the signal-to-noise ratio, gain / range ** power, falls to the threshold."""
    asked = quality.threshold > 0.0
    ratio = (
        np.where(asked, gain, np.inf) / np.where(asked, quality.threshold, 1.0)
        for gain in (quality.gain_space, quality.gain_earth)
    )
    return Reach(*(np.maximum(x ** (1.0 / quality.power), _TINY) for x in ratio))


def up_itrs(r: Float[np.ndarray, "*n 3"], body: Body = WGS84) -> Float64[np.ndarray, "*n 3"]:
    """The vertical of the body (geodetic; on a sphere geocentric) at places, unit vectors."""
    return _enu(r, body)[2]


def active(limits: Limits, constraint: Constraint, reach: Reach | None = None) -> Bool[np.ndarray, "..."]:
    """Which sensors a constraint can hold back."""
    if constraint is Constraint.OCCLUSION:
        return np.ones_like(limits.ground, bool)
    if constraint is Constraint.RANGE:
        return np.isfinite(limits.range_max_m)
    if constraint is Constraint.BRIGHTNESS:
        if reach is None:
            return np.zeros_like(limits.ground, bool)
        return np.isfinite(reach.space_m) | np.isfinite(reach.earth_m)
    stated = {
        Constraint.CONE_MIN: limits.cone_min_rad > 0.0,
        Constraint.CONE_MAX: limits.cone_max_rad < np.pi,
        Constraint.ELEVATION_TARGET: limits.elevation_target_rad > -0.5 * np.pi,
        Constraint.GRAZING: limits.grazing_m > 0.0,
        Constraint.BACKGROUND: limits.behind != int(Behind.ANYTHING),
        Constraint.SUN: limits.sun_rad > 0.0,
        Constraint.MOON: limits.moon_rad > 0.0,
        Constraint.ELEVATION_MIN: limits.elevation_min_rad > -0.5 * np.pi,
        Constraint.ELEVATION_MAX: limits.elevation_max_rad < 0.5 * np.pi,
        Constraint.AZIMUTH: limits.azimuth_rad < np.pi,
    }[constraint]
    return stated & (limits.ground if constraint >= Constraint.ELEVATION_MIN else ~limits.ground)


def margins(
    limits: Limits, scene: Scene, only: Iterable[Constraint] = Constraint
) -> dict[Constraint, Float64[np.ndarray, "..."]]:
    """Margin of every constraint that some sensor has, in their order; inf for the sensors that do not have it.

    The columns of `limits` broadcast against the leading axes of `scene` (`pick` brings them into shape).
    Errors: ScenarioError where Sun or Moon are excluded and their place is not given.
    """
    found = {}
    for constraint in only:
        held = active(limits, constraint, scene.reach)
        if np.any(held):
            combined = combine(constraint, limits, [term(limits, scene) for term in TERMS[constraint]])
            found[constraint] = np.where(held, combined, np.inf)
    return found


def margin(limits: Limits, scene: Scene) -> Float64[np.ndarray, "..."]:
    """The least of all margins: >= 0 exactly where the sensor sees."""
    found = iter(margins(limits, scene).values())
    least = next(found)
    for other in found:
        least = np.minimum(least, other)
    return least


def visible(
    limits: Limits,
    r_sensor_itrs: Float[np.ndarray, "time sensor 3"],
    r_point_itrs: Float[np.ndarray, "*#time point 3"],
    *,
    body: Body = WGS84,
    sun_itrs: Float[np.ndarray, "time 3"] | None = None,
    moon_itrs: Float[np.ndarray, "time 3"] | None = None,
    quality: Quality | None = None,
) -> Bool[np.ndarray, "time sensor point"]:
    """Whether each sensor sees each point, all constraints together; points may move.

    Everything at once: some hundred bytes for each entry, so call it in blocks of time.
    """
    r_point = r_point_itrs if r_point_itrs.ndim == 3 else r_point_itrs[None]
    sun, moon = (None if r is None else r[:, None, None] for r in (sun_itrs, moon_itrs))
    reach = None if quality is None else Reach(*(column[:, None] for column in reach_of(quality)))
    scene = Scene(r_sensor_itrs[:, :, None], r_point[:, None], body, sun, moon, reach)
    return margin(Limits(*(column[:, None] for column in limits)), scene) >= 0.0


def pick(limits: Limits, sensor: np.ndarray) -> Limits:
    """The limits of sensors by their numbers, in the shape of those."""
    return Limits(*(np.asarray(column)[sensor] for column in limits))


def elevation(limits: Limits, scene: Scene) -> Float64[np.ndarray, "..."]:
    """Elevation [rad]: of a satellite above the target's horizon, of the target above a ground sensor's."""
    line, distance = _line(scene)
    at_target = -_dot(line, up_itrs(scene.target, scene.body)) / distance
    if np.any(limits.ground):
        at_site = _dot(line, up_itrs(scene.sensor, scene.body)) / distance
        at_target = np.where(limits.ground, at_site, at_target)
    return np.arcsin(np.clip(at_target, -1.0, 1.0))


def distance_m(limits: Limits, scene: Scene) -> Float64[np.ndarray, "..."]:
    """Range [m] (of the same form as a term)."""
    return _line(scene)[1]


def combine(constraint: Constraint, limits: Limits, terms: list[np.ndarray]) -> np.ndarray:
    """The margin of a constraint from its smooth terms (TERMS)."""
    match constraint:
        case Constraint.GRAZING:
            descends, clear, above = terms
            return np.maximum(descends, np.minimum(clear, above))
        case Constraint.BACKGROUND:
            in_front, higher = terms
            earth = np.where(higher > 0.0, in_front, -np.abs(in_front))
            return np.where(limits.behind == int(Behind.EARTH), earth, -earth)
        case Constraint.BRIGHTNESS:
            in_front, higher, space, earth = terms
            return np.where((higher > 0.0) & (in_front > 0.0), earth, space)
        case Constraint.SUN | Constraint.MOON:
            apart, shines = terms
            return np.maximum(apart, -shines)
        case Constraint.AZIMUTH:
            left, right = terms
            return np.where(
                np.cos(limits.azimuth_rad) >= 0.0, np.minimum(left, right), np.maximum(left, right)
            )
        case _:
            return terms[0]


def _occlusion(limits: Limits, scene: Scene) -> np.ndarray:
    return _clears(scene.sensor, scene.target, scene.body, 0.0)


def _clears(a: np.ndarray, b: np.ndarray, body: Body, height: Any) -> np.ndarray:
    """>= 0 exactly when a segment clears the body raised by a height (`earth.occlusion_margin`)."""
    ax, ay, az, aw = _scaled(a, body, height)
    bx, by, bz, bw = _scaled(b, body, height)
    # at the edge the central angle t has |a| |b| sin t = aw + bw
    return (ax * bx + ay * by + az * bz + aw * bw - 1.0) / np.maximum(aw + bw, _TINY)


def _in_front(limits: Limits, scene: Scene) -> np.ndarray:
    """> 0 where the target stands in front of the disc of the Earth (`earth.earth_behind_margin`)."""
    sx, sy, sz, sw = _scaled(scene.sensor, scene.body, 0.0)
    tx, ty, tz, tw = _scaled(scene.target, scene.body, 0.0)
    # the true slope at the edge is sw - tw, which may vanish; the sum keeps the sign and the smoothness
    return (sx * tx + sy * ty + sz * tz - sw * tw - 1.0) / np.maximum(sw + tw, _TINY)


def _higher(limits: Limits, scene: Scene) -> np.ndarray:
    """> 0 where the sensor is the higher one."""
    return _scaled(scene.sensor, scene.body, 0.0)[3] - _scaled(scene.target, scene.body, 0.0)[3]


def _descends(limits: Limits, scene: Scene) -> np.ndarray:
    """>= 0 where the line still comes down on reaching the target: nothing grazes (`earth.grazing_clear`)."""
    line, distance = _line(scene)
    a, b = scene.body.equator_m, scene.body.pole_m
    normal = scene.target / np.array([a, a, b]) ** 2
    return -_dot(line, normal) / (distance * np.sqrt(_dot(normal, normal)))


def _shell_clear(limits: Limits, scene: Scene) -> np.ndarray:
    return _clears(scene.sensor, scene.target, scene.body, limits.grazing_m)


def _shell_above(limits: Limits, scene: Scene) -> np.ndarray:
    x, y, z, _ = _scaled(scene.target, scene.body, limits.grazing_m)
    return x * x + y * y + z * z - 1.0


def _range(limits: Limits, scene: Scene) -> np.ndarray:
    limit = np.where(np.isfinite(limits.range_max_m), np.maximum(limits.range_max_m, _TINY), 1.0)
    return 1.0 - _line(scene)[1] / limit


def _elevation_target(limits: Limits, scene: Scene) -> np.ndarray:
    line, distance = _line(scene)
    sine = -_dot(line, up_itrs(scene.target, scene.body)) / distance
    return _beyond_sine(sine, limits.elevation_target_rad)


def _cone_min(limits: Limits, scene: Scene) -> np.ndarray:
    return -_within_cosine(_cos_nadir(scene), limits.cone_min_rad)


def _cone_max(limits: Limits, scene: Scene) -> np.ndarray:
    return _within_cosine(_cos_nadir(scene), limits.cone_max_rad)


def _cos_nadir(scene: Scene) -> np.ndarray:
    line, distance = _line(scene)
    return -_dot(line, up_itrs(scene.sensor, scene.body)) / distance


def _apart(body: np.ndarray | None, name: str, scene: Scene, within: Any) -> np.ndarray:
    line, distance = _line(scene)
    to_body = _given(body, name) - scene.sensor
    cosine = _dot(line, to_body) / (distance * np.sqrt(_dot(to_body, to_body)))
    return -_within_cosine(cosine, within)


def _sun_apart(limits: Limits, scene: Scene) -> np.ndarray:
    return _apart(scene.sun, "Sun", scene, limits.sun_rad)


def _sun_shines(limits: Limits, scene: Scene) -> np.ndarray:
    return _clears(scene.sensor, _given(scene.sun, "Sun"), scene.body, 0.0)


def _moon_apart(limits: Limits, scene: Scene) -> np.ndarray:
    return _apart(scene.moon, "Moon", scene, limits.moon_rad)


def _moon_shines(limits: Limits, scene: Scene) -> np.ndarray:
    return _clears(scene.sensor, _given(scene.moon, "Moon"), scene.body, 0.0)


def _elevation_min(limits: Limits, scene: Scene) -> np.ndarray:
    return _beyond_sine(_sin_elevation(scene), limits.elevation_min_rad)


def _elevation_max(limits: Limits, scene: Scene) -> np.ndarray:
    return -_beyond_sine(_sin_elevation(scene), limits.elevation_max_rad)


def _sin_elevation(scene: Scene) -> np.ndarray:
    line, distance = _line(scene)
    return _dot(line, up_itrs(scene.sensor, scene.body)) / distance


def _azimuth_left(limits: Limits, scene: Scene) -> np.ndarray:
    ahead, left = _in_field(limits, scene)
    return ahead * np.sin(limits.azimuth_rad) - left * np.cos(limits.azimuth_rad)


def _azimuth_right(limits: Limits, scene: Scene) -> np.ndarray:
    ahead, left = _in_field(limits, scene)
    return ahead * np.sin(limits.azimuth_rad) + left * np.cos(limits.azimuth_rad)


def _in_field(limits: Limits, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """The level part of the unit line: along the facing, and to the left of it."""
    line, distance = _line(scene)
    east, north, _ = _enu(scene.sensor, scene.body)
    x, y = _dot(line, east) / distance, _dot(line, north) / distance
    c, s = np.cos(limits.facing_rad), np.sin(limits.facing_rad)
    return y * c + x * s, y * s - x * c


def _bright_space(limits: Limits, scene: Scene) -> np.ndarray:
    return np.ones(()) if scene.reach is None else 1.0 - _line(scene)[1] / scene.reach.space_m


def _bright_earth(limits: Limits, scene: Scene) -> np.ndarray:
    return np.ones(()) if scene.reach is None else 1.0 - _line(scene)[1] / scene.reach.earth_m


# The smooth functions of time whose signs decide each constraint (`combine`): between two zeros of any of them
# nothing changes
TERMS: dict[Constraint, tuple[Callable[[Limits, Scene], np.ndarray], ...]] = {
    Constraint.OCCLUSION: (_occlusion,),
    Constraint.CONE_MIN: (_cone_min,),
    Constraint.CONE_MAX: (_cone_max,),
    Constraint.RANGE: (_range,),
    Constraint.ELEVATION_TARGET: (_elevation_target,),
    Constraint.GRAZING: (_descends, _shell_clear, _shell_above),
    Constraint.BACKGROUND: (_in_front, _higher),
    Constraint.SUN: (_sun_apart, _sun_shines),
    Constraint.MOON: (_moon_apart, _moon_shines),
    Constraint.ELEVATION_MIN: (_elevation_min,),
    Constraint.ELEVATION_MAX: (_elevation_max,),
    Constraint.AZIMUTH: (_azimuth_left, _azimuth_right),
    Constraint.BRIGHTNESS: (_in_front, _higher, _bright_space, _bright_earth),
}


def _within_cosine(cosine: np.ndarray, limit: Any) -> np.ndarray:
    """>= 0 where an angle of this cosine is at most the limit."""
    return (cosine - np.cos(limit)) / np.maximum(np.sin(limit), _TINY)


def _beyond_sine(sine: np.ndarray, limit: Any) -> np.ndarray:
    """>= 0 where an angle of this sine is at least the limit."""
    return (sine - np.sin(limit)) / np.maximum(np.cos(limit), _TINY)


def _line(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    line = scene.target - scene.sensor
    return line, np.maximum(np.sqrt(_dot(line, line)), _TINY)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def _scaled(r: np.ndarray, body: Body, height: Any) -> tuple[np.ndarray, ...]:
    """Coordinates in units of the raised body's axes, and sqrt(|.|^2 - 1), zero inside."""
    x = r[..., 0] / (body.equator_m + height)
    y = r[..., 1] / (body.equator_m + height)
    z = r[..., 2] / (body.pole_m + height)
    return x, y, z, np.sqrt(np.maximum(x * x + y * y + z * z - 1.0, 0.0))


def _enu(r: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """East, north and up, unit vectors; up is the body's normal, as `sensors.axes` takes nadir."""
    lon, lat, _ = erfa.gc2gde(body.equator_m, _flattening(body), np.ascontiguousarray(r, np.float64))
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    east = np.stack([-sin_lon, cos_lon, np.zeros_like(lon)], axis=-1)
    north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1)
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
    return east, north, up


def _flattening(body: Body) -> float:
    return (body.equator_m - body.pole_m) / body.equator_m


def _given(place: np.ndarray | None, name: str) -> np.ndarray:
    if place is None:
        raise ScenarioError(
            f"a sensor excludes the {name}, whose place is not given",
            remedy="pass the places of Sun and Moon (noroshi.sky.sky, turned into the ITRS)",
        )
    return place
