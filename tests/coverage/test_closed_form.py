"""Closed forms against geometry by vectors, random points, adaptive quadrature and cases that can be worked by hand."""

from __future__ import annotations

from itertools import pairwise
from math import acos, ceil, cos, pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad

from noroshi.coverage import closed_form as cf
from noroshi.coverage.rosette import ranges, rosette, worst_range
from noroshi.errors import PhysicsError

DEG = pi / 180.0
R = 6.371e6
SIGMAS = 4.5  # a random check goes wrong by chance once in 150,000


def sphere(rng, n):
    """Unit vectors, evenly over the sphere."""
    v = rng.standard_normal((n, 3))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def positions(raan, phase, inclination, moment=0.0):
    """Sub-satellite points by rotation matrices: about z by the node, about x by the inclination."""
    u = phase + moment
    in_plane = np.stack([np.cos(u), np.sin(u), 0.0 * u], axis=-1)
    tilt = np.array(
        [[1, 0, 0], [0, cos(inclination), -np.sin(inclination)], [0, np.sin(inclination), cos(inclination)]]
    )
    tilted = in_plane @ tilt.T
    c, s = np.cos(raan), np.sin(raan)
    return np.stack(
        [c * tilted[:, 0] - s * tilted[:, 1], s * tilted[:, 0] + c * tilted[:, 1], tilted[:, 2]], axis=-1
    )


# footprints


@pytest.mark.parametrize("grazing", [0.0, 30e3])
@pytest.mark.parametrize("target", [30e3, 100e3])
@pytest.mark.parametrize("altitude", [300e3, 1000e3, 35786e3])
def test_the_line_to_the_horizon_touches_the_shell(altitude, target, grazing):
    half = cf.horizon_half_angle(altitude, target, grazing, R)
    sat = np.array([R + altitude, 0.0])
    at = (R + target) * np.array([np.cos(half), np.sin(half)])
    way = (at - sat) / np.linalg.norm(at - sat)
    lowest = abs(sat[0] * way[1] - sat[1] * way[0])  # distance of the line from the centre
    assert lowest == pytest.approx(R + grazing, abs=1e-3)  # a millimetre: rounding of 4e7 m
    assert -(sat @ way) <= np.linalg.norm(at - sat) + 1.0  # and touches it before the target, not behind


@pytest.mark.parametrize("target", [0.0, 50e3])
@pytest.mark.parametrize("elevation_deg", [0.0, 5.0, 20.0, 60.0, 89.0])
def test_elevation_and_slant_range_by_vectors(elevation_deg, target):
    half = cf.elevation_half_angle(1e6, elevation_deg * DEG, target, R)
    sat = np.array([R + 1e6, 0.0])
    up = np.array([np.cos(half), np.sin(half)])
    way = sat - (R + target) * up
    length = np.linalg.norm(way)
    assert np.arcsin(way @ up / length) / DEG == pytest.approx(elevation_deg, abs=1e-9)
    assert cf.slant_range(half, 1e6, target, R) == pytest.approx(length, rel=1e-13)
    assert cf.elevation_at(half, 1e6, target, R) / DEG == pytest.approx(elevation_deg, abs=1e-9)


def test_a_raised_target_on_the_limb_has_the_satellite_below_its_horizontal():
    # physics reference: a 40 km target on the limb sees the satellite at -acos(R / (R + 40 km)) = -6.4 deg
    half = cf.horizon_half_angle(1e6, 40e3, 0.0, R)
    assert cf.elevation_at(half, 1e6, 40e3, R) == pytest.approx(-acos(R / (R + 40e3)), abs=1e-12)


def test_overhead_and_arrays():
    np.testing.assert_allclose(cf.slant_range([0.0, 0.0], [5e5, 1e6], 1e5, R), [4e5, 9e5], rtol=1e-12)
    assert cf.horizon_half_angle(np.array([5e5, 1e6]), 0.0, 0.0, R).shape == (2,)


def test_shares_of_the_sphere():
    np.testing.assert_allclose(
        cf.share_of_sphere([0.0, pi / 3, pi / 2, pi]), [0.0, 0.25, 0.5, 1.0], atol=1e-15
    )
    angles = np.linspace(0.0, pi, 50)
    np.testing.assert_allclose(cf.half_angle_of_share(cf.share_of_sphere(angles)), angles, atol=1e-7)


