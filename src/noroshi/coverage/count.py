"""How many sensors see each point: exact counting that looks only where the answer can change (Numba, float64).

A sensor sees the points within a cap about the direction below it (in the axes in which the body is the unit sphere).
Row by row, the cap's interval of longitude is bracketed from both sides: points surely inside are counted as a stretch,
points surely outside are never touched, and the few in between are put to the exact test. So every count is that of
testing every pair (tests/coverage/test_count.py holds this). Range, elevation at the target and the cone's outer edge
leave a cap too. Under any other limit, and for what lines of sight tell (`line_block`), every point
of the cap is put to the exact test of all limits.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

import noroshi._jax  # noqa: F401  (the cache folder before Numba)

# isort: split
from jaxtyping import Float64, Int32, UInt8
from numba import njit

from noroshi.coverage.layout import Layout
from noroshi.coverage.models import Behind, Body, Limits, Quality
from noroshi.coverage.tally import Tally, add_lines, add_sample

SLACK = 2e-4  # [rad] more than the error of `_arccos`, so that both brackets are sure
_TILT = 0.004  # [rad] scaled, geocentric and geodetic directions differ by less (0.192 deg for two of them)
_WHOLE = np.pi - 1e-3  # an interval this wide is all of the row
_EDGE = 1e-12  # a target exactly on the edge of a field is inside, whatever the rounding (as in sensors.look)
TOUCH2 = 1e-24  # [m2] a target where the sensor is has some distance, and no direction (as in `margins`)
_OFF = -2.0  # below every sine and cosine
_KEPT = 8  # lines of sight kept per point in search of a stereo pair, before everything is gone through again


class Scene(NamedTuple):
    """What one block of time is counted from. Vectors in the ITRS, metres; columns as in `Limits`, ready for use."""

    r_sensor: Float64[np.ndarray, "time sensor 3"]
    nadir: Float64[
        np.ndarray, "time sensor 3"
    ]  # unit; of satellites the geodetic one, of sites straight down
    sun: Float64[np.ndarray, "time 3"]  # zeros where no limit needs them
    moon: Float64[np.ndarray, "time 3"]
    cap_rad: Float64[np.ndarray, "sensor 2"]  # see `caps`
    limits: Float64[np.ndarray, "sensor limit"]  # see _LIMIT
    axes: Float64[np.ndarray, "2"]  # equator, pole
    plain: bool  # the body alone limits the view


# columns of Scene.limits
_GROUND, _GRAZING, _RANGE2, _SIN_UP, _COS_IN, _COS_OUT, _BEHIND, _COS_SUN, _COS_MOON = range(9)
_SIN_LOW, _SIN_HIGH, _EAST, _NORTH, _COS_FIELD = range(9, 14)
COLUMNS = 14


def columns(limits: Limits) -> Float64[np.ndarray, "sensor limit"]:
    """The limits as the kernel compares them: squares, sines and cosines."""
    out = np.empty((len(limits.ground), COLUMNS))
    out[:, _GROUND] = limits.ground
    out[:, _GRAZING] = limits.grazing_m
    out[:, _RANGE2] = limits.range_max_m**2
    out[:, _SIN_UP] = np.where(
        limits.elevation_target_rad <= -0.5 * np.pi, _OFF, np.sin(limits.elevation_target_rad)
    )
    out[:, _COS_IN] = np.where(limits.cone_min_rad <= 0.0, np.inf, np.cos(limits.cone_min_rad) + _EDGE)
    out[:, _COS_OUT] = np.where(limits.cone_max_rad >= np.pi, _OFF, np.cos(limits.cone_max_rad) - _EDGE)
    out[:, _BEHIND] = limits.behind
    out[:, _COS_SUN] = np.where(limits.sun_rad <= 0.0, np.inf, np.cos(limits.sun_rad))
    out[:, _COS_MOON] = np.where(limits.moon_rad <= 0.0, np.inf, np.cos(limits.moon_rad))
    out[:, _SIN_LOW] = np.sin(limits.elevation_min_rad - _EDGE)
    out[:, _SIN_HIGH] = np.where(
        limits.elevation_max_rad >= 0.5 * np.pi, np.inf, np.sin(limits.elevation_max_rad + _EDGE)
    )
    out[:, _EAST], out[:, _NORTH] = np.sin(limits.facing_rad), np.cos(limits.facing_rad)
    out[:, _COS_FIELD] = np.where(
        limits.azimuth_rad >= np.pi, -np.inf, np.cos(np.minimum(limits.azimuth_rad + _EDGE, np.pi))
    )
    return out


def only_the_body(limits: Limits, quality: Quality) -> bool:
    """Whether nothing but the body limits the view, for any sensor: stretches can then be counted at once."""
    return bool(
        not limits.ground.any()
        and not limits.grazing_m.any()
        and np.all(limits.range_max_m == np.inf)
        and np.all(limits.elevation_target_rad <= -0.5 * np.pi)
        and not limits.cone_min_rad.any()
        and np.all(limits.cone_max_rad >= np.pi)
        and np.all(limits.behind == Behind.ANYTHING)
        and not limits.sun_rad.any()
        and not limits.moon_rad.any()
        and np.all(quality.threshold <= 0.0)
    )


def caps(
    limits: Limits,
    r_sensor: Float64[np.ndarray, "time sensor 3"],
    r_points: Float64[np.ndarray, "point 3"],
    body: Body,
    reach_rad: Float64[np.ndarray, "2"],
) -> Float64[np.ndarray, "sensor 2"]:
    """For each sensor, two scaled angles [rad], good for every point and the whole block.

    Nearer than the first, body, range, elevation at the target and outer cone let it see (negative: nothing is sure);
    farther than the second it sees nothing.

    By the triangle of the Earth's centre, sensor and target, at the heights that bind; each with room for what the
    figure of the Earth does to angles. Too far apart they cost time and nothing else.
    """
    radius = np.linalg.norm(r_sensor, axis=-1)
    near, far = radius.min(0), radius.max(0)
    target = np.linalg.norm(r_points, axis=-1)
    low, high = target.min(), target.max()
    scaled = np.linalg.norm(r_sensor / [body.equator_m, body.equator_m, body.pole_m], axis=-1)
    limb = np.arccos(np.minimum(1.0 / scaled.min(0), 1.0)) + reach_rad[0] - 1e-9
    sure = np.where(scaled.min(0) > 1.0, limb, -1.0)
    cap = np.arccos(np.minimum(1.0 / scaled.max(0), 1.0)) + reach_rad[1] + 1e-9
    # range: cos(angle) >= (rs^2 + rt^2 - R^2) / (2 rs rt). Of the heights that occur it is greatest at ends of both
    # rs and rt, and least there or where one is at an end and the other its least for that
    ranged = np.isfinite(limits.range_max_m)
    reach = np.where(ranged, limits.range_max_m, 0.0)
    least, greatest = np.ones_like(near), -np.ones_like(near)
    for rs, rt in product((near, far), (low, high)):
        rs_least = np.clip(np.sqrt(np.maximum(rt**2 - reach**2, 0.0)), near, far)
        rt_least = np.clip(np.sqrt(np.maximum(rs**2 - reach**2, 0.0)), low, high)
        for a, b in ((rs, rt), (rs_least, rt), (rs, rt_least)):
            cos = (a**2 + b**2 - reach**2) / (2.0 * a * b)
            least, greatest = np.minimum(least, cos), np.maximum(greatest, cos)
    sure = np.where(ranged, np.minimum(sure, np.arccos(np.clip(greatest, -1.0, 1.0)) - _TILT), sure)
    cap = np.where(ranged, np.minimum(cap, np.arccos(np.clip(least, -1.0, 1.0)) + _TILT), cap)
    # elevation e at the target, sensor above it: angle <= acos(rt cos(e) / rs) - e
    space, above = ~limits.ground, near > high
    e = limits.elevation_target_rad + _TILT
    risen = np.arccos(np.clip(high * np.cos(e) / near, -1.0, 1.0)) - e - _TILT
    raised = space & (limits.elevation_target_rad > -0.5 * np.pi)
    sure = np.where(raised, np.where(above, np.minimum(sure, risen), -1.0), sure)
    e = limits.elevation_target_rad - _TILT
    risen = np.arccos(np.minimum(low * np.cos(e) / far, 1.0)) - e + _TILT
    cap = np.where(space & (e > -0.5), np.minimum(cap, risen), cap)
    # cone about nadir: angle <= asin(rs sin(off) / rt) - off, unless all of the targets' shell is within it; what the
    # cone holds beyond the Earth is hidden where all of the cone meets the ground
    off = limits.cone_max_rad - _TILT
    part = (off < 0.5 * np.pi) & (near * np.sin(off) < high)
    across = np.arcsin(np.clip(near * np.sin(off) / high, -1.0, 1.0)) - off - _TILT
    coned = space & (limits.cone_max_rad < np.pi)
    sure = np.where(coned, np.where(above, np.where(part, np.minimum(sure, across), sure), -1.0), sure)
    off = limits.cone_max_rad + _TILT
    hits = (off < 0.5 * np.pi) & (far * np.sin(off) < body.pole_m)
    across = np.arcsin(np.minimum(far * np.sin(off) / low, 1.0)) - off + _TILT
    cap = np.where(space & hits, np.minimum(cap, across), cap)
    return np.stack([sure, np.minimum(cap, np.pi)], axis=-1)


@njit(cache=True, nogil=True)
def count_block(
    scene: Scene,
    grid: Layout,
    quality: Quality,
    moving: np.ndarray,
    first: int,
    begin: int,
    end: int,
    weight: np.ndarray,
    tally: Tally,
) -> None:
    """Count times begin to end of the scene and add them to the tally; sample numbers start at `first`.

    `moving` [time, 10] holds the one target's r', w, r [m] and normal at each time (no rows: the grid's points stay).
    `weight`: area shares of the sorted points, in whole units.
    """
    points = len(grid.order)
    change = np.zeros(points + 1, np.int32)
    count = np.zeros(points, np.int32)
    lines = _no_lines()
    moves = len(moving) > 0
    ways = np.full(scene.r_sensor.shape[1], _ALL, np.int64)
    if not moves:
        for s in range(len(ways)):
            ways[s] = _way(scene.limits[s], quality.threshold[s])
    pieces = np.empty((3 * len(grid.low), 4), np.int64)
    place = _place(grid, moves)
    for k in range(begin, end):
        if moves:
            _move(place, moving, k)
        change[:] = 0
        count[:] = 0
        for s in range(len(ways)):
            if ways[s] != _ALL:
                _count_cap(scene, grid, k, s, ways[s], pieces, change, count)
            else:
                _look_cap(scene, quality, grid, place, moves, k, s, 2.0, pieces, count, lines)
        running = np.int32(0)
        for p in range(points):
            running += change[p]
            count[p] += running
        add_sample(tally, first + k - begin, first, count, weight)


@njit(cache=True, nogil=True)
def line_block(
    scene: Scene,
    grid: Layout,
    quality: Quality,
    moving: np.ndarray,
    stereo_cos: float,
    errors: bool,
    begin: int,
    end: int,
    tally: Tally,
) -> None:
    """Pair the lines of sight of times begin to end, and add up what they tell; into the tally that counts the same.

    `stereo_cos`: cosine of the least angle of a pair; above 1: no pairs are asked for. `errors`: whether information
    is gathered. A point that has its pair is passed over for the rest of the sample, unless it gathers.
    """
    points = len(grid.order)
    lines = _Lines(
        np.zeros(0, np.int32),
        np.zeros(points if stereo_cos <= 1.0 else 0, np.uint8),
        np.empty((points if stereo_cos <= 1.0 else 0, _KEPT, 3)),
        np.zeros(points if stereo_cos <= 1.0 else 0, np.int32),
        np.zeros((points if errors else 0, 6)),
    )
    moves = len(moving) > 0
    place = _place(grid, moves)
    pieces = np.empty((3 * len(grid.low), 4), np.int64)
    for k in range(begin, end):
        if moves:
            _move(place, moving, k)
        lines.paired[:] = 0
        lines.kept[:] = 0
        lines.informed[:] = 0.0
        for s in range(scene.r_sensor.shape[1]):
            _look_cap(scene, quality, grid, place, moves, k, s, stereo_cos, pieces, lines.count, lines)
        for p in range(len(lines.paired)):
            if lines.kept[p] > _KEPT and not lines.paired[p]:
                lines.paired[p] = _pair_somewhere(scene, quality, place, k, p, stereo_cos)
        add_lines(tally, lines.paired, lines.informed)


class _Lines(NamedTuple):
    """What is gathered of the lines of sight at one sample, per point; no rows: not asked for."""

    count: Int32[np.ndarray, "point"]
    paired: UInt8[np.ndarray, "point"]
    kept_lines: Float64[np.ndarray, "point kept 3"]
    kept: Int32[np.ndarray, "point"]
    informed: Float64[np.ndarray, "point 6"]


@njit(cache=True, nogil=True)
def _no_lines() -> _Lines:
    return _Lines(
        np.zeros(0, np.int32),
        np.zeros(0, np.uint8),
        np.empty((0, _KEPT, 3)),
        np.zeros(0, np.int32),
        np.zeros((0, 6)),
    )


@njit(cache=True, nogil=True)
def _place(grid: Layout, moves: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scaled places, places and normals of the points; a copy where they move."""
    if moves:
        return grid.scaled.copy(), grid.r_itrs.copy(), grid.up.copy()
    return grid.scaled, grid.r_itrs, grid.up


@njit(cache=True, nogil=True)
def _move(place: tuple[np.ndarray, np.ndarray, np.ndarray], moving: np.ndarray, k: int) -> None:
    place[0][:, 0] = moving[k, 0:4]
    place[1][:, 0] = moving[k, 4:7]
    place[2][:, 0] = moving[k, 7:10]


# how a sensor's view is counted: the body alone, limits that leave a cap, all limits
_BODY, _CAP, _ALL = range(3)


@njit(cache=True, nogil=True)
def _way(limit: np.ndarray, threshold: float) -> int:
    if (
        limit[_GROUND] != 0.0
        or limit[_GRAZING] > 0.0
        or limit[_COS_IN] < np.inf
        or limit[_BEHIND] != 0.0
        or limit[_COS_SUN] <= 1.0
        or limit[_COS_MOON] <= 1.0
        or threshold > 0.0
    ):
        return _ALL
    if limit[_RANGE2] < np.inf or limit[_SIN_UP] > _OFF or limit[_COS_OUT] > _OFF:
        return _CAP
    return _BODY


@njit(cache=True, nogil=True, inline="always")
def _arccos(x: float) -> float:
    """arccos to 7e-5 (Abramowitz & Stegun 4.4.45); beyond -1 and 1 the end value."""
    y = min(abs(x), 1.0)
    angle = np.sqrt(1.0 - y) * (1.5707288 + y * (-0.2121144 + y * (0.0742610 - y * 0.0187293)))
    return angle if x >= 0.0 else np.pi - angle


@njit(cache=True, nogil=True)
def _direction(scene: Scene, k: int, s: int) -> tuple[float, float, float, float, float, float]:
    """The sensor's scaled x, y, z, sqrt(|.|^2 - 1), and the sine of its scaled latitude and its longitude."""
    x, y = scene.r_sensor[k, s, 0] / scene.axes[0], scene.r_sensor[k, s, 1] / scene.axes[0]
    z = scene.r_sensor[k, s, 2] / scene.axes[1]
    square = x * x + y * y + z * z
    return x, y, z, np.sqrt(max(square - 1.0, 0.0)), z / np.sqrt(square), np.arctan2(y, x)


@njit(cache=True, nogil=True, inline="always")
def _widest(
    sin_s: float,
    sec_s: float,
    cos_cap: float,
    tan_low: float,
    sec_low: float,
    tan_high: float,
    sec_high: float,
) -> float:
    """Greatest half-width in longitude of a cap over a row [rad]; negative where the cap misses it.

    cos(half-width) = (cos(cap) - sin_s sin(lat)) / (cos_s cos(lat)). Along a meridian the half-width rises to one
    maximum and falls again, so over a row the greatest is at an end, unless the maximum lies between: at
    sin(lat) = sin_s / cos_cap (with the pole inside the cap it is at the pole).
    """
    g = sec_s * min(cos_cap * sec_low - sin_s * tan_low, cos_cap * sec_high - sin_s * tan_high)
    if abs(sin_s) < cos_cap:
        root = np.sqrt(cos_cap * cos_cap - sin_s * sin_s)  # tan(lat) = sin_s / root there
        if tan_low * root < sin_s < tan_high * root:
            g = root * sec_s
    return -1.0 if g > 1.0 else _arccos(g)


@njit(cache=True, nogil=True, inline="always")
def _least(
    sin_s: float,
    sec_s: float,
    cos_cap: float,
    tan_low: float,
    sec_low: float,
    tan_high: float,
    sec_high: float,
) -> float:
    """Least half-width of a cap over a row [rad]; negative where the cap misses some of it.

    At one of the row's ends, but for caps wider than 90 deg: what lies outside is then a cap about the antipode, as in
    `_widest`, and widest at sin(lat) = sin_s / cos_cap.
    """
    g = sec_s * max(cos_cap * sec_low - sin_s * tan_low, cos_cap * sec_high - sin_s * tan_high)
    if abs(sin_s) < -cos_cap:
        root = np.sqrt(cos_cap * cos_cap - sin_s * sin_s)
        if tan_low * root < -sin_s < tan_high * root:
            g = -root * sec_s
    return -1.0 if g > 1.0 else _arccos(g)


@njit(cache=True, nogil=True)
def _cut(grid: Layout, sin_s: float, lon: float, sure: float, cap: float, pieces: np.ndarray) -> int:
    """Cut a cap into pieces of rows, [begin, begin of the sure part, its end, end] in sorted points; return how many.

    Points in the sure part are nearer than `sure` (negative: there is none), those in no piece farther than `cap`.
    """
    sec_s = 1.0 / max(np.sqrt(max(1.0 - sin_s * sin_s, 0.0)), 1e-12)
    cos_cap, cos_sure = np.cos(cap), np.cos(sure) if sure > 0.0 else 2.0
    lat = np.arcsin(sin_s)
    rows, ends, found = len(grid.low), grid.ends, 0
    row = np.searchsorted(grid.high, lat - cap)
    while row < rows and grid.low[row] <= lat + cap:
        widest = _widest(sin_s, sec_s, cos_cap, ends[row, 0], ends[row, 1], ends[row, 2], ends[row, 3])
        least = _least(sin_s, sec_s, cos_sure, ends[row, 0], ends[row, 1], ends[row, 2], ends[row, 3])
        bins = grid.first_bin[row]
        last = grid.first_bin[row + 1] - bins - 1
        outer, inner = widest + SLACK, least - SLACK
        if least >= _WHOLE or outer >= _WHOLE:
            pieces[found, 0], pieces[found, 3] = grid.start[bins], grid.start[bins + last + 1]
            pieces[found, 1] = pieces[found, 0] if least >= _WHOLE else pieces[found, 3]
            pieces[found, 2] = pieces[found, 3]
            found += 1
        elif widest >= 0.0:
            half, per_rad = grid.half[row], grid.per_rad[row]
            away = lon - grid.middle[row]
            away -= 2.0 * np.pi * np.floor(away / (2.0 * np.pi) + 0.5)
            done = -1  # last bin in a piece, so that two pieces never share one
            for turn in (-2.0 * np.pi, 0.0, 2.0 * np.pi):
                left, right = away + turn - outer, away + turn + outer
                if right < -half or left > half:
                    continue
                a = max(int(np.floor((left + half) * per_rad)), done + 1, 0)
                d = min(int(np.floor((right + half) * per_rad)), last)
                if inner > 0.0:
                    # bins that begin and end surely inside
                    b = int(np.ceil((away + turn - inner + half) * per_rad))
                    c = int(np.floor((away + turn + inner + half) * per_rad))
                    b = min(max(b, a), d + 1)
                    c = max(min(c, d + 1), b)
                else:
                    b = c = d + 1
                if a <= d:
                    pieces[found, 0], pieces[found, 1] = grid.start[bins + a], grid.start[bins + b]
                    pieces[found, 2], pieces[found, 3] = grid.start[bins + c], grid.start[bins + d + 1]
                    found += 1
                    done = d
        row += 1
    return found


@njit(cache=True, nogil=True)
def _count_cap(
    scene: Scene, grid: Layout, k: int, s: int, way: int, pieces: np.ndarray, change: np.ndarray, near: np.ndarray
) -> None:  # fmt: skip
    """Add one sensor's view of the whole grid: stretches to the differences of the counts, the rest one by one."""
    x, y, z, w, sin_s, lon = _direction(scene, k, s)
    sure, cap = scene.cap_rad[s, 0], scene.cap_rad[s, 1]
    if way == _BODY:
        reach = np.arccos(min(1.0 / np.sqrt(w * w + 1.0), 1.0))
        sure = reach + grid.reach_rad[0] - 1e-9 if w > 0.0 else -1.0
        cap = min(reach + grid.reach_rad[1] + 1e-9, np.pi)
    for n in range(_cut(grid, sin_s, lon, sure, cap, pieces)):
        a, b, c, d = pieces[n]
        if way == _BODY:
            _test(x, y, z, w, grid.scaled, a, b, near)
            _test(x, y, z, w, grid.scaled, c, d, near)
        else:
            limit = scene.limits[s]
            _test_limits(x, y, z, w, scene.r_sensor[k, s], scene.nadir[k, s], limit, grid, a, b, near)
            _test_limits(x, y, z, w, scene.r_sensor[k, s], scene.nadir[k, s], limit, grid, c, d, near)
        change[b] += 1
        change[c] -= 1


@njit(cache=True, nogil=True, inline="always")
def _test(
    x: float, y: float, z: float, w: float, scaled: np.ndarray, begin: int, end: int, near: np.ndarray
) -> None:  # fmt: skip
    """The exact test, point by point; without a branch, so that it runs in vectors."""
    for p in range(begin, end):
        dot = x * scaled[0, p] + y * scaled[1, p] + z * scaled[2, p] + w * scaled[3, p]
        near[p] += np.int32(dot >= 1.0)


@njit(cache=True, nogil=True)
def _test_limits(
    x: float,
    y: float,
    z: float,
    w: float,
    r_sensor: np.ndarray,
    nadir: np.ndarray,
    limit: np.ndarray,
    grid: Layout,
    begin: int,
    end: int,
    near: np.ndarray,
) -> None:
    """The same with range, elevation at the target and the outer edge of the cone (as in `_within`)."""
    scaled, r, up = grid.scaled, grid.r_itrs, grid.up
    sx, sy, sz, nx, ny, nz = r_sensor[0], r_sensor[1], r_sensor[2], nadir[0], nadir[1], nadir[2]
    range2, sin_up, cos_out = limit[_RANGE2], limit[_SIN_UP], limit[_COS_OUT]
    for p in range(begin, end):
        dot = x * scaled[0, p] + y * scaled[1, p] + z * scaled[2, p] + w * scaled[3, p]
        dx, dy, dz = r[0, p] - sx, r[1, p] - sy, r[2, p] - sz
        square = dx * dx + dy * dy + dz * dz
        distance = np.sqrt(square)
        high = -(dx * up[0, p] + dy * up[1, p] + dz * up[2, p]) >= sin_up * distance
        inside = dx * nx + dy * ny + dz * nz >= cos_out * distance
        near[p] += np.int32((dot >= 1.0) & (square <= range2) & high & inside)


class _View(NamedTuple):
    """One sensor at one time, all plain numbers, so that the loop over points reads no array of sensors."""

    x: float  # place [m]
    y: float
    z: float
    xs: float  # scaled, and sqrt(|.|^2 - 1)
    ys: float
    zs: float
    ws: float
    nx: float  # nadir
    ny: float
    nz: float
    fx: float  # a ground sensor's facing, horizontal
    fy: float
    fz: float
    sunx: float  # towards the Sun and the Moon
    suny: float
    sunz: float
    moonx: float
    moony: float
    moonz: float
    cos_sun: float  # above 1: the body does not matter, or does not shine on the sensor
    cos_moon: float
    ground: bool
    grazing: float
    range2: float
    sin_up: float
    cos_in: float
    cos_out: float
    behind: int
    sin_low: float
    sin_high: float
    cos_field: float
    gain_space: float
    gain_earth: float
    power: float
    threshold: float


@njit(cache=True, nogil=True)
def _view(scene: Scene, quality: Quality, k: int, s: int) -> _View:
    a, b = scene.axes[0], scene.axes[1]
    limit, (nx, ny, nz) = scene.limits[s], scene.nadir[k, s]
    x, y, z = scene.r_sensor[k, s]
    xs, ys, zs = x / a, y / a, z / b
    ws = np.sqrt(max(xs * xs + ys * ys + zs * zs - 1.0, 0.0))
    # east is z cross up, north is up cross east; at a pole east is y
    level = np.sqrt(nx * nx + ny * ny)
    ex, ey = (ny / level, -nx / level) if level > 0.0 else (0.0, 1.0)
    fx = limit[_EAST] * ex + limit[_NORTH] * nz * ey
    fy = limit[_EAST] * ey - limit[_NORTH] * nz * ex
    fz = limit[_NORTH] * (ex * ny - ey * nx)
    sunx, suny, sunz, cos_sun = _body(scene.axes, scene.sun[k], x, y, z, xs, ys, zs, ws, limit[_COS_SUN])
    moonx, moony, moonz, cos_moon = _body(
        scene.axes, scene.moon[k], x, y, z, xs, ys, zs, ws, limit[_COS_MOON]
    )
    return _View(
        x,
        y,
        z,
        xs,
        ys,
        zs,
        ws,
        nx,
        ny,
        nz,
        fx,
        fy,
        fz,
        sunx,
        suny,
        sunz,
        moonx,
        moony,
        moonz,
        cos_sun,
        cos_moon,
        limit[_GROUND] != 0.0,
        limit[_GRAZING],
        limit[_RANGE2],
        limit[_SIN_UP],
        limit[_COS_IN],
        limit[_COS_OUT],
        int(limit[_BEHIND]),
        limit[_SIN_LOW],
        limit[_SIN_HIGH],
        limit[_COS_FIELD],
        quality.gain_space[s],
        quality.gain_earth[s],
        quality.power[s],
        quality.threshold[s],
    )


@njit(cache=True, nogil=True)
def _body(
    axes: np.ndarray,
    body: np.ndarray,
    x: float,
    y: float,
    z: float,
    xs: float,
    ys: float,
    zs: float,
    ws: float,
    cos_within: float,
) -> tuple[float, float, float, float]:
    """Unit vector to a body, and the cosine of the angle it forbids: 2 where there is none or it does not shine."""
    if cos_within > 1.0:
        return 0.0, 0.0, 0.0, 2.0
    bx, by, bz = body[0] - x, body[1] - y, body[2] - z
    length = np.sqrt(bx * bx + by * by + bz * bz)
    xb, yb, zb = body[0] / axes[0], body[1] / axes[0], body[2] / axes[1]
    shines = xs * xb + ys * yb + zs * zb + ws * np.sqrt(max(xb * xb + yb * yb + zb * zb - 1.0, 0.0)) >= 1.0
    return bx / length, by / length, bz / length, cos_within if shines else 2.0


@njit(cache=True, nogil=True)
def _look_cap(
    scene: Scene,
    quality: Quality,
    grid: Layout,
    place: tuple[np.ndarray, np.ndarray, np.ndarray],
    moves: bool,
    k: int,
    s: int,
    stereo_cos: float,
    pieces: np.ndarray,
    count: np.ndarray,
    lines: _Lines,
) -> None:
    """Put every point within one sensor's cap to the exact test of all limits; count it, pair it, sum what it tells."""
    view = _view(scene, quality, k, s)
    if moves:
        _look(view, scene.axes, quality, s, place, 0, 1, stereo_cos, count, lines)
        return
    _, _, _, _, sin_s, lon = _direction(scene, k, s)
    for n in range(_cut(grid, sin_s, lon, -1.0, scene.cap_rad[s, 1], pieces)):
        _look(view, scene.axes, quality, s, place, pieces[n, 0], pieces[n, 3], stereo_cos, count, lines)


@njit(cache=True, nogil=True)
def _look(
    view: _View,
    axes: np.ndarray,
    quality: Quality,
    s: int,
    place: tuple[np.ndarray, np.ndarray, np.ndarray],
    begin: int,
    end: int,
    stereo_cos: float,
    count: np.ndarray,
    lines: _Lines,
) -> None:
    scaled, r, up = place
    paired, kept_lines, kept, informed = lines.paired, lines.kept_lines, lines.kept, lines.informed
    counting, pairing, informing = len(count) > 0, len(paired) > 0, len(informed) > 0
    for p in range(begin, end):
        if pairing and paired[p] and not informing:
            continue
        dot = view.xs * scaled[0, p] + view.ys * scaled[1, p] + view.zs * scaled[2, p]
        if dot + view.ws * scaled[3, p] < 1.0:
            continue
        dx, dy, dz = r[0, p] - view.x, r[1, p] - view.y, r[2, p] - view.z
        square = max(dx * dx + dy * dy + dz * dz, TOUCH2)
        if square > view.range2:
            continue
        if not _within(view, axes, scaled, r, up, p, dot, dx, dy, dz, square):
            continue
        if counting:
            count[p] += 1
        each = 1.0 / np.sqrt(square)
        ux, uy, uz = dx * each, dy * each, dz * each
        if pairing and not paired[p] and kept[p] <= _KEPT:
            for n in range(kept[p]):
                cos = ux * kept_lines[p, n, 0] + uy * kept_lines[p, n, 1] + uz * kept_lines[p, n, 2]
                if abs(cos) <= stereo_cos:
                    paired[p] = 1
                    break
            if kept[p] < _KEPT:
                kept_lines[p, kept[p], 0], kept_lines[p, kept[p], 1], kept_lines[p, kept[p], 2] = ux, uy, uz
            kept[p] += 1
        if informing:
            behind = view.ws > scaled[3, p] and dot - view.ws * scaled[3, p] > 1.0
            _inform(quality, s, ux, uy, uz, square, _snr(view, behind, square), informed, p)


@njit(cache=True, nogil=True, inline="always")
def _snr(view: _View, behind: bool, square: float) -> float:
    gain = view.gain_earth if behind else view.gain_space
    return gain / (square if view.power == 2.0 else square * square)


@njit(cache=True, nogil=True, inline="always")
def _within(
    view: _View,
    axes: np.ndarray,
    scaled: np.ndarray,
    r: np.ndarray,
    up: np.ndarray,
    p: int,
    dot: float,
    dx: float,
    dy: float,
    dz: float,
    square: float,
) -> bool:
    """Whether a pair that the body does not part and that is in range keeps every other limit.

    Sines and cosines come as they are, times the distance.
    """
    distance = np.sqrt(square)
    down = dx * view.nx + dy * view.ny + dz * view.nz
    behind = view.ws > scaled[3, p] and dot - view.ws * scaled[3, p] > 1.0
    if view.ground:
        if -down < view.sin_low * distance or -down > view.sin_high * distance:
            return False
        if view.cos_field > -1.0:
            level = np.sqrt(max(square - down * down, 0.0))
            if dx * view.fx + dy * view.fy + dz * view.fz < view.cos_field * level:
                return False
    else:
        if -(dx * up[0, p] + dy * up[1, p] + dz * up[2, p]) < view.sin_up * distance:
            return False
        if down < view.cos_out * distance or down > view.cos_in * distance:
            return False
        if (view.behind == 1 and behind) or (view.behind == 2 and not behind):
            return False
        if dx * view.sunx + dy * view.suny + dz * view.sunz > view.cos_sun * distance:
            return False
        if dx * view.moonx + dy * view.moony + dz * view.moonz > view.cos_moon * distance:
            return False
        if view.grazing > 0.0 and not _grazes_clear(
            axes, view.grazing, view.x, view.y, view.z, dx, dy, dz, r[0, p], r[1, p], r[2, p]
        ):
            return False
    return view.threshold <= 0.0 or _snr(view, behind, square) >= view.threshold


@njit(cache=True, nogil=True)
def _grazes_clear(
    axes: np.ndarray,
    height: float,
    sx: float,
    sy: float,
    sz: float,
    dx: float,
    dy: float,
    dz: float,
    tx: float,
    ty: float,
    tz: float,
) -> bool:
    """earth.grazing_clear: a line that still descends grazes nothing; one that rises must clear the raised body."""
    a2, b2 = axes[0] ** 2, axes[1] ** 2
    if dx * tx / a2 + dy * ty / a2 + dz * tz / b2 <= 0.0:
        return True
    a, b = axes[0] + height, axes[1] + height
    x, y, z = tx / a, ty / a, tz / b
    above = x * x + y * y + z * z - 1.0
    if above < 0.0:
        return False
    p, q, o = sx / a, sy / a, sz / b
    return p * x + q * y + o * z + np.sqrt(max(p * p + q * q + o * o - 1.0, 0.0) * above) >= 1.0


@njit(cache=True, nogil=True, inline="always")
def _inform(
    quality: Quality,
    s: int,
    ux: float,
    uy: float,
    uz: float,
    square: float,
    snr: float,
    informed: np.ndarray,
    p: int,
) -> None:
    """Add (I - u u') / (R sigma)^2 + u u' / sigma_R^2 to xx, xy, xz, yy, yz, zz (sensors.triangulation)."""
    angle = (
        quality.floor_rad[s] ** 2
        + (0.5 * quality.pixel_rad[s] / snr) ** 2
        + 0.5 * quality.beam_rad[s] ** 2 / snr
    )
    across = 1.0 / (square * angle)
    along = 0.0
    if quality.floor_m[s] < np.inf:
        along = 1.0 / (quality.floor_m[s] ** 2 + 0.5 * quality.cell_m[s] ** 2 / snr)
    more = along - across
    informed[p, 0] += across + more * ux * ux
    informed[p, 1] += more * ux * uy
    informed[p, 2] += more * ux * uz
    informed[p, 3] += across + more * uy * uy
    informed[p, 4] += more * uy * uz
    informed[p, 5] += across + more * uz * uz


@njit(cache=True, nogil=True)
def _pair_somewhere(
    scene: Scene,
    quality: Quality,
    place: tuple[np.ndarray, np.ndarray, np.ndarray],
    k: int,
    p: int,
    stereo_cos: float,
) -> bool:
    """Whether any two lines of sight are far enough apart, gone through one by one: more were seen than were kept."""
    scaled, r, up = place
    sensors = scene.r_sensor.shape[1]
    lines = np.empty((sensors, 3))
    found = 0
    for s in range(sensors):
        view = _view(scene, quality, k, s)
        dot = view.xs * scaled[0, p] + view.ys * scaled[1, p] + view.zs * scaled[2, p]
        dx, dy, dz = r[0, p] - view.x, r[1, p] - view.y, r[2, p] - view.z
        square = max(dx * dx + dy * dy + dz * dz, TOUCH2)
        if dot + view.ws * scaled[3, p] < 1.0 or square > view.range2:
            continue
        if not _within(view, scene.axes, scaled, r, up, p, dot, dx, dy, dz, square):
            continue
        each = 1.0 / np.sqrt(square)
        ux, uy, uz = dx * each, dy * each, dz * each
        for n in range(found):
            if abs(ux * lines[n, 0] + uy * lines[n, 1] + uz * lines[n, 2]) <= stereo_cos:
                return True
        lines[found, 0], lines[found, 1], lines[found, 2] = ux, uy, uz
        found += 1
    return False
