"""Every pair in JAX against the culled kernel: the same counts in float64; float32 differs at the limb only."""

import numpy as np
import pytest
from scenes import DEG, Case, counts, orbits, scene_of, sites
from test_count import ALL, MOON, SUN, T

from noroshi.coverage import dense
from noroshi.coverage import points as grids
from noroshi.coverage.layout import itrs, layout
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.margins import Constraint, Scene, margins, pick
from noroshi.coverage.models import SPHERE, WGS84

N = 24
LEO = orbits(1000e3, 60.0, 4, 6, T)
RADARS = sites(T, (90.0, 0.0), (35.0, 139.0), (-54.0, -70.0))
FIELD = Limit(ground=True, range_max_m=3000e3, facing_rad=350 * DEG, azimuth_rad=60 * DEG, elevation_min_rad=3 * DEG,
    elevation_max_rad=60 * DEG)  # fmt: skip
FAINT = Figures(50e-6, gain_space=5 * 4000e3**2, gain_earth=5 * 2000e3**2, threshold=5.0)
RADAR = Figures(1e-3, gain_space=20 * 2000e3**4, gain_earth=20 * 2000e3**4, power=4.0, threshold=20.0)


def dense_counts(case: Case, precision: str = "float64") -> np.ndarray:
    grid = layout(case.points, case.body)
    found = dense.counts(
        scene_of(case, grid), grid, case.all_quality, 0, len(case.r_sensor), precision=precision
    )
    return found[:, np.argsort(grid.order)]


@pytest.mark.parametrize("body", [WGS84, SPHERE], ids=lambda b: b.name)
@pytest.mark.parametrize("limited", [False, True], ids=["plain", "all limits"])
def test_double_precision_is_the_culled_count(limited: bool, body):
    points = grids.fibonacci(600, 0.0)
    points = points._replace(height_m=np.random.default_rng(1).uniform(0.0, 1200e3, 600))
    case = Case(LEO, points, body)
    if limited:
        r = np.concatenate([LEO, RADARS], axis=1)
        kinds = [Limit(**ALL), Limit(grazing_m=80e3, sun_rad=60 * DEG), Limit(elevation_target_rad=10 * DEG)]
        limits = table((kinds * N)[:N] + [FIELD] * 3)
        case = Case(r, points, body, limits, quality([FAINT] * N + [RADAR] * 3), SUN, MOON)
    expected = counts(case)
    assert expected.any()
    np.testing.assert_array_equal(dense_counts(case), expected)


def test_single_precision_differs_at_the_limb_only():
    # eps is 6e-8; a dot product of four terms of about 1 is off by some 6e-7 at most, and the limb's angle by that over
    # the two roots' sum, 0.6 here: 1e-6 rad. Every count that differs has a sensor so close to its edge.
    points = grids.fibonacci(4000, 40e3)
    case = Case(orbits(1000e3, 60.0, 12, 12, T), points)
    single, double = dense_counts(case, "float32"), counts(case)
    k, p = np.nonzero(single != double)
    assert len(k) <= 1e-4 * double.size
    target = itrs(points, WGS84)[p]
    scene = Scene(case.r_sensor[k], np.repeat(target[:, None], case.r_sensor.shape[1], axis=1))
    limits = pick(case.all_limits, np.arange(case.r_sensor.shape[1]))
    margin = margins(limits, scene, [Constraint.OCCLUSION])[Constraint.OCCLUSION]
    close = (np.abs(margin) < 1e-6).sum(1)
    assert (np.abs(single - double)[k, p] <= close).all()
