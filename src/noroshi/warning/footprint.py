"""What a glider can still reach: equilibrium glide at every constant bank up to a limit, to both sides.

On a sphere of the start's own radius r, with vertical balance L cos(b) = g_eff and drag L / (L/D), speed is
the clock: ds = -(L/D) cos(b) v dv / g_eff along the path and d(heading) = (L/D) sin(b) dln(v) to the side of
the bank. Without Earth rotation g_eff = g - v^2/r and both integrate in closed form; with it, g_eff loses the
Eotvos term (2 w v cos(lat) sin(heading) + w^2 r cos^2(lat)) and the heading turns by 2 w sin(lat) besides.
The drift of the centrifugal force to the equator (some 30 km in half an hour) is left out; so is wind.
Source: Eggers, Allen, Neice, NACA Report 1382 (1957), equilibrium glide; docs/theory/warning.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import noroshi._jax  # noqa: F401  (the cache folder before Numba)

# isort: split
import numpy as np
from jaxtyping import Bool, Float, Float64
from numba import njit

from noroshi.constants import EARTH_E2, EARTH_MEAN_RADIUS_M, EARTH_MU, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.warning.areas import Plane, point_distance

BANKS = 13  # constant banks from -limit to +limit
STEPS = 24  # of a path, equal lengths where the Earth does not turn
GLIDE_TOP_M = 60e3  # notional: HTV-2-like gliders balance below 58 km at 7 km/s; height above becomes speed
SPEED_MAX = 0.995  # of circular speed: there a glide needs no lift, and range has no bound


class Footprint(NamedTuple):
    """Paths of constant bank, ordered from left (negative) to right: sub-points and times after the start."""

    bank_rad: Float64[np.ndarray, "bank"]
    lat_rad: Float64[np.ndarray, "bank step"]
    lon_rad: Float64[np.ndarray, "bank step"]
    t_s: Float64[np.ndarray, "bank step"]
    speed_m_s: Float64[np.ndarray, "step"]


class Reach(NamedTuple):
    """Whether areas can be reached: share of draws, 5 % of first and 95 % of last times, the mean."""

    probability: Float64[np.ndarray, "row area"]
    earliest_s: Float64[np.ndarray, "row area"]  # after the row; nan where no draw reaches it
    latest_s: Float64[np.ndarray, "row area"]
    mean: Bool[np.ndarray, "row area"]


def footprint(
    r_itrs: Float[np.ndarray, "3"],
    v_itrs: Float[np.ndarray, "3"],
    lift_to_drag: float,
    bank_limit_rad: float,
    end_speed_m_s: float,
    *,
    banks: int = BANKS,
    steps: int = STEPS,
    earth_rate_rad_s: float = EARTH_RATE_RAD_S,
) -> Footprint:
    """The fan of glides from an ITRS state (velocity relative to the Earth, which still air shares).

    A glider already slower than `end_speed_m_s` reaches the point below it only.
    """
    bank = np.linspace(-bank_limit_rad, bank_limit_rad, banks)
    n, t, speed = np.empty((banks, steps + 1, 3)), np.empty((banks, steps + 1)), np.empty(steps + 1)
    _fan(r_itrs, v_itrs, lift_to_drag, bank, end_speed_m_s, earth_rate_rad_s, n, t, speed)
    return Footprint(bank, np.arcsin(np.clip(n[..., 2], -1, 1)), np.arctan2(n[..., 1], n[..., 0]), t, speed)


def outline(reach: Footprint) -> tuple[Float64[np.ndarray, "corner"], Float64[np.ndarray, "corner"]]:
    """Latitudes and longitudes round the footprint: left limit, ends, right limit back to the start."""
    lat = np.concatenate([reach.lat_rad[0], reach.lat_rad[1:-1, -1], reach.lat_rad[-1, ::-1]])
    lon = np.concatenate([reach.lon_rad[0], reach.lon_rad[1:-1, -1], reach.lon_rad[-1, ::-1]])
    return lat, lon


def reach(
    areas: Sequence[Plane],
    r_itrs: Float[np.ndarray, "row 3"],
    v_itrs: Float[np.ndarray, "row 3"],
    spread: Float[np.ndarray, "row 6 6"],
    draws: Float[np.ndarray, "draw 6"],
    lift_to_drag: float,
    bank_limit_rad: float,
    end_speed_m_s: float,
) -> Reach:
    """Probability that some part of each area can be reached, and when at the earliest and latest.

    `spread @ draw` is a change of the state (ITRS position and velocity). Reached: a path crosses the area,
    the line of the paths' ends does, or the area lies between two paths. A changed start shifts the fan of
    the mean, turns it by the change of heading and stretches it by the change of range in still air; that is
    exact where the Earth does not turn, and cheap, as each row needs one fan. Plane: azimuthal equidistant
    about the start.
    """
    bank = np.linspace(-bank_limit_rad, bank_limit_rad, BANKS)
    shape = len(r_itrs), len(areas)
    out = Reach(np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, bool))
    for k, area in enumerate(areas):
        _reach(
            area.normals, area.radius_m, np.ascontiguousarray(r_itrs), np.ascontiguousarray(v_itrs),
            np.ascontiguousarray(spread), draws, lift_to_drag, bank, end_speed_m_s,
            out.probability[:, k], out.earliest_s[:, k], out.latest_s[:, k], out.mean[:, k],
        )  # fmt: skip
    return out


@njit(cache=True, nogil=True)
def _fan(
    r: np.ndarray,
    v: np.ndarray,
    lift_to_drag: float,
    banks: np.ndarray,
    end_speed: float,
    rate: float,
    n_out: np.ndarray,
    t_out: np.ndarray,
    speed_out: np.ndarray,
) -> None:
    """Unit normals [bank, step, 3] of the sub-points, times [bank, step] and speeds [step] of the fan."""
    steps = len(speed_out) - 1
    radius = np.sqrt(r[0] ** 2 + r[1] ** 2 + r[2] ** 2)
    g = EARTH_MU / radius**2
    circular = np.sqrt(EARTH_MU / radius)
    # the ellipsoid's normal below the state (to 1e-5 rad at 60 km), so that latitudes are geodetic
    nz = r[2] / (1 - EARTH_E2)
    size = np.sqrt(r[0] ** 2 + r[1] ** 2 + nz**2)
    n0 = np.array([r[0] / size, r[1] / size, nz / size])
    climb = v[0] * n0[0] + v[1] * n0[1] + v[2] * n0[2]
    t0 = v - climb * n0
    level = np.sqrt(t0[0] ** 2 + t0[1] ** 2 + t0[2] ** 2)
    height = radius - EARTH_RADIUS_M * (1 - (1 - np.sqrt(1 - EARTH_E2)) * (r[2] / radius) ** 2)
    fast = np.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2 + 2 * g * max(height - GLIDE_TOP_M, 0.0))
    fast = min(fast, SPEED_MAX * circular)
    slow = min(end_speed, fast)
    u0, u1 = 1 - (fast / circular) ** 2, 1 - (slow / circular) ** 2
    for j in range(steps + 1):
        speed_out[j] = circular * np.sqrt(1 - u0 * (u1 / u0) ** (j / steps))
    leg = radius / 2 * lift_to_drag * np.log(u1 / u0) / steps
    for b in range(len(banks)):
        cos_b, sin_b = np.cos(banks[b]), np.sin(banks[b])
        nx, ny, nz = n0[0], n0[1], n0[2]
        tx, ty, tz = (t0[0] / level, t0[1] / level, t0[2] / level) if level > 0 else (0.0, 0.0, 0.0)
        clock = 0.0
        n_out[b, 0, 0], n_out[b, 0, 1], n_out[b, 0, 2] = nx, ny, nz
        t_out[b, 0] = 0.0
        for j in range(steps):
            before, after = speed_out[j], speed_out[j + 1]
            middle = (before + after) / 2
            still = g - middle**2 / radius
            # cos(lat) sin(heading) is the part of the direction of flight along the Earth's turning
            east = nx * ty - ny * tx
            lift = still - 2 * rate * middle * east - rate**2 * radius * (1 - nz * nz)
            lift = max(lift, 0.05 * still)
            arc = leg * cos_b * still / lift
            spent = arc / middle
            turn = lift_to_drag * sin_b * np.log(before / after) + 2 * rate * nz * spent
            # half the turn, the arc, the other half
            tx, ty, tz = _turned(nx, ny, nz, tx, ty, tz, turn / 2)
            c, s = np.cos(arc / radius), np.sin(arc / radius)
            nx, ny, nz, tx, ty, tz = (
                c * nx + s * tx, c * ny + s * ty, c * nz + s * tz,
                c * tx - s * nx, c * ty - s * ny, c * tz - s * nz,
            )  # fmt: skip
            tx, ty, tz = _turned(nx, ny, nz, tx, ty, tz, turn / 2)
            clock += spent
            n_out[b, j + 1, 0], n_out[b, j + 1, 1], n_out[b, j + 1, 2] = nx, ny, nz
            t_out[b, j + 1] = clock


@njit(cache=True, nogil=True)
def _turned(
    nx: float, ny: float, nz: float, tx: float, ty: float, tz: float, angle: float
) -> tuple[float, float, float]:
    """The direction t turned to the right (clockwise from above) about the normal n."""
    c, s = np.cos(angle), np.sin(angle)
    rx, ry, rz = ty * nz - tz * ny, tz * nx - tx * nz, tx * ny - ty * nx
    return c * tx + s * rx, c * ty + s * ry, c * tz + s * rz


@njit(cache=True, nogil=True)
def _reach(
    normals: np.ndarray,
    radius: float,
    r: np.ndarray,
    v: np.ndarray,
    spread: np.ndarray,
    draws: np.ndarray,
    lift_to_drag: float,
    banks: np.ndarray,
    end_speed: float,
    probability: np.ndarray,
    earliest: np.ndarray,
    latest: np.ndarray,
    mean: np.ndarray,
) -> None:
    nb, ns, nc = len(banks), STEPS + 1, len(normals)
    n, t, speed = np.empty((nb, ns, 3)), np.empty((nb, ns)), np.empty(ns)
    x, at, moved = np.empty((nb, ns, 2)), np.empty((nc, 2)), np.empty((nc, 2))
    first, last = np.empty(len(draws)), np.empty(len(draws))
    for k in range(len(r)):
        if np.isnan(r[k, 0]):
            continue
        _fan(r[k], v[k], lift_to_drag, banks, end_speed, EARTH_RATE_RAD_S, n, t, speed)
        up = n[0, 0].copy()
        ahead = v[k] - np.dot(v[k], up) * up
        level = np.sqrt(np.dot(ahead, ahead))
        if level == 0.0:
            continue
        ahead /= level
        left = np.array(
            [up[1] * ahead[2] - up[2] * ahead[1], up[2] * ahead[0] - up[0] * ahead[2],
             up[0] * ahead[1] - up[1] * ahead[0]]
        )  # fmt: skip
        for b in range(nb):
            for j in range(ns):
                x[b, j] = _about(n[b, j], up, ahead, left)
        for i in range(nc):
            at[i] = _about(normals[i], up, ahead, left)
        bound = _bounds(x)
        ref = _fan_meets(x, t, bound, at, radius)
        mean[k] = ref[0] <= ref[1]
        size = np.sqrt(np.dot(v[k], v[k]))
        circular = np.sqrt(EARTH_MU / np.sqrt(np.dot(r[k], r[k])))
        stay = _range(speed[0], end_speed, circular)
        hits = 0
        for s in range(len(draws)):
            d = np.dot(spread[k], draws[s])
            dx = d[0] * ahead[0] + d[1] * ahead[1] + d[2] * ahead[2]
            dy = d[0] * left[0] + d[1] * left[1] + d[2] * left[2]
            turn = (d[3] * left[0] + d[4] * left[1] + d[5] * left[2]) / level
            faster = (d[3] * v[k, 0] + d[4] * v[k, 1] + d[5] * v[k, 2]) / size
            stretch = _range(speed[0] + faster, end_speed, circular) / stay if stay > 0 else 1.0
            stretch = max(stretch, 1e-6)
            turn = min(max(turn, -np.pi), np.pi)
            c, sn = np.cos(turn), np.sin(turn)
            for i in range(nc):  # the area, seen from the changed start in the mean fan's own axes
                px, py = at[i, 0] - dx, at[i, 1] - dy
                moved[i, 0], moved[i, 1] = (c * px + sn * py) / stretch, (c * py - sn * px) / stretch
            low, high = _fan_meets(x, t, bound, moved, radius / stretch)
            if low <= high:
                first[hits], last[hits] = low, high
                hits += 1
        probability[k] = hits / len(draws)
        if hits:
            earliest[k] = np.quantile(first[:hits], 0.05)
            latest[k] = np.quantile(last[:hits], 0.95)


@njit(cache=True, nogil=True)
def _range(speed: float, end_speed: float, circular: float) -> float:
    """Range at no bank, in units of r (L/D) / 2."""
    speed = min(max(speed, end_speed), SPEED_MAX * circular)
    return np.log((1 - (min(end_speed, speed) / circular) ** 2) / (1 - (speed / circular) ** 2))


@njit(cache=True, nogil=True)
def _about(n: np.ndarray, up: np.ndarray, ahead: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Plane coordinates (ahead, left) [m] of the unit normal n: its arc from `up`, in its direction."""
    f, s, u = np.dot(n, ahead), np.dot(n, left), np.dot(n, up)
    level = np.hypot(f, s)
    scale = EARTH_MEAN_RADIUS_M * (np.arctan2(level, u) / level if level > 0 else 1.0)
    return np.array([f * scale, s * scale])


