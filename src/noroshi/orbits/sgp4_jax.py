"""Near-Earth SGP4 in JAX: many satellites at many times, differentiable, on whatever device JAX has.

Equations of Hoots and Roehrich, Spacetrack Report No. 3 (1980), section 6, with the corrections of Vallado et al.,
AIAA 2006-6753. Lengths inside are in Earth radii, times in minutes, as the model's constants are.
"""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int
from sgp4.api import SGP4_ERRORS, Satrec

from noroshi.errors import DataError
from noroshi.orbits.design import WGS72_J2, WGS72_MU, WGS72_RADIUS_M
from noroshi.orbits.sgp4 import element_set_tt, gcrs_from_teme
from noroshi.orbits.sincos import sincos
from noroshi.time import EarthOrientation, Epoch, julian_tt

# WGS-72 as in AIAA 2006-6753, beside those of orbits.design
_J3 = -2.53881e-6
_J4 = -1.65597e-6
_J3_OVER_J2 = _J3 / WGS72_J2
_KE = 60.0 * (WGS72_MU / WGS72_RADIUS_M**3) ** 0.5  # sqrt(mu), Earth radii and minutes
_KM = 1e3 / WGS72_RADIUS_M

DEEP_SPACE_MIN = 225.0  # of period: from here on the Sun and Moon count, and SDP4 takes over
# SGP4's error codes; 3 and 5 are deep space's and an older model's
ECCENTRICITY, MEAN_MOTION, SEMI_LATUS, DECAYED = 1, 2, 4, 6


class ElementSets(NamedTuple):
    """Mean elements as element sets state them, one entry per satellite; axes TEME, each at its own epoch."""

    n: Float64[Any, "sat"]  # Kozai's mean motion [rad/min]
    e: Float64[Any, "sat"]
    i: Float64[Any, "sat"]  # inclination [rad]
    raan: Float64[Any, "sat"]  # [rad]
    argp: Float64[Any, "sat"]  # [rad]
    mean_anomaly: Float64[Any, "sat"]  # [rad]
    bstar: Float64[Any, "sat"]  # drag [1 / Earth radius]
    epoch_day: Float64[Any, "sat"]  # Julian date, TT
    epoch_fraction: Float64[Any, "sat"]


def element_sets(satellites: Sequence[tuple[str, Satrec]]) -> ElementSets:
    """Of named records of the `sgp4` package.

    Raises DataError, naming the satellite, for one of deep space or of other constants than WGS-72.
    """
    for name, record in satellites:
        if abs(record.radiusearthkm * 1e3 - WGS72_RADIUS_M) > 1e-3:
            raise DataError(
                f"its elements are read with an Earth radius of {record.radiusearthkm:.3f} km",
                where=f"satellite {name}",
                remedy="element sets are made with WGS-72; read them so",
            )

    def column(field: str) -> np.ndarray:
        return np.array([getattr(record, field) for _, record in satellites], np.float64)

    days = np.array([element_set_tt(*s) for s in satellites], np.float64).reshape(-1, 2)
    sets = ElementSets(
        n=column("no_kozai"),
        e=column("ecco"),
        i=column("inclo"),
        raan=column("nodeo"),
        argp=column("argpo"),
        mean_anomaly=column("mo"),
        bstar=column("bstar"),
        epoch_day=days[:, 0],
        epoch_fraction=days[:, 1],
    )
    check_near_earth(sets, [name for name, _ in satellites])
    return sets


def check_near_earth(sets: ElementSets, names: Sequence[str]) -> None:
    """Raise DataError naming a satellite whose period is SDP4's, or whose elements are none."""
    period = 2.0 * np.pi / np.asarray(_coefficients(sets).n)
    bad = ~(period < DEEP_SPACE_MIN)
    if bad.any():
        k = int(np.argmax(bad))
        raise DataError(
            f"its period of {period[k]:.0f} min is deep space ({DEEP_SPACE_MIN:g} min and more), not modelled here",
            where=f"satellite {names[k]}",
            remedy="use noroshi.orbits.sgp4, which has SDP4",
        )


def minutes_after(
    sets: ElementSets, epoch: Epoch, t: Float[np.ndarray, "time"]
) -> Float64[np.ndarray, "time sat"]:
    """Minutes of TT from each element set's epoch to t [s of TT past the scenario's epoch]."""
    day, fraction = julian_tt(epoch, np.asarray(t, np.float64))
    whole = day[:, None] - np.asarray(sets.epoch_day)
    return 1440.0 * (whole + (fraction[:, None] - np.asarray(sets.epoch_fraction)))


