"""What a look gives: the laws in numbers, and each reason a look can fail, on the exact ellipsoid."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_scenes import INFRARED, RADAR, place, still

from noroshi.errors import ScenarioError
from noroshi.sensors import infrared, radar
from noroshi.sensors.look import opportunities
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Background, Reason


def look(sensor: Infrared | Radar, at: np.ndarray, target: np.ndarray, intensity_w_sr: float = 1e5):
    """Reason, SNR and chance of one look."""
    ephemeris, truth, m = still({"s": at}, {"t": target}, 1, intensity_w_sr)
    found = opportunities([sensor], ephemeris, truth, m)
    return Reason(int(found.reason[0, 0, 0])), float(found.snr[0, 0, 0]), float(found.p_detect[0, 0, 0])


# Irradiance of 1 kW/sr: I / R^2 (closed form)
@pytest.mark.parametrize(
    ("range_km", "expected"), [(1000, 1e-9), (3000, 1.1111e-10), (4500, 4.9383e-11), (36000, 7.716e-13)]
)
def test_irradiance(range_km: float, expected: float) -> None:
    assert infrared.irradiance(1e3, range_km * 1e3) == pytest.approx(expected, rel=1e-4)


# Gaussian threshold: P_d at threshold 5 for SNR 6 and 8; P_fa at 5 and 6 (standard normal tails, closed form)
@pytest.mark.parametrize(("snr", "expected"), [(6, 0.84134), (8, 0.99865), (5, 0.5)])
def test_gaussian_detection(snr: float, expected: float) -> None:
    assert float(infrared.p_detect(float(snr), 5.0, 1.0)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("threshold", "expected"), [(5, 2.8665e-7), (6, 9.866e-10)])
def test_gaussian_false_alarm(threshold: float, expected: float) -> None:
    assert float(infrared.p_false_alarm(threshold)) == pytest.approx(expected, rel=1e-4)


# Swerling 1, P_fa 1e-6: P_fa ** (1 / (1 + SNR)) (Swerling 1954)
@pytest.mark.parametrize(("snr", "expected"), [(10, 0.28480), (20, 0.51795), (100, 0.87216)])
def test_swerling_1(snr: float, expected: float) -> None:
    assert float(radar.p_detect(float(snr), 1e-6)) == pytest.approx(expected, abs=1e-5)


def test_radar_range_law_is_the_fourth_power() -> None:
    reference = radar.snr(0.1, 1e6, 20.0, 0.1, 1e6)
    assert reference == 20.0
    assert radar.snr(0.1, 2e6, 20.0, 0.1, 1e6) == pytest.approx(reference / 16, rel=1e-14)
    # 100 times the cross-section reaches 100 ** (1/4) = 3.1623 times as far
    assert radar.snr(10.0, 1e6 * 100**0.25, 20.0, 0.1, 1e6) == pytest.approx(reference, rel=1e-12)


# Sensor (0, 0, 1000 km), target (0, lon, 40 km): visible to lon 36.578526 deg = acos(a/(a+1000)) + acos(a/(a+40)),
# Earth behind to 23.778261 deg (closed form on the equator). 1e-5 deg on both sides is 1 m along the track.
@pytest.mark.parametrize(("lon", "visible"), [(36.578516, True), (36.578536, False)])
def test_limb(lon: float, visible: bool) -> None:
    reason, _, _ = look(INFRARED, place(0, 0, 1e6), place(0, lon, 40e3))
    assert reason == (Reason.MISSED if visible else Reason.BELOW_HORIZON)


@pytest.mark.parametrize(("lon", "reason"), [(23.778251, Reason.EARTH_BEHIND), (23.778271, Reason.MISSED)])
def test_space_background_rule(lon: float, reason: Reason) -> None:
    found, snr, _ = look(
        INFRARED._replace(background=int(Background.SPACE)), place(0, 0, 1e6), place(0, lon, 40e3)
    )
    assert found == reason
    distance = np.linalg.norm(place(0, 0, 1e6) - place(0, lon, 40e3))
    nei = INFRARED.nei_earth_w_m2 if reason == Reason.EARTH_BEHIND else INFRARED.nei_space_w_m2
    assert snr == pytest.approx(1e5 / distance**2 / nei, rel=1e-9)


# Grazing shell 50 km, target at 100 km: visible to 36.520038 deg = acos((a+50)/(a+1000)) + acos((a+50)/(a+100))
@pytest.mark.parametrize(("lon", "reason"), [(36.52003, Reason.MISSED), (36.52005, Reason.BELOW_GRAZING)])
def test_grazing_height(lon: float, reason: Reason) -> None:
    sensor = INFRARED._replace(grazing_height_m=50e3)
    assert look(sensor, place(0, 0, 1e6), place(0, lon, 100e3))[0] == reason


def test_a_low_target_under_the_sensor_does_not_graze() -> None:
    sensor = INFRARED._replace(grazing_height_m=50e3)
    assert look(sensor, place(0, 0, 1e6), place(0, 2, 10e3))[0] == Reason.MISSED


@pytest.mark.parametrize(
    ("change", "target", "reason"),
    [
        ({"field_cone_rad": np.deg2rad(20)}, place(0, 10, 40e3), Reason.OUT_OF_FIELD),
        ({"range_max_m": 2e6}, place(0, 20, 40e3), Reason.OUT_OF_RANGE),
        ({"cloud_top_m": 8e3}, place(0, 5, 7.9e3), Reason.BELOW_CLOUD),
        ({"cloud_top_m": 8e3}, place(0, 5, 8.1e3), Reason.MISSED),
        ({"nei_earth_w_m2": 1e-7}, place(0, 5, 40e3), Reason.BELOW_THRESHOLD),
    ],
)
def test_each_reason_of_an_infrared_look(
    change: dict[str, float], target: np.ndarray, reason: Reason
) -> None:
    assert look(INFRARED._replace(**change), place(0, 0, 1e6), target)[0] == reason


def test_the_first_reason_that_applies_counts() -> None:
    sensor = INFRARED._replace(field_cone_rad=np.deg2rad(20), range_max_m=1e6, cloud_top_m=50e3)
    assert look(sensor, place(0, 0, 1e6), place(0, 20, 40e3))[0] == Reason.OUT_OF_FIELD


# A target on the meridian north of a radar at the equator, at ground angle g and height h: elevation from the
# triangle with the ellipsoid's own points; the mask is tested against that angle, 1e-4 deg on both sides.
@pytest.mark.parametrize("facing_deg", [0.0, 90.0, 200.0])
def test_radar_minimum_elevation_and_sector(facing_deg: float) -> None:
    site, target = place(0, 100, 0), place(5, 100, 200e3)
    line = (target - site) / np.linalg.norm(target - site)
    up = site / np.linalg.norm(site)
    elevation = np.arcsin(line @ up)
    base = RADAR._replace(facing_rad=np.deg2rad(facing_deg))
    step = np.deg2rad(1e-4)
    assert look(base._replace(elevation_min_rad=elevation - step), site, target)[0] == Reason.MISSED
    assert look(base._replace(elevation_min_rad=elevation + step), site, target)[0] == Reason.OUT_OF_FIELD
    assert look(base._replace(elevation_max_rad=elevation - step), site, target)[0] == Reason.OUT_OF_FIELD
    # the target stands due north: the sector must reach from the facing to north
    off = min(facing_deg, 360 - facing_deg)
    wide = base._replace(elevation_min_rad=0.0, field_azimuth_rad=np.deg2rad(off + 0.01))
    assert look(wide, site, target)[0] == Reason.MISSED
    if off:
        narrow = base._replace(elevation_min_rad=0.0, field_azimuth_rad=np.deg2rad(off - 0.01))
        assert look(narrow, site, target)[0] == Reason.OUT_OF_FIELD


def test_radar_sees_nothing_below_its_horizon() -> None:
    assert look(RADAR, place(0, 0, 20), place(0, 20, 40e3))[0] == Reason.BELOW_HORIZON


def test_a_dead_target_is_never_looked_at() -> None:
    ephemeris, truth, m = still({"s": place(0, 0, 1e6)}, {"t": place(0, 5, 40e3)}, 3)
    truth.alive[1] = False
    found = opportunities([INFRARED], ephemeris, truth, m)
    assert found.p_detect[:, 0, 0].tolist() == [pytest.approx(0.9), 0.0, pytest.approx(0.9)]


def test_an_unknown_band_is_refused() -> None:
    ephemeris, truth, m = still({"s": place(0, 0, 1e6)}, {"t": place(0, 5, 40e3)}, 1)
    with pytest.raises(ScenarioError, match="lwir"):
        opportunities([INFRARED._replace(band="lwir")], ephemeris, truth, m)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, Reason.MISSED),
        ({"range_max_m": 5e5}, Reason.OUT_OF_RANGE),
        ({"range_reference_m": 1e5}, Reason.BELOW_THRESHOLD),
    ],
)
def test_range_and_faintness_of_a_radar_look(change: dict[str, float], reason: Reason) -> None:
    found, snr, p = look(RADAR._replace(**change), place(0, 0, 100), place(5, 0, 200e3))
    assert found == reason
    distance = np.linalg.norm(place(0, 0, 100) - place(5, 0, 200e3))
    expected = 20.0 * (change.get("range_reference_m", 1e6) / distance) ** 4
    assert snr == pytest.approx(expected, rel=1e-9)
    # Swerling 1 where the look may succeed, and nothing at all where a reason forbids it
    assert p == pytest.approx(1e-6 ** (1 / (1 + expected)) if reason == Reason.MISSED else 0.0, rel=1e-9)
