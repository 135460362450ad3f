"""What every sensor would get from a look at every target at every time: geometry, SNR, chance of detection.

All satellites are evaluated together, and so are all radars: their parameters are arrays along the sensor axis,
so one compiled program serves any mixture of sensors. Geometry is ITRS, so the WGS-84 ellipsoid is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import numpy as jnp
from jaxtyping import Float

import noroshi._jax  # noqa: F401
from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.earth import earth_behind_margin, grazing_clear, height_itrs, occlusion_margin
from noroshi.errors import ScenarioError
from noroshi.frames import rotate, state_itrs
from noroshi.sensors import infrared, radar, swerling
from noroshi.sensors.axes import itrs_from_sensor
from noroshi.sensors.exclusion import limb_height, near_body, passes_below
from noroshi.sensors.horizon import lowest_elevation
from noroshi.sensors.models import Infrared, Radar, Refraction
from noroshi.sensors.transmission import transmission
from noroshi.sky import Sky
from noroshi.tables import Background, Ephemeris, Opportunities, Reason, Truth
from noroshi.targets.light import body_axes

P_WORTH_NAMING = 1e-3  # below this a look counts as below threshold and never detects (tables.Reason)
_EDGE = 1e-12  # a target exactly on the edge of a field is inside, whatever the rounding


def opportunities(
    sensors: Sequence[Infrared | Radar],
    ephemeris: Ephemeris,
    truth: Truth,
    m: Float[np.ndarray, "time 3 3"],
    sky: Sky | None = None,
) -> Opportunities:
    """Every sensor against every target on the whole grid (m = itrs_from_gcrs; grids of both tables equal).

    `reason` is the first that applies in `tables.REASONS_IN_ORDER`; MISSED stands for "could be detected".
    A target that is not alive counts as BELOW_HORIZON, with SNR 0 and infinite range. SNR is what geometry and
    signature give also where a later reason forbids the look, and 0 below the horizon.

    Infrared: the line must clear the ellipsoid; the target must lie in the cone about geodetic nadir, in range,
    above the cloud top; the line must not pass below the grazing height before the target; SNR = I / (R^2 NEI)
    with the NEI of what lies behind the target, dimmed by the air and lessened by the signal's own noise where the
    sensor says so; not too close to the Sun, the Moon (both in `sky`) or the limb.

    Radar: straight lines over the exact ellipsoid, no refraction. The 4/3 Earth radius fits the lowest 10 km or so
    of air only; for targets above about 20 km it would put the horizon too far (841 km instead of 728 km for a
    target at 40 km), and a minimum elevation of some degrees, not the horizon, bounds the field in practice.
    A radar with refraction is judged by apparent elevations, in the field and over the horizon alike; what the
    straight line sees it sees too.

    Errors: ScenarioError where a sensor's band has no intensity in `truth`, or where `sky` is needed and absent.
    """
    shape = (len(truth.t), len(sensors), len(truth.targets))
    reason = np.full(shape, Reason.BELOW_HORIZON, np.int8)
    snr, p_detect = np.zeros(shape), np.zeros(shape)
    range_m = np.full(shape, np.inf)
    if 0 not in shape:
        r_sensor = rotate(m, ephemeris.r_gcrs)
        r_target = rotate(m, truth.r_gcrs)
        axes = itrs_from_sensor(sensors, ephemeris, m)
        for kind, look in ((Infrared, _look_infrared), (Radar, _look_radar)):
            chosen = [k for k, s in enumerate(sensors) if isinstance(s, kind)]
            if not chosen:
                continue
            if kind is Infrared:
                columns = _columns(
                    [s._replace(band=_band(s, k, ephemeris, truth)) for k, s in _pick(sensors, chosen)]
                )
                signature = _signature(truth, m)
                models = [s for _, s in _pick(sensors, chosen)]
                through = _through(models, r_sensor[:, chosen], r_target)
                extra = (through, _sky_itrs(models, sky, m))
            else:
                columns = _columns([s for _, s in _pick(sensors, chosen)])
                signature = truth.rcs_m2
                extra = ()
            found = look(
                columns, r_sensor[:, chosen], axes[:, chosen], r_target, truth.alive, signature, *extra
            )
            reason[:, chosen], snr[:, chosen], p_detect[:, chosen], range_m[:, chosen] = map(
                np.asarray, found
            )
        for k, s in enumerate(sensors):
            if isinstance(s, Radar) and not _usual(s):
                given = _given(s, r_sensor[:, k], r_target, truth)
                own = _look_radar(
                    _columns([s]), r_sensor[:, [k]], axes[:, [k]], r_target, truth.alive, truth.rcs_m2, given
                )
                reason[:, [k]], snr[:, [k]], p_detect[:, [k]], range_m[:, [k]] = map(np.asarray, own)
    return Opportunities(truth.t, reason, snr, p_detect, range_m)


class _Given(NamedTuple):
    """What is worked out beforehand for a radar that is more than the usual one, each [time, 1, target]."""

    snr: Any
    p_detect: Any
    lowest_rad: Any  # true elevations, at which the target appears at the limits of the field and the horizon
    highest_rad: Any
    horizon_rad: Any


def _usual(s: Radar) -> bool:
    """Whether one program serves: Swerling 1, one pulse, straight rays, SNR by the range."""
    return s.swerling == 1 and s.pulses == 1 and s.refraction == Refraction.NONE and not s.fixed


def _given(s: Radar, r_sensor: np.ndarray, r_target: np.ndarray, truth: Truth) -> _Given:
    distance = np.linalg.norm(r_target - r_sensor[:, None], axis=-1)
    looked = truth.alive & (distance <= s.range_max_m) & (distance > 0.0)
    far = np.where(looked, distance, np.inf)
    if s.fixed:
        snr = np.where(looked, s.snr_reference, 0.0)
    else:
        snr = radar.snr(truth.rcs_m2, far, s.snr_reference, s.rcs_reference_m2, s.range_reference_m)
    p_detect = np.zeros(looked.shape)
    p_detect[looked] = swerling.p_detect(s.swerling, snr[looked], s.pulses, s.p_false_alarm)
    height = np.where(looked, np.asarray(height_itrs(r_target)), 0.0)
    sensor_height = float(np.asarray(height_itrs(r_sensor[0])))
    limits = (
        lowest_elevation(e, sensor_height, height, Refraction(s.refraction))
        for e in (s.elevation_min_rad, s.elevation_max_rad, -np.inf)
    )
    return _Given(*(column[:, None] for column in (snr, p_detect, *limits)))


def _pick(sensors: Sequence[Any], chosen: list[int]) -> list[tuple[int, Any]]:
    return [(k, sensors[k]) for k in chosen]


def _band(sensor: Infrared, k: int, ephemeris: Ephemeris, truth: Truth) -> int:
    if sensor.band not in truth.bands:
        raise ScenarioError(
            f"looks in band {sensor.band!r}, in which no target has an intensity",
            where=f"sensor {ephemeris.sensors[k]!r}",
            remedy="state intensity_kw_sr for that band in every target, or choose one of: "
            + (", ".join(truth.bands) or "(none)"),
        )
    return truth.bands.index(sensor.band)


def _through(models: list[Infrared], r_sensor: np.ndarray, r_target: np.ndarray) -> np.ndarray | None:
    """Transmission of the air [time, sensor, target], 1 for sensors that leave it out; None where all do."""
    if not any(s.transmission for s in models):
        return None
    axes2 = np.array([EARTH_RADIUS_M, EARTH_RADIUS_M, EARTH_POLAR_RADIUS_M]) ** 2
    up = r_target / axes2
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    height = height_itrs(r_target)
    through = np.ones((*r_sensor.shape[:2], r_target.shape[1]))
    for k, s in enumerate(models):
        if s.transmission:
            line = r_sensor[:, k, None] - r_target
            cos = np.sum(line * up, axis=-1) / np.linalg.norm(line, axis=-1)
            through[:, k] = transmission(s.band, height, cos)
    return through


def _sky_itrs(models: list[Infrared], sky: Sky | None, m: np.ndarray) -> tuple[np.ndarray, ...] | None:
    """Sun and Moon in the ITRS [time, 3]; None where no sensor excludes anything."""
    if not any(s.sun_exclusion_rad or s.moon_exclusion_rad for s in models):
        if not any(s.limb_exclusion_m or s.limb_exclusion_rad for s in models):
            return None
        sky = sky or Sky(np.zeros((len(m), 3)), np.zeros((len(m), 3)))
    if sky is None:
        raise ScenarioError(
            "a sensor excludes the Sun or the Moon, whose places are not given",
            remedy="pass sky = noroshi.sky.sky(epoch, t)",
        )
    return rotate(m, sky.sun_gcrs), rotate(m, sky.moon_gcrs)


class _Facets(NamedTuple):
    """Intensities that depend on the direction (tables.Truth)."""

    isotropic_w_sr: Any  # [time, target, band]
    w_sr: Any  # [facet, time, target, band]
    normal_itrs: Any  # [facet, time, target, 3]


def _signature(truth: Truth, m: np.ndarray) -> Any:
    """Intensities [time, target, band]; with their facets where they depend on the direction."""
    if truth.facet_normal is None or truth.facet_w_sr is None:
        return truth.intensity_w_sr
    # still, co-rotating air: the velocity relative to it is that relative to the Earth
    axes = body_axes(*state_itrs(m, truth.r_gcrs, truth.v_gcrs))
    normal = np.einsum("nfi,tnij->ftnj", truth.facet_normal, axes)
    return _Facets(truth.intensity_w_sr, np.moveaxis(truth.facet_w_sr, -1, 0), normal)


def _towards(s: Any, signature: Any, line: Any, distance: Any) -> Any:
    """Intensity [time, sensor, target] in each sensor's band, towards the sensor that the line comes from."""

    def of_band(w_sr: Any) -> Any:
        bands = jnp.moveaxis(w_sr, -1, 0)  # [band, time, target]
        return jnp.moveaxis(bands[s.band[:, 0]], 0, 1)

    if not isinstance(signature, _Facets):
        return of_band(signature)

    def add(total: Any, facet: Any) -> tuple[Any, None]:
        w_sr, normal = facet
        cos = -jnp.sum(line * normal[:, None], axis=-1) / distance
        return total + of_band(w_sr) * jnp.maximum(cos, 0.0), None

    # facet by facet: all at once would not fit into memory
    return jax.lax.scan(add, of_band(signature.isotropic_w_sr), (signature.w_sr, signature.normal_itrs))[0]


