"""Backgrounds: limits without air and with nothing but air, the reference's design readings, clutter of a field."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import PhysicsError
from noroshi.radiometry import BANDS, photon_radiance, radiance
from noroshi.sensors.background import (
    AIR_TEMPERATURE_K,
    SURFACES,
    clutter_gradient,
    earth,
    limb,
    surface_named,
)

BAND, SURFACE = st.sampled_from(sorted(BANDS)), st.sampled_from(sorted(SURFACES))


def test_sun_and_ground_are_equal_in_mwir_and_the_ground_alone_counts_in_lwir(monkeypatch):
    # the reference's figures: 3-5 um, albedo 0.3: sun 2.1, 300 K ground 1.87; 8-12 um: 38.5 at 300 K (W/m2/sr)
    grey = SURFACES["land"]._replace(temperature_k=300.0, albedo=dict.fromkeys(BANDS, 0.3))
    monkeypatch.setitem(SURFACES, "grey", grey)
    night, noon = (earth("mwir", "grey", cos_sun=c, air=False).w_m2_sr for c in (-1.0, 1.0))
    assert noon - night == pytest.approx(2.1, abs=0.05)  # rounded to two digits there
    assert night == pytest.approx(0.7 * 1.866, rel=1e-3)
    night, noon = (earth("lwir", "grey", cos_sun=c, air=False).w_m2_sr for c in (-1.0, 1.0))
    assert night == pytest.approx(0.7 * 38.50, rel=1e-3)
    assert noon / night - 1 < 0.005


def test_a_sunlit_cloud_outshines_the_ground_in_the_water_band_until_there_is_air(monkeypatch):
    bright = SURFACES["low-cloud"]._replace(albedo=dict.fromkeys(BANDS, 0.7))
    monkeypatch.setitem(SURFACES, "bright", bright)
    cloud = earth("water", "bright", cos_sun=1.0, air=False).w_m2_sr
    assert cloud == pytest.approx(1.9, abs=0.05)  # the reference: 250 times the 0.0074 of 300 K ground
    assert cloud / radiance(BANDS["water"], 300.0) == pytest.approx(250, rel=0.05)
    below = earth("water", "bright", cos_sun=1.0).w_m2_sr
    assert below == pytest.approx(radiance(BANDS["water"], AIR_TEMPERATURE_K["water"]), rel=1e-3)


@given(band=BAND, surface=SURFACE, sun=st.floats(-1.0, 1.0), view=st.floats(0.0, 1.0))
def test_background_lies_between_its_parts(band, surface, sun, view):
    found = earth(band, surface, cos_sun=sun, cos_view=view).w_m2_sr
    kind = SURFACES[surface]
    parts = [
        earth(band, surface, cos_sun=sun, air=False).w_m2_sr,
        radiance(BANDS[band], AIR_TEMPERATURE_K[band]),
    ]
    assert found <= max(parts) * (1 + 1e-12)
    assert found >= (1 - kind.albedo[band]) * min(radiance(BANDS[band], kind.temperature_k), parts[1]) * (
        1 - 1e-12
    )


def test_photons_and_watts_are_one_light():
    # energy per photon lies inside the band's own range
    from noroshi.constants import LIGHT_M_S, PLANCK_J_S

    for name, band in BANDS.items():
        for sun in (-1.0, 1.0):
            found = earth(name, "land", cos_sun=sun)
            wavelength = PLANCK_J_S * LIGHT_M_S * found.photons_s_m2_sr / found.w_m2_sr
            assert band.low_m < wavelength < band.high_m


def test_black_ground_without_air_is_planck(monkeypatch):
    black = SURFACES["land"]._replace(temperature_k=250.0, albedo=dict.fromkeys(BANDS, 0.0))
    monkeypatch.setitem(SURFACES, "black", black)
    found = earth("lwir", "black", cos_sun=1.0, air=False)
    assert found.w_m2_sr == pytest.approx(14.56, rel=1e-3)  # V-405
    assert found.photons_s_m2_sr == pytest.approx(photon_radiance(BANDS["lwir"], 250.0), rel=1e-12)


@pytest.mark.parametrize("band", BANDS)
def test_limb_falls_to_nothing_with_height(band):
    heights = np.linspace(0.0, 200e3, 41)
    found = limb(band, heights).w_m2_sr
    assert (np.diff(found) <= 0.0).all()
    black = radiance(BANDS[band], AIR_TEMPERATURE_K[band])
    # on the ground every band is opaque along the limb (depth 35 at least); at 200 km nothing is left of the air
    assert found[0] == pytest.approx(black, rel=1e-9)
    assert found[-1] < 1e-6 * black


def test_clutter_is_the_slope_of_a_gaussian_field():
    kind = SURFACES["low-cloud"]
    rng = np.random.default_rng(2)
    # a field of many waves: wave numbers of variance 1 / length^2 have the covariance exp(-x^2 / 2 length^2)
    waves, points = 20_000, 200
    k, phase = rng.standard_normal(waves) / kind.length_m, rng.uniform(0, 2 * np.pi, waves)
    x = rng.uniform(0, 1e3 * kind.length_m, points)
    # slope of sqrt(2 / waves) sum cos(k x + phase), times contrast and mean
    slope = -np.sqrt(2 / waves) * np.sin(np.outer(x, k) + phase) @ k * kind.contrast * 4.0
    # 5 sigma of a deviation from so many points
    expected = clutter_gradient(4.0, "low-cloud", 3e6)
    assert slope.std() * 3e6 == pytest.approx(expected, rel=5 / np.sqrt(2 * points))


def test_every_surface_says_why_and_knows_every_band():
    for kind in SURFACES.values():
        assert "unverified" in kind.notional
        assert set(kind.albedo) == set(BANDS)
        assert all(0.0 <= value <= 1.0 for value in kind.albedo.values())


def test_what_has_no_background_is_refused_by_name():
    for use in (lambda: earth("uv", "land"), lambda: limb("uv", 0.0)):
        with pytest.raises(PhysicsError, match="'uv'") as error:
            use()
        assert all(name in error.value.remedy for name in BANDS)
    with pytest.raises(PhysicsError, match="'moon'") as error:
        surface_named("moon")
    assert "low-cloud" in error.value.remedy


def test_a_surface_below_zero_kelvin_is_refused(monkeypatch):
    monkeypatch.setitem(SURFACES, "cold", SURFACES["land"]._replace(temperature_k=-5.0))
    with pytest.raises(PhysicsError, match="does not radiate"):
        earth("lwir", "cold")
