"""Distances between two sets of points: GOSPA with its parts, and OSPA, at one time or over many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy.optimize import linear_sum_assignment

CUTOFF_M = 5000.0  # of GOSPA, as the HGT-24 benchmark has it


class Gospa(NamedTuple):
    """The metric, its three parts (they add up to distance ** p), and who goes with whom."""

    distance: float
    localisation: float
    missed: float
    false: float
    assigned: Int[np.ndarray, "x"]  # index of y, or -1


class GospaSeries(NamedTuple):
    """GOSPA (alpha 2) and OSPA at every time; the parts add up to distance ** p."""

    distance: Float64[np.ndarray, "time"]
    localisation: Float64[np.ndarray, "time"]
    missed: Float64[np.ndarray, "time"]
    false: Float64[np.ndarray, "time"]
    ospa: Float64[np.ndarray, "time"]
    assigned: Int[np.ndarray, "time target"]  # row of `y`, or -1


def gospa(
    x: Float[np.ndarray, "x d"],
    y: Float[np.ndarray, "y d"],
    c: float = CUTOFF_M,
    p: float = 2.0,
    alpha: float = 2.0,
) -> Gospa:
    """Generalised optimal sub-pattern assignment of estimates y to truths x.

    Rahmathullah, Garcia-Fernandez, Svensson, "Generalized optimal sub-pattern assignment metric", FUSION
    2017. alpha = 2 is the form in which every unassigned x is a miss and every unassigned y is false, at c**p
    / 2 each; for other alpha (0 < alpha < 2) all of the smaller set is assigned, at most at c.
    """
    n, m = len(x), len(y)
    assigned = np.full(n, -1)
    local = 0.0
    if n and m:
        d = np.minimum(np.linalg.norm(x[:, None] - y[None], axis=-1), c)
        rows, columns = linear_sum_assignment(d**p)
        keep = d[rows, columns] < c if alpha == 2 else np.ones(len(rows), bool)
        assigned[rows[keep]] = columns[keep]
        local = float(np.sum(d[rows[keep], columns[keep]] ** p))
    pairs = int(np.sum(assigned >= 0))
    missed, false = (n - pairs) * c**p / alpha, (m - pairs) * c**p / alpha
    return Gospa((local + missed + false) ** (1 / p), local, missed, false, assigned)


def ospa(
    x: Float[np.ndarray, "x d"], y: Float[np.ndarray, "y d"], c: float = CUTOFF_M, p: float = 2.0
) -> float:
    """Optimal sub-pattern assignment (Schuhmacher, Vo, Vo, IEEE TSP 56(8), 2008); 0 for two empty sets."""
    n, m = len(x), len(y)
    if not n or not m:
        return c if n or m else 0.0
    d = np.minimum(np.linalg.norm(x[:, None] - y[None], axis=-1), c)
    rows, columns = linear_sum_assignment(d**p)
    return float(((np.sum(d[rows, columns] ** p) + abs(n - m) * c**p) / max(n, m)) ** (1 / p))


def gospa_over_time(
    x: Float[np.ndarray, "time target d"],
    alive: Bool[np.ndarray, "time target"],
    time: Int[np.ndarray, "row"],
    y: Float[np.ndarray, "row d"],
    c: float = CUTOFF_M,
    p: float = 2.0,
) -> GospaSeries:
    """GOSPA and OSPA at every time. Estimates come as rows: index of the time (ascending) and position.

    From a dense array [time, track, d] with a mask: `time, track = np.nonzero(held)` and `y = dense[held]`.
    OSPA follows from the same assignment: a pair at the cut-off costs c**p in both.
    """
    times, targets = alive.shape
    if np.any(np.diff(time) < 0):
        raise ValueError("rows are not in the order of their times")
    begin = np.searchsorted(time, np.arange(times + 1))
    assigned = np.full((times, targets), -1)
    local = np.zeros(times)
    for i in range(times):
        a, b = int(begin[i]), int(begin[i + 1])
        living = np.flatnonzero(alive[i])
        if a == b or not len(living):
            continue
        apart = x[i, living][:, None] - y[a:b]
        d = np.sqrt(np.einsum("xyd,xyd->xy", apart, apart))
        np.minimum(d, c, out=d)
        rows, columns = linear_sum_assignment(d**p)
        cost = d[rows, columns]
        keep = cost < c
        assigned[i, living[rows[keep]]] = a + columns[keep]
        local[i] = np.sum(cost[keep] ** p)
    n, m, pairs = alive.sum(1), np.diff(begin), (assigned >= 0).sum(1)
    missed, false = (n - pairs) * c**p / 2, (m - pairs) * c**p / 2
    worst = np.maximum(n, m)
    normal = (local + (worst - pairs) * c**p) / np.maximum(worst, 1)
    return GospaSeries((local + missed + false) ** (1 / p), local, missed, false, normal ** (1 / p), assigned)