@njit(cache=True, nogil=True)
def _fan_meets(
    x: np.ndarray, t: np.ndarray, bound: np.ndarray, corners: np.ndarray, radius: float
) -> tuple[float, float]:
    """Least and greatest time at which the fan meets the area; (inf, -inf) where it does not."""
    nb, ns = t.shape
    cx, cy = float(np.mean(corners[:, 0])), float(np.mean(corners[:, 1]))
    size = 0.0
    for i in range(len(corners)):
        size = max(size, np.hypot(corners[i, 0] - cx, corners[i, 1] - cy))
    size += radius
    low, high = np.inf, -np.inf
    d = np.full((nb, ns), np.inf)
    for b in range(nb):
        for j in range(ns):
            near = size + bound[b, j]
            if (x[b, j, 0] - cx) ** 2 + (x[b, j, 1] - cy) ** 2 <= near * near:
                d[b, j] = point_distance(x[b, j, 0], x[b, j, 1], corners, radius)
    for b in range(nb):
        for j in range(ns):
            if np.isinf(d[b, j]):
                continue
            if j + 1 < ns:
                early, late = _crossing(x[b, j], x[b, j + 1], d[b, j], d[b, j + 1], corners, radius)
                if early <= late:
                    step = t[b, j + 1] - t[b, j]
                    low, high = min(low, t[b, j] + early * step), max(high, t[b, j] + late * step)
                if b + 1 < nb:
                    for when in (
                        _time_at(
                            x[b, j],
                            x[b, j + 1],
                            x[b + 1, j + 1],
                            t[b, j],
                            t[b, j + 1],
                            t[b + 1, j + 1],
                            cx,
                            cy,
                        ),
                        _time_at(
                            x[b, j],
                            x[b + 1, j + 1],
                            x[b + 1, j],
                            t[b, j],
                            t[b + 1, j + 1],
                            t[b + 1, j],
                            cx,
                            cy,
                        ),
                    ):
                        if when >= 0.0:
                            low, high = min(low, when), max(high, when)
            elif b + 1 < nb:
                early, late = _crossing(x[b, j], x[b + 1, j], d[b, j], d[b + 1, j], corners, radius)
                if early <= late:
                    step = t[b + 1, j] - t[b, j]
                    ends = t[b, j] + early * step, t[b, j] + late * step
                    low, high = min(low, min(ends)), max(high, max(ends))
    return low, high


