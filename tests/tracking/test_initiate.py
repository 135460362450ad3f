"""Triangulation against the exact Cramer-Rao bounds (V-506..508), the index of pairs against trying all, clusters."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy.optimize import linear_sum_assignment

from noroshi.tracking.initiate import (
    Limits,
    Rays,
    candidate_pairs,
    closest,
    empty_clusters,
    empty_pairs,
    meet,
    select_clusters,
    triangulation_covariance,
)

SIGMA = 50e-6


def rss(directions, distance):
    n = len(directions)
    cov = triangulation_covariance(np.array(directions), np.full(n, distance), np.full(n, SIGMA))
    return np.sqrt(np.trace(cov))


# V-506: R 2000 km, 50 urad; to the 0.1 m that are printed
@pytest.mark.parametrize(
    ("psi", "metres"),
    [(5, 1624.2), (10, 817.5), (20, 419.5), (45, 212.1), (90, 158.1), (120, 178.0), (175, 1624.2)],
)
def test_two_sensors(psi, metres):
    a = np.radians(psi)
    assert rss([[1.0, 0.0, 0.0], [np.cos(a), np.sin(a), 0.0]], 2e6) == pytest.approx(metres, abs=0.1)


# V-507: N evenly on a cone of 45 deg half-angle
@pytest.mark.parametrize(
    ("n", "metres"), [(3, 124.7), (4, 108.0), (5, 96.6), (6, 88.2), (8, 76.4), (12, 62.4)]
)
def test_cone(n, metres):
    a = 2 * np.pi * np.arange(n) / n
    s = np.sqrt(0.5)
    assert rss(np.stack([s * np.cos(a), s * np.sin(a), np.full(n, s)], 1), 2e6) == pytest.approx(
        metres, abs=0.1
    )


# V-508: baseline 300 km, range 3000 km from its middle, at an angle to it: the range (line from the middle) sigma
@pytest.mark.parametrize(("angle", "metres"), [(90.0, 2126.6), (45.0, 3001.9)])
def test_far_target(angle, metres):
    target = 3e6 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    lines = np.array([target - [side * 150e3, 0.0, 0.0] for side in (1, -1)])
    distance = np.linalg.norm(lines, axis=1)
    cov = triangulation_covariance(lines / distance[:, None], distance, np.full(2, SIGMA))
    along = target / 3e6
    assert np.sqrt(along @ cov @ along) == pytest.approx(metres, abs=0.1)


def test_parallel_lines_are_refused():
    z = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    with pytest.raises(np.linalg.LinAlgError, match="parallel"):
        triangulation_covariance(z, np.full(2, 1e6), np.full(2, SIGMA))
    assert closest(np.zeros(3), z[0], np.array([0.0, 1e5, 0.0]), z[1])[0] < 0.0


def test_closest_points_of_skew_lines():
    # along x at z = 0 and along y at z = 7, crossing over (3, 4)
    sa, za = np.array([0.0, 4.0, 0.0]), np.array([1.0, 0.0, 0.0])
    sb, zb = np.array([3.0, 0.0, 7.0]), np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(closest(sa, za, sb, zb), (3.0, 4.0, 7.0, 0.0), atol=1e-12)


# Where rays meet: scenes over the Earth

LIMITS = Limits(4.0, np.cos(0.14), 0.0, 1.5e6, 8000.0)
EARTH = 6.371e6


def towards(origin, target, sigma, rng):
    """Unit vectors from origin to target, turned by noise of sigma on each axis across."""
    d = target - origin
    distance = np.linalg.norm(d, axis=-1, keepdims=True)
    d = d + sigma * distance * rng.normal(size=d.shape)
    return d / np.linalg.norm(d, axis=-1, keepdims=True)


def scene(rng, targets=25, false=25, sensors=4, sigma=50e-6, times=(0.0,), spread=3e5):
    """Rays of sensors on random low orbits to targets near one place, and false ones beside them; whose each is."""
    middle = np.array([EARTH + 4e4, 0.0, 0.0])
    target = middle + rng.normal(size=(targets, 3)) * [1e4, spread, spread]
    rows = []
    for sensor in rng.permutation(50)[:sensors]:
        up = np.array([1.0, *rng.uniform(-0.3, 0.3, 2)])
        origin = (EARTH + rng.uniform(4e5, 2e6)) * up / np.linalg.norm(up)
        for t in times:
            aim = np.concatenate([target, middle + rng.normal(size=(false, 3)) * [1e4, spread, spread]])
            z = towards(origin, aim, sigma, rng)
            n = len(aim)
            owner = np.concatenate([np.arange(targets), np.full(false, -1)])
            keep = rng.permutation(n)[: max(int(0.9 * n), 1)]
            rows.append((np.tile(origin, (n, 1)), z, np.full(n, sensor), np.full(n, t), owner, keep))
            origin = origin + 7e3
    part = lambda k: np.concatenate([row[k][row[5]] for row in rows])  # noqa: E731
    n = len(part(2))
    rays = Rays(part(0), part(1), np.full(n, sigma), part(2), part(3), np.full(n, 5e6))
    return rays, part(4), target


def found(rays, limits=LIMITS, fresh=-np.inf, capacity=200_000):
    pairs = empty_pairs(capacity)
    count, overflow = candidate_pairs(rays, limits, fresh, pairs)
    return pairs, count, overflow


@njit
def try_all(rays, limits, fresh, pair, row):
    n = len(rays.t)
    count = 0
    for i in range(n):
        for j in range(n):
            if rays.sensor[i] >= rays.sensor[j] or max(rays.t[i], rays.t[j]) < fresh:
                continue
            if meet(rays, limits, i, j, row[count]):
                pair[count, 0] = i
                pair[count, 1] = j
                count += 1
    return count


def all_pairs(rays, limits, fresh=-np.inf):
    """Every pair tried: {(i, j): what `meet` says of it}."""
    n = len(rays.t)
    pair, row = np.empty((n * n, 2), np.int64), np.empty((n * n, 7))
    count = try_all(rays, limits, fresh, pair, row)
    return {(int(i), int(j)): r for (i, j), r in zip(pair[:count], row[:count], strict=True)}


def assert_same_pairs(rays, limits, fresh=-np.inf):
    expected = all_pairs(rays, limits, fresh)
    pairs, count, overflow = found(rays, limits, fresh)
    assert overflow == 0
    got = {(int(i), int(j)): k for k, (i, j) in enumerate(pairs.ray[:count])}
    assert len(got) == count
    assert got.keys() == expected.keys()
    for key, k in got.items():
        row = [pairs.miss[k], pairs.sigma[k], *pairs.point[k], *pairs.range[k]]
        assert (np.array(row) == expected[key]).all()
    return count


@pytest.mark.parametrize("sigma", [5e-6, 50e-6, 1e-3, 3e-2])
@pytest.mark.parametrize("times", [(0.0,), (0.0, 1.0), (0.0, 0.3, 30.0)])
def test_the_index_finds_the_pairs_that_trying_all_finds(sigma, times):
    rng = np.random.default_rng(10)
    total = 0
    for _ in range(4):
        rays, _, _ = scene(rng, 12, 12, sigma=sigma, times=times)
        mixed = rays._replace(sigma_rad=sigma * 10.0 ** rng.uniform(-1.0, 1.0, len(rays.t)))
        shuffle = rng.permutation(len(rays.t))
        for case in (rays, mixed, Rays(*(column[shuffle] for column in mixed))):
            total += assert_same_pairs(case, LIMITS)
            assert_same_pairs(case, LIMITS, fresh=max(times))
    assert total > 100


@pytest.mark.parametrize("spread", [1e-9, 1e-4, 1e-2, 0.3])
@pytest.mark.parametrize("times", [(0.0,), (0.0, 2.0)])
def test_rays_nearly_along_the_baseline(spread, times):
    """Two satellites that look at each other or past each other, to within `spread`, and two that look anywhere."""
    rng = np.random.default_rng(11)
    a = np.array([EARTH + 1e6, -8e5, 0.0])
    b = np.array([EARTH + 1e6, 8e5, 1e5])
    limits = LIMITS._replace(crossing_cos=1.0 - 1e-9, miss=50.0)
    total = 0
    for _ in range(6):
        rows = []
        for sensor, s, other in ((3, a, b), (7, b, a)):
            for t in times:
                e = (other - s) / np.linalg.norm(other - s)
                z = rng.choice([-1.0, 1.0], (12, 1)) * e + spread * rng.normal(size=(12, 3))
                wide = rng.normal(size=(4, 3))
                z = np.concatenate([z, wide, [e, -e]])
                z /= np.linalg.norm(z, axis=1, keepdims=True)
                rows += [(s, d, sensor, t) for d in z]
        n = len(rows)
        rays = Rays(
            np.array([r[0] for r in rows]),
            np.array([r[1] for r in rows]),
            10.0 ** rng.uniform(-6.0, -2.0, n),
            np.array([r[2] for r in rows]),
            np.array([r[3] for r in rows]),
            np.full(n, 1e7),
        )
        total += assert_same_pairs(rays, limits)
    assert total > 0


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 0.3), st.floats(0.0, 3.0), st.floats(0.5, 20.0))
def test_the_index_agrees_in_any_scene(seed, sigma, dt, miss):
    """Directions all over the sphere, sensors anywhere, all in one place at times."""
    rng = np.random.default_rng(seed)
    n = 40
    place = rng.normal(size=(4, 3))
    place *= (EARTH + 10.0 ** rng.uniform(4, 7, (4, 1))) / np.linalg.norm(place, axis=1, keepdims=True)
    place[3] = place[rng.integers(0, 4)]
    at = rng.integers(0, 4, n)
    z = rng.normal(size=(n, 3)) - place[at] / EARTH
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    t = dt * rng.integers(0, 2, n)
    rays = Rays(place[at], z, sigma * 10.0 ** rng.uniform(-2, 0, n), at, t, np.full(n, 1e8))
    assert_same_pairs(rays, LIMITS._replace(miss=miss), fresh=dt)


def test_sensors_at_one_place_never_meet():
    rng = np.random.default_rng(12)
    rays, _, _ = scene(rng, 10, 0, sensors=2)
    rays = rays._replace(origin=np.tile(rays.origin[:1], (len(rays.t), 1)))
    assert found(rays)[1] == 0


def test_pairs_without_room_are_counted():
    rays, _, _ = scene(np.random.default_rng(13))
    pairs, count, _ = found(rays)
    few, kept, overflow = found(rays, capacity=10)
    assert (kept, overflow) == (10, count - 10)
    assert (few.ray == pairs.ray[:10]).all()
    nothing = Rays(*(column[:0] for column in rays))
    assert found(nothing)[1:] == (0, 0)


def test_the_index_is_cheap():
    """Two wide sensors with 1000 rays each: a million pairs, of which it tries those that nearly meet.

    Measured 0.6 ms against 98 ms for all pairs; twenty times that is allowed here, for a busy machine.
    """
    rays, _, _ = scene(np.random.default_rng(14), 0, 1111, sensors=2, spread=4e5)
    assert len(rays.t) > 1900
    pairs = empty_pairs(20_000)
    candidate_pairs(rays, LIMITS, -np.inf, pairs)
    best = np.inf
    for _ in range(5):
        start = perf_counter()
        candidate_pairs(rays, LIMITS, -np.inf, pairs)
        best = min(best, perf_counter() - start)
    assert best < 0.012


# Clusters


def clusters_of(rays, limits=LIMITS, gate=16.0, now=0.0, capacity=1000):
    pairs, count, _ = found(rays, limits)
    clusters = empty_clusters(capacity)
    made, overflow = select_clusters(rays, pairs, count, limits, gate, now, clusters)
    return clusters, made, overflow


def test_a_cluster_is_the_least_squares_point_of_its_rays():
    """Position and covariance of a target seen by five sensors against numpy's own solution."""
    rays, owner, target = scene(np.random.default_rng(20), 1, 0, sensors=5)
    clusters, made, overflow = clusters_of(rays)
    assert (made, overflow, clusters.size[0]) == (1, 0, 5)
    members = clusters.ray[0, :5]
    assert sorted(members) == list(range(5))
    assert (np.diff(rays.sensor[members]) > 0).all()
    assert (clusters.ray[0, 5:] == -1).all()
    distance = ((target[0] - rays.origin) * rays.direction).sum(1)
    across = np.eye(3) - rays.direction[:, :, None] * rays.direction[:, None, :]
    weight = across / (50e-6 * distance)[:, None, None] ** 2
    cov = np.linalg.inv(weight.sum(0))
    best = target[0] + cov @ np.einsum("nij,nj->i", weight, rays.origin - target[0])
    # ranges of the weights are taken at the first pair's point, 1e-4 of the range away from the target
    np.testing.assert_allclose(clusters.position[0], best, atol=0.1)
    np.testing.assert_allclose(clusters.covariance[0], cov, rtol=2e-3, atol=1e-3 * cov.max())
    offset = np.einsum("nij,nj->ni", across, best - rays.origin)
    chi_square = ((offset**2).sum(1) / (50e-6 * distance) ** 2).sum()
    assert clusters.chi_square[0] == pytest.approx(chi_square, rel=1e-2)
    assert owner[members[0]] == 0