# folds


def test_mean_fold_over_random_points():
    rng = np.random.default_rng(1)
    n, half = 37, 0.4
    count = (sphere(rng, 100_000) @ sphere(rng, n).T > cos(half)).sum(axis=1)
    error = count.std() / sqrt(len(count))
    assert abs(count.mean() - cf.mean_fold(n, half)) < SIGMAS * error


@pytest.mark.parametrize("inclination_deg", [0.0, 28.5, 80.0, 90.0, 98.0])
@pytest.mark.parametrize("half_deg", [15.0, 37.0, 88.0])
def test_mean_by_latitude_over_random_phases(inclination_deg, half_deg):
    rng = np.random.default_rng(int(10 * inclination_deg + half_deg))
    draws, i, half = 20_000, inclination_deg * DEG, half_deg * DEG
    sats = positions(
        rng.uniform(0.0, 2.0 * pi, draws), rng.uniform(0.0, 2.0 * pi, draws), i
    )  # random nodes: random longitudes
    lat = np.array([-90.0, -62.0, 0.0, 45.0, 75.0]) * DEG
    places = np.stack([np.cos(lat), 0.0 * lat, np.sin(lat)], axis=1)
    seen = (sats @ places.T > cos(half)).mean(axis=0)
    got = cf.mean_fold_by_latitude(lat, 1, i, half)
    bound = SIGMAS * np.sqrt(got * (1.0 - got) / draws)
    assert np.all(np.abs(seen - got) <= bound + 1e-12)


@pytest.mark.parametrize("inclination_deg", [30.0, 80.0, 90.0])
def test_mean_by_latitude_against_adaptive_quadrature(inclination_deg):
    i, half = inclination_deg * DEG, 24.7958 * DEG
    # latitudes in the open, near the edge of what the orbit reaches, and with a pole in sight
    for lat in np.array([0.0, 29.9, 54.7, 54.8, 66.0, 80.0, 89.9]) * DEG:

        def share(u, lat=lat):
            return float(cf.parallel_half_width(lat, np.arcsin(np.sin(i) * np.sin(u)), half)) / pi

        # an even function about u = pi / 2; the kinks are what the adaptive rule finds by itself
        cuts = np.linspace(-pi / 2, pi / 2, 30)
        want = sum(quad(share, a, b, epsabs=1e-8, limit=400)[0] for a, b in pairwise(cuts)) / pi
        # what 30 adaptive pieces of 1e-8 leave
        assert cf.mean_fold_by_latitude(lat, 1, i, half)[0] == pytest.approx(want, abs=2e-7)


def test_mean_by_latitude_by_hand():
    # equatorial orbit: the parallel's arc is the same at every moment
    lat, half = 20.0 * DEG, 30.0 * DEG
    want = 9 * acos(cos(half) / cos(lat)) / pi
    assert cf.mean_fold_by_latitude(lat, 9, 0.0, half)[0] == pytest.approx(want, rel=1e-12)
    # polar orbit seen from the pole: in sight for the part of the orbit within the half-angle of it
    assert cf.mean_fold_by_latitude(pi / 2, 9, pi / 2, half)[0] == pytest.approx(9 * half / pi, abs=1e-12)
    # beyond reach
    assert cf.mean_fold_by_latitude(75.0 * DEG, 9, 40.0 * DEG, half)[0] == 0.0
    # retrograde is the mirror image
    a, b = (cf.mean_fold_by_latitude(lat, 9, i * DEG, half)[0] for i in (82.0, 98.0))
    assert a == pytest.approx(b, rel=1e-12)


def test_mean_by_latitude_adds_up_to_the_mean():
    # area-weighted over all latitudes it is N (1 - cos) / 2; midpoints of 20,000 equal areas, kinks cost < 1e-5
    sine = (np.arange(20_000) + 0.5) / 10_000 - 1.0
    for inclination_deg in (35.0, 80.0):
        mean = cf.mean_fold_by_latitude(np.arcsin(sine), 54, inclination_deg * DEG, 0.43).mean()
        assert mean == pytest.approx(cf.mean_fold(54, 0.43), abs=1e-4)


