"""What a network covers: sensors moved, pairs counted, block by block of time, in threads, to be gone on with later."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi import frames
from noroshi.constants import EARTH_MU, EARTH_RADIUS_M
from noroshi.coverage import count, dense, tally
from noroshi.coverage.access import Track
from noroshi.coverage.figures import figures
from noroshi.coverage.layout import Layout, itrs, layout, up_itrs
from noroshi.coverage.models import SPHERE, WGS84, Body, Coverage, Limits, Points, Quality
from noroshi.earth import geodetic_from_itrs
from noroshi.earth import up_itrs as up_wgs84
from noroshi.errors import NoroshiError, OutputError
from noroshi.orbits.design import semi_major_axis_from_kozai
from noroshi.orbits.ephemeris import Catalogued, Group, Mean, Osculating, Sites, ephemeris
from noroshi.orbits.sgp4 import from_mean_elements
from noroshi.orbits.walker import Pattern, walker
from noroshi.sky import sky
from noroshi.time import EarthOrientation, Epoch, load_earth_orientation

BLOCK_STATES = 1_000_000  # sensor states per block of time: 24 MB of positions
SAVE_S = 2.0  # between two savings of what has been counted
FOLDS = 4  # fractions at least 1 .. this

Progress = Callable[[str, int, int], None]
Propagator = Literal["sgp4", "j2"]


class Network(NamedTuple):
    """Sensors, on platforms that move, with what limits and what noises each; same order throughout."""

    groups: tuple[Group, ...]
    limits: Limits
    quality: Quality

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups for name in group.names)


class Window(NamedTuple):
    """Samples at 0, step, 2 step ... below the duration, from the epoch."""

    epoch: Epoch
    step_s: float
    duration_s: float

    @property
    def t(self) -> Float64[np.ndarray, "time"]:
        return np.arange(int(np.ceil(self.duration_s / self.step_s - 1e-9))) * self.step_s


def shell(
    names: tuple[str, ...],
    pattern: Pattern,
    planes: int,
    phasing: float,
    altitude_m: float,
    inclination_rad: float,
    epoch: Epoch,
    propagator: Propagator,
) -> Group:
    """A Walker pattern of circular orbits, a satellite for each name, by SGP4 or on mean elements under J2.

    The altitude is above the equatorial radius. It sets, with "j2", the mean semi-major axis, and with "sgp4" the
    element sets' mean motion sqrt(mu / a^3), as element sets are usually made from an altitude: being Kozai's, it
    puts SGP4's own mean semi-major axis elsewhere, 0.74 km lower at 1,000 km and 60 deg.
    """
    a = EARTH_RADIUS_M + altitude_m
    if propagator == "sgp4":
        a = float(semi_major_axis_from_kozai(np.sqrt(EARTH_MU / a**3), 0.0, inclination_rad))
    elements = walker(pattern, len(names), planes, phasing, a, inclination_rad)
    if propagator == "j2":
        return Mean(names, elements)
    return Catalogued(names, from_mean_elements(elements, epoch, names))


@dataclass(frozen=True)
class Survey:
    """A study's figures, and what counting them took."""

    coverage: Coverage
    pairs: int
    kernel_cpu_s: float  # of the counting alone, of what was counted now
    line_cpu_s: float  # of stereo and position errors, likewise
    pairs_now: int  # all but those of an earlier, interrupted run
    discarded: bool  # `save` held an interrupted survey of something else
    engine: str