def propagate_teme(
    sets: ElementSets, minutes: Float[Any, "time *sat"]
) -> tuple[Float64[Array, "time sat 3"], Float64[Array, "time sat 3"]]:
    """Position [m] and velocity [m/s], TEME, at minutes after each element set's epoch.

    `minutes` is [time], alike for all, or [time, sat]. Where `codes` is not zero the states mean nothing. Within
    1 mm of the published states (V-101). Derivatives with respect to any field and to the minutes are those of
    SGP4 as it stands, with its switches: a mean eccentricity below 1e-6 counts as 1e-6, so that circular
    elements have no derivative by e.
    """
    return _motion(_coefficients(sets), minutes)


def codes(sets: ElementSets, minutes: Float[Any, "time *sat"]) -> Int[Array, "time sat"]:
    """SGP4's error code of every state, 0 where it is valid.

    1 mean eccentricity outside -0.001 to 1, 2 mean motion not positive, 4 semi-latus rectum negative, 6 decayed
    (radius below the Earth's); the first that holds, in SGP4's order.
    """
    return _states(_coefficients(sets), minutes)[2]


def propagate_checked(
    sets: ElementSets, minutes: Float[Any, "time *sat"], names: Sequence[str]
) -> tuple[Float64[np.ndarray, "time sat 3"], Float64[np.ndarray, "time sat 3"]]:
    """As `propagate_teme`; DataError, naming the satellite, where SGP4 gives up or does not apply."""
    check_near_earth(sets, names)
    r, v, code = (np.asarray(x) for x in _states(_coefficients(sets), minutes))
    if code.any():
        at, bad = (int(k) for k in np.argwhere(code)[0])
        late = float(np.broadcast_to(_columns(np.asarray(minutes)), code.shape)[at, bad])
        raise DataError(
            f"SGP4 cannot carry it to {late:,.1f} minutes after its epoch: {SGP4_ERRORS[int(code[at, bad])]}",
            where=f"satellite {names[bad]}",
            remedy="use an element set closer to the scenario's epoch, or leave the satellite out",
        )
    return r, v


def propagate(
    sets: ElementSets,
    names: Sequence[str],
    epoch: Epoch,
    t: Float[np.ndarray, "time"],
    eop: EarthOrientation,
) -> tuple[Float64[np.ndarray, "time sat 3"], Float64[np.ndarray, "time sat 3"]]:
    """Position [m] and velocity [m/s], GCRS, at t: what `noroshi.orbits.sgp4.propagate` gives, near the Earth."""
    t = np.asarray(t, np.float64)
    r, v = propagate_checked(sets, minutes_after(sets, epoch, t), names)
    turn = np.swapaxes(gcrs_from_teme(epoch, t, eop), 1, 2)
    return r @ turn, v @ turn


def _columns(minutes: Any) -> Any:
    return minutes[:, None] if minutes.ndim == 1 else minutes


class _Shape(NamedTuple):
    """Functions of the inclination that recur; theta its cosine."""

    cos: Any
    sin: Any
    three: Any  # 3 theta^2 - 1
    one: Any  # 1 - theta^2
    seven: Any  # 7 theta^2 - 1


class _Drag(NamedTuple):
    """What the air does to an orbit, per minute (STR#3: C1 to C5, D2 to D4, and the series of the mean longitude)."""

    eta: Any
    c1: Any
    c4: Any
    c5: Any
    d2: Any
    d3: Any
    d4: Any
    perigee: Any  # B* C3 cos omega: of the perigee
    anomaly: Any  # factor of the cubed term of the mean anomaly
    longitude: tuple[Any, Any, Any, Any]  # of t^2 to t^5


class _Coefficients(NamedTuple):
    """What of an orbit does not depend on time, per satellite."""

    sets: ElementSets
    shape: _Shape
    n: Any  # Brouwer's mean motion [rad/min]
    a: Any  # semi-major axis [Earth radii]
    anomaly_rate: Any
    perigee_rate: Any
    node_rate: Any
    node_drag: Any  # of the node, by t^2
    sin_anomaly: Any  # at the epoch
    cubed: Any  # (1 + eta cos M)^3 at the epoch
    tilt: Any  # J3's shift of the eccentricity vector, by p
    lift: Any  # and of the longitude
    drag: _Drag


