"""Smooth coverage: its pieces in closed form, its gradient by differences, its limit by hard counting."""

from itertools import product
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noroshi import frames
from noroshi.constants import EARTH_RADIUS_M
from noroshi.coverage.smooth import NO_EDGES, REACH, Edges, at_least, polish, smooth_fraction
from noroshi.earth import geodetic_from_itrs, itrs_from_geodetic, occlusion_margin, up_itrs
from noroshi.errors import ScenarioError
from noroshi.orbits.elements import Elements
from noroshi.orbits.kepler import propagate_mean
from noroshi.orbits.walker import walker
from noroshi.time import epoch_from_utc, load_earth_orientation

EPOCH, EOP = epoch_from_utc("2026-03-01T00:00:00Z"), load_earth_orientation()
ALL = Edges(elevation_target_rad=np.deg2rad(5.0), cone_max_rad=np.deg2rad(58.0), range_max_m=2.6e6)


def rotations(t: np.ndarray) -> np.ndarray:
    return frames.itrs_from_gcrs(EPOCH, t, EOP)


def places(count: int, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Points at 40 km, spread evenly by area from 60 S to 60 N, and unequal weights."""
    rng = np.random.default_rng(seed)
    lat = np.arcsin(rng.uniform(-np.sin(np.pi / 3), np.sin(np.pi / 3), count))
    weight = rng.uniform(0.5, 1.5, count)
    return itrs_from_geodetic(lat, rng.uniform(-np.pi, np.pi, count), np.float64(40e3)), weight / weight.sum()


def hard_fraction(elements, t, r_points, weight, k, edges=NO_EDGES) -> float:
    """Counted with NumPy from geometry: angles themselves, not the smooth code's margins."""
    r = frames.rotate(rotations(t), np.asarray(propagate_mean(elements, t)[0]))[:, :, None]
    seen = occlusion_margin(r, r_points) >= 0.0
    line = r - r_points
    distance = np.linalg.norm(line, axis=-1)
    if edges.elevation_target_rad is not None:
        lat, lon, _ = geodetic_from_itrs(r_points)
        seen &= np.arcsin(np.sum(line * up_itrs(lat, lon), -1) / distance) >= edges.elevation_target_rad
    if edges.cone_max_rad is not None:
        lat, lon, _ = geodetic_from_itrs(r)
        seen &= np.arccos(np.sum(line * up_itrs(lat, lon), -1) / distance) <= edges.cone_max_rad
    if edges.range_max_m is not None:
        seen &= distance <= edges.range_max_m
    return float(np.mean((seen.sum(axis=1) >= k) @ weight))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_at_least_by_going_through_all_outcomes(k):
    # the definition: the sum over all 2^7 outcomes with k events or more; to rounding
    p = np.random.default_rng(1).uniform(0.0, 1.0, 7)
    p[2], p[5] = 0.0, 1.0
    expected = sum(
        np.prod(np.where(outcome, p, 1.0 - p)) for outcome in product([0, 1], repeat=7) if sum(outcome) >= k
    )
    assert float(at_least(jnp.asarray(p), k)) == pytest.approx(expected, abs=1e-15)


def test_at_least_of_like_events_is_binomial():
    expected = sum(comb(12, j) * 0.3**j * 0.7 ** (12 - j) for j in range(3, 13))
    assert float(at_least(jnp.full(12, 0.3), 3)) == pytest.approx(expected, abs=1e-15)
    assert float(at_least(jnp.full(2, 0.9), 3)) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("edges", "k", "satellites"), [(NO_EDGES, 1, 20), (NO_EDGES, 3, 40), (ALL, 1, 20), (ALL, 2, 60)]
)
def test_without_width_it_is_counting(edges, k, satellites):
    # soft edges all but vanish: counted pairs lie farther from every edge than 40 widths of 1e-9 rad (6 mm), or
    # there would be a difference; what is left is rounding of the sum
    elements, t = (
        walker("delta", satellites, 5, 1.0, EARTH_RADIUS_M + 1e6, np.deg2rad(60.0)),
        np.arange(6) * 700.0,
    )
    r_points, weight = places(150)
    expected = hard_fraction(elements, t, r_points, weight, k, edges)
    assert 0.02 < expected < 0.999
    gaps = []
    for width in (3e-2, 3e-3, 1e-9):
        found = smooth_fraction(elements, rotations(t), t, r_points, weight, k, width_rad=width, edges=edges)
        gaps.append(abs(float(found) - expected))
    assert gaps[2] < 1e-12
    assert gaps[1] < 5e-3
    assert gaps[0] < 0.1


@pytest.mark.parametrize(
    ("edges", "like"),
    [(Edges(), "limb"), (Edges(cone_max_rad=0.9), "cone"), (Edges(range_max_m=2e6), "range")],
)
def test_a_width_is_an_angle_on_the_ground(edges, like):
    # one satellite, one point moved along its ground track's normal: half seen on the edge, and sigmoid(1) a width
    # inside it where the margin is an angle at the Earth's centre (limb). Range and cone turn the same angle into
    # other numbers, at most 1.7 times as large at 1,000 km
    elements = walker("delta", 1, 1, 0.0, EARTH_RADIUS_M + 1e6, 0.0)
    m, t = np.eye(3)[None], np.zeros(1)

    def seen(angle: float) -> float:
        point = itrs_from_geodetic(np.zeros(1), np.array([angle]), np.array([1e3]))
        return float(smooth_fraction(elements, m, t, point, np.ones(1), 1, width_rad=1e-4, edges=edges))

    low, high = 0.05, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if seen(middle) > 0.5 else (low, middle)
    inside = np.log(seen(low - 1e-4) / (1.0 - seen(low - 1e-4)))  # sigmoid backwards: in widths
    if like == "limb":
        assert inside == pytest.approx(1.0, rel=1e-3)
    else:
        assert 0.9 < inside < 1.7


