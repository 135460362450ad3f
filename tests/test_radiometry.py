"""Band radiances against closed forms: the whole spectrum, the fractional function's series, the Wien limit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from noroshi.constants import BOLTZMANN_J_K, LIGHT_M_S, PLANCK_J_S, STEFAN_BOLTZMANN
from noroshi.errors import PhysicsError
from noroshi.radiometry import (
    BANDS,
    Band,
    band_named,
    photon_radiance,
    radiance,
    reflected_sun,
    sun_irradiance,
    total_radiance,
)


def below(wavelength: float, temperature: float) -> float:
    """Radiance below a wavelength by the series of the fractional function (Chang & Rhee 1984, eq. 6)."""
    x = PLANCK_J_S * LIGHT_M_S / (wavelength * BOLTZMANN_J_K * temperature)
    n = np.arange(1, 400)
    series = np.sum(np.exp(-n * x) * (x**3 / n + 3 * x**2 / n**2 + 6 * x / n**3 + 6 / n**4))
    return float(15 / np.pi**4 * series * total_radiance(temperature))


@pytest.mark.parametrize("name", BANDS)
@pytest.mark.parametrize("temperature", [180.0, 300.0, 1500.0, 5772.0])
def test_a_band_is_the_difference_of_two_fractions(name, temperature):
    band = BANDS[name]
    expected = below(band.high_m, temperature) - below(band.low_m, temperature)
    # 1e-9: the quadrature; the difference of two fractions loses some digits of its own for narrow bands
    assert radiance(band, temperature) == pytest.approx(expected, rel=1e-9)


def test_bands_that_touch_add_up_to_the_whole():
    edges = np.geomspace(0.1e-6, 5e-3, 200)
    parts = sum(radiance(Band(a, b), 300.0) for a, b in pairwise(edges))
    assert parts == pytest.approx(STEFAN_BOLTZMANN * 300.0**4 / np.pi, rel=1e-6)  # beyond 5 mm lies less


def test_photons_times_their_energy_are_the_radiance():
    narrow = Band(4.0e-6, 4.0e-6 * (1 + 1e-6))
    energy = PLANCK_J_S * LIGHT_M_S / 4.0e-6
    assert photon_radiance(narrow, 300.0) * energy == pytest.approx(radiance(narrow, 300.0), rel=1e-6)


def test_numpy_and_jax_agree_and_temperature_has_a_slope():
    import noroshi._jax  # noqa: F401

    # isort: split
    import jax

    band = BANDS["mwir"]
    slope = jax.grad(lambda t: radiance(band, t))(jax.numpy.float64(300.0))
    step = (radiance(band, 300.001) - radiance(band, 299.999)) / 0.002
    assert float(slope) == pytest.approx(step, rel=1e-7)


def test_the_solar_constant_and_a_low_sun():
    wide = Band(0.1e-6, 200e-6)
    assert sun_irradiance(wide) == pytest.approx(1361.16, rel=2e-5)  # IAU nominal 1361 W/m2
    assert reflected_sun(BANDS["mwir"], 0.3, -0.2) == 0.0
    assert reflected_sun(BANDS["mwir"], 0.3, 0.5) == 0.5 * reflected_sun(BANDS["mwir"], 0.3, 1.0)


@pytest.mark.parametrize("temperature", [0.0, -5.0, float("nan"), np.array([300.0, -1.0])])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(PhysicsError, match="does not radiate"):
        radiance(BANDS["lwir"], temperature)


def test_a_band_that_is_none_is_refused():
    with pytest.raises(PhysicsError, match="is none"):
        radiance(Band(5e-6, 3e-6), 300.0)
    with pytest.raises(PhysicsError, match="swir"):
        band_named("uv")


def test_what_no_surface_does_is_refused():
    with pytest.raises(PhysicsError, match="does not radiate"):
        total_radiance(-300.0)
    with pytest.raises(PhysicsError, match="albedo"):
        reflected_sun(BANDS["mwir"], 3.0, 1.0)
