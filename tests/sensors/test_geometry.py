"""Geometry of looks on the exact ellipsoid, in frames that turn: limbs, horizons, axes, directions.

Angles of the limb come from the closed form on the equator, or were computed from the tangent lines of the
scaled sphere (acos(1/|S'|) + acos(1/|T'|) on the scaled points, turned into geodetic latitude).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sensor_scenes import INFRARED, RADAR, place, still

from noroshi.earth import geodetic_from_itrs
from noroshi.frames import rotate_back
from noroshi.sensors.axes import azimuth_elevation, direction, itrs_from_sensor, tangent_noise
from noroshi.sensors.detect import observe
from noroshi.sensors.look import opportunities
from noroshi.tables import Background, Reason

SPACE = INFRARED._replace(background=int(Background.SPACE))


def reasons(sensor, at: np.ndarray, targets: list[np.ndarray]) -> list[Reason]:
    ephemeris, truth, m = still({"s": at}, {str(k): x for k, x in enumerate(targets)}, 1)
    ephemeris = dataclasses.replace(ephemeris, v_gcrs=np.full_like(ephemeris.r_gcrs, 5e3))
    return [Reason(int(k)) for k in opportunities([sensor], ephemeris, truth, m).reason[0, 0]]


# 1e-6 deg is 0.1 m; the published digits end there, so the edge is straddled by twice that
STEP = 2e-6


def test_limb_and_background_from_over_the_pole() -> None:
    """Sensor (90, 0, 1000 km), target at 40 km: seen down to 53.460645 deg, Earth behind above 66.255939 deg."""
    at = place(90, 0, 1e6)
    targets = [
        place(lat, 0, 40e3)
        for lat in (53.460645 - STEP, 53.460645 + STEP, 66.255939 - STEP, 66.255939 + STEP)
    ]
    assert reasons(SPACE, at, targets) == [
        Reason.BELOW_HORIZON,
        Reason.MISSED,
        Reason.MISSED,
        Reason.EARTH_BEHIND,
    ]


def test_limb_along_a_meridian() -> None:
    """Sensor (0, 0, 1000 km), target (lat, 0, 40 km): seen to 36.673315 deg, 0.09 deg more than along the equator."""
    targets = [place(36.673315 + d, 0, 40e3) for d in (-STEP, STEP)]
    assert reasons(INFRARED, place(0, 0, 1e6), targets) == [Reason.MISSED, Reason.BELOW_HORIZON]


def test_a_slanting_look() -> None:
    """Sensor (20 N, 130 E, 1000 km), target (40 N, 150 E, 40 km): 3272.33174 km, space behind."""
    ephemeris, truth, m = still({"s": place(20, 130, 1e6)}, {"t": place(40, 150, 40e3)}, 1)
    found = opportunities([SPACE], ephemeris, truth, m)
    assert found.range_m[0, 0, 0] == pytest.approx(3272331.74, abs=0.01)
    assert found.reason[0, 0, 0] == Reason.MISSED
    snr = 1e5 / found.range_m[0, 0, 0] ** 2 / SPACE.nei_space_w_m2
    assert found.snr[0, 0, 0] == pytest.approx(snr, rel=1e-12)


# Smooth-Earth horizon R (acos(R/(R+h1)) + acos(R/(R+h2))), R = 6371 km, k = 1 (straight lines), ground radar at 20 m.
# On the equator R is 6378 km: ranges grow by its square root, 0.06 %; the table is rounded to 1 km, up to 0.13 %.
@pytest.mark.parametrize(
    ("height_km", "range_km"),
    [
        (10, 373),
        (20, 520),
        (30, 633),
        (40, 728),
        (50, 812),
        (60, 887),
        (100, 1137),
        (500, 2461),
        (1000, 3373),
    ],
)
def test_radar_horizon_is_the_straight_line_s(height_km: float, range_km: float) -> None:
    sensor = RADAR._replace(elevation_min_rad=-0.3, range_max_m=1e7, snr_reference=1e9)
    degrees = np.rad2deg(range_km * 1e3 / 6378137.0)
    targets = [place(0, degrees * factor, height_km * 1e3) for factor in (0.998, 1.002)]
    assert reasons(sensor, place(0, 0, 20), targets) == [Reason.MISSED, Reason.BELOW_HORIZON]


def test_nadir_is_geodetic() -> None:
    """Down the x axis lies the place with the satellite's own geodetic latitude, not the geocentre."""
    at = place(45, 20, 1e6)
    ephemeris, _, m = still({"s": at}, {"t": place(45, 20, 1e5)}, 1)
    x = itrs_from_sensor([INFRARED], ephemeris, m)[0, 0, :, 0]
    lat, lon, height = geodetic_from_itrs(at + 1e6 * x)
    # the exact normal ends on the ellipsoid to rounding: nanometres, 1e-13 rad
    np.testing.assert_allclose(np.rad2deg([lat, lon]), [45, 20], atol=1e-10)
    assert height == pytest.approx(0.0, abs=1e-6)
    # the geocentre lies (e^2 / 2) sin(2 lat) a / (a + h) off, 0.166 deg here, to first order in e^2 (0.7 %)
    off = np.arccos(-x @ at / np.linalg.norm(at))
    assert off == pytest.approx(0.00669438 / 2 * 6378137 / 7378137, rel=0.01)


