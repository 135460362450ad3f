"""`benchmarks/hgt24.py PREFIX [--json]`: the tracker on files of the HGT-24 layout, cued and uncued.

Prints the table of measured results beside the peers' rows, or JSON: an object for one prefix, a list for several, with
the objects `cued` and `uncued`. The tracker sees every sensor at every frame; `truth_id` and `active` are not read.
Clutter density: of params.json where it lists the raid, else estimated from the detections (hgt24_data).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # started as a file: the folder that matters is the one above
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.hgt24_data import REMEDY, Case, load
from benchmarks.hgt24_kernel import CALLS, Run, cued_config, track_cued, track_uncued, uncued_config
from benchmarks.hgt24_score import confirmed_at, cued_scores, uncued_scores
from noroshi.errors import NoroshiError

PEERS = Path(__file__).parent / "hgt24_peers.json"
KEYS = (
    "cpu_s",
    "compile_s",
    "updates_per_cpu_s",
    "rmse_position_m",
    "rmse_velocity_m_s",
    "lost_identity",
    "lost_target",
    "false_tracks",
    "gospa_m",
    "nees",
    "siap",
)


COLUMNS = (
    "tracker",
    "cpu_s",
    "updates_per_cpu_s",
    "rmse_position_m",
    "rmse_velocity_m_s",
    "lost",
    "own",
    "false",
    "gospa_m",
    "nees",
)
HEADS = ("tracker", "CPU s", "upd/s", "pos m", "vel m/s", "lost", "own", "false", "GOSPA m", "NEES")
WIDTHS = (13, 9, 7, 7, 5, 4, 5, 7, 5)
SIAP = (
    ("completeness", "C", 4),
    ("ambiguity", "A", 4),
    ("spuriousness", "S", 4),
    ("position_accuracy_m", "PA m", 1),
    ("velocity_accuracy_m_s", "VA m/s", 1),
)


def cued(case: Case, calls: int = CALLS) -> dict[str, Any]:
    """Figures of the tracks started from the cues, keys as KEYS."""
    run = track_cued(case, cued_config(), calls)
    return _figures(run, cued_scores(case.truth, run.picture))


def uncued(case: Case, calls: int = CALLS) -> dict[str, Any]:
    """Figures of the tracks that the tracker started itself, keys as KEYS."""
    run = track_uncued(case, uncued_config(), calls)
    scores = uncued_scores(case.truth, run.picture)
    latest = float(confirmed_at(case.truth, run.picture).max()) * case.sensing.frame_s
    scores["siap"]["last_confirmed_s"] = latest if latest < float("inf") else None
    return _figures(run, scores)


def _figures(run: Run, scores: dict[str, Any]) -> dict[str, Any]:
    times = {
        "cpu_s": run.cpu_s,
        "compile_s": run.compile_s,
        "updates_per_cpu_s": run.updates / run.cpu_s if run.cpu_s > 0.0 else None,
    }
    return {key: {**times, **scores}[key] for key in KEYS}


def measure(prefix: str, calls: int = CALLS) -> dict[str, Any]:
    """All figures of one set of files. Raises DataError for files that are none."""
    case = load(prefix)
    return {
        "raid": case.name,
        "targets": len(case.cue),
        "frames": len(case.truth),
        "detections": len(case.detections.detection),
        "clutter_per_scan": case.sensing.clutter,
        "cued": cued(case, calls),
        "uncued": uncued(case, calls),
    }


def table(found: dict[str, Any]) -> str:
    """One raid as text, the peers' rows of the published raid above ours."""
    clutter = f"{found['clutter_per_scan']:.3g} false alarms per scan"
    lines = [
        f"{found['raid']}: {found['targets']} targets, {found['frames']} frames, {found['detections']:,} detections, "
        + clutter,
        _line(HEADS),
    ]
    rows, whence = peers(found["raid"], found["targets"])
    for row in rows:
        lines.append(_line([row.get(name, "") for name in COLUMNS]))
    for way in ("cued", "uncued"):
        one = found[way]
        cells = [f"noroshi, {way}", f"{one['cpu_s']:.4f}", _si(one["updates_per_cpu_s"])]
        cells += [_short(one["rmse_position_m"], 1), _short(one["rmse_velocity_m_s"], 1)]
        cells += [str(one[name]) for name in ("lost_identity", "lost_target", "false_tracks")]
        lines.append(_line([*cells, _short(one["gospa_m"], 1), _short(one["nees"], 2)]))
    for way in ("cued", "uncued"):
        one = found[way]["siap"]
        parts = ", ".join(f"{short} {_short(one[name], places)}" for name, short, places in SIAP)
        if "last_confirmed_s" in one:
            parts += f"; last target confirmed at {_short(one['last_confirmed_s'], 0)} s"
        lines.append(f"  {way}: {found[way]['compile_s']:.2f} CPU s to compile or load; SIAP {parts}")
    notes = [
        "lost: cued, track of cue i over 5 km from target i at the end; uncued, no track paired with it there.",
        "own: targets with no track of their own within 1 km at the end. Cued frames >= 20, uncued > 15.",
        *([whence] if rows else ["No peer's figures are known for a raid of this size."]),
    ]
    return "\n".join([*lines, *(f"  {note}" for note in notes)])


def peers(raid: str, targets: int) -> tuple[list[dict[str, str]], str]:
    """Peers' measured rows for a raid of this name, else of this many targets; and where they come from."""
    given = json.loads(PEERS.read_text())
    for row in given["raids"]:
        if raid.removeprefix("HGT24_") == row["raid"]:
            return row["rows"], f"Peers: {given['source']}"
    for row in given["raids"]:
        if row["targets"] == targets and row["published"]:
            return row["rows"], f"Peers, on the published {row['raid']}, another draw: {given['source']}"
    return [], ""


def _line(cells: Sequence[str]) -> str:
    return " ".join([f"{cells[0]:42}", *(f"{c:>{w}}" for c, w in zip(cells[1:], WIDTHS, strict=True))])


def _short(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"


def _si(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 well, 2 for files that are none."""
    parser = argparse.ArgumentParser(
        prog="hgt24.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prefix", nargs="+", metavar="PREFIX", help=REMEDY)
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    given = parser.parse_args(arguments)
    found = []
    try:
        for prefix in given.prefix:
            found.append(measure(prefix))
            if not given.json:
                print(table(found[-1]), flush=True)
    except NoroshiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(found[0] if len(found) == 1 else found, indent=1, allow_nan=False))
    return 0


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
