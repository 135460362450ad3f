"""Scans and detections of made-up flights for the tracker's tests; knows no sensor model of noroshi's."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation

from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.tables import Detections, Scans
from noroshi.tracking.columns import pack_scans
from noroshi.tracking.visible import in_view


class Sensor(NamedTuple):
    """One sensor: its path and how it sees."""

    kind: int
    r: np.ndarray  # [time, 3]
    v: np.ndarray
    axes: np.ndarray  # [time, 3, 3] gcrs_from_sensor
    sigma: float  # angle, per axis
    sigma_range: float = np.inf
    cone: float = np.radians(70.0)
    azimuth: float = np.pi
    elevation: tuple[float, float] = (-np.pi / 2, np.pi / 2)
    range_max: float = 4.5e6
    grazing: float = 20e3
    cloud: float = 8e3
    background: int = 0
    p_detect: float = 0.9
    false_alarms: float = 0.0


def gravity(r):
    """Point mass and J2 about z, written out apart from the tracker's."""
    d = np.linalg.norm(r)
    x, y, z = r
    k = 1.5 * EARTH_J2 * EARTH_MU * EARTH_RADIUS_M**2 / d**5
    s = 5.0 * z * z / d**2
    return -EARTH_MU * r / d**3 - k * np.array([x * (1 - s), y * (1 - s), z * (3 - s)])


def fly(r0, v0, t, thrust=lambda s, r, v: np.zeros(3), breaks=()):
    """[time, 3] position, velocity, acceleration beyond gravity, by DOP853, restarted at the breaks."""
    edges = [t[0], *[b for b in breaks if t[0] < b < t[-1]], t[-1]]
    y = np.concatenate([r0, v0])
    r, v = np.empty((len(t), 3)), np.empty((len(t), 3))
    for a, b in pairwise(edges):
        inside = (t >= a) & (t <= b)
        at = np.unique(np.concatenate([t[inside], [b]]))
        eps = 1e-9 * max(1.0, b)

        def rate(s, y, a=a, b=b, eps=eps):
            return np.concatenate(
                [y[3:], gravity(y[:3]) + thrust(np.clip(s, a + eps, b - eps), y[:3], y[3:])]
            )

        out = solve_ivp(rate, (a, b), y, method="DOP853", t_eval=at, rtol=1e-10, atol=1e-6)
        k = np.searchsorted(at, t[inside])
        r[inside], v[inside] = out.y[:3, k].T, out.y[3:, k].T
        y = out.y[:, -1]
    acc = np.array([thrust(s, p, q) for s, p, q in zip(t, r, v, strict=True)])
    return r, v, acc


