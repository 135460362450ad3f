"""The schema keeps its own promises: every key described, every figure sourced, nothing guessed or coerced."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from noroshi.scenario import schema
from noroshi.scenario.load import bundled, parse
from noroshi.scenario.schema import Part, Scenario, Sourced

PARTS = [x for _, x in inspect.getmembers(schema, inspect.isclass) if issubclass(x, Part)]
FIGURES_OF_THEIR_OWN = [
    schema.NodePart,
    schema.Layer,
    schema.Catalogue,
    schema.InfraredPart,
    schema.RadarPart,
    schema.EntryPart,
    schema.Ballistic,
    schema.Glide,
    schema.Recorded,
    schema.AreaPart,
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_is_described_and_nothing_is_let_through(part: type[Part]) -> None:
    assert part.__doc__
    for name, field in part.model_fields.items():
        assert field.description, f"{part.__name__}.{name}"
    for promise in ("strict", "frozen"):
        assert part.model_config.get(promise) is True
    assert part.model_config.get("extra") == "forbid"
    assert part.model_config.get("allow_inf_nan") is False


@pytest.mark.parametrize("part", FIGURES_OF_THEIR_OWN, ids=lambda part: part.__name__)
def test_sites_layers_sensors_targets_and_areas_must_say_where_from(part: type[Part]) -> None:
    assert issubclass(part, Sourced)


def without_reasons(data: Any, key: str, index: int) -> Any:
    """A deep copy with `source` and `notional` of one table removed."""
    copy = json.loads(json.dumps(data))
    copy[key][index].pop("source", None)
    copy[key][index].pop("notional", None)
    return copy


@pytest.mark.parametrize("name", bundled())
def test_every_table_of_the_bundled_files_that_has_figures_needs_its_reason(name: str) -> None:
    data = tomllib.loads(bundled()[name].read_text("utf-8"))
    for key in ("nodes", "layers", "infrared", "radars", "entry_points", "targets", "areas"):
        for index in range(len(data[key])):
            lost = without_reasons(data, key, index)
            with pytest.raises(ValueError, match=r"needs `source` .* or `notional`"):
                Scenario.model_validate_json(json.dumps(lost))


@pytest.mark.parametrize("name", bundled())
def test_bundled_facts_are_tagged_and_the_network_gives_its_reason(name: str) -> None:
    scenario, found = parse(bundled()[name].read_text("utf-8"))
    assert scenario is not None, found
    assert scenario.network.notional
    assert scenario.warning.notional
    assert scenario.requirement.reason
    assert all(point.source for point in scenario.points)
    assert scenario.title
    assert scenario.title_ja


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_dimensions_stand_in_the_names(part: type[Part]) -> None:
    # a number without a unit in its name is a count, a ratio, or a number of sigmas: list them here
    bare = {"schema_version", "seed", "satellites", "planes", "phasing", "threshold_snr", "snr_reference"}
    bare |= {"p_detect_max", "p_detect_assumed", "p_false_alarm", "false_alarms_per_scan", "custody_2"}
    bare |= {"fibre_detour", "mass_fraction", "lift_to_drag", "density_factor", "probability_min", "updates"}
    bare |= {"p_detect", "quantum_efficiency", "optics_transmission", "box_fraction", "frame_residual"}
    bare |= {"pixels_across", "pixels_along", "drag_coefficient", "reflection", "laps", "apogee_factor"}
    bare |= {
        "gate",
        "emissivity",
        "reflectance",
        "trough",
        "initiate_miss",
        "confirm_hits",
        "confirm_of",
        "delete_missed",
        "delete_missed_tentative",
    }
    bare |= {
        "ambiguity",
        "resolution_sigma",
        "confirm_existence",
        "delete_existence",
        "delete_ghost",
        "merge_times",
    }
    bare |= {"sensor", "beta_sigma"}  # a number of a sensor; of a logarithm
    bare |= {"efficiency", "p_detect", "swerling", "pulses", "tracks"}
    units = ("_s", "_ms", "_m", "_km", "_deg", "_m2", "_mrad", "_urad", "_w_m2", "_kg_m2", "_km_s", "deg")
    units += ("_kw", "_ghz", "_mhz", "_db", "_k")
    units += ("_um", "_e")  # micrometres, electrons
    units += ("_m2_s5", "_m2_s3", "_rad2_s3")  # power spectral densities
    units += ("_m2_kg", "_m_s2", "_kn", "_kg")
    for name, field in part.model_fields.items():
        if field.annotation in (int, float, int | None, float | None):
            assert name in bare or name.endswith((*units, "_k", "_kw_sr")), f"{part.__name__}.{name}"


def test_the_json_schema_spells_keys_as_the_file_does() -> None:
    made = Scenario.model_json_schema(by_alias=True)
    assert set(made["required"]) == {"schema", "name", "epoch", "duration_s", "nations", "nodes", "targets"}
    assert made["properties"]["targets"]["items"]["discriminator"]["propertyName"] == "kind"
    for path in bundled().values():
        assert set(tomllib.loads(path.read_text("utf-8"))) <= set(made["properties"])
    for definition in made["$defs"].values():
        assert definition["additionalProperties"] is False


def test_checking_a_file_needs_no_heavy_library() -> None:
    code = (
        "import sys; from noroshi.scenario.load import load; load('hokkaido-2017'); load('glide-7600');"
        "sys.exit(', '.join({'jax', 'numba', 'scipy', 'pyarrow', 'sgp4'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
