"""The range equation, its inverse, beams, and the time of a radar shared among beams and tracks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import j1

from noroshi.errors import PhysicsError
from noroshi.sensors import radar
from noroshi.sensors import radar_equation as eq

# V-502: figures ascribed to a public X-band radar, unverified; a check of arithmetic, not of that radar
DESIGN = eq.RadarDesign(
    average_power_w=81e3,
    aperture_m2=9.2,
    efficiency=0.8,
    frequency_hz=9.5e9,
    dwell_s=0.1,
    losses=eq.ratio_from_db(8.0),
    noise_temperature_k=500.0,
    bandwidth_hz=10e6,
)


@pytest.mark.parametrize(("snr", "range_km"), [(10, 947), (20, 797), (100, 533)])
def test_reach_of_the_reference_figures(snr: float, range_km: float) -> None:
    # V-502: 0.2 %; the reference is rounded to the kilometre and takes c = 3e8 (0.04 % in R)
    assert eq.range_for_snr(DESIGN, 0.01, snr) == pytest.approx(range_km * 1e3, rel=2e-3)
    # a hundred times the cross-section: the fourth root of 100 farther, 3.1623
    assert eq.range_for_snr(DESIGN, 1.0, snr) / eq.range_for_snr(DESIGN, 0.01, snr) == pytest.approx(
        3.16227766, rel=1e-8
    )


def test_gain_of_the_reference_figures() -> None:
    # V-502: 49.7 dB, rounded to 0.1
    assert 10.0 * np.log10(eq.gain(DESIGN)) == pytest.approx(49.7, abs=0.05)


@given(st.floats(1e-4, 1e4), st.floats(1e3, 1e7), st.floats(0.1, 10.0))
def test_fourth_power_law_and_its_inverse(rcs: float, range_m: float, factor: float) -> None:
    value = eq.snr(DESIGN, rcs, range_m)
    # rounding of a fourth power and of a fourth root
    assert eq.snr(DESIGN, rcs, range_m * factor) * factor**4 == pytest.approx(value, rel=1e-12)
    assert eq.range_for_snr(DESIGN, rcs, value) == pytest.approx(range_m, rel=1e-12)


@pytest.mark.parametrize(
    ("field", "power"),
    [("average_power_w", 1), ("dwell_s", 1), ("aperture_m2", 2), ("frequency_hz", 2), ("losses", -1)],
)
def test_each_figure_enters_with_its_power(field: str, power: int) -> None:
    doubled = DESIGN._replace(**{field: 2.0 * getattr(DESIGN, field)})
    assert eq.snr(doubled, 1.0, 1e6) / eq.snr(DESIGN, 1.0, 1e6) == pytest.approx(2.0**power, rel=1e-12)


def test_beamwidth_is_that_of_an_evenly_lit_aperture() -> None:
    even = DESIGN._replace(efficiency=1.0)
    # the square: sinc^2(x) = 1/2 at x = 0.443 (to 1e-3, the digits of 0.886)
    half = brentq(lambda x: np.sinc(x) ** 2 - 0.5, 0.1, 0.9)
    wave = eq.wavelength(even.frequency_hz)
    assert eq.beamwidth(even) == pytest.approx(2.0 * half * wave / np.sqrt(9.2), rel=1e-3)
    # a circle of the same area is 3 % wider: the beam does not hang on the shape
    half = brentq(lambda x: (2.0 * j1(x) / x) ** 2 - 0.5, 0.5, 3.0)
    circle = 2.0 * half / np.pi * wave / (2.0 * np.sqrt(9.2 / np.pi))
    assert eq.beamwidth(even) == pytest.approx(circle, rel=0.035)


def test_resolution_of_a_megahertz() -> None:
    assert eq.range_resolution(1e6) == pytest.approx(149.896229, rel=1e-9)


def test_errors_fall_with_snr_to_a_floor_and_keep_the_bias() -> None:
    near, far = (
        radar.performance(
            DESIGN,
            1.0,
            at,
            1e-6,
            floor_range_m=3.0,
            floor_angle_rad=2e-4,
            bias_range_m=4.0,
            bias_angle_rad=1e-4,
        )
        for at in (1e4, 2e6)
    )
    # at 10 km the SNR is 1e12: floor and bias remain, hypot(3, 4) and hypot(2, 1)
    assert near.error_range_m == pytest.approx(5.0, rel=1e-9)
    assert near.error_angle_rad == pytest.approx(np.sqrt(5.0) * 1e-4, rel=1e-9)
    thermal = 14.9896229 / np.sqrt(2.0 * far.snr)  # c / (2 B sqrt(2 SNR)) with B = 10 MHz
    assert far.error_range_m == pytest.approx(np.sqrt(25.0 + thermal**2), rel=1e-9)
    thermal = eq.beamwidth(DESIGN) / (1.6 * np.sqrt(2.0 * far.snr))
    assert far.error_angle_rad == pytest.approx(np.sqrt(5e-8 + thermal**2), rel=1e-9)
    assert far.p_detect == pytest.approx(1e-6 ** (1.0 / (1.0 + far.snr)), rel=1e-9)


def test_search_and_track_share_the_time() -> None:
    field = eq.field_solid_angle(np.pi / 3.0, 0.0, np.pi / 6.0)
    assert field == pytest.approx(np.pi / 3.0, rel=1e-12)  # 120 deg wide, half a radius high
    beams = eq.beam_positions(DESIGN, field)
    dwell = eq.search_dwell(DESIGN, field, 60.0)
    assert dwell * beams == pytest.approx(60.0, rel=1e-12)
    eq.check_capacity(dwell, beams, 60.0)  # what was made to fit, fits
    assert eq.track_dwell(50, 5.0) == pytest.approx(0.1, rel=1e-12)
    # twice the tracks: half the dwell, half the SNR, larger errors
    one, two = (
        radar.performance(DESIGN._replace(dwell_s=eq.track_dwell(n, 5.0)), 1.0, 2e6, 1e-6) for n in (50, 100)
    )
    assert one.snr == pytest.approx(2.0 * two.snr, rel=1e-12)
    assert one.error_range_m < two.error_range_m
    assert one.p_detect > two.p_detect


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"average_power_w": -1.0}, "positive"),
        ({"average_power_w": float("nan")}, "positive"),
        ({"bandwidth_hz": 0.0}, "positive"),
        ({"efficiency": 1.2}, "at most 1"),
        ({"losses": 0.5}, "at least 1"),
        ({"bandwidth_hz": 2e10}, "9.5e"),
        ({"dwell_s": 1e-9}, "1e-07 s"),
        ({"aperture_m2": 1e-6}, "9.91e-05 m2"),
    ],
)
def test_impossible_designs_are_refused(change: dict[str, float], named: str) -> None:
    with pytest.raises(PhysicsError) as refused:
        eq.snr(DESIGN._replace(**change), 1.0, 1e6)
    assert named in refused.value.remedy


def test_a_remedy_of_a_small_aperture_is_feasible() -> None:
    eq.check_design(DESIGN._replace(aperture_m2=9.92e-05))


def test_time_that_does_not_suffice_is_refused_with_what_does() -> None:
    field = eq.field_solid_angle(np.pi / 3.0, 0.0, np.pi / 6.0)
    with pytest.raises(PhysicsError, match=r"an echo from 1000 km needs 0\.00667 s") as refused:
        eq.search_dwell(DESIGN, field, 1.0, range_max_m=1e6)
    frame, smaller, nearer = (float(word) for word in refused.value.remedy.split() if word[0].isdigit())
    assert eq.search_dwell(DESIGN, field, frame, 1e6) > 0
    assert eq.search_dwell(DESIGN, smaller, 1.0, 1e6) > 0
    assert eq.search_dwell(DESIGN, field, 1.0, nearer * 1e3) > 0
    with pytest.raises(PhysicsError, match="1000 tracks") as refused:
        eq.track_dwell(1000, 5.0, range_max_m=1e6)
    tracks, revisit = (float(word) for word in refused.value.remedy.split() if word[0].isdigit())
    assert eq.track_dwell(int(tracks), 5.0, 1e6) > 0
    assert eq.track_dwell(1000, revisit, 1e6) > 0
    with pytest.raises(PhysicsError, match="longer than the period") as refused:
        eq.check_capacity(0.1, 100, 5.0)
    dwell, period, looks = (float(word) for word in refused.value.remedy.split() if word[0].isdigit())
    eq.check_capacity(dwell, 100, 5.0)
    eq.check_capacity(0.1, 100, period)
    eq.check_capacity(0.1, int(looks), 5.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: eq.range_for_snr(DESIGN, 1.0, 0.0),
        lambda: eq.range_for_snr(DESIGN, -1.0, 10.0),
        lambda: eq.range_resolution(0.0),
        lambda: eq.beam_positions(DESIGN, 0.0),
        lambda: eq.search_dwell(DESIGN, 1.0, 0.0),
        lambda: eq.track_dwell(0, 1.0),
        lambda: eq.track_dwell(1, -1.0),
        lambda: eq.check_capacity(0.0, 1, 1.0),
        lambda: eq.field_solid_angle(1.0, 0.1, np.deg2rad(91)),
        lambda: eq.field_solid_angle(1.0, 0.5, 0.4),
        lambda: eq.field_solid_angle(0.0, 0.1, 0.4),
        lambda: radar.performance(DESIGN, 1.0, 0.0, 1e-6),
    ],
)
def test_bad_figures_are_refused_with_a_remedy(call) -> None:
    with pytest.raises(PhysicsError) as refused:
        call()
    assert refused.value.remedy


@pytest.mark.parametrize(("rcs", "reach"), [(1.0, 0.0), (1.0, -5e5), (-1.0, 5e5), (1.0, float("nan"))])
def test_echoes_from_nowhere_are_refused(rcs, reach):
    with pytest.raises(PhysicsError, match="range"):
        eq.snr(DESIGN, rcs, reach)
