"""Sun, Moon and limb: places against almanac figures, edges of the exclusions, air and bias in a look."""

from __future__ import annotations

import numpy as np
import pytest
from sensor_scenes import INFRARED, place, still

from noroshi.constants import ASTRONOMICAL_UNIT_M, EARTH_RADIUS_M
from noroshi.errors import ScenarioError
from noroshi.sensors.detect import observe
from noroshi.sensors.exclusion import limb_height, near_body, passes_below
from noroshi.sensors.focal_plane import registration_bias
from noroshi.sensors.look import opportunities
from noroshi.sensors.transmission import transmission
from noroshi.sky import Sky, sky
from noroshi.tables import REASONS_IN_ORDER, Reason
from noroshi.time import Epoch, epoch_from_utc

SATELLITE = place(0, 0, 1e6)
TARGET = place(0, 36.5, 300e3)  # space behind it
LINE = TARGET - SATELLITE


def look(sensor, target=TARGET, sky_=None, at=SATELLITE):
    ephemeris, truth, m = still({"s": at}, {"t": target}, 1)
    found = opportunities([sensor], ephemeris, truth, m, sky_)
    return Reason(int(found.reason[0, 0, 0])), float(found.snr[0, 0, 0]), float(found.p_detect[0, 0, 0])


def turned(line: np.ndarray, angle_deg: float) -> np.ndarray:
    """A direction an angle away from a line, in the equator's plane towards longitude 0 and the sky."""
    a = np.deg2rad(angle_deg)
    c, s = np.cos(a), np.sin(a)
    u = line / np.linalg.norm(line)
    return np.array([c * u[0] + s * u[1], -s * u[0] + c * u[1], u[2]])  # clockwise seen from the north


def bodies(sun_deg: float = 90.0, moon_deg: float = 90.0) -> Sky:
    """Sun and Moon that many degrees off the line of sight."""
    sun = SATELLITE + ASTRONOMICAL_UNIT_M * turned(LINE, sun_deg)
    moon = SATELLITE + 3.8e8 * turned(LINE, moon_deg)
    return Sky(sun[None], moon[None])


def right_ascension_declination(r: np.ndarray) -> tuple[float, float, float]:
    distance = np.linalg.norm(r)
    return (
        np.rad2deg(np.arctan2(r[1], r[0])) % 360,
        np.rad2deg(np.arcsin(r[2] / distance)),
        float(distance),
    )


def test_sun_of_a_published_example():
    # Meeus, Astronomical Algorithms (2nd ed.), example 25.b: 1992 October 13.0 TD, apparent place 198.378178 deg,
    # -7.783871 deg, distance 0.99760775 au. The apparent place is of date (7 years of precession: 0.1 deg) and
    # includes aberration; rotating it back is not our job, so the tolerance is 0.11 deg; the distance is exact.
    found = sky(Epoch(2448908.5, 0.0), np.zeros(1))
    ra, dec, distance = right_ascension_declination(found.sun_gcrs[0])
    assert ra == pytest.approx(198.378178, abs=0.11)
    assert dec == pytest.approx(-7.783871, abs=0.11)
    assert distance / ASTRONOMICAL_UNIT_M == pytest.approx(0.99760775, abs=1e-6)


def test_moon_of_a_published_example():
    # Meeus, example 47.a: 1992 April 12.0 TD: 134.688470 deg, 13.768368 deg, 368409.7 km; same remark on precession
    found = sky(Epoch(2448724.5, 0.0), np.zeros(1))
    ra, dec, distance = right_ascension_declination(found.moon_gcrs[0])
    assert ra == pytest.approx(134.688470, abs=0.11)
    assert dec == pytest.approx(13.768368, abs=0.11)
    assert distance == pytest.approx(368_409.7e3, abs=5e3)


def test_places_between_the_minutes():
    epoch = epoch_from_utc("2026-11-24T00:00:00Z")
    whole = sky(epoch, np.arange(0.0, 181.0, 0.5))
    half = sky(epoch, np.array([90.0]))  # a node of its own
    # linear over a minute: 0.0027 m/s2 of the Moon makes 1.2 m, of the Sun 2.7 m at most
    np.testing.assert_allclose(whole.moon_gcrs[180], half.moon_gcrs[0], atol=3.0)
    np.testing.assert_allclose(whole.sun_gcrs[180], half.sun_gcrs[0], atol=10.0)
    assert len(sky(epoch, np.empty(0)).sun_gcrs) == 0


@pytest.mark.parametrize(("angle", "reason"), [(9.99, Reason.SUN_EXCLUSION), (10.01, Reason.MISSED)])
def test_sun_exclusion(angle, reason):
    sensor = INFRARED._replace(sun_exclusion_rad=np.deg2rad(10.0))
    assert look(sensor, sky_=bodies(sun_deg=angle))[0] == reason


