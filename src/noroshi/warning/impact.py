"""Where and when a ballistic track comes down: free fall to the ellipsoid, with its first-order covariance.

The fall is integrated in the ITRS: point mass and J2, Coriolis and centrifugal terms, no drag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float, Float64, Int

from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.earth import enu_from_itrs, geodetic_from_itrs, height_itrs
from noroshi.tables import Tracks, unpack_covariance

POINTS = 33  # of the predicted ground track, equal steps of time from now to impact, both included
STEPS = 4 * (POINTS - 1)  # RK4 steps of a fall: 7 s each in 900 s, 31 s in 4000 s
FALL_MAX_S = 3 * 3600.0  # notional: longer arcs are near-orbital, and no first-order covariance holds on them
CHUNK = 512  # rows per compiled call: one shape for many rows, ...
CHUNK_SMALL = 32  # ... and one for few
RESIDUAL_MAX_M = 1.0  # height left at the impact point; Newton leaves micrometres where it converges


@dataclass(frozen=True)
class Predictions:
    """One row per row of `Tracks`: its free fall to height 0. All nan where there is none.

    Ground-track points are the geodetic sub-points at the fractions 0, 1/32, ... 1 of the time to impact. A
    Jacobian maps a change of the state (ITRS position, velocity relative to the Earth) at the row's time to
    metres east and north of such a point on the ground, for the perturbed flight at the same fraction of
    *its* time to impact: the last point stays an impact point, and a sampled track is never under ground.
    """

    t_impact: Float64[np.ndarray, "row"]  # s past the epoch
    sigma_t_s: Float64[np.ndarray, "row"]
    lat_rad: Float64[np.ndarray, "row"]
    lon_rad: Float64[np.ndarray, "row"]
    cov_en_m2: Float64[np.ndarray, "row 2 2"]  # east, north
    major_m: Float64[np.ndarray, "row"]  # 1-sigma half axes
    minor_m: Float64[np.ndarray, "row"]
    azimuth_rad: Float64[np.ndarray, "row"]  # of the major axis, clockwise from north, in [0, pi)
    track_t: Float64[np.ndarray, "row point"]
    track_lat_rad: Float64[np.ndarray, "row point"]
    track_lon_rad: Float64[np.ndarray, "row point"]
    track_height_m: Float64[np.ndarray, "row point"]
    track_jacobian: Float64[np.ndarray, "row point 2 6"]
    time_jacobian: Float64[np.ndarray, "row 6"]  # of the time to impact


class Fall(NamedTuple):
    """A predicted flight: times after the start and ITRS states; the last is at height 0."""

    t: Float64[np.ndarray, "step"]
    r_itrs: Float64[np.ndarray, "step 3"]
    v_itrs: Float64[np.ndarray, "step 3"]


def predict(
    tracks: Tracks, itrs_from_gcrs: Float[np.ndarray, "row 3 3"], *, j2: float = EARTH_J2
) -> Predictions:
    """Where every track row comes down if nothing but gravity acts on it from now on.

    `itrs_from_gcrs` is the rotation at each row's own time. The covariance is first order in the state's: up
    to a velocity sigma of 50 m/s the linear 90 % ellipse holds 89-91 % of samples. No drag: on a flight like
    the Hokkaido one a body of 5000 kg/m2 falls 0.3 km shorter and 6 s later than predicted (2500 kg/m2: 1.4
    km, 18 s; DOP853 with the US Standard Atmosphere), which no covariance here contains. Rows already under
    ground, rows that do not come down within FALL_MAX_S, and rows with numbers that are not finite are nan.
    """
    rows = len(tracks.t)
    r, v = states_itrs(tracks.mean[:, :6], itrs_from_gcrs)
    cov = covariances_itrs(unpack_covariance(tracks.cov)[:, :6, :6], itrs_from_gcrs)
    guess = fall_time_kepler(r, v)
    some = np.flatnonzero(np.isfinite(guess) & np.isfinite(cov).all((1, 2)))
    states = np.full((rows, POINTS, 6), np.nan)
    flow = np.full((rows, POINTS, 6, 6), np.nan)  # of the states at fixed times
    fall = np.full(rows, np.nan)
    # nodes that share everything hold the same tracks: each flight is flown once
    x6 = np.concatenate([r, v], 1)
    same = first_equal(x6)
    alone = some[same[some] == some]
    at = 0
    while at < len(alone):
        size = CHUNK if len(alone) - at > CHUNK_SMALL else CHUNK_SMALL
        chosen = alone[at : at + size]
        filled = np.concatenate([chosen, np.full(size - len(chosen), chosen[0])])
        x = x6[filled].T
        t, s, f = (np.asarray(a)[..., : len(chosen)] for a in _fall_batch(x, guess[filled], j2))
        fall[chosen], states[chosen], flow[chosen] = t, np.moveaxis(s, -1, 0), np.moveaxis(f, -1, 0)
        at += size
    fall[some], states[some], flow[some] = fall[same[some]], states[same[some]], flow[same[some]]
    return _predictions(tracks.t, fall, states, flow, cov)


def first_equal(values: Float[np.ndarray, "row n"]) -> Int[np.ndarray, "row"]:
    """For each row the first row with the same bytes (itself, where there is none before)."""
    values = np.ascontiguousarray(values)
    key = values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first[inverse.ravel()]


def fall_path(
    r_itrs: Float[np.ndarray, "3"],
    v_itrs: Float[np.ndarray, "3"],
    step_s: float = 5.0,
    *,
    j2: float = EARTH_J2,
) -> Fall | None:
    """The whole predicted flight of one state in steps of about `step_s`; None if it does not come down."""
    guess = fall_time_kepler(r_itrs[None], v_itrs[None])
    if not np.isfinite(guess[0]):
        return None
    x = np.concatenate([r_itrs, v_itrs])[:, None]
    x, guess = np.repeat(x, CHUNK_SMALL, 1), np.repeat(guess, CHUNK_SMALL)
    duration, states, _ = (np.asarray(a)[..., 0] for a in _fall_batch(x, guess, j2))
    if not abs(float(height_itrs(states[-1, :3]))) < RESIDUAL_MAX_M:
        return None
    count = max(1, round(float(duration) / step_s))
    coarse = np.linspace(0.0, duration, POINTS)
    t = np.linspace(0.0, duration, count + 1)
    # restart from the nearest earlier stored state: one RK4 step of at most a point's spacing, cut in four
    below = np.minimum(np.searchsorted(coarse, t, "right") - 1, POINTS - 1)
    x = states[below].T
    for _ in range(4):
        x = np.asarray(_rk4_alone(x, (t - coarse[below]) / 4, j2))
    return Fall(t, x[:3].T, x[3:].T)


def states_itrs(
    state_gcrs: Float[np.ndarray, "row 6"], itrs_from_gcrs: Float[np.ndarray, "row 3 3"]
) -> tuple[Float64[np.ndarray, "row 3"], Float64[np.ndarray, "row 3"]]:
    """Position and velocity relative to the rotating Earth, from GCRS states."""
    r = np.einsum("nij,nj->ni", itrs_from_gcrs, state_gcrs[:, :3])
    v = np.einsum("nij,nj->ni", itrs_from_gcrs, state_gcrs[:, 3:6])
    v[:, 0] += EARTH_RATE_RAD_S * r[:, 1]
    v[:, 1] -= EARTH_RATE_RAD_S * r[:, 0]
    return r, v


def covariances_itrs(
    cov_gcrs: Float[np.ndarray, "row 6 6"], itrs_from_gcrs: Float[np.ndarray, "row 3 3"]
) -> Float64[np.ndarray, "row 6 6"]:
    """Covariances of `states_itrs`."""
    turn = np.zeros((len(cov_gcrs), 6, 6))
    turn[:, :3, :3] = turn[:, 3:, 3:] = itrs_from_gcrs
    turn[:, 3, :3] = EARTH_RATE_RAD_S * itrs_from_gcrs[:, 1]
    turn[:, 4, :3] = -EARTH_RATE_RAD_S * itrs_from_gcrs[:, 0]
    return turn @ cov_gcrs @ turn.transpose(0, 2, 1)


def fall_time_kepler(
    r_itrs: Float[np.ndarray, "row 3"], v_itrs: Float[np.ndarray, "row 3"]
) -> Float64[np.ndarray, "row"]:
    """Two-body time until the radius of the ground below the start is reached [s]; nan where it never is.

    Only a first guess: flattening and J2 change it by seconds. nan as well for a start under ground.
    """
    with np.errstate(all="ignore"):
        inertial = v_itrs + EARTH_RATE_RAD_S * np.stack(
            [-r_itrs[:, 1], r_itrs[:, 0], np.zeros(len(r_itrs))], 1
        )
        radius = np.linalg.norm(r_itrs, axis=1)
        s2 = (r_itrs[:, 2] / radius) ** 2
        ground = 1 / np.sqrt((1 - s2) / EARTH_RADIUS_M**2 + s2 / EARTH_POLAR_RADIUS_M**2)
        a = 1 / (2 / radius - np.sum(inertial**2, 1) / EARTH_MU)
        e_cos = 1 - radius / a
        e_sin = np.sum(r_itrs * inertial, 1) / np.sqrt(EARTH_MU * a)
        e = np.hypot(e_cos, e_sin)
        now = np.arctan2(e_sin, e_cos)
        down = -np.arccos((1 - ground / a) / e)  # nan: perigee above ground, apogee below it
        mean_motion = np.sqrt(EARTH_MU / a**3)
        mean = (down - e * np.sin(down)) - (now - e * np.sin(now))
        t = np.mod(mean, 2 * np.pi) / mean_motion
        height = np.asarray(height_itrs(r_itrs))
        return np.where((a > 0) & (height > 0) & (t <= FALL_MAX_S), t, np.nan)


def _acceleration(r: Any, v: Any, j2: Any) -> Any:
    """Gravity with J2, Coriolis and centrifugal terms in the ITRS, [3, ...]."""
    x, y, z = r[0], r[1], r[2]
    r2 = x * x + y * y + z * z
    inverse3 = 1 / (r2 * jnp.sqrt(r2))
    k = 1.5 * j2 * EARTH_MU * EARTH_RADIUS_M**2 * inverse3 / r2
    q = 5 * z * z / r2
    central = -EARTH_MU * inverse3
    side = central + k * (q - 1) + EARTH_RATE_RAD_S**2
    ax = side * x + 2 * EARTH_RATE_RAD_S * v[1]
    ay = side * y - 2 * EARTH_RATE_RAD_S * v[0]
    az = (central + k * (q - 3)) * z
    return jnp.stack([ax, ay, az])


def _rk4(x: Any, h: Any, j2: Any) -> Any:
    """One classical Runge-Kutta step of states [6, ...], each by its own h [...]."""

    def rate(x: Any) -> Any:
        return jnp.concatenate([x[3:], _acceleration(x[:3], x[3:], j2)])

    k1 = rate(x)
    k2 = rate(x + h / 2 * k1)
    k3 = rate(x + h / 2 * k2)
    k4 = rate(x + h * k3)
    return x + h / 6 * (k1 + 2 * (k2 + k3) + k4)


_rk4_alone = jax.jit(_rk4)


def _path(x: Any, duration: Any, j2: Any) -> Any:
    """States [POINTS, 6, row] at equal steps of each row's own duration."""
    h = duration / STEPS

    def leg(x: Any, _: None) -> tuple[Any, Any]:
        for _step in range(STEPS // (POINTS - 1)):
            x = _rk4(x, h, j2)
        return x, x

    _, after = lax.scan(leg, x, None, length=POINTS - 1)
    return jnp.concatenate([x[None], after])


def _to_ground(x: Any, duration: Any, j2: Any) -> Any:
    """The time to height 0: Newton's rule on one partial step from the state at `duration`."""
    end = _path(x, duration, j2)[-1]

    def improve(_: int, extra: Any) -> Any:
        y = _rk4(end, extra, j2)
        height, climb = jax.jvp(lambda r: height_itrs(r.T), (y[:3],), (y[3:],))
        return extra - height / climb

    return duration + lax.fori_loop(0, 6, improve, jnp.zeros_like(duration))


@jax.jit
def _fall_batch(x: Any, guess: Any, j2: Any) -> tuple[Any, Any, Any]:
    """Time to impact [row], states [POINTS, 6, row], their derivatives at fixed times [POINTS, 6, 6, row].

    The second search starts where the first ended, so its partial step is short and as exact as the others.
    """
    duration = _to_ground(x, _to_ground(x, guess, j2), j2)
    basis = jnp.broadcast_to(jnp.eye(6)[:, :, None], (6, *x.shape))

    def push(tangent: Any) -> tuple[Any, Any]:
        return jax.jvp(lambda x: _path(x, duration, j2), (x,), (tangent,))

    states, flow = jax.vmap(push, out_axes=(None, 2))(basis)
    return duration, states, flow


def _predictions(
    t: np.ndarray, fall: np.ndarray, states: np.ndarray, flow: np.ndarray, cov: np.ndarray
) -> Predictions:
    with np.errstate(invalid="ignore"):
        lost = ~(np.abs(np.asarray(height_itrs(states[:, -1, :3]))) < RESIDUAL_MAX_M) | ~(fall > 0)
        lost |= ~np.isfinite(flow).all((1, 2, 3))
    states, flow, fall = states.copy(), flow.copy(), fall.copy()
    states[lost], flow[lost], fall[lost] = np.nan, np.nan, np.nan

    lat, lon, height = _geodetic(states[:, :, :3])
    frame = np.asarray(enu_from_itrs(lat, lon))  # [row, point, 3, 3]: east, north, up
    up, v_end = frame[:, -1, 2], states[:, -1, 3:]
    time_jacobian = -np.einsum("ni,nij->nj", up, flow[:, -1, :3]) / np.einsum("ni,ni->n", up, v_end)[:, None]
    fraction = np.linspace(0.0, 1.0, POINTS)
    moved = flow[:, :, :3] + (
        fraction[None, :, None, None] * states[:, :, 3:, None] * time_jacobian[:, None, None, :]
    )
    jacobian = np.einsum("npij,npjk->npik", frame[:, :, :2], moved) * _ground_scale(lat, height)[..., None]

    cov_en = np.einsum("nij,njk,nlk->nil", jacobian[:, -1], cov, jacobian[:, -1])
    cov_en = (cov_en + cov_en.transpose(0, 2, 1)) / 2
    major, minor, azimuth = ellipse(cov_en)
    with np.errstate(invalid="ignore"):
        sigma_t = np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", time_jacobian, cov, time_jacobian), 0.0))
    return Predictions(
        t_impact=t + fall,
        sigma_t_s=sigma_t,
        lat_rad=lat[:, -1],
        lon_rad=lon[:, -1],
        cov_en_m2=cov_en,
        major_m=major,
        minor_m=minor,
        azimuth_rad=azimuth,
        track_t=t[:, None] + fall[:, None] * fraction,
        track_lat_rad=lat,
        track_lon_rad=lon,
        track_height_m=height,
        track_jacobian=jacobian,
        time_jacobian=time_jacobian,
    )


def ellipse(
    cov_en: Float[np.ndarray, "*rows 2 2"],
) -> tuple[Float64[np.ndarray, "*rows"], Float64[np.ndarray, "*rows"], Float64[np.ndarray, "*rows"]]:
    """1-sigma half axes, and the major one's azimuth in [0, pi), of east-north covariances."""
    e, n, c = cov_en[..., 0, 0], cov_en[..., 1, 1], cov_en[..., 0, 1]
    middle, half = (e + n) / 2, np.hypot((e - n) / 2, c)
    major = np.sqrt(middle + half)
    # determinant over the larger root: the difference of the two would lose the digits of a thin ellipse
    with np.errstate(invalid="ignore", divide="ignore"):
        minor = np.where(middle + half > 0, np.sqrt(np.maximum(e * n - c * c, 0.0) / (middle + half)), 0.0)
    minor = np.where(np.isnan(major), np.nan, minor)
    return major, minor, np.mod(0.5 * np.arctan2(2 * c, n - e), np.pi)


def _geodetic(r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    good = np.isfinite(r).all(-1)
    out = np.full((3, *r.shape[:-1]), np.nan)
    if good.any():
        out[:, good] = geodetic_from_itrs(r[good])
    return out[0], out[1], out[2]


def _ground_scale(lat: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Metres on the ground per metre at height, [..., 2]: N / (N + h) east, M / (M + h) north."""
    w2 = 1 - (1 - (EARTH_POLAR_RADIUS_M / EARTH_RADIUS_M) ** 2) * np.sin(lat) ** 2
    n = EARTH_RADIUS_M / np.sqrt(w2)
    m = EARTH_POLAR_RADIUS_M**2 / EARTH_RADIUS_M / w2**1.5
    return np.stack([n / (n + height), m / (m + height)], -1)
