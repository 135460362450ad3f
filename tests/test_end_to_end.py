"""The command from a shell: two processes write the same bytes, and a user's own scenario becomes a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from noroshi.store import RUN_TABLES


def noroshi(*arguments: str, cwd: Path, hash_seed: str = "0") -> str:
    """Standard output of the command in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "noroshi.cli.main", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(folder: Path) -> dict[str, bytes]:
    """Everything of a run folder that the clock and the host may not touch."""
    names = ["summary.json", "scenario.toml", *(f"tables/{name}.parquet" for name in RUN_TABLES)]
    return {name: (folder / name).read_bytes() for name in names}


def test_two_processes_write_the_same_bytes(film: Path, tmp_path: Path) -> None:
    # string hashes are salted by process: the order of a set would show
    for name, seed in (("a", "1"), ("b", "2")):
        noroshi("run", str(film), "--out", name, cwd=tmp_path, hash_seed=seed)
    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")
    noroshi("run", str(film), "--out", "c", "--seed", "4", cwd=tmp_path)
    assert (
        numbers(tmp_path / "a")["tables/detections.parquet"]
        != numbers(tmp_path / "c")["tables/detections.parquet"]
    )


def test_workers_do_not_change_the_summary(film: Path, tmp_path: Path) -> None:
    for workers in ("1", "2"):
        study = ("--runs", "2", "--vary", "layer-phase", "--workers", workers)
        noroshi("run", str(film), *study, "--out", workers, cwd=tmp_path)
    one, two = ((tmp_path / workers / "summary.json").read_bytes() for workers in ("1", "2"))
    assert one == two
    found = json.loads(one)["phase_study"]
    assert found["runs"] == 2
    assert set(found) == {"runs", "shared", "alone"}


def test_from_init_to_a_report(tmp_path: Path) -> None:
    noroshi("init", "my-network.toml", cwd=tmp_path)
    printed = noroshi("run", "my-network.toml", cwd=tmp_path)
    assert "JPN" in printed
    assert "next: open runs/my-network-0001/report.html" in printed
    folder = tmp_path / "runs" / "my-network-0001"
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    # the file's own facts: apogee 450 km and range 2,000 km are met to 1 km by the solver; the last sample above
    # ground is up to 1 s, 3 km of range, before the end
    flown = summary["targets"]["example"]
    assert flown["apogee_km"] == pytest.approx(450, abs=1)
    assert flown["range_km"] == pytest.approx(2000, abs=4)
    # burn-out at 120 s is the floor of any warning; three updates and 2 s of fusion wait follow
    target = summary["nodes"]["JPN"]["targets"]["example"]
    assert 120 < target["t_warning_s"] < 200
    assert target["t_warning_public_s"] == target["t_warning_s"] + 60
    assert summary["nodes"]["JPN"]["false_warnings"] == 0
    assert "Mariana Islands" in (folder / "report.html").read_text("utf-8")
    assert (
        sorted(json.loads((folder / "manifest.json").read_text("utf-8"))["versions"])[0]
        == "astropy-iers-data"
    )