def survey(
    network: Network,
    points: Points,
    window: Window,
    *,
    body: Body = WGS84,
    stereo_rad: float | None = None,
    errors: bool = False,
    folds: int = FOLDS,
    engine: str = "auto",
    threads: int | None = None,
    save: Path | None = None,
    eop: EarthOrientation | None = None,
    progress: Progress = lambda name, finished, total: None,
) -> Survey:
    """Count which sensors see which points at every sample, and what follows from it.

    stereo_rad: least angle between two lines of sight at the target (and pi minus it the greatest); None: no pairs.
    errors: whether position errors are wanted. engine: "culled" (Numba, float64), "dense" (JAX, every pair, for a
    GPU), or "auto", which takes "dense" where JAX has a GPU. Stereo and errors are Numba either way. save: file in
    which an interrupted survey leaves what it has, and from which the same survey goes on; the caller removes it.
    The answer does not depend on threads, blocks or interruptions. A moving target's window is its own times.
    Raises NoroshiError for windows without a sample and for satellites that cannot be moved.
    """
    t = window.t if points.t is None else points.t
    if not len(t):
        raise NoroshiError("the window holds no sample", remedy="make --duration-s longer than nothing")
    if not len(network.names):
        raise NoroshiError(
            "no sensor to look with", remedy="name a constellation: --walker, --tle, or a scenario"
        )
    eop = eop or load_earth_orientation()
    grid = layout(points if points.t is None else _one(points), body)
    engine = _engine(engine, points)
    mover = _Mover(network, window.epoch, t, body, eop)
    sun_moon = bool(network.limits.sun_rad.any() or network.limits.moon_rad.any())
    plain = count.only_the_body(network.limits, network.quality)
    columns = count.columns(network.limits)
    weight = tally.whole_units(points.weight if points.t is None else np.ones(1))[grid.order]
    stereo_cos = 2.0 if stereo_rad is None else float(np.cos(stereo_rad))
    r_points = itrs(points, body)
    moving = np.zeros((0, 10)) if points.t is None else _path(points, body)
    threads = threads or os.cpu_count() or 1
    shape = {"stereo": stereo_rad is not None, "errors": errors}

    def new(samples: int) -> tally.Tally:
        return tally.empty(len(grid.order), samples, len(network.names), folds, **shape)

    key = _key(network, t, points, body, stereo_rad, errors, folds, mover)
    done, counted, discarded = _saved(save, key, new(0))
    compiled: set[int] = set()
    started_at, cpu, saved = done, np.zeros(2), time.monotonic()
    begun = saved
    block = max(threads, min(BLOCK_STATES // len(network.names), 240))
    progress("count", done, len(t))
    try:
        with ThreadPoolExecutor(threads) as pool:
            while done < len(t):
                ahead = slice(done, min(done + block, len(t)))
                r = mover.positions(ahead)
                none = np.zeros((len(r), 3))
                sun, moon = _bodies(window.epoch, t[ahead], eop) if sun_moon else (none, none)
                scene = count.Scene(
                    r,
                    np.zeros_like(r) if plain else mover.nadir(r),
                    sun,
                    moon,
                    count.caps(network.limits, r, r_points, body, grid.reach_rad),
                    columns,
                    np.array([body.equator_m, body.pole_m]),
                    plain,
                )
                job = partial(
                    _count, scene, grid, network.quality, moving[ahead] if len(moving) else moving,
                    stereo_cos, errors, weight, engine, compiled, done, new,
                )  # fmt: skip
                if done == started_at:
                    job((0, 0))  # the compiler's time is nobody's counting
                # JAX has threads of its own
                parts = 1 if engine == "dense" else min(threads, len(r))
                pieces = pool.map(job, pairwise(np.linspace(0, len(r), parts + 1).astype(int)))
                total = counted
                for piece, used in pieces:
                    total, cpu = tally.join(total, piece), cpu + used
                counted, done = total, ahead.stop
                if save is not None and time.monotonic() - saved > SAVE_S:
                    _save(save, key, done, counted)
                    saved = time.monotonic()
                progress("count", done, len(t))
    except KeyboardInterrupt:
        if save is not None and done:
            _save(save, key, done, counted)
        raise
    if save is not None and (save.is_file() or time.monotonic() - begun > SAVE_S):
        _save(save, key, done, counted)  # windows and files may still be interrupted
    targets = len(grid.order)
    return Survey(
        figures(points, network.names, t, window.step_s, stereo_rad, counted, grid),
        len(network.names) * targets * len(t),
        float(cpu[0]),
        float(cpu[1]),
        len(network.names) * targets * (len(t) - started_at),
        discarded,
        engine,
    )


def positions(
    network: Network, epoch: Epoch, t: Float64[np.ndarray, "node"], body: Body, eop: EarthOrientation
) -> Track:
    """Where all sensors are at times [s past the epoch], for `coverage.access.windows`."""
    return Track(t, _Mover(network, epoch, t, body, eop).positions(slice(0, len(t))))


def _count(
    scene: count.Scene,
    grid: Layout,
    quality: Quality,
    moving: np.ndarray,
    stereo_cos: float,
    errors: bool,
    weight: np.ndarray,
    engine: str,
    compiled: set[int],
    done: int,
    new: Callable[[int], tally.Tally],
    span: tuple[int, int],
) -> tuple[tally.Tally, np.ndarray]:
    """Tally of the samples of a span, in a thread of its own, and the CPU time of counting and of what lines tell."""
    begin, end = span
    piece = new(end - begin)
    clock = time.thread_time if engine == "culled" else time.process_time
    started = clock()
    if engine == "culled":
        count.count_block(scene, grid, quality, moving, done + begin, begin, end, weight, piece)
    elif end > begin:
        if end - begin not in compiled:  # the compiler's time is nobody's counting
            dense.counts(scene, grid, quality, begin, end)
            compiled.add(end - begin)
            started = clock()
        tally.add_counts(piece, done + begin, dense.counts(scene, grid, quality, begin, end), weight)
    counted = clock()
    if stereo_cos <= 1.0 or errors:
        count.line_block(scene, grid, quality, moving, stereo_cos, errors, begin, end, piece)
    return piece, np.array([counted - started, clock() - counted])


def _engine(engine: str, points: Points) -> str:
    if engine == "dense" and points.t is not None:
        raise NoroshiError(
            "the dense engine counts fixed places only", remedy="leave --engine out for a trajectory"
        )
    if engine != "auto":
        return engine
    import jax

    return "dense" if points.t is None and jax.default_backend() != "cpu" else "culled"


def _one(points: Points) -> Points:
    """The first place of a moving target: the layout's only point."""
    return Points(points.kind, points.lat_rad[:1], points.lon_rad[:1], points.height_m[:1], np.ones(1))


def _path(points: Points, body: Body) -> Float64[np.ndarray, "time 10"]:
    r = itrs(points, body)
    scaled = r / [body.equator_m, body.equator_m, body.pole_m]
    w = np.sqrt(np.maximum(np.sum(scaled * scaled, -1) - 1.0, 0.0))
    return np.column_stack([scaled, w, r, up_itrs(points)])


def _bodies(epoch: Epoch, t: np.ndarray, eop: EarthOrientation) -> tuple[np.ndarray, np.ndarray]:
    """Sun and Moon, ITRS."""
    m, places = frames.itrs_from_gcrs(epoch, t, eop), sky(epoch, t)
    return frames.rotate(m, places.sun_gcrs), frames.rotate(m, places.moon_gcrs)


class _Mover:
    """Where the sensors are in the ITRS, block by block; what has to be integrated is integrated once."""

    def __init__(
        self, network: Network, epoch: Epoch, t: np.ndarray, body: Body, eop: EarthOrientation
    ) -> None:
        self._epoch, self._t, self._body, self._eop = epoch, t, body, eop
        whole = slice(0, len(t))
        self._groups = [
            (g, self._moved(g, whole) if isinstance(g, Osculating) else None) for g in network.groups
        ]

    def positions(self, ahead: slice) -> Float64[np.ndarray, "time sensor 3"]:
        """Positions [m] at the samples of a slice."""
        return np.concatenate(
            [self._moved(g, ahead) if known is None else known[ahead] for g, known in self._groups], axis=1
        )

    def nadir(self, r: Float64[np.ndarray, "time sensor 3"]) -> Float64[np.ndarray, "time sensor 3"]:
        """Inward normals of the body below the sensors, unit."""
        if self._body == SPHERE:
            return -r / np.linalg.norm(r, axis=-1, keepdims=True)
        lat, lon, _ = geodetic_from_itrs(r)
        return -np.asarray(up_wgs84(lat, lon))

    def _moved(self, group: Group, ahead: slice) -> np.ndarray:
        t = self._t[ahead]
        if isinstance(group, Sites):
            zero = np.zeros(len(group.names))
            place = Points("", group.lat_rad, group.lon_rad, group.height_m, zero)
            return np.repeat(itrs(place, self._body)[None], len(t), axis=0)
        moved = ephemeris([group], self._epoch, t, self._eop)
        return frames.rotate(frames.itrs_from_gcrs(self._epoch, t, self._eop), moved.r_gcrs)


def _key(
    network: Network,
    t: np.ndarray,
    points: Points,
    body: Body,
    stereo_rad: float | None,
    errors: bool,
    folds: int,
    mover: _Mover,
) -> str:
    """What an interrupted survey must have in common with the one that goes on from it."""
    digest = hashlib.sha256(repr((network.names, body, stereo_rad, errors, folds)).encode())
    ends = [mover.positions(slice(k, k + 1)) for k in (0, len(t) - 1)]
    fields = [x for x in points if isinstance(x, np.ndarray)]
    for array in (*network.limits, *network.quality, t, *fields, *ends):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _save(path: Path, key: str, done: int, counted: tally.Tally) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(file, key=key, done=done, **counted._asdict())
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OutputError(
            f"what has been counted cannot be saved: {error.strerror or error}",
            where=str(path),
            remedy="free some space, choose another --out, or leave it out",
        ) from None


def _saved(path: Path | None, key: str, nothing: tally.Tally) -> tuple[int, tally.Tally, bool]:
    """How many samples were counted before, and their tally; whether that was something else, or damaged: nothing."""
    if path is None or not path.is_file():
        return 0, nothing, False
    try:
        with path.open("rb") as file, np.load(file) as held:
            if str(held["key"]) == key:
                return int(held["done"]), tally.Tally(*(held[name] for name in tally.Tally._fields)), False
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    return 0, nothing, True