def _shape(sets: ElementSets) -> _Shape:
    sin, cos = sincos(sets.i)
    square = cos * cos
    return _Shape(cos, sin, 3.0 * square - 1.0, 1.0 - square, 7.0 * square - 1.0)


def _brouwer(sets: ElementSets, shape: _Shape) -> tuple[Any, Any]:
    """Brouwer's mean motion [rad/min] and semi-major axis [Earth radii] behind Kozai's mean motion."""
    pull = 0.75 * WGS72_J2 * shape.three / (1.0 - sets.e * sets.e) ** 1.5
    naive = (_KE / sets.n) ** (2.0 / 3.0)
    d = pull / naive**2
    middle = naive * (1.0 - d * (1.0 / 3.0 + d * (1.0 + 134.0 / 81.0 * d)))
    n = sets.n / (1.0 + pull / middle**2)
    return n, (_KE / n) ** (2.0 / 3.0)


def _secular_rates(sets: ElementSets, n: Any, a: Any, shape: _Shape) -> tuple[Any, Any, Any, Any]:
    """Rates [rad/min] of mean anomaly, perigee and node under J2 and J4; last, the node's first-order part."""
    beta2 = 1.0 - sets.e * sets.e
    beta = jnp.sqrt(beta2)
    cos = shape.cos
    u, p2 = cos * cos, (a * beta2) ** -2
    first = 1.5 * WGS72_J2 * p2 * n
    second = 0.5 * first * WGS72_J2 * p2
    fourth = -0.46875 * _J4 * p2 * p2 * n
    anomaly = n + beta * (0.5 * first * (3.0 * u - 1.0) + 0.0625 * second * (13.0 + u * (-78.0 + 137.0 * u)))
    perigee = (
        0.5 * first * (5.0 * u - 1.0)
        + 0.0625 * second * (7.0 + u * (-114.0 + 395.0 * u))
        + fourth * (3.0 + u * (-36.0 + 49.0 * u))
    )
    node = -first * cos
    more = cos * (0.5 * second * (4.0 - 19.0 * u) + 2.0 * fourth * (3.0 - 7.0 * u))
    return anomaly, perigee, node + more, node


def _drag(sets: ElementSets, n: Any, a: Any, shape: _Shape) -> _Drag:
    e, bstar = sets.e, sets.bstar
    # the air's density is a power law from s up, which low perigees bring down
    perigee_km = (a * (1.0 - e) - 1.0) / _KM
    s_km = jnp.where(perigee_km < 156.0, jnp.where(perigee_km < 98.0, 20.0, perigee_km - 78.0), 78.0)
    s = 1.0 + s_km * _KM
    xi = 1.0 / (a - s)
    eta = a * e * xi
    eta2, e_eta = eta * eta, e * eta
    psi2 = jnp.abs(1.0 - eta2)
    density = ((120.0 - s_km) * _KM * xi) ** 4
    strength = density / psi2**3.5
    beta2 = 1.0 - e * e
    c2 = (
        strength
        * n
        * (
            a * (1.0 + 1.5 * eta2 + e_eta * (4.0 + eta2))
            + 0.375 * WGS72_J2 * xi / psi2 * shape.three * (8.0 + 3.0 * eta2 * (8.0 + eta2))
        )
    )
    c1 = bstar * c2
    cos_argp = sincos(sets.argp)[1]
    cos_2argp = 2.0 * cos_argp * cos_argp - 1.0
    flat = 3.0 * shape.three * (1.0 - 2.0 * e_eta + eta2 * (1.5 - 0.5 * e_eta))
    turning = 0.75 * shape.one * (2.0 * eta2 - e_eta * (1.0 + eta2)) * cos_2argp
    c4 = (2.0 * n * strength * a * beta2) * (
        eta * (2.0 + 0.5 * eta2) + e * (0.5 + 2.0 * eta2) + WGS72_J2 * xi / (a * psi2) * (flat - turning)
    )
    c5 = 2.0 * strength * a * beta2 * (1.0 + 2.75 * (eta2 + e_eta) + e_eta * eta2)
    # both are over e, and left out where there is no perigee to speak of
    eccentric = e > 1e-4
    over_e = jnp.where(eccentric, 1.0 / jnp.where(eccentric, e, 1.0), 0.0)
    c3 = -2.0 * density * xi * _J3_OVER_J2 * n * shape.sin * over_e
    over_eta = jnp.where(eccentric, 1.0 / jnp.where(eccentric, eta, 1.0), 0.0)
    anomaly = -2.0 / 3.0 * density * bstar * over_e * over_eta
    square = c1 * c1
    d2 = 4.0 * a * xi * square
    third = d2 * xi * c1 / 3.0
    d3 = (17.0 * a + s) * third
    d4 = 0.5 * third * a * xi * (221.0 * a + 31.0 * s) * c1
    # below 220 km of perigee the short form holds
    full = jnp.where(a * (1.0 - e) < 1.0 + 220.0 * _KM, 0.0, 1.0)
    longitude = (
        1.5 * c1,
        full * (d2 + 2.0 * square),
        full * 0.25 * (3.0 * d3 + c1 * (12.0 * d2 + 10.0 * square)),
        full * 0.2 * (3.0 * d4 + 12.0 * c1 * d3 + 6.0 * d2 * d2 + 15.0 * square * (2.0 * d2 + square)),
    )
    return _Drag(
        eta,
        c1,
        bstar * c4,
        full * bstar * c5,
        full * d2,
        full * d3,
        full * d4,
        full * bstar * c3 * cos_argp,
        full * anomaly,
        longitude,
    )