def place(lat_deg, lon_deg, h=0.0):
    """A point on the ellipsoid, with Earth-fixed axes taken as those of GCRS at t = 0; (r, east, north, up)."""
    lat, lon = np.radians([lat_deg, lon_deg])
    e2 = 1.0 - (1.0 - 1 / 298.257223563) ** 2
    n = EARTH_RADIUS_M / np.sqrt(1.0 - e2 * np.sin(lat) ** 2)
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    r = (n + h) * up - np.array([0.0, 0.0, n * e2 * np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    return r, east, np.cross(up, east), up


def ground(vector, t):
    """Earth-fixed vectors carried round with the Earth: [time, 3]."""
    a = EARTH_RATE_RAD_S * t
    z = np.zeros_like(a)
    m = np.stack([np.cos(a), -np.sin(a), z, np.sin(a), np.cos(a), z, z, z, z + 1.0], -1).reshape(-1, 3, 3)
    return m @ vector


def satellite(t, radius, inclination, raan, phase, **options):
    """A satellite on a circle, boresight at nadir."""
    n = np.sqrt(EARTH_MU / radius**3)
    u = phase + n * t
    a = np.array([np.cos(raan), np.sin(raan), 0.0])
    ci, si = np.cos(inclination), np.sin(inclination)
    b = np.array([-np.sin(raan) * ci, np.cos(raan) * ci, si])
    r = radius * (np.cos(u)[:, None] * a + np.sin(u)[:, None] * b)
    v = radius * n * (-np.sin(u)[:, None] * a + np.cos(u)[:, None] * b)
    x = -r / np.linalg.norm(r, axis=-1, keepdims=True)
    z = v / np.linalg.norm(v, axis=-1, keepdims=True)
    axes = np.stack([x, np.cross(z, x), z], axis=-1)
    return Sensor(0, r, v, axes, **{"sigma": 50e-6, **options})


def layer(t, planes=4, each=7, altitude=1000e3, inclination_deg=80.0, raan_deg=0.0, **options):
    """A star pattern of satellites."""
    out = []
    for p in range(planes):
        for q in range(each):
            raan = np.radians(raan_deg) + np.pi * p / planes
            phase = 2 * np.pi * (q / each + 0.5 * p / (planes * each))
            radius = EARTH_RADIUS_M + altitude
            out.append(satellite(t, radius, np.radians(inclination_deg), raan, phase, **options))
    return out


def radar(t, lat_deg, lon_deg, facing_deg, **options):
    """A ground radar: x horizontal towards its facing, z up."""
    r, east, north, up = place(lat_deg, lon_deg, 100.0)
    f = np.radians(facing_deg)
    x = np.cos(f) * north + np.sin(f) * east
    axes = np.stack([x, np.cross(up, x), up], axis=-1)
    turned = np.stack([ground(axes[:, i], t) for i in range(3)], axis=-1)
    path = ground(r, t)
    speed = np.cross([0.0, 0.0, EARTH_RATE_RAD_S], path)
    given = {
        "sigma": 0.5e-3,
        "sigma_range": 10.0,
        "cone": np.pi,
        "azimuth": np.radians(60),
        "elevation": (np.radians(5), np.radians(85)),
        "range_max": 2e6,
    }
    return Sensor(1, path, speed, turned, **{**given, **options})


def solid_angle(s: Sensor) -> float:
    """Of the field, sr (cone or azimuth-elevation box)."""
    if s.kind == 0:
        return 2 * np.pi * (1 - np.cos(s.cone))
    return 2 * s.azimuth * (np.sin(s.elevation[1]) - np.sin(s.elevation[0]))


def observe(rng, t, sensors, targets, p_true=None, present=None):
    """(Scans, Detections, target of each detection or -1) of every sensor at every time.

    targets [time, target, 3]; p_true [time, target] scales the chance of detection (default: as the tracker
    assumes); present [time, target] or None.
    """
    steps, count = len(t), len(sensors)
    columns = {"sensor": np.tile(np.arange(count), steps), "t_event": np.repeat(t, count)}
    per = lambda f: np.tile(np.array([f(s) for s in sensors], dtype=float), steps)  # noqa: E731
    r = np.stack([s.r for s in sensors], 1).reshape(-1, 3)
    v = np.stack([s.v for s in sensors], 1).reshape(-1, 3)
    axes = np.stack([s.axes for s in sensors], 1).reshape(-1, 3, 3)
    q = Rotation.from_matrix(axes).as_quat()[:, [3, 0, 1, 2]]

    def density(s):
        volume = solid_angle(s) * (1.0 if s.kind == 0 else s.range_max)
        return max(s.false_alarms, 1e-6) / volume

    scans = Scans(
        scan=np.arange(steps * count),
        kind=per(lambda s: s.kind).astype(np.int8),
        r_gcrs=r,
        v_gcrs=v,
        q_gcrs_from_sensor=q,
        p_detect=per(lambda s: s.p_detect),
        clutter_density=per(density),
        field_cone_rad=per(lambda s: s.cone),
        field_azimuth_rad=per(lambda s: s.azimuth),
        field_elevation_min_rad=per(lambda s: s.elevation[0]),
        field_elevation_max_rad=per(lambda s: s.elevation[1]),
        range_max_m=per(lambda s: s.range_max),
        grazing_height_m=per(lambda s: s.grazing),
        cloud_top_m=per(lambda s: s.cloud),
        background=per(lambda s: s.background).astype(np.int8),
        **columns,
    )
    packed = pack_scans(scans)
    rows = []
    truth = []
    for k in range(steps * count):
        step, s = divmod(k, count)
        sensor = sensors[s]
        found = []
        for n in range(targets.shape[1]):
            if present is not None and not present[step, n]:
                continue
            p = targets[step, n]
            chance = sensor.p_detect * (1.0 if p_true is None else p_true[step, n])
            if not in_view(p, packed[k]) or rng.random() >= chance:
                continue
            d = axes[k].T @ (p - r[k])
            rho = np.linalg.norm(d)
            el = np.arcsin(d[2] / rho)
            s_az = sensor.sigma / np.cos(el)
            row = [
                k,
                np.arctan2(d[1], d[0]) + s_az * rng.normal(),
                el + sensor.sigma * rng.normal(),
                rho + sensor.sigma_range * rng.normal() if sensor.kind else 0.0,
                s_az,
                sensor.sigma,
                sensor.sigma_range,
            ]
            found.append((row, n))
        for _ in range(rng.poisson(sensor.false_alarms)):
            if sensor.kind == 0:
                x = rng.uniform(np.cos(sensor.cone), 1.0)
                a = rng.uniform(0, 2 * np.pi)
                w = np.sqrt(1 - x * x)
                az, el = np.arctan2(w * np.cos(a), x), np.arcsin(w * np.sin(a))
            else:
                az = rng.uniform(-sensor.azimuth, sensor.azimuth)
                el = np.arcsin(rng.uniform(np.sin(sensor.elevation[0]), np.sin(sensor.elevation[1])))
            distance = rng.uniform(0.0, sensor.range_max) if sensor.kind else 0.0
            row = [k, az, el, distance, sensor.sigma / np.cos(el), sensor.sigma, sensor.sigma_range]
            found.append((row, -1))
        for i in rng.permutation(len(found)):
            rows.append(found[i][0])
            truth.append(found[i][1])
    d = np.array(rows, dtype=float).reshape(-1, 7)
    nothing = np.full(len(d), np.inf)
    detections = Detections(
        detection=np.arange(len(d)),
        scan=d[:, 0].astype(np.int64),
        az_rad=d[:, 1],
        el_rad=d[:, 2],
        range_m=d[:, 3],
        range_rate_m_s=np.zeros(len(d)),
        sigma_az_rad=d[:, 4],
        sigma_el_rad=d[:, 5],
        sigma_range_m=d[:, 6],
        sigma_range_rate_m_s=nothing,
        snr=np.full(len(d), 10.0),
    )
    return scans, detections, np.array(truth, dtype=np.int64)


def boost_flight(t, boost_s=150.0, start_lat=39.2, start_lon=125.7, azimuth_deg=72.9):
    """A boost of 10 to 55 m/s2 along a slowly pitching axis, then free flight: (r, v, thrust acceleration)."""
    r0, east, north, up = place(start_lat, start_lon, 50.0)
    a = np.radians(azimuth_deg)
    level = np.sin(a) * east + np.cos(a) * north

    def thrust(s, r, v):
        if s >= boost_s:
            return np.zeros(3)
        pitch = np.radians(np.interp(s, [0.0, 10.0, 60.0, boost_s], [90.0, 90.0, 58.0, 44.0]))
        size = 15.0 / (1.0 - 0.72 * s / boost_s)
        turn = EARTH_RATE_RAD_S * s
        c, w = np.cos(turn), np.sin(turn)
        d = np.cos(pitch) * level + np.sin(pitch) * up
        return size * np.array([c * d[0] - w * d[1], w * d[0] + c * d[1], d[2]])

    v0 = np.cross([0.0, 0.0, EARTH_RATE_RAD_S], r0)
    return fly(r0, v0, t, thrust, breaks=(10.0, 60.0, boost_s))


def glide_flight(t, speed=5500.0, banks=((0.0, 20.0), (150.0, -30.0), (300.0, 40.0)), azimuth_deg=130.0):
    """An HTV-2-like glide (L/D 2.6, m/(Cd A) 13 000 kg/m2) in an exponential atmosphere with bank reversals.

    banks: (start s, angle deg), the angle holds until the next. Starts level at its equilibrium height.
    """
    beta, ratio, scale, rho0 = 13_000.0, 2.6, 7_100.0, 1.3
    radius = EARTH_RADIUS_M + 45e3
    need = EARTH_MU / radius**2 - speed**2 / radius  # lift that carries the glider
    rho = 2.0 * beta * need / (ratio * speed**2 * np.cos(np.radians(banks[0][1])))
    _, east, north, _ = place(48.0, 120.0)
    r0 = place(48.0, 120.0, scale * np.log(rho0 / rho))[0]
    a = np.radians(azimuth_deg)
    spin = np.array([0.0, 0.0, EARTH_RATE_RAD_S])
    v0 = speed * (np.sin(a) * east + np.cos(a) * north) + np.cross(spin, r0)

    def air(s, r, v):
        u = v - np.cross(spin, r)
        size = np.linalg.norm(u)
        e = u / size
        h = np.linalg.norm(r) - EARTH_RADIUS_M * (1 - (r[2] / np.linalg.norm(r)) ** 2 / 298.257)
        drag = 0.5 * rho0 * np.exp(-h / scale) * size**2 / beta
        n1 = r / np.linalg.norm(r)
        n1 = n1 - e * (e @ n1)
        n1 /= np.linalg.norm(n1)
        bank = np.radians([b for start, b in banks if start <= s][-1])
        return drag * (-e + ratio * (np.cos(bank) * n1 + np.sin(bank) * np.cross(e, n1)))

    return fly(r0, v0, t, air, breaks=[b[0] for b in banks])
