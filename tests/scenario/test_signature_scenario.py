"""A target's `signature` from the file to what a sensor sees of it."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from noroshi import store
from noroshi.earth import itrs_from_geodetic
from noroshi.scenario import build
from noroshi.scenario.load import load, parse
from noroshi.sensors.look import opportunities
from noroshi.sensors.models import Infrared
from noroshi.simulate import simulate
from noroshi.tables import Background, Ephemeris, Phase
from noroshi.targets.models import Target, Trajectory
from noroshi.targets.radiators import AIRCRAFT, PLUMES, Body, GliderShape, Model, Plume, Satellite
from noroshi.targets.truth import truth

STATED = "intensity_kw_sr = { mwir = { boost = 100 } }"


def with_signature(text: str, signature: str, stated: str = "") -> str:
    return text.replace(STATED, f"{stated}\nsignature = {{ {signature} }}")


def problems(text: str, folder: Path | None = None) -> list[str]:
    return [f"{p.line}: {p.what} | {p.remedy}" for p in parse(text, folder)[1]]


def model(text: str, signature: str) -> Model | None:
    scenario, found = parse(with_signature(text, signature))
    assert scenario is not None, found
    return build.targets(scenario)[0].signature


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ('kind = "glider"', Model(GliderShape(), PLUMES["long-range"])),
        ('kind = "glider", plume_class = "none"', Model(GliderShape(), None)),
        ('kind = "plume"', Model(None, PLUMES["medium-range"])),
        ('kind = "body"', Model(Body(), PLUMES["medium-range"])),
        ('kind = "aircraft"', Model(AIRCRAFT["fighter"])),
        ('kind = "aircraft", aircraft_class = "cruise-missile"', Model(AIRCRAFT["cruise-missile"])),
        ('kind = "satellite"', Model(Satellite())),
    ],
)
def test_a_kind_alone_takes_the_documented_defaults(
    film_text: tuple[str, str], signature: str, expected: Model
) -> None:
    """The file's defaults are written in its schema once more: they must be the model's. 1e-12: degrees to radians."""
    found = model(film_text[0], signature)
    assert found is not None
    assert type(found.body) is type(expected.body)
    assert found.plume == expected.plume
    for a, b in zip(found.body or (), expected.body or (), strict=True):
        assert a == b if isinstance(b, str) else a == pytest.approx(b, rel=1e-12)


def test_figures_turn_into_si_and_radians(film_text: tuple[str, str]) -> None:
    glider = model(
        film_text[0],
        'kind = "glider", plume_kw_sr = 2, emissivity = 0.5, nose_radius_m = 0.1, front_m = 3, length_m = 5, '
        "half_plan_deg = 18, rear_width_m = 2, front_angle_deg = 36, rear_angle_deg = 9, lower_angle_deg = 12, "
        'notional = "test"',
    )
    shape = GliderShape(0.1, 3, 5, pi / 10, 2, pi / 5, pi / 20, pi / 15, 0.5)
    assert glider is not None
    assert glider.plume == Plume(2000.0)
    assert isinstance(glider.body, GliderShape)
    assert tuple(glider.body) == pytest.approx(tuple(shape))
    body = model(
        film_text[0],
        'kind = "body", shape = "sphere", radius_m = 2, cylinder_m = 1, half_angle_deg = 18, reflectance = 0.1, '
        'temperature_k = 250, notional = "test"',
    )
    assert body == Model(Body("sphere", 2, 0.05, pi / 10, 1, 0.85, 0.1, 250), PLUMES["medium-range"])
    jet = model(film_text[0], 'kind = "aircraft", top_m2 = 80, plume_kw_sr = 0.5, notional = "test"')
    assert jet == Model(AIRCRAFT["fighter"]._replace(top_m2=80.0, plume_w_sr=500.0))
    plume = model(
        film_text[0], 'kind = "plume", plume_class = "short-range", trough = 0.5, notional = "test"'
    )
    assert plume == Model(None, Plume(2e4, 0.5))


def test_a_glider_is_heated_by_the_air_that_it_flies_in() -> None:
    path = Path(build.__file__).parent / "library" / "glide-7600.toml"  # whose glider has a signature
    thick = path.read_text("utf-8").replace('kind = "glide"\n', 'kind = "glide"\ndensity_factor = 1.5\n', 1)
    scenario, found = parse(thick, path.parent)
    assert scenario is not None, found
    signature = build.targets(scenario)[0].signature
    assert signature is not None
    assert isinstance(signature.body, GliderShape)
    assert signature.body.density_factor == 1.5


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        ('kind = "glidr"', "did you mean 'glider'"),
        ('plume_class = "none"', 'needs kind = "glider", "plume", "body", "aircraft" or "satellite"'),
        ('kind = "glider", emisivity = 0.5', "did you mean emissivity"),
        ('kind = "glider", emissivity = 0.8', "gives emissivity: needs `source`"),
        ('kind = "glider", emissivity = 1.5, notional = "test"', "less than or equal to 1"),
        ('kind = "glider", front_m = 4, notional = "test"', "does not lie between"),
        ('kind = "body", nose_radius_m = 0.4, notional = "test"', "must be less than radius_m"),
        ('kind = "body", reflectance = 0.5, notional = "test"', "at most 0.15"),
        ('kind = "satellite", emissivity = 0.9, notional = "test"', "at most 0.1"),
        ('kind = "aircraft", plume_class = "none"', "not a known field"),
    ],
)
def test_mistakes_are_said_with_their_line(film_text: tuple[str, str], signature: str, says: str) -> None:
    text = with_signature(film_text[0], signature)
    found = problems(text)
    line = next(k for k, row in enumerate(text.split("\n"), 1) if row.startswith("signature"))
    assert len(found) == 1, found
    assert says in found[0]
    assert found[0].startswith(f"{line}: ")


def test_a_band_without_known_wavelengths_needs_stated_figures(film_text: tuple[str, str]) -> None:
    odd = film_text[0].replace('band = "mwir"', 'band = "blue"')
    found = problems(with_signature(odd, 'kind = "body"'))
    assert len(found) == 1
    assert "no wavelengths are known of band 'blue'" in found[0]
    assert "'rocket'" in found[0]
    assert "swir, water, mwir" in found[0]
    assert problems(with_signature(odd, 'kind = "body"', "intensity_kw_sr = { blue = { boost = 1 } }")) == []
    # a known band needs none, though no target states it
    assert problems(with_signature(film_text[0], 'kind = "body"')) == []


# a level flight eastwards over the equator at 49.24 km and 6 km/s: the glide of V-402
SPEED, HEIGHT = 6000.0, 49_240.0


def flight(phases: list[Phase]) -> Trajectory:
    t = np.arange(float(len(phases)))
    place = np.asarray(itrs_from_geodetic(0.0, 0.0, HEIGHT), np.float64)
    return Trajectory(
        t=t,
        r_itrs=np.tile(place, (len(t), 1)),
        v_itrs=np.tile([0.0, SPEED, 0.0], (len(t), 1)),
        phase=np.array(phases, np.int8),
        t_end=float(len(t)),
        r_end_itrs=place,
    )


def sensor(band: str) -> Infrared:
    return Infrared(
        band=band,
        field_cone_rad=pi,
        grazing_height_m=0.0,
        cloud_top_m=0.0,
        background=int(Background.ANY),
        range_max_m=1e8,
        nei_space_w_m2=1e-9,
        nei_earth_w_m2=1e-9,
        threshold_snr=5.0,
        p_detect_max=0.9,
        sigma_floor_rad=1e-5,
        pixel_rad=1e-5,
        false_alarms_per_scan=0.0,
        p_detect_assumed=0.8,
        scan_period_s=1.0,
        scan_offset_s=0.0,
        processing_s=0.5,
    )


def seen(target: Target, places: list[np.ndarray], bands: list[str]) -> np.ndarray:
    """Intensity [time, sensor] in W/sr that sensors at rest find: SNR times NEI times range squared.

    GCRS and ITRS coincide: what moves with the Earth has the Earth's own velocity there.
    """
    t = target.trajectory.t
    m = np.broadcast_to(np.eye(3), (len(t), 3, 3)).copy()
    true = truth([target], t, m, tuple(dict.fromkeys(bands)))
    r = np.broadcast_to(np.array(places), (len(t), len(places), 3)).copy()
    v = np.zeros_like(r)
    v[..., 2] = 1.0
    ephemeris = Ephemeris(tuple(f"s{k}" for k in range(len(places))), t, r, v)
    found = opportunities([sensor(band) for band in bands], ephemeris, true, m)
    return found.snr[..., 0] * 1e-9 * found.range_m[..., 0] ** 2


def test_a_sensor_straight_above_sees_the_reference_glider() -> None:
    """V-402 at 6 km/s through truth and look. 2 %, the tolerance of the table."""
    target = Target("g", flight([Phase.GLIDE] * 2), 0.0, {}, 1.0, Model(GliderShape()))
    above = np.array([7.4e6, 0.0, 0.0])
    bands = ["swir", "water", "mwir", "lwir"]
    found = seen(target, [above] * 4, bands)
    np.testing.assert_allclose(found[0], [93.85e3, 14.81e3, 68.23e3, 10.96e3], rtol=0.02)
    np.testing.assert_array_equal(found[0], found[1])


def test_each_sensor_sees_its_own_side() -> None:
    target = Target("g", flight([Phase.GLIDE]), 0.0, {}, 1.0, Model(GliderShape()))
    above, ahead, behind = (
        np.array([7.4e6, 0.0, 0.0]),
        np.array([7.0e6, 2.5e6, 0.0]),
        np.array([7.0e6, -2.5e6, 0.0]),
    )
    up, front, back = seen(target, [above, ahead, behind], ["mwir"] * 3)[0]
    assert back < front  # the upper side leans forward, and the base is cool
    assert back < 0.3 * up


def test_a_stated_intensity_overrides_the_model_in_its_band_and_phase() -> None:
    stated = {"mwir": {"boost": 5e4, "glide": 7.0}, "blue": {"glide": 3.0}}
    phases = [Phase.BOOST, Phase.GLIDE, Phase.REENTRY]
    target = Target("g", flight(phases), 0.0, stated, 1.0, Model(GliderShape(), PLUMES["long-range"]))
    above = np.array([7.4e6, 0.0, 0.0])
    mwir, swir, blue = seen(target, [above] * 3, ["mwir", "swir", "blue"]).T
    assert mwir[0] == pytest.approx(5e4, rel=1e-9)
    assert mwir[1] == pytest.approx(7.0, rel=1e-9)
    assert mwir[2] == pytest.approx(68.23e3, rel=0.02)  # not stated: the model
    assert swir[0] == pytest.approx(2 * 3e5, rel=0.06)  # the plume from the side; eight facets
    assert swir[1] == pytest.approx(93.85e3, rel=0.02)
    np.testing.assert_allclose(blue, [0.0, 3.0, 0.0], atol=1e-9)  # nothing is modelled there


def test_targets_with_and_without_signature_stand_side_by_side() -> None:
    plain = Target("a", flight([Phase.GLIDE]), 0.0, {"mwir": {"glide": 42.0}}, 1.0)
    shaped = Target("b", flight([Phase.GLIDE]), 0.0, {}, 1.0, Model(GliderShape()))
    m = np.eye(3)[None]
    true = truth([plain, shaped], np.zeros(1), m, ("mwir",))
    assert true.facet_w_sr is not None
    assert true.intensity_w_sr[0, :, 0].tolist() == [42.0, 0.0]
    assert not true.facet_w_sr[:, 0].any()
    r = np.array([[[7.4e6, 0.0, 0.0]]])
    ephemeris = Ephemeris(("s",), np.zeros(1), r, np.array([[[0.0, 0.0, 1.0]]]))
    found = opportunities([sensor("mwir")], ephemeris, true, m)
    watts = found.snr[0, 0] * 1e-9 * found.range_m[0, 0] ** 2
    assert watts == pytest.approx([42.0, 68.23e3], rel=0.02)
    # without facets: the same as ever
    alone = opportunities([sensor("mwir")], ephemeris, replace(true, facet_w_sr=None, facet_normal=None), m)
    assert alone.snr[0, 0, 0] == found.snr[0, 0, 0]


def test_a_run_with_a_signature_writes_its_mean_and_one_without_does_not(
    film: Path, film_text: tuple[str, str]
) -> None:
    plain = simulate(load(str(film)))
    assert plain.truth.facet_w_sr is None
    assert not any("mean_w_sr" in c for c in store.table_columns("truth", plain))
    film.write_text(with_signature(film_text[0], 'kind = "body", plume_class = "long-range"'))
    run = simulate(load(str(film)))
    columns = store.table_columns("truth", run)
    assert run.truth.bands == ("mwir",)
    assert set(columns) - set(store.table_columns("truth", plain)) == {"intensity_mwir_mean_w_sr"}
    # a plume in 3-5 um: 1.5 times that at 2.7 um from the side, 0.6 to 1 of it elsewhere; mean of the sine pi/4
    mean = columns["intensity_mwir_mean_w_sr"]
    np.testing.assert_allclose(mean[0], 1.5 * 3e5 * (0.6 + 0.4 * pi / 4), rtol=1e-9)
    assert np.isfinite(run.opportunities.snr).all()
    assert (run.opportunities.snr > 0).any()
    store.write_tables(film.parent / "tables", run)
    again = pq.read_table(film.parent / "tables" / "truth.parquet")
    np.testing.assert_array_equal(again["intensity_mwir_mean_w_sr"].to_numpy(), mean)
    assert run.summary["nodes"].keys() == plain.summary["nodes"].keys()
