"""Infrared sensors of the file: three ways to describe one, what contradicts, and what comes out in a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from noroshi.errors import ScenarioError
from noroshi.radiometry import BANDS
from noroshi.scenario import build
from noroshi.scenario.load import load, parse
from noroshi.scenario.template import template
from noroshi.sensors.background import clutter_gradient, earth
from noroshi.sensors.focal_plane import FocalPlane, Scene, snr
from noroshi.simulate import simulate
from noroshi.tables import Reason

BASE = template("base")
NEI = "nei_space_w_m2 = 1e-13, nei_earth_w_m2 = 1e-11, sigma_floor_urad = 50, pixel_urad = 100"
RANGE = "range_max_km = 5000, "
PLANE = (
    "aperture_m = 0.2, focal_m = 0.6, pitch_um = 15, integration_ms = 10, quantum_efficiency = 0.7, "
    'optics_transmission = 0.7, box_fraction = 0.7, read_noise_e = 50, surface = "low-cloud"'
)
BY_PLANE = f"sigma_floor_urad = 50, focal_plane = {{ {PLANE} }}"
STATED = "stated = { p_detect = 0.8, sigma_urad = 60, range_max_km = 4000 }"


def text(how: str, *, base: str = BASE, range_: str = RANGE, **swap: str) -> str:
    """The base scenario with its sensor described otherwise; `swap` replaces key = value inside."""
    found = base.replace(RANGE + NEI, range_ + how)
    for old, new in swap.items():
        found = found.replace(old, new)
    return found


def problems(file: str) -> list[str]:
    return [f"{p.line}: {p.what} | {p.remedy}" for p in parse(file)[1]]


def sensor(file: str):
    scenario, found = parse(file)
    assert scenario is not None, found
    return build.sensors(scenario)[0].model


def test_three_ways_are_read():
    assert problems(BASE) == problems(text(BY_PLANE)) == problems(text(STATED, range_="")) == []
    plain = sensor(BASE)
    assert (plain.noise_space_e, plain.snr_stated, plain.transmission) == (np.inf, 0.0, False)
    stated = sensor(text(STATED, range_=""))
    assert (stated.p_detect_max, stated.range_max_m, stated.pixel_rad) == (0.8, 4e6, 0.0)
    assert stated.sigma_floor_rad == pytest.approx(60e-6)


def test_a_focal_plane_is_its_chain():
    model = sensor(text(BY_PLANE))
    plane = FocalPlane(BANDS["mwir"], 0.2, 0.6, 15e-6, 1024, 1024, 10e-3, 0.7, 0.7, 0.7, 50.0)
    ground = earth("mwir", "low-cloud", air=False).photons_s_m2_sr
    for nei, noise, photons in (
        (model.nei_space_w_m2, model.noise_space_e, 0.0),
        (model.nei_earth_w_m2, model.noise_earth_e, ground),
    ):
        e = np.geomspace(1e-14, 1e-9, 6)
        linear = e / nei
        # the look's own arithmetic gives the chain's ratio at any brightness: rounding only
        np.testing.assert_allclose(
            linear / np.sqrt(1 + linear / noise), snr(plane, e, Scene(photons)), rtol=1e-9
        )
    assert model.pixel_rad == pytest.approx(25e-6)
    # read noise of 50 electrons alone against space: 50 / 2.411e5 of 1.111e-10 W/m2 (V-501)
    assert model.nei_space_w_m2 == pytest.approx(50 / 2.411e5 * 1.111e-10, rel=2e-3)


def test_clutter_comes_with_jitter_and_light():
    quiet = sensor(text(BY_PLANE))
    shaken = sensor(text(BY_PLANE.replace("focal_plane = { ", "focal_plane = { jitter_urad = 20, ")))
    assert shaken.nei_earth_w_m2 > quiet.nei_earth_w_m2
    assert shaken.nei_space_w_m2 == quiet.nei_space_w_m2
    plane = FocalPlane(
        BANDS["mwir"], 0.2, 0.6, 15e-6, 1024, 1024, 10e-3, 0.7, 0.7, 0.7, 50.0, jitter_rad=20e-6
    )
    ground = earth("mwir", "low-cloud", air=False).photons_s_m2_sr
    scene = Scene(ground, clutter_gradient(ground, "low-cloud", 5e6))
    e = 1e-11
    x = e / shaken.nei_earth_w_m2
    assert x / np.sqrt(1 + x / shaken.noise_earth_e) == pytest.approx(snr(plane, e, scene), rel=1e-9)
    noon = sensor(text(BY_PLANE.replace("focal_plane = { ", "focal_plane = { sun_zenith_deg = 0, ")))
    assert noon.nei_earth_w_m2 > quiet.nei_earth_w_m2


def test_staring_fills_the_period_with_exposures():
    # 1 s holds 100 exposures of 10 ms: a tenth of the noise
    wide = BY_PLANE.replace(
        "focal_plane = { ", "focal_plane = { pixels_across = 200000, pixels_along = 200000, "
    )
    once = sensor(text(wide))
    stare = sensor(text(wide.replace("focal_plane = { ", 'focal_plane = { mode = "staring", ')))
    assert stare.nei_space_w_m2 == pytest.approx(0.1 * once.nei_space_w_m2, rel=1e-12)
    assert stare.nei_earth_w_m2 == pytest.approx(0.1 * once.nei_earth_w_m2, rel=1e-12)
    # 100 times the electrons of signal against 10 times the noise
    assert stare.noise_space_e == pytest.approx(10 * once.noise_space_e, rel=1e-12)


@pytest.mark.parametrize(
    ("file", "what", "remedy"),
    [
        (text("sigma_floor_urad = 50"), "nothing says how well sensor 'ir' sees", "focal_plane table"),
        (text(f"{BY_PLANE}, {STATED}"), "described twice", "keep one"),
        (
            text("nei_space_w_m2 = 1e-13, sigma_floor_urad = 5, pixel_urad = 1"),
            "nei_earth_w_m2 is missing",
            "Earth",
        ),
        (text(NEI, range_=""), "range_max_km is missing", "farthest"),
        (text(f"{BY_PLANE}, nei_space_w_m2 = 1e-13"), "nei_space_w_m2 does not go with focal_plane", "leave"),
        (text(f"{BY_PLANE}, pixel_urad = 1"), "it is pitch_um / focal_m", "leave"),
        (text(BY_PLANE.replace("sigma_floor_urad = 50, ", "")), "sigma_floor_urad is missing", "attitude"),
        (text(STATED), "range_max_km does not go with stated", "leave"),
        (text(f"{STATED}, p_detect_max = 0.9", range_=""), "p_detect_max does not go with stated", "leave"),
        (text(f"{STATED}, transmission = true", range_=""), "brightness does not count", "leave"),
        (text(f"{NEI}, limb_exclusion_km = 50, limb_exclusion_deg = 1"), "excluded twice", "keep one"),
        (text(BY_PLANE.replace("low-cloud", "moon")), "of a surface 'moon'", "use one of: ocean"),
        (
            text(BY_PLANE.replace("= 10,", "= 2000,")),
            "longer than the scan period of 1000 ms",
            "at most 1000,",
        ),
        (
            text(BY_PLANE.replace("efficiency = 0.7", "efficiency = 1.2")),
            "less than or equal to 1",
            "electrons per photon",
        ),
        (
            text(BY_PLANE.replace("aperture_m = 0.2", "aperture_m = -1")),
            "greater than 0",
            "this field is in metres",
        ),
    ],
)
def test_contradictions(file, what, remedy):
    (problem,) = problems(file)
    assert what in problem
    assert remedy in problem
    assert int(problem.split(":")[0]) > 0


def with_plane(**change: str) -> str:
    return text(BY_PLANE.replace("{ ", "{ " + "".join(f"{k} = {v}, " for k, v in change.items())))


def figure(problem: str) -> float:
    return float(problem.split("at most ")[1].split()[0].rstrip(","))


def test_the_nearest_feasible_exposure_of_a_scanning_sensor_is_feasible():
    (problem,) = problems(with_plane(mode='"scanning"'))
    # a million pixels of 25 urad see 6.6e-4 sr of the 4.13 of a 70 degree cone: 0.16 ms of each second
    assert figure(problem) == pytest.approx(
        1e3 * 1024**2 * 625e-12 / (2 * np.pi * (1 - np.cos(np.deg2rad(70)))), rel=0.01
    )
    assert (
        problems(
            with_plane(mode='"scanning"').replace(
                "integration_ms = 10", f"integration_ms = {figure(problem)}"
            )
        )
        == []
    )


def test_the_nearest_feasible_field_of_a_staring_sensor_is_feasible():
    (problem,) = problems(with_plane(mode='"staring"'))
    assert "must see all of it" in problem
    smaller = f"field_of_regard_deg = {figure(problem)}"
    assert problems(with_plane(mode='"staring"').replace("field_of_regard_deg = 70", smaller)) == []


def test_a_well_that_the_background_fills_is_refused_with_the_exposure_that_fits():
    (problem,) = problems(with_plane(full_well_e="1e5"))
    assert "fills the well" in problem
    fits = with_plane(full_well_e="1e5").replace("integration_ms = 10", f"integration_ms = {figure(problem)}")
    assert problems(fits) == []


@pytest.mark.parametrize("how", [BY_PLANE, f"{NEI}, transmission = true"])
def test_a_band_without_wavelengths_is_refused_where_physics_needs_them(how):
    file = text(how).replace("mwir", "plume")
    (problem,) = problems(file)
    assert "no wavelengths are known of band 'plume'" in problem
    assert all(band in problem for band in BANDS)
    assert problems(text(NEI).replace("mwir", "plume")) == []  # with an NEI a band is only a name


def test_a_scenario_made_by_hand_is_refused_too():
    scenario, _ = parse(BASE)
    assert scenario is not None
    part = scenario.infrared[0].model_copy(update={"nei_space_w_m2": None, "nei_earth_w_m2": None})
    with pytest.raises(ScenarioError, match="nothing says"):
        build.sensors(scenario.model_copy(update={"infrared": (part,)}))


def run(film: Path, change: str = ""):
    if change:
        film.write_text(film.read_text().replace('band = "mwir"', f'band = "mwir"\n{change}'))
    return simulate(load(str(film)))


def test_exclusions_of_a_run_are_counted_and_add_up(film: Path):
    plain = run(film)
    assert "sun_exclusion" not in plain.summary["looks"]
    blind = run(film, "sun_exclusion_deg = 180\nlimb_exclusion_km = 80")
    assert "moon_exclusion" not in blind.summary["looks"]
    for looks in (plain.summary["looks"], blind.summary["looks"], blind.summary["looks_in_view"]):
        assert sum(looks.values()) == pytest.approx(1.0, abs=1e-9)
    # half a year or night, some satellites see the Sun and none of these may look anywhere
    assert blind.summary["looks"]["sun_exclusion"] > 0.0
    sun = blind.looks.reason == Reason.SUN_EXCLUSION
    was = plain.looks.reason[sun]
    assert set(was.tolist()) <= {Reason.DETECTED, Reason.MISSED, Reason.BELOW_THRESHOLD}
    np.testing.assert_array_equal(plain.looks.reason[~sun], blind.looks.reason[~sun])
