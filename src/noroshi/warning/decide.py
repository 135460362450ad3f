"""When each node warns which area: what a track is, what it threatens, for how long that has held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import noroshi._jax  # noqa: F401  (the cache folder before Numba)

# isort: split
import numpy as np
from jaxtyping import Bool, Float, Float64, Int8
from numba import njit
from scipy.special import ndtri

from noroshi.constants import EARTH_FLATTENING, EARTH_MU, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.earth import enu_from_itrs, itrs_from_geodetic
from noroshi.tables import Notice, Status, TrackKind, Tracks, Warnings, unpack_covariance
from noroshi.warning.areas import Plane, plane, plane_point, point_distance
from noroshi.warning.footprint import Reach, reach
from noroshi.warning.impact import Predictions, covariances_itrs, first_equal, states_itrs
from noroshi.warning.models import Area, WarningRule

# What a track is. All notional: they separate the physics of the three kinds, which lie far apart.
SURE = 2.0  # sigmas by which a size must be shown
THRUST_MAX_M_S2 = (
    5.0  # a launcher must lift off with more than 1 g, and thrust acceleration grows as it burns
)
LIFT_MAX_M_S2 = 2.0  # of a body that falls: less than any glider below 7 km/s needs
LIFT_MIN_M_S2 = 0.5  # a glide at 7 km/s needs (g - v^2/r) = 2 m/s2 of lift, at 3 km/s 8
GLIDE_BOTTOM_M, GLIDE_TOP_M = 15e3, 90e3
WINDOW_S = 30.0  # of the sustained acceleration: longer than a filter's memory, shorter than a turn
LEVEL = 0.25  # sine of the path below which wings may carry it: airliners climb at 0.1, what falls there is steeper
GLIDE_SUSTAINED_S = 10.0  # so long before a track is a glider: a body that tumbles on re-entry is not

# When notices follow each other.
MOVED_M = 25e3  # notional: half a corridor
MOVED_S = 30.0  # notional: what people can act on
REVISE_AFTER_S = 10.0  # notional: not more often than a voice can read out
WITHDRAW_BELOW = 0.5  # it has become more likely than not that the area is spared
GLIDE_REVIEW_S = 5.0  # a standing warning about a glider is looked at again so often (each look costs a fan)

DRAWS = 64  # a step of 0.016 in probability, for a rule that asks for 0.9
GLIDE_DRAWS = 32  # each tests a whole fan


class Threat(NamedTuple):
    """What the rows threaten: per area, by passing over (0) and by impact (1)."""

    probability: Float64[np.ndarray, "row area 2"]
    mean: Bool[np.ndarray, "row area 2"]  # the mean state itself passes over, or falls there
    t_earliest: Float64[np.ndarray, "row area 2"]  # nan where no draw threatens
    t_latest: Float64[np.ndarray, "row area 2"]


def decide(
    tracks: Tracks,
    predictions: Predictions,
    areas: Sequence[Area],
    rule: WarningRule,
    itrs_from_gcrs: Float[np.ndarray, "row 3 3"],
) -> Warnings:
    """Every notice of every node, in order of time.

    An update is a confirmed track row with at least one detection. A warning is ISSUED when for
    `rule.updates` updates in a row the track was ballistic (see `track_kind`), its probability of passing
    within `corridor_m` of the area before impact (overflown), or of falling inside it (impact), was at least
    `probability_min`, its mean did so too, and its 1-sigma major axis was at most `major_axis_max_m`; or the
    track was a glider for GLIDE_SUSTAINED_S, and the area within its reach with that probability. Any row
    that fails restarts the count. REVISED: the predicted impact moved by more than MOVED_M, or a time bound
    by more than MOVED_S, no sooner than REVISE_AFTER_S after the last notice. WITHDRAWN: probability below
    WITHDRAW_BELOW for `updates` updates, or the track was deleted before the area's earliest time; after that
    time a warning stands for good. Rows of unknown kind are no evidence either way. Passing and impact are
    warned of separately. t_earliest and t_latest bound the time inside the corridor (5 % of first entries, 95
    % of last exits), or of impact.
    """
    planes = [plane(area) for area in areas]
    kind = track_kind(tracks.modes, tracks.mean, tracks.cov, *sustained_acceleration(tracks))
    confirmed = tracks.status == Status.CONFIRMED
    r, v = states_itrs(tracks.mean[:, :6], itrs_from_gcrs)
    spread = cholesky(covariances_itrs(unpack_covariance(tracks.cov)[:, :6, :6], itrs_from_gcrs))
    falls = confirmed & (kind == TrackKind.BALLISTIC) & np.isfinite(predictions.t_impact)
    # nodes that share everything hold the same tracks: each is judged once
    same = first_equal(np.concatenate([tracks.t[:, None], tracks.mean, tracks.cov], 1))
    rows = np.flatnonzero(falls)
    source = np.arange(len(same))
    source[rows] = rows[
        first_equal(same[rows, None])
    ]  # of equal rows that fall, the first (histories may differ)
    judged = falls & (source == np.arange(len(same)))
    threat = ballistic_threat(tracks.t, predictions, spread, planes, rule.corridor_m, judged)
    threat = Threat(*(column[source] for column in threat))
    fans: dict[tuple[int, int], Reach] = {}
    notices: list[_Row] = []
    order = np.lexsort((np.arange(len(tracks.t)), tracks.t_node, tracks.track, tracks.node))
    for rows in _by_track(tracks, order):
        notices += _follow(
            rows, tracks, predictions, kind, falls, threat, planes, rule, r, v, spread, same, fans
        )
    return _table(notices, rule.public_delay_s)


def track_kind(
    modes: Float[np.ndarray, "row 3"],
    mean: Float[np.ndarray, "row 9"],
    cov: Float[np.ndarray, "row 45"],
    sustained: Float[np.ndarray, "row 3"] | None = None,
    sustained_cov: Float[np.ndarray, "row 3 3"] | None = None,
) -> Int8[np.ndarray, "row"]:
    """What each state's motion says it is (`TrackKind`).

    Read from the acceleration beyond gravity: its part along the velocity (push) and across it (lift), of the
    state itself and, where given, as sustained over the last WINDOW_S (`sustained_acceleration`), which is
    far better known of a glider. Each kind must be shown at SURE sigmas, so that a larger covariance never
    makes one of another, only UNKNOWN. BOOST: thrust. BALLISTIC: no thrust, that is, push is below any
    engine's, and the boost model does not carry the track; and in the air (between GLIDE_BOTTOM_M and
    GLIDE_TOP_M) no lift either, that is, less than a glider needs or less than the drag; nor may it, unless that
    is shown, fly level below (an aircraft). GLIDE: in the air,
    no thrust, and lift that is there and greater than drag.
    """
    r, v = mean[:, :3], mean[:, 3:6]
    if sustained is None or sustained_cov is None:
        sustained, sustained_cov = np.full((len(r), 3), np.nan), np.full((len(r), 3, 3), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = v / np.linalg.norm(v, axis=1)[:, None]
        push, push_sigma, lift, lift_sigma = _split(mean[:, 6:], unpack_covariance(cov)[:, 6:, 6:], along)
        push_w, push_sigma_w, lift_w, lift_sigma_w = _split(sustained, sustained_cov, along)
        radius = np.linalg.norm(r, axis=1)
        # the GCRS pole is within 0.2 deg of the Earth's: 70 m of height
        height = radius - EARTH_RADIUS_M * (1 - EARTH_FLATTENING * (r[:, 2] / radius) ** 2)
        air = (height > GLIDE_BOTTOM_M) & (height < GLIDE_TOP_M)
        thrust = push - SURE * push_sigma > THRUST_MAX_M_S2
        idle = push + SURE * push_sigma <= THRUST_MAX_M_S2
        idle_w = push_w + SURE * push_sigma_w <= THRUST_MAX_M_S2
        unpowered = (idle | idle_w) & ~thrust & (modes[:, 0] < 0.5)
        lifted = (lift - SURE * lift_sigma >= LIFT_MIN_M_S2) & (lift > np.abs(push)) & (modes[:, 2] >= 0.5)
        flying_w = lift_w > np.maximum(np.abs(push_w), LIFT_MAX_M_S2)
        lifted_w = flying_w & (lift_w - SURE * lift_sigma_w >= LIFT_MIN_M_S2)
        falling = (lift + SURE * lift_sigma <= np.maximum(np.abs(push), LIFT_MAX_M_S2)) & ~flying_w
        # what may fly level under the glide band is an aircraft unless it is shown to fall freely
        up = r / radius[:, None]
        climb_sigma = np.sqrt(np.einsum("ni,nij,nj->n", up, unpack_covariance(cov)[:, 3:6, 3:6], up))
        climb = np.abs(np.sum(up * v, axis=1)) - SURE * climb_sigma
        winged = (height <= GLIDE_BOTTOM_M) & (climb < LEVEL * np.linalg.norm(_over_ground(r, v), axis=1))
    kind = np.full(len(r), TrackKind.UNKNOWN, np.int8)
    kind[thrust] = TrackKind.BOOST
    kind[unpowered & (falling | ~air & ~winged)] = TrackKind.BALLISTIC
    kind[unpowered & air & (lifted | lifted_w)] = TrackKind.GLIDE
    return kind


def _over_ground(r: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Velocity relative to the turning Earth; the GCRS pole stands for the Earth's."""
    return v - EARTH_RATE_RAD_S * np.stack([-r[:, 1], r[:, 0], 0.0 * r[:, 2]], axis=1)


