"""Run folders appear whole or not at all; tables come back from Parquet as they were."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noroshi import store
from noroshi.errors import OutputError
from noroshi.results import Run
from noroshi.scenario.load import load
from noroshi.simulate import simulate


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with store.whole_folder(out) as part:
        (part / "a").write_text("1")
        assert not out.exists()
        assert part.parent == out.parent  # one file system: the last step is a rename
    assert names(tmp_path) == ["deep", "deep/out", "deep/out/a"]


@pytest.mark.parametrize(
    "blow", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), OSError(28, "No space")]
)
def test_what_breaks_leaves_the_old_folder_as_it_was(tmp_path: Path, blow: BaseException) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("1")
    expected = OutputError if isinstance(blow, OSError) else type(blow)

    def write_and_break() -> None:
        with store.whole_folder(out) as part:
            (part / "tables").mkdir()
            (part / "tables" / "half").write_text("1")
            raise blow

    with pytest.raises(expected) as caught:
        write_and_break()
    assert names(tmp_path) == ["out", "out/old"]
    if isinstance(caught.value, OutputError):
        assert str(out) in str(caught.value)
        assert "No space" in str(caught.value)


def test_a_replaced_folder_keeps_nothing_of_the_old(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("old", "new"):
        with store.whole_folder(out) as part:
            (part / name).write_text("1")
    assert names(tmp_path) == ["out", "out/new"]


def test_what_a_killed_run_left_is_not_taken_over(tmp_path: Path) -> None:
    left = store.part_folder(tmp_path / "out")
    left.mkdir()
    (left / "stale").write_text("1")
    with store.whole_folder(tmp_path / "out") as part:
        (part / "fresh").write_text("1")
    assert "stale" not in names(tmp_path / "out")


def test_output_is_checked_before_any_work(tmp_path: Path) -> None:
    def refusal(out: Path, *, force: bool) -> str:
        before = names(tmp_path)
        with pytest.raises(OutputError) as caught:
            store.check_output(out, force=force)
        assert names(tmp_path) == before
        assert str(out) in str(caught.value)
        assert "help:" in str(caught.value)
        return str(caught.value)

    (tmp_path / "file").write_text("1")
    for name in ("run", "mine", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    (tmp_path / "mine" / "thesis").write_text("1")
    for force in (False, True):
        assert "is a file" in refusal(tmp_path / "file", force=force)
        assert "cannot be written" in refusal(tmp_path / "file" / "below", force=force)
        assert "cannot be written" in refusal(Path("/proc/below"), force=force)
    assert "already exists" in refusal(tmp_path / "run", force=False)
    assert "already exists" in refusal(tmp_path / "empty", force=False)
    assert "no run folder" in refusal(tmp_path / "mine", force=True)
    before = names(tmp_path)
    store.check_output(tmp_path / "run", force=True)
    store.check_output(tmp_path / "empty", force=True)
    store.check_output(tmp_path / "new", force=False)
    store.check_output(tmp_path / "new" / "deep" / "er", force=False)
    assert names(tmp_path) == before  # looking leaves no trace


def test_the_next_run_folder(tmp_path: Path) -> None:
    assert store.next_run_folder(tmp_path / "none", "a") == tmp_path / "none" / "a-0001"
    for name in ("a-0001", "a-0007", "a-b-0009", "a-12", "a-0003.zip", "ax-0011"):
        (tmp_path / name).mkdir()
    assert store.next_run_folder(tmp_path, "a") == tmp_path / "a-0008"
    (tmp_path / "a-9999").mkdir()
    assert store.next_run_folder(tmp_path, "a") == tmp_path / "a-10000"
    (tmp_path / "a-10000").mkdir()
    assert store.next_run_folder(tmp_path, "a") == tmp_path / "a-10001"


def test_json_is_sorted_and_never_holds_what_json_cannot(tmp_path: Path) -> None:
    store.write_json(tmp_path / "x.json", {"b": 1.5, "a": "火星", "c": None})
    text = (tmp_path / "x.json").read_text("utf-8")
    assert json.loads(text) == {"b": 1.5, "a": "火星", "c": None}
    assert text.index('"a"') < text.index('"b"')
    assert "火星" in text
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="JSON"):
            store.write_json(tmp_path / "y.json", {"a": bad})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, film_text: tuple[str, str]) -> Run:
    folder = tmp_path_factory.mktemp("film")
    (folder / "film.toml").write_text(film_text[0])
    (folder / "rocket.csv").write_text(film_text[1])
    return simulate(load(str(folder / "film.toml")))


def test_every_table_comes_back_from_parquet(run: Run, tmp_path: Path) -> None:
    store.write_tables(tmp_path / "tables", run)
    assert names(tmp_path / "tables") == sorted(f"{name}.parquet" for name in store.RUN_TABLES)
    for name in store.RUN_TABLES:
        table = pq.read_table(tmp_path / "tables" / f"{name}.parquet")
        columns = store.table_columns(name, run)
        assert table.column_names == list(columns)
        assert table.schema.metadata[b"noroshi_schema"] == b"1"
        assert table.schema.metadata[b"noroshi_table"] == name.encode()
        assert table.num_rows > 0 or name in ("warnings", "contributions"), name
        for column, value in columns.items():
            read = table[column].combine_chunks()
            if isinstance(value, pa.Array):
                assert read.cast(pa.string()).equals(value.cast(pa.string()))
            else:
                back = read.to_numpy(zero_copy_only=False)
                assert back.dtype == value.dtype
                np.testing.assert_array_equal(back, value)


def test_long_form_keeps_every_number_in_its_place(run: Run) -> None:
    # dense axes: pick one time, sensor and target by name, and find the number that the array holds there
    time, sensor = 17, 42
    columns = store.table_columns("ephemeris", run)
    at = (columns["t"] == run.ephemeris.t[time]) & (
        np.array(columns["sensor"].to_pylist()) == run.ephemeris.sensors[sensor]
    )
    assert at.sum() == 1
    for k, axis in enumerate("xyz"):
        assert columns[f"r_gcrs_{axis}"][at][0] == run.ephemeris.r_gcrs[time, sensor, k]
        assert columns[f"v_gcrs_{axis}"][at][0] == run.ephemeris.v_gcrs[time, sensor, k]
    columns = store.table_columns("opportunities", run)
    at = (columns["t"] == run.opportunities.t[time]) & (
        np.array(columns["sensor"].to_pylist()) == run.ephemeris.sensors[sensor]
    )
    assert at.sum() == 1
    assert columns["reason"][at][0] == run.opportunities.reason[time, sensor, 0]
    assert columns["range_m"][at][0] == run.opportunities.range_m[time, sensor, 0]
    columns = store.table_columns("truth", run)
    assert set(columns["target"].to_pylist()) == {"rocket"}
    np.testing.assert_array_equal(columns["intensity_mwir_w_sr"], run.truth.intensity_w_sr[:, 0, 0])
    columns = store.table_columns("tracks", run)
    np.testing.assert_array_equal(columns["mean_8"], run.tracks.mean[:, 8])
    np.testing.assert_array_equal(columns["cov_44"], run.tracks.cov[:, 44])
    np.testing.assert_array_equal(columns["modes_manoeuvring"], run.tracks.modes[:, 2])
    columns = store.table_columns("scans", run)
    np.testing.assert_array_equal(columns["q_gcrs_from_sensor_w"], run.scans.q_gcrs_from_sensor[:, 0])


def test_every_column_of_every_table_is_written(run: Run) -> None:
    for name in store.RUN_TABLES:
        columns = store.table_columns(name, run)
        for field in fields(getattr(run, name)):
            if field.name in ("sensors", "targets", "bands", "t_launch", "t_impact", "rcs_m2"):
                continue  # names are index columns; constants of a target lie in the scenario and the summary
            if getattr(getattr(run, name), field.name) is None:
                continue  # facets, which no target of this run has
            shown = "intensity" if field.name == "intensity_w_sr" else field.name
            assert any(c == shown or c.startswith(shown + "_") for c in columns), (name, field.name)
