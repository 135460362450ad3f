"""Ballistic targets of a scenario: shapes and staged boosters, and what `check` says of contradictions."""

from __future__ import annotations

import re
from math import radians

import numpy as np
import pytest

from noroshi import simulate
from noroshi.earth import geodetic_from_itrs
from noroshi.errors import NoroshiError
from noroshi.scenario import build
from noroshi.scenario.load import bundled, load, parse
from noroshi.scenario.template import template
from noroshi.tables import Phase
from noroshi.targets import shapes
from noroshi.targets.models import BallisticFlight, Pitch, ShapedFlight, Stage, StagedFlight
from noroshi.time import load_earth_orientation

BASE = template("base")
# Notional: a two-stage sounding rocket of the usual size
STAGED = """\
payload_kg = 300
drag_area_m2 = 0.08
ballistic_coefficient_kg_m2 = 3000
vertical_s = 2
pitch = [{ t_s = 6.25, deg = 5 }]
stages = [
  { thrust_kn = 250, propellant_kg = 1200, burn_s = 10.7, inert_kg = 350 },
  { thrust_kn = 70, propellant_kg = 1000, burn_s = 33.3, inert_kg = 270, coast_s = 6.4 },
]
"""


def with_shape(more: str) -> str:
    return BASE.replace("apogee_km = 450", more)


def staged(old: str = "", new: str = "") -> str:
    text = BASE.replace("range_km = 2000\napogee_km = 450\nboost_s = 120\n", STAGED)
    assert text != BASE
    return text.replace(old, new) if old else text


def problems(text: str) -> list[str]:
    return [f"{p.line}: {p.what} | {p.remedy}" for p in parse(text)[1]]


def flown(text: str):
    scenario, found = parse(text)
    assert scenario is not None, found
    plan = build.targets(scenario)[0]
    return plan.flight, simulate.fly(plan, scenario, load_earth_orientation())


def test_a_shape_becomes_a_flight() -> None:
    plan, target = flown(with_shape('shape = "lofted"\napogee_factor = 1.5'))
    assert isinstance(plan, ShapedFlight)
    assert (plan.shape, plan.apogee_factor, plan.burnout_angle_rad) == ("lofted", 1.5, None)
    top = geodetic_from_itrs(target.trajectory.r_itrs)[2].max()
    assert top == pytest.approx(
        1.5 * shapes.minimum_energy_apogee(plan.facts, 1.0), abs=100
    )  # between two seconds
    scenario, _ = parse(with_shape('shape = "depressed"\nburnout_angle_deg = 20'))
    assert scenario is not None
    plan = build.targets(scenario)[0].flight
    assert isinstance(plan, ShapedFlight)
    assert plan.burnout_angle_rad == radians(20)


def test_stages_become_a_booster_that_is_flown_as_stated() -> None:
    plan, target = flown(staged())
    assert isinstance(plan, StagedFlight)
    assert plan.stages == (Stage(250e3, 1200, 10.7, 350), Stage(70e3, 1000, 33.3, 270, 6.4))
    assert plan.pitch == Pitch(2.0, (6.25,), (radians(5),), True)
    assert (plan.payload_kg, plan.drag_area_m2, plan.azimuth_rad) == (300, 0.08, radians(165))
    phase = target.trajectory.phase
    assert [int(k) for k in np.flatnonzero(np.diff(phase == Phase.BOOST))] == [10, 17, 50]
    fixed, _ = parse(staged("vertical_s", "gravity_turn = false\nvertical_s"))
    assert fixed is not None
    assert build.booster(fixed.targets[0]).pitch.gravity_turn is False  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("", "give apogee_km or shape"),
        ('apogee_km = 450\nshape = "lofted"', "give apogee_km or shape"),
        ("apogee_km = 450\napogee_factor = 2", "go with shape"),
        ('shape = "loftet"', "'lofted'"),
        ('shape = "lofted"\napogee_factor = 0.5', "is not lofted | 2 is usual"),
        ('shape = "depressed"\napogee_factor = 2', "is not depressed | 0.5 is usual"),
        ('shape = "minimum-energy"\napogee_factor = 2', "has its own apogee"),
        ('shape = "lofted"\napogee_factor = 2\nburnout_angle_deg = 50', "fix the same thing | give one"),
        ("apogee_km = 450\npayload_kg = 300", "payload_kg goes with"),
    ],
)
def test_contradictory_shapes(more: str, message: str) -> None:
    (problem,) = problems(with_shape(more))
    assert message in problem
    assert not problem.startswith("0:")  # it has a place in the file


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("payload_kg = 300\n", "", "payload_kg is missing"),
        ("drag_area_m2 = 0.08\n", "", "drag_area_m2 is missing"),
        ("azimuth_deg = 165\n", "", "azimuth_deg is missing"),
        ("vertical_s = 2\n", "vertical_s = 2\napogee_km = 300\n", "apogee_km contradicts stages"),
        ("vertical_s = 2\n", "vertical_s = 2\nboost_s = 60\n", "boost_s contradicts stages"),
        ("vertical_s = 2\n", "vertical_s = 2\nmass_fraction = 0.7\n", "mass_fraction contradicts stages"),
        (
            "thrust_kn = 250",
            "thrust_kn = 20",
            "does not lift a weight of 31 kN | the first stage needs more than 31",
        ),
        ("vertical_s = 2", "vertical_s = 7", "pitch table"),
        ("burn_s = 10.7, ", "", "burn_s is missing"),
        ("burn_s = 10.7", "burns_s = 10.7", "did you mean burn_s"),
    ],
)
def test_contradictory_stages(old: str, new: str, message: str) -> None:
    (problem,) = problems(staged(old, new))
    assert message in problem
    assert not problem.startswith("0:")


def test_a_boost_time_is_still_asked_for() -> None:
    assert "boost_s is missing" in problems(BASE.replace("boost_s = 120\n", ""))[0]


def test_what_cannot_be_flown_names_the_target_and_a_figure_that_works() -> None:
    scenario, _ = parse(with_shape('shape = "depressed"\napogee_factor = 0.02'))
    assert scenario is not None
    with pytest.raises(NoroshiError, match="depressed") as error:
        simulate._named(build.targets(scenario)[0], scenario, load_earth_orientation())
    assert error.value.where == "target 'example'"
    assert re.search(r"apogee_factor = 0\.\d+", error.value.remedy)


def test_bundled_scenarios_are_read_as_before() -> None:
    """Facts with an apogee become the same plain flight; none of the new fields is dumped where it is absent."""
    plain = 0
    for path in bundled().values():
        scenario = load(str(path))
        for target, plan in zip(scenario.targets, build.targets(scenario), strict=True):
            if target.kind != "ballistic":
                continue
            assert isinstance(plan.flight, BallisticFlight)
            assert target.apogee_km is not None
            assert plan.flight.apogee_m == target.apogee_km * 1e3
            new = {
                "shape",
                "apogee_factor",
                "burnout_angle_deg",
                "stages",
                "payload_kg",
                "drag_area_m2",
                "pitch",
            }
            assert not new & set(target.model_dump(exclude_none=True))
            plain += 1
    assert plain