def test_errors_are_as_the_covariance_says():
    """Sum of squared normalised errors of some 400 clusters, 3 degrees of freedom each, and the residuals' own.

    Five standard deviations of chi-square: a right build fails once in a million.
    """
    rng = np.random.default_rng(21)
    nees, dof, residual, residual_dof = 0.0, 0, 0.0, 0
    for _ in range(20):
        rays, owner, target = scene(rng, 20, 0, spread=1e6)
        clusters, made, _ = clusters_of(rays)
        for c in range(made):
            whose = owner[clusters.ray[c, : clusters.size[c]]]
            if (whose == whose[0]).all() and clusters.size[c] > 2:
                e = clusters.position[c] - target[whose[0]]
                nees += e @ np.linalg.solve(clusters.covariance[c], e)
                dof += 3
                residual += clusters.chi_square[c]
                residual_dof += 2 * clusters.size[c] - 3
    assert dof > 900
    assert abs(nees - dof) < 5.0 * np.sqrt(2 * dof)
    # the gate of 16 cuts 3e-4 of every further ray's chi-square: less than the spread
    assert abs(residual - residual_dof) < 5.0 * np.sqrt(2 * residual_dof)


def tally(rays, owner, clusters, made):
    """(clusters of one target, ghosts) and the same among those of three rays or more."""
    true = ghost = true3 = ghost3 = 0
    for c in range(made):
        whose = owner[clusters.ray[c, : clusters.size[c]]]
        right = whose[0] >= 0 and (whose == whose[0]).all()
        true, ghost = true + right, ghost + (not right)
        if clusters.size[c] > 2:
            true3, ghost3 = true3 + right, ghost3 + (not right)
    return true, ghost, true3, ghost3


