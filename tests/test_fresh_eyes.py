"""What a newcomer broke once: each stays mended."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest
from rich.console import Console
from sgp4.api import Satrec

from noroshi.cli.check import check
from noroshi.cli.console import stages
from noroshi.errors import DataError, FlightError, ScenarioError
from noroshi.orbits.sgp4 import check_age
from noroshi.scenario.load import load
from noroshi.scenario.template import template
from noroshi.simulate import simulate
from noroshi.store import whole_folder
from noroshi.study.monte_carlo import Case, _part, _read_part
from noroshi.time import epoch_from_utc

# Vallado et al., AIAA 2006-6753, verification set: satellite 00005, elements of 2000-06-27
VANGUARD = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)


def scenario_file(folder: Path, old: str, new: str) -> str:
    text = template("mine")
    assert old in text
    path = folder / "mine.toml"
    path.write_text(text.replace(old, new), "utf-8")
    return str(path)


def test_a_scenario_that_ends_before_its_flight_says_how_long_it_must_be(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="flies until") as error:
        simulate(load(scenario_file(tmp_path, "duration_s = 900", "duration_s = 200")))
    assert "example" in str(error.value)
    assert "duration_s at least" in error.value.remedy


def test_an_impossible_flight_names_its_target(tmp_path: Path) -> None:
    with pytest.raises(FlightError, match="target 'example'"):
        simulate(load(scenario_file(tmp_path, "apogee_km = 450", "apogee_km = 20")))


def test_elements_of_another_year_are_refused() -> None:
    satellite = [("vanguard", Satrec.twoline2rv(*VANGUARD))]
    check_age(satellite, epoch_from_utc("2000-07-20T00:00:00Z"))
    with pytest.raises(DataError, match=r"vanguard.*days older"):
        check_age(satellite, epoch_from_utc("2026-07-20T00:00:00Z"))


def test_check_reads_the_data_files(tmp_path: Path) -> None:
    (tmp_path / "empty.tle").write_text("")
    name = scenario_file(
        tmp_path,
        "entry_points",
        'satellites = [{ owner = "JPN", sensor = "ir", file = "empty.tle", source = "nowhere" }]\nentry_points',
    )
    with pytest.raises(DataError, match=r"empty\.tle"):
        check(name)


def test_a_damaged_part_of_a_study_is_run_again(tmp_path: Path) -> None:
    part = _part(tmp_path, Case(0, True))
    assert _read_part(part) is None
    part.write_text("{")
    assert _read_part(part) is None
    part.write_text('{"nodes": {}}')
    assert _read_part(part) == {"nodes": {}}


def test_an_interrupt_that_a_library_swallowed_is_heard_at_the_next_stage() -> None:
    before = signal.getsignal(signal.SIGINT)
    heard = []
    with contextlib.suppress(KeyboardInterrupt), stages(Console(stderr=True)) as stage:
        stage("look", 0, 1)
        with contextlib.suppress(KeyboardInterrupt):  # a callback that ignores what is raised in it
            signal.raise_signal(signal.SIGINT)
        heard.append("swallowed")
        stage("look", 1, 1)
        heard.append("not heard")
    assert heard == ["swallowed"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_failed_rename_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "old").write_text("kept")
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(Exception, match="No space left"), whole_folder(out) as part:
        (part / "new").write_text("x")
    assert [p.name for p in out.iterdir()] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