def _split(a: np.ndarray, cov: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, ...]:
    """Acceleration along a direction and across it, each with its sigma (a mean one where none is across)."""
    push = np.einsum("ni,ni->n", a, along)
    side = a - push[:, None] * along
    lift = np.linalg.norm(side, axis=1)
    push_sigma = np.sqrt(np.einsum("ni,nij,nj->n", along, cov, along))
    across = np.where(lift[:, None] > 0, side / lift[:, None], 0.0)
    anywhere = (np.trace(cov, axis1=1, axis2=2) - push_sigma**2) / 2
    lift_sigma = np.sqrt(np.where(lift > 0, np.einsum("ni,nij,nj->n", across, cov, across), anywhere))
    return push, push_sigma, lift, lift_sigma


def sustained_acceleration(
    tracks: Tracks,
) -> tuple[Float64[np.ndarray, "row 3"], Float64[np.ndarray, "row 3 3"]]:
    """Mean acceleration beyond gravity of each track over the last WINDOW_S or so, and its covariance.

    The change of velocity less the integral of gravity along the track, over the time. A filter's
    acceleration is only as good as its last few seconds (6 m/s2 with 70 urad from three satellites); over
    WINDOW_S the velocities at both ends give 1-2 m/s2. Their errors are taken as independent. nan where the
    track is younger.
    """
    a, cov = np.full((len(tracks.t), 3), np.nan), np.full((len(tracks.t), 3, 3), np.nan)
    for rows in _by_track(tracks, np.lexsort((tracks.t, tracks.track, tracks.node))):
        t, r, v = tracks.t[rows], tracks.mean[rows, :3], tracks.mean[rows, 3:6]
        with np.errstate(invalid="ignore", divide="ignore"):
            pull = -EARTH_MU * r / np.linalg.norm(r, axis=1)[:, None] ** 3
        fallen = np.zeros_like(v)
        np.cumsum((pull[1:] + pull[:-1]) / 2 * np.diff(t)[:, None], axis=0, out=fallen[1:])
        then = np.searchsorted(t, t - WINDOW_S + 1e-6, "right") - 1
        span = t - t[np.maximum(then, 0)]
        now = np.flatnonzero((then >= 0) & (span <= 1.5 * WINDOW_S))
        then, span = then[now], span[now]
        a[rows[now]] = (v[now] - v[then] - fallen[now] + fallen[then]) / span[:, None]
        own = unpack_covariance(tracks.cov[rows])[:, 3:6, 3:6]
        cov[rows[now]] = (own[now] + own[then]) / span[:, None, None] ** 2
    return a, cov


