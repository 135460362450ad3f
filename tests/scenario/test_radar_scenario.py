"""Radars of a scenario: three descriptions, their contradictions, and what they change in looks and detections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from noroshi.earth import destination, itrs_from_geodetic
from noroshi.scenario import build
from noroshi.scenario.load import parse
from noroshi.scenario.schema import Scenario
from noroshi.scenario.template import template
from noroshi.sensors import swerling
from noroshi.sensors.detect import observe
from noroshi.sensors.look import opportunities
from noroshi.sensors.models import Radar, Refraction
from noroshi.tables import Ephemeris, Phase, Reason, Truth

BASE = template("base")
SITE = 'name = "r", owner = "JPN", latitude_deg = 0, longitude_deg = 140, notional = "test"'
FLOORS = "range_max_km = 3000, sigma_range_m = 5, sigma_angle_mrad = 0.3"
REFERENCE = f"{FLOORS}, range_reference_km = 900"
FIGURES = (
    "average_power_kw = 81, aperture_m2 = 9.2, efficiency = 0.8, frequency_ghz = 9.5, bandwidth_mhz = 10, "
    "losses_db = 8, noise_temperature_k = 500"
)
DESIGN = f"{FLOORS}, design = {{ {FIGURES}, dwell_s = 0.1 }}"
STATED = "stated = { p_detect = 0.8, sigma_range_m = 7, sigma_angle_mrad = 0.5, range_max_km = 1500 }"


def text(keys: str) -> str:
    return BASE.replace("# 60 satellites", f"radars = [{{ {SITE}, {keys} }}]\n# 60 satellites", 1)


def scenario(keys: str) -> Scenario:
    made, found = parse(text(keys), Path())
    assert made is not None, found
    return made


def radar(keys: str) -> Radar:
    model = build.sensors(scenario(keys))[-1].model
    assert isinstance(model, Radar)
    return model


def only(keys: str) -> str:
    ((what, remedy, line, *_),) = parse(text(keys), Path())[1]
    assert line > 0
    return f"{what} | {remedy}"


def at(ground_m: float, height_m: float) -> np.ndarray:
    """East of the radar, on its equator."""
    lat, lon = destination(0.0, np.deg2rad(140.0), np.pi / 2, ground_m)
    return np.asarray(itrs_from_geodetic(lat, lon, np.float64(height_m)))


def look(model: Radar, targets: list[np.ndarray], rcs_m2: float = 1.0, times: int = 1, run: int = 0):
    """Reasons, SNR, P_d and detections of targets that stand still before a radar 20 m above the equator."""
    site = np.asarray(itrs_from_geodetic(0.0, np.deg2rad(140.0), np.float64(20.0)))
    t = np.arange(float(times))
    n = len(targets)
    x = np.broadcast_to(np.array(targets), (times, n, 3)).copy()
    truth = Truth(
        targets=tuple(f"t{k}" for k in range(n)),
        bands=(),
        t=t,
        r_gcrs=x,
        v_gcrs=np.zeros_like(x),
        phase=np.full((times, n), Phase.COAST, np.int8),
        alive=np.ones((times, n), bool),
        intensity_w_sr=np.zeros((times, n, 0)),
        rcs_m2=np.full(n, rcs_m2),
        t_launch=np.zeros(n),
        t_impact=np.full(n, float(times)),
    )
    place = np.broadcast_to(site, (times, 1, 3)).copy()
    sites = Ephemeris(("r",), t, place, np.zeros_like(place))
    m = np.broadcast_to(np.eye(3), (times, 3, 3)).copy()
    found = opportunities([model], sites, truth, m)
    _, _, detections, answers = observe([model], ["r"], truth.targets, sites, truth, found, m, 1, run)
    return found, detections, answers


def test_a_design_gives_reach_beamwidth_and_resolution() -> None:
    model = radar(DESIGN)
    # V-502: SNR 20 on 0.01 m2 at 797 km, to 0.2 %; the fourth root of 100 farther for the reference 1 m2
    assert model.snr_reference == 20.0
    assert model.range_reference_m * (0.01 / model.rcs_reference_m2) ** 0.25 == pytest.approx(797e3, rel=2e-3)
    # 0.886 lambda / sqrt(7.36 m2) and c / 20 MHz, by hand
    assert model.beamwidth_rad == pytest.approx(0.886 * 299792458 / 9.5e9 / 7.36**0.5, rel=1e-12)
    assert model.range_resolution_m == pytest.approx(14.9896229, rel=1e-9)
    found, _, _ = look(model, [at(700e3, 400e3)], rcs_m2=0.01)
    assert found.snr[0, 0, 0] * (found.range_m[0, 0, 0] / 797e3) ** 4 == pytest.approx(20.0, rel=8e-3)


def test_modes_share_the_time() -> None:
    def energy(model: Radar) -> float:  # proportional to the dwell
        return model.range_reference_m**4

    tenth = energy(radar(DESIGN))
    without = f"{FLOORS}, design = {{ {FIGURES} }}"
    ten = radar(f'{without}, mode = "track", tracks = 10, scan_period_s = 1')
    assert energy(ten) == pytest.approx(tenth, rel=1e-12)  # 1 s / 10 = 0.1 s
    small = 'field_azimuth_deg = 10, elevation_max_deg = 8, mode = "scan", scan_period_s = 60'
    search = radar(f"{without}, {small}")
    field = 2 * np.deg2rad(10) * (np.sin(np.deg2rad(8)) - np.sin(np.deg2rad(3)))
    beams = np.ceil(field / search.beamwidth_rad**2)
    assert energy(search) == pytest.approx(tenth * 60 / beams / 0.1, rel=1e-12)


def test_stated_performance_hangs_on_neither_range_nor_cross_section() -> None:
    model = radar(STATED)
    places = [at(300e3, 100e3), at(1200e3, 500e3), at(1700e3, 600e3)]
    for rcs in (1e-4, 100.0):
        found, detections, answers = look(model, places, rcs, times=400)
        assert found.p_detect[0, 0] == pytest.approx([0.8, 0.8, 0.0], abs=1e-12)
        assert found.reason[0, 0, 2] == Reason.OUT_OF_RANGE
        share = np.mean(answers.target == 0) * len(answers.target) / 400
        assert share == pytest.approx(0.8, abs=5 * (0.16 / 400) ** 0.5)  # five deviations
        assert np.all(detections.sigma_range_m == 7.0)
        assert detections.sigma_el_rad == pytest.approx(np.full(len(detections.snr), 5e-4), rel=1e-12)


@pytest.mark.parametrize("case", swerling.CASES)
def test_cases_and_pulses_reach_the_look(case: int) -> None:
    model = radar(f"{REFERENCE}, swerling = {case}, pulses = 4, p_false_alarm = 1e-4")
    found, detections, answers = look(model, [at(600e3, 400e3), at(900e3, 500e3)], times=2000)
    snr = found.snr[0, 0]
    assert snr == pytest.approx(20.0 * (900e3 / found.range_m[0, 0]) ** 4, rel=1e-12)
    expected = swerling.p_detect(case, snr, 4, 1e-4)
    assert found.p_detect[0, 0] == pytest.approx(expected, abs=1e-12)
    for k in range(2):
        share = np.count_nonzero(answers.target == k) / 2000
        assert share == pytest.approx(expected[k], abs=5 * (expected[k] * (1 - expected[k]) / 2000) ** 0.5)
    assert np.all(detections.snr >= swerling.threshold(4, 1e-4) - 4 - 1e-9)
    bright = detections.snr[answers.target == 0]
    # where nearly all are detected the measured SNR is right in the mean: five deviations of cases 1 and 3 with
    # their spread of the signal, and the few that were missed
    if expected[0] > 0.99:
        assert bright.mean() == pytest.approx(snr[0], rel=0.1)


@pytest.mark.parametrize(
    ("ground_km", "seen"),
    [
        (700, {"none", "exponential", "four-thirds"}),
        (760, {"exponential", "four-thirds"}),
        (812, {"four-thirds"}),  # 0.5 km within the 4/3 field at elevation 0, 12 km past the bent horizon
        (850, set()),
    ],
)
def test_refraction_moves_the_horizon(ground_km: float, seen: set[str]) -> None:
    # a target at 40 km: horizon at 728 km without air, 800 in exponential air, 841 with 4/3 (V-504 and test_horizon)
    for refraction in ("none", "exponential", "four-thirds"):
        model = radar(f'{REFERENCE}, elevation_min_deg = 0, refraction = "{refraction}"')
        found, _, _ = look(model, [at(ground_km * 1e3, 40e3)])
        expected = Reason.MISSED if refraction in seen else Reason.BELOW_HORIZON
        assert found.reason[0, 0, 0] == expected, refraction


def test_refraction_lowers_the_field_by_the_elevation_bias() -> None:
    # seen at 3 deg, a target far up stands 4.7 mrad = 0.27 deg lower (test_horizon: exponential air, 1000 km)
    def counted(refraction: str) -> int:
        model = radar(
            f'{REFERENCE}, refraction = "{refraction}", range_max_km = 10000'.replace(
                FLOORS, FLOORS[FLOORS.index("sigma") :]
            )
        )
        targets = [at(d * 1e3, 1000e3) for d in range(2700, 3300, 2)]
        found, _, _ = look(model, targets, rcs_m2=1e6)
        return int(np.count_nonzero(found.reason[0, 0] == Reason.MISSED))

    extra = 2e3 * (counted("exponential") - counted("none"))
    # ground range per elevation there, by the closed form without air: finite difference at 3 deg
    r, h = 6378137.0, 1000e3

    def ground(e: float) -> float:
        return r * (np.arccos(r * np.cos(e) / (r + h)) - e)

    e = np.deg2rad(3)
    assert extra == pytest.approx(ground(e - 4.714e-3) - ground(e), abs=2.1e3)  # the grid of 2 km


def test_refraction_hides_nothing_that_the_straight_line_sees() -> None:
    rng = np.random.default_rng(5)
    targets = [at(d, h) for d, h in zip(rng.uniform(1e3, 2e6, 400), rng.uniform(0, 1e6, 400), strict=True)]
    seen = {}
    for refraction in ("none", "exponential"):
        keys = f'{REFERENCE}, elevation_min_deg = 0, refraction = "{refraction}"'
        seen[refraction] = look(radar(keys), targets)[0].reason[0, 0] > Reason.OUT_OF_FIELD
    assert np.all(seen["exponential"] | ~seen["none"])
    assert np.count_nonzero(seen["exponential"]) > np.count_nonzero(seen["none"])


def test_registration_is_one_error_per_run() -> None:
    keys = f"{REFERENCE}, swerling = 1"
    true, biased = radar(keys), radar(f"{keys}, bias_range_m = 40, bias_angle_mrad = 2")
    off = []
    for run in range(300):
        _, straight, _ = look(true, [at(500e3, 300e3)], times=3, run=run)
        _, skewed, _ = look(biased, [at(500e3, 300e3)], times=3, run=run)
        assert len(straight.snr) == len(skewed.snr)  # luck is another stream
        assert np.array_equal(straight.snr, skewed.snr)
        assert np.array_equal(straight.sigma_range_m, skewed.sigma_range_m)  # nobody is told
        if not len(straight.snr):
            continue
        d = np.stack(
            [
                skewed.range_m - straight.range_m,
                (skewed.az_rad - straight.az_rad) * np.cos(straight.el_rad),
                skewed.el_rad - straight.el_rad,
            ]
        )
        # one error for all scans of a run; 1e-5: second order of a milliradian
        assert np.ptp(d[0]) < 1e-6
        assert np.ptp(d[1:], axis=1).max() < 2e-5
        off.append(d.mean(axis=1))
    # 300 draws: the share of a variance is good to sqrt(2 / 300) = 8 %; five deviations of the sigma are 20 %
    assert np.std(off, axis=0) == pytest.approx([40.0, 2e-3, 2e-3], rel=0.2)
    assert np.abs(np.corrcoef(np.transpose(off)) - np.eye(3)).max() < 5 / 300**0.5


def test_the_usual_radar_is_what_it_was() -> None:
    spelled = (
        f'{REFERENCE}, swerling = 1, pulses = 1, refraction = "none", bias_range_m = 0, bias_angle_mrad = 0'
    )
    assert radar(REFERENCE) == radar(spelled)
    usual = radar(REFERENCE)
    assert (usual.swerling, usual.pulses, usual.refraction, usual.fixed) == (1, 1, Refraction.NONE, False)
    # other chances of detection, same geometry: the general way agrees with the usual one on all else
    targets = [at(d, 300e3) for d in np.linspace(1e5, 2.5e6, 60)]
    one, _, _ = look(usual, targets)
    two, _, _ = look(usual._replace(fixed=True, snr_reference=20.0), targets)
    three, _, _ = look(usual._replace(pulses=2), targets)
    for other in (two, three):
        same = other.reason == one.reason
        assert np.all(same | (one.reason >= Reason.BELOW_THRESHOLD))  # only the chances differ
    assert three.snr == pytest.approx(one.snr, rel=1e-12)


@pytest.mark.parametrize("keys", [REFERENCE, DESIGN, STATED, f"{REFERENCE}, pulses = 3, swerling = 4"])
def test_a_stored_scenario_is_read_back(keys: str) -> None:
    made = scenario(keys)
    again = Scenario.model_validate_json(made.model_dump_json(by_alias=True))
    assert again == made


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (FLOORS, "needs range_reference_km; or describe the radar by `design` or `stated`"),
        ("range_reference_km = 9", "needs range_max_km, sigma_angle_mrad, sigma_range_m"),
        (f"design = {{ {FIGURES}, dwell_s = 0.1 }}", "needs range_max_km, sigma_angle_mrad, sigma_range_m"),
        (f"{REFERENCE}, design = {{ {FIGURES}, dwell_s = 1 }}", "leaves no room for range_reference_km"),
        (f"{DESIGN}, beamwidth_deg = 2", "leaves no room for beamwidth_deg"),
        (f"{DESIGN}, {STATED}", "leaves no room for design, range_max_km, sigma_angle_mrad, sigma_range_m"),
        (f"{STATED}, pulses = 2", "leaves no room for pulses"),
        (f'{REFERENCE}, mode = "scan"', "leaves no room for mode"),
        (f"{DESIGN}, tracks = 3", "with tracks, but not in mode track"),
        (f'{DESIGN}, mode = "track"', "without a number of tracks"),
        (f"{FLOORS}, design = {{ {FIGURES} }}", "give dwell_s, or say by mode"),
        (f'{DESIGN}, mode = "track", tracks = 11', "or 10 tracks"),
        (f'{DESIGN}, mode = "scan"', "beams of 0.1 s take"),
        (f"{FLOORS}, design = {{ {FIGURES}, dwell_s = 2 }}", "longer than the period of 1 s"),
        (
            f"{FLOORS}, design = {{ {FIGURES}, dwell_s = 0.01 }}",
            "look no farther than 1490 km, or dwell 0.0201 s",
        ),
        (f'{FLOORS}, design = {{ {FIGURES} }}, mode = "track", tracks = 60', "follow 49 tracks at most"),
        (
            DESIGN.replace("bandwidth_mhz = 10", "bandwidth_mhz = 20000"),
            "wider than its carrier | choose at most",
        ),
        (
            DESIGN.replace("bandwidth_mhz = 10", "bandwidth_mhz = 0"),
            "bandwidth_mhz: should be greater than 0",
        ),
        (DESIGN.replace("average_power_kw = 81", "average_power_kw = -1"), "should be greater than 0"),
        (f"{REFERENCE}, p_false_alarm = 1.0", "p_false_alarm: should be less than 0.1"),
        (f"{REFERENCE}, elevation_min_deg = 91", "elevation_min_deg: should be less than or equal to 89"),
        (f"{REFERENCE}, swerling = 5", "swerling: should be less than or equal to 4"),
        (f'{REFERENCE}, refraction = "four-third"', "should be 'none', 'four-thirds' or 'exponential'"),
        (STATED.replace("0.8", "1e-7"), "choose more than 1e-06"),
    ],
)
def test_contradictions_are_said_with_a_remedy(keys: str, says: str) -> None:
    assert says in only(keys)


@pytest.mark.parametrize(
    "keys",
    [
        f'{DESIGN}, mode = "track", tracks = 10',
        f"{FLOORS}, design = {{ {FIGURES}, dwell_s = 0.0201 }}",
        f'{FLOORS}, design = {{ {FIGURES} }}, mode = "track", tracks = 49',
        STATED.replace("0.8", "1.1e-6"),
    ],
)
def test_the_nearest_feasible_values_are_feasible(keys: str) -> None:
    assert radar(keys).range_reference_m > 0
