"""Draws of luck, noise and false alarms: right on average, keyed to their pair, every look accounted for.

Statistical bounds are 5 sigma of the sampling error: a correct build fails one of them with a chance below 1e-6.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sensor_scenes import INFRARED, RADAR, place, still

from noroshi.errors import ScenarioError
from noroshi.sensors.axes import azimuth_elevation, direction
from noroshi.sensors.detect import field_steradian, observe
from noroshi.sensors.look import opportunities
from noroshi.tables import Kind, Reason

SATELLITE, SITE = place(10, 140, 1e6), place(35, 140, 100)
ABOVE = place(30, 145, 300e3)


def seen(sensors: dict, platforms: dict, targets: dict, times: int, seed: int = 1, run: int = 0):
    ephemeris, truth, m = still(platforms, targets, times)
    models = list(sensors.values())
    chances = opportunities(models, ephemeris, truth, m)
    return truth, observe(models, list(sensors), list(targets), ephemeris, truth, chances, m, seed, run)


def test_share_detected_is_the_probability() -> None:
    n = 20_000
    dim = INFRARED._replace(
        nei_space_w_m2=1e5 / np.linalg.norm(SATELLITE - ABOVE) ** 2 / 5.5, p_detect_max=1.0
    )
    dim = dim._replace(nei_earth_w_m2=dim.nei_space_w_m2)
    _, (looks, _, _, _) = seen({"s": dim}, {"s": SATELLITE}, {"t": ABOVE}, n)
    p = 0.69146  # Q(5 - 5.5) = Phi(0.5)
    share = np.mean(looks.reason == Reason.DETECTED)
    assert share == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / n))
    assert set(looks.reason.tolist()) == {Reason.DETECTED, Reason.MISSED}


@pytest.mark.parametrize(("sensor", "at"), [(INFRARED, SATELLITE), (RADAR, SITE)])
def test_noise_has_the_stated_sigma_and_no_bias(sensor, at: np.ndarray) -> None:
    n = 20_000
    truth, (_, scans, found, answer) = seen({"s": sensor}, {"s": at}, {"t": ABOVE}, n)
    assert (answer.target == 0).all()
    rows = found.scan
    true_line = truth.r_gcrs[rows, 0] - scans.r_gcrs[rows]
    distance = np.linalg.norm(true_line, axis=1)
    rotation = Rotation.from_quat(scans.q_gcrs_from_sensor[rows], scalar_first=True)
    az, el = azimuth_elevation(rotation.inv().apply(true_line / distance[:, None]))
    errors = [
        np.angle(np.exp(1j * (found.az_rad - az))) / found.sigma_az_rad,
        (found.el_rad - el) / found.sigma_el_rad,
    ]
    if sensor is RADAR:
        errors.append((found.range_m - distance) / found.sigma_range_m)
    else:
        assert np.isinf(found.sigma_range_m).all()
    for error in errors:
        k = len(error)
        assert np.mean(error) == pytest.approx(0.0, abs=5 / np.sqrt(k))
        assert np.var(error) == pytest.approx(1.0, abs=5 * np.sqrt(2 / k))


def test_axes_point_as_documented() -> None:
    _, (_, scans, _, _) = seen(
        {"s": INFRARED, "r": RADAR}, {"s": place(0, 30, 1e6), "r": SITE}, {"t": ABOVE}, 1
    )
    satellite, radar = Rotation.from_quat(scans.q_gcrs_from_sensor, scalar_first=True).as_matrix()
    # over the equator, moving north: nadir is -x' of the place, y is north, z completes
    nadir = -place(0, 30, 0) / np.linalg.norm(place(0, 30, 0))
    np.testing.assert_allclose(
        satellite, np.stack([nadir, [0, 0, 1], np.cross(nadir, [0, 0, 1])], 1), atol=1e-12
    )
    lat, lon = np.deg2rad([35, 140])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    np.testing.assert_allclose(radar, np.stack([north, np.cross(up, north), up], 1), atol=1e-12)


@pytest.mark.parametrize("sensor", [INFRARED, RADAR._replace(field_azimuth_rad=np.deg2rad(60))])
def test_false_alarms_are_poisson_and_fill_the_field_evenly(sensor) -> None:
    n, mean = 4000, 3.0
    noisy = sensor._replace(false_alarms_per_scan=mean)
    below = place(-60, -40, 100e3)  # out of everybody's sight
    _, (_, scans, found, answer) = seen(
        {"s": noisy}, {"s": SITE + 1e6 * SITE / np.linalg.norm(SITE)}, {"t": below}, n
    )
    assert (answer.target == -1).all()
    count = np.bincount(found.scan, minlength=n)
    assert count.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / n))
    assert count.var() == pytest.approx(mean, abs=5 * np.sqrt((mean + 2 * mean**2) / n))
    u = direction(found.az_rad, found.el_rad)
    total = len(u)
    if sensor is INFRARED:  # uniform in solid angle: the cosine to the boresight is uniform
        level = (1 - u[:, 0]) / (1 - np.cos(sensor.field_cone_rad))
    else:
        low, high = np.sin(sensor.elevation_min_rad), np.sin(sensor.elevation_max_rad)
        level = (u[:, 2] - low) / (high - low)
        assert np.abs(found.az_rad).max() <= sensor.field_azimuth_rad
        ranges = found.range_m / sensor.range_max_m
        assert np.mean(ranges) == pytest.approx(0.5, abs=5 / np.sqrt(12 * total))
    assert ((level >= 0) & (level <= 1)).all()
    for q in (0.25, 0.5, 0.75):
        assert np.mean(level < q) == pytest.approx(q, abs=5 * np.sqrt(q * (1 - q) / total))
    volume = field_steradian(sensor) * (1.0 if sensor is INFRARED else sensor.range_max_m)
    np.testing.assert_allclose(scans.clutter_density * volume, mean, rtol=1e-12)


def test_luck_belongs_to_the_pair() -> None:
    """A sensor, a target or seconds added elsewhere change nothing of what this pair sees."""

    def of_pair(result, sensor: str, target: str, names: dict, targets: dict):
        _, scans, found, answer = result
        by, to = list(names).index(sensor), list(targets).index(target)
        mine = (scans.sensor[found.scan] == by) & (answer.target == to)
        return np.stack(
            [scans.t_event[found.scan[mine]], found.az_rad[mine], found.el_rad[mine], found.snr[mine]], 1
        )

    few = ({"s": INFRARED}, {"s": SATELLITE}, {"t": ABOVE})
    many = (
        {"other": INFRARED._replace(false_alarms_per_scan=2.0), "s": INFRARED, "r": RADAR},
        {"other": place(20, 120, 8e5), "s": SATELLITE, "r": SITE},
        {"u": place(31, 144, 200e3), "t": ABOVE},
    )
    alone = of_pair(seen(*few, 200)[1], "s", "t", few[0], few[2])
    crowded = of_pair(seen(*many, 300)[1], "s", "t", many[0], many[2])
    assert len(alone) > 100
    np.testing.assert_array_equal(crowded[crowded[:, 0] < 200], alone)
    changed = of_pair(seen(*few, 200, run=1)[1], "s", "t", few[0], few[2])
    assert not np.array_equal(changed, alone)


def test_every_look_is_accounted_for_and_empty_scans_exist() -> None:
    sensors = {"s": INFRARED._replace(scan_period_s=2.0, scan_offset_s=1.0), "r": RADAR}
    _, (looks, scans, found, answer) = seen(
        sensors, {"s": SATELLITE, "r": SITE}, {"t": ABOVE, "u": -ABOVE}, 11
    )
    assert [np.sum(scans.sensor == k) for k in range(2)] == [5, 11]
    assert scans.t_event[scans.sensor == 0].tolist() == [1, 3, 5, 7, 9]
    assert len(looks.scan) == 2 * len(scans.scan)
    hits = looks.reason == Reason.DETECTED
    assert hits.sum() == (answer.target >= 0).sum()
    assert (looks.reason[looks.target == 1] == Reason.BELOW_HORIZON).all()
    assert set(scans.kind.tolist()) == {Kind.INFRARED, Kind.RADAR}
    assert (np.diff(found.scan) >= 0).all()


@pytest.mark.parametrize(("name", "value"), [("scan_period_s", 1.5), ("scan_offset_s", 0.25)])
def test_a_schedule_off_the_grid_is_refused(name: str, value: float) -> None:
    with pytest.raises(ScenarioError, match=name):
        seen({"s": INFRARED._replace(**{name: value})}, {"s": SATELLITE}, {"t": ABOVE}, 5)


def test_measured_snr_passes_the_threshold_and_has_the_law_s_mean() -> None:
    """Swerling 1: power above its threshold T is exponential again with mean 1 + SNR, so the mean is T + SNR."""
    n = 20_000
    _, (looks, _, found, _) = seen({"r": RADAR}, {"r": SITE}, {"t": ABOVE}, n)
    floor = -np.log(RADAR.p_false_alarm) - 1.0
    snr = looks.snr[0]
    assert found.snr.min() >= floor
    k = len(found.snr)
    assert found.snr.mean() == pytest.approx(floor + 1.0 + snr, abs=5 * (1.0 + snr) / np.sqrt(k))
    _, (_, _, found, answer) = seen(
        {"s": INFRARED._replace(false_alarms_per_scan=2.0)}, {"s": SATELLITE}, {"t": ABOVE}, 2000
    )
    assert found.snr.min() > INFRARED.threshold_snr
    # noise just above the threshold 5: mean excess of a normal tail is phi(5)/Q(5) - 5 = 0.18650, deviation 0.1808
    excess = found.snr[answer.target < 0] - INFRARED.threshold_snr
    assert excess.mean() == pytest.approx(0.18650, abs=5 * 0.1808 / np.sqrt(len(excess)))


def test_place_in_the_scan_tells_nothing() -> None:
    """Of one echo and one false alarm in a scan, the echo comes first half the time."""
    sensor = INFRARED._replace(false_alarms_per_scan=1.0, p_detect_max=1.0)
    _, (_, _, found, answer) = seen({"s": sensor}, {"s": SATELLITE}, {"t": ABOVE}, 5000)
    count = np.bincount(found.scan, minlength=5000)
    pairs = answer.target[np.isin(found.scan, np.flatnonzero(count == 2))].reshape(-1, 2)
    mixed = pairs[pairs.sum(axis=1) == -1]
    assert len(mixed) > 1000
    assert np.mean(mixed[:, 0] == 0) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(len(mixed)))


def test_false_alarms_go_all_round_the_boresight() -> None:
    sensor = INFRARED._replace(false_alarms_per_scan=3.0)
    _, (_, _, found, _) = seen({"s": sensor}, {"s": SATELLITE}, {"t": -ABOVE}, 4000)
    u = direction(found.az_rad, found.el_rad)
    angle = np.arctan2(u[:, 2], u[:, 1])
    for k in (1, 2):  # no harmonic: each component has deviation sqrt(1 / 2n)
        assert np.abs(np.mean(np.exp(1j * k * angle))) < 5 * np.sqrt(1 / len(angle))


def test_a_run_without_flights_still_scans() -> None:
    ephemeris, truth, m = still({"s": SATELLITE}, {"t": ABOVE}, 4)
    truth.alive[:] = False
    chances = opportunities([INFRARED], ephemeris, truth, m)
    looks, scans, found, answer = observe([INFRARED], ["s"], ["t"], ephemeris, truth, chances, m, 1, 0)
    assert (len(looks.scan), len(scans.scan), len(found.scan), len(answer.target)) == (0, 4, 0, 0)
    assert (chances.reason == Reason.BELOW_HORIZON).all()
