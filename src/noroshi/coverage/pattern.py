"""What a Walker pattern covers in the long run: averages over every moment and every way the Earth can be turned.

A pattern of circular orbits is rigid: two angles say all, how far its satellites have moved (phase) and how the Earth
is turned below it. In the long run every pair of the two comes up equally often, unless ground tracks repeat, so the
share of time at a place depends on its latitude only; and the pattern's own symmetries leave a small rectangle of
pairs to be looked at (docs/theory/coverage-design.md). It is sampled here, design after design, without Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import noroshi._jax  # noqa: F401  (the cache folder before Numba)

# isort: split
from jaxtyping import Bool, Float, Float64, Int64
from numba import njit

from noroshi.constants import EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.coverage import count
from noroshi.coverage.layout import Layout, itrs, layout, reach
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.models import Body, Points, Quality
from noroshi.coverage.tally import Tally
from noroshi.orbits.elements import Elements
from noroshi.orbits.kepler import secular_rates
from noroshi.orbits.walker import Pattern

CHUNKS = 4  # stretches of samples after which a hopeless design is dropped
_GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
_PHASES = 24  # of a whole turn, with 4,096 samples; no worse than 48 or 96 (docs/theory/coverage-design.md)


class Design(NamedTuple):
    """One Walker pattern."""

    pattern: Pattern
    satellites: int
    planes: int
    phasing: int
    altitude_m: float  # above the equatorial radius
    inclination_rad: float


class Views(NamedTuple):
    """Where and at which phases a pattern of so many planes is looked at; one entry per chunk."""

    grids: tuple[Layout, ...]
    phases: Float64[np.ndarray, "chunk phase"]  # [rad]
    nodes: Float64[np.ndarray, "phase"]  # how far the nodes have turned against the Earth by then [rad]
    r_points: Float64[np.ndarray, "point 3"]  # of all of them [m]
    samples: int


class Setting(NamedTuple):
    """What is the same for every design of a search."""

    lat_rad: Float64[np.ndarray, "place"]  # of the area's places, rising; equal shares of the area
    height_m: float
    limit: Limit
    body: Body
    folds: int
    stereo_rad: float | None


def setting(points: Points, limit: Limit, body: Body, folds: int, stereo_rad: float | None) -> Setting:
    """The setting of an area's points; where weights are equal (grids over areas, sites)."""
    return Setting(np.sort(points.lat_rad), float(points.height_m[0]), limit, body, folds, stereo_rad)


