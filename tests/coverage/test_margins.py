"""Margins against closed forms, the plain functions of `earth`, and the simulator's sensors on the same geometry."""

import numpy as np
import pytest

from noroshi import earth
from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.coverage.margins import (
    Constraint,
    Scene,
    active,
    elevation,
    margin,
    margins,
    pick,
    reach_of,
    up_itrs,
    visible,
)
from noroshi.coverage.models import SPHERE, WGS84, Behind, Limits, Quality
from noroshi.errors import ScenarioError
from noroshi.sensors.look import opportunities
from noroshi.sensors.models import Infrared, Radar
from noroshi.sky import Sky
from noroshi.tables import Background, Ephemeris, Reason, Truth

DEG = np.pi / 180.0


def limits_of(count: int = 1, **stated) -> Limits:
    """Limits that are all off but those stated."""
    off = {
        "ground": False,
        "grazing_m": 0.0,
        "range_max_m": np.inf,
        "elevation_target_rad": -np.pi / 2,
        "cone_min_rad": 0.0,
        "cone_max_rad": np.pi,
        "behind": int(Behind.ANYTHING),
        "sun_rad": 0.0,
        "moon_rad": 0.0,
        "elevation_min_rad": -np.pi / 2,
        "elevation_max_rad": np.pi / 2,
        "facing_rad": 0.0,
        "azimuth_rad": np.pi,
    }
    return Limits(**{name: np.full(count, stated.get(name, value)) for name, value in off.items()})


def random_places(rng, count: int, low_m: float, high_m: float) -> np.ndarray:
    lat, lon = np.arcsin(rng.uniform(-1, 1, count)), rng.uniform(-np.pi, np.pi, count)
    return earth.itrs_from_geodetic(lat, lon, rng.uniform(low_m, high_m, count))


