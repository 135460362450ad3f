"""A changed constant fails rows: the values come out of the models, not out of the record."""

from __future__ import annotations

import subprocess
import sys

import pytest

import noroshi.constants

# constant, factor, group and ids that must notice
MUTATIONS = [
    ("EARTH_RADIUS_M", 1.0001, "coverage", ["V-201"]),
    ("EARTH_POLAR_RADIUS_M", 1.0001, "coverage", ["V-202"]),
    ("EARTH_E2", 1.0001, "frames", ["V-005"]),
    ("EARTH_MU", 1.001, "orbits", ["V-105"]),
    ("EARTH_MU", 1.01, "targets", ["V-302", "V-303"]),
    ("EARTH_J2", 1.001, "orbits", ["V-105"]),
    ("EARTH_J2", 1.02, "warning", ["V-802"]),
    ("EARTH_RATE_RAD_S", 1.001, "warning", ["V-802"]),
    ("EARTH_MEAN_RADIUS_M", 1.01, "targets", ["V-302"]),
    ("LIGHT_M_S", 1.01, "signature", ["V-405"]),
    ("PLANCK_J_S", 1.01, "signature", ["V-405"]),
    ("BOLTZMANN_J_K", 1.01, "signature", ["V-407"]),
    ("STEFAN_BOLTZMANN", 1.01, "signature", ["V-406"]),
    ("SUN_TEMPERATURE_K", 1.01, "signature", ["V-406"]),
    ("SUN_RADIUS_M", 1.01, "signature", ["V-406"]),
    ("ASTRONOMICAL_UNIT_M", 1.01, "signature", ["V-406"]),
    ("GRAVITY_M_S2", 1.01, "targets", ["V-301"]),
    ("AIR_GAS_J_KG_K", 1.01, "targets", ["V-301"]),
    ("AIR_HEAT_RATIO", 1.01, "targets", ["V-301"]),
    ("GEOPOTENTIAL_RADIUS_M", 0.9, "targets", ["V-301"]),
]
# no row of the record depends on them yet
ELSEWHERE = {
    "EARTH_FLATTENING": "its consequences EARTH_E2 and EARTH_POLAR_RADIUS_M are changed instead",
    "FIBRE_INDEX": "the network group is not built",
    "CIRCULAR_SPEED_SURFACE_M_S": "a bound on what users may enter",
}


IN_MODELS = [
    ("noroshi.targets.heating", "SUTTON_GRAVES", 1.2, "signature", ["V-401", "V-404"]),
    ("noroshi.targets.heating", "STAGNATION", 1.2, "signature", ["V-401"]),
    ("noroshi.targets.heating", "LAMINAR", 1.2, "signature", ["V-402"]),
    ("noroshi.targets.heating", "BRANDIS_JOHNSTON", 1.2, "signature", ["V-401"]),
    ("noroshi.targets.heating", "WALL_J_KG_K", 1.2, "signature", ["V-402"]),
    ("noroshi.orbits.design", "WGS72_MU", 1.2, "orbits", ["V-107"]),
    ("noroshi.orbits.design", "SUN_RATE_RAD_S", 1.2, "orbits", ["V-106"]),
    ("noroshi.targets.ellipse", "RESIDUAL_MIN_S", 1.2, "targets", ["V-304"]),
]
ALL = [("noroshi.constants", *row) for row in MUTATIONS] + IN_MODELS


@pytest.mark.parametrize(("module", "name", "factor", "group", "ids"), ALL, ids=lambda x: str(x))
def test_a_changed_constant_fails_rows(module, name, factor, group, ids):
    code = (
        f"import {module} as m\nassert m.{name}\nm.{name} *= {factor}\n"
        "from noroshi.validate.recompute import recompute\n"
        f"print(*{{row.id for row in recompute([{group!r}], ids={ids!r}).failed}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(ids)


def test_every_constant_is_watched():
    constants = {
        name for name, value in vars(noroshi.constants).items() if isinstance(value, float) and name.isupper()
    }
    assert constants == {name for name, *_ in MUTATIONS} | ELSEWHERE.keys()
