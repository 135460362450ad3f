"""Which node gets which scan, when, and why not: a small network worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.constants import EARTH_RADIUS_M, FIBRE_INDEX, LIGHT_M_S
from noroshi.earth import itrs_from_geodetic, up_itrs
from noroshi.network.deliver import Why, deliver
from noroshi.network.models import LEVELS, EntryPoint, GroundLinks, Node, ShareRule, SpaceLinks
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Deliveries, Ephemeris, Kind, Scans

NATIONS = ("USA", "JPN", "AUS")
GROUND = GroundLinks(detour=1.4, fixed_s=0.02)
HOP_S, LANDING_S, ON_BOARD_S, AT_RADAR_S = 0.005, 0.1, 0.5, 0.2
INFRARED = Infrared("b", 1.0, 0.0, 0.0, 0, 1e7, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 0.0, 0.9, 1.0, 0.0, ON_BOARD_S)
RADAR = Radar(
    0.0, 3.0, 0.0, 1.5, 1e6, 1e6, 1.0, 1.0, 1e-6, 1.0, 1.0, 1.0, 1.0, 0.0, 0.9, 1.0, 0.0, AT_RADAR_S
)


def place(lon_deg: float, height_m: float = 0.0) -> np.ndarray:
    """On the equator, where the geodesic is a circle and every distance can be written down."""
    return np.asarray(itrs_from_geodetic(0.0, np.deg2rad(lon_deg), np.float64(height_m)))


def cable(degrees: float) -> float:
    return np.deg2rad(degrees) * EARTH_RADIUS_M * 1.4 * FIBRE_INDEX / LIGHT_M_S + 0.02


# Satellites of the USA over 0, 30 and 180 deg E; radars of the USA at 5, of Japan at 20, of Britain at 10 deg E
SENSORS = (INFRARED, INFRARED, INFRARED, RADAR, RADAR, RADAR)
OWNERS = ("USA", "USA", "USA", "USA", "JPN", "GBR")
PLACES = (place(0, 1e6), place(30, 1e6), place(180, 1e6), place(5), place(20), place(10))
NODE_AT = {"USA": 10.0, "JPN": 20.0, "AUS": -40.0}  # no node for Britain


def run(rules: list[ShareRule], wait_s: float = 2.0, times: int = 3, **change: Any) -> Deliveries:
    t = np.arange(float(times))
    n = len(SENSORS)
    r = np.broadcast_to(np.array(PLACES), (times, n, 3)).copy()
    sensor = np.tile(np.arange(n), times)
    rows = times * n
    column = np.zeros(rows)
    scans = Scans(
        scan=np.arange(rows),
        sensor=sensor,
        kind=np.where(sensor < 3, Kind.INFRARED, Kind.RADAR).astype(np.int8),
        t_event=np.repeat(t, n),
        r_gcrs=r.reshape(-1, 3),
        v_gcrs=np.zeros((rows, 3)),
        q_gcrs_from_sensor=np.tile([1.0, 0, 0, 0], (rows, 1)),
        p_detect=column,
        clutter_density=column,
        field_cone_rad=column,
        field_azimuth_rad=column,
        field_elevation_min_rad=column,
        field_elevation_max_rad=column,
        range_max_m=column,
        grazing_height_m=column,
        cloud_top_m=column,
        background=np.zeros(rows, np.int8),
    )
    up = np.asarray(up_itrs(0.0, 0.0))
    given_: dict[str, Any] = {
        "sensors": SENSORS,
        "owners": OWNERS,
        "ephemeris": Ephemeris(tuple("abcdef"), t, r, np.zeros_like(r)),
        "itrs_from_gcrs": np.broadcast_to(np.eye(3), (times, 3, 3)).copy(),
        "nodes": [Node(nation, place(NODE_AT[nation]), wait_s) for nation in NATIONS],
        "entry_points": [EntryPoint("zero", "USA", place(0), up, np.deg2rad(10), LANDING_S)],
        "space": SpaceLinks(5e6, 80e3, HOP_S),
        "ground": GROUND,
        "rules": rules,
    }
    return deliver(scans, **(given_ | change))


def of(found: Deliveries, nation: str, sensor: int) -> tuple[float, float, Why, int]:
    """Released and arrival after the event, outcome and hops of the scans of one sensor (the same at all times)."""
    rows = (found.node == NATIONS.index(nation)) & (found.scan % len(SENSORS) == sensor)
    assert len(set(found.why[rows].tolist())) == 1
    row = int(np.flatnonzero(rows)[1])
    t = found.t_event[row]
    assert t == 1.0
    return found.t_released[row] - t, found.t_arrival[row] - t, Why(int(found.why[row])), int(found.hops[row])


# The arithmetic is a dozen additions of seconds: exact to rounding
EXACT = {"rel": 1e-12}


def test_own_satellite_straight_down_and_over_one_link() -> None:
    found = run([])
    down = ON_BOARD_S + 1e6 / LIGHT_M_S + LANDING_S + cable(10)
    _, arrival, why, hops = of(found, "USA", 0)
    assert (why, hops) == (Why.DELIVERED, 0)
    assert arrival == pytest.approx(down, **EXACT)
    chord = 2 * (EARTH_RADIUS_M + 1e6) * np.sin(np.deg2rad(15))
    _, arrival, why, hops = of(found, "USA", 1)
    assert (why, hops) == (Why.DELIVERED, 1)
    assert arrival == pytest.approx(down + chord / LIGHT_M_S + HOP_S, **EXACT)


def test_own_radar_by_cable() -> None:
    assert of(run([]), "USA", 3)[1] == pytest.approx(AT_RADAR_S + cable(5), **EXACT)
    # a radar beside its node pays the fixed part alone
    assert of(run([]), "JPN", 4)[1] == pytest.approx(AT_RADAR_S + GROUND.fixed_s, **EXACT)


def test_a_rule_lets_a_scan_on_after_its_review() -> None:
    found = run([ShareRule("USA", "JPN", "detection", 0.3)])
    home = AT_RADAR_S + cable(5)
    released, arrival, why, _ = of(found, "JPN", 3)
    assert why == Why.DELIVERED
    assert released == pytest.approx(home + 0.3, **EXACT)
    assert arrival == pytest.approx(home + 0.3 + cable(10), **EXACT)
    assert of(found, "AUS", 3)[2] == Why.NOT_RELEASED
    assert of(found, "USA", 4)[2] == Why.NOT_RELEASED  # rules have a direction


def test_each_way_to_be_lost() -> None:
    everything = [ShareRule(a, b, "detection", 0.0) for a in (*NATIONS, "GBR") for b in NATIONS if a != b]
    found = run(everything)
    assert of(found, "USA", 2)[2] == Why.NO_ROUTE  # on the far side, no link, no entry point
    assert of(found, "JPN", 2)[2] == Why.NO_ROUTE
    for nation in NATIONS:  # nobody at home in Britain to release anything
        assert of(found, nation, 5)[2] == Why.NO_NODE
    late = run([ShareRule("USA", "JPN", "detection", 3.0)])
    released, arrival, why, _ = of(late, "JPN", 3)
    assert why == Why.LATE
    assert released == pytest.approx(AT_RADAR_S + cable(5) + 3.0, **EXACT)
    assert np.isinf(arrival)
    assert of(late, "USA", 3)[2] == Why.DELIVERED
    # without entry points nothing comes down, but radars still report
    mute = run([], entry_points=[])
    assert of(mute, "USA", 0)[2] == Why.NO_ROUTE
    assert of(mute, "USA", 3)[2] == Why.DELIVERED


def test_an_entry_point_of_another_nation_is_no_entry_point() -> None:
    up = np.asarray(up_itrs(0.0, 0.0))
    foreign = [EntryPoint("zero", "JPN", place(0), up, np.deg2rad(10), LANDING_S)]
    assert of(run([], entry_points=foreign), "USA", 0)[2] == Why.NO_ROUTE


def test_the_entry_point_is_chosen_for_the_whole_way() -> None:
    # the one under the satellite has a slow gateway; the one 8 deg off is reached later but lands sooner
    near = EntryPoint("near", "USA", place(0), np.asarray(up_itrs(0.0, 0.0)), np.deg2rad(10), 0.5)
    far = EntryPoint("far", "USA", place(8), np.asarray(up_itrs(0.0, np.deg2rad(8))), np.deg2rad(10), 0.1)
    slant = np.linalg.norm(place(0, 1e6) - place(8))
    arrival = of(run([], entry_points=[near, far]), "USA", 0)[1]
    assert arrival == pytest.approx(ON_BOARD_S + slant / LIGHT_M_S + 0.1 + cable(2), **EXACT)
    # equal gateways: the cable decides (the far one stands 2 deg from the node, the near one 10 deg)
    equal = [near._replace(processing_s=0.1), far]
    assert of(run([], entry_points=equal), "USA", 0)[1] == pytest.approx(arrival, **EXACT)


rules_ = st.lists(
    st.builds(
        ShareRule,
        source=st.sampled_from((*NATIONS, "GBR")),
        to=st.sampled_from(NATIONS),
        level=st.sampled_from(LEVELS),
        delay_s=st.floats(0, 5),
    ),
    max_size=6,
)


@given(rules_)
def test_every_scan_has_one_row_per_node_and_nothing_unnamed_arrives(rules: list[ShareRule]) -> None:
    found = run(rules, times=2)
    assert len(found.scan) == 2 * len(SENSORS) * len(NATIONS)
    assert len({*zip(found.scan.tolist(), found.node.tolist(), strict=True)}) == len(found.scan)
    for scan, node, arrival, why in zip(found.scan, found.node, found.t_arrival, found.why, strict=True):
        owner, to = OWNERS[scan % len(SENSORS)], NATIONS[node]
        named = owner == to or any(r.source == owner and r.to == to and r.level == "detection" for r in rules)
        assert np.isfinite(arrival) == (why == Why.DELIVERED)
        assert (why == Why.NOT_RELEASED) == (not named)
    arrived = np.isfinite(found.t_arrival)
    assert (found.t_released[arrived] <= found.t_arrival[arrived]).all()
    assert (found.t_released[arrived] > found.t_event[arrived]).all()


def test_the_fusion_wait_is_a_sharp_edge() -> None:
    total = AT_RADAR_S + cable(5)
    assert of(run([], wait_s=total + 1e-9), "USA", 3)[2] == Why.DELIVERED
    assert of(run([], wait_s=total - 1e-9), "USA", 3)[2] == Why.LATE