def close_pairs(rng, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Satellites and targets whose lines of sight lie around the horizon as often as not."""
    sensor = random_places(rng, count, 300e3, 2000e3)
    target = sensor / np.linalg.norm(sensor, axis=1)[:, None] + rng.normal(0.0, 0.35, (count, 3))
    target *= (
        EARTH_RADIUS_M
        / np.linalg.norm(target / [1, 1, EARTH_POLAR_RADIUS_M / EARTH_RADIUS_M], axis=1)[:, None]
    )
    return sensor, target * (1.0 + rng.uniform(1e3, 300e3, count)[:, None] / EARTH_RADIUS_M)


def on_circle(angle, height):
    """Places over the sphere's equator."""
    return (EARTH_RADIUS_M + height) * np.stack(
        np.broadcast_arrays(np.cos(angle), np.sin(angle), 0.0 * angle), axis=-1
    )


def test_same_sign_as_the_functions_of_earth():
    # the same comparisons written twice: no disagreement is allowed, on 200,000 pairs around the horizon
    rng = np.random.default_rng(1)
    a, b = close_pairs(rng, 200_000)
    scene = Scene(a, b)
    clear = earth.occlusion_margin(a, b) >= 0.0
    found = margins(limits_of(grazing_m=80e3, behind=int(Behind.EARTH)), scene)
    np.testing.assert_array_equal(found[Constraint.OCCLUSION] >= 0.0, clear)
    both = np.minimum(found[Constraint.OCCLUSION], found[Constraint.GRAZING]) >= 0.0
    np.testing.assert_array_equal(both, earth.grazing_clear(a, b, 80e3))
    behind = earth.earth_behind_margin(a, b) > 0.0
    np.testing.assert_array_equal(found[Constraint.BACKGROUND] >= 0.0, behind)
    space = margins(limits_of(behind=int(Behind.SPACE)), scene)[Constraint.BACKGROUND]
    np.testing.assert_array_equal(space >= 0.0, ~behind)
    for decision in (clear, both, behind):
        assert 0.1 < decision.mean() < 0.9


@pytest.mark.parametrize("target_m", [0.0, 40e3, 1500e3])
def test_occlusion_is_an_angle_at_the_edge(target_m):
    # closed form on the sphere: the horizons of both meet at acos(R/a) + acos(R/b); one radian past it, minus one.
    # 1e-4 rad off the edge the cosine is off by 1e-4 / 2 relative, times cot of the angle (below 3)
    reach = np.arccos(EARTH_RADIUS_M / (EARTH_RADIUS_M + 1000e3)) + np.arccos(
        EARTH_RADIUS_M / (EARTH_RADIUS_M + target_m)
    )
    off = np.array([-1e-4, 0.0, 1e-4])
    scene = Scene(on_circle(np.zeros(3), 1000e3), on_circle(reach + off, target_m), SPHERE)
    found = margin(limits_of(), scene)
    np.testing.assert_allclose(
        found, -off, rtol=3e-4, atol=1e-8
    )  # a target on the ground: sqrt of the rounding


def test_limb_elevation_cone_and_range_on_the_sphere():
    # a target at 40 km on the limb of a satellite at 1,000 km stands at elevation -acos(R/(R + h)) = -6.40 deg,
    # and asin(R/a) off nadir, at sqrt(a^2 - R^2) + sqrt(b^2 - R^2)
    a, b = EARTH_RADIUS_M + 1000e3, EARTH_RADIUS_M + 40e3
    reach = np.arccos(EARTH_RADIUS_M / a) + np.arccos(EARTH_RADIUS_M / b)
    scene = Scene(on_circle(np.zeros(1), 1000e3), on_circle(np.array([reach]), 40e3), SPHERE)
    low, nadir = -np.arccos(EARTH_RADIUS_M / b), np.arcsin(EARTH_RADIUS_M / a)
    far = np.sqrt(a * a - EARTH_RADIUS_M**2) + np.sqrt(b * b - EARTH_RADIUS_M**2)
    assert low == pytest.approx(-6.40 * DEG, abs=0.005 * DEG)
    assert elevation(limits_of(), scene)[0] == pytest.approx(low, abs=1e-12)
    for x in (-1e-4, 1e-4):
        found = margins(
            limits_of(
                elevation_target_rad=low - x,
                cone_max_rad=nadir + x,
                cone_min_rad=nadir - x,
                range_max_m=far * (1 + x),
            ),
            scene,
        )
        for constraint in (Constraint.ELEVATION_TARGET, Constraint.CONE_MAX, Constraint.CONE_MIN):
            assert found[constraint][0] == pytest.approx(x, rel=2e-3)  # to first order
        assert found[Constraint.RANGE][0] == pytest.approx(x, rel=2e-4)


def test_nadir_and_horizon_are_geodetic():
    # the normal of the ellipsoid misses the Earth's centre by up to 0.19 deg at 45 deg of latitude
    r = earth.itrs_from_geodetic(45 * DEG, 0.3, 700e3)
    foot = earth.itrs_from_geodetic(45 * DEG, 0.3, 0.0)
    np.testing.assert_allclose(up_itrs(r), earth.up_itrs(45 * DEG, 0.3), rtol=0, atol=1e-11)
    limits = limits_of(cone_max_rad=1e-3 * DEG, elevation_target_rad=(90 - 1e-3) * DEG)
    assert margin(limits, Scene(r[None], foot[None]))[0] > 0.0
    inward = r * (1.0 - 700e3 / np.linalg.norm(r))
    assert margin(limits, Scene(r[None], inward[None]))[0] < 0.0
    assert margin(limits, Scene(r[None], inward[None], SPHERE))[0] > 0.0


@pytest.mark.parametrize("half_deg", [20.0, 90.0, 120.0, 179.0])
@pytest.mark.parametrize("facing_deg", [0.0, 75.0, -170.0])
def test_azimuth_field(half_deg, facing_deg):
    # targets placed by azimuth and elevation in the site's own east, north, up
    rng = np.random.default_rng(3)
    site = earth.itrs_from_geodetic(35 * DEG, 139 * DEG, 100.0)
    az, el = rng.uniform(-np.pi, np.pi, 5000), rng.uniform(2 * DEG, 89 * DEG, 5000)
    level = np.cos(el)
    enu = np.stack([level * np.sin(az), level * np.cos(az), np.sin(el)], axis=-1)
    target = site + 500e3 * enu @ earth.enu_from_itrs(35 * DEG, 139 * DEG)
    limits = limits_of(ground=True, facing_rad=facing_deg * DEG, azimuth_rad=half_deg * DEG)
    off = np.abs(np.mod(az - facing_deg * DEG + np.pi, 2 * np.pi) - np.pi)
    found = margins(limits, Scene(np.broadcast_to(site, target.shape), target))[Constraint.AZIMUTH]
    clear_of_edge = np.abs(off - half_deg * DEG) > 1e-9
    np.testing.assert_array_equal((found >= 0)[clear_of_edge], (off <= half_deg * DEG)[clear_of_edge])
    if half_deg <= 90.0:
        # sine of the distance to the plane of the nearer edge, on the sphere of directions
        np.testing.assert_allclose(found, level * np.sin(half_deg * DEG - off), rtol=0, atol=1e-9)


def test_ground_and_space_have_limits_of_their_own():
    both = limits_of(
        2, cone_max_rad=1.0, behind=int(Behind.SPACE), sun_rad=0.1, grazing_m=1e4, elevation_target_rad=0.0,
        elevation_min_rad=0.1, elevation_max_rad=1.0, azimuth_rad=1.0, range_max_m=1e6,
    )._replace(ground=np.array([False, True]))  # fmt: skip
    of_space = {Constraint.CONE_MAX, Constraint.BACKGROUND, Constraint.SUN, Constraint.GRAZING}
    of_ground = {Constraint.ELEVATION_MIN, Constraint.ELEVATION_MAX, Constraint.AZIMUTH}
    for constraint in Constraint:
        space, ground = active(both, constraint)
        assert space == (
            constraint in of_space | {Constraint.ELEVATION_TARGET} or constraint in (0, Constraint.RANGE)
        )
        assert ground == (constraint in of_ground or constraint in (0, Constraint.RANGE))


def test_hidden_sun_excludes_nothing():
    # a satellite over the night side, looking along the line to a Sun behind the Earth at the limb of which it looks
    sun = np.array([[1.5e11, 0.0, 0.0]])
    sensor = np.array([[-7.378e6, 0.0, 0.0]])
    target = np.array([[-3e6, 0.0, 6.6e6]])
    line = (target - sensor)[0]
    angle = np.arccos(line[0] / np.linalg.norm(line))
    limits = limits_of(sun_rad=angle + 0.05)
    assert margins(limits, Scene(sensor, target, sun=sun))[Constraint.SUN][0] > 0.0
    lit = np.array([[-3e6, 0.0, 7.378e6]])
    ahead = lit + np.array([1e6, 0.0, 0.0])
    found = margins(limits_of(sun_rad=0.02), Scene(lit, ahead, sun=sun))[Constraint.SUN][0]
    # towards the Sun within 7.4e6 / 1.5e11 = 5e-5 rad, half the square of which over 0.02 is 6e-8; the cosine form
    # of a line at the Sun is -(1 - cos x) / sin x = -tan(x / 2)
    assert found == pytest.approx(-np.tan(0.01), abs=7e-8)


def test_sun_without_a_place():
    with pytest.raises(ScenarioError, match="Sun"):
        margin(limits_of(sun_rad=0.1), Scene(np.array([[7e6, 0, 0]]), np.array([[6.5e6, 0, 0]])))


def test_shapes_and_picking():
    rng = np.random.default_rng(4)
    a = random_places(rng, 12, 5e5, 1e6).reshape(4, 3, 3)
    fixed, moving = random_places(rng, 5, 0.0, 5e4), random_places(rng, 20, 0.0, 5e4).reshape(4, 5, 3)
    limits = limits_of(3)._replace(range_max_m=np.array([1e6, 3e6, np.inf]))
    for points in (fixed, moving):
        seen = visible(limits, a, points)
        assert seen.shape == (4, 3, 5)
        for t, s, p in np.ndindex(seen.shape):
            b = points[p] if points.ndim == 2 else points[t, p]
            assert seen[t, s, p] == (
                margin(pick(limits, np.array([s])), Scene(a[t, s][None], b[None]))[0] >= 0.0
            )


def test_brightness_by_what_is_behind():
    # snr = gain / range^power compared with its threshold, with the gain of the background that `earth` finds
    rng = np.random.default_rng(6)
    a, b = close_pairs(rng, 20_000)
    distance = np.linalg.norm(b - a, axis=1)
    gain = np.where(earth.earth_behind_margin(a, b) > 0.0, 2e12, 3e13)
    for power, scale in ((2.0, 1.0), (4.0, 4e12)):
        one = np.ones(1)
        quality = Quality(
            *(0 * one for _ in range(5)), gain_space=3e13 * scale * one, gain_earth=2e12 * scale * one,
            power=power * one, threshold=4.0 * one,
        )  # fmt: skip
        found = margins(limits_of(), Scene(a, b, reach=reach_of(quality)))[Constraint.BRIGHTNESS] >= 0.0
        np.testing.assert_array_equal(found, gain * scale / distance**power >= 4.0)
        assert 0.1 < found.mean() < 0.9
        seen = visible(limits_of(), a[:, None], b[:, None], quality=quality)[:, 0, 0]
        np.testing.assert_array_equal(seen, found & (earth.occlusion_margin(a, b) >= 0.0))
        never = reach_of(quality._replace(threshold=0 * one))
        assert Constraint.BRIGHTNESS not in margins(limits_of(), Scene(a, b, reach=never))


INFRARED = Infrared(
    band="mwir", field_cone_rad=72 * DEG, grazing_height_m=60e3, cloud_top_m=-1e5, background=int(Background.SPACE),
    range_max_m=4500e3, nei_space_w_m2=1e-12, nei_earth_w_m2=1e-12, threshold_snr=5.0, p_detect_max=0.95,
    sigma_floor_rad=1e-4, pixel_rad=1e-4, false_alarms_per_scan=0.0, p_detect_assumed=0.9, scan_period_s=10.0,
    scan_offset_s=0.0, processing_s=0.0, snr_stated=100.0, sun_exclusion_rad=40 * DEG, moon_exclusion_rad=30 * DEG,
)  # fmt: skip
RADAR = Radar(
    facing_rad=40 * DEG, field_azimuth_rad=70 * DEG, elevation_min_rad=3 * DEG, elevation_max_rad=70 * DEG,
    range_max_m=1500e3, range_reference_m=1500e3, rcs_reference_m2=1.0, snr_reference=1e3, p_false_alarm=1e-6,
    sigma_range_m=30.0, sigma_angle_rad=1e-3, beamwidth_rad=0.02, range_resolution_m=30.0, false_alarms_per_scan=0.0,
    p_detect_assumed=0.9, scan_period_s=10.0, scan_offset_s=0.0, processing_s=0.0,
)  # fmt: skip
FAILS = {
    Constraint.OCCLUSION: Reason.BELOW_HORIZON,
    Constraint.CONE_MAX: Reason.OUT_OF_FIELD,
    Constraint.RANGE: Reason.OUT_OF_RANGE,
    Constraint.GRAZING: Reason.BELOW_GRAZING,
    Constraint.BACKGROUND: Reason.EARTH_BEHIND,
    Constraint.SUN: Reason.SUN_EXCLUSION,
    Constraint.MOON: Reason.MOON_EXCLUSION,
    Constraint.ELEVATION_MIN: Reason.OUT_OF_FIELD,
    Constraint.ELEVATION_MAX: Reason.OUT_OF_FIELD,
    Constraint.AZIMUTH: Reason.OUT_OF_FIELD,
}


def test_same_reasons_as_the_simulator():
    # random geometry through `sensors.look`, in which another code judges the same limits in its own order; the only
    # allowance there, 1e-12 at the edge of a field, is not met by chance
    rng = np.random.default_rng(5)
    times, count = 40, 60
    sensors = (
        [INFRARED] * 4
        + [INFRARED._replace(background=int(Background.ANY), sun_exclusion_rad=0.0)]
        + [RADAR] * 2
    )
    names = tuple(f"s{k}" for k in range(len(sensors)))
    r = np.empty((times, len(sensors), 3))
    r[:, :5] = random_places(rng, times * 5, 400e3, 1500e3).reshape(times, 5, 3)
    r[:, 5:] = earth.itrs_from_geodetic(np.array([35.0, -20.0]) * DEG, np.array([139.0, 10.0]) * DEG, 50.0)
    near = rng.integers(0, len(sensors), (times, count))
    b = np.take_along_axis(r, near[:, :, None], axis=1)
    b = b / np.linalg.norm(b, axis=-1)[..., None] + rng.normal(0.0, 0.25, b.shape)
    b *= (EARTH_RADIUS_M + rng.uniform(30e3, 400e3, b.shape[:2]))[..., None] / np.linalg.norm(b, axis=-1)[
        ..., None
    ]
    body = rng.normal(size=(2, times, 3))
    body /= np.linalg.norm(body, axis=-1)[..., None]
    sun, moon = 1.5e11 * body[0], 3.8e8 * body[1]
    t = np.arange(times, dtype=float)
    ones, v = np.ones((times, count)), rng.normal(0.0, 5e3, r.shape)
    truth = Truth(
        tuple(f"t{k}" for k in range(count)), ("mwir",), t, b, np.zeros_like(b), ones.astype(np.int8), ones > 0,
        np.full((times, count, 1), 1e6), np.full(count, 10.0), np.zeros(count), np.full(count, np.inf),
    )  # fmt: skip
    still = np.broadcast_to(np.eye(3), (times, 3, 3))
    reason = opportunities(sensors, Ephemeris(names, t, r, v), truth, still, Sky(sun, moon)).reason
    space = np.arange(len(sensors)) < 5
    limits = limits_of(len(sensors), range_max_m=4500e3, grazing_m=60e3, cone_max_rad=72 * DEG, moon_rad=30 * DEG,
        sun_rad=40 * DEG, behind=int(Behind.SPACE), elevation_min_rad=3 * DEG, elevation_max_rad=70 * DEG,
        facing_rad=40 * DEG, azimuth_rad=70 * DEG,
    )  # fmt: skip
    limits = limits._replace(ground=~space, range_max_m=np.where(space, 4500e3, 1500e3))
    limits.behind[4], limits.sun_rad[4] = int(Behind.ANYTHING), 0.0
    seen = visible(limits, r, b, sun_itrs=sun, moon_itrs=moon)
    np.testing.assert_array_equal(seen, np.isin(reason, [Reason.MISSED, Reason.BELOW_THRESHOLD]))
    each = margins(
        Limits(*(column[:, None] for column in limits)),
        Scene(r[:, :, None], b[:, None], WGS84, sun[:, None, None], moon[:, None, None]),
    )
    for constraint in reversed(each):
        failed = each[constraint] < 0.0
        assert failed.any(), constraint
    for wanted in set(FAILS.values()):
        assert (reason == wanted).sum() > 10, wanted
        causes = [each[c] < 0.0 for c, name in FAILS.items() if name == wanted]
        assert np.any(causes, axis=0)[reason == wanted].all()
