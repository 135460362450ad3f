"""What is left of a constellation's coverage when satellites are lost, from who sees what: nothing is counted again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int

CASES_MOST = 2000  # sets of lost satellites gone through; of more, as many are drawn at random


class Loss(NamedTuple):
    """Coverage after a loss, over the cases of it."""

    lost: str  # "1 satellite", "1 plane"
    worst: float  # share, as the clause has it
    mean: float
    cases: int
    exhaustive: bool  # every case; else a random sample
    worst_case: tuple[int, ...]  # satellites, counted from 0, plane by plane


def after_losses(
    satellites: int,
    planes: int,
    lost: Iterable[int],
    share: Callable[[tuple[int, ...]], float],
    *,
    pairs: Float64[np.ndarray, "sat sat"] | None = None,
    cases_most: int = CASES_MOST,
    seed: int = 0,
) -> tuple[Loss, ...]:
    """Losses of any 1, 2, ... satellites as asked, and of any one plane; `share` of what is left without a set.

    pairs: shares without each pair (diagonal: without one), where they are known already.
    """
    per_plane = satellites // planes
    found = []
    for number in sorted(set(lost)):
        if not 1 <= number < satellites:
            continue
        label = f"{number} satellite{'s' * (number > 1)}"
        if pairs is not None and number <= 2:
            rows, columns = np.diag_indices(satellites) if number == 1 else np.triu_indices(satellites, 1)
            at = int(np.argmin(pairs[rows, columns]))
            case = tuple(sorted({int(rows[at]), int(columns[at])}))
            value = pairs[rows, columns]
            found.append(Loss(label, float(value[at]), float(value.mean()), len(value), True, case))
            continue
        every = comb(satellites, number)
        if every <= cases_most:
            sets = list(combinations(range(satellites), number))
        else:
            draw = np.random.default_rng((seed, number))
            sets = [
                tuple(sorted(draw.choice(satellites, number, replace=False).tolist()))
                for _ in range(cases_most)
            ]
        found.append(_over(label, sets, share, every <= cases_most))
    if planes > 1:
        sets = [tuple(range(p * per_plane, (p + 1) * per_plane)) for p in range(planes)]
        found.append(_over("1 plane", sets, share, True))
    return tuple(found)


def _over(
    label: str, sets: list[tuple[int, ...]], share: Callable[[tuple[int, ...]], float], exhaustive: bool
) -> Loss:
    value = np.array([share(one) for one in sets])
    at = int(np.argmin(value))
    return Loss(label, float(value[at]), float(value.mean()), len(sets), exhaustive, sets[at])


def fold_without(seen: Bool[np.ndarray, "sat time point"], fold: int) -> Callable[[tuple[int, ...]], float]:
    """Share of the samples that at least `fold` of the satellites left see."""
    count = seen.sum(0, dtype=np.int16)
    return lambda lost: float(np.mean(count - seen[list(lost)].sum(0, dtype=np.int16) >= fold))


def fold_pairs(seen: Bool[np.ndarray, "sat time point"], fold: int) -> Float64[np.ndarray, "sat sat"]:
    """The same for every pair lost at once; on the diagonal, for every one.

    Without s and t a sample falls below k if k see it and s or t is among them, or if k + 1 do and both are.
    """
    count = seen.sum(0, dtype=np.int16).ravel()
    flat = seen.reshape(len(seen), -1)
    both = [_together(flat[:, count == n]) for n in (fold, fold + 1)]
    alone = np.diag(both[0])
    fallen = alone[:, None] + alone[None, :] - both[0] + both[1]
    np.fill_diagonal(fallen, alone)
    return (np.count_nonzero(count >= fold) - fallen) / len(count)


def _together(seen: Bool[np.ndarray, "sat sample"]) -> Float64[np.ndarray, "sat sat"]:
    """In how many samples each two see: exact, sums of ones stay below 2**24 in each block."""
    out = np.zeros((len(seen), len(seen)))
    for begin in range(0, seen.shape[1], 1 << 20):
        block = seen[:, begin : begin + (1 << 20)].astype(np.float32)
        out += block @ block.T
    return out


def gaps_without(
    seen: Bool[np.ndarray, "sat time point"], gap_s: float, step_s: float
) -> Callable[[tuple[int, ...]], float]:
    """Share of the places where no run of samples that none of the satellites left see is longer than the gap."""
    count = seen.sum(0, dtype=np.int16)
    number = np.arange(len(count), dtype=np.int32)[:, None]

    def share(lost: tuple[int, ...]) -> float:
        covered = count - seen[list(lost)].sum(0, dtype=np.int16) > 0
        return float(np.mean(longest_run(covered, number) * step_s <= gap_s))

    return share


def longest_run(covered: Bool[np.ndarray, "time point"], number: np.ndarray) -> Int[np.ndarray, "point"]:
    """Samples in the longest uncovered run of each point."""
    last = np.maximum.accumulate(np.where(covered, number, -1), axis=0)
    return (number - last).max(0)