@jax.custom_jvp
def _kepler(u: Any, ax: Any, ay: Any) -> tuple[Any, Any]:
    """Sine and cosine of the E that solves u = E + ay cos E - ax sin E.

    Kepler's equation counted from the node, with the eccentricity vector (ax, ay). One Newton step from u, then
    Householder's of the third order: residual at rounding up to an eccentricity of 0.9 (tested); an orbit of
    this module that clears the ground has 0.48 at most.
    """
    sin, cos = sincos(u)
    x = u + (ax * sin - ay * cos) / (1.0 - ax * cos - ay * sin)
    # a loop: unrolled, the program takes twice as long to compile and runs no faster
    x = jax.lax.fori_loop(0, 2, lambda _, x: x + _correction(u, ax, ay, x, *sincos(x)), x)
    sin, cos = sincos(x)
    return _turned(sin, cos, _correction(u, ax, ay, x, sin, cos))


def _correction(u: Any, ax: Any, ay: Any, x: Any, sin: Any, cos: Any) -> Any:
    f2, f3 = ax * sin - ay * cos, ax * cos + ay * sin
    f, f1 = x - u - f2, 1.0 - f3
    first = f / f1
    second = f / (f1 - 0.5 * first * f2)
    return -f / (f1 - second * (0.5 * f2 - second * f3 / 6.0))


@_kepler.defjvp
def _kepler_jvp(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
    """By the implicit function."""
    u, ax, ay = primals
    sin, cos = _kepler(u, ax, ay)
    du, dx, dy = tangents
    turn = (du + sin * dx - cos * dy) / (1.0 - ax * cos - ay * sin)
    return (sin, cos), (cos * turn, -sin * turn)


def _turned(sin: Any, cos: Any, by: Any) -> tuple[Any, Any]:
    """Sine and cosine of an angle turned on `by` a short-period term: series to 1e-17 up to 0.01 rad."""
    square = by * by
    s = by * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
    c = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0))
    return sin * c + cos * s, cos * c - sin * s


@jax.jit
def _coefficients(sets: ElementSets) -> _Coefficients:
    """A program of its own: in one with `_states`, XLA works these out anew for every state."""
    sets = ElementSets(*(jnp.asarray(x, jnp.float64) for x in sets))
    shape = _shape(sets)
    n, a = _brouwer(sets, shape)
    anomaly_rate, perigee_rate, node_rate, node_first = _secular_rates(sets, n, a, shape)
    drag = _drag(sets, n, a, shape)
    sin_anomaly, cos_anomaly = sincos(sets.mean_anomaly)
    above = 1.0 + shape.cos
    above = jnp.where(jnp.abs(above) > 1.5e-12, above, 1.5e-12)  # at 180 deg, as the published code
    return _Coefficients(
        sets,
        shape,
        n,
        a,
        anomaly_rate,
        perigee_rate,
        node_rate,
        3.5 * (1.0 - sets.e * sets.e) * node_first * drag.c1,
        sin_anomaly,
        (1.0 + drag.eta * cos_anomaly) ** 3,
        -0.5 * _J3_OVER_J2 * shape.sin,
        -0.25 * _J3_OVER_J2 * shape.sin * (3.0 + 5.0 * shape.cos) / above,
        drag,
    )