@pytest.mark.parametrize(("angle", "reason"), [(4.99, Reason.MOON_EXCLUSION), (5.01, Reason.MISSED)])
def test_moon_exclusion(angle, reason):
    sensor = INFRARED._replace(moon_exclusion_rad=np.deg2rad(5.0))
    assert look(sensor, sky_=bodies(moon_deg=angle))[0] == reason


def test_a_sun_that_the_earth_hides_excludes_nothing():
    # the target lies before the Earth; the Sun is behind the Earth, straight beyond
    target = place(0, 10, 50e3)
    line = target - SATELLITE
    sun = SATELLITE + ASTRONOMICAL_UNIT_M * line / np.linalg.norm(line)
    assert not near_body(SATELLITE, line, sun, np.deg2rad(30.0))
    assert near_body(SATELLITE, -line, SATELLITE - 1e11 * line / np.linalg.norm(line), np.deg2rad(30.0))
    sensor = INFRARED._replace(sun_exclusion_rad=np.deg2rad(30.0))
    assert look(sensor, target, Sky(sun[None], sun[None]))[0] == Reason.MISSED


def test_without_the_places_of_the_sun_an_exclusion_is_refused():
    with pytest.raises(ScenarioError, match="excludes the Sun"):
        look(INFRARED._replace(sun_exclusion_rad=0.1))


def tangent_height(sensor: np.ndarray, line: np.ndarray) -> float:
    """Least height over the equator's circle along a line in the equator's plane."""
    u = line / np.linalg.norm(line)
    return float(np.linalg.norm(sensor - np.dot(sensor, u) * u) - EARTH_RADIUS_M)


@pytest.mark.parametrize("beyond", [True, False])
def test_limb_exclusion_in_kilometres(beyond):
    # the lowest point of the line lies beyond the first target, before the second: the sky behind counts either way
    target = place(0, 20 if beyond else 40, 700e3 if beyond else 600e3)
    lowest = tangent_height(SATELLITE, target - SATELLITE)
    assert lowest > 0.0
    for step, reason in ((1.0, Reason.LIMB_EXCLUSION), (-1.0, Reason.MISSED)):
        assert look(INFRARED._replace(limb_exclusion_m=lowest + step), target)[0] == reason


def test_limb_exclusion_is_not_for_targets_before_the_earth_or_lines_that_rise():
    sensor = INFRARED._replace(limb_exclusion_m=500e3, field_cone_rad=np.pi)
    assert look(sensor, place(0, 10, 50e3))[0] == Reason.MISSED
    assert look(sensor, place(0, 5, 1.5e6))[0] == Reason.MISSED
    assert not passes_below(SATELLITE, place(0, 5, 1.5e6) - SATELLITE, 500e3)


def test_limb_exclusion_in_degrees():
    # over the equator the Earth is a circle: the edge lies asin(R / r) off the nadir
    edge = np.arcsin(EARTH_RADIUS_M / np.linalg.norm(SATELLITE))
    off_nadir = np.arccos(np.dot(LINE, -SATELLITE) / np.linalg.norm(LINE) / np.linalg.norm(SATELLITE))
    above = off_nadir - edge
    for factor, reason in ((1.001, Reason.LIMB_EXCLUSION), (0.999, Reason.MISSED)):
        assert look(INFRARED._replace(limb_exclusion_rad=above * factor))[0] == reason
    assert limb_height(SATELLITE, above) == pytest.approx(tangent_height(SATELLITE, LINE), abs=1.0)
    assert limb_height(SATELLITE, 0.0) == 0.0


def test_exclusions_stand_in_their_order():
    assert set(REASONS_IN_ORDER) == set(Reason)
    sensor = INFRARED._replace(
        sun_exclusion_rad=0.2, moon_exclusion_rad=0.2, limb_exclusion_m=1e6, nei_space_w_m2=1.0
    )
    both = bodies(5.0, 5.0)
    assert look(sensor, sky_=both)[0] == Reason.SUN_EXCLUSION
    assert look(sensor, sky_=bodies(90.0, 5.0))[0] == Reason.MOON_EXCLUSION
    assert look(sensor, sky_=bodies())[0] == Reason.LIMB_EXCLUSION
    assert look(sensor._replace(limb_exclusion_m=0.0), sky_=bodies())[0] == Reason.BELOW_THRESHOLD
    assert look(sensor._replace(range_max_m=1e5), sky_=both)[0] == Reason.OUT_OF_RANGE


