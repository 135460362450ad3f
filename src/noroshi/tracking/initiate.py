"""Where lines of sight meet: triangulation, its covariance, and which of them may start a track.

`candidate_pairs` finds every two rays that may be one target, `select_clusters` which of them are taken for one.
"""

from __future__ import annotations

from math import asin, atan2, inf, log, pi, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tracking.assign import assign_edges, find_root, sort_index
from noroshi.tracking.visible import height, occlusion_margin

RAYS_MAX = (
    8  # of one cluster: a ninth sensor would still take 6 % off sigma, and joins by the track's next update
)
SHARP = (
    3.0  # notional: a ray blurred by motion to more than 3 times its noise says too little to confirm a point
)
OPEN = -2  # a ray whose pair is not chosen beforehand
GATHER_TESTS = 4_000_000  # rays tried for all pairs of a call; some 50 ns each, so 0.2 s at most


@njit(cache=True, nogil=True, error_model="numpy")
def closest(sa, za, sb, zb):
    """Distances along two rays (origins [3], unit vectors [3]) to their closest points, and the miss between.

    Returns (t_a, t_b, miss, c), c the cosine between the rays; parallel rays give negative distances.
    """
    c = za[0] * zb[0] + za[1] * zb[1] + za[2] * zb[2]
    den = 1.0 - c * c
    if den < 1e-12:
        return -1.0, -1.0, np.inf, c
    w0, w1, w2 = sa[0] - sb[0], sa[1] - sb[1], sa[2] - sb[2]
    aw = za[0] * w0 + za[1] * w1 + za[2] * w2
    bw = zb[0] * w0 + zb[1] * w1 + zb[2] * w2
    ta = (c * bw - aw) / den
    tb = (bw - c * aw) / den
    m0 = w0 + ta * za[0] - tb * zb[0]
    m1 = w1 + ta * za[1] - tb * zb[1]
    m2 = w2 + ta * za[2] - tb * zb[2]
    return ta, tb, sqrt(m0 * m0 + m1 * m1 + m2 * m2), c


@njit(cache=True, nogil=True, error_model="numpy")
def add_ray(information, vector, s, z, sigma):
    """Add a line of sight's (I - z z') / sigma^2 to the information, and that times s to the vector, in place.

    s [3]: a point on the line, relative to the local origin; sigma: cross-range standard deviation in metres.
    """
    w = 1.0 / (sigma * sigma)
    along = s[0] * z[0] + s[1] * z[1] + s[2] * z[2]
    for i in range(3):
        vector[i] += w * (s[i] - along * z[i])
        for j in range(3):
            information[i, j] -= w * z[i] * z[j]
        information[i, i] += w


@njit(cache=True, nogil=True, error_model="numpy")
def invert3(a, out):
    """Inverse of a symmetric 3 x 3 matrix into `out`; False where it is singular."""
    c00 = a[1, 1] * a[2, 2] - a[1, 2] * a[1, 2]
    c01 = a[0, 2] * a[1, 2] - a[0, 1] * a[2, 2]
    c02 = a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]
    det = a[0, 0] * c00 + a[0, 1] * c01 + a[0, 2] * c02
    if not det > 0.0:
        return False
    out[0, 0] = c00 / det
    out[0, 1] = out[1, 0] = c01 / det
    out[0, 2] = out[2, 0] = c02 / det
    out[1, 1] = (a[0, 0] * a[2, 2] - a[0, 2] * a[0, 2]) / det
    out[1, 2] = out[2, 1] = (a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]) / det
    out[2, 2] = (a[0, 0] * a[1, 1] - a[0, 1] * a[0, 1]) / det
    return True


def triangulation_covariance(
    directions: np.ndarray, ranges_m: np.ndarray, sigma_rad: np.ndarray
) -> np.ndarray:
    """Position covariance [3, 3] in m^2 of N >= 2 lines of sight (unit vectors [N, 3], same frame).

    Inverse of sum (I - z z') / (sigma r)^2, the exact Cramer-Rao bound for Gaussian angle errors
    (derived in docs/theory/tracking.md).
    """
    information = np.zeros((3, 3))
    vector = np.zeros(3)
    out = np.empty((3, 3))
    for z, r, sigma in zip(directions, ranges_m, sigma_rad, strict=True):
        add_ray(information, vector, np.zeros(3), z, float(r * sigma))
    if not invert3(information, out):
        raise np.linalg.LinAlgError("the lines of sight are parallel")
    return out


