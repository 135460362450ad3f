"""Access windows: every interval in which a sensor sees a place, its edges to a microsecond.

Each constraint is a combination of smooth functions of time (`margins.TERMS`). All zeros of all of them cut the span
into pieces in which nothing changes; a piece is judged at its middle. So a window is found however short it is where
two constraints overlap; a single function has to be sampled well enough to show its turning points (see
docs/theory/coverage-windows.md).
"""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy.interpolate import CubicSpline

from noroshi.coverage import layout
from noroshi.coverage.margins import (
    TERMS,
    Constraint,
    Reach,
    Scene,
    active,
    distance_m,
    elevation,
    margins,
    pick,
    reach_of,
)
from noroshi.coverage.models import WGS84, Body, Limits, Points, Quality
from noroshi.errors import ScenarioError
from noroshi.frames import rotate
from noroshi.sky import Sky
from noroshi.tables import Ephemeris

NODE_S = 30.0  # between positions: 13 um of interpolation error at worst (docs/theory/coverage-windows.md)
STEP_S = 10.0  # between samples; turning points of one margin closer than two of them can be missed
SHORTEST_S = 1e-3  # windows and gaps below are not told apart from rounding
EDGE_S = 1e-6  # to which edges are bisected
_SAME_S = 1e-5  # zeros this close are one (a target on the ground sets and loses its background at once)
_STENCIL = 8  # nodes of the interpolating polynomial
_BLOCK = 1 << 16  # evaluations at once: 20 MB
_SAMPLES = 1 << 19  # samples at once: 30 MB
_GOLD = 0.5 * (5.0**0.5 - 1.0)

Value = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of (segment numbers, times)


class Track(NamedTuple):
    """Positions on evenly spaced nodes, ITRS."""

    t: Float[np.ndarray, "node"]  # [s past the epoch]
    r_itrs: Float[np.ndarray, "node item 3"]


class Windows(NamedTuple):
    """Access windows, in the order of the pairs asked for and then of time. Times are seconds past the epoch."""

    sensor: Int[np.ndarray, "window"]
    point: Int[np.ndarray, "window"]
    t_start: Float64[np.ndarray, "window"]
    t_end: Float64[np.ndarray, "window"]
    opened_by: np.ndarray  # the constraint that failed just before (Constraint.label), or "start"
    closed_by: np.ndarray  # the one that fails just after, or "end"
    start_truncated: Bool[
        np.ndarray, "window"
    ]  # cut by the span, or by the first or last row of a moving target
    end_truncated: Bool[np.ndarray, "window"]
    t_highest: Float64[np.ndarray, "window"]
    elevation_highest_rad: Float64[np.ndarray, "window"]  # as `margins.elevation`
    range_least_m: Float64[np.ndarray, "window"]

    @property
    def duration_s(self) -> Float64[np.ndarray, "window"]:
        """From start to end."""
        return self.t_end - self.t_start


class _Segments(NamedTuple):
    """Stretches of time to be searched, and what bounds them."""

    pair: np.ndarray
    start: np.ndarray
    end: np.ndarray
    opened_by: np.ndarray
    closed_by: np.ndarray


class _Case(NamedTuple):
    limits: Limits
    sensors: Track
    places: np.ndarray | CubicSpline  # [point, 3], or a moving target's
    body: Body
    sky: Track | None  # Sun and Moon
    reach: Reach | None
    sensor: np.ndarray  # of each pair
    point: np.ndarray


def node_times(start_s: float, end_s: float, step_s: float = NODE_S) -> Float64[np.ndarray, "node"]:
    """Nodes for the tracks of a span: evenly spaced, three more than needed on either side."""
    count = max(int(np.ceil((end_s - start_s) / step_s)), 1)
    return start_s + step_s * np.arange(-3, count + 4)


def sensor_track(ephemeris: Ephemeris, m: Float[np.ndarray, "node 3 3"]) -> Track:
    """The platforms of an ephemeris on nodes (m = itrs_from_gcrs there)."""
    return Track(ephemeris.t, rotate(m, ephemeris.r_gcrs))


