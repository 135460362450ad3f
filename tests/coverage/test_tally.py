"""Tallies against sums and runs in plain NumPy and by hand: whole numbers, so equality everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import DEG, scattered

from noroshi.coverage import points as grids
from noroshi.coverage import tally
from noroshi.coverage.figures import by_latitude, figures, overall
from noroshi.coverage.layout import layout
from noroshi.coverage.models import SPHERE, Coverage, Points
from noroshi.sensors.triangulation import covariance, information, rss


def tallied(counts: np.ndarray, weight: np.ndarray, first: int = 0, sensors: int = 9) -> tally.Tally:
    """A tally of counts [time, point]."""
    found = tally.empty(counts.shape[1], len(counts), sensors, 4, stereo=False, errors=False)
    tally.add_counts(found, first, counts.astype(np.int32), tally.whole_units(weight))
    return found


def covered(points: Points, counts: np.ndarray, step_s: float = 60.0) -> Coverage:
    """Figures of counts [time, point] in the points' own order."""
    grid = layout(points, SPHERE)
    found = tallied(counts[:, grid.order], points.weight[grid.order])
    return figures(points, ("a",) * 9, step_s * np.arange(len(counts)), step_s, None, found, grid)


@pytest.fixture
def counts() -> np.ndarray:
    """Half of them zero, so that there are runs."""
    rng = np.random.default_rng(2)
    return rng.integers(0, 8, (40, 30)) * rng.integers(0, 2, (40, 30))


def runs(column: np.ndarray) -> list[tuple[int, int]]:
    """Beginning and length of the runs of zeros."""
    found = []
    for k, n in enumerate(column):
        if n == 0 and (k == 0 or column[k - 1] != 0):
            found.append((k, 1))
        elif n == 0:
            found[-1] = (found[-1][0], found[-1][1] + 1)
    return found


def test_sums_of_every_kind(counts: np.ndarray):
    weight = np.random.default_rng(3).uniform(1.0, 2.0, counts.shape[1])
    weight /= weight.sum()
    found, units = tallied(counts, weight, first=100), tally.whole_units(weight)
    np.testing.assert_array_equal(found.total, counts.sum(0))
    np.testing.assert_array_equal(found.least, counts.min(0))
    np.testing.assert_array_equal(found.most, counts.max(0))
    for fold in range(4):
        np.testing.assert_array_equal(found.at_least[:, fold], (counts > fold).sum(0))
    for fold in range(10):
        assert found.histogram[fold] == ((counts == fold) @ units).sum()
    np.testing.assert_array_equal(found.first, 100 + np.argmax(counts > 0, axis=0))
    np.testing.assert_array_equal(found.last, 139 - np.argmax(counts[::-1] > 0, axis=0))
    for p in range(counts.shape[1]):
        inner = [n for k, n in runs(counts[:, p]) if k > 0 and k + n < len(counts)]
        assert found.gaps[p] == len(inner)
        assert found.longest[p] == max(inner, default=0)
        assert found.waits[p] == sum(n * (n + 1) // 2 for n in inner)
    # by time: shares of a sum of weights in units of 2**-40, whose rounding is 30 halves of it at most
    np.testing.assert_allclose(found.mean_at, counts @ weight, rtol=1e-9)
    np.testing.assert_array_equal(found.least_at, counts.min(1))
    np.testing.assert_allclose(found.share_at[:, 1], (counts > 1) @ weight, rtol=1e-9)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 30), min_size=2, max_size=2))
def test_joining_is_associative_and_exact(seed: int, cuts: list[int]):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (30, 6)) * (rng.uniform(size=(30, 6)) < rng.choice([0.02, 0.3, 0.9]))
    weight = np.full(6, 1.0 / 6.0)
    a, b = sorted(cuts)
    one, two, three = (tallied(counts[i:j], weight, first=i) for i, j in ((0, a), (a, b), (b, 30)))
    whole = tallied(counts, weight)
    for joined in (tally.join(tally.join(one, two), three), tally.join(one, tally.join(two, three))):
        for name, expected, value in zip(tally.Tally._fields, whole, joined, strict=True):
            np.testing.assert_array_equal(value, expected, err_msg=name)