class Rays(NamedTuple):
    """Lines of sight, one row each, in GCRS (or any frame with the Earth's centre and axis in place), m, rad, s.

    Directions are unit vectors; sigma_rad is the cross-range standard deviation (root mean square of both axes).
    """

    origin: Float64[np.ndarray, "ray 3"]
    direction: Float64[np.ndarray, "ray 3"]
    sigma_rad: Float64[np.ndarray, "ray"]
    sensor: Int64[np.ndarray, "ray"]
    t: Float64[np.ndarray, "ray"]
    range_max: Float64[np.ndarray, "ray"]


class Limits(NamedTuple):
    """What two lines of sight must satisfy to be one target. Any named tuple with these fields serves as well."""

    miss: float  # in its standard deviations
    crossing_cos: float  # cosine of the least angle between the lines
    height_min: float  # m above WGS-84
    height_max: float
    speed_max: float  # m/s; half of it, times the time between two looks, counts as a standard deviation


class Pairs(NamedTuple):
    """Pairs of rays that may be one target."""

    ray: Int64[np.ndarray, "pair 2"]  # the row with the lower sensor number first
    miss: Float64[np.ndarray, "pair"]  # distance between the lines in standard deviations
    sigma: Float64[np.ndarray, "pair"]  # that standard deviation, m
    point: Float64[np.ndarray, "pair 3"]  # midway between the lines
    range: Float64[np.ndarray, "pair 2"]  # along the rays to there, m


class Clusters(NamedTuple):
    """Where rays of two or more sensors meet, each ray in one cluster at most."""

    ray: Int64[np.ndarray, "cluster 8"]  # by sensor number; -1 beyond size
    size: Int64[np.ndarray, "cluster"]
    position: Float64[np.ndarray, "cluster 3"]
    covariance: Float64[np.ndarray, "cluster 3 3"]
    chi_square: Float64[np.ndarray, "cluster"]  # of 2 size - 3 degrees of freedom


def empty_pairs(capacity: int) -> Pairs:
    """Room for `candidate_pairs`."""
    return Pairs(
        np.empty((capacity, 2), np.int64),
        np.empty(capacity),
        np.empty(capacity),
        np.empty((capacity, 3)),
        np.empty((capacity, 2)),
    )


