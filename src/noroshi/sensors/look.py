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
from noroshi.earth import earth_behind_margin, grazing_clear, height_itrs, occlusion_margin
from noroshi.errors import ScenarioError
from noroshi.frames import rotate, state_itrs
from noroshi.sensors import infrared, radar
from noroshi.sensors.axes import itrs_from_sensor
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Background, Ephemeris, Opportunities, Reason, Truth
from noroshi.targets.light import body_axes

P_WORTH_NAMING = 1e-3  # below this a look counts as below threshold and never detects (tables.Reason)
_EDGE = 1e-12  # a target exactly on the edge of a field is inside, whatever the rounding


def opportunities(
    sensors: Sequence[Infrared | Radar],
    ephemeris: Ephemeris,
    truth: Truth,
    m: Float[np.ndarray, "time 3 3"],
) -> Opportunities:
    """Every sensor against every target on the whole grid (m = itrs_from_gcrs; grids of both tables equal).

    `reason` is the first that applies in the order of `tables.Reason`; MISSED stands for "could be detected".
    A target that is not alive counts as BELOW_HORIZON, with SNR 0 and infinite range. SNR is what geometry and
    signature give also where a later reason forbids the look, and 0 below the horizon.

    Infrared: the line must clear the ellipsoid; the target must lie in the cone about geodetic nadir, in range,
    above the cloud top; the line must not pass below the grazing height before the target; SNR = I / (R^2 NEI)
    with the NEI of what lies behind the target.

    Radar: straight lines over the exact ellipsoid, no refraction. The 4/3 Earth radius fits the lowest 10 km or so
    of air only; for targets above about 20 km it would put the horizon too far (841 km instead of 728 km for a
    target at 40 km), and a minimum elevation of some degrees, not the horizon, bounds the field in practice.

    Errors: ScenarioError where a sensor's band has no intensity in `truth`.
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
            else:
                columns = _columns([s for _, s in _pick(sensors, chosen)])
                signature = truth.rcs_m2
            found = look(columns, r_sensor[:, chosen], axes[:, chosen], r_target, truth.alive, signature)
            reason[:, chosen], snr[:, chosen], p_detect[:, chosen], range_m[:, chosen] = map(
                np.asarray, found
            )
    return Opportunities(truth.t, reason, snr, p_detect, range_m)


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
    s: Any, r_sensor: Any, axes: Any, r_target: Any, alive: Any, intensity_w_sr: Any
) -> tuple[Any, Any, Any, Any]:
    a, b = r_sensor[:, :, None], r_target[:, None]
    line = b - a
    distance = jnp.sqrt(jnp.sum(line * line, axis=-1))
    alive = alive[:, None]
    behind = earth_behind_margin(a, b) > 0.0
    intensity = _towards(s, intensity_w_sr, line, distance)
    nei = jnp.where(behind, s.nei_earth_w_m2, s.nei_space_w_m2)
    snr = infrared.irradiance(intensity, distance) / nei
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
        (p < P_WORTH_NAMING, Reason.BELOW_THRESHOLD),
    )
    return _finish(reason, snr, p, distance, hidden, alive)


@jax.jit
def _look_radar(
    s: Any, r_sensor: Any, axes: Any, r_target: Any, alive: Any, rcs_m2: Any
) -> tuple[Any, Any, Any, Any]:
    a, b = r_sensor[:, :, None], r_target[:, None]
    line = b - a
    distance = jnp.sqrt(jnp.sum(line * line, axis=-1))
    alive = alive[:, None]
    x, y, z = jnp.einsum("tsic,tski->ctsk", axes, line) / distance
    azimuth, elevation = jnp.arctan2(y, x), jnp.arcsin(jnp.clip(z, -1.0, 1.0))
    outside = (
        (jnp.abs(azimuth) > s.field_azimuth_rad + _EDGE)
        | (elevation < s.elevation_min_rad - _EDGE)
        | (elevation > s.elevation_max_rad + _EDGE)
    )
    snr = radar.snr(rcs_m2, distance, s.snr_reference, s.rcs_reference_m2, s.range_reference_m)
    p = radar.p_detect(snr, s.p_false_alarm)
    hidden = ~alive | (occlusion_margin(a, b) < 0.0)
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
