"""The infrared chain against the reference table (V-501, V-503, V-509) and its own inverses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import PhysicsError
from noroshi.radiometry import BANDS, photon_radiance
from noroshi.sensors.focal_plane import (
    FocalPlane,
    Scene,
    background_electrons,
    check,
    clutter_electrons,
    diffraction_rad,
    dwell_max_s,
    false_alarms_per_frame,
    field_sr,
    frames_in,
    integration_max_s,
    irradiance_for,
    nei_with_clutter,
    nei_without_clutter,
    noise_electrons,
    p_detect_at,
    pixel_rad,
    range_for,
    registration_bias,
    saturates,
    sigma_line_of_sight,
    signal_electrons,
    snr,
    threshold_for,
)

# The illustrative sensor of the reference: no real payload
PLANE = FocalPlane(
    band=BANDS["mwir"],
    aperture_m=0.20,
    focal_m=0.60,
    pitch_m=15e-6,
    pixels_across=1000,
    pixels_along=1000,
    integration_s=10e-3,
    quantum_efficiency=0.7,
    optics_transmission=0.7,
    box_fraction=0.7,
    read_noise_e=50.0,
)
LWIR = PLANE._replace(band=BANDS["lwir"], quantum_efficiency=0.6, integration_s=0.5e-3)
WATER = PLANE._replace(band=BANDS["water"], integration_s=50e-3)
IRRADIANCE = 1e3 / 3e6**2  # 1 kW/sr at 3000 km
SCENE = Scene(photon_radiance(BANDS["mwir"], 250.0), 1e21)


@pytest.mark.parametrize(
    ("plane", "temperature", "signal", "background", "ratio", "nei"),
    [
        (PLANE, 250.0, 2.411e5, 4.774e5, 283.9, 3.193e-13),
        (LWIR, 250.0, 2.583e4, 3.056e6, 14.71, 7.523e-12),
        (WATER, 230.0, 8.499e5, 304.0, 920.4, 6.923e-15),
    ],
)
def test_reference_sensor(plane, temperature, signal, background, ratio, nei):
    scene = Scene(photon_radiance(plane.band, temperature))
    # 0.2 %: the reference's own tolerance (V-501); its figures are rounded to four digits
    assert signal_electrons(plane, IRRADIANCE) == pytest.approx(signal, rel=2e-3)
    assert background_electrons(plane, scene.photon_radiance) == pytest.approx(background, rel=2e-3)
    assert snr(plane, IRRADIANCE, scene) == pytest.approx(ratio, rel=2e-3)
    assert nei_without_clutter(plane, scene.photon_radiance) == pytest.approx(nei, rel=2e-3)


def test_geometry_of_the_reference_sensor():
    assert pixel_rad(PLANE) == pytest.approx(25e-6)
    assert pixel_rad(PLANE) * 3e6 == pytest.approx(75.0)  # metres at 3000 km
    assert diffraction_rad(PLANE) == pytest.approx(1.22 * 5e-6 / 0.2)  # 30.5 urad: the pixel is the smaller
    assert field_sr(PLANE) == pytest.approx(0.025**2)


@pytest.mark.parametrize(
    ("range_km", "expected"), [(1000, 1.0e-9), (3000, 1.111e-10), (4500, 4.938e-11), (36_000, 7.716e-13)]
)
def test_irradiance_by_range(range_km, expected):
    from noroshi.sensors.infrared import irradiance

    assert irradiance(1e3, range_km * 1e3) == pytest.approx(expected, rel=1e-3)  # V-509


@pytest.mark.parametrize(("threshold", "chance"), [(5.0, 2.8665e-7), (6.0, 9.866e-10)])
def test_threshold_and_false_alarm_are_each_other(threshold, chance):
    # 1e-4: the chance is given to four digits, which moves the threshold far less (V-503)
    assert threshold_for(chance) == pytest.approx(threshold, rel=1e-4)
    assert false_alarms_per_frame(1.0, threshold) == pytest.approx(chance, rel=1e-4)


def test_a_million_pixels():
    assert false_alarms_per_frame(1e6, 5.0) == pytest.approx(0.29, abs=0.005)  # as rounded in the reference
    assert false_alarms_per_frame(1e6, 6.0) == pytest.approx(1e-3, rel=0.02)


@pytest.mark.parametrize(("ratio", "chance"), [(6.0, 0.84134), (8.0, 0.99865)])
def test_detection_at_threshold_five(ratio, chance):
    assert p_detect_at(ratio, 2.8665157e-7) == pytest.approx(chance, abs=1e-5)  # V-503


@pytest.mark.parametrize("chance", [0.0, 1.0, -1e-6, float("nan")])
def test_no_threshold_for_an_impossible_chance(chance):
    with pytest.raises(PhysicsError, match="false alarm"):
        threshold_for(chance)


@given(
    ratio=st.floats(0.5, 200.0),
    gradient=st.floats(0.0, 1e24),
    frames=st.integers(1, 100),
    residual=st.floats(0.0, 0.01),
)
def test_range_and_ratio_are_each_other(ratio, gradient, frames, residual):
    plane = PLANE._replace(jitter_rad=5e-6, frame_residual=residual)
    scene = SCENE._replace(photon_gradient=gradient)
    reach = range_for(plane, 2e3, ratio, scene, transmission=0.8, frames=frames)
    # a quadratic solved and put back: rounding only
    assert snr(plane, 2e3 * 0.8 / reach**2, scene, frames=frames) == pytest.approx(ratio, rel=1e-9)


def test_the_usual_range_formula_is_the_limit_of_a_faint_target():
    nei = nei_without_clutter(PLANE, SCENE.photon_radiance)
    usual = np.sqrt(1e3 / (5.0 * nei))
    # signal 3.5e3 e- of a background of 4.8e5: half of 0.7 % of the noise, so 0.4 % of the ratio, 0.2 % of range
    assert range_for(PLANE, 1e3, 5.0, Scene(SCENE.photon_radiance)) == pytest.approx(usual, rel=3e-3)
    assert range_for(WATER, 1e3, 5.0, Scene(0.0)) < np.sqrt(1e3 / (5.0 * nei_without_clutter(WATER, 0.0)))


def test_clutter_adds_in_squares_and_does_not_average():
    plane = PLANE._replace(jitter_rad=10e-6, frame_residual=1e-3)
    scene = Scene(1e20, 3e21)
    moved = background_electrons(plane, 3e21 * 10e-6)  # the radiance by which a jittered pixel differs
    left = 1e-3 * background_electrons(plane, 1e20)
    assert clutter_electrons(plane, scene) == pytest.approx(np.hypot(moved, left), rel=1e-12)
    assert nei_with_clutter(plane, scene) > nei_without_clutter(plane, 1e20)
    many = noise_electrons(plane, scene, frames=10**12)
    assert many == pytest.approx(clutter_electrons(plane, scene), rel=1e-6)  # what is left of white noise
    one, hundred = (nei_without_clutter(plane, 1e20, frames=n) for n in (1, 100))
    assert one == pytest.approx(10.0 * hundred, rel=1e-12)


def test_without_jitter_and_residual_there_is_no_clutter():
    assert nei_with_clutter(PLANE, SCENE) == nei_without_clutter(PLANE, SCENE.photon_radiance)


def test_numpy_and_jax_agree():
    import noroshi._jax  # noqa: F401

    # isort: split
    import jax.numpy as jnp

    e = np.geomspace(1e-15, 1e-9, 5)
    plane = PLANE._replace(full_well_e=1e6)
    np.testing.assert_allclose(snr(plane, jnp.asarray(e), SCENE), snr(plane, e, SCENE), rtol=1e-12)


def test_a_full_well_limits_the_ratio():
    plane = PLANE._replace(full_well_e=1e6)
    bright, brighter = snr(plane, np.array([1e-9, 1e-6]), SCENE)
    assert bright == brighter < 1e6**0.5  # no ratio exceeds the root of the electrons
    assert saturates(plane, 1e-9, SCENE)
    assert not saturates(plane, 1e-12, SCENE)
    assert snr(plane, 1e-12, SCENE) == snr(PLANE, 1e-12, SCENE)


def test_a_background_that_fills_the_well_is_refused_with_the_exposure_that_fits():
    plane = PLANE._replace(full_well_e=2e5)  # of 4.8e5 background electrons
    fits = integration_max_s(plane, SCENE.photon_radiance)
    assert fits == pytest.approx(10e-3 * 1e5 / 4.774e5, rel=2e-3)
    with pytest.raises(PhysicsError) as error:
        snr(plane, 1e-12, SCENE)
    assert f"at most {fits:.2g}" in error.value.remedy
    assert snr(plane._replace(integration_s=fits), 1e-12, SCENE) > 0.0


def test_angle_error():
    # half a pixel of 25 urad over 10 is 1.25 urad, a whole one 2.5 urad
    assert sigma_line_of_sight(10.0, 25e-6, 0.0) == pytest.approx(1.25e-6)
    assert sigma_line_of_sight(10.0, 25e-6, 0.0, centroid=1.0) == pytest.approx(2.5e-6)
    assert sigma_line_of_sight(10.0, 40e-6, 1.5e-6) == pytest.approx(2.5e-6)  # 3-4-5 triangle


def test_registration_bias_is_one_draw_per_run_and_sensor():
    a = registration_bias(20e-6, 7, 0, "ir-01")
    np.testing.assert_array_equal(a, registration_bias(20e-6, 7, 0, "ir-01"))
    assert not np.any(a == registration_bias(20e-6, 7, 1, "ir-01"))
    assert not np.any(a == registration_bias(20e-6, 7, 0, "ir-02"))
    many = np.array([registration_bias(20e-6, 7, run, "ir-01") for run in range(2000)])
    # 5 sigma of the error of a standard deviation from 6000 draws
    assert many.std() == pytest.approx(20e-6, rel=5 / np.sqrt(2 * 6000))
    assert not registration_bias(0.0, 7, 0, "ir-01").any()


def test_frames_and_dwell():
    assert frames_in(PLANE, 1.0) == 100  # of 10 ms
    assert frames_in(PLANE, 0.01) == 1
    with pytest.raises(PhysicsError, match="does not fit") as error:
        frames_in(PLANE, 0.005)
    assert "at most 0.005" in error.value.remedy
    assert dwell_max_s(PLANE, 10 * field_sr(PLANE), 5.0) == pytest.approx(0.5)
    assert dwell_max_s(PLANE, 0.1 * field_sr(PLANE), 5.0) == 5.0


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"quantum_efficiency": 1.2}, "quantum_efficiency is at most 1"),
        ({"quantum_efficiency": 0.0}, "quantum_efficiency is above 0"),
        ({"optics_transmission": -0.1}, "optics_transmission is above 0"),
        ({"box_fraction": 2.0}, "box_fraction is at most 1"),
        ({"aperture_m": 0.0}, "aperture_m is above 0"),
        ({"aperture_m": float("inf")}, "aperture_m is above 0"),
        ({"integration_s": float("nan")}, "integration_s is above 0"),
        ({"read_noise_e": -1.0}, "read_noise_e is at least 0"),
        ({"jitter_rad": float("nan")}, "jitter_rad is at least 0"),
        ({"full_well_e": 0.0}, "full_well_e is above 0"),
    ],
)
def test_impossible_figures_are_refused_by_every_way_in(change, remedy):
    plane = PLANE._replace(**change)
    for use in (
        lambda: check(plane),
        lambda: snr(plane, IRRADIANCE, SCENE),
        lambda: irradiance_for(plane, 5.0, SCENE),
        lambda: frames_in(plane, 1.0),
    ):
        with pytest.raises(PhysicsError) as error:
            use()
        assert remedy in error.value.remedy


def test_a_pixel_finer_than_diffraction_is_allowed():
    fine = PLANE._replace(pitch_m=1e-6)
    assert pixel_rad(fine) < 0.1 * diffraction_rad(fine)
    assert snr(fine, IRRADIANCE, SCENE) > 0.0


def test_negative_light_and_no_exposures_are_refused():
    from noroshi.sensors.focal_plane import noise_electrons, signal_electrons

    for silly in (-1e-9, float("nan")):
        with pytest.raises(PhysicsError, match="irradiance"):
            signal_electrons(PLANE, silly)
        with pytest.raises(PhysicsError, match="radiance"):
            noise_electrons(PLANE, Scene(silly))
    with pytest.raises(PhysicsError, match="exposures"):
        noise_electrons(PLANE, Scene(1e18), frames=0)
