"""Which detection belongs to which track: sparse edges, connected components, exact assignment in each."""

from __future__ import annotations

from math import inf

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)


@njit(cache=True, nogil=True, error_model="numpy")
def linear_sum_assignment(cost):
    """Column of every row with the least total cost, by shortest augmenting paths.

    cost [rows, columns], rows <= columns, every row assignable (finite costs). O(rows^2 columns). Method: R. Jonker
    and A. Volgenant, Computing 38, 325-340 (1987), without their initial reductions.
    """
    rows, columns = cost.shape
    row_of = np.full(columns, -1)
    column_of = np.full(rows, -1)
    price_row = np.zeros(rows)
    price_column = np.zeros(columns)
    distance = np.empty(columns)
    before = np.empty(columns, np.int64)
    scanned = np.empty(columns, np.bool_)
    for start in range(rows):
        # Dijkstra over reduced costs from an unassigned row to the nearest free column
        distance[:] = inf
        scanned[:] = False
        row = start
        length = 0.0
        while True:
            nearest = -1
            for j in range(columns):
                if scanned[j]:
                    continue
                d = length + cost[row, j] - price_row[row] - price_column[j]
                if d < distance[j]:
                    distance[j] = d
                    before[j] = row
                if nearest < 0 or distance[j] < distance[nearest]:
                    nearest = j
            scanned[nearest] = True
            length = distance[nearest]
            if row_of[nearest] < 0:
                break
            row = row_of[nearest]
        end = nearest
        price_row[start] += length
        for j in range(columns):
            if scanned[j] and j != end:
                price_row[row_of[j]] += length - distance[j]
                price_column[j] -= length - distance[j]
        j = end
        while True:
            row = before[j]
            row_of[j] = row
            j, column_of[row] = column_of[row], j
            if row == start:
                break
    return column_of


@njit(cache=True, nogil=True, error_model="numpy")
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True, error_model="numpy")
def assign_edges(rows, columns, edge_row, edge_column, gain):
    """Column of every row (-1: none) with the greatest total gain; a row left alone gains 0.

    edge_row, edge_column, gain [edge]: the pairs allowed, any order, each pair once. Components of the graph are
    solved apart: a single edge at once, anything larger as a linear sum assignment over that component only.
    """
    out = np.full(rows, -1)
    edges = len(gain)
    parent = np.arange(rows + columns)
    for e in range(edges):
        a = _root(parent, edge_row[e])
        b = _root(parent, rows + edge_column[e])
        if a != b:
            parent[max(a, b)] = min(a, b)
    component = np.empty(edges, np.int64)
    for e in range(edges):
        component[e] = _root(parent, edge_row[e])
    # edges by component: a counting sort
    first_of = np.zeros(rows + columns + 1, np.int64)
    for e in range(edges):
        first_of[component[e] + 1] += 1
    for i in range(rows + columns):
        first_of[i + 1] += first_of[i]
    order = np.empty(edges, np.int64)
    for e in range(edges):
        order[first_of[component[e]]] = e
        first_of[component[e]] += 1
    row_at = np.full(rows, -1)
    column_at = np.full(columns, -1)
    first = 0
    while first < edges:
        last = first
        while last < edges and component[order[last]] == component[order[first]]:
            last += 1
        if last - first == 1:
            e = order[first]
            if gain[e] > 0.0:
                out[edge_row[e]] = edge_column[e]
        else:
            n = 0
            m = 0
            row_list = np.empty(last - first, np.int64)
            column_list = np.empty(last - first, np.int64)
            for k in range(first, last):
                e = order[k]
                if row_at[edge_row[e]] < 0:
                    row_at[edge_row[e]] = n
                    row_list[n] = edge_row[e]
                    n += 1
                if column_at[edge_column[e]] < 0:
                    column_at[edge_column[e]] = m
                    column_list[m] = edge_column[e]
                    m += 1
            # n spare columns: every row may stay alone at no cost; a pair that is no edge costs more than that
            cost = np.zeros((n, m + n))
            cost[:, :m] = 1.0
            for k in range(first, last):
                e = order[k]
                cost[row_at[edge_row[e]], column_at[edge_column[e]]] = -gain[e]
            chosen = linear_sum_assignment(cost)
            for i in range(n):
                j = chosen[i]
                if j < m and cost[i, j] < 0.0:
                    out[row_list[i]] = column_list[j]
        first = last
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def associate(rows, columns, edge_row, edge_column, gain, ambiguity, sweeps, probability, alone, chosen):
    out = assign_edges(rows, columns, edge_row, edge_column, gain)
    for i in range(rows):
        chosen[i] = out[i]
        alone[i] = -1.0
    return 0
