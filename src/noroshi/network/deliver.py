"""Which node has which scan, and when: from the sensor to its owner's node, and on to partners by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from noroshi.frames import rotate
from noroshi.network.links import fibre_delay, routes
from noroshi.network.models import EntryPoint, GroundLinks, Node, ShareRule, SpaceLinks
from noroshi.network.release import decide
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Deliveries, Ephemeris, Scans


class Why(IntEnum):
    """What became of a scan on its way to a node."""

    DELIVERED = 0
    NO_ROUTE = 1  # no way from the satellite to an entry point of its owner
    NO_NODE = 2  # the owner has no node: nobody can receive, release or pass on
    NOT_RELEASED = 3  # no rule lets this nation have it
    LATE = 4  # arrived after the node's fusion wait


class _Home(NamedTuple):
    """Arrival of every scan at its owner's node."""

    t: np.ndarray
    hops: np.ndarray
    why: np.ndarray


def deliver(
    scans: Scans,
    *,
    sensors: Sequence[Infrared | Radar],
    owners: Sequence[str],
    ephemeris: Ephemeris,
    itrs_from_gcrs: Float[np.ndarray, "time 3 3"],
    nodes: Sequence[Node],
    entry_points: Sequence[EntryPoint],
    space: SpaceLinks,
    ground: GroundLinks,
    rules: Sequence[ShareRule],
) -> Deliveries:
    """One row per scan and node, sorted by node, then scan.

    Home: on-board processing, then (satellite) the fastest way through the owner's satellites to one of its entry
    points and cable to its node, or (radar) cable. On to another nation's node: when a rule permits, after the
    rule's review, by cable from node to node. What cannot arrive has t_arrival = inf and its reason in `why`;
    t_released is when the owner let it go (for its own node: when it arrived there). Light time to the target and
    back is left out: at most 20 ms. Scan times lie on the ephemeris grid.
    """
    home = _home(scans, sensors, owners, ephemeris, itrs_from_gcrs, nodes, entry_points, space, ground)
    owner = np.array(owners)[scans.sensor] if len(scans.scan) else np.empty(0, str)
    parts = []
    for node in nodes:
        released, arrival = np.full(len(owner), np.inf), np.full(len(owner), np.inf)
        why = home.why.copy()
        for nation in sorted(set(owners)):
            mine = owner == nation
            release = decide(rules, {nation}, node.nation, "detection")
            if release is None:
                why[mine] = Why.NOT_RELEASED
                continue
            onward = 0.0
            if nation != node.nation:
                source = next((n for n in nodes if n.nation == nation), None)
                if source is None:
                    continue  # why says NO_NODE already
                onward = fibre_delay(source.r_itrs, node.r_itrs, ground)
            released[mine] = home.t[mine] + release.delay_s
            arrival[mine] = released[mine] + onward
        late = np.isfinite(arrival) & (arrival - scans.t_event > node.fusion_wait_s)
        why[late] = Why.LATE
        arrival[late] = np.inf
        parts.append((released, arrival, why))
    count = len(nodes)
    return Deliveries(
        scan=np.tile(scans.scan, count),
        node=np.repeat(np.arange(count), len(scans.scan)),
        t_event=np.tile(scans.t_event, count),
        t_released=np.concatenate([p[0] for p in parts]),
        t_arrival=np.concatenate([p[1] for p in parts]),
        hops=np.tile(home.hops, count),
        why=np.concatenate([p[2] for p in parts]).astype(np.int8),
    )


def _home(
    scans: Scans,
    sensors: Sequence[Infrared | Radar],
    owners: Sequence[str],
    ephemeris: Ephemeris,
    m: np.ndarray,
    nodes: Sequence[Node],
    entry_points: Sequence[EntryPoint],
    space: SpaceLinks,
    ground: GroundLinks,
) -> _Home:
    n = len(scans.scan)
    home = _Home(np.full(n, np.inf), np.zeros(n, int), np.full(n, Why.NO_NODE, np.int8))
    time = np.searchsorted(ephemeris.t, scans.t_event - 1e-6)
    for nation in sorted(set(owners)):
        node = next((x for x in nodes if x.nation == nation), None)
        if node is None:
            continue
        mine = [k for k, owner in enumerate(owners) if owner == nation]
        satellites = [k for k in mine if isinstance(sensors[k], Infrared)]
        entries = [e for e in entry_points if e.nation == nation]
        cables = np.array([fibre_delay(e.r_itrs, node.r_itrs, ground) for e in entries])
        way = routes(rotate(m, ephemeris.r_gcrs[:, satellites]), entries, space, cables)
        for k in mine:
            rows = np.flatnonzero(scans.sensor == k)
            ready = scans.t_event[rows] + sensors[k].processing_s
            if isinstance(sensors[k], Infrared):
                at = (time[rows], satellites.index(k))
                home.t[rows] = ready + way.delay_s[at]
                home.hops[rows] = np.maximum(way.hops[at], 0)
                home.why[rows] = np.where(np.isfinite(way.delay_s[at]), Why.DELIVERED, Why.NO_ROUTE)
            else:
                site = m[0] @ ephemeris.r_gcrs[0, k]
                home.t[rows] = ready + fibre_delay(site, node.r_itrs, ground)
                home.why[rows] = Why.DELIVERED
    return home