def sky_track(sky: Sky, t: Float[np.ndarray, "node"], m: Float[np.ndarray, "node 3 3"]) -> Track:
    """Sun and Moon on the same nodes."""
    return Track(t, rotate(m, np.stack([sky.sun_gcrs, sky.moon_gcrs], axis=1)))


def windows(
    limits: Limits,
    sensors: Track,
    points: Points,
    pairs: Int[np.ndarray, "pair 2"],
    start_s: float,
    end_s: float,
    *,
    body: Body = WGS84,
    sky: Track | None = None,
    quality: Quality | None = None,
    step_s: float = STEP_S,
) -> Windows:
    """Every window of every pair (sensor, point) in [start_s, end_s].

    With `quality` the target must also be as bright as its thresholds ask. Between nodes positions follow the
    polynomial of degree 7 through the eight nearest. A moving target (one place: point 0) follows the cubic spline
    through its rows in the ITRS and is there from its first row to its last.
    Errors: ScenarioError where tracks or rows do not allow that, or `sky` is needed and absent.
    """
    _check(sensors, "sensors", start_s, end_s)
    if sky is not None:
        _check(sky, "Sun and Moon", start_s, end_s)
    pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
    places: Any = layout.itrs(points, body)
    if points.t is not None:
        if len(points.t) < 2 or not np.all(np.diff(points.t) > 0.0):
            raise ScenarioError(
                "the rows of a moving target are not in order of time",
                remedy="give two rows or more, each later than the one before",
            )
        places = CubicSpline(points.t, places)
        start_s, end_s = max(start_s, float(points.t[0])), min(end_s, float(points.t[-1]))
        step_s = min(step_s, max(float(np.min(np.diff(points.t))), 1.0))
    reach = None if quality is None else reach_of(quality)
    found = []
    block = max(1, int(_SAMPLES * step_s / max(end_s - start_s, step_s)))
    for first in range(0, len(pairs) if end_s > start_s else 0, block):
        part = pairs[first : first + block]
        case = _Case(limits, sensors, places, body, sky, reach, part[:, 0], part[:, 1])
        found.append(_of_pairs(case, start_s, end_s, step_s))
    return Windows(*(np.concatenate(columns) for columns in zip(*(found or [_none()]), strict=True)))


def interpolate(
    track: Track, item: Int[np.ndarray, "n"], t: Float[np.ndarray, "n"]
) -> Float64[np.ndarray, "n 3"]:
    """Positions of items at times, by the polynomial through the eight nearest nodes."""
    step = (track.t[-1] - track.t[0]) / (len(track.t) - 1)
    return _lagrange(float(track.t[0]), float(step), track.r_itrs, item, t, _STENCIL)