def _columns(sensors: list[Any]) -> Any:
    """The same NamedTuple, holding one array [sensor, 1] per field (broadcasts over time and target)."""
    return type(sensors[0])(*(np.array(field)[:, None] for field in zip(*sensors, strict=True)))


@jax.jit
def _look_infrared(
    s: Any,
    r_sensor: Any,
    axes: Any,
    r_target: Any,
    alive: Any,
    intensity_w_sr: Any,
    through: Any = None,
    sky: Any = None,
) -> tuple[Any, Any, Any, Any]:
    a, b = r_sensor[:, :, None], r_target[:, None]
    line = b - a
    distance = jnp.sqrt(jnp.sum(line * line, axis=-1))
    alive = alive[:, None]
    behind = earth_behind_margin(a, b) > 0.0
    intensity = _towards(s, intensity_w_sr, line, distance)
    nei = jnp.where(behind, s.nei_earth_w_m2, s.nei_space_w_m2)
    irradiance = infrared.irradiance(intensity, distance)
    snr = (irradiance if through is None else irradiance * through) / nei
    snr = infrared.with_own_noise(snr, jnp.where(behind, s.noise_earth_e, s.noise_space_e))
    snr = jnp.where(s.snr_stated > 0.0, jnp.where(intensity > 0.0, s.snr_stated, 0.0), snr)
    p = infrared.p_detect(snr, s.threshold_snr, s.p_detect_max)
    cos_nadir = jnp.sum(line * axes[:, :, None, :, 0], axis=-1) / distance
    hidden = ~alive | (occlusion_margin(a, b) < 0.0)
    reason = _first(
        (hidden, Reason.BELOW_HORIZON),
        (cos_nadir < jnp.cos(s.field_cone_rad) - _EDGE, Reason.OUT_OF_FIELD),
        (distance > s.range_max_m, Reason.OUT_OF_RANGE),
        (height_itrs(b) < s.cloud_top_m, Reason.BELOW_CLOUD),
        (~grazing_clear(a, b, s.grazing_height_m), Reason.BELOW_GRAZING),
        (behind & (s.background == int(Background.SPACE)), Reason.EARTH_BEHIND),
        *(() if sky is None else _exclusions(s, a, line, behind, sky)),
        (p < P_WORTH_NAMING, Reason.BELOW_THRESHOLD),
    )
    return _finish(reason, snr, p, distance, hidden, alive)


