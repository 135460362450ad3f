"""`make bench-peers`: the coverage of one constellation by other packages and by noroshi, one process, one run.

Every package gets the same element sets, points, samples and limit, and every answer is compared with noroshi's for
each satellite, point and sample. CPU seconds are of this process with its threads and children. Not a test.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import time
import warnings
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peers_agreement import (
    EPOCH,
    SATELLITES,
    Case,
    Disagreement,
    compare,
    fibonacci,
    walker_lines,
)
from benchmarks.peers_ours import Ours, in_view, prepare
from benchmarks.peers_tools import Tool, numpy_elevation_deg, tools
from noroshi.time import epoch_from_utc, julian_ut1, julian_utc, load_earth_orientation

RESULTS = Path(__file__).parent / "results" / "coverage-peers.md"
LEAST_CPU_S = 0.5  # what takes less is repeated until it has taken this
FULL_POINTS = 10_000
ACCEPTED = 5e-5  # share of samples off, up to which a setting of a peer counts as an answer
AIM = 5000


class Row(NamedTuple):
    """One line of the table."""

    tool: str
    version: str
    call: str
    finds_windows: bool
    pairs: int
    cpu_s: float  # of one call
    fixed_s: float  # import, tables, virtual machine, first small call
    off: Disagreement | None

    @property
    def ns(self) -> float:
        """Nanoseconds of CPU per satellite, point and step."""
        return 1e9 * self.cpu_s / self.pairs


def main() -> None:
    """Print the table as it fills; with --write also keep it."""
    warnings.simplefilter("ignore")  # the packages' own
    asked = _arguments()
    case = _case(asked)
    print(
        f"{len(case.lines)} satellites x {len(case.lat_deg):,} points x {case.samples:,} steps = {case.pairs:,} pairs"
    )
    above = numpy_elevation_deg(case) - case.elevation_min_deg
    reference = in_view(case)
    rows = []
    for tool in tools(case.elevation_min_deg):
        rows.append(_peer(tool, case, reference, above))
        print(_line(rows[-1]), flush=True)
    ours = _ours(case, "same pairs")
    full = _ours(case._replace(lines=walker_lines(), **_points(FULL_POINTS)), "full case")
    for row in (*ours, *full):
        print(_line(row), flush=True)
    text = _page(asked, case, rows, [*ours, *full])
    print("\n" + text)
    if asked.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)
        print(f"written to {RESULTS}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--satellites", type=int, default=4, help="spread over the 288 of the pattern")
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--elevation-min-deg", type=float, default=0.0)
    parser.add_argument(
        "--write", action="store_true", help=f"keep the table as benchmarks/results/{RESULTS.name}"
    )
    return parser.parse_args()


def _case(asked: argparse.Namespace) -> Case:
    epoch, middle = epoch_from_utc(EPOCH), 1800.0 * asked.hours
    (day, fraction), (day_utc, fraction_utc) = (
        julian_ut1(epoch, middle, load_earth_orientation()),
        julian_utc(epoch, middle),
    )
    ut1_minus_utc = float((day - day_utc) + (fraction - fraction_utc)) * 86400.0
    chosen = np.linspace(0, SATELLITES, asked.satellites, endpoint=False).astype(int)
    lines = walker_lines()
    return Case(
        tuple(lines[k] for k in chosen),
        *fibonacci(asked.points),
        60.0,
        round(60.0 * asked.hours),
        asked.elevation_min_deg,
        ut1_minus_utc,
    )


def _points(number: int) -> dict[str, np.ndarray]:
    lat, lon = fibonacci(number)
    return {"lat_deg": lat, "lon_deg": lon}


def cpu_s() -> float:
    """CPU seconds so far, of this process, its threads and the children it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _measured(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU of one call, the mean over as many as take LEAST_CPU_S, and what the last one answered."""
    begun, calls = cpu_s(), 0
    while True:
        answer = work()
        calls += 1
        if (used := cpu_s() - begun) >= LEAST_CPU_S:
            return used / calls, answer


def _peer(tool: Tool, case: Case, reference: np.ndarray, above: np.ndarray) -> Row:
    begun = cpu_s()
    handle = tool.start(case)
    tool.work(handle, case._replace(lines=case.lines[:2], lat_deg=case.lat_deg[:2], lon_deg=case.lon_deg[:2]))
    fixed = cpu_s() - begun
    used, answer = _measured(lambda: tool.work(handle, case))
    off = compare(tool.seen(handle, case, answer), reference, above)
    return Row(tool.name, tool.version, tool.call, tool.finds_windows, case.pairs, used, fixed, off)


def _ours(case: Case, name: str) -> list[Row]:
    """The whole work, and the counting alone."""
    begun = cpu_s()
    ours: Ours = prepare(case)
    ours.count()
    fixed = cpu_s() - begun
    rows = []
    for what, work in (("element sets to figures", ours.all), ("counting alone", ours.count)):
        used, _ = _measured(work)
        rows.append(
            Row("noroshi", version("noroshi"), f"{what}, {name}", False, case.pairs, used, fixed, None)
        )
    return rows


def _line(row: Row) -> str:
    off = "" if row.off is None else f"{row.off.number} off ({1e6 * row.off.share:.1f} per million)"
    return f"{row.tool:12} {row.call:95} {row.cpu_s:9.4f} s {row.ns:10.3f} ns {off}"


def _page(asked: argparse.Namespace, case: Case, peers: list[Row], ours: list[Row]) -> str:
    whole, count, full_whole, full_count = ours
    window_tools = [r for r in peers if r.finds_windows and r.off is not None and r.off.share <= ACCEPTED]
    fastest = min(window_tools, key=lambda r: r.ns)
    out = [
        "# Coverage beside other packages",
        "",
        f"Written by `make bench-peers ARGS=--write` on {date.today()}; {_machine()}; commit {_commit()}.",
        "",
        f"{len(case.lines)} satellites of the Walker pattern 60: 288/12/1 at 1,000 km as element sets, "
        f"{len(case.lat_deg):,} points of a Fibonacci lattice on the ellipsoid, {case.samples:,} samples "
        f"{case.step_s:g} s apart from {EPOCH}, in view from {case.elevation_min_deg:g}° above the horizon: "
        f"{case.pairs:,} pairs of satellite and point at a sample. The full case: {SATELLITES} satellites, "
        f"{FULL_POINTS:,} points, as many samples.",
        "",
        "CPU: of one warm call from element sets and points to the package's own answer, threads included; what took "
        f"less than {LEAST_CPU_S:g} s was repeated. Fixed: import, tables, virtual machine and a first small call, not "
        "in the CPU. Off: samples that differ from noroshi's, and the farthest that a satellite stood from the limit "
        "where they do.",
        "",
        "| tool | version | call | finds | CPU s | ns per pair | times noroshi, same pairs | times noroshi, full case "
        "| off | per million | farthest | fixed s |",
        "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for r in peers:
        off = r.off
        worst = "" if not off.number else f"{off.worst_deg:.4f}°"
        out.append(
            f"| {r.tool} | {r.version} | {r.call} | {'windows' if r.finds_windows else 'samples'} | {r.cpu_s:.2f} "
            f"| {r.ns:,.0f} | {r.ns / whole.ns:,.0f} | {r.ns / full_whole.ns:,.0f} "
            f"| {off.number} | {1e6 * off.share:.1f} | {worst} | {r.fixed_s:.1f} |"
        )
    for r in ours:
        out.append(
            f"| **noroshi** | {r.version} | {r.call} | samples | {r.cpu_s:.4f} | {r.ns:.3f} | {r.ns / whole.ns:.2g} "
            f"| {r.ns / full_whole.ns:.2g} | | | | {r.fixed_s:.1f} |"
        )
    out += [
        "",
        f"Fastest that finds windows and is off by at most {1e6 * ACCEPTED:.0f} in a million: {fastest.tool}, "
        f"{fastest.ns:,.0f} ns. noroshi takes this many times less CPU per pair (aim: {AIM:,}):",
        "",
        "| noroshi | from element sets to figures | counting alone |",
        "|---|--:|--:|",
        f"| the same pairs | {fastest.ns / whole.ns:,.0f} | {fastest.ns / count.ns:,.0f} |",
        f"| the full case, per pair | {fastest.ns / full_whole.ns:,.0f} | {fastest.ns / full_count.ns:,.0f} |",
        "",
    ]
    return "\n".join(out) + NOTES


NOTES = """\
What the rows do not say:

- Window finders return edges to a fraction of a second; noroshi and the rows that find samples answer at the samples
  alone. A question about edges costs noroshi more (`--windows`).
- noroshi propagates every satellite once for all points; with few points that, not the counting, is its cost. The
  peers' cost per pair hardly changes with the number of pairs, so the full case, which would take them hours, is
  compared per pair. TAT-C and Skyfield's kept positions gain from more points as noroshi does.
- brahe, 120 s: passes shorter than two minutes slip between its steps, so whole passes of up to a degree are missing.
  At 60 s none that a sample meets does, and what is left is the leap after each pass.
- Where a peer is off by a thousandth of a degree or less, a sample fell within milliseconds of an edge and the frames
  differ by that much (polar motion, nutation model, UT1), or the edge's own tolerance decides.
- TAT-C's call for many points has no limit of elevation; a field of regard of 180° is the horizon.
- Orekit runs as a native library in this process, compiled ahead of time: there is no warming up.
- No refraction, light time or aberration anywhere.
"""


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    try:
        names = [
            line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
        ]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    except OSError:
        pass
    load = os.getloadavg()[0]
    return (
        f"{processor}, {os.cpu_count()} cores, load {load:.1f} at the end, Python {platform.python_version()}"
    )


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=RESULTS.parents[2],
    )
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
