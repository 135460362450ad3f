"""What is asked for, read from text."""

from __future__ import annotations

import pytest

from noroshi.coverage.need import Clause, parse_need, parse_values
from noroshi.errors import ScenarioError


def test_reads_the_example_of_the_issue() -> None:
    need = parse_need("2-fold >= 99 % over 20N-55N,120E-180E at 40 km")
    assert need.clauses == (Clause("fold", 0.99, fold=2),)
    assert (need.area, need.height_m, need.folds, need.gap_s, need.stereo) == (
        "20N-55N,120E-180E", 40e3, 2, None, False,
    )  # fmt: skip


def test_reads_conditions_joined_by_and_and_files_with_odd_names() -> None:
    need = parse_need(
        " 1-fold ≥ 100% and STEREO >= 95 % and gap <= 5 min over polygon:here and at there.geojson at 500 m"
    )
    assert need.clauses == (
        Clause("fold", 1.0, fold=1),
        Clause("stereo", 0.95),
        Clause("gap", 1.0, gap_s=300.0),
    )
    assert need.area == "polygon:here and at there.geojson"
    assert (need.height_m, need.gap_s, need.stereo) == (500.0, 300.0, True)
    assert [c.name for c in need.clauses] == ["1-fold", "stereo", "gap <= 300 s"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no 'over' and no 'at'"),
        ("2-fold >= 99 % at 40 km", "has no 'over'"),
        ("2-fold >= 99 % over global", "has no 'at'"),
        ("2-fold >= 99 % over global at 40", "does not end in a height"),
        ("2-fold over global at 40 km", "'2-fold' is no condition"),
        ("2-fold <= 99 % over global at 40 km", "is no condition"),
        ("0-fold >= 99 % over global at 40 km", "asks for 0-fold coverage"),
        ("2-fold >= 101 % over global at 40 km", "asks for 101 %"),
        ("2-fold >= 0 % over global at 40 km", "asks for 0 %"),
        ("gap <= 0 s over global at 40 km", "asks for no gap at all"),
        ("gap <= 9 s and gap <= 8 s over global at 40 km", "asks for the same thing twice"),
    ],
)
def test_refuses_what_it_cannot_read_with_an_example(text: str, says: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_need(text)
    assert says in refused.value.what
    assert refused.value.remedy


def test_reads_values_lists_and_ranges() -> None:
    assert parse_values("1000", "x") == (1000.0,)
    assert parse_values("800,600", "x") == (600.0, 800.0)
    assert parse_values("600:1400:200,500", "x") == (500.0, 600.0, 800.0, 1000.0, 1200.0, 1400.0)
    assert parse_values("0:0.3:0.1", "x") == pytest.approx((0.0, 0.1, 0.2, 0.3))
    for bad in ("", "a", "1:2", "2:1:1", "1:2:0", "nan", "1:inf:1", "1:2:1e-9"):
        with pytest.raises(ScenarioError, match="is no list of numbers"):
            parse_values(bad, "x")