def test_sensors_that_state_nothing_are_untouched_by_those_that_do():
    ephemeris, truth, m = still({"a": SATELLITE, "b": SATELLITE}, {"t": TARGET, "u": place(0, 10, 5e3)}, 2)
    plain = opportunities([INFRARED, INFRARED], ephemeris, truth, m)
    careful = INFRARED._replace(
        sun_exclusion_rad=np.pi,
        limb_exclusion_m=5e5,
        transmission=True,
        noise_space_e=10.0,
        noise_earth_e=10.0,
    )
    mixed = opportunities([INFRARED, careful], ephemeris, truth, m, Sky(*(np.full((2, 3), 1e11),) * 2))
    np.testing.assert_array_equal(plain.snr[:, 0], mixed.snr[:, 0])
    np.testing.assert_array_equal(plain.reason[:, 0], mixed.reason[:, 0])
    assert (mixed.snr[:, 1] < mixed.snr[:, 0]).all()


def test_air_dims_a_target():
    for target in (place(0, 0, 0.0), place(0, 0, 30e3)):  # straight below
        clear = look(INFRARED, target)[1]
        dim = look(INFRARED._replace(transmission=True), target)[1]
        height = np.linalg.norm(target) - EARTH_RADIUS_M
        assert dim == pytest.approx(clear * transmission("mwir", height), rel=1e-9)


def test_signal_noise_of_a_look():
    # 1e5 W/sr / R^2 / NEI is the ratio x without the signal's own noise: x / sqrt(1 + x / noise)
    x = look(INFRARED)[1]
    found = look(INFRARED._replace(noise_space_e=50.0))[1]
    assert found == pytest.approx(50 * x / np.sqrt(50 * x + 50**2), rel=1e-12)


def test_a_stated_sensor_sees_whatever_shines():
    sensor = INFRARED._replace(
        snr_stated=13.0, p_detect_max=0.7, nei_space_w_m2=np.inf, nei_earth_w_m2=np.inf
    )
    reason, snr, p = look(sensor)
    assert (reason, snr) == (Reason.MISSED, 13.0)
    assert p == pytest.approx(0.7, rel=1e-12)
    ephemeris, truth, m = still({"s": SATELLITE}, {"t": TARGET}, 1, intensity_w_sr=0.0)
    assert opportunities([sensor], ephemeris, truth, m).reason[0, 0, 0] == Reason.BELOW_THRESHOLD


def test_registration_bias_shifts_all_lines_of_a_run_alike_and_no_other_draw():
    n, sigma, bias = 1000, 20e-6, 200e-6
    plain = INFRARED._replace(sigma_floor_rad=sigma, pixel_rad=0.0, p_detect_max=1.0)
    biased = plain._replace(registration_bias_rad=bias)
    ephemeris, truth, m = still({"s": SATELLITE}, {"t": TARGET}, n)
    chances = opportunities([plain], ephemeris, truth, m)

    def lines(sensor):
        return observe([sensor], ["s"], ["t"], ephemeris, truth, chances, m, 1, 0)[2]

    a, b = lines(plain), lines(biased)
    assert len(a.scan) == n
    np.testing.assert_array_equal(a.snr, b.snr)  # the same luck
    np.testing.assert_array_equal(a.sigma_el_rad, b.sigma_el_rad)  # and the bias is not in the stated noise
    shift = np.stack([b.az_rad - a.az_rad, b.el_rad - a.el_rad], axis=-1)
    # one turn of all of them: noise (8 sigma from end to end) times bias is 3e-8, stretched by 1 / cos^2 (el)
    assert np.ptp(shift, axis=0).max() < 1e-6
    el, az = a.el_rad.mean(), a.az_rad.mean()
    u = np.array([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)])
    turned_by = np.cross(registration_bias(bias, 1, 0, "s"), u)
    # to first order; 4e-4 squared is left
    assert shift[:, 1].mean() == pytest.approx(turned_by[2] / np.cos(el), abs=1e-6)
    assert abs(shift[:, 1].mean()) > 1e-5


def test_registration_bias_is_of_its_sigma_on_each_axis_wherever_a_sensor_looks():
    lines = np.array([[1.0, 0.0, 0.0], [0.3, 0.9, 0.3], [0.0, 0.0, 1.0]])
    turns = np.array([registration_bias(1.0, 1, run, "s") for run in range(3000)])
    for u in lines / np.linalg.norm(lines, axis=-1)[:, None]:
        off = np.cross(turns, u)
        # two axes across the line of sight; 5 sigma of a variance of 6000 draws
        assert np.mean(np.sum(off**2, axis=-1)) == pytest.approx(2.0, rel=5 * np.sqrt(2 / 6000))