def test_quadrature_has_converged(monkeypatch):
    lat = np.linspace(-90.0, 90.0, 721) * DEG
    for i in (52.3, 80.0, 90.0):
        fine = cf.mean_fold_by_latitude(lat, 1, i * DEG, 0.4327)
        nodes, weights = np.polynomial.legendre.leggauss(400)
        with monkeypatch.context() as m:
            m.setattr(cf, "_NODES", nodes)
            m.setattr(cf, "_WEIGHTS", weights)
            finer = cf.mean_fold_by_latitude(lat, 1, i * DEG, 0.4327)
        np.testing.assert_allclose(fine, finer, atol=1e-8)


def test_fractions_against_counting_on_the_parallel():
    rng = np.random.default_rng(4)
    n, i, half, moments, lons = 9, 63.0 * DEG, 0.7, 5, 7200
    raan, phase = rng.uniform(0.0, 2.0 * pi, n), rng.uniform(0.0, 2.0 * pi, n)
    lat = np.array([-80.0, -33.0, 0.0, 58.0, 89.0]) * DEG
    lon = 2.0 * pi * (np.arange(lons) + 0.5) / lons
    places = np.stack(
        [
            np.cos(lat)[:, None] * np.cos(lon),
            np.cos(lat)[:, None] * np.sin(lon),
            np.tile(np.sin(lat)[:, None], lons),
        ],
        axis=-1,
    )
    want = np.zeros((len(lat), 4))
    for m in range(moments):
        count = (places @ positions(raan, phase, i, 2.0 * pi * m / moments).T > cos(half)).sum(axis=-1)
        want += np.stack([(count >= k).mean(axis=1) for k in range(1, 5)], axis=1) / moments
    got = cf.fraction_by_latitude(lat, raan, phase, i, half, folds=4, phases=moments)
    # each of at most 2 n ends moves the count of one longitude
    np.testing.assert_allclose(got, want, atol=2 * n / lons)
    assert np.abs(got - want).mean() < 5e-4


def test_fractions_add_up_to_the_mean():
    # sum over k of the share with at least k is the mean count; 720 phases leave the trapezoid rule's error
    raan, phase = rosette(12, 3, 0.25)
    lat = np.array([0.0, 20.0, 51.0, 80.0, 90.0]) * DEG
    got = cf.fraction_by_latitude(lat, raan, phase, 50.7 * DEG, 0.8, folds=12, phases=720)
    np.testing.assert_allclose(
        got.sum(axis=1), cf.mean_fold_by_latitude(lat, 12, 50.7 * DEG, 0.8), atol=12 / 720 * 0.5
    )
    assert np.all(np.diff(got, axis=1) <= 1e-12)


def test_all_round_and_nothing():
    # a satellite over the pole sees 80 deg all round, and nothing of the equator
    seen = cf.fraction_by_latitude([80.0 * DEG, 0.0], np.zeros(1), np.array([pi / 2]), pi / 2, 0.3, 2, 1)
    np.testing.assert_allclose(seen, [[1.0, 0.0], [0.0, 0.0]], atol=1e-14)


# streets


def test_many_satellites_make_straight_streets():
    # footprints that nearly touch all along: half-width = half-angle, so 2 P of them span half a turn
    for planes in (2, 3, 7):
        assert cf.streets(planes, 5000).half_angle == pytest.approx(pi / (2 * planes), rel=1e-5)


@pytest.mark.parametrize(("planes", "per_plane"), [(2, 3), (2, 5), (3, 4), (4, 5), (2, 7)])
def test_streets_are_the_worst_range_where_their_sum_is_odd(planes, per_plane):
    star = cf.streets(planes, per_plane)
    plane, slot = np.repeat(np.arange(planes), per_plane), np.tile(np.arange(per_plane), planes)
    worst = worst_range(plane * star.spacing, 2.0 * pi * (slot + plane / 2) / per_plane, pi / 2)
    assert worst == pytest.approx(star.half_angle, abs=1.1e-5)  # what `worst_range` is certain of


def test_a_street_is_covered_and_no_wider():
    # one plane of 8 along the equator: points on the street's edge, at every longitude, in the gap or under one
    half, c = 0.6, cf.street_half_width(0.6, 8)
    lon = np.linspace(0.0, 2.0 * pi, 1601)
    nearest = np.min(np.abs((lon[:, None] - np.arange(8) * pi / 4 + pi) % (2 * pi) - pi), axis=1)
    away = np.arccos(np.cos(c) * np.cos(nearest))
    assert away.max() == pytest.approx(half, abs=1e-12)


