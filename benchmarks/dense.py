"""`benchmarks/dense.py`: 20 gliders from a 10-km box, cued, 301 frames, 20 draws: who is lost, beside the floor.

Floor: an omniscient assignment of the cues to the truths at frame 0, by the greatest likelihood of the nine-dimensional
Gaussian of the cues: whose cue is whose, for somebody who knows every target's true state. A tracker has to find that
state from the detections first, so it cannot be expected below the floor.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

if __package__ in (None, ""):  # started as a file: the folder that matters is the one above
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.hgt24_data import of_raid
from benchmarks.hgt24_kernel import cued_config, track_cued
from benchmarks.hgt24_raid import CUE_SIGMA, make_raid
from benchmarks.hgt24_score import LOST_M, cued_scores

TARGETS, BOX_M, CLUTTER, DRAWS = 20, 10e3, 5.0, 20
FIRST_SEED = 1


class Floor(NamedTuple):
    """Cues that the best assignment gives to a wrong target, and those of them that end over 5 km from their own."""

    wrong: int
    lost: int


def floor(truth: np.ndarray, cue: np.ndarray, components: int = 9) -> Floor:
    """Of one draw: truth [frame, target, 9], cue [target, 9]; the first `components` of the state decide.

    3 of them are the position alone.
    """
    off = (cue[:, None, :components] - truth[0, None, :, :components]) / CUE_SIGMA[:components]
    target = linear_sum_assignment((off**2).sum(-1))[1]
    apart = np.linalg.norm(truth[-1, target, :3] - truth[-1, :, :3], axis=-1)
    return Floor(int((target != np.arange(len(target))).sum()), int((apart > LOST_M).sum()))


def draws(seeds: range) -> list[dict[str, float]]:
    """Lost, floor and CPU of every draw."""
    out = []
    for seed in seeds:
        raid = make_raid(TARGETS, BOX_M, CLUTTER, seed)
        case = of_raid(raid, f"dense {seed}", CLUTTER)
        run = track_cued(case, cued_config(), calls=1)
        scores = cued_scores(case.truth, run.picture)
        best, position = floor(case.truth, case.cue), floor(case.truth, case.cue, 3)
        out.append(
            {
                "seed": seed,
                "lost_target": scores["lost_target"],
                "lost_identity": scores["lost_identity"],
                "floor_lost_identity": best.lost,
                "floor_wrong_cues": best.wrong,
                "floor_wrong_cues_position_only": position.wrong,
                "gospa_m": scores["gospa_m"],
                "cpu_s": run.cpu_s,
            }
        )
    return out


def table(rows: list[dict[str, float]]) -> str:
    """The draws and their means."""
    names = list(rows[0])
    mean = {name: float(np.mean([row[name] for row in rows])) for name in names}
    heads = ("seed", "lost_target", "lost_identity", "floor", "wrong cues", "by position", "GOSPA m", "CPU s")
    lines = ["  ".join(f"{head:>13}" for head in heads)]
    for row in [*rows, {**mean, "seed": "mean"}]:
        lines.append(
            "  ".join(f"{row[name]:>13.4g}" if name != "seed" else f"{row[name]:>13}" for name in names)
        )
    return "\n".join(
        [
            *lines,
            "lost_target: no track of its own within 1 km at the end (aim: mean 1 at most); lost_identity:",
            "track of cue i over 5 km from target i at the end (aim: mean 5 at most). floor: the same, of an",
            "omniscient assignment of cues to targets by their nine-dimensional likelihood at frame 0, of whose",
            "cues `wrong cues` go to a wrong target; `by position`: wrong cues if only the positions are used.",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(
        prog="dense.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"how many raids (default {DRAWS})")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    given = parser.parse_args(arguments)
    if given.draws < 1:
        parser.error("--draws must be at least 1")
    rows = draws(range(FIRST_SEED, FIRST_SEED + given.draws))
    print(json.dumps(rows, indent=1) if given.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