def empty_clusters(capacity: int) -> Clusters:
    """Room for `select_clusters`."""
    return Clusters(
        np.empty((capacity, RAYS_MAX), np.int64),
        np.empty(capacity, np.int64),
        np.empty((capacity, 3)),
        np.empty((capacity, 3, 3)),
        np.empty(capacity),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def meet(rays, limits, i, j, out):
    """Whether rays i and j may be one target. out [7]: miss in sigmas, its sigma, meeting point [3], both ranges."""
    si = rays.origin[i]
    sj = rays.origin[j]
    zi = rays.direction[i]
    zj = rays.direction[j]
    ti, tj, miss, c = closest(si, zi, sj, zj)
    if not (ti > 0.0 and tj > 0.0) or abs(c) > limits.crossing_cos:
        return False
    if ti > rays.range_max[i] or tj > rays.range_max[j]:
        return False
    moved = 0.5 * limits.speed_max * abs(rays.t[i] - rays.t[j])
    a = rays.sigma_rad[i] * ti
    b = rays.sigma_rad[j] * tj
    sigma = sqrt(a * a + b * b + moved * moved)
    if not miss <= limits.miss * sigma:
        return False
    x = 0.5 * (si[0] + ti * zi[0] + sj[0] + tj * zj[0])
    y = 0.5 * (si[1] + ti * zi[1] + sj[1] + tj * zj[1])
    z = 0.5 * (si[2] + ti * zi[2] + sj[2] + tj * zj[2])
    h = height(x, y, z)
    if not (h >= limits.height_min and h <= limits.height_max):
        return False
    if occlusion_margin(si[0], si[1], si[2], x, y, z, 0.0) < 0.0:
        return False
    if occlusion_margin(sj[0], sj[1], sj[2], x, y, z, 0.0) < 0.0:
        return False
    out[0] = miss / sigma
    out[1] = sigma
    out[2] = x
    out[3] = y
    out[4] = z
    out[5] = ti
    out[6] = tj
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def candidate_pairs(rays, limits, fresh, pairs):
    """Every pair of rays of two sensors, one of them at least of time `fresh` or later, that may be one target.

    Fills `pairs` up to its capacity, platform by platform and by angle, and returns (count, number that found no
    room). Two rays meet only in a plane through the baseline of their sensors: for each pair of platforms (a sensor
    at a time) the rays are sorted by their angle about the baseline, and only those within reach of the tolerances
    are tried. The same pairs as trying all (derivation: docs/theory/association.md).
    """
    n = len(rays.t)
    order = np.arange(n)
    sort_index(rays.t, rays.sensor, order, np.int64(0), n)
    first = np.empty(n + 1, np.int64)  # of every platform, in `order`
    platforms = np.int64(0)
    for r in range(n):
        if r > 0:
            i = order[r - 1]
            j = order[r]
            if (
                rays.t[i] == rays.t[j]
                and rays.sensor[i] == rays.sensor[j]
                and rays.origin[i, 0] == rays.origin[j, 0]
                and rays.origin[i, 1] == rays.origin[j, 1]
                and rays.origin[i, 2] == rays.origin[j, 2]
            ):
                continue
        first[platforms] = r
        platforms += 1
    first[platforms] = n
    reach = np.zeros(platforms)  # longest range, and the noise there
    blur = np.zeros(platforms)
    for p in range(platforms):
        for r in range(first[p], first[p + 1]):
            i = order[r]
            reach[p] = max(reach[p], rays.range_max[i])
            blur[p] = max(blur[p], rays.range_max[i] * rays.sigma_rad[i])
    angle = np.empty(n)
    width = np.empty(n)
    index_a = np.empty(n, np.int64)
    index_b = np.empty(n, np.int64)
    sorted_a = np.empty(n)
    sorted_b = np.empty(n)
    axes = np.empty((3, 3))
    count = np.int64(0)
    overflow = np.int64(0)
    for p in range(platforms):
        a = order[first[p]]
        for q in range(p + 1, platforms):
            b = order[first[q]]
            if rays.sensor[a] == rays.sensor[b] or (rays.t[a] < fresh and rays.t[b] < fresh):
                continue
            baseline = 0.0
            for axis in range(3):
                axes[0, axis] = rays.origin[b, axis] - rays.origin[a, axis]
                baseline += axes[0, axis] * axes[0, axis]
            baseline = sqrt(baseline)
            moved = 0.5 * limits.speed_max * abs(rays.t[a] - rays.t[b])
            if baseline == 0.0:
                continue  # they meet at the sensors, nowhere else
            if baseline > reach[p] + reach[q] + limits.miss * (blur[p] + blur[q] + moved):
                continue
            for axis in range(3):
                axes[0, axis] /= baseline
            _complete(axes)
            na = _about(
                rays, axes, order, first[p], first[p + 1], moved / baseline, angle, width, index_a, sorted_a
            )
            nb = _about(
                rays, axes, order, first[q], first[q + 1], moved / baseline, angle, width, index_b, sorted_b
            )
            # a pair is found from that of its rays with the wider tolerance
            count, overflow = _scan(
                rays,
                limits,
                moved > 0.0,
                np.bool_(False),
                angle,
                width,
                index_a,
                na,
                index_b,
                sorted_b,
                nb,
                pairs,
                count,
                overflow,
            )
            count, overflow = _scan(
                rays,
                limits,
                moved > 0.0,
                np.bool_(True),
                angle,
                width,
                index_b,
                nb,
                index_a,
                sorted_a,
                na,
                pairs,
                count,
                overflow,
            )
    return count, overflow


@njit(cache=True, nogil=True, error_model="numpy")
def _complete(axes):
    """Two unit vectors normal to axes[0] and each other into axes[1] and axes[2], without branches or poles.

    T. Duff et al., J. Computer Graphics Techniques 6(1), 1-8 (2017).
    """
    x, y, z = axes[0, 0], axes[0, 1], axes[0, 2]
    sign = 1.0 if z >= 0.0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    axes[1, 0] = 1.0 + sign * x * x * a
    axes[1, 1] = sign * b
    axes[1, 2] = -sign * x
    axes[2, 0] = b
    axes[2, 1] = sign + y * y * a
    axes[2, 2] = -y


@njit(cache=True, nogil=True, error_model="numpy")
def _about(rays, axes, order, first, last, parallax, angle, width, index, in_order):
    """Angles of a platform's rays about the baseline, their tolerance, and their rows sorted by angle; how many."""
    for r in range(first, last):
        i = order[r]
        z = rays.direction[i]
        u = axes[1, 0] * z[0] + axes[1, 1] * z[1] + axes[1, 2] * z[2]
        v = axes[2, 0] * z[0] + axes[2, 1] * z[1] + axes[2, 2] * z[2]
        angle[i] = atan2(v, u)
        sine2 = (
            u * u + v * v
        )  # of the angle between ray and baseline; 0: along it, and every tolerance is too small
        a = rays.sigma_rad[i]
        width[i] = sqrt(2.0 * a * a / sine2 + (parallax / sine2) ** 2) if sine2 > 1e-24 else inf
        index[r - first] = i
        in_order[r - first] = angle[i]
    n = last - first
    gap = np.int64(1)  # as sort_index, but keys and rows move together: this sort takes most of the search
    while gap < n:
        gap = gap * 9 // 4 + 1
    while gap > 1:
        gap = max(gap * 4 // 9, 1)
        for r in range(gap, n):
            key = in_order[r]
            row = index[r]
            to = r
            while to >= gap and in_order[to - gap] > key:
                in_order[to] = in_order[to - gap]
                index[to] = index[to - gap]
                to -= gap
            in_order[to] = key
            index[to] = row
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _scan(
    rays, limits, opposite, strict, angle, width, index, n, other, other_angle, m, pairs, count, overflow
):
    """Try each of n rays with those of m within its tolerance about the baseline, if theirs is not the wider.

    opposite: also those on the other side of the baseline (see `candidate_pairs`); strict: theirs must be narrower.
    """
    out = np.empty(7)
    for r in range(n):
        i = index[r]
        # slack for the rounding of the angles, which near the baseline grows as the tolerance does
        sine = 1.00001 * limits.miss * width[i]
        whole = not sine < 1.0
        # a little above the arc sine: 0.2528 of 0.25
        half = pi if whole else (sine * (1.0 + 0.2 * sine * sine) if sine < 0.25 else asin(sine)) + 1e-12
        for side in range(2 if opposite and not whole else 1):
            low = -pi if whole else angle[i] - half + side * pi
            if low < -pi:
                low += 2.0 * pi
            elif low >= pi:
                low -= 2.0 * pi
            a = np.int64(0)  # the first at or beyond `low`
            b = np.int64(m)
            while a < b:
                middle = (a + b) // 2
                if other_angle[middle] < low:
                    a = middle + 1
                else:
                    b = middle
            for step in range(m):
                at = a + step
                turn = 0.0
                if at >= m:
                    at -= m
                    turn = 2.0 * pi
                if not whole and other_angle[at] + turn - low > 2.0 * half:
                    break
                j = other[at]
                if width[j] > width[i] or (strict and width[j] == width[i]):
                    continue
                one = i if rays.sensor[i] < rays.sensor[j] else j  # so that no bit depends on the rows' order
                two = i + j - one
                if not meet(rays, limits, one, two, out):
                    continue
                if count == len(pairs.miss):
                    overflow += 1
                    continue
                pairs.ray[count, 0] = one
                pairs.ray[count, 1] = two
                pairs.miss[count] = out[0]
                pairs.sigma[count] = out[1]
                for axis in range(3):
                    pairs.point[count, axis] = out[2 + axis]
                pairs.range[count, 0] = out[5]
                pairs.range[count, 1] = out[6]
                count += 1
    return count, overflow


@njit(cache=True, nogil=True, error_model="numpy")
def select_clusters(rays, pairs, count, limits, gate, now, clusters):
    """From pairs that may be targets to the clusters that are taken for targets, best first, no ray used twice.

    Every pair first gathers the rays of further sensors that pass through its point (chi-square below `gate`, 2
    degrees of freedom, among the rays that pair with either of its own). Clusters of more sensors come before those
    of fewer, among equals the smaller chi-square per degree of freedom; one that has lost a ray to a better one
    gathers anew. Pairs left come last: the likeliest set of them where two sensors are concerned, else the
    likeliest first. Position and covariance solve the normal equations of
    all rays of the cluster, at time `now`: an older line is widened by half the top speed times its age.

    Fills `clusters` up to its capacity; returns (count, number of clusters that found no room or pairs not tried for
    a further ray because GATHER_TESTS were spent). Reasons: docs/theory/association.md.
    """
    n = len(rays.t)
    used = np.zeros(n, np.bool_)
    first = np.zeros(n + 2, np.int64)
    likely = np.empty(count)  # minus twice the log-likelihood of the miss
    order = np.arange(count)
    for p in range(count):
        first[pairs.ray[p, 0] + 2] += 1
        first[pairs.ray[p, 1] + 2] += 1
        likely[p] = pairs.miss[p] ** 2 + 2.0 * log(pairs.sigma[p])
    for i in range(n):
        first[i + 2] += first[i + 1]
    partner = np.empty(2 * count, np.int64)
    for p in range(count):
        for side in range(2):
            i = pairs.ray[p, side]
            partner[first[i + 1]] = pairs.ray[p, 1 - side]
            first[i + 1] += 1
    sort_index(likely, pairs.ray[:, 0], order, np.int64(0), count)
    fit = Fit(np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3), np.empty((3, 3)), np.empty(3))
    made = np.int64(0)
    overflow = np.int64(0)
    tests = np.int64(0)
    gathered = np.empty((count, RAYS_MAX), np.int64)
    size = np.zeros(count, np.int64)
    score = np.empty(count)
    waiting = np.empty(count, np.int64)
    open_pairs = np.int64(count)
    for r in range(count):
        waiting[r] = order[r]
    while open_pairs > 0:
        found = np.int64(0)
        for r in range(open_pairs):
            p = waiting[r]
            if used[pairs.ray[p, 0]] or used[pairs.ray[p, 1]]:
                continue
            if tests > GATHER_TESTS:
                overflow += 1
                continue
            size[p], chi_square, tried = _gather(
                rays, pairs, p, first, partner, used, gate, limits.speed_max, now, gathered[p], fit
            )
            tests += tried
            if size[p] > 2:
                # sensors first: chi-square per degree of freedom stays far below this
                score[p] = chi_square / (2.0 * size[p] - 3.0) - 1e6 * size[p]
                waiting[found] = p
                found += 1
        sort_index(score, pairs.ray[:, 0], waiting, np.int64(0), found)
        open_pairs = np.int64(0)
        for r in range(found):
            p = waiting[r]
            free = True
            for s in range(size[p]):
                if used[gathered[p, s]]:
                    free = False
            if not free:
                if not (used[pairs.ray[p, 0]] or used[pairs.ray[p, 1]]):
                    waiting[open_pairs] = p
                    open_pairs += 1
                continue
            made, overflow = _put(
                rays,
                pairs.point[p],
                gathered[p],
                size[p],
                limits.speed_max,
                now,
                used,
                fit,
                clusters,
                made,
                overflow,
            )
    chosen = _choose_pairs(rays, pairs, count, limits.miss, likely, used)
    for r in range(count):
        p = order[r]
        i = pairs.ray[p, 0]
        j = pairs.ray[p, 1]
        if used[i] or used[j] or (chosen[i] != OPEN and chosen[i] != j):
            continue
        gathered[p, 0] = i
        gathered[p, 1] = j
        made, overflow = _put(
            rays,
            pairs.point[p],
            gathered[p],
            np.int64(2),
            limits.speed_max,
            now,
            used,
            fit,
            clusters,
            made,
            overflow,
        )
    return made, overflow


@njit(cache=True, nogil=True, error_model="numpy")
def _choose_pairs(rays, pairs, count, miss_max, likely, used):
    """The other ray of every ray in the likeliest set of pairs among unused rays, -1 for none.

    Exact for rays that are linked by pairs of two sensors only; those linked with more sensors are OPEN.
    """
    n = len(rays.t)
    parent = np.arange(n)
    worst = -inf
    for p in range(count):
        i = pairs.ray[p, 0]
        j = pairs.ray[p, 1]
        if not (used[i] or used[j]):
            worst = max(worst, likely[p] + miss_max**2 - pairs.miss[p] ** 2)
            a = find_root(parent, i)
            b = find_root(parent, j)
            parent[max(a, b)] = min(a, b)
    low = np.full(n, np.iinfo(np.int64).max)  # sensors of every component
    high = np.full(n, np.iinfo(np.int64).min)
    for i in range(n):
        root = find_root(parent, i)
        low[root] = min(low[root], rays.sensor[i])
        high[root] = max(high[root], rays.sensor[i])
    chosen = np.full(n, -1)
    several = np.zeros(n, np.bool_)
    for i in range(n):
        root = find_root(parent, i)
        several[root] |= low[root] < rays.sensor[i] < high[root]
    row = np.empty(count, np.int64)
    column = np.empty(count, np.int64)
    gain = np.empty(count)
    edges = np.int64(0)
    for p in range(count):
        i = pairs.ray[p, 0]
        j = pairs.ray[p, 1]
        if used[i] or used[j]:
            continue
        root = find_root(parent, i)
        if several[root]:
            chosen[i] = OPEN
            chosen[j] = OPEN
            continue
        first = rays.sensor[i] == low[root]
        row[edges] = i if first else j
        column[edges] = j if first else i
        # the worst pair allowed is worth nothing, so that no pair is refused but for a better one
        gain[edges] = 0.5 * (worst - likely[p])
        edges += 1
    mate = assign_edges(n, n, row[:edges], column[:edges], gain[:edges])
    for i in range(n):
        if mate[i] >= 0:
            chosen[i] = mate[i]
            chosen[mate[i]] = i
    return chosen


class Fit(NamedTuple):
    """Scratch of the normal equations: what was solved last, and room to solve."""

    position: Float64[np.ndarray, "3"]  # from the local origin
    covariance: Float64[np.ndarray, "3 3"]
    information: Float64[np.ndarray, "3 3"]
    vector: Float64[np.ndarray, "3"]
    axes: Float64[np.ndarray, "3 3"]
    offset: Float64[np.ndarray, "3"]


@njit(cache=True, nogil=True, error_model="numpy")
def _look(rays, i, x, fit, speed_max, now):
    """Ray i against a point: offset of the point from the sensor, range along the ray, cross-range sigma there."""
    along = 0.0
    for axis in range(3):
        fit.offset[axis] = x[axis] - rays.origin[i, axis]
        along += fit.offset[axis] * rays.direction[i, axis]
    moved = 0.5 * speed_max * abs(now - rays.t[i])
    noise = rays.sigma_rad[i] * along
    return along, sqrt(noise * noise + moved * moved)


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(rays, members, size, x, speed_max, now, fit):
    """Least squares of the rays about the point x: into fit; chi-square, inf where they do not fix a point."""
    for a in range(3):
        fit.vector[a] = 0.0
        for b in range(3):
            fit.information[a, b] = 0.0
    chi_square = 0.0
    for s in range(size):
        i = members[s]
        _, sigma = _look(rays, i, x, fit, speed_max, now)
        across = 0.0
        along = 0.0
        for a in range(3):
            fit.offset[a] = -fit.offset[a]
            along += fit.offset[a] * rays.direction[i, a]
        for a in range(3):
            d = fit.offset[a] - along * rays.direction[i, a]
            across += d * d
        chi_square += across / (sigma * sigma)
        add_ray(fit.information, fit.vector, fit.offset, rays.direction[i], sigma)
    if not invert3(fit.information, fit.covariance):
        return inf
    # what the best point is nearer than x: vector' covariance vector
    for a in range(3):
        fit.position[a] = 0.0
        for b in range(3):
            fit.position[a] += fit.covariance[a, b] * fit.vector[b]
        chi_square -= fit.position[a] * fit.vector[a]
    return max(chi_square, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _distance(rays, i, x, fit, gate, speed_max, now):
    """Chi-square (2 degrees of freedom) of ray i against the solved point, inf where beyond the gate or its reach."""
    along, sigma = _look(rays, i, x, fit, speed_max, now)
    noise = rays.sigma_rad[i] * along
    if sigma > SHARP * noise:
        return inf
    for a in range(3):
        fit.offset[a] += fit.position[a]
    along = 0.0
    across = 0.0
    for a in range(3):
        along += fit.offset[a] * rays.direction[i, a]
    if not along > 0.0 or along > rays.range_max[i]:
        return inf
    spread = sigma * sigma
    for a in range(3):
        d = fit.offset[a] - along * rays.direction[i, a]
        across += d * d
        spread += fit.covariance[a, a]
    if across > gate * spread:
        return inf
    for a in range(3):
        fit.axes[0, a] = rays.direction[i, a]
    _complete(fit.axes)
    y1 = 0.0
    y2 = 0.0
    s11 = sigma * sigma
    s12 = 0.0
    s22 = sigma * sigma
    for a in range(3):
        y1 += fit.axes[1, a] * fit.offset[a]
        y2 += fit.axes[2, a] * fit.offset[a]
        for b in range(3):
            s11 += fit.axes[1, a] * fit.covariance[a, b] * fit.axes[1, b]
            s12 += fit.axes[1, a] * fit.covariance[a, b] * fit.axes[2, b]
            s22 += fit.axes[2, a] * fit.covariance[a, b] * fit.axes[2, b]
    d2 = (s22 * y1 * y1 - 2.0 * s12 * y1 * y2 + s11 * y2 * y2) / (s11 * s22 - s12 * s12)
    return d2 if d2 < gate else inf


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(rays, pairs, p, first, partner, used, gate, speed_max, now, members, fit):
    """The pair p and the best-fitting ray of every further sensor: (size, chi-square, rays tried).

    Rays blurred by motion neither confirm nor are confirmed: nearly any ray fits them.
    """
    x = pairs.point[p]
    members[0] = pairs.ray[p, 0]
    members[1] = pairs.ray[p, 1]
    size = np.int64(2)
    tried = np.int64(0)
    chi_square = _solve(rays, members, size, x, speed_max, now, fit)
    for s in range(2):
        noise = rays.sigma_rad[members[s]] * pairs.range[p, s]
        moved = 0.5 * speed_max * abs(now - rays.t[members[s]])
        if moved * moved > (SHARP * SHARP - 1.0) * noise * noise:
            return size, chi_square, tried
    while size < RAYS_MAX:
        best = inf
        chosen = np.int64(-1)
        for side in range(2):
            i = members[side]
            for r in range(first[i], first[i + 1]):
                k = partner[r]
                if used[k]:
                    continue
                known = False
                for s in range(size):
                    if rays.sensor[members[s]] == rays.sensor[k]:
                        known = True
                if known:
                    continue
                tried += 1
                d2 = _distance(rays, k, x, fit, gate, speed_max, now)
                if d2 < best:
                    best = d2
                    chosen = k
        if chosen < 0:
            break
        members[size] = chosen
        size += 1
        chi_square = _solve(rays, members, size, x, speed_max, now, fit)
    return size, chi_square, tried


@njit(cache=True, nogil=True, error_model="numpy")
def _put(rays, point, members, size, speed_max, now, used, fit, clusters, made, overflow):
    """Solve a cluster and put it out; its rays are used even where there is no room for it."""
    for s in range(1, size):
        row = members[s]
        to = s
        while to > 0 and rays.sensor[members[to - 1]] > rays.sensor[row]:
            members[to] = members[to - 1]
            to -= 1
        members[to] = row
    chi_square = _solve(rays, members, size, point, speed_max, now, fit)
    for s in range(size):
        used[members[s]] = True
    if not chi_square < inf:
        return made, overflow
    if made == len(clusters.size):
        return made, overflow + 1
    clusters.size[made] = size
    clusters.chi_square[made] = chi_square
    for s in range(RAYS_MAX):
        clusters.ray[made, s] = members[s] if s < size else -1
    for a in range(3):
        clusters.position[made, a] = point[a] + fit.position[a]
        for b in range(3):
            clusters.covariance[made, a, b] = fit.covariance[a, b]
    return made + 1, overflow