@jax.jit
def _states(known: _Coefficients, minutes: Any) -> tuple[Any, Any, Any]:
    sets, shape, n0, drag = known.sets, known.shape, known.n, known.drag
    t = _columns(jnp.asarray(minutes, jnp.float64))

    # secular: gravity, then drag
    anomaly = sets.mean_anomaly + known.anomaly_rate * t
    argp = sets.argp + known.perigee_rate * t
    node = sets.raan + t * (known.node_rate + known.node_drag * t)
    shift = drag.perigee * t + drag.anomaly * ((1.0 + drag.eta * sincos(anomaly)[1]) ** 3 - known.cubed)
    anomaly, argp = anomaly + shift, argp - shift
    shrink = 1.0 - t * (drag.c1 + t * (drag.d2 + t * (drag.d3 + t * drag.d4)))
    e_raw = sets.e - drag.c4 * t - drag.c5 * (sincos(anomaly)[0] - known.sin_anomaly)
    l2, l3, l4, l5 = drag.longitude
    anomaly = anomaly + n0 * t * t * (l2 + t * (l3 + t * (l4 + t * l5)))
    a = known.a * shrink * shrink
    e = jnp.maximum(e_raw, 1e-6)

    # long period: J3 shifts the eccentricity vector
    p_inverse = 1.0 / (a * (1.0 - e * e))
    sin, cos = sincos(argp)
    ax = e * cos
    ay = e * sin + known.tilt * p_inverse
    u = jnp.mod(anomaly + argp + known.lift * p_inverse * ax, 2.0 * jnp.pi)

    # the ellipse
    sin, cos = _kepler(u, ax, ay)
    e_cos, e_sin = ax * cos + ay * sin, ax * sin - ay * cos
    e2 = ax * ax + ay * ay
    p = a * (1.0 - e2)
    safe_p = jnp.where(p > 0.0, p, 1.0)
    beta = jnp.sqrt(jnp.where(p > 0.0, 1.0 - e2, 1.0))
    radius = a * (1.0 - e_cos)
    side = e_sin / (1.0 + beta)
    sin_u = a / radius * (sin - ay - ax * side)
    cos_u = a / radius * (cos - ax + ay * side)
    sin_2u, cos_2u = 2.0 * sin_u * cos_u, 1.0 - 2.0 * sin_u * sin_u

    # short period: J2 within a revolution
    k1 = 0.5 * WGS72_J2 / safe_p
    k2 = k1 / safe_p
    r = radius * (1.0 - 1.5 * k2 * beta * shape.three) + 0.5 * k1 * shape.one * cos_2u
    motion = 1.0 / (a * jnp.sqrt(a))  # over ke
    r_rate = jnp.sqrt(a) * e_sin / radius - motion * k1 * shape.one * sin_2u
    across = jnp.sqrt(safe_p) / radius + motion * k1 * (shape.one * cos_2u + 1.5 * shape.three)
    su, cu = _turned(sin_u, cos_u, -0.25 * k2 * shape.seven * sin_2u)
    sn, cn = _turned(*sincos(node), 1.5 * k2 * shape.cos * sin_2u)
    si, ci = _turned(shape.sin, shape.cos, 1.5 * k2 * shape.cos * shape.sin * cos_2u)

    # radial and transverse directions
    rx, ry, rz = cn * cu - sn * ci * su, sn * cu + cn * ci * su, si * su
    tx, ty, tz = -cn * su - sn * ci * cu, -sn * su + cn * ci * cu, si * cu
    length, speed = r * WGS72_RADIUS_M, _KE * WGS72_RADIUS_M / 60.0
    position = jnp.stack([length * rx, length * ry, length * rz], axis=-1)
    velocity = speed * jnp.stack(
        [r_rate * rx + across * tx, r_rate * ry + across * ty, r_rate * rz + across * tz], axis=-1
    )
    code = jnp.select(
        [jnp.broadcast_to(n0, r.shape) <= 0.0, (e_raw >= 1.0) | (e_raw < -0.001), p < 0.0, r < 1.0],
        [MEAN_MOTION, ECCENTRICITY, SEMI_LATUS, DECAYED],
        0,
    )
    return position, velocity, code


@jax.jit
def _motion(known: _Coefficients, minutes: Any) -> tuple[Any, Any]:
    r, v, _ = _states(known, minutes)
    return r, v
