"""The tracker's live face: one scan at a time into the compiled step that also tracks whole recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH
from noroshi.tracking.kernel import Output, output, run
from noroshi.tracking.state import Settings, State

_PLAIN = ("C", "W")  # other arrays would be compiled for once more


class LiveScan(NamedTuple):
    """A scan as it comes, with its detections."""

    row: Float64[np.ndarray, "28"]  # of columns.pack_scans
    bits: int  # 1 << nation of the sensor's owner
    dets: Float64[np.ndarray, "detection 8"]  # of columns.pack_detections
    idents: Int64[np.ndarray, "detection"]  # their numbers


def room(state: State) -> Output:
    """Room for whatever one scan can put out."""
    return output(len(state.info), len(state.used))


def step(
    state: State,
    settings: Settings,
    scan_row: Float64[np.ndarray, "28"],
    bits: int,
    dets: Float64[np.ndarray, "detection 8"],
    idents: Int64[np.ndarray, "detection"],
    out: Output,
) -> Output:
    """Take one scan, in place; what it put out: a row for each track at the time that it closed, none otherwise.

    The result is a view of `out` (see `room`), good until the next call. Scans come in order of time; a late one, and
    a second one of a sensor at one time, is refused and counted (State.counters; tracking.reorder waits for them).
    """
    m = len(idents)
    return _run(
        state,
        settings,
        np.require(scan_row, np.float64, _PLAIN).reshape(1, SCAN_WIDTH),
        np.array([[0, m]]),
        np.array([bits], np.int64),
        np.require(dets, np.float64, _PLAIN).reshape(m, DETECTION_WIDTH),
        np.require(idents, np.int64, _PLAIN),
        False,
        out,
    )


def close(state: State, settings: Settings, out: Output) -> Output:
    """End the present time without waiting for a later scan, e.g. when a fusion wait is over; its rows as of `step`."""
    return _run(
        state,
        settings,
        np.zeros((0, SCAN_WIDTH)),
        np.zeros((0, 2), np.int64),
        np.zeros(0, np.int64),
        np.zeros((0, DETECTION_WIDTH)),
        np.zeros(0, np.int64),
        True,
        out,
    )


def replay(state: State, settings: Settings, scans: Sequence[LiveScan], finish: bool) -> Output:
    """Take scans kept in memory, in the order given, in place; all that they put out, in arrays of its own."""
    counts = np.array([len(s.idents) for s in scans], np.int64)
    ends = np.cumsum(counts)
    order = np.arange(len(scans), dtype=np.int64)
    rows = np.array([s.row for s in scans], np.float64).reshape(-1, SCAN_WIDTH)
    slices = np.stack([ends - counts, ends], axis=1)
    bits = np.array([s.bits for s in scans], np.int64)
    dets = np.concatenate([np.zeros((0, DETECTION_WIDTH)), *[s.dets for s in scans]])
    idents = np.concatenate([np.zeros(0, np.int64), *[s.idents for s in scans]])
    into = room(state)
    parts = []
    n = 0
    while n <= len(order):
        n, count, uses = run(state, settings, n, order, rows, slices, bits, dets, idents, finish, into)
        parts.append([column.copy() for column in _cut(into, count, uses)])
    return Output(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _run(
    state: State,
    settings: Settings,
    rows: np.ndarray,
    slices: np.ndarray,
    bits: np.ndarray,
    dets: np.ndarray,
    idents: np.ndarray,
    finish: bool,
    out: Output,
) -> Output:
    """One call of the compiled step, the output of which must fit."""
    order = np.arange(len(rows), dtype=np.int64)
    n, count, uses = run(state, settings, 0, order, rows, slices, bits, dets, idents, finish, out)
    if n <= len(order):
        raise ValueError("the output is too small: see tracking.live.room")
    return _cut(out, count, uses)


def _cut(out: Output, rows: int, uses: int) -> Output:
    """The part of the output that was filled."""
    return Output(out.values[:rows], out.ints[:rows], out.t[:rows], out.used[:uses], out.used_t[:uses])
