"""Which detection belongs to which track: sparse edges, connected components, exact assignment in each.

Where the best joint assignment is not clearly the best, the marginal probabilities of all pairs as well.
"""

from __future__ import annotations

from math import exp, inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)

EXACT_PRODUCTS = (
    65_536  # multiply-adds of one pass over a component that is summed exactly: under 0.2 ms in all
)
PROPAGATION_CHANGE = (
    1e-6  # of a marginal from sweep to sweep; an update is not moved by a millionth of a gate
)
TINY = 1e-300


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
def find_root(parent, i):
    """Representative of i's set in a union-find forest, shortening the way."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True, error_model="numpy")
def sort_index(key, tie, index, first, last):
    """Sort index[first:last] in place by key[index], equal keys by tie[index]. Shell's method, ratio 2.25."""
    count = last - first
    gap = np.int64(1)
    while gap < count:
        gap = gap * 9 // 4 + 1
    while gap > 1:
        gap = max(gap * 4 // 9, 1)
        for n in range(first + gap, last):
            moving = index[n]
            k = key[moving]
            to = n
            while to >= first + gap:
                other = index[to - gap]
                if key[other] < k or (key[other] == k and tie[other] <= tie[moving]):
                    break
                index[to] = other
                to -= gap
            index[to] = moving


class Workspace(NamedTuple):
    """Scratch of `associate`, free to use again after each call; any size at least that of the problem will do."""

    row: Int64[np.ndarray, "6 rows+1"]
    column: Int64[np.ndarray, "columns"]
    edge: Int64[np.ndarray, "4 edges+1"]


@njit(cache=True, nogil=True, error_model="numpy")
def workspace(rows, columns, edges):
    """A Workspace for problems up to this size."""
    return Workspace(
        np.empty((6, rows + 1), np.int64), np.empty(columns, np.int64), np.empty((4, edges + 1), np.int64)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def associate(
    rows,
    columns,
    edge_row,
    edge_column,
    gain,
    edges,
    ambiguity,
    sweeps_max,
    probability,
    alone,
    chosen,
    soft,
    work,
):
    """Who belongs to whom in one scan: the best joint assignment, and where it is in doubt the marginals of all.

    rows, columns, edges: counts of tracks, detections and allowed pairs. edge_row, edge_column [edge] int64, any
    order, each pair once; gain [edge]: ln of P_D N(y; 0, S) / (clutter density (1 - P_D)), what the pair is worth
    against the track being missed and the detection being false. A gain that is not finite is no edge.
    ambiguity: a component whose best and second best joint assignment differ by less in log-likelihood is soft; 0:
    never. sweeps_max: of belief propagation, where a component is too large to be exact (EXACT_PRODUCTS).

    Filled: chosen [row] int64, column of the best joint assignment or -1; soft [row] int64, 1 in a soft component;
    probability [edge] that the pair is true and alone [row] that the track has no detection: 0 or 1 where not soft.
    Returns the number of soft components. Nothing depends on the order of edges or the numbers of columns, to the
    last bit, but for pairs of one row with equal gain. Memory: `work` (see `workspace`), plus some per edge in
    components that are neither single pairs nor stars. Source: docs/theory/association.md.
    """
    degree = work.row[0]
    at = work.column
    rest = work.edge[0]
    for i in range(rows):
        degree[i] = 0
        chosen[i] = -1
        alone[i] = 1.0
        soft[i] = 0
    for e in range(edges):
        at[edge_column[e]] = 0
        probability[e] = 0.0
    for e in range(edges):
        if np.isfinite(gain[e]):
            degree[edge_row[e]] += 1
            at[edge_column[e]] += 1
    ambiguous = np.int64(0)
    left = np.int64(0)
    for e in range(edges):
        g = gain[e]
        if not np.isfinite(g):
            continue
        i = edge_row[e]
        if degree[i] != 1 or at[edge_column[e]] != 1:
            rest[left] = e
            left += 1
            continue
        # by far the most: one track, one detection
        if g > 0.0:
            chosen[i] = edge_column[e]
        if abs(g) < ambiguity:
            soft[i] = 1
            ambiguous += 1
            probability[e] = 1.0 / (1.0 + exp(-g))
            alone[i] = 1.0 / (1.0 + exp(g))
        elif g > 0.0:
            probability[e] = 1.0
            alone[i] = 0.0
    if left > 0:
        ambiguous += _components(
            rows,
            edge_row,
            edge_column,
            gain,
            left,
            ambiguity,
            sweeps_max,
            probability,
            alone,
            chosen,
            soft,
            work,
        )
    return ambiguous


@njit(cache=True, nogil=True, error_model="numpy")
def _components(
    rows,
    edge_row,
    edge_column,
    gain,
    left,
    ambiguity,
    sweeps_max,
    probability,
    alone,
    chosen,
    soft,
    work,
):
    """`associate` for the edges that touch another: work.edge[0, :left]. Returns the number of soft components."""
    first = work.row[0]  # edges of row i: order[first[i] : first[i + 1]]
    parent = work.row[1]
    following = work.row[2]  # next row of the same component
    head = work.row[3]
    row_list = work.row[4]
    start = work.row[5]
    at = work.column
    rest = work.edge[0]
    order = work.edge[1]
    edge_of = work.edge[2]  # edges of one component, row after row
    local = work.edge[3]  # and their columns, numbered within it
    for i in range(rows):
        first[i] = 0
        parent[i] = i
        head[i] = -1
    first[rows] = 0
    for n in range(left):
        at[edge_column[rest[n]]] = -1
    for n in range(left):
        i = edge_row[rest[n]]
        j = edge_column[rest[n]]
        first[i + 1] += 1
        if at[j] < 0:
            at[j] = i
        else:
            a = find_root(parent, at[j])
            b = find_root(parent, i)
            if a != b:
                parent[max(a, b)] = min(a, b)
    for i in range(rows):
        first[i + 1] += first[i]
        start[i] = first[i]
    for n in range(left):
        i = edge_row[rest[n]]
        order[start[i]] = rest[n]
        start[i] += 1
        at[edge_column[rest[n]]] = -1
    for i in range(rows - 1, -1, -1):
        if first[i + 1] > first[i]:
            root = find_root(parent, i)
            following[i] = head[root]
            head[root] = i
            # by value, so that nothing below depends on how detections are numbered
            sort_index(gain, edge_column, order, first[i], first[i + 1])
    ambiguous = np.int64(0)
    for root in range(rows):
        if head[root] < 0:
            continue
        n = np.int64(0)
        m = np.int64(0)
        k = np.int64(0)
        i = head[root]
        while i >= 0:
            row_list[n] = i
            start[n] = k
            n += 1
            for q in range(first[i], first[i + 1]):
                e = order[q]
                j = edge_column[e]
                if at[j] < 0:
                    at[j] = m
                    m += 1
                edge_of[k] = e
                local[k] = at[j]
                k += 1
            i = following[i]
        start[n] = k
        if n == 1 or m == 1:
            tied = _star(edge_row, edge_column, gain, edge_of[:k], ambiguity, probability, chosen)
        else:
            tied = _tangle(
                n,
                m,
                row_list,
                start,
                local,
                edge_of[:k],
                edge_column,
                gain,
                ambiguity,
                sweeps_max,
                probability,
                chosen,
            )
        if tied:
            ambiguous += 1
        for r in range(n):
            i = row_list[r]
            if tied:
                soft[i] = 1
                taken = 0.0
                for q in range(start[r], start[r + 1]):
                    taken += probability[edge_of[q]]
                alone[i] = max(1.0 - taken, 0.0)
            elif chosen[i] >= 0:
                alone[i] = 0.0
    return ambiguous


@njit(cache=True, nogil=True, error_model="numpy")
def _star(edge_row, edge_column, gain, edge_of, ambiguity, probability, chosen):
    """One track and many detections, or the reverse: at most one edge is true. Whether that is ambiguous."""
    best = 0.0
    second = -inf
    top = np.int64(-1)
    for e in edge_of:
        if gain[e] > best:
            second = best
            best = gain[e]
            top = e
        elif gain[e] > second:
            second = gain[e]
    if top >= 0:
        chosen[edge_row[top]] = edge_column[top]
    if best - second >= ambiguity:
        if top >= 0:
            probability[top] = 1.0
        return False
    total = exp(-best)
    for e in edge_of:
        probability[e] = exp(gain[e] - best)
        total += probability[e]
    for e in edge_of:
        probability[e] /= total
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _tangle(
    n,
    m,
    row_list,
    start,
    local,
    edge_of,
    edge_column,
    gain,
    ambiguity,
    sweeps_max,
    probability,
    chosen,
):
    """A component of several rows and columns. Whether it is ambiguous."""
    k = len(edge_of)
    value = np.empty(k)
    for q in range(k):
        value[q] = gain[edge_of[q]]
    mate = np.empty(n, np.int64)
    row_of = np.empty(m, np.int64)
    row_worth = np.empty(n)
    column_worth = np.empty(m)
    assign_component(n, m, start, local, value, mate, row_of, row_worth, column_worth)
    for i in range(n):
        if mate[i] >= 0:
            chosen[row_list[i]] = edge_column[edge_of[mate[i]]]
    if ambiguity > 0.0:
        gap = second_best(n, m, start, local, value, mate, row_of, row_worth, column_worth, ambiguity)
        if gap < ambiguity:
            marginal = np.empty(k)
            marginals(n, m, start, local, value, row_worth, column_worth, sweeps_max, marginal)
            for q in range(k):
                probability[edge_of[q]] = marginal[q]
            return True
    for i in range(n):
        if mate[i] >= 0:
            probability[edge_of[mate[i]]] = 1.0
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def assign_component(n, m, start, local, value, mate, row_of, row_worth, column_worth):
    """Exact assignment of sparse edges by shortest augmenting paths, and the dual solution that proves it.

    Edges of row i: start[i] .. start[i + 1], to column local[edge] at value[edge]. Filled: mate [row] edge or -1,
    row_of [column] row or -1, and worths u [row], w [column], all >= 0, with u + w >= value on every edge, equal on
    those chosen, and 0 for rows and columns left alone: so the sum of worths is the greatest total value.
    """
    distance = np.full(m, inf)
    before = np.empty(m, np.int64)  # edge by which a column was reached
    scanned = np.zeros(m, np.bool_)
    touched = np.empty(m, np.int64)
    edge_row = np.empty(start[n], np.int64)
    for i in range(n):
        mate[i] = -1
        row_worth[i] = 0.0
        for q in range(start[i], start[i + 1]):
            edge_row[q] = i
    for j in range(m):
        row_of[j] = -1
        column_worth[j] = 0.0
    for source in range(n):
        reached = np.int64(0)
        row = np.int64(source)
        length = 0.0
        give_up = inf  # the shortest way that ends with a row left alone, and that row
        loser = np.int64(-1)
        end = np.int64(-1)
        while True:
            if length + row_worth[row] < give_up:
                give_up = length + row_worth[row]
                loser = row
            for q in range(start[row], start[row + 1]):
                j = local[q]
                if scanned[j]:
                    continue
                d = length + row_worth[row] + column_worth[j] - value[q]
                if d < distance[j]:
                    if distance[j] == inf:
                        touched[reached] = j
                        reached += 1
                    distance[j] = d
                    before[j] = q
            nearest = np.int64(-1)
            for r in range(reached):
                j = touched[r]
                if not scanned[j] and (nearest < 0 or distance[j] < distance[nearest]):
                    nearest = j
            if nearest < 0 or give_up <= distance[nearest]:
                length = give_up
                break
            length = distance[nearest]
            if row_of[nearest] < 0:
                end = nearest
                break
            scanned[nearest] = True
            row = row_of[nearest]
        row_worth[source] -= length
        for r in range(reached):
            j = touched[r]
            if scanned[j]:
                row_worth[row_of[j]] = max(row_worth[row_of[j]] - (length - distance[j]), 0.0)
                column_worth[j] += length - distance[j]
                scanned[j] = False
            distance[j] = inf
        if end < 0:
            if loser == source:
                row_worth[source] = 0.0
                continue
            end = local[mate[loser]]
            mate[loser] = -1
            row_worth[loser] = 0.0
        while True:
            q = before[end]
            row = edge_row[q]
            row_of[end] = row
            given = mate[row]
            mate[row] = q
            if row == source:
                break
            end = local[given]


@njit(cache=True, nogil=True, error_model="numpy")
def second_best(n, m, start, local, value, mate, row_of, row_worth, column_worth, limit):
    """How much less the second best joint assignment is worth than the best; exact, `limit` where not less than it.

    Takes what `assign_component` left. The two differ by one cycle of changes: a row goes to another column, whose
    row goes elsewhere, ..., or rows and columns left alone come in or drop out, which closes the cycle through one
    more node (number n). With the dual solution every change has a length >= 0, so Dijkstra's method finds the
    shortest cycle through each node in turn, and looks no further than the shortest so far.
    """
    distance = np.empty(n + 1)
    done = np.empty(n + 1, np.bool_)
    for turn in range(n + 1):
        source = n if turn == 0 else turn - 1
        if source < n and mate[source] < 0:
            continue  # reached through node n only
        for i in range(n + 1):
            distance[i] = inf
            done[i] = False
        if source < n:
            done[n] = True  # these cycles are known
            for i in range(source):
                done[i] = True
        node = np.int64(source)
        length = 0.0
        while True:
            if node == n:
                for i in range(n):
                    d = length if mate[i] < 0 else length + column_worth[local[mate[i]]]
                    if not done[i] and d < distance[i]:
                        distance[i] = d
            else:
                if mate[node] >= 0:
                    d = length + row_worth[node]
                    if source == n:
                        limit = min(limit, d)
                for q in range(start[node], start[node + 1]):
                    if q == mate[node]:
                        continue
                    j = local[q]
                    d = length + max(row_worth[node] + column_worth[j] - value[q], 0.0)
                    to = n if row_of[j] < 0 else row_of[j]
                    if to == source:
                        limit = min(limit, d)
                    elif not done[to] and d < distance[to]:
                        distance[to] = d
            done[node] = True
            node = np.int64(-1)
            for i in range(n + 1):
                if not done[i] and distance[i] < limit and (node < 0 or distance[i] < distance[node]):
                    node = np.int64(i)
            if node < 0:
                break
            length = distance[node]
    return limit


@njit(cache=True, nogil=True, error_model="numpy")
def marginals(n, m, start, local, value, row_worth, column_worth, sweeps_max, marginal):
    """Probability of every edge over all joint assignments, each in proportion to exp of its total value.

    Exact where edges x 2^(smaller side - 1) <= EXACT_PRODUCTS, by belief propagation otherwise. Every joint
    assignment is weighed against the best one, by the dual solution of `assign_component`: no weight exceeds 1 and
    the sum is at least 1, however large the values.
    """
    k = start[n]
    factor = np.empty(k)
    free_row = np.empty(n)
    free_column = np.empty(m)
    for j in range(m):
        free_column[j] = exp(-column_worth[j])
    for i in range(n):
        free_row[i] = exp(-row_worth[i])
        for q in range(start[i], start[i + 1]):
            factor[q] = exp(min(value[q] - row_worth[i] - column_worth[local[q]], 0.0))
    edge_row = np.empty(k, np.int64)
    by_row = np.empty(k, np.int64)
    by_column = np.empty(k, np.int64)
    column_start = np.zeros(m + 1, np.int64)
    for i in range(n):
        for q in range(start[i], start[i + 1]):
            edge_row[q] = i
            by_row[q] = q
            column_start[local[q] + 1] += 1
    for j in range(m):
        column_start[j + 1] += column_start[j]
    for q in range(k):
        by_column[column_start[local[q]]] = q
        column_start[local[q]] += 1
    for j in range(m, 0, -1):
        column_start[j] = column_start[j - 1]
    column_start[0] = 0
    smaller = min(n, m)
    if smaller < 40 and k << (smaller - 1) <= EXACT_PRODUCTS:
        if n <= m:
            _sum_over_all(m, n, column_start, by_column, edge_row, factor, free_column, free_row, marginal)
        else:
            _sum_over_all(n, m, start, by_row, local, factor, free_row, free_column, marginal)
    else:
        propagate(n, m, start, column_start, by_column, factor, free_row, free_column, sweeps_max, marginal)


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_over_all(steps, bits, start, by_step, bit_of, factor, free_step, free_bit, marginal):
    """Exact marginals: the larger side step by step, the set of the smaller side's members taken so far as state.

    Sums over all sets from the front and from the back meet at every edge; all terms are positive, so nothing
    cancels.
    """
    size = np.int64(1) << bits
    front = np.zeros((steps + 1, size))
    front[0, 0] = 1.0
    for s in range(steps):
        for taken in range(size):
            front[s + 1, taken] = free_step[s] * front[s, taken]
        for r in range(start[s], start[s + 1]):
            q = by_step[r]
            bit = np.int64(1) << bit_of[q]
            f = factor[q]
            for taken in range(size):
                if taken & bit:
                    front[s + 1, taken] += f * front[s, taken ^ bit]
    back = np.empty(size)
    new = np.empty(size)
    back[size - 1] = 1.0
    for taken in range(size - 2, -1, -1):
        b = 0
        while (taken >> b) & 1:
            b += 1
        back[taken] = free_bit[b] * back[taken | (np.int64(1) << b)]
    for s in range(steps - 1, -1, -1):
        for taken in range(size):
            new[taken] = free_step[s] * back[taken]
        for r in range(start[s], start[s + 1]):
            q = by_step[r]
            bit = np.int64(1) << bit_of[q]
            f = factor[q]
            through = 0.0
            for taken in range(size):
                if taken & bit:
                    through += front[s, taken ^ bit] * back[taken]
                    new[taken ^ bit] += f * back[taken]
            marginal[q] = f * through
        back, new = new, back
    for q in range(start[steps]):
        marginal[q] /= back[0]


@njit(cache=True, nogil=True, error_model="numpy")
def propagate(n, m, start, column_start, by_column, factor, free_row, free_column, sweeps_max, marginal):
    """Marginals by loopy belief propagation: exact on a tree, close otherwise; stops when none moves by 1e-6.

    Method: J. Williams and R. Lau, IEEE Trans. Aerospace and Electronic Systems 50, 2942-2959 (2014), with every
    edge's factor and every row's and column's weight of being alone given apart. Sums that leave one term out are
    added up from both ends, never subtracted.
    """
    k = start[n]
    to_row = np.ones(k)
    to_column = np.empty(k)
    ahead = np.empty(k)
    for q in range(k):
        marginal[q] = 0.0
    for sweep in range(sweeps_max + 1):
        change = 0.0
        for i in range(n):
            total = free_row[i]
            for q in range(start[i], start[i + 1]):
                ahead[q] = total
                total += factor[q] * to_row[q]
            behind = 0.0
            for q in range(start[i + 1] - 1, start[i] - 1, -1):
                term = factor[q] * to_row[q]
                to_column[q] = factor[q] / max(ahead[q] + behind, TINY)
                behind += term
                p = term / max(total, TINY)
                change = max(change, abs(p - marginal[q]))
                marginal[q] = p
        if change < PROPAGATION_CHANGE or sweep == sweeps_max:
            break
        for j in range(m):
            total = free_column[j]
            for r in range(column_start[j], column_start[j + 1]):
                ahead[r] = total
                total += to_column[by_column[r]]
            behind = 0.0
            for r in range(column_start[j + 1] - 1, column_start[j] - 1, -1):
                q = by_column[r]
                to_row[q] = 1.0 / max(ahead[r] + behind, TINY)
                behind += to_column[q]


@njit(cache=True, nogil=True, error_model="numpy")
def assign_edges(rows, columns, edge_row, edge_column, gain):
    """Column of every row (-1: none) with the greatest total gain; a row left alone gains 0.

    edge_row, edge_column, gain [edge]: the pairs allowed, any order, each pair once. `associate` without marginals.
    """
    edges = len(gain)
    chosen = np.empty(rows, np.int64)
    associate(
        rows,
        columns,
        edge_row,
        edge_column,
        gain,
        edges,
        0.0,
        np.int64(0),
        np.empty(edges),
        np.empty(rows),
        chosen,
        np.empty(rows, np.int64),
        workspace(rows, columns, edges),
    )
    return chosen