def turning(times: int) -> np.ndarray:
    """Rotations like the Earth's, only faster, about an axis of their own."""
    axis = np.array([0.1, -0.2, 0.97])
    return Rotation.from_rotvec(np.outer(0.3 + 0.05 * np.arange(times), axis)).as_matrix()


@pytest.mark.parametrize("sensor", [INFRARED, RADAR._replace(facing_rad=2.0)])
def test_a_detection_points_at_its_target_in_gcrs(sensor) -> None:
    """Quaternion, azimuth, elevation and range of each scan lead back to the target, while the ITRS turns."""
    times = 200
    at = place(35, 140, 100) if sensor is not INFRARED else place(25, 140, 1e6)
    ephemeris, truth, _ = still({"s": at}, {"t": place(37, 143, 250e3)}, times)
    m = turning(times)
    ephemeris = dataclasses.replace(
        ephemeris, r_gcrs=rotate_back(m, ephemeris.r_gcrs), v_gcrs=rotate_back(m, ephemeris.v_gcrs)
    )
    truth = dataclasses.replace(truth, r_gcrs=rotate_back(m, truth.r_gcrs))
    chances = opportunities([sensor], ephemeris, truth, m)
    _, scans, found, _ = observe([sensor], ["s"], ["t"], ephemeris, truth, chances, m, 3, 0)
    assert len(found.scan) > 100
    turn = Rotation.from_quat(scans.q_gcrs_from_sensor[found.scan], scalar_first=True)
    u = turn.apply(direction(found.az_rad, found.el_rad))
    line = truth.r_gcrs[found.scan, 0] - scans.r_gcrs[found.scan]
    distance = np.linalg.norm(line, axis=-1)
    miss = np.linalg.norm(u - line / distance[:, None], axis=-1) / found.sigma_el_rad
    # Rayleigh: 6.5 sigma is passed with chance 7e-10 each, 1.4e-7 in 200
    assert miss.max() < 6.5
    assert miss.max() > 1.0
    if sensor is not INFRARED:
        assert np.abs(found.range_m - distance).max() < 6.5 * found.sigma_range_m.max()


def test_looks_are_the_same_in_a_turned_frame() -> None:
    sensors = [INFRARED, RADAR]
    ephemeris, truth, m = still(
        {"s": place(25, 140, 1e6), "r": place(35, 140, 100)}, {"t": place(37, 143, 250e3)}, 5
    )
    plain = opportunities(sensors, ephemeris, truth, m)
    m = turning(5)
    ephemeris = dataclasses.replace(
        ephemeris, r_gcrs=rotate_back(m, ephemeris.r_gcrs), v_gcrs=rotate_back(m, ephemeris.v_gcrs)
    )
    turned = opportunities(
        sensors, ephemeris, dataclasses.replace(truth, r_gcrs=rotate_back(m, truth.r_gcrs)), m
    )
    np.testing.assert_array_equal(turned.reason, plain.reason)
    # 1e-15 of rounding at 7000 km is 7 nm; four powers of range in the SNR
    np.testing.assert_allclose(turned.range_m, plain.range_m, rtol=1e-13)
    np.testing.assert_allclose(turned.snr, plain.snr, rtol=1e-12)


def test_axes_are_right_handed_and_orthonormal() -> None:
    random = np.random.default_rng(5)
    names = {str(k): place(*random.uniform(-80, 80, 2), 1e6) for k in range(40)}
    ephemeris, _, m = still(names, {"t": place(0, 0, 1e5)}, 3)
    ephemeris = dataclasses.replace(ephemeris, v_gcrs=random.normal(size=ephemeris.r_gcrs.shape) * 7e3)
    axes = itrs_from_sensor([INFRARED, RADAR] * 20, ephemeris, m)
    np.testing.assert_allclose(
        np.swapaxes(axes, -1, -2) @ axes, np.broadcast_to(np.eye(3), axes.shape), atol=1e-14
    )
    np.testing.assert_allclose(np.linalg.det(axes), 1.0, atol=1e-14)
    # a satellite's velocity has no part along its z
    v = ephemeris.v_gcrs[:, ::2]
    assert np.abs(np.sum(v * axes[:, ::2, :, 2], axis=-1)).max() < 1e-9


def test_tangent_noise_moves_by_its_angles_even_at_the_pole() -> None:
    random = np.random.default_rng(6)
    u = random.normal(size=(500, 3))
    u = np.concatenate([u / np.linalg.norm(u, axis=1, keepdims=True), [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    a, b = random.normal(size=(2, len(u))) * 1e-4
    moved = tangent_noise(u, a, b)
    # gnomonic: the angle is atan of the length in the plane; atan x = x - x^3/3, below 1e-12 here
    np.testing.assert_allclose(
        2 * np.arcsin(np.linalg.norm(moved - u, axis=1) / 2), np.hypot(a, b), atol=1e-11
    )
    az, el = azimuth_elevation(u[:-2])
    az2, el2 = azimuth_elevation(moved[:-2])
    away = np.abs(el) < 1.2  # curvature of the meridians: a^2 tan(el) / 2 stays below 1e-6
    np.testing.assert_allclose((el2 - el)[away], b[:-2][away], atol=1e-6)
    east = np.angle(np.exp(1j * (az2 - az))) * np.cos(el)
    np.testing.assert_allclose(east[away], a[:-2][away], atol=1e-6)