def test_fewest_streets_by_trying_all():
    for half_deg in (10.5, 17.3, 30.2, 41.0, 66.0, 70.0, 85.0):
        fits = [
            (p * q, p)
            for p in range(2, 30)
            for q in range(max(3, p), 60)
            if cf.streets(p, q).half_angle <= half_deg * DEG
        ]
        planes, per_plane = cf.fewest_streets(half_deg * DEG)
        assert (planes * per_plane, planes) == min(fits)


@pytest.mark.parametrize(("planes", "per_plane"), [(2, 3), (4, 7), (6, 11), (7, 12)])
def test_a_footprint_that_fits_exactly_needs_no_more(planes, per_plane):
    got = cf.fewest_streets(cf.streets(planes, per_plane).half_angle)
    assert got[0] * got[1] <= planes * per_plane


# worst ranges


def at_places(places):
    """Nodes and phases that put satellites of polar orbits over places: longitude and latitude."""
    v = np.asarray(places, float) / np.linalg.norm(places, axis=1, keepdims=True)
    return np.arctan2(v[:, 1], v[:, 0]), np.arcsin(v[:, 2])


OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])


@pytest.mark.parametrize(
    ("fold", "worst_deg"),
    [
        # with |x| >= |y| >= |z| the distances are acos of |x|, |y|, |z|, -|z|, -|y|, -|x|: the worst of each is at
        (1, acos(1 / sqrt(3)) / DEG),  # the middle of a face
        (2, 90.0),  # a corner
        (3, 90.0),  # an edge
        (4, 180.0 - acos(1 / sqrt(3)) / DEG),  # the middle of a face
        (5, 135.0),  # the middle of an edge: two tie, on the far side
        (6, 180.0),  # a corner: the one opposite
    ],
)
def test_octahedron(fold, worst_deg):
    got = ranges(*at_places(OCTAHEDRON), pi / 2, np.zeros(1), fold)[0]
    assert got / DEG == pytest.approx(worst_deg, abs=1e-6)  # ties are cut at 1e-10 of a cosine


def test_tetrahedron_and_few_satellites():
    corners = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    got = ranges(*at_places(corners), pi / 2, np.zeros(1))[0]
    assert got == pytest.approx(acos(1 / 3), abs=1e-9)
    assert ranges(*at_places([[1, 0, 0]]), pi / 2, np.zeros(1))[0] == pytest.approx(pi)
    assert ranges(*at_places([[1, 0, 0], [0, 1, 0]]), pi / 2, np.zeros(1))[0] == pytest.approx(0.75 * pi)


@pytest.mark.parametrize("fold", [1, 2, 3])
def test_ranges_against_many_points(fold):
    rng = np.random.default_rng(fold)
    raan, phase = rng.uniform(0.0, 2.0 * pi, 11), rng.uniform(0.0, 2.0 * pi, 11)
    points = sphere(rng, 40_000)
    for moment in (0.0, 1.3):
        cosines = np.sort(points @ positions(raan, phase, 1.1, moment).T, axis=1)[:, -fold]
        got = ranges(raan, phase, 1.1, np.array([moment]), fold)[0]
        found = np.arccos(cosines.min())
        # no point is farther; and 40,000 points leave a cap of 2.5 deg (area 4.8e-4) empty once in 1e8
        assert found <= got + 1e-9
        assert found > got - 2.5 * DEG


def test_worst_range_holds_at_every_moment():
    raan, phase = rosette(12, 3, 0.25)
    i = 50.73 * DEG
    worst = worst_range(raan, phase, i, within_rad=1e-4)
    moments = np.linspace(0.0, 2.0 * pi, 20_001)
    found = ranges(raan, phase, i, moments)
    assert found.max() <= worst + 1e-4
    assert found.max() > worst - 2.0 * pi / 20_000  # no range grows faster than the phase
    # the second half of the orbit is the reflection of the first
    np.testing.assert_allclose(found[:10_001], found[10_000:], atol=1e-9)


def test_a_ring_never_covers_its_poles():
    ring = 2.0 * pi * np.arange(7) / 7
    assert worst_range(np.zeros(7), ring, 0.4, within_rad=1e-3) == pytest.approx(pi / 2, abs=1e-9)