@pytest.mark.parametrize("edges", [NO_EDGES, ALL], ids=["limb", "all"])
def test_gradient_by_every_element(edges):
    # central differences of the function itself at eccentric orbits, all satellites moved their own way. A step
    # of 1e-6 leaves the third derivative, some (1e-6/0.03)^2 = 1e-9, and rounding 1e-16/1e-6 = 1e-10 absolute
    rng = np.random.default_rng(8)
    elements = walker("delta", 6, 3, 1.0, EARTH_RADIUS_M + 1e6, np.deg2rad(60.0))
    elements = elements._replace(e=np.full(6, 0.01), argp=rng.uniform(0, 6, 6))
    t = np.arange(3) * 900.0
    r_points, weight = places(60)

    def value(x: Elements):
        return smooth_fraction(x, rotations(t), t, r_points, weight, 2, edges=edges)

    gradient = jax.grad(value)(Elements(*(jnp.asarray(x) for x in elements)))
    for name, slope in zip(Elements._fields, gradient, strict=True):
        way = rng.uniform(-1.0, 1.0, 6)
        step = 1e-6 * (EARTH_RADIUS_M if name == "a" else 1.0)
        ahead, behind = (
            float(value(elements._replace(**{name: getattr(elements, name) + sign * step * way})))
            for sign in (1, -1)
        )
        along = float(np.asarray(slope) @ way)
        assert along == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-9 * 1e-6 / step)
        assert along != 0.0


def clumped() -> Elements:
    """Twelve satellites in three planes 20 deg apart, 25 deg apart in each."""
    rng = np.random.default_rng(2)
    base = walker("delta", 12, 3, 1.0, EARTH_RADIUS_M + 1e6, np.deg2rad(60.0))
    raan = np.repeat(np.deg2rad([0.0, 20.0, 40.0]), 4)
    anomaly = np.tile(np.deg2rad([0.0, 25.0, 50.0, 75.0]), 3)
    return base._replace(raan=raan, mean_anomaly=anomaly + rng.uniform(-0.02, 0.02, 12))


def test_polishing_spreads_a_clump():
    # the hard fraction, counted over a day at other points than one revolution was polished for: from a clump to
    # at least the Walker delta of as many satellites and planes (30 % to 94 % as against 83 %)
    elements, t = clumped(), np.arange(12) * 525.0
    r_points, weight = places(150)
    found = polish(elements, rotations(t), t, r_points, weight, 1, steps=25, width_rad=0.1)
    assert (np.diff(found.history) >= 0.0).all()
    after = smooth_fraction(found.elements, rotations(t), t, r_points, weight, 1, width_rad=0.1)
    assert float(after) == pytest.approx(found.history[-1], abs=1e-12)
    for name in ("a", "e", "i", "argp"):
        np.testing.assert_array_equal(getattr(found.elements, name), getattr(elements, name))
    elsewhere, t_later = places(400, seed=5), np.arange(40) * 2160.0
    even = walker("delta", 12, 3, 1.0, EARTH_RADIUS_M + 1e6, np.deg2rad(60.0))
    start, end, best = (hard_fraction(x, t_later, *elsewhere, 1) for x in (elements, found.elements, even))
    assert start < best
    assert end > best


def test_polishing_keeps_within_reach():
    elements, t = clumped(), np.arange(4) * 1500.0
    r_points, weight = places(60)
    found = polish(elements, rotations(t), t, r_points, weight, 1, free=("a", "e", "i"), steps=8)
    assert found.history[-1] > found.history[0]
    for name in ("a", "e", "i"):
        moved = np.abs(getattr(found.elements, name) - getattr(elements, name))
        assert moved.max() <= REACH[name] * (1 + 1e-12)
        assert moved.max() > 0.0
    assert (found.elements.e >= 0.0).all()


def test_polishing_where_nothing_can_be_gained():
    # every point sees it and will: all is 1, and what comes back is what went in
    elements, t = walker("delta", 20, 4, 1.0, 2.6e7, 1.0), np.zeros(1)
    r_points, weight = places(30)
    found = polish(elements, rotations(t), t, r_points, weight, 1, width_rad=1e-3, steps=5)
    assert found.history[0] == pytest.approx(1.0, abs=1e-12)
    assert found.history[-1] >= found.history[0]


def test_bad_questions():
    elements, t = clumped(), np.zeros(1)
    r_points, weight = places(3)
    with pytest.raises(ScenarioError, match="at least 0"):
        smooth_fraction(elements, rotations(t), t, r_points, weight, 0)
    with pytest.raises(ScenarioError, match="height cannot be polished") as caught:
        polish(elements, rotations(t), t, r_points, weight, 1, free=("height",))
    assert "mean_anomaly" in caught.value.remedy