def test_a_third_ray_removes_most_ghosts():
    """Twenty targets in 60 km: with two sensors ghosts abound, with a third to confirm hardly any is left."""
    rng = np.random.default_rng(22)
    two, three = np.zeros(4), np.zeros(4)
    for _ in range(20):
        rays, owner, _ = scene(rng, 20, 5, sensors=3, spread=2e4)
        clusters, made, _ = clusters_of(rays)
        three += tally(rays, owner, clusters, made)
        used = clusters.ray[:made][clusters.ray[:made] >= 0]
        assert len(set(used)) == len(used)
        pair = Rays(*(column[np.isin(rays.sensor, np.unique(rays.sensor)[:2])] for column in rays))
        clusters, made, _ = clusters_of(pair)
        two += tally(pair, owner[np.isin(rays.sensor, np.unique(rays.sensor)[:2])], clusters, made)
    ghosts_of_two, ghosts_of_three = two[1] / two[:2].sum(), three[3] / three[2:].sum()
    assert three[2] > 200
    assert ghosts_of_two > 0.05
    assert ghosts_of_three < 0.2 * ghosts_of_two


def test_pairs_of_two_sensors_are_the_likeliest_set():
    """Where the best pair first would spoil its neighbours, the assignment with the least sum of squares is taken."""
    rng = np.random.default_rng(23)
    differs = 0
    for _ in range(30):
        rays, _, _ = scene(rng, 10, 0, sensors=2, spread=5e3)
        pairs, count, _ = found(rays)
        clusters, made, _ = clusters_of(rays)
        n = len(rays.t)
        worth = np.zeros((n, n))
        likely = pairs.miss[:count] ** 2 + 2 * np.log(pairs.sigma[:count])
        worst = (LIMITS.miss**2 + 2 * np.log(pairs.sigma[:count])).max()
        worth[pairs.ray[:count, 0], pairs.ray[:count, 1]] = worst - likely
        i, j = linear_sum_assignment(-worth)
        best = {(a, b) for a, b in zip(i, j, strict=True) if worth[a, b] > 0}
        assert {tuple(row) for row in clusters.ray[:made, :2]} == best
        greedy, used = set(), set()
        for k in np.argsort(likely):
            pair = tuple(pairs.ray[k])
            if not used & set(pair):
                greedy.add(pair)
                used |= set(pair)
        differs += greedy != best
    assert differs > 3