def test_gaps_by_hand():
    # ten minutes at four places; the figures are counted off on the rows
    rows = {
        "edges and middle": [0, 0, 1, 1, 0, 1, 0, 0, 0, 0],
        "never": [0] * 10,
        "always": [1, 2, 1, 2, 1, 2, 1, 2, 1, 2],
        "middle": [1, 0, 0, 0, 1, 1, 0, 1, 1, 0],
        "middle as long as the edge": [0, 0, 1, 0, 0, 1, 1, 1, 1, 1],
    }
    points = scattered(np.array([50.0, -20.0, 0.0, 20.0, 21.0]) * DEG, 0.0, 0.0)
    found = covered(points, np.array(list(rows.values())).T)
    np.testing.assert_array_equal(found.longest_gap_s, [240, 600, 0, 180, 120])
    np.testing.assert_array_equal(found.gap_truncated, [True, True, False, False, True])
    np.testing.assert_array_equal(found.gaps, [3, 1, 0, 3, 2])
    np.testing.assert_allclose(found.mean_gap_s, [140, 600, 0, 100, 120], rtol=1e-15)
    # waits: 2+1, 1, 4+3+2+1 | 10+..+1 | none | 3+2+1, 1, 1 | 2+1, 2+1; times a minute, over ten samples
    np.testing.assert_allclose(found.mean_response_s, [84, 330, 0, 48, 36], rtol=1e-15)
    np.testing.assert_array_equal(found.first_look_s, [120, np.nan, 0, 0, 120])
    np.testing.assert_array_equal(found.mean_fold, [0.3, 0.0, 1.5, 0.5, 0.6])
    whole = overall(found)
    assert whole["longest_gap_s"] == 600
    assert whole["gap_truncated"]
    assert whole["never_seen"] == pytest.approx(0.2, rel=1e-12)
    assert whole["first_look_s"] == pytest.approx(60.0, rel=1e-12)
    # all uncovered time over all runs: 7 + 10 + 5 + 4 minutes in 3 + 1 + 3 + 2 runs
    assert whole["mean_gap_s"] == pytest.approx(26 / 9 * 60, rel=1e-12)


def test_the_worst_gap_is_flagged_whichever_place_has_it():
    # two places share the worst gap; it is cut short at one of them only
    points = scattered(np.array([10.0, -10.0]) * DEG, 0.0, 0.0)
    rows = np.array([[1, 0, 0, 1, 1, 1], [1, 1, 1, 1, 0, 0]]).T
    assert overall(covered(points, rows))["gap_truncated"]
    assert not overall(covered(points, np.array([[1, 0, 0, 1, 1, 1]] * 2).T))["gap_truncated"]


@pytest.mark.parametrize(
    "points",
    [
        grids.fibonacci(9973, 40e3),
        grids.latlon(37, 91, 40e3),
        grids.box(0.1, 0.4, 3.0, -3.0, 0.0, grids.Density(count=777)),
    ],
    ids=lambda p: p.kind,
)
def test_covered_everywhere_is_exactly_one(points: Points):
    # a need of 100 % is met by full cover, whatever the weights' rounding; and no cover is exactly none
    full = covered(points, np.full((3, len(points.lat_rad)), 3))
    whole = overall(full)
    assert whole["fraction_at_least"] == {"1": 1.0, "2": 1.0, "3": 1.0, "4": 0.0}
    assert whole["mean_fold"] == pytest.approx(3.0, rel=1e-14)
    assert whole["never_seen"] == 0.0
    for band in by_latitude(full):
        assert band["fraction_at_least"] == {"1": 1.0, "2": 1.0, "3": 1.0, "4": 0.0}
    assert overall(covered(points, np.zeros((3, len(points.lat_rad)), int)))["never_seen"] == 1.0
    counts = np.full((3, len(points.lat_rad)), 3)
    counts[1, 5] = 0
    assert overall(covered(points, counts))["fraction_at_least"]["1"] < 1.0