@numba.njit(cache=True, error_model="numpy")
def _lagrange(
    start: float, step: float, nodes: np.ndarray, item: np.ndarray, t: np.ndarray, stencil: int
) -> np.ndarray:
    out = np.empty((len(t), 3))
    weight = np.empty(stencil)
    for a in range(stencil):
        weight[a] = 1.0
        for b in range(stencil):
            if b != a:
                weight[a] /= a - b
    share = np.empty(stencil)
    for k in range(len(t)):
        at = (t[k] - start) / step
        first = min(max(int(np.floor(at)) - (stencil // 2 - 1), 0), nodes.shape[0] - stencil)
        u = at - first
        near = int(np.rint(u))
        x = y = z = 0.0
        if u == near:  # on a node
            x = nodes[first + near, item[k], 0]
            y = nodes[first + near, item[k], 1]
            z = nodes[first + near, item[k], 2]
        else:
            total = 0.0
            for a in range(stencil):
                share[a] = weight[a] / (u - a)
                total += share[a]
            for a in range(stencil):
                q = share[a] / total
                x += q * nodes[first + a, item[k], 0]
                y += q * nodes[first + a, item[k], 1]
                z += q * nodes[first + a, item[k], 2]
        out[k, 0], out[k, 1], out[k, 2] = x, y, z
    return out


def _of_pairs(case: _Case, start_s: float, end_s: float, step_s: float) -> Windows:
    count = len(case.sensor)
    whole = _Segments(
        np.arange(count),
        np.full(count, start_s),
        np.full(count, end_s),
        np.full(count, "start", object),
        np.full(count, "end", object),
    )
    # nothing else matters where the Earth is in between, which is most of the time
    clear = _search(case._replace(sky=None), whole, (Constraint.OCCLUSION,), step_s)
    found = _search(case, clear, tuple(Constraint)[1:], step_s)
    t_high, high = _greatest(_value(case, found, elevation), found, step_s)
    _, near = _greatest(_value(case, found, lambda x, s: -distance_m(x, s)), found, step_s)
    return Windows(
        sensor=case.sensor[found.pair],
        point=case.point[found.pair],
        t_start=found.start,
        t_end=found.end,
        opened_by=found.opened_by.astype(str),
        closed_by=found.closed_by.astype(str),
        start_truncated=found.opened_by == "start",
        end_truncated=found.closed_by == "end",
        t_highest=t_high,
        elevation_highest_rad=high,
        range_least_m=-near,
    )


def _search(
    case: _Case, segments: _Segments, constraints: tuple[Constraint, ...], step_s: float
) -> _Segments:
    """The parts of the segments in which all of these constraints hold."""
    limits, reach = _limits(case, segments.pair)
    zeros = [(np.empty(0, np.int64), np.empty(0))]
    for constraint in constraints:
        rows = np.flatnonzero(active(limits, constraint, reach))
        part = _Segments(*(column[rows] for column in segments))
        for term in TERMS[constraint] if len(rows) else ():
            at, t = _zeros(_value(case, part, term), part, step_s)
            zeros.append((rows[at], t))
    segment, low, high = _pieces(segments, *(np.concatenate(x) for x in zip(*zeros, strict=True)))
    failing = _failing(case, segments, constraints, segment, 0.5 * (low + high))
    return _runs(segments, segment, low, high, failing)


def _value(case: _Case, segments: _Segments, term: Callable[[Limits, Scene], np.ndarray]) -> Value:
    def value(segment: np.ndarray, t: np.ndarray) -> np.ndarray:
        out = np.empty(len(t))
        for first in range(0, len(t), _BLOCK):
            part = slice(first, first + _BLOCK)
            out[part] = term(*_scene(case, segments.pair[segment[part]], t[part]))
        return out

    return value


def _scene(case: _Case, pair: np.ndarray, t: np.ndarray) -> tuple[Limits, Scene]:
    sensor, point = case.sensor[pair], case.point[pair]
    target = case.places(t) if isinstance(case.places, CubicSpline) else case.places[point]
    sun, moon = None, None
    if case.sky is not None:
        sun, moon = (interpolate(case.sky, np.full(len(t), k), t) for k in (0, 1))
    limits, reach = _limits(case, pair)
    return limits, Scene(interpolate(case.sensors, sensor, t), target, case.body, sun, moon, reach)


def _limits(case: _Case, pair: np.ndarray) -> tuple[Limits, Reach | None]:
    sensor = case.sensor[pair]
    reach = None if case.reach is None else Reach(*(column[sensor] for column in case.reach))
    return pick(case.limits, sensor), reach


def _failing(
    case: _Case,
    segments: _Segments,
    constraints: tuple[Constraint, ...],
    segment: np.ndarray,
    t: np.ndarray,
) -> np.ndarray:
    """The first constraint that fails at each (segment, time); -1: none does."""
    out = np.full(len(t), -1)
    for first in range(0, len(t), _BLOCK):
        part = slice(first, first + _BLOCK)
        limits, scene = _scene(case, segments.pair[segment[part]], t[part])
        for constraint, value in reversed(margins(limits, scene, constraints).items()):
            out[part] = np.where(value < 0.0, int(constraint), out[part])
    return out


def _samples(segments: _Segments, step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Segment numbers and times, evenly spaced, both ends and at least one between."""
    count = np.maximum(np.ceil((segments.end - segments.start) / step_s).astype(np.int64), 2) + 1
    segment = np.repeat(np.arange(len(count)), count)
    k = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    share = k / (count[segment] - 1)
    return segment, segments.start[segment] * (1.0 - share) + segments.end[segment] * share


def _zeros(value: Value, segments: _Segments, step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Segment numbers and times of all changes of sign, those of a turning point between two samples included."""
    segment, t = _samples(segments, step_s)
    if not len(t):
        return segment, t
    g = value(segment, t)
    positive = g >= 0.0
    changed = (segment[1:] == segment[:-1]) & (positive[1:] != positive[:-1])
    left = np.flatnonzero(changed)
    at, low, high, up = segment[left], t[left], t[left + 1], positive[left + 1]
    # samples nearest to zero among their neighbours, close enough for the curve to turn beyond it
    first = np.r_[True, segment[1:] != segment[:-1]]
    last = np.r_[first[1:], True]
    centre = np.clip(np.arange(len(t)), 1, len(t) - 2)
    centre = centre + (first & (np.arange(len(t)) > 0)) - (last & (np.arange(len(t)) < len(t) - 1))
    bend = np.abs(g[centre - 1] - 2.0 * g[centre] + g[centre + 1])
    before, after = np.arange(len(t)) - ~first, np.arange(len(t)) + ~last
    nearest = (np.abs(g) <= np.abs(g[before])) & (np.abs(g) <= np.abs(g[after]))
    alike = (positive == positive[before]) & (positive == positive[after])
    # a parabola turns at most bend / 8 beyond its nearest sample
    turn = np.flatnonzero(nearest & alike & (np.abs(g) <= 2.0 * bend))
    sign = np.where(positive[turn], -1.0, 1.0)
    t_turn = _golden(lambda k, x: sign[k] * value(segment[turn[k]], x), t[before[turn]], t[after[turn]])
    through = (value(segment[turn], t_turn) >= 0.0) != positive[turn]
    turn, t_turn = turn[through], t_turn[through]
    at = np.concatenate([at, segment[turn], segment[turn]])
    low = np.concatenate([low, t[before[turn]], t_turn])
    high = np.concatenate([high, t_turn, t[after[turn]]])
    up = np.concatenate([up, ~positive[turn], positive[turn]])
    while len(low) and np.max(high - low) > EDGE_S:
        middle = 0.5 * (low + high)
        beyond = (value(at, middle) >= 0.0) == up
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return at, 0.5 * (low + high)


def _golden(value: Value, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where value(number, time) is greatest between low and high, one number per bracket (golden section)."""
    number = np.arange(len(low))
    c, d = high - _GOLD * (high - low), low + _GOLD * (high - low)
    f_c, f_d = value(number, c), value(number, d)
    while len(low) and np.max(high - low) > EDGE_S:
        keep_left = f_c > f_d
        low, high = np.where(keep_left, low, c), np.where(keep_left, d, high)
        new = np.where(keep_left, high - _GOLD * (high - low), low + _GOLD * (high - low))
        f_new = value(number, new)
        c, d = np.where(keep_left, new, d), np.where(keep_left, c, new)
        f_c, f_d = np.where(keep_left, f_new, f_d), np.where(keep_left, f_c, f_new)
    return np.where(f_c > f_d, c, d)


def _pieces(
    segments: _Segments, segment: np.ndarray, t: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments cut at the zeros: number, start and end of each piece, in order."""
    # zeros on an end are that end
    inside = (t - segments.start[segment] > _SAME_S) & (segments.end[segment] - t > _SAME_S)
    segment, t = segment[inside], t[inside]
    order = np.lexsort((t, segment))
    segment, t = segment[order], t[order]
    again = (segment[1:] == segment[:-1]) & (t[1:] - t[:-1] <= _SAME_S)
    keep = np.r_[True, ~again] if len(t) else np.empty(0, bool)
    number = np.arange(len(segments.start))
    at = np.concatenate([number, segment[keep]])
    low = np.concatenate([segments.start, t[keep]])
    order = np.lexsort((low, at))
    at, low = at[order], low[order]
    final = np.r_[at[1:] != at[:-1], True] if len(at) else np.empty(0, bool)
    high = np.where(final, segments.end[at], np.r_[low[1:], 0.0][: len(low)])
    return at, low, high


def _runs(
    segments: _Segments, at: np.ndarray, low: np.ndarray, high: np.ndarray, failing: np.ndarray
) -> _Segments:
    """Pieces without a failing constraint joined into windows, with what bounds them."""
    if not len(at):
        return segments
    seen = failing < 0
    for _ in range(2):  # once to close the gaps that are too short, once for the windows
        first = np.flatnonzero(np.r_[True, (at[1:] != at[:-1]) | (seen[1:] != seen[:-1])])
        last = np.r_[first[1:], len(at)] - 1
        length = high[last] - low[first]
        inner = np.zeros(len(first), bool)
        inner[1:-1] = (at[first[1:-1]] == at[first[:-2]]) & (at[first[1:-1]] == at[first[2:]])
        short = ~seen[first] & inner & (length < SHORTEST_S)
        seen = seen | np.repeat(short, last - first + 1)
    first, last = first[seen[first] & (length >= SHORTEST_S)], last[seen[first] & (length >= SHORTEST_S)]
    number = at[first]
    label = np.array([c.label for c in Constraint], object)
    before, after = np.maximum(first - 1, 0), np.minimum(last + 1, len(at) - 1)
    at_start = (first == 0) | (at[before] != number)
    at_end = (last == len(at) - 1) | (at[after] != number)
    return _Segments(
        segments.pair[number],
        low[first],
        high[last],
        np.where(at_start, segments.opened_by[number], label[failing[before]]),
        np.where(at_end, segments.closed_by[number], label[failing[after]]),
    )


def _greatest(value: Value, segments: _Segments, step_s: float) -> tuple[np.ndarray, np.ndarray]:
    """When a value is greatest in each segment, and that value."""
    segment, t = _samples(segments, step_s)
    if not len(t):
        return t, t
    g = value(segment, t)
    order = np.lexsort((-g, segment))
    best = order[np.r_[True, segment[order][1:] != segment[order][:-1]]]
    low = t[np.maximum(best - 1, 0)]
    high = t[np.minimum(best + 1, len(t) - 1)]
    # neighbours of another segment are none
    low, high = np.where(low > t[best], t[best], low), np.where(high < t[best], t[best], high)
    low, high = np.maximum(low, segments.start), np.minimum(high, segments.end)
    turn = _golden(value, low, high)
    at_turn = value(np.arange(len(turn)), turn)
    better = at_turn > g[best]
    return np.where(better, turn, t[best]), np.where(better, at_turn, g[best])


def _check(track: Track, name: str, start_s: float, end_s: float) -> None:
    if len(track.t) < _STENCIL or np.ptp(np.diff(track.t)) > 1e-6 * (track.t[1] - track.t[0]):
        raise ScenarioError(
            f"positions of {name} stand on {len(track.t)} nodes that are too few or uneven",
            remedy=f"give {_STENCIL} nodes or more, evenly spaced (node_times)",
        )
    if not (track.t[0] <= start_s <= end_s <= track.t[-1]):
        raise ScenarioError(
            f"positions of {name} reach from {track.t[0]:g} to {track.t[-1]:g} s, windows are asked for "
            f"from {start_s:g} to {end_s:g} s",
            remedy="give positions on all of the span (node_times)",
        )


def _none() -> Windows:
    number, flag, text, figure = np.empty(0, np.int64), np.empty(0, bool), np.empty(0, "<U1"), np.empty(0)
    return Windows(number, number, figure, figure, text, text, flag, flag, figure, figure, figure)
