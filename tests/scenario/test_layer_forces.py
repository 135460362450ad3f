"""Forces of a layer: what they become, what stays as it was, and what contradicts."""

import numpy as np
import pytest

from noroshi.errors import PhysicsError
from noroshi.orbits.ephemeris import Osculating, ephemeris
from noroshi.orbits.forces import J2_ONLY, Forces, Surface
from noroshi.scenario import build
from noroshi.scenario.load import parse, render
from noroshi.time import epoch_from_utc, load_earth_orientation


def layer(film_text: tuple[str, str], lines: str, altitude_km: int = 1000):
    text = film_text[0].replace("inclination_deg = 60\n", f"inclination_deg = 60\n{lines}\n", 1)
    return parse(text.replace("altitude_km = 1000", f"altitude_km = {altitude_km}"))


def platforms(film_text: tuple[str, str], lines: str, altitude_km: int = 1000):
    scenario, problems = layer(film_text, lines, altitude_km)
    assert scenario is not None, problems
    return build.platforms(scenario)


def test_defaults_are_j2_alone(film_text):
    group = platforms(film_text, 'elements = "osculating"')[0]
    assert isinstance(group, Osculating)
    assert (group.forces, group.surface) == (J2_ONLY, Surface())


def test_forces_by_name(film_text):
    lines = """elements = "osculating"
forces = ["j2", "j4", "solar-pressure", "moon", "drag"]
area_to_mass_m2_kg = 0.03
reflection = 1.1"""
    group = platforms(film_text, lines)[0]
    assert isinstance(group, Osculating)
    assert group.forces == Forces(j4=True, moon=True, solar_pressure=True, drag=True)
    assert group.surface == Surface(0.03, 2.2, 1.1)
    assert platforms(film_text, 'elements = "osculating"\nforces = []')[0].forces == Forces(j2=False)


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ('forces = ["j2", "drag"]', "mean elements drift by J2 alone"),
        ('elements = "osculating"\nforces = ["j2", "j2"]', "named twice"),
        ('elements = "osculating"\nforces = ["j5"]', "forces"),
        ('elements = "osculating"\narea_to_mass_m2_kg = 0.02', "area_to_mass_m2_kg does nothing"),
        ('elements = "osculating"\nforces = ["drag"]\nreflection = 1.2', "reflection does nothing"),
        ('elements = "osculating"\nforces = ["drag"]\ndrag_coefficient = -1.0', "drag_coefficient"),
    ],
)
def test_contradictions(film_text, lines, word):
    scenario, problems = layer(film_text, lines)
    assert scenario is None
    said = render(problems, film_text[0], "film.toml")
    assert word in said


def test_a_satellite_that_falls_is_named(film_text):
    # 60 satellites at 200 km with the area of a balloon: down within the hour
    lines = 'elements = "osculating"\nforces = ["j2", "drag"]\narea_to_mass_m2_kg = 50.0'
    groups = platforms(film_text, lines, 200)[:1]
    with pytest.raises(PhysicsError, match=r"satellite leo-\d\d: drag brings it below 100 km"):
        ephemeris(
            groups,
            epoch_from_utc("2026-11-24T00:00:00Z"),
            np.arange(0.0, 3601.0, 60.0),
            load_earth_orientation(),
        )