@pytest.mark.parametrize("fold", [1, 2, 3, 4])
def test_no_2v_plus_2_cover_v_fold_while_three_share_a_great_circle(fold):
    # Ballard's theorem: one side of the circle has at most (2 V + 2 - 3) / 2 < V of the others
    rng = np.random.default_rng(fold)
    for _ in range(20):
        places = sphere(rng, 2 * fold + 2)
        places[2] = places[0] + rng.uniform(-2.0, 2.0) * places[1]
        assert ranges(*at_places(places), pi / 2, np.zeros(1), fold)[0] >= pi / 2 - 1e-9


@pytest.mark.parametrize(
    ("satellites", "planes", "harmonic"), [(12, 3, 0.25), (14, 7, 5.5), (15, 3, 0.2), (8, 8, 6)]
)
def test_a_rosette_is_a_walker_delta(satellites, planes, harmonic):
    from noroshi.orbits.walker import walker

    raan, phase = rosette(satellites, planes, harmonic)
    f = harmonic * satellites / planes % planes
    e = walker("delta", satellites, planes, f, 7e6, 1.0)
    mine = np.sort(np.round(positions(raan, phase, 1.0), 9) + 0.0, axis=0)
    theirs = np.sort(np.round(positions(e.raan, e.mean_anomaly, 1.0), 9) + 0.0, axis=0)
    np.testing.assert_allclose(mine, theirs, atol=2e-9)


# what is refused


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: cf.horizon_half_angle(0.0), "no satellite at 0 km"),
        (lambda: cf.horizon_half_angle(-5e3), "no satellite at -5 km"),
        (lambda: cf.horizon_half_angle(float("nan")), "no satellite"),
        (lambda: cf.horizon_half_angle(1e5, 2e5), "over a target at 200 km"),
        (lambda: cf.horizon_half_angle([1e6, 0.0]), "no satellite at 0 to 1000 km"),
        (lambda: cf.horizon_half_angle(1e6, 4e4, 5e4), "clears 50 km"),
        (lambda: cf.horizon_half_angle(1e6, 4e4, -1e3), "clears -1 km"),
        (lambda: cf.elevation_half_angle(1e6, pi / 2), "no elevation of 90 deg"),
        (lambda: cf.elevation_half_angle(1e6, -0.1), "no elevation of -5.7"),
        (lambda: cf.slant_range(40.0 * DEG, 1e6), "behind the sphere"),
        (lambda: cf.elevation_at(-0.1, 1e6), "behind the sphere"),
        (lambda: cf.share_of_sphere(3.2), "no cap"),
        (lambda: cf.half_angle_of_share(1.01), "no share of 1.01"),
        (lambda: cf.mean_fold(0, 0.5), "no constellation of 0"),
        (lambda: cf.mean_fold_by_latitude(0.0, 5, 1.0, 4.0), "no footprint of 229"),
        (lambda: cf.fraction_by_latitude(0.0, np.zeros(1), np.zeros(1), 1.0, 0.0), "no footprint of 0 deg"),
        (lambda: cf.street_half_width(0.2, 5), "leave gaps"),
        (lambda: cf.street_half_width(pi / 2, 5), "footprint of 90 deg"),
        (lambda: cf.streets(1, 5), "no streets of 1 planes"),
        (lambda: cf.streets(5, 4), "no streets of 5 planes of 4"),
        (lambda: cf.fewest_streets(pi / 2), "footprint of 90 deg"),
        (lambda: cf.beste_estimate(0.0), "footprint of 0 deg"),
        (lambda: rosette(10, 3, 1.0), "do not fill 3 planes"),
        (lambda: rosette(12, 3, 0.3), "harmonic factor 0.3"),
        (lambda: rosette(12, 3, 0.5), "harmonic factor 0.5"),  # two by two in one place
        (lambda: worst_range(np.zeros(3), np.arange(3.0), 1.0, fold=4), "no 4-fold"),
        (lambda: worst_range(np.zeros(3), np.arange(3.0), 1.0, fold=0), "no 0-fold"),
    ],
)
def test_impossible_figures_are_refused_with_a_remedy(ask, says):
    with pytest.raises(PhysicsError) as error:
        ask()
    assert says in error.value.what
    assert error.value.remedy


def test_the_remedy_of_a_gap_is_one():
    need = ceil(pi / 0.2)
    assert cf.street_half_width(0.2, need) >= 0.0
    with pytest.raises(PhysicsError):
        cf.street_half_width(0.2, need - 1)
