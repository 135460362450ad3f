"""The search with its area, its day-long check and its losses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from noroshi import constellation
from noroshi.constants import EARTH_RADIUS_M
from noroshi.coverage.design import SearchSpace, as_json
from noroshi.coverage.limits import Limit
from noroshi.coverage.models import SPHERE, WGS84
from noroshi.coverage.need import parse_need
from noroshi.coverage.pattern import Design
from noroshi.errors import ScenarioError
from noroshi.survey import Window, survey
from noroshi.time import epoch_from_utc, load_earth_orientation

EPOCH = epoch_from_utc("2026-11-22T00:00:00Z")


def find(text: str, altitudes_km: tuple[float, ...], inclinations_deg: tuple[float, ...], **more):
    space = SearchSpace(
        tuple(1e3 * a for a in altitudes_km), tuple(np.deg2rad(inclinations_deg)), ("delta",), 1, 60
    )
    limit = more.pop("limit", Limit())
    return constellation.search(parse_need(text), space, limit, EPOCH, threads=2, **more)


def test_the_issues_example() -> None:
    found = find("2-fold >= 99 % over 20N-55N,120E-180E at 40 km", (1000.0, 1400.0), (50.0, 55.0, 60.0))
    made = as_json(found)
    json.dumps(made, allow_nan=False)
    assert made["searched"]["exhaustive"] is True
    assert made["achieved"] >= 0.99
    # a day at 2,000 places against the long run over all longitudes: 4e-4 as measured, either may be 1e-3 off
    assert made["achieved"] == pytest.approx(made["achieved_in_search"]["2-fold"], abs=2e-3)
    first, finer = made["recheck"]["looks"]
    assert finer["points"] == pytest.approx(4 * first["points"], rel=0.02)
    assert finer["step_s"] == 0.5 * first["step_s"]
    assert first["meets"]
    assert finer["meets"]
    t, p = made["satellites"], made["planes"]
    assert [(row["lost"], row["cases"]) for row in made["robustness"]] == [
        ("1 satellite", t),
        ("2 satellites", t * (t - 1) // 2),
        ("1 plane", p),
    ]
    one, two, _ = made["robustness"]
    assert made["achieved"] > one["mean"] >= one["worst"] > two["worst"]
    # the front's shape: fewer satellites need a higher altitude or cover less
    confirmed = [o for o in made["front"] if o["meets"]]
    assert [o["altitude_km"] for o in confirmed] == [1400.0, 1000.0]
    assert confirmed[0]["satellites"] < confirmed[1]["satellites"]


@pytest.mark.parametrize(("half_angle_deg", "satellites"), [(69.3, 5), (69.0, 6)])
def test_ballards_optimum_in_a_day_on_the_turning_earth(half_angle_deg: float, satellites: int) -> None:
    # Ballard 1980, table I: five satellites need 69.15 deg; the day's 2,000 places find holes 0.15 deg wide
    altitude = EARTH_RADIUS_M * (1.0 / np.cos(np.deg2rad(half_angle_deg)) - 1.0)
    found = find(
        "1-fold >= 100 % over global at 0 km", (altitude / 1e3,), (43.66,), body=SPHERE, propagator="j2", lost=()
    )  # fmt: skip
    assert found.best.design.satellites == satellites
    assert found.best.shares == (1.0,)


def test_limits_reach_the_samples_and_the_check() -> None:
    # through every limit that the samples know, as the survey has it: 1.2e-3 as measured, of them 8e-4 of the samples
    limit = Limit(
        grazing_m=50e3, range_max_m=3.5e6, elevation_target_rad=0.05, cone_min_rad=0.2, cone_max_rad=1.1
    )
    found = find(
        "1-fold >= 90 % over 20N-55N,120E-180E at 40 km",
        (1000.0,),
        (50.0,),
        limit=limit,
        propagator="j2",
        lost=(),
    )
    assert 0.2 < found.search.shares[0] <= 1.0
    assert found.best.shares[0] == pytest.approx(found.search.shares[0], abs=3e-3)


def test_every_kind_of_condition_and_its_losses() -> None:
    found = find(
        "stereo >= 80 % and gap <= 20 min over 20N-55N,120E-180E at 40 km", (1400.0,), (50.0,), lost=(1,)
    )
    assert [c.name for c in found.need.clauses] == ["stereo", "gap <= 1200 s"]
    assert found.best.shares[0] >= 0.8
    assert found.best.shares[1] == 1.0
    assert found.best.gap_s is not None
    assert found.best.gap_s <= 1200.0
    rows = {row["lost"]: row for row in found.robustness}
    assert set(rows) >= {"1 satellite", "1 satellite (gap <= 1200 s)"}
    assert rows["1 satellite"]["worst"] < found.best.shares[0]


def test_sights_add_up_to_the_survey() -> None:
    one = Design("delta", 12, 3, 1, 1200e3, np.deg2rad(55.0))
    limit = Limit(grazing_m=30e3, cone_max_rad=1.05, sun_rad=0.5)
    network = constellation.network(one, limit, EPOCH, "sgp4")
    need = parse_need("1-fold >= 1 % over 30S-30N,0E-90E at 40 km")
    places, window = constellation.area(need, 200, EPOCH), Window(EPOCH, 300.0, 7200.0)
    seen = constellation.sights(network, places, window, WGS84, load_earth_orientation())
    counted = survey(network, places, window, engine="culled").coverage
    assert seen.shape == (12, 24, len(places.weight))
    assert seen.sum() / seen[0].size == pytest.approx(counted.mean_fold.mean(), abs=1e-12)


def test_reads_areas_of_every_kind(tmp_path: Path) -> None:
    ring = [[120, 20], [150, 20], [150, 40], [120, 40], [120, 20]]
    file = tmp_path / "area.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")

    def places(text: str):
        return constellation.area(parse_need(f"1-fold >= 1 % over {text} at 40 km"), 300, EPOCH)

    assert len(places("global").lat_rad) == 300
    for text in (f"polygon:{file}", "20N-40N,120E-150E", "box:20N-40N,120E-150E"):
        found = places(text)
        assert len(found.lat_rad) == pytest.approx(300, rel=0.05)
        assert np.rad2deg(found.lat_rad).min() >= 19.0
        assert np.rad2deg(found.lat_rad).max() <= 42.0
        assert set(found.height_m) == {40e3}
    assert len(places("site:35.7,139.7").lat_rad) == 1


def test_refuses_areas_and_altitudes_that_make_no_sense() -> None:
    with pytest.raises(ScenarioError, match="is no area to cover"):
        find("1-fold >= 9 % over trajectory:x.csv at 40 km", (1000.0,), (50.0,))
    with pytest.raises(ScenarioError, match="80 km is no orbit"):
        find("1-fold >= 9 % over global at 40 km", (80.0,), (50.0,))
    with pytest.raises(ScenarioError, match="no altitude is given"):
        find("1-fold >= 9 % over global at 40 km", (), (50.0,))
