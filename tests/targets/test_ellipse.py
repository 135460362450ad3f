"""Closed forms of free flight against tables, and against each other."""

from __future__ import annotations

from math import degrees, pi, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.errors import FlightError
from noroshi.targets.ellipse import (
    flight_at_angle,
    free_flight,
    minimum_energy_flight,
    minimum_energy_range,
)

# Minimum energy by range (Wheelon's form, computed elsewhere): km: v km/s, angle deg, apogee km, time s. 0.1 % is
# asked for and is what four digits of the smallest entries carry
MINIMUM = [
    (300, 1.6965, 44.326, 74.11, 251.03),
    (500, 2.1734, 43.876, 122.52, 327.36),
    (1000, 3.0161, 42.752, 239.94, 474.36),
    (1500, 3.6265, 41.628, 352.09, 594.56),
    (2000, 4.1129, 40.503, 458.79, 701.78),
    (3000, 4.8650, 38.255, 655.21, 895.04),
    (4000, 5.4335, 36.007, 827.98, 1071.48),
    (5000, 5.8834, 33.758, 976.05, 1236.68),
    (5500, 6.0752, 32.634, 1040.52, 1315.79),
    (6000, 6.2491, 31.510, 1098.49, 1392.74),
    (8000, 6.8046, 27.014, 1263.68, 1679.48),
    (10000, 7.1981, 22.517, 1319.48, 1930.96),
    (12000, 7.4796, 18.020, 1264.51, 2143.14),
]

# Depressed and lofted: range km, angle deg, v km/s, apogee km, minutes
ANGLES = [
    (2000, 10, 5.524, 90, 6.2),
    (2000, 20, 4.634, 188, 8.0),
    (2000, 30, 4.236, 303, 9.7),
    (2000, 45, 4.135, 544, 12.7),
    (2000, 60, 4.577, 1005, 17.7),
    (3000, 15, 5.628, 209, 9.6),
    (3000, 30, 4.948, 467, 12.8),
    (3000, 45, 4.920, 855, 17.0),
    (10000, 10, 7.405, 502, 25.3),
    (10000, 25, 7.206, 1524, 33.9),
    (10000, 35, 7.404, 2600, 43.4),
]


@pytest.mark.parametrize(("range_km", "speed", "angle", "apogee", "time"), MINIMUM)
def test_minimum_energy(range_km: float, speed: float, angle: float, apogee: float, time: float) -> None:
    found = minimum_energy_flight(1e3 * range_km)
    assert found.speed_m_s / 1e3 == pytest.approx(speed, rel=1e-3)
    assert degrees(found.angle_rad) == pytest.approx(angle, rel=1e-3)
    assert found.apogee_m / 1e3 == pytest.approx(apogee, rel=1e-3)
    assert found.time_s == pytest.approx(time, rel=1e-3)


@pytest.mark.parametrize(("range_km", "angle", "speed", "apogee", "minutes"), ANGLES)
def test_depressed_and_lofted(
    range_km: float, angle: float, speed: float, apogee: float, minutes: float
) -> None:
    found = flight_at_angle(1e3 * range_km, radians(angle))
    assert found.speed_m_s / 1e3 == pytest.approx(speed, rel=1e-3)
    # the table rounds to a kilometre (90 km: 0.56 %) and to 0.1 min (6.2 min: 0.8 %)
    assert found.apogee_m / 1e3 == pytest.approx(apogee, rel=5e-3, abs=0.5)
    assert found.time_s / 60 == pytest.approx(minutes, rel=5e-3, abs=0.05)


@given(st.floats(100e3, 19_000e3), st.floats(0.01, 0.99))
def test_an_angle_and_its_apogee_are_one_flight(range_m: float, share: float) -> None:
    half = range_m / (2 * EARTH_MEAN_RADIUS_M)
    angle = share * (pi - half) / 2
    found = flight_at_angle(range_m, angle)
    # the inverse cosine of an angle of a milliradian keeps nine digits
    assert found.angle_rad == pytest.approx(angle, rel=1e-6)
    assert free_flight(found.apogee_m, range_m).speed_m_s == pytest.approx(found.speed_m_s, rel=1e-9)
    assert found.speed_m_s >= minimum_energy_flight(range_m).speed_m_s * (1 - 1e-12)


@given(st.floats(10e3, 19_000e3))
def test_minimum_energy_and_its_inverse(range_m: float) -> None:
    assert minimum_energy_range(minimum_energy_flight(range_m).speed_m_s) == pytest.approx(range_m, rel=1e-6)


def test_no_range_is_the_longest_above_circular_speed() -> None:
    assert minimum_energy_range(7.999e3) is None  # 2023-07-12, Hwasong-18
    assert minimum_energy_range(7.9e3) is not None


@pytest.mark.parametrize(
    ("range_m", "angle_deg"), [(2e6, 0.0), (2e6, -5.0), (2e6, 86.0), (5e7, 10.0), (0.0, 10.0)]
)
def test_angles_without_an_ellipse(range_m: float, angle_deg: float) -> None:
    with pytest.raises(FlightError) as error:
        flight_at_angle(range_m, radians(angle_deg))
    assert error.value.remedy


def test_the_steepest_angle_is_named() -> None:
    with pytest.raises(FlightError, match=r"85\.50") as error:
        flight_at_angle(2e6, radians(86))
    assert flight_at_angle(2e6, radians(85.50)).eccentricity < 1.0
    assert "85.50" in error.value.remedy
    with pytest.raises(FlightError, match="least energy"):
        minimum_energy_flight(20_100e3)