def test_averages_are_by_area():
    # a cap north of 60 N counted twice, the rest once: sin 60 deg splits the sphere's area 6.699 % to 93.301 %
    points = grids.latlon(36, 24, 0.0)
    north = points.lat_rad > 60 * DEG
    found = covered(points, np.broadcast_to(np.where(north, 2, 1), (2, len(north))))
    cap = (1 - np.sin(60 * DEG)) / 2
    whole = overall(found)
    assert whole["mean_fold"] == pytest.approx(1 + cap, rel=1e-12)
    assert whole["fraction_at_least"]["2"] == pytest.approx(cap, rel=1e-12)
    # in whole units of 2**-40 of the area, 864 of them rounded
    np.testing.assert_allclose(found.histogram, [0, 1 - cap, cap], atol=864 * 2.0**-41)
    np.testing.assert_allclose(found.mean_at, 1 + cap, rtol=864 * 2.0**-41)
    bands = by_latitude(found)
    assert [band["mean_fold"] for band in bands] == pytest.approx([1.0] * 15 + [2.0] * 3, rel=1e-14)
    edges = np.sin(np.arange(-90, 91, 10) * DEG)
    np.testing.assert_allclose([band["weight"] for band in bands], np.diff(edges) / 2, rtol=1e-12)
    assert [(band["south_deg"], band["north_deg"]) for band in bands[:2]] == [(-90.0, -80.0), (-80.0, -70.0)]


def test_percentiles_are_those_of_area_and_time(counts: np.ndarray):
    points = scattered(np.linspace(-80, 80, counts.shape[1]) * DEG, 0.0, 0.0)
    expected = np.percentile(counts, [5, 25, 50, 75, 95], method="inverted_cdf")
    assert list(overall(covered(points, counts))["percentiles"].values()) == list(expected)


def test_quantiles_of_errors_within_a_bin():
    # bins are 10**(1/20) wide, 12 %: interpolating inside one cannot be off by more
    error = np.random.default_rng(5).lognormal(np.log(200.0), 1.0, 4001)
    bins = np.bincount((20 * np.log10(np.maximum(error, 1.0))).astype(int), minlength=120)
    for share in (0.05, 0.5, 0.95):
        assert tally.quantile(bins, share) == pytest.approx(np.quantile(error, share), rel=10 ** (1 / 20) - 1)
    assert np.isnan(tally.quantile(np.zeros(120, int), 0.5))


@given(st.integers(0, 2**32 - 1))
def test_position_error_is_the_root_of_the_inverse_trace(seed: int):
    # random information matrices with eigenvalues five decades apart, against LAPACK; conditioning costs 5 digits of 16
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    j = (q * 10.0 ** rng.uniform(-6, -3.5, 3)) @ q.T
    packed = j[[0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]
    assert tally.position_error(packed) == pytest.approx(np.sqrt(np.trace(np.linalg.inv(j))), rel=1e-9)


def test_flat_information_fixes_nothing():
    u = np.array([0.6, 0.0, 0.8])
    j = np.eye(3) - np.outer(u, u)
    assert tally.position_error(j[[0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]) == np.inf
    assert tally.position_error(np.zeros(6)) == np.inf


def test_no_weight_vanishes():
    assert tally.whole_units(np.array([1.0, 1e-15])).min() == 1


@pytest.mark.parametrize("sigma_range_m", [100.0, 1.0, 0.1])
def test_a_radar_of_precise_range_fixes_a_position(sigma_range_m: float):
    # 1 mrad at 4,000 km is 4 km across, twice: whatever the range is worth; by sensors.triangulation, another method
    direction = np.array([[0.6, 0.48, 0.64]])
    j = information(direction, 4e6, 1e-3, sigma_range_m)
    expected = rss(covariance(direction, 4e6, 1e-3, sigma_range_m))
    assert expected == pytest.approx(np.sqrt(2.0) * 4e3, rel=1e-3)
    # the eigenvalues span ten decades at most: 1e-16 of the largest is 1e-6 of the smallest
    assert tally.position_error(j[[0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]) == pytest.approx(
        expected, rel=1e-5
    )
