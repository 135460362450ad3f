"""V-8xx: warning."""

from __future__ import annotations

from functools import cache
from math import radians
from typing import Any

import numpy as np

from noroshi.constants import EARTH_J2, EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.earth import destination, geodesic, geodetic_from_itrs
from noroshi.tables import Status, Tracks
from noroshi.targets import ballistic, ellipse
from noroshi.targets.models import BallisticFlight, Trajectory
from noroshi.warning import impact, timeline

Found = dict[str, Any]


def v_801(speed_m_s: float, height_km: float) -> Found:
    found = ellipse.longest_from_burnout(speed_m_s, EARTH_RADIUS_M + 1e3 * height_km)
    assert found is not None  # below circular speed
    return {"angle": np.rad2deg(found.angle_rad), "range_angle": np.rad2deg(found.range_angle_rad)}


def v_802(
    speed_m_s: float,
    height_km: float,
    angle_deg: float,
    azimuth_deg: float,
    geocentric_lat_deg: float,
    lon_deg: float,
) -> Found:
    state = _burnout(speed_m_s, height_km, angle_deg, azimuth_deg, geocentric_lat_deg, lon_deg)
    found, plain = _predict(state[None]), _predict(state[None], j2=0.0)
    moved, _ = geodesic(plain.lat_rad[0], plain.lon_rad[0], found.lat_rad[0], found.lon_rad[0])
    along = np.concatenate([np.zeros(3), state[3:] / speed_m_s])
    return {
        "time": found.t_impact[0],
        "j2_moves": moved / 1e3,
        "per_m_s": np.linalg.norm(found.track_jacobian[0, -1] @ along) / 1e3,
        "lat": np.rad2deg(found.lat_rad[0]),
        "lon": np.rad2deg(found.lon_rad[0]),
    }


def v_803(speed_m_s: float, height_km: float, angle_deg: float, sigma_v_m_s: float) -> Found:
    found = _predict(_burnout(speed_m_s, height_km, angle_deg)[None], _covariance(sigma_v_m_s))
    return {
        "major": found.major_m[0] / 1e3,
        "minor": found.minor_m[0] / 1e3,
        "time_sigma": found.sigma_t_s[0],
    }


def v_803_inside(speed_m_s: float, height_km: float, angle_deg: float, sigma_v_m_s: float) -> Found:
    state, cov = _burnout(speed_m_s, height_km, angle_deg), _covariance(sigma_v_m_s)
    mean = _predict(state[None], cov)
    flown = _predict(np.random.default_rng(803).multivariate_normal(state, cov, 4000))
    distance, azimuth = geodesic(mean.lat_rad[0], mean.lon_rad[0], flown.lat_rad, flown.lon_rad)
    offset = np.stack([distance * np.sin(azimuth), distance * np.cos(azimuth)], axis=1)
    squared = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(mean.cov_en_m2[0]), offset)
    return {"inside": np.mean(squared < -2.0 * np.log(0.1))}  # chi-square with two degrees of freedom


def v_804(boost_s: float, delay_s: float) -> Found:
    return {"left": timeline.time_left(boost_s, [delay_s])}


def v_804_reach(speed_m_s: float, latency_s: float) -> Found:
    return {"lost": timeline.reach_lost(speed_m_s, latency_s)}


def v_805(range_km: float, boost_min: float) -> Found:
    return {"minutes": ellipse.minimum_energy_flight(1e3 * range_km).time_s / 60.0 + boost_min}


def v_806(rule: str, across_km: float, down_km: float, range_km: float) -> Found:
    yardstick = {"Eastern": timeline.EASTERN_RANGE, "Western": timeline.WESTERN_RANGE}[rule]
    return {"passes": timeline.within_range_safety(1e3 * across_km, 1e3 * down_km, 1e3 * range_km, yardstick)}


def v_807(launch: str, boost_s: float) -> Found:
    """Minutes after the reported launch at 05:58 of the flight launched at `launch`, a time of that hour."""
    early = 60.0 * (58 - int(launch.removeprefix("05:")))
    flown = _over_hokkaido(boost_s)
    lat, lon, _ = geodetic_from_itrs(flown.r_itrs)
    # Cape Erimo, the south-east corner of Hokkaido
    beside, _ = geodesic(lat, lon, radians(41.925), radians(143.243))
    return {
        "over_hokkaido": (flown.t[int(np.argmin(beside))] - early) / 60.0,
        "down": (flown.t_end - early) / 60.0,
    }


@cache
def _over_hokkaido(boost_s: float) -> Trajectory:
    lat, lon = radians(39.2), radians(125.7)  # Sunan
    end_lat, end_lon = destination(lat, lon, radians(72.9), 2_700e3)
    flight = BallisticFlight(
        launch_lat_rad=lat,
        launch_lon_rad=lon,
        launch_height_m=0.0,
        impact_lat_rad=float(end_lat),
        impact_lon_rad=float(end_lon),
        apogee_m=550e3,
        boost_s=boost_s,
        ballistic_coefficient_kg_m2=5000.0,
        mass_fraction=0.8,
        vertical_s=10.0,
    )
    return ballistic.rebuild(flight, 1.0)


def _burnout(
    speed_m_s: float,
    height_km: float,
    angle_deg: float,
    azimuth_deg: float = 110.0,
    lat_deg: float = 40.0,
    lon_deg: float = 127.0,
) -> np.ndarray:
    """Inertial state at a height above the ellipsoid's radius there; latitude geocentric."""
    lat, lon, angle, azimuth = np.deg2rad([lat_deg, lon_deg, angle_deg, azimuth_deg])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    level = np.sin(azimuth) * east + np.cos(azimuth) * np.cross(up, east)
    ground = 1.0 / np.hypot(np.cos(lat) / EARTH_RADIUS_M, np.sin(lat) / EARTH_POLAR_RADIUS_M)
    velocity = speed_m_s * (np.sin(angle) * up + np.cos(angle) * level)
    return np.concatenate([(ground + 1e3 * height_km) * up, velocity])


def _covariance(sigma_v_m_s: float, sigma_r_m: float = 200.0) -> np.ndarray:
    return np.diag([sigma_r_m**2] * 3 + [sigma_v_m_s**2] * 3)


def _predict(states: np.ndarray, cov: np.ndarray | None = None, j2: float = EARTH_J2) -> impact.Predictions:
    """Impact of inertial states where both frames agree at t = 0."""
    count = len(states)
    full = np.zeros((count, 9, 9))
    if cov is not None:
        full[:, :6, :6] = cov
    mean = np.concatenate([states, np.zeros((count, 3))], axis=1)
    i, j = np.triu_indices(9)
    tracks = Tracks(
        node=np.zeros(count, int),
        track=np.arange(count),
        t=np.zeros(count),
        t_node=np.zeros(count),
        mean=mean,
        cov=full[:, i, j],
        status=np.full(count, Status.CONFIRMED, np.int8),
        modes=np.tile([0.0, 1.0, 0.0], (count, 1)),
        hits=np.full(count, 2),
        originators=np.zeros(count, int),
        existence=np.ones(count),
    )
    return impact.predict(tracks, np.tile(np.eye(3), (count, 1, 1)), j2=j2)
