"""A coverage study's tables as Parquet, one file each, and together as NetCDF-3 (docs/reference/coverage.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.io import netcdf_file

from noroshi.coverage.models import Coverage

SCHEMA = "1"
Columns = dict[str, np.ndarray]


def tables(coverage: Coverage) -> dict[str, Columns]:
    """The columns of `places`, `times`, `latitudes` and `histogram`; angles in degrees, the rest as named."""
    return {
        "places": _places(coverage),
        "times": {
            "t_s": coverage.t,
            "mean_fold": coverage.mean_at,
            "min_fold": coverage.min_at,
            **_folds("fraction_at_least", coverage.fraction_at),
            **(_path(coverage) if coverage.points.t is not None else {}),
        },
        "latitudes": _latitudes(coverage),
        "histogram": {"fold": np.arange(len(coverage.histogram)), "share": coverage.histogram},
    }


def write_parquet(folder: Path, found: dict[str, Columns]) -> None:
    """Every table as `folder/<name>.parquet`."""
    folder.mkdir(exist_ok=True)
    for name, columns in found.items():
        table = pa.table(columns).replace_schema_metadata(
            {"noroshi_table": f"coverage_{name}", "noroshi_schema": SCHEMA}
        )
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def write_netcdf(path: Path, found: dict[str, Columns], attributes: dict[str, Any]) -> None:
    """The tables in one classic NetCDF file: dimension and prefix are a table's name; texts are left out."""
    with netcdf_file(str(path), "w", version=2) as file:
        for key, value in attributes.items():
            setattr(file, key, value if isinstance(value, int | float) else str(value).encode("utf-8"))
        for name, columns in found.items():
            length = len(next(iter(columns.values())))
            if not length:  # NetCDF-3 takes a dimension of 0 for the unlimited one
                continue
            file.createDimension(name, length)
            for column, values in columns.items():
                if values.dtype.kind in "UO":
                    continue
                kind = {"b": "i1", "i": "i4", "u": "i4"}.get(values.dtype.kind, "f8")
                variable = file.createVariable(f"{name}_{column}", kind, (name,))
                variable[:] = values.astype(kind)
                unit = _unit(column)
                if unit:
                    variable.units = unit.encode()


def _unit(column: str) -> str:
    for ending, unit in (("_deg", "degree"), ("_m", "m"), ("_s", "s")):
        if column.endswith(ending):
            return unit
    return "1" if column.startswith(("fraction", "share", "weight", "stereo", "error_fraction")) else ""


def _places(c: Coverage) -> Columns:
    moving = c.points.t is not None
    count = len(c.mean_fold)
    where: Columns = {
        "name": np.array(c.points.names or [""] * count, dtype=object),
        "weight": c.place_weight,
    }
    if not moving:
        where |= {
            "latitude_deg": np.rad2deg(c.points.lat_rad),
            "longitude_deg": np.rad2deg(c.points.lon_rad),
            "height_m": c.points.height_m,
        }
    optional = {
        "stereo_fraction": c.stereo_fraction,
        "error_median_m": c.error_median_m,
        "error_95_m": c.error_95_m,
        "error_fraction": c.error_fraction,
    }
    return {
        **where,
        "mean_fold": c.mean_fold,
        "min_fold": c.min_fold,
        "max_fold": c.max_fold,
        **_folds("fraction_at_least", c.fraction_at_least),
        "longest_gap_s": c.longest_gap_s,
        "gap_truncated": c.gap_truncated,
        "gaps": c.gaps,
        "mean_gap_s": c.mean_gap_s,
        "mean_response_s": c.mean_response_s,
        "first_look_s": c.first_look_s,
        **{name: values for name, values in optional.items() if values is not None},
    }


def _path(c: Coverage) -> Columns:
    return {
        "latitude_deg": np.rad2deg(c.points.lat_rad),
        "longitude_deg": np.rad2deg(c.points.lon_rad),
        "height_m": c.points.height_m,
    }


def _latitudes(c: Coverage) -> Columns:
    b = c.bands
    return {
        "south_deg": np.rad2deg(b.south_rad),
        "north_deg": np.rad2deg(b.north_rad),
        "weight": b.weight,
        "mean_fold": b.mean_fold,
        "min_fold": b.min_fold,
        "max_fold": b.max_fold,
        **_folds("fraction_at_least", b.fraction_at_least),
        "stereo_fraction": b.stereo_fraction,
        "longest_gap_s": b.longest_gap_s,
        "mean_response_s": b.mean_response_s,
        "error_median_m": b.error_m,
    }


def _folds(name: str, values: np.ndarray) -> Columns:
    return {f"{name}_{k + 1}": values[:, k] for k in range(values.shape[1])}
