"""Contradictions between the fields of a scenario, and files it names that are not there."""

from __future__ import annotations

from math import cos, pi, sin
from pathlib import Path

import pytest

from noroshi.errors import ScenarioError
from noroshi.orbits.walker import walker
from noroshi.scenario import build
from noroshi.scenario.load import load, parse, render
from noroshi.scenario.schema import satellite_names
from noroshi.scenario.template import template

BASE = template("base")
RADAR = (
    'radars = [{ name = "NAME", owner = "JPN", latitude_deg = 1, longitude_deg = 1, range_max_km = 1, '
    'range_reference_km = 1, sigma_range_m = 1, sigma_angle_mrad = 1, notional = "example" }]\n'
)
RECORDED = """\
[[targets]]
name = "film"
kind = "recorded"
file = "FILE"
intensity_kw_sr = { mwir = { coast = 1 } }
notional = "example"
"""


def problems(text: str, folder: Path | None = None) -> list[str]:
    return [f"{p.line}: {p.what} | {p.remedy}" for p in parse(text, folder)[1]]


def top(part: str) -> str:
    """The base scenario with keys of the whole file added."""
    return BASE.replace("# 60 satellites", part + "\n# 60 satellites", 1)


def star(corners: int, step: int) -> str:
    """Corners of the unit circle about 10 N 20 E, `step` apart: {5/1} is a pentagon, {5/2} a pentagram."""
    angles = [2 * pi * k * step / corners for k in range(corners)]
    return str([[10 + sin(a), 20 + cos(a)] for a in angles])


@pytest.mark.parametrize(
    ("corners", "step", "good"), [(5, 1, True), (5, 2, False), (7, 1, True), (7, 3, False)]
)
def test_a_star_turns_one_way_but_is_no_convex_area(corners: int, step: int, good: bool) -> None:
    shape = f"polygon_deg = {star(corners, step)}"
    found = problems(BASE.replace("centre_deg = [15.2, 145.8], radius_km = 150", shape))
    assert [("convex" in p) for p in found] == ([] if good else [True])


def test_a_corner_stated_twice_is_no_corner() -> None:
    shape = "polygon_deg = [[0, 0], [0, 2], [0, 2], [2, 2]]"
    assert "convex" in problems(BASE.replace("centre_deg = [15.2, 145.8], radius_km = 150", shape))[0]


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
@pytest.mark.parametrize("key", ["warning_lead_s", "custody_2", "rmse_position_m"])
def test_no_figure_is_infinite_even_where_no_bound_says_so(key: str, value: str) -> None:
    (problem,) = problems(top(f"requirement = {{ {key} = {value} }}"))
    assert f"requirement.{key}: should be a finite number" in problem


@pytest.mark.parametrize(
    ("step", "duration", "key"), [("0.01", "2000", "step_s"), ("1", "86400", ""), ("0.5", "86400", "step_s")]
)
def test_the_grid_is_no_longer_than_memory_bears(step: str, duration: str, key: str) -> None:
    # dense tables are [time, sensor, target]: 100,000 steps of 60 satellites and 9 numbers are half a gigabyte
    text = BASE.replace("duration_s = 900", f"duration_s = {duration}\nstep_s = {step}")
    found = problems(text)
    assert [("steps are more than 100,000" in p) for p in found] == ([True] if key else [])
    refused = problems(BASE.replace("duration_s = 900", "duration_s = 900\nstep_s = 1e-9"))
    assert "step_s: should be greater than or equal to 0.01" in refused[0]


def test_no_example_of_a_multiple_is_zero() -> None:
    text = BASE.replace("pixel_urad = 100", "pixel_urad = 100, scan_period_s = 0.3")
    assert "make it a multiple of 1, e.g. 1" in problems(text)[0]


def test_radars_and_satellites_do_not_share_a_name() -> None:
    assert (
        "'leo-07' is also the name of a satellite of layer 'leo'"
        in problems(top(RADAR.replace("NAME", "leo-07")))[0]
    )
    assert problems(top(RADAR.replace("NAME", "leo-7"))) == []  # sixty satellites: two digits


def test_satellites_are_numbered_plane_by_plane_as_the_pattern_lists_them() -> None:
    scenario, _ = parse(BASE)
    assert scenario is not None
    names = satellite_names(scenario.layers[0])
    assert (names[0], names[-1], len(set(names))) == ("leo-01", "leo-60", 60)
    elements = walker("delta", 60, 6, 1, 7.4e6, 1.0, 0.0, 0.0)
    assert elements.raan[9] == elements.raan[0] != elements.raan[10]  # ten to a plane


def test_a_vertical_rise_fits_into_the_boost() -> None:
    (problem,) = problems(BASE.replace("boost_s = 120", "boost_s = 10"))
    assert "a vertical rise of 10 s does not fit into a boost of 10 s | shorten vertical_s, to 1 s" in problem


def test_a_reported_span_begins_before_it_ends() -> None:
    fact = 'published = [{ fact = "launch", utc = "2026-11-24T00:01:00Z", until_utc = "UNTIL", source = "none" }]'
    early = problems(top(fact.replace("UNTIL", "2026-11-24T00:00:00Z")))
    assert "ends before it begins, at 2026-11-24T00:01:00Z" in early[0]
    assert problems(top(fact.replace("UNTIL", "2026-11-24T00:01:00Z"))) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("confirm_hits = 5, confirm_of = 4", "5 hits cannot be had in 4 updates"),
        ("initiate_height_min_m = 9, initiate_height_max_m = 9", "no height lies between 9 and 9 m"),
        ("confirm_hits = 4, confirm_of = 4", ""),
    ],
)
def test_tracker_figures_agree(given: str, expected: str) -> None:
    found = problems(top(f"tracker = {{ {given} }}"))
    assert [expected in p for p in found] == ([True] if expected else [])


