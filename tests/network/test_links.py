"""Routes through satellites against Dijkstra, a case by hand, and published cable delays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from noroshi.constants import EARTH_RADIUS_M, LIGHT_M_S
from noroshi.earth import itrs_from_geodetic, occlusion_margin, up_itrs
from noroshi.network.links import fibre_delay, link_costs, routes
from noroshi.network.models import EntryPoint, GroundLinks, SpaceLinks


def entry(
    lat_deg: float, lon_deg: float, elevation_deg: float = 10.0, processing_s: float = 0.1
) -> EntryPoint:
    lat, lon = np.deg2rad(lat_deg), np.deg2rad(lon_deg)
    return EntryPoint(
        f"{lat_deg} {lon_deg}",
        "USA",
        np.asarray(itrs_from_geodetic(lat, lon, np.float64(0.0))),
        np.asarray(up_itrs(lat, lon)),
        np.deg2rad(elevation_deg),
        processing_s,
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.floats(2e6, 8e6))
def test_equals_dijkstra_on_random_satellites(seed: int, satellites: int, range_max_m: float) -> None:
    random = np.random.default_rng(seed)
    direction = random.normal(size=(2, satellites, 3))
    r = direction / np.linalg.norm(direction, axis=-1, keepdims=True) * (EARTH_RADIUS_M + 1e6)
    links = SpaceLinks(range_max_m, 80e3, 0.01)
    entries = [entry(40, 141), entry(-24, 134)]
    beyond = np.array([0.02, 0.05])
    found = routes(r, entries, links, beyond)
    for t in range(2):
        graph = np.zeros((satellites + 2, satellites + 2))
        for i in range(satellites):
            for j in range(satellites):
                distance = np.linalg.norm(r[t, i] - r[t, j])
                if i != j and distance <= range_max_m and occlusion_margin(r[t, i], r[t, j], 80e3) >= 0:
                    graph[i, j] = distance / LIGHT_M_S + 0.01
            for k, e in enumerate(entries):
                line = r[t, i] - e.r_itrs
                distance = np.linalg.norm(line)
                if line @ e.up_itrs >= np.sin(e.elevation_min_rad) * distance:
                    graph[i, satellites + k] = distance / LIGHT_M_S + e.processing_s + beyond[k]
        expected = dijkstra(csr_array(graph))[:satellites, satellites:].min(axis=1)
        # exact up to the order of additions: a few units in the last place of some tens of ms
        np.testing.assert_allclose(found.delay_s[t], expected, rtol=1e-12)
        assert np.array_equal(found.entry[t] >= 0, np.isfinite(expected))


def test_three_satellites_by_hand() -> None:
    # in a row over the equator 30 deg apart, an entry point under the first: the others pass their data along
    r = np.array([[itrs_from_geodetic(0.0, np.deg2rad(lon), 1e6) for lon in (0, 30, 60)]])
    hop = 2 * (EARTH_RADIUS_M + 1e6) * np.sin(np.deg2rad(15)) / LIGHT_M_S + 0.005
    found = routes(r, [entry(0, 0, processing_s=0.2)], SpaceLinks(5e6, 80e3, 0.005))
    down = 1e6 / LIGHT_M_S + 0.2
    # the entry point's cost is exact to double precision
    np.testing.assert_allclose(found.delay_s[0], [down, down + hop, down + 2 * hop], rtol=1e-12)
    assert found.hops[0].tolist() == [0, 1, 2]
    assert found.entry[0].tolist() == [0, 0, 0]


def test_no_route_is_infinite_and_says_so() -> None:
    r = np.array([[itrs_from_geodetic(0.0, np.deg2rad(lon), 1e6) for lon in (0, 180)]])
    found = routes(r, [entry(0, 0)], SpaceLinks(5e6, 80e3, 0.005))
    assert np.isinf(found.delay_s[0, 1])
    assert (found.hops[0, 1], found.entry[0, 1]) == (-1, -1)
    assert np.isinf(routes(r, [], SpaceLinks(5e6, 80e3, 0.0)).delay_s).all()


def test_links_stop_at_range_and_at_the_air() -> None:
    r = np.array([[itrs_from_geodetic(0.0, np.deg2rad(lon), 1e6) for lon in (0, 30, 64)]])
    # 0-64 deg: the line dips to (a + h) cos 32 deg = 6,257 km from the centre: through the Earth
    assert np.isinf(link_costs(r, SpaceLinks(1e8, 80e3, 0.0))[0, 0, 2])
    assert np.isfinite(link_costs(r, SpaceLinks(1e8, 80e3, 0.0))[0, 0, 1])
    assert np.isinf(link_costs(r, SpaceLinks(3e6, 80e3, 0.0))[0, 0, 1])
    assert np.isinf(np.diagonal(link_costs(r, SpaceLinks(1e8, 0.0, 0.0))[0])).all()


# One-way fibre times for n = 1.468 and the great-circle distances 6,195, 2,525, 7,952, 9,419 km: 30.3, 12.4, 38.9,
# 46.1 ms (computed: distance n / c). City coordinates are rounded to 0.1 deg, 10 km: 0.05 ms; tolerance 0.15 ms.
@pytest.mark.parametrize(
    ("city", "expected_ms"),
    [((21.3, -157.9), 30.3), ((13.45, 144.78), 12.4), ((-35.3, 149.1), 38.9), ((38.8, -104.7), 46.1)],
)
def test_fibre_from_tokyo(city: tuple[float, float], expected_ms: float) -> None:
    tokyo, other = (
        np.asarray(itrs_from_geodetic(np.deg2rad(lat), np.deg2rad(lon), np.float64(0.0)))
        for lat, lon in ((35.68, 139.69), city)
    )
    assert 1e3 * fibre_delay(tokyo, other, GroundLinks(1.0, 0.0)) == pytest.approx(expected_ms, abs=0.15)
    detour = fibre_delay(tokyo, other, GroundLinks(1.4, 0.02))
    assert detour == pytest.approx(1.4 * fibre_delay(tokyo, other, GroundLinks(1.0, 0.0)) + 0.02, rel=1e-12)