def views(
    where: Setting, pattern: Pattern, satellites: int, planes: int, samples: int, moments: int = 0
) -> Views:
    """About so many pairs of a place and a phase, spread evenly over latitudes, longitudes and phases.

    Longitudes: one plane's share of the turn for "delta", which repeats from plane to plane, all of it for "star".
    Phases: one slot, from a satellite to the next in its plane.
    """
    per_plane = satellites // planes
    turn = _PHASES * (samples / 4096.0) ** (1.0 / 3.0)
    moments = moments or max(round(turn / per_plane / CHUNKS), 2) * CHUNKS  # 0: as many as places need
    places = max(samples // moments, 8)
    width = 2.0 * np.pi / (planes if pattern == "delta" else 1)
    grids, r_points = _lattices(where, places, 0.0, width)
    share = (np.arange(moments).reshape(-1, CHUNKS).T + 0.5) / moments
    return Views(
        grids,
        np.ascontiguousarray(share * 2.0 * np.pi / per_plane),
        np.zeros(moments // CHUNKS),
        r_points,
        places * moments,
    )


def passing_views(where: Setting, design: Design, gap_s: float, step_s: float, places: int) -> Views:
    """A pattern as it passes, from phase 0: every run without a line of sight begins, but for symmetry, in a slot.

    The window holds that slot and 1.5 times the gap, so longer gaps are found as at least that long. A quarter of the
    places are on the area's edges in latitude.
    """
    phase_rate, node_rate = rates(design)
    per_plane = design.satellites // design.planes
    slot_s = 2.0 * np.pi / per_plane / phase_rate
    # places begin at phase 0: as much farther west as the Earth turns in a slot
    lead = abs(node_rate) * slot_s
    width = min(2.0 * np.pi / (design.planes if design.pattern == "delta" else 1) + lead, 2.0 * np.pi)
    grids, r_points = _lattices(where, places // CHUNKS, -lead, width, edges=True)
    t = np.arange(int(np.ceil((slot_s + 1.5 * gap_s) / step_s)) + 1) * step_s
    return Views(grids, np.tile(phase_rate * t, (CHUNKS, 1)), node_rate * t, r_points, places * len(t))


def _lattices(
    where: Setting, places: int, west: float, width: float, *, edges: bool = False
) -> tuple[tuple[Layout, ...], np.ndarray]:
    """Places spread evenly over the area's latitudes and a stretch of longitudes; the chunks together are a lattice.

    edges: those of the first chunk lie on the area's lowest and highest latitude instead, where extremes are.
    """
    grids, r_points = [], []
    for chunk in range(CHUNKS):
        k = np.arange(places) * CHUNKS + chunk + 0.5
        at = (np.mod(k * _GOLDEN, 1.0) * len(where.lat_rad)).astype(int)
        if edges and chunk == 0:
            at = np.where(np.arange(places) % 2, len(where.lat_rad) - 1, 0)
        lon = west + k / (places * CHUNKS) * width
        points = Points("", where.lat_rad[at], lon, np.full(places, where.height_m), np.ones(places))
        grids.append(layout(points, where.body))
        r_points.append(itrs(points, where.body))
    return tuple(grids), np.concatenate(r_points)


class Sensor(NamedTuple):
    """One satellite of an altitude, ready for the kernel."""

    radius_m: float
    cap_rad: Float64[np.ndarray, "2"]  # see `count.caps`
    columns: Float64[np.ndarray, "1 limit"]
    quality: Quality
    plain: bool


def sensor(where: Setting, altitude_m: float, r_points: Float[np.ndarray, "point 3"]) -> Sensor:
    """Limits of a satellite that looks at those points. The Sun and the Moon are left out: a bound from above."""
    limits = table([where.limit._replace(sun_rad=0.0, moon_rad=0.0)])
    measures = quality([Figures(1e-6)])
    radius = EARTH_RADIUS_M + altitude_m
    # over the equator and over the pole, for the extremes of a flattened body
    r = np.array([[[radius, 0.0, 0.0]], [[0.0, 0.0, radius]]])
    target = np.linalg.norm(r_points, axis=-1)
    scaled = np.linalg.norm(
        r_points / [where.body.equator_m, where.body.equator_m, where.body.pole_m], axis=-1
    )
    ends = r_points[[int(target.argmin()), int(target.argmax())]]
    cap = count.caps(limits, r, ends, where.body, reach(scaled))
    return Sensor(radius, cap[0], count.columns(limits), measures, count.only_the_body(limits, measures))


class Sums(NamedTuple):
    """What a design's phasings were found to cover."""

    shares: Float64[
        np.ndarray, "design clause"
    ]  # of the samples: at least 1, 2, ... lines of sight; a stereo pair
    whole: Bool[np.ndarray, "design"]  # all samples were looked at; else the shares are bounds from above
    longest_s: Float64[np.ndarray, "design"]  # run of samples without a line of sight
    within: Float64[
        np.ndarray, "design"
    ]  # share of the places looked at without a longer run than the gap allowed


def sums(
    where: Setting,
    seen: Views,
    designs: Design,
    phasings: Int64[np.ndarray, "design"],
    floors: Float64[np.ndarray, "clause"],
    gap_s: float = np.inf,
    step_s: float = 1.0,
) -> Sums:
    """Look at each phasing of a design, in chunks; columns as in `Sums.shares`.

    A design is dropped after a chunk when a column cannot reach its floor any more though all samples left were good,
    or when a longer gap was found. Runs are samples times the step (`passing_views`). Holds no Python lock.
    """
    one = sensor(where, designs.altitude_m, seen.r_points)
    stereo_cos = 2.0 if where.stereo_rad is None else float(np.cos(where.stereo_rad))
    return Sums(
        *_sums(
            designs.planes,
            designs.satellites // designs.planes,
            2.0 * np.pi if designs.pattern == "delta" else np.pi,
            phasings,
            one.radius_m,
            designs.inclination_rad,
            seen.grids,
            seen.phases,
            seen.nodes,
            one.cap_rad,
            one.columns,
            one.quality,
            one.plain,
            np.array([where.body.equator_m, where.body.pole_m]),
            where.folds,
            stereo_cos,
            floors,
            gap_s,
            step_s,
        )
    )


def rates(design: Design) -> tuple[float, float]:
    """How fast the phase moves, and the node against the turning Earth [rad/s] (secular J2)."""
    one = np.ones(1)
    a = (EARTH_RADIUS_M + design.altitude_m) * one
    node, perigee, anomaly = secular_rates(
        Elements(a, 0.0 * one, design.inclination_rad * one, 0.0 * one, 0.0 * one, 0.0 * one)
    )
    return float(perigee[0] + anomaly[0]), float(node[0]) - EARTH_RATE_RAD_S


def latitude_views(where: Setting) -> list[tuple[Setting, Views]]:
    """One satellite over each of 16 latitudes, which hold equal shares of the area."""
    at = ((np.arange(16) + 0.5) / 16 * len(where.lat_rad)).astype(int)
    alone = [where._replace(lat_rad=where.lat_rad[k : k + 1], folds=1, stereo_rad=None) for k in at]
    return [(one, views(one, "delta", 1, 1, 1 << 16, 1 << 8)) for one in alone]


def mean_fold(
    latitudes: list[tuple[Setting, Views]], altitude_m: float, inclination_rad: float
) -> Float64[np.ndarray, "lat"]:
    """Lines of sight on average at each latitude, of one satellite; any pattern of T gives T times as many."""
    one, zero = Design("delta", 1, 1, 0, altitude_m, inclination_rad), np.zeros(1, np.int64)
    return np.array([sums(where, seen, one, zero, np.zeros(2)).shares[0, 0] for where, seen in latitudes])


@njit(cache=True, nogil=True)
def _sums(
    planes, per_plane, spread, phasings, radius, inclination, grids, phases, nodes, cap, columns, quality, plain, axes,
    folds, stereo_cos, floors, gap, step,
):  # fmt: skip
    stereo = stereo_cos <= 1.0
    out = np.zeros((len(phasings), folds + 1))
    whole = np.ones(len(phasings), np.bool_)
    longest, within = np.zeros(len(phasings)), np.zeros(len(phasings))
    sensors = planes * per_plane
    measures = _many(quality, sensors)
    nothing = np.zeros((0, 10))
    chunks, moments = phases.shape
    for n in range(len(phasings)):
        done, places = 0, 0
        for chunk in range(chunks):
            grid = grids[chunk]
            points = len(grid.order)
            scene = _scene(
                planes, per_plane, spread, phasings[n], radius, inclination, phases[chunk], nodes, cap, columns, plain,
                axes,
            )  # fmt: skip
            tally = _tally(points, moments, sensors, folds, stereo)
            ones = np.ones(points, np.int64)
            count.count_block(scene, grid, measures, nothing, 0, 0, moments, ones, tally)
            if stereo:
                count.line_block(scene, grid, measures, nothing, stereo_cos, False, 0, moments, tally)
            done += points * moments
            places += points
            for f in range(folds):
                out[n, f] += tally.at_least[:, f].sum()
            if stereo:
                out[n, folds] += tally.paired.sum()
            for p in range(points):
                run = moments
                if tally.first[p] >= 0:
                    run = max(tally.longest[p], tally.first[p], moments - 1 - tally.last[p])
                longest[n] = max(longest[n], run * step)
                within[n] += run * step <= gap
            left = points * moments * (chunks - 1 - chunk)
            if left:
                for c in range(folds + 1):
                    if out[n, c] + left < floors[c] * (done + left):
                        whole[n] = False
                if longest[n] > gap:
                    whole[n] = False
            if not whole[n]:
                out[n] += left
                done += left
                break
        out[n] /= done
        within[n] /= places
    return out, whole, longest, within


@njit(cache=True, nogil=True)
def _scene(planes, per_plane, spread, phasing, radius, inclination, phases, nodes, cap, columns, plain, axes):
    """The pattern at each phase and turn of the node (orbits.walker), in axes fixed to the Earth."""
    times, sensors = len(phases), planes * per_plane
    r, nadir = np.empty((times, sensors, 3)), np.zeros((times, sensors, 3))
    ci, si = np.cos(inclination), np.sin(inclination)
    cos_phase, sin_phase, cos_turn, sin_turn = np.cos(phases), np.sin(phases), np.cos(nodes), np.sin(nodes)
    for s in range(sensors):
        p, q = s // per_plane, s % per_plane
        begin = 2.0 * np.pi * (q / per_plane + phasing * p / sensors)
        cos_begin, sin_begin = np.cos(begin), np.sin(begin)
        cos_node, sin_node = np.cos(spread * p / planes), np.sin(spread * p / planes)
        for k in range(times):
            cu = cos_begin * cos_phase[k] - sin_begin * sin_phase[k]
            su = sin_begin * cos_phase[k] + cos_begin * sin_phase[k]
            co = cos_node * cos_turn[k] - sin_node * sin_turn[k]
            so = sin_node * cos_turn[k] + cos_node * sin_turn[k]
            r[k, s, 0] = radius * (co * cu - so * ci * su)
            r[k, s, 1] = radius * (so * cu + co * ci * su)
            r[k, s, 2] = radius * si * su
            if not plain:
                _down(r[k, s], axes, nadir[k, s])
    limits, caps = np.empty((sensors, columns.shape[1])), np.empty((sensors, 2))
    limits[:], caps[:] = columns[0], cap
    nowhere = np.zeros((times, 3))
    return count.Scene(r, nadir, nowhere, nowhere, caps, limits, axes, plain)


@njit(cache=True, nogil=True)
def _down(r, axes, out):
    """Inward normal of the body below a place, by Bowring's formula (1976; 1e-9 rad at satellites' heights)."""
    a, b = axes[0], axes[1]
    level = np.sqrt(r[0] ** 2 + r[1] ** 2)
    e2 = 1.0 - (b / a) ** 2
    beta = np.arctan2(r[2] * a, level * b)
    lat = np.arctan2(r[2] + e2 / (1.0 - e2) * b * np.sin(beta) ** 3, level - e2 * a * np.cos(beta) ** 3)
    lon = np.arctan2(r[1], r[0])
    out[0], out[1], out[2] = -np.cos(lat) * np.cos(lon), -np.cos(lat) * np.sin(lon), -np.sin(lat)


@njit(cache=True, nogil=True)
def _tally(points, samples, sensors, folds, stereo):
    """tally.empty, from inside a kernel."""
    return Tally(
        np.zeros(points, np.int64),
        np.full(points, 2**31 - 1, np.int32),
        np.zeros(points, np.int32),
        np.zeros((points, folds), np.int32),
        np.zeros(points if stereo else 0, np.int32),
        np.full(points, -1, np.int64),
        np.full(points, -1, np.int64),
        np.zeros(points, np.int32),
        np.zeros(points, np.int64),
        np.zeros(points, np.int64),
        np.zeros((0, 1), np.int32),
        np.zeros(sensors + 1, np.int64),
        np.zeros(samples),
        np.zeros(samples, np.int32),
        np.zeros((samples, folds)),
    )


@njit(cache=True, nogil=True)
def _many(quality, sensors):
    return Quality(
        np.full(sensors, quality.floor_rad[0]),
        np.full(sensors, quality.pixel_rad[0]),
        np.full(sensors, quality.beam_rad[0]),
        np.full(sensors, quality.floor_m[0]),
        np.full(sensors, quality.cell_m[0]),
        np.full(sensors, quality.gain_space[0]),
        np.full(sensors, quality.gain_earth[0]),
        np.full(sensors, quality.power[0]),
        np.full(sensors, quality.threshold[0]),
    )