def test_the_order_of_rays_changes_no_bit():
    rng = np.random.default_rng(24)
    for times in ((0.0,), (-1.0, 0.0)):
        rays, _, _ = scene(rng, 20, 20, sensors=4, spread=3e4, times=times)
        first, made, _ = clusters_of(rays)
        new = rng.permutation(len(rays.t))
        second, again, _ = clusters_of(Rays(*(column[new] for column in rays)))
        assert made == again
        assert (first.position[:made] == second.position[:made]).all()
        assert (first.covariance[:made] == second.covariance[:made]).all()
        members = second.ray[:made]
        assert (first.ray[:made] == np.where(members < 0, -1, new[np.maximum(members, 0)])).all()


def test_an_older_line_is_widened_and_confirms_nothing():
    """A second old, a line is 4 km wide: it may pair, but no cluster counts it as a third sensor."""
    rays, _, target = scene(np.random.default_rng(25), 1, 0, sensors=3)
    old = rays._replace(t=np.array([0.0, 0.0, -1.0]))
    clusters, made, _ = clusters_of(old)
    assert (made, clusters.size[0]) == (1, 2)
    assert set(clusters.ray[0, :2]) == {0, 1}
    aged = rays._replace(t=np.array([0.0, -1.0, -1.0]))
    clusters, made, _ = clusters_of(aged)
    assert made == 1
    assert np.sqrt(np.trace(clusters.covariance[0])) > 4e3
    assert np.linalg.norm(clusters.position[0] - target[0]) < 100e3


