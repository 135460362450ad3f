"""The assignment against scipy's, whole and in components."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment as oracle

from noroshi.tracking.assign import assign_edges, linear_sum_assignment


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_is_optimal(scale):
    rng = np.random.default_rng(7)
    for _ in range(500):
        n = int(rng.integers(1, 15))
        m = n + int(rng.integers(0, 10))
        cost = rng.normal(size=(n, m)) * scale
        if rng.random() < 0.3:
            cost = np.round(cost / scale) * scale  # ties
        columns = linear_sum_assignment(cost)
        assert len(set(columns)) == n
        i, j = oracle(cost)
        assert cost[np.arange(n), columns].sum() == pytest.approx(
            cost[i, j].sum(), rel=1e-12, abs=1e-12 * scale
        )


@pytest.mark.parametrize("density", [0.02, 0.1, 0.4])
def test_components_give_the_optimum_of_the_whole(density):
    rng = np.random.default_rng(8)
    for _ in range(200):
        n, m = rng.integers(1, 25, size=2)
        edge = rng.random((n, m)) < density
        gain = rng.normal(2.0, 3.0, size=(n, m))
        rows, columns = np.nonzero(edge)
        shuffle = rng.permutation(len(rows))
        rows, columns = rows[shuffle], columns[shuffle]
        got = assign_edges(int(n), int(m), rows, columns, gain[rows, columns])
        used = got[got >= 0]
        assert len(set(used)) == len(used)
        assert edge[np.flatnonzero(got >= 0), used].all()
        # the oracle: every row may stay alone for 0; a pair that is no edge is never worth it
        full = np.hstack([np.where(edge, -gain, 1e6), np.zeros((n, n))])
        i, j = oracle(full)
        total = gain[np.flatnonzero(got >= 0), used].sum()
        assert total == pytest.approx(-full[i, j].sum(), abs=1e-9)


def test_nothing_to_assign():
    empty = np.empty(0, np.int64)
    assert (assign_edges(3, 0, empty, empty, np.empty(0)) == -1).all()


def test_greedy_would_be_wrong():
    # the nearest pair first (gain 10) forces the poor pair (1): 11; crossing over gives 18
    rows, columns = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert list(assign_edges(2, 2, rows, columns, np.array([10.0, 9.0, 9.0, 1.0]))) == [1, 0]
