"""The way from a satellite to the ground: shortest light-time through its owner's satellites to any entry point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int

from noroshi.constants import FIBRE_INDEX, LIGHT_M_S
from noroshi.earth import geodesic, geodetic_from_itrs, occlusion_margin
from noroshi.network.models import EntryPoint, GroundLinks, SpaceLinks

CHUNK = 64  # times at once: 64 x 100 x 100 pairs of float64 are 5 MB


class Routes(NamedTuple):
    """For every time and satellite the fastest way down; inf, -1 where there is none."""

    delay_s: Float64[np.ndarray, "time sat"]  # light time, hops, landing at the entry point, its processing
    hops: Int[np.ndarray, "time sat"]  # links between satellites
    entry: Int[np.ndarray, "time sat"]  # entry point at which it lands


def routes(
    r_itrs: Float[np.ndarray, "time sat 3"],
    entry_points: Sequence[EntryPoint],
    links: SpaceLinks,
    beyond_s: Float[np.ndarray, "entry"] | None = None,
) -> Routes:
    """Fastest way from each satellite (all of one owner) to any of its owner's entry points.

    Two satellites are linked when the line between them clears the ellipsoid raised by `grazing_height_m` and is at
    most `range_max_m` long; each link costs its light time plus `hop_s`. A satellite lands data where it stands
    at least `elevation_min_rad` above an entry point's horizon. `beyond_s` adds a delay behind each entry point
    (the cable to the node), so that the choice of the entry minimises the whole. Bellman-Ford relaxation over all
    times at once, ended when nothing improves: exact.
    """
    times, satellites = r_itrs.shape[:2]
    delay = np.full((times, satellites), np.inf)
    hops = np.full((times, satellites), -1)
    entry = np.full((times, satellites), -1)
    if not entry_points or not satellites:
        return Routes(delay, hops, entry)
    beyond = np.zeros(len(entry_points)) if beyond_s is None else np.asarray(beyond_s)
    for begin in range(0, times, CHUNK):
        part = slice(begin, begin + CHUNK)
        down = _landing(r_itrs[part], entry_points) + beyond
        direct = np.argmin(down, axis=-1)
        best = np.take_along_axis(down, direct[..., None], -1)[..., 0]
        found = _relax(best, link_costs(r_itrs[part], links))
        delay[part], hops[part], at = found
        entry[part] = np.where(np.isfinite(found[0]), np.take_along_axis(direct, at, -1), -1)
    return Routes(delay, np.where(np.isfinite(delay), hops, -1), entry)


def link_costs(
    r_itrs: Float[np.ndarray, "time sat 3"], links: SpaceLinks
) -> Float64[np.ndarray, "time sat sat"]:
    """Seconds from one satellite to another over one link; inf where there is no link."""
    a, b = r_itrs[:, :, None], r_itrs[:, None]
    distance = np.linalg.norm(a - b, axis=-1)
    clear = occlusion_margin(a, b, links.grazing_height_m) >= 0.0
    usable = clear & (distance <= links.range_max_m) & (distance > 0.0)
    return np.where(usable, distance / LIGHT_M_S + links.hop_s, np.inf)


def _landing(r_itrs: np.ndarray, entry_points: Sequence[EntryPoint]) -> np.ndarray:
    """Seconds from each satellite to each entry point, its processing included [time, sat, entry]."""
    cost = np.empty((*r_itrs.shape[:2], len(entry_points)))
    for k, entry in enumerate(entry_points):
        line = r_itrs - entry.r_itrs
        distance = np.linalg.norm(line, axis=-1)
        up = line @ entry.up_itrs >= np.sin(entry.elevation_min_rad) * distance
        cost[..., k] = np.where(up, distance / LIGHT_M_S + entry.processing_s, np.inf)
    return cost


def _relax(start: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least start[j] + path cost i -> j: total, links used, and the satellite j that lands."""
    total = start.copy()
    hops = np.zeros(total.shape, int)
    lands = np.broadcast_to(np.arange(total.shape[1]), total.shape).copy()
    for _ in range(total.shape[1]):
        over = cost + total[:, None]
        via = np.argmin(over, axis=-1)
        best = np.take_along_axis(over, via[..., None], -1)[..., 0]
        better = best < total
        if not better.any():
            break
        hops = np.where(better, np.take_along_axis(hops, via, -1) + 1, hops)
        lands = np.where(better, np.take_along_axis(lands, via, -1), lands)
        total = np.where(better, best, total)
    return total, hops, lands


def fibre_delay(a_itrs: Float[np.ndarray, "3"], b_itrs: Float[np.ndarray, "3"], ground: GroundLinks) -> float:
    """Seconds over a terrestrial cable: geodesic times detour at the speed of light in fibre, plus the fixed part."""
    (lat1, lat2), (lon1, lon2), _ = geodetic_from_itrs(np.stack([a_itrs, b_itrs]))
    distance, _ = geodesic(lat1, lon1, lat2, lon2)
    return float(distance) * ground.detour * FIBRE_INDEX / LIGHT_M_S + ground.fixed_s