def test_clusters_without_room_are_counted():
    rays, _, _ = scene(np.random.default_rng(26), 20, 0)
    all_of_them, made, overflow = clusters_of(rays)
    few, kept, lost = clusters_of(rays, capacity=5)
    assert (overflow, kept, lost) == (0, 5, made - 5)
    assert (few.position == all_of_them.position[:5]).all()


# HGT-24, by its first ten frames: two satellites see the raid, 16.3 of the 20 targets give both a detection


def hgt24_frames(folder, raid, frames):
    """Rays of all active sensors of a frame, the target of each (-1: none), and where the targets are."""
    read = lambda table: pq.read_table(folder / f"HGT24_{raid}_{table}.parquet").to_pydict()  # noqa: E731
    sensors, seen, truth = (
        {k: np.array(v) for k, v in read(t).items()} for t in ("sensors", "detections", "truth")
    )
    for f in frames:
        parts = []
        for row in np.flatnonzero(sensors["active"].astype(bool) & (sensors["frame"] == f)):
            y, p = sensors["yaw_rad"][row], sensors["pitch_rad"][row]
            axes = np.array(
                [
                    [np.cos(p) * np.cos(y), np.cos(p) * np.sin(y), np.sin(p)],
                    [-np.sin(y), np.cos(y), 0.0],
                    [-np.sin(p) * np.cos(y), -np.sin(p) * np.sin(y), np.cos(p)],
                ]
            )
            k = np.flatnonzero((seen["frame"] == f) & (seen["sensor"] == sensors["sensor"][row]))
            az, el = seen["az_rad"][k], seen["el_rad"][k]
            z = np.stack([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)], 1) @ axes
            s = [sensors[c][row] for c in ("x_m", "y_m", "z_m")]
            parts.append(
                (np.tile(s, (len(k), 1)), z, np.full(len(k), sensors["sensor"][row]), seen["truth_id"][k])
            )
        origin, z, sensor, owner = (np.concatenate(column) for column in zip(*parts, strict=True))
        n = len(z)
        rays = Rays(
            origin, z, np.full(n, 50e-6), sensor.astype(np.int64), np.full(n, float(f)), np.full(n, 4.5e6)
        )
        at = truth["frame"] == f
        yield rays, owner, np.stack([truth[c][at] for c in ("x_m", "y_m", "z_m")], 1)


