"""Sites from CSV: read in degrees, every mistake with its line and column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import DataError
from noroshi.io.sites import parse_sites, read_sites

CSV = """name,latitude_deg,longitude_deg,height_m
Tokyo,35.7,139.7,40
"Guam, north",13.6,144.9,

Apia,-13.8,-171.8,2
"""


def test_sites_are_read_in_radians_with_their_heights() -> None:
    made = parse_sites(CSV.encode(), "x.csv")
    assert made.names == ("Tokyo", "Guam, north", "Apia")
    assert np.rad2deg(made.lat_rad) == pytest.approx([35.7, 13.6, -13.8])
    assert np.rad2deg(made.lon_rad) == pytest.approx([139.7, 144.9, -171.8])
    assert np.array_equal(made.height_m, [40.0, np.nan, 2.0], equal_nan=True)


def test_columns_stand_in_any_order_and_others_are_left() -> None:
    text = "\ufeffowner,longitude_deg,name,latitude_deg\r\nJPN,140,a,30\r\n"
    made = parse_sites(text.encode(), "x.csv")
    assert np.rad2deg([made.lat_rad[0], made.lon_rad[0]]) == pytest.approx([30, 140])
    assert np.isnan(made.height_m).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("latitude_deg", "lat", "x.csv:1, column latitude_deg: is missing"),
        ("height_m", "height_km", "x.csv:1, column height_km: is not understood"),
        ("height_m", "name", "x.csv:1, column name: stands twice"),
        ("35.7", "95.7", "x.csv:2, column latitude_deg: '95.7' is no number from -90 to 90"),
        ("139.7", "139.7E", "x.csv:2, column longitude_deg: '139.7E'"),
        ("139.7", "", "x.csv:2, column longitude_deg: ''"),
        ("13.6", "nan", "x.csv:3, column latitude_deg: 'nan'"),
        ("-171.8,2", "-171.8,1e12", "x.csv:5, column height_m: '1e12'"),
        ("Apia,-13.8", "Apia,", "x.csv:5, column latitude_deg: ''"),
        ("Apia", "Tokyo", "x.csv:5, column name: names 'Tokyo' again"),
        ("Apia", " ", "x.csv:5, column name: is empty"),
        ("-171.8,2", "-171.8", "x.csv:5: has 3 values for 4 columns"),
        ("Apia", '"Apia', r"x.csv:\d: is not CSV"),
    ],
)
def test_each_mistake_is_named_with_line_and_column(old: str, new: str, message: str) -> None:
    assert old in CSV
    with pytest.raises(DataError, match=message) as caught:
        parse_sites(CSV.replace(old, new, 1).encode(), "x.csv")
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "\n\n", "name,latitude_deg,longitude_deg\n"])
def test_a_file_without_sites(text: str) -> None:
    with pytest.raises(DataError, match="holds no site"):
        parse_sites(text.encode(), "x.csv")


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_sites(tmp_path / "none.csv")


@given(st.text(alphabet='ab,"\n\r\x00 1.-', max_size=40))
def test_any_text_is_sites_or_an_error_of_ours(text: str) -> None:
    try:
        parse_sites(("name,latitude_deg,longitude_deg\n" + text).encode(), "x.csv")
    except DataError as error:
        if not error.where.startswith("x.csv"):
            raise