@njit(cache=True, nogil=True)
def _bounds(x: np.ndarray) -> np.ndarray:
    """Distance from each point of the fan to the farthest of its neighbours, diagonals included."""
    nb, ns = x.shape[:2]
    out = np.zeros((nb, ns))
    for b in range(nb):
        for j in range(ns):
            for i in range(max(b - 1, 0), min(b + 2, nb)):
                for k in range(max(j - 1, 0), min(j + 2, ns)):
                    away = np.hypot(x[i, k, 0] - x[b, j, 0], x[i, k, 1] - x[b, j, 1])
                    out[b, j] = max(out[b, j], away)
    return out


@njit(cache=True, nogil=True)
def _crossing(
    p: np.ndarray, q: np.ndarray, dp: float, dq: float, corners: np.ndarray, radius: float
) -> tuple[float, float]:
    """First and last fraction of p-q inside the area; (inf, -inf) if it misses it. Distance is convex along p-q."""
    if dp + dq > np.hypot(q[0] - p[0], q[1] - p[1]):
        return np.inf, -np.inf
    inside = 0.0 if dp == 0.0 else 1.0
    if dp > 0.0 and dq > 0.0:
        inside = -1.0
        a, b = 0.0, 1.0
        for _ in range(30):
            s1, s2 = a + (b - a) / 3, b - (b - a) / 3
            d1 = point_distance(p[0] + s1 * (q[0] - p[0]), p[1] + s1 * (q[1] - p[1]), corners, radius)
            d2 = point_distance(p[0] + s2 * (q[0] - p[0]), p[1] + s2 * (q[1] - p[1]), corners, radius)
            if d1 == 0.0 or d2 == 0.0:
                inside = s1 if d1 == 0.0 else s2
                break
            if d1 < d2:
                b = s2
            else:
                a = s1
        if inside < 0.0:
            return np.inf, -np.inf
    early, late = inside, inside
    out_a, out_b = 0.0, 1.0
    if dp == 0.0:
        early, out_a = 0.0, 0.0
    if dq == 0.0:
        late, out_b = 1.0, 1.0
    for _ in range(14):
        if dp > 0.0:
            s = (out_a + early) / 2
            if point_distance(p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1]), corners, radius) == 0.0:
                early = s
            else:
                out_a = s
        if dq > 0.0:
            s = (out_b + late) / 2
            if point_distance(p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1]), corners, radius) == 0.0:
                late = s
            else:
                out_b = s
    return early, late


@njit(cache=True, nogil=True)
def _time_at(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, ta: float, tb: float, tc: float, x: float, y: float
) -> float:
    """Time at (x, y) inside the triangle a-b-c, linear between its corners; -1 outside."""
    wc = (a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x)
    wa = (b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)
    wb = (c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)
    total = wa + wb + wc
    if total == 0.0 or min(wa, wb, wc) < 0.0 < max(wa, wb, wc):
        return -1.0
    return (wa * ta + wb * tb + wc * tc) / total
