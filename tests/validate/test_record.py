"""The record as data: whole, sourced, and worth what it says it is worth."""

from __future__ import annotations

import tomllib
from importlib import import_module
from importlib.resources import files

import pytest

from noroshi.validate.record import EVIDENCE, GROUPS, cases, context, not_built, unverified

CASES = [case for group in GROUPS for case in cases(group)]
IDS = {
    *(f"V-{n:03d}" for n in range(1, 11)),
    *(f"V-{n}" for n in range(101, 111)),
    *(f"V-{n}" for n in range(201, 219)),
    *(f"V-{n}" for n in range(301, 309)),  # V-309 is a press statement: context
    *(f"V-{n}" for n in range(401, 408)),
    *(f"V-{n}" for n in range(501, 510)),
    "V-601",
    *(f"V-{n}" for n in range(603, 606)),
    *(f"V-{n}" for n in range(801, 808)),
}


def values(case) -> int:
    return sum(
        len(cell) if isinstance(cell, tuple) else 1 for line in case.lines for cell in line.expected.values()
    )


def test_every_id_of_the_groups_is_there_and_no_other():
    assert {case.id for case in CASES} == IDS


def test_every_cell_is_a_value():
    # the tables of the reference: 13 x 4 of the atmosphere, 13 x 4 minimum-energy flights, 11 x 3 of other angles,
    # 8 x 5 band radiances, 70 + 8 + 5 horizons
    assert sum(values(case) for case in CASES) > 700
    by_id = {number: sum(values(case) for case in CASES if case.id == number) for number in IDS}
    assert by_id["V-301"] == 52
    assert by_id["V-302"] == 52
    assert by_id["V-303"] == 33
    assert by_id["V-305"] == 60
    assert by_id["V-402"] == 63
    assert by_id["V-405"] == 40
    assert by_id["V-504"] == 83
    assert by_id["V-004"] == 9
    # 11 rosettes, 5 + 4 stars, 5 x 3 smallest stars, 9 constellations at 5 latitudes, 7 x 2 footprints
    assert by_id["V-209"] == 22
    assert by_id["V-210"] == 31
    assert by_id["V-214"] == 90
    assert by_id["V-215"] == 49
    assert by_id["V-216"] == 90
    assert by_id["V-217"] == 42


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id} {case.function}")
def test_a_case_says_where_it_comes_from_and_can_be_computed(case):
    assert case.source
    assert case.provenance
    assert case.lines
    assert callable(getattr(import_module(f"noroshi.validate.{case.group}"), case.function))
    for value in case.values.values():
        assert value.evidence in EVIDENCE
    for line in case.lines:
        assert line.expected


def test_no_function_is_left_over():
    for group in GROUPS:
        module = import_module(f"noroshi.validate.{group}")
        public = {
            name
            for name, thing in vars(module).items()
            if callable(thing) and name.startswith(("v_", "sgp4_"))
        }
        assert public <= {case.function for case in cases(group)}


def test_the_expected_values_are_data():
    folder = files("noroshi.validate") / "record"
    for group in GROUPS:
        raw = tomllib.loads((folder / f"{group}.toml").read_text("utf-8"))
        for case in raw["case"]:
            for row in case["table"]:
                assert all(isinstance(cell, int | float | str | bool | list) for cell in row)


def test_what_is_fitted_or_unverified_is_never_counted():
    fitted = [case for case in CASES if case.id == "V-109"]
    assert {value.evidence for case in fitted for value in case.values.values()} == {"regression"}
    assert [note.id for note in unverified()] == [f"V-U{n:02d}" for n in range(1, 18)]
    assert not {note.id for note in unverified()} & IDS
    assert {note.id for note in context()} == {"V-309", "V-404", "V-807"}
    for case in CASES:
        if "unverified" in case.provenance:
            assert {value.evidence for value in case.values.values()} <= {"bracket", "regression"}


def test_what_is_not_built_is_said():
    assert [note.id[:3] for note in not_built()] == ["V-6", "V-7", "V-9"]
