"""The compiled geometry against noroshi.earth, and each rule of what a scan can see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_scans import observe, radar, satellite

from noroshi import earth
from noroshi.constants import EARTH_RADIUS_M
from noroshi.tables import Background
from noroshi.tracking import visible
from noroshi.tracking.columns import pack_scans


def points(rng, n, low, high):
    """Points all round at heights between low and high, m."""
    lat = np.arcsin(rng.uniform(-1, 1, n))
    return earth.itrs_from_geodetic(lat, rng.uniform(-np.pi, np.pi, n), rng.uniform(low, high, n))


def test_height_is_that_of_the_ellipsoid():
    r = points(np.random.default_rng(1), 2000, -5e3, 2e6)
    got = [visible.height(*p) for p in r]
    np.testing.assert_allclose(got, earth.geodetic_from_itrs(r)[2], atol=1e-5)


def test_geometry_is_that_of_earth():
    # pairs near the limb, so that every rule goes both ways
    rng = np.random.default_rng(2)
    sensors = points(rng, 6000, 300e3, 2e6)
    targets = points(rng, 6000, 1e3, 900e3)
    near = np.linalg.norm(sensors - targets, axis=1) < 6e6
    sensors, targets = sensors[near], targets[near]
    for raised in (0.0, 20e3, 80e3):
        margin = [visible.occlusion_margin(*s, *t, raised) for s, t in zip(sensors, targets, strict=True)]
        np.testing.assert_allclose(margin, earth.occlusion_margin(sensors, targets, raised), atol=1e-13)
        clear = np.array(
            [visible.grazing_clear(*s, *t, raised) for s, t in zip(sensors, targets, strict=True)]
        )
        np.testing.assert_array_equal(clear, earth.grazing_clear(sensors, targets, raised))
        assert 0.05 < clear.mean() < 0.95
    behind = np.array([visible.earth_behind(*s, *t) for s, t in zip(sensors, targets, strict=True)])
    seen = earth.occlusion_margin(sensors, targets) >= 0.0
    np.testing.assert_array_equal(behind[seen], earth.earth_behind_margin(sensors, targets)[seen] > 0.0)
    assert 0.05 < behind[seen].mean() < 0.95


def row(sensor):
    scans, _, _ = observe(np.random.default_rng(0), np.zeros(1), [sensor], np.zeros((1, 0, 3)))
    return pack_scans(scans)[0], scans


@pytest.fixture(scope="module")
def overhead():
    """A satellite 1000 km above 0 N 0 E."""
    return satellite(np.zeros(1), EARTH_RADIUS_M + 1e6, np.radians(80.0), 0.0, 0.0)


def at(lon_deg, h, lat_deg=0.0):
    return earth.itrs_from_geodetic(np.radians(lat_deg), np.radians(lon_deg), h)


def test_infrared_rules(overhead):
    scan, scans = row(overhead)
    assert visible.in_view(at(5.0, 30e3), scan)
    assert not visible.in_view(at(5.0, 7e3), scan), "below the cloud top of 8 km"
    assert visible.in_view(at(5.0, 9e3), scan)
    assert not visible.in_view(at(60.0, 30e3), scan), "the Earth is in between"
    # the limb of a 1000 km orbit lies 59.8 deg from nadir and 30.2 deg away; a target 2 deg beyond, at 100 km, is
    # seen past the limb at a grazing height of some 10 km: above the ground, below the 20 km that are asked for
    far = at(34.0, 100e3)
    assert earth.occlusion_margin(overhead.r[0], far) > 0.0
    expected = bool(earth.grazing_clear(overhead.r[0], far, 20e3))
    assert visible.in_view(far, scan) == expected
    narrow = pack_scans(replace(scans, field_cone_rad=np.radians([20.0])))[0]
    assert visible.in_view(at(2.0, 30e3), narrow)
    assert not visible.in_view(at(5.0, 30e3), narrow), "27 deg from nadir, outside a cone of 20"
    short = pack_scans(replace(scans, range_max_m=np.array([1.1e6])))[0]
    assert visible.in_view(at(2.0, 30e3), short)
    assert not visible.in_view(at(6.0, 30e3), short), "1190 km away"
    space = pack_scans(replace(scans, background=np.array([Background.SPACE], np.int8)))[0]
    assert not visible.in_view(at(5.0, 30e3), space), "the Earth lies behind"
    limb = at(31.0, 150e3)
    assert visible.in_view(limb, space), "seen past the limb, space behind"


def test_grazing_height_decides_at_the_limb(overhead):
    _, scans = row(overhead)
    target = at(31.0, 150e3)
    answers = []
    for h in (0.0, 60e3, 149e3):
        scan = pack_scans(replace(scans, grazing_height_m=np.array([h])))[0]
        answers.append(bool(visible.in_view(target, scan)))
        assert answers[-1] == bool(earth.grazing_clear(overhead.r[0], target, h))
    assert answers[0]
    assert not answers[-1]


def test_radar_rules():
    site = radar(np.zeros(1), 0.0, 0.0, 90.0)  # looks east
    scan, _ = row(site)
    assert visible.in_view(at(5.0, 200e3), scan)
    assert not visible.in_view(at(-5.0, 200e3), scan), "behind the antenna"
    assert not visible.in_view(at(5.0, 20e3), scan), "elevation below 5 deg"
    assert not visible.in_view(at(0.01, 200e3), scan), "elevation above 85 deg"
    assert not visible.in_view(at(17.5, 900e3), scan), "beyond 2000 km"
