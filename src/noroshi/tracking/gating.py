"""Which detections of a scan could be which tracks': a sorted window on the sky instead of all pairs."""

from __future__ import annotations

from math import isinf, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tracking.columns import M
from noroshi.tracking.measurement import (
    RHO,
    S_AA,
    S_EE,
    VAR_AZ,
    VAR_EL,
    Y_SENSOR,
    Z_SENSOR,
    U,
    distance,
)

_INSERTION = 48  # shorter lists are sorted by insertion
_SIDE_MAX = 0.3  # a window wider than this (sine) is no window: all detections are tested


@njit(cache=True, nogil=True, error_model="numpy")
def order_by(rows, key):
    """Sort `rows` and `key` together by key, in place; equal keys by row. Shell's method, short lists by insertion."""
    n = len(key)
    gap = np.int64(1)
    while n > _INSERTION and gap < n:
        gap = gap * 9 // 4 + 1
    last = False
    while not last:
        gap = max(gap * 4 // 9, 1)
        last = gap == 1
        for i in range(gap, n):
            value = key[i]
            row = rows[i]
            j = i
            while j >= gap and (key[j - gap] > value or (key[j - gap] == value and rows[j - gap] > row)):
                key[j] = key[j - gap]
                rows[j] = rows[j - gap]
                j -= gap
            key[j] = value
            rows[j] = row


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def edges(view, n, scan, ready, gate, each, edge_row, edge_column, edge_gain, first):
    """Gated pairs of tracks and detections of one scan: (edges, pairs that did not fit).

    view [n, LOOK]: how the tracks lie (rho < 0: cannot be seen by this sensor); ready [m, READY]. Fills edge_row,
    edge_column and edge_gain (log-likelihood of the detection) track by track, first [n + 1] where each track's
    begin. At most `each` of a track, the likeliest, are kept. `ready` is in order of Z_SENSOR, the sine of elevation
    in sensor axes; a track scans only those within its gate's widest half-axis, at most sqrt(gate trace S).
    """
    m = len(ready)
    var = 0.0  # the widest detection
    angular = True
    for j in range(m):
        v = ready[j, VAR_AZ] + ready[j, VAR_EL]
        if isinf(v):
            angular = False
        else:
            var = max(var, v)
    count = 0
    lost = 0
    for i in range(n):
        first[i] = count
        row = view[i]
        if row[RHO] < 0.0:
            continue
        side = (
            sqrt(gate * (row[S_AA] + row[S_EE] + var)) * 1.01 + 1e-12
        )  # the chord is shorter than the tangent
        low, high = 0, m
        y = z = 0.0
        if angular and side < _SIDE_MAX:
            for a in range(3):
                y += scan[M + 3 * a + 1] * row[U + a]
                z += scan[M + 3 * a + 2] * row[U + a]
            # the first at or above z - side
            a, b = 0, m
            bound = z - side
            while a < b:
                c = (a + b) >> 1
                if ready[c, Z_SENSOR] < bound:
                    a = c + 1
                else:
                    b = c
            low = a
        else:
            side = np.inf
        for j in range(low, high):
            if ready[j, Z_SENSOR] > z + side:
                break
            if abs(ready[j, Y_SENSOR] - y) > side:
                continue
            d2, value = distance(row, ready[j])
            if not d2 < gate:
                continue
            have = count - first[i]
            if have < each:
                edge_row[count] = i
                edge_column[count] = j
                edge_gain[count] = value
                count += 1
                continue
            lost += 1
            worst = first[i]
            for e in range(first[i], count):
                if edge_gain[e] < edge_gain[worst]:
                    worst = e
            if value > edge_gain[worst]:
                edge_column[worst] = j
                edge_gain[worst] = value
    first[n] = count
    return count, lost
