"""Flights and tracks made up for the warning tests; the integrator shares nothing with the code."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from noroshi.constants import (
    EARTH_J2,
    EARTH_MU,
    EARTH_POLAR_RADIUS_M,
    EARTH_RADIUS_M,
    EARTH_RATE_RAD_S,
)
from noroshi.earth import geodetic_from_itrs
from noroshi.tables import Status, Tracks

V802 = ((2800.0, 80e3, 43.0), (4700.0, 150e3, 38.6), (6800.0, 250e3, 25.7))  # m/s, m, deg


def burnout(speed: float, height: float, gamma_deg: float, azimuth_deg: float = 110.0) -> np.ndarray:
    """Inertial state of V-802: geocentric 40 N 127 E, at `height` above the ellipsoid's radius there."""
    lat, lon, gamma, azimuth = np.radians([40.0, 127.0, gamma_deg, azimuth_deg])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.cross(up, east)
    ground = 1 / np.hypot(np.cos(lat) / EARTH_RADIUS_M, np.sin(lat) / EARTH_POLAR_RADIUS_M)
    level = np.sin(azimuth) * east + np.cos(azimuth) * north
    return np.concatenate([(ground + height) * up, speed * (np.sin(gamma) * up + np.cos(gamma) * level)])


def turned(t: float, r: np.ndarray) -> np.ndarray:
    """ITRS position of an inertial one when the two frames agree at t = 0."""
    c, s = np.cos(EARTH_RATE_RAD_S * t), np.sin(EARTH_RATE_RAD_S * t)
    return np.array([c * r[0] + s * r[1], c * r[1] - s * r[0], r[2]])


def fall(state: np.ndarray, j2: float = EARTH_J2, t_eval: np.ndarray | None = None):
    """Oracle: DOP853 in the inertial frame. -> time, latitude, longitude of height 0, states at t_eval."""

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        r = x[:3]
        d = np.linalg.norm(r)
        q = 5 * (r[2] / d) ** 2
        k = 1.5 * j2 * EARTH_MU * EARTH_RADIUS_M**2 / d**5
        return np.concatenate([x[3:], -EARTH_MU * r / d**3 - k * r * np.array([1 - q, 1 - q, 3 - q])])

    def height(t: float, x: np.ndarray) -> float:
        return float(geodetic_from_itrs(turned(t, x[:3]))[2])

    height.terminal, height.direction = True, -1
    found = solve_ivp(
        rate,
        (0, 6000),
        state,
        "DOP853",
        rtol=1e-12,
        atol=1e-6,
        events=height,
        dense_output=t_eval is not None,
    )
    t = float(found.t[-1])
    lat, lon, _ = geodetic_from_itrs(turned(t, found.y[:3, -1]))
    return t, float(lat), float(lon), None if t_eval is None else found.sol(t_eval).T


def rotations(t: np.ndarray) -> np.ndarray:
    """itrs_from_gcrs of an Earth that turns about z, the frames agreeing at t = 0."""
    c, s, o, i = np.cos(EARTH_RATE_RAD_S * t), np.sin(EARTH_RATE_RAD_S * t), np.zeros_like(t), np.ones_like(t)
    return np.stack([c, s, o, -s, c, o, o, o, i], -1).reshape(-1, 3, 3)


def make_tracks(
    t: np.ndarray,
    state: np.ndarray,
    cov: np.ndarray,
    *,
    acceleration: np.ndarray | float = 0.0,
    acceleration_sigma: float = 0.5,
    modes: tuple[float, float, float] = (0.0, 1.0, 0.0),
    status: np.ndarray | None = None,
    node: int = 0,
    track: int = 0,
    latency: float = 0.7,
) -> Tracks:
    """Rows of one track: GCRS states [row, 6], position-velocity covariance [row, 6, 6]."""
    rows = len(t)
    full = np.zeros((rows, 9, 9))
    full[:, :6, :6] = cov
    full[:, 6:, 6:] = np.eye(3) * acceleration_sigma**2
    i, j = np.triu_indices(9)
    mean = np.concatenate([state, np.broadcast_to(acceleration, (rows, 3))], 1)
    return Tracks(
        node=np.full(rows, node),
        track=np.full(rows, track),
        t=t,
        t_node=t + latency,
        mean=mean,
        cov=full[:, i, j],
        status=np.full(rows, Status.CONFIRMED, np.int8) if status is None else status.astype(np.int8),
        modes=np.tile(np.array(modes, float), (rows, 1)),
        hits=np.ones(rows, int),
        originators=np.ones(rows, int),
        existence=np.ones(rows),
    )


def diagonal(sigma_r: np.ndarray | float, sigma_v: np.ndarray | float, rows: int) -> np.ndarray:
    """Covariances [row, 6, 6] with these sigmas per axis."""
    out = np.zeros((rows, 6, 6))
    for k in range(3):
        out[:, k, k] = np.square(sigma_r)
        out[:, k + 3, k + 3] = np.square(sigma_v)
    return out