def test_files_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    text = BASE[: BASE.index("[[targets]]")] + RECORDED.replace("FILE", "films/one.csv")
    assert problems(text) == []  # a text alone has no folder
    (problem,) = problems(text, tmp_path)
    assert "there is no file 'films/one.csv' | it is looked for in the scenario's folder" in problem
    assert problem.startswith("18: ")  # the line of the key
    (tmp_path / "film.toml").write_text(text)
    with pytest.raises(ScenarioError, match=r"no file 'films/one\.csv'"):
        load(str(tmp_path / "film.toml"))
    (tmp_path / "films").mkdir()
    assert "there is no file" in problems(text.replace("films/one.csv", "films"), tmp_path)[0]  # a folder
    assert "there is no file" in problems(text.replace("films/one.csv", "a\\u0000b"), tmp_path)[0]
    (tmp_path / "films" / "one.csv").write_text("t,x\n")
    assert load(str(tmp_path / "film.toml")).name == "base"


def test_catalogues_must_not_bring_a_name_twice(tmp_path: Path) -> None:
    # a published element set (ISS, from the checksum example in the CelesTrak TLE documentation)
    tle = (
        "ISS (ZARYA)\n"
        "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927\n"
        "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537\n"
    )
    (tmp_path / "iss.tle").write_text(tle)
    one = '{ owner = "JPN", sensor = "ir", file = "iss.tle", notional = "example" }'
    (tmp_path / "twice.toml").write_text(top(f"satellites = [{one}, {one}]"))
    scenario = load(str(tmp_path / "twice.toml"))
    with pytest.raises(ScenarioError, match="two sensors are called 'ISS"):
        build.sensors(scenario)


def test_times_of_toml_need_no_quotes() -> None:
    text = BASE.replace('"2026-11-24T00:00:00Z"', "2026-11-24T09:00:00.5+09:00")
    scenario, found = parse(text)
    assert scenario is not None, found
    assert scenario.epoch == "2026-11-24T00:00:00.500000Z"
    (problem,) = problems(BASE.replace('"2026-11-24T00:00:00Z"', "2026-11-24T09:00:00"))  # of which zone?
    assert problem.startswith("4: epoch: should match pattern")


def test_a_misplaced_key_of_the_whole_file_is_told_so() -> None:
    text = BASE.replace('nations = [{ code = "JPN" }]\n', "") + 'nations = [{ code = "JPN" }]\n'
    (problem,) = problems(text)  # and not also that nations is missing
    assert "nations belongs to the whole file: write it above the first [table]" in problem


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ("[[warning]]\nupdates = 3\n", "write its header as [warning]"),
        (
            '[points]\nname = "a"\nlatitude_deg = 0\nlongitude_deg = 0\n',
            "write its header as [[points]]",
        ),
    ],
)
def test_one_bracket_or_two(given: str, remedy: str) -> None:
    (problem,) = problems(BASE + given)
    assert problem.endswith(remedy)


@pytest.mark.parametrize(
    ("old", "new", "guess"),
    [
        ('kind = "ballistic"', 'kind = "balistic"', "'ballistic'"),
        ("coast = 0.02", "coasting = 0.02", "'coast'"),
        ("planes = 6", 'planes = 6, pattern = "starr"', "'star'"),
    ],
)
def test_one_of_a_few_words_is_guessed(old: str, new: str, guess: str) -> None:
    (problem,) = problems(BASE.replace(old, new))
    assert problem.endswith(f"did you mean {guess}?")


def test_the_caret_stands_below_wide_characters_and_tabs() -> None:
    # on a terminal a Japanese character takes two columns (Unicode Standard Annex 11), a tab what it takes above
    text = BASE.replace(
        "[[targets]]",
        'points = [{\tname = "襟裳岬", x = 1, latitude_deg = 1, longitude_deg = 1 }]\n[[targets]]',
    )
    _, found = parse(text)
    shown = render(found, text, "t.toml").split("\n")
    below = next(line for line in shown if "^" in line)
    above = shown[shown.index(below) - 1]
    assert above.count("\t") == below.count("\t") == 1
    assert below.split("\t")[1] == " " * len('name = "      ", ') + "^"


def test_nothing_in_a_file_steers_the_terminal() -> None:
    text = BASE + "\x1b[31m = 1\n"
    shown = render(parse(text)[1], text, "t.toml")
    assert "\x1b" not in shown
    assert "\N{REPLACEMENT CHARACTER}[31m" in shown


@pytest.mark.parametrize("deep", [25, 200, 400, 3000])
def test_deep_nesting_is_refused_and_not_recursed_into(deep: int) -> None:
    (problem,) = problems("seed = " + "[" * deep + "]" * deep)
    assert "nested too deeply" in problem


def test_an_integer_of_thousands_of_digits_is_refused() -> None:
    assert "not a scenario" in problems("seed = " + "9" * 5000)[0]