def hgt24_figures(folder, raid, frames):
    """Per frame: targets with two detections or more, true and ghost clusters; and the position error, m RMS."""
    limits = Limits(4.0, np.sqrt(1.0 - 0.02), 15e3, 80e3, 8000.0)
    possible, counts, squares = 0, np.zeros(4), []
    for rays, owner, target in hgt24_frames(folder, raid, frames):
        clusters, made, overflow = clusters_of(rays, limits, now=rays.t[0])
        assert overflow == 0
        possible += (np.bincount(owner[owner >= 0]) >= 2).sum()
        counts += tally(rays, owner, clusters, made)
        for c in range(made):
            whose = owner[clusters.ray[c, : clusters.size[c]]]
            if whose[0] >= 0 and (whose == whose[0]).all():
                squares.append(((clusters.position[c] - target[whose[0]]) ** 2).sum())
    return possible / len(frames), counts / len(frames), np.sqrt(np.mean(squares))


def test_hgt24(shared_data):
    """The files are fixed: 16.3 clusters a frame are possible. Peer figures: 15.4 true pairs, 0.5 ghosts, 257-289 m.

    One frame's ghost more or less is 0.1, and rounding may turn one near tie.
    """
    possible, (true, ghost, _, _), error = hgt24_figures(shared_data / "hgt24", "T20", range(10))
    assert possible == pytest.approx(16.3)
    assert true >= 16.2
    assert ghost <= 0.1
    assert error < 150.0
    # two or three satellites, as they come: frames 66 to 75
    possible, (true, ghost, true3, ghost3), error = hgt24_figures(shared_data / "hgt24", "T20", range(66, 76))
    assert true >= possible - 0.3
    assert ghost <= 0.2
    assert true3 > 3.0
    assert ghost3 == 0.0
    assert error < 270.0