def _exclusions(s: Any, a: Any, line: Any, behind: Any, sky: Any) -> tuple[tuple[Any, Reason], ...]:
    sun, moon = (body[:, None, None] for body in sky)
    edge = jnp.maximum(limb_height(a, s.limb_exclusion_rad), s.limb_exclusion_m)
    return (
        (near_body(a, line, sun, s.sun_exclusion_rad), Reason.SUN_EXCLUSION),
        (near_body(a, line, moon, s.moon_exclusion_rad), Reason.MOON_EXCLUSION),
        ((edge > 0.0) & ~behind & passes_below(a, line, edge), Reason.LIMB_EXCLUSION),
    )


@jax.jit
def _look_radar(
    s: Any,
    r_sensor: Any,
    axes: Any,
    r_target: Any,
    alive: Any,
    rcs_m2: Any,
    given: _Given | None = None,
) -> tuple[Any, Any, Any, Any]:
    a, b = r_sensor[:, :, None], r_target[:, None]
    line = b - a
    distance = jnp.sqrt(jnp.sum(line * line, axis=-1))
    alive = alive[:, None]
    x, y, z = jnp.einsum("tsic,tski->ctsk", axes, line) / distance
    azimuth, elevation = jnp.arctan2(y, x), jnp.arcsin(jnp.clip(z, -1.0, 1.0))
    if given is None:
        lowest, highest = s.elevation_min_rad, s.elevation_max_rad
        snr = radar.snr(rcs_m2, distance, s.snr_reference, s.rcs_reference_m2, s.range_reference_m)
        p = radar.p_detect(snr, s.p_false_alarm)
        hidden = ~alive | (occlusion_margin(a, b) < 0.0)
    else:
        lowest, highest, snr, p = given.lowest_rad, given.highest_rad, given.snr, given.p_detect
        below = (occlusion_margin(a, b) < 0.0) & (elevation < given.horizon_rad)
        # without bent rays the ellipsoid alone decides
        hidden = ~alive | jnp.where(s.refraction == int(Refraction.NONE), occlusion_margin(a, b) < 0.0, below)
    outside = (
        (jnp.abs(azimuth) > s.field_azimuth_rad + _EDGE)
        | (elevation < lowest - _EDGE)
        | (elevation > highest + _EDGE)
    )
    reason = _first(
        (hidden, Reason.BELOW_HORIZON),
        (outside, Reason.OUT_OF_FIELD),
        (distance > s.range_max_m, Reason.OUT_OF_RANGE),
        (p < P_WORTH_NAMING, Reason.BELOW_THRESHOLD),
    )
    return _finish(reason, snr, p, distance, hidden, alive)


def _first(*cases: tuple[Any, Reason]) -> Any:
    """The first reason whose condition holds, else MISSED."""
    reason: Any = jnp.int8(Reason.MISSED)
    for condition, value in reversed(cases):
        reason = jnp.where(condition, jnp.int8(value), reason)
    return reason


def _finish(
    reason: Any, snr: Any, p: Any, distance: Any, hidden: Any, alive: Any
) -> tuple[Any, Any, Any, Any]:
    return (
        reason,
        jnp.where(hidden, 0.0, snr),
        jnp.where(reason == jnp.int8(Reason.MISSED), p, 0.0),
        jnp.where(alive, distance, jnp.inf),
    )
