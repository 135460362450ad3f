"""Transmission of clear air: the air mass against the integral it stands for, and the table's own order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import k1e

from noroshi.errors import PhysicsError
from noroshi.radiometry import BANDS
from noroshi.sensors.transmission import (
    HEIGHTS_M,
    TABLE,
    air_mass,
    limb_depth,
    slant_depth,
    transmission,
    vertical_depth,
)

R, H = 6_371e3, 8e3
BAND = st.sampled_from(sorted(BANDS))


def integral(height: float, zenith: float) -> float:
    """Air on the slant path over the air straight up, by quadrature along the path."""

    def density(s: float) -> float:
        r = R + height
        return np.exp(-(np.sqrt(r * r + s * s + 2 * r * s * np.cos(zenith)) - r) / H) / H

    return quad(density, 0, 1e6)[0] + quad(density, 1e6, 8e6)[0]


@pytest.mark.parametrize("height", [0.0, 30e3])
@pytest.mark.parametrize("zenith_deg", [0, 30, 60, 75, 85, 89, 90])
def test_air_mass_is_the_integral(height, zenith_deg):
    zenith = np.deg2rad(zenith_deg)
    # 0.13 %: the closed form leaves out terms of the order H / R
    assert air_mass(height, np.cos(zenith)) == pytest.approx(integral(height, zenith), rel=1.3e-3)


def test_air_mass_at_its_ends():
    # 1 / cos for small angles: the sphere takes off tan^2 H / R, 0.04 % at 30 degrees, beside the form's 0.13 %
    for zenith in np.deg2rad([0, 10, 30]):
        assert air_mass(0.0, np.cos(zenith)) == pytest.approx(1 / np.cos(zenith), rel=2e-3)
    # along the horizon X exp(X) K1(X) exactly; the known order is 35 without refraction, 38 with
    x = R / H
    assert air_mass(0.0, 0.0) == pytest.approx(x * k1e(x), rel=1e-3)
    assert 35.0 < air_mass(0.0, 0.0) < 38.0


@given(band=BAND, height=st.floats(0.0, 120e3), a=st.floats(-0.15, 1.0), b=st.floats(-0.15, 1.0))
def test_more_air_lets_less_through(band, height, a, b):
    low, high = min(a, b), max(a, b)
    assert 0.0 <= transmission(band, height, low) <= transmission(band, height, high) <= 1.0
    assert vertical_depth(band, height) > vertical_depth(band, height + 1e3)


@given(band=BAND, height=st.floats(0.0, 100e3))
def test_a_level_path_is_half_of_the_limb_and_joins_the_dipping_ones(band, height):
    assert slant_depth(band, height, 0.0) == pytest.approx(0.5 * limb_depth(band, height), rel=1e-9)
    # 1e-9 below level: the square root of the horizon makes a step of about 1e-6 of the depth
    dipping = slant_depth(band, height, -1e-9)
    if height > 0.0:
        assert dipping == pytest.approx(slant_depth(band, height, 0.0), rel=1e-5)


def test_a_dipping_path_is_two_parts():
    # from 60 km down past 40 km and out: the integral of the layers in an exponential atmosphere of depth 1 at 40 km
    lowest, height = 40e3, 60e3
    cos = -np.sqrt(1 - ((R + lowest) / (R + height)) ** 2)
    down = limb_depth("lwir", lowest) - slant_depth("lwir", height, -cos)
    assert slant_depth("lwir", height, cos) == pytest.approx(down, rel=1e-9)
    assert slant_depth("lwir", height, cos) > 0.5 * limb_depth("lwir", lowest)


def test_a_path_into_the_ground_brings_nothing():
    assert transmission("lwir", 10e3, -0.5) == 0.0
    assert np.isfinite(transmission("lwir", np.array([-100.0, 0.0]), 1.0)).all()


@pytest.mark.parametrize("band", BANDS)
def test_the_table_says_why_and_falls_with_height(band):
    row = TABLE[band]
    assert "unverified" in row.notional
    assert len(row.depth) == len(HEIGHTS_M)
    assert (np.diff(row.depth) < 0.0).all()
    np.testing.assert_allclose(vertical_depth(band, HEIGHTS_M), row.depth, rtol=1e-12)
    assert np.log(vertical_depth(band, 100e3) / vertical_depth(band, 80e3)) == pytest.approx(
        np.log(row.depth[-1] / row.depth[-2]), rel=1e-9
    )


@pytest.mark.parametrize(("band", "least"), [("swir", 0.98), ("lwir", 0.98), ("mwir", 0.93)])
def test_above_forty_kilometres_air_is_nearly_clear_outside_the_cores(band, least):
    # V-U13, unverified; 3-5 um holds the 4.26 um core, an eighth of its width
    assert transmission(band, 40e3) > least


@pytest.mark.parametrize(("wide", "core"), [("swir", "water"), ("mwir", "carbon-dioxide")])
def test_a_wide_band_loses_at_least_what_its_core_loses(wide, core):
    width = {name: band.high_m - band.low_m for name, band in BANDS.items()}
    lost = width[core] / width[wide] * (1 - transmission(core, HEIGHTS_M))
    # 2 % of the loss: the table's figures are rounded to two digits
    assert (1 - transmission(wide, HEIGHTS_M) >= 0.98 * lost).all()


def test_unknown_bands_are_refused_by_name():
    with pytest.raises(PhysicsError, match="'uv'") as error:
        transmission("uv", 0.0)
    assert all(name in error.value.remedy for name in BANDS)