def _by_track(tracks: Tracks, order: np.ndarray) -> list[np.ndarray]:
    """The rows of each track of each node, from an order in which they lie together."""
    if not len(order):
        return []
    new = np.diff(tracks.node[order]).astype(bool) | np.diff(tracks.track[order]).astype(bool)
    return np.split(order, np.flatnonzero(new) + 1)


def normal_draws(count: int, dimension: int = 6) -> Float64[np.ndarray, "draw dimension"]:
    """A fixed set of standard normal draws: pairs z, -z, with mean 0 and covariance 1 exactly.

    Additive recurrence on the generalised golden ratio (Roberts 2018, "The unreasonable effectiveness of
    quasirandom sequences"), through the normal quantile function. Pairs make any half-space without the mean
    hold half of the draws at most, so that no probability above 1/2 comes from a mean outside a convex set.
    """
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimension + 1))
    step = ratio ** -np.arange(1.0, dimension + 1)
    half = ndtri(np.mod(0.5 + np.arange(1, count // 2 + 1)[:, None] * step, 1.0))
    half = half @ np.linalg.inv(np.linalg.cholesky(half.T @ half / len(half))).T
    return np.ascontiguousarray(np.stack([half, -half], 1).reshape(-1, dimension))


def ballistic_threat(
    t: Float[np.ndarray, "row"],
    predictions: Predictions,
    spread: Float[np.ndarray, "row 6 6"],
    planes: Sequence[Plane],
    corridor_m: float,
    chosen: Bool[np.ndarray, "row"],
) -> Threat:
    """What the chosen rows threaten, over the same draws for all (`spread @ draw` changes an ITRS state)."""
    rows = np.flatnonzero(chosen)
    shape = len(t), len(planes), 2
    out = Threat(np.zeros(shape), np.zeros(shape, bool), np.full(shape, np.nan), np.full(shape, np.nan))
    if not len(rows) or not planes:
        return out
    lat, lon = predictions.track_lat_rad[rows], predictions.track_lon_rad[rows]
    ground = np.asarray(itrs_from_geodetic(lat, lon, np.zeros_like(lat)))
    level = np.asarray(enu_from_itrs(lat, lon))[:, :, :2]
    moves = np.einsum("npij,npik,nkl->npjl", level, predictions.track_jacobian[rows], spread[rows])
    times = np.einsum("nk,nkl->nl", predictions.time_jacobian[rows], spread[rows])
    draws = normal_draws(DRAWS)
    for k, area in enumerate(planes):
        _threat(
            rows, predictions.track_t[rows], ground, np.ascontiguousarray(moves), times, draws,
            area.centre_itrs, area.axes_itrs, area.corners, area.radius_m, corridor_m,
            out.probability[:, k], out.mean[:, k], out.t_earliest[:, k], out.t_latest[:, k],
        )  # fmt: skip
    return out


@njit(cache=True, nogil=True)
def cholesky(cov: np.ndarray) -> np.ndarray:
    """Lower factors L L^T = cov of [row, n, n]; a direction without variance gets none (never an error)."""
    rows, n = cov.shape[:2]
    out = np.zeros_like(cov)
    for k in range(rows):
        for j in range(n):
            pivot = cov[k, j, j]
            for i in range(j):
                pivot -= out[k, j, i] ** 2
            if not pivot > 1e-14 * cov[k, j, j]:
                continue
            out[k, j, j] = np.sqrt(pivot)
            for i in range(j + 1, n):
                value = cov[k, i, j]
                for m in range(j):
                    value -= out[k, i, m] * out[k, j, m]
                out[k, i, j] = value / out[k, j, j]
    return out


@njit(cache=True, nogil=True)
def _threat(
    rows: np.ndarray,
    track_t: np.ndarray,  # [row, point]
    ground: np.ndarray,  # [row, point, 3] ITRS
    moves: np.ndarray,  # [row, point, 3, 6]: of a draw
    times: np.ndarray,  # [row, 6]: of a draw, of the time to impact
    draws: np.ndarray,
    centre: np.ndarray,
    axes: np.ndarray,
    corners: np.ndarray,
    radius: float,
    corridor: float,
    probability: np.ndarray,  # [row, 2] out, and so on
    mean: np.ndarray,
    earliest: np.ndarray,
    latest: np.ndarray,
) -> None:
    points, count = track_t.shape[1], len(draws)
    far = 0.0
    for s in range(count):
        far = max(far, np.sqrt(np.dot(draws[s], draws[s])))
    x, d = np.empty((points, 2)), np.empty(points)
    first, last, fall = np.empty(count), np.empty(count), np.empty(count)
    still = np.zeros(6)
    for n in range(len(rows)):
        k = rows[n]
        # points that no draw can bring near: the mean one is farther than all that a draw can move it
        low, high = points, -1
        for p in range(points):
            x[p, 0], x[p, 1] = _moved(ground[n, p], moves[n, p], still, centre, axes)
            d[p] = point_distance(x[p, 0], x[p, 1], corners, radius)
        for p in range(points):
            leg = 0.0
            if p > 0:
                leg = np.hypot(x[p, 0] - x[p - 1, 0], x[p, 1] - x[p - 1, 1])
            if p + 1 < points:
                leg = max(leg, np.hypot(x[p, 0] - x[p + 1, 0], x[p, 1] - x[p + 1, 1]))
            # a draw may lengthen the leg as well, and the plane stretches what is far from its centre
            if d[p] <= corridor + 1.2 * leg + 3.0 * far * np.sqrt(np.sum(moves[n, p] ** 2)):
                low, high = min(low, p), max(high, p)
        if high < 0:
            continue
        span = track_t[n, -1] - track_t[n, 0]
        over, falls = 0, 0
        for s in range(-1, count):
            z = still if s < 0 else draws[s]
            for p in range(low, high + 1):
                x[p, 0], x[p, 1] = _moved(ground[n, p], moves[n, p], z, centre, axes)
                d[p] = point_distance(x[p, 0], x[p, 1], corners, radius)
            stretch = (span + np.dot(times[n], z)) / span
            enter, leave = _passage(x, d, low, high, corners, radius, corridor)
            hit = high == points - 1 and d[points - 1] == 0.0
            if s < 0:
                mean[k, 0], mean[k, 1] = enter >= 0, hit
                continue
            if enter >= 0:
                first[over] = track_t[n, 0] + enter / (points - 1) * span * stretch
                last[over] = track_t[n, 0] + leave / (points - 1) * span * stretch
                over += 1
            if hit:
                fall[falls] = track_t[n, 0] + span * stretch
                falls += 1
        probability[k, 0], probability[k, 1] = over / count, falls / count
        if over:
            earliest[k, 0], latest[k, 0] = np.quantile(first[:over], 0.05), np.quantile(last[:over], 0.95)
        if falls:
            earliest[k, 1], latest[k, 1] = np.quantile(fall[:falls], 0.05), np.quantile(fall[:falls], 0.95)


@njit(cache=True, nogil=True)
def _moved(
    ground: np.ndarray, move: np.ndarray, z: np.ndarray, centre: np.ndarray, axes: np.ndarray
) -> tuple[float, float]:
    x, y, w = ground[0] - centre[0], ground[1] - centre[1], ground[2] - centre[2]
    for i in range(len(z)):
        x += move[0, i] * z[i]
        y += move[1, i] * z[i]
        w += move[2, i] * z[i]
    return plane_point(axes, x, y, w)


@njit(cache=True, nogil=True)
def _passage(
    x: np.ndarray, d: np.ndarray, low: int, high: int, corners: np.ndarray, radius: float, corridor: float
) -> tuple[float, float]:
    """First and last place (points and fractions) at which the line is in the corridor; -1: nowhere."""
    enter, leave = -1.0, -1.0
    for p in range(low, high + 1):
        if d[p] <= corridor:
            if enter < 0:
                enter = p - _edge(x[p], x[p - 1], corners, radius, corridor) if p > low else float(p)
            leave = p + _edge(x[p], x[p + 1], corners, radius, corridor) if p < high else float(p)
        elif p < high and d[p + 1] > corridor:
            s = _nearest(x[p], x[p + 1], d[p] + d[p + 1] - 2 * corridor, corners, radius, corridor)
            if s >= 0:
                middle = x[p] + s * (x[p + 1] - x[p])
                if enter < 0:
                    enter = p + s * (1 - _edge(middle, x[p], corners, radius, corridor))
                leave = p + s + (1 - s) * _edge(middle, x[p + 1], corners, radius, corridor)
    return enter, leave


@njit(cache=True, nogil=True)
def _edge(p: np.ndarray, q: np.ndarray, corners: np.ndarray, radius: float, corridor: float) -> float:
    """Fraction of p-q at which the corridor, which holds p, is left (1 where it holds q too)."""
    if point_distance(q[0], q[1], corners, radius) <= corridor:
        return 1.0
    a, b = 0.0, 1.0
    for _ in range(14):
        s = (a + b) / 2
        if point_distance(p[0] + s * (q[0] - p[0]), p[1] + s * (q[1] - p[1]), corners, radius) <= corridor:
            a = s
        else:
            b = s
    return a


@njit(cache=True, nogil=True)
def _nearest(
    p: np.ndarray, q: np.ndarray, detour: float, corners: np.ndarray, radius: float, corridor: float
) -> float:
    """Fraction of p-q that lies in the corridor if any does, else -1. Distance to a convex area is convex."""
    if detour > np.hypot(q[0] - p[0], q[1] - p[1]):
        return -1.0
    a, b = 0.0, 1.0
    for _ in range(25):
        s1, s2 = a + (b - a) / 3, b - (b - a) / 3
        d1 = point_distance(p[0] + s1 * (q[0] - p[0]), p[1] + s1 * (q[1] - p[1]), corners, radius)
        d2 = point_distance(p[0] + s2 * (q[0] - p[0]), p[1] + s2 * (q[1] - p[1]), corners, radius)
        if d1 <= corridor:
            return s1
        if d2 <= corridor:
            return s2
        if d1 < d2:
            b = s2
        else:
            a = s1
    return -1.0


class _Row(NamedTuple):
    """A notice before the table is sorted; `key` names it, `replaces` the key of the notice it supersedes."""

    key: tuple[int, ...]
    replaces: tuple[int, ...] | None
    node: int
    t: float
    track: int
    area: int
    impact: bool
    notice: Notice
    probability: float
    t_earliest: float
    t_latest: float
    lat: float
    lon: float
    major: float
    minor: float
    revision: int


@dataclass
class _Case:
    """One track and one area, passing or impact: the count of updates, and the notice that stands."""

    held: int = 0
    spared: int = 0
    standing: _Row | None = None  # the last notice, while a warning is in force
    last: _Row | None = None  # the last notice of all, withdrawn or not
    t_earliest: float = np.inf  # as the newest update has it
    over: bool = False  # the time has come: nothing more is said
    reviewed: float = -np.inf


def _follow(
    rows: np.ndarray,
    tracks: Tracks,
    predictions: Predictions,
    kind: np.ndarray,
    falls: np.ndarray,
    threat: Threat,
    planes: Sequence[Plane],
    rule: WarningRule,
    r: np.ndarray,
    v: np.ndarray,
    spread: np.ndarray,
    same: np.ndarray,
    fans: dict[tuple[int, int], Reach],
) -> list[_Row]:
    """The notices of one track of one node, its rows in order."""
    cases = {(area, impact): _Case() for area in range(len(planes)) for impact in (False, True)}
    notices: list[_Row] = []
    glide_since = np.inf
    draws = normal_draws(GLIDE_DRAWS)

    for row in rows:
        t, t_node = float(tracks.t[row]), float(tracks.t_node[row])
        deleted = tracks.status[row] == Status.DELETED
        update = tracks.hits[row] > 0
        gliding = kind[row] == TrackKind.GLIDE and tracks.status[row] == Status.CONFIRMED
        glide_since = min(glide_since, t) if gliding else np.inf
        glide = gliding and t - glide_since >= GLIDE_SUSTAINED_S
        for (area, impact), case in cases.items():
            if case.over:
                continue
            if case.standing and t >= case.t_earliest:
                case.over = True
                continue
            if deleted:
                if case.standing:
                    notices.append(
                        _say(case, Notice.WITHDRAWN, row, tracks, None, area, impact, 0.0, np.nan, np.nan)
                    )
                case.held = 0
                continue
            if glide and impact:
                if case.standing and t < case.reviewed + GLIDE_REVIEW_S:
                    continue
                case.reviewed = t
                key = int(same[row]), area
                if key not in fans:
                    fans[key] = reach(
                        [planes[area]], r[[row]], v[[row]], spread[[row]], draws,
                        rule.lift_to_drag, rule.bank_limit_rad, rule.end_speed_m_s,
                    )  # fmt: skip
                found = fans[key]
                p, mean = float(found.probability[0, 0]), bool(found.mean[0, 0])
                early, late = t + float(found.earliest_s[0, 0]), t + float(found.latest_s[0, 0])
                sharp, source = True, None
            elif falls[row]:
                which = int(impact)
                p, mean = float(threat.probability[row, area, which]), bool(threat.mean[row, area, which])
                early, late = (
                    float(threat.t_earliest[row, area, which]),
                    float(threat.t_latest[row, area, which]),
                )
                sharp, source = bool(predictions.major_m[row] <= rule.major_axis_max_m), predictions
            else:
                case.held = 0
                continue
            if np.isfinite(early):
                case.t_earliest = early
            if case.standing is None:
                good = sharp and mean and p >= rule.probability_min
                case.held = case.held + int(update) if good else 0
                if case.held >= rule.updates:
                    notices.append(
                        _say(case, Notice.ISSUED, row, tracks, source, area, impact, p, early, late)
                    )
                continue
            if not update:
                continue
            case.spared = case.spared + 1 if p < WITHDRAW_BELOW else 0
            if case.spared >= rule.updates:
                notices.append(
                    _say(case, Notice.WITHDRAWN, row, tracks, source, area, impact, p, early, late)
                )
            elif (
                case.spared == 0
                and t_node >= case.standing.t + REVISE_AFTER_S
                and _has_moved(case.standing, source, row, early, late)
            ):
                notices.append(_say(case, Notice.REVISED, row, tracks, source, area, impact, p, early, late))
    return notices


def _say(
    case: _Case,
    notice: Notice,
    row: int,
    tracks: Tracks,
    predictions: Predictions | None,
    area: int,
    impact: bool,
    probability: float,
    early: float,
    late: float,
) -> _Row:
    """Make the notice and bring the case up to date."""
    before = case.last
    revision = before.revision + 1 if before else 0
    node, track = int(tracks.node[row]), int(tracks.track[row])
    made = _Row(
        key=(node, track, area, int(impact), revision),
        replaces=before.key if before else None,
        node=node,
        t=float(tracks.t_node[row]),
        track=track,
        area=area,
        impact=impact,
        notice=notice,
        probability=probability,
        t_earliest=early,
        t_latest=late,
        lat=float(predictions.lat_rad[row]) if predictions else np.nan,
        lon=float(predictions.lon_rad[row]) if predictions else np.nan,
        major=float(predictions.major_m[row]) if predictions else np.nan,
        minor=float(predictions.minor_m[row]) if predictions else np.nan,
        revision=revision,
    )
    case.last, case.held, case.spared = made, 0, 0
    case.standing = None if notice == Notice.WITHDRAWN else made
    return made


def _has_moved(before: _Row, predictions: Predictions | None, row: int, early: float, late: float) -> bool:
    if abs(early - before.t_earliest) > MOVED_S or abs(late - before.t_latest) > MOVED_S:
        return True
    if predictions is None:
        return bool(np.isfinite(before.lat))  # it has become a glider: there is no impact point any more
    if not np.isfinite(before.lat):
        return True
    lat = np.array([before.lat, predictions.lat_rad[row]])
    lon = np.array([before.lon, predictions.lon_rad[row]])
    ends = np.asarray(itrs_from_geodetic(lat, lon, np.zeros(2)))
    return bool(np.linalg.norm(ends[1] - ends[0]) > MOVED_M)


def _table(notices: list[_Row], public_delay_s: float) -> Warnings:
    notices = sorted(notices, key=lambda n: (n.t, n.node, n.track, n.area, n.impact, n.revision))
    index = {n.key: k for k, n in enumerate(notices)}
    t = np.array([n.t for n in notices], float)
    return Warnings(
        node=np.array([n.node for n in notices], int),
        t=t,
        t_public=t + public_delay_s,
        track=np.array([n.track for n in notices], int),
        area=np.array([n.area for n in notices], int),
        impact=np.array([n.impact for n in notices], bool),
        notice=np.array([n.notice for n in notices], np.int8),
        probability=np.array([n.probability for n in notices], float),
        t_earliest=np.array([n.t_earliest for n in notices], float),
        t_latest=np.array([n.t_latest for n in notices], float),
        lat_rad=np.array([n.lat for n in notices], float),
        lon_rad=np.array([n.lon for n in notices], float),
        major_m=np.array([n.major for n in notices], float),
        minor_m=np.array([n.minor for n in notices], float),
        revision=np.array([n.revision for n in notices], int),
        supersedes=np.array([index[n.replaces] if n.replaces else -1 for n in notices], int),
    )
