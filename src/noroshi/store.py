"""A run folder on disk: appears whole or not at all; tables as Parquet."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noroshi.errors import OutputError
from noroshi.results import Run

TABLE_SCHEMA = "1"  # in the metadata of every file: rises when a column changes meaning
_XYZ = ("x", "y", "z")
_WXYZ = ("w", "x", "y", "z")

RUN_TABLES = (
    "ephemeris",
    "truth",
    "opportunities",
    "looks",
    "scans",
    "detections",
    "detection_truth",
    "deliveries",
    "tracks",
    "contributions",
    "warnings",
    "samples",
    "node_samples",
)


def next_run_folder(root: Path, name: str) -> Path:
    """The first unused `root/name-NNNN`."""
    pattern = re.compile(rf"{re.escape(name)}-(\d{{4,}})$")
    used = [int(m[1]) for p in root.glob(f"{name}-*") if (m := pattern.match(p.name))]
    return root / f"{name}-{max(used, default=0) + 1:04d}"


def check_output(out: Path, *, force: bool) -> None:
    """Raise OutputError, before any work is done, when a run folder cannot be made at `out`."""
    if out.exists() and not out.is_dir():
        raise OutputError("is a file, not a folder", where=str(out), remedy="give another --out")
    if out.exists() and not force:
        raise OutputError(
            "already exists", where=str(out), remedy="give another --out, or --force to replace it"
        )
    if out.exists() and any(out.iterdir()) and not (out / "manifest.json").is_file():
        raise OutputError(
            "holds files but is no run folder (no manifest.json); it will not be replaced",
            where=str(out),
            remedy="give another --out, or empty the folder yourself",
        )
    made = [folder for folder in out.parents if not folder.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        probe = out.parent / f".{out.name}.probe-{os.getpid()}"
        probe.mkdir()
        probe.rmdir()
        for folder in made:  # the run that follows may fail: leave nothing of the trial
            folder.rmdir()
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror or error}",
            where=str(out),
            remedy="choose a folder that you may write to with --out",
        ) from None


def part_folder(out: Path) -> Path:
    """The hidden folder in which a run is prepared before it is renamed to `out`."""
    return out.parent / f".{out.name}.part"


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Prepare a folder beside `out` and rename it when the block ends well; on an error nothing appears.

    An existing `out` (the caller has checked that it may go) is moved aside first and removed last, so that at
    every moment either the old or the new one is whole.
    """
    part = part_folder(out)
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    part.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        _swap(part, out)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OutputError(
            f"could not be written: {error.strerror or error}",
            where=str(out),
            remedy="free some space or choose another --out",
        ) from error
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _swap(part: Path, out: Path) -> None:
    """Put `part` in the place of `out`; when that fails, `out` is as it was."""
    old = out.parent / f".{out.name}.old-{os.getpid()}"
    if out.exists():
        out.rename(old)
    try:
        part.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys; a number that is not finite is an error of ours, never written."""
    path.write_text(
        json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n", "utf-8"
    )


def write_tables(folder: Path, run: Run) -> None:
    """Every table of the run as `folder/<table>.parquet`."""
    folder.mkdir(exist_ok=True)
    for name in RUN_TABLES:
        columns = table_columns(name, run)
        table = pa.table(columns).replace_schema_metadata(
            {"noroshi_table": name, "noroshi_schema": TABLE_SCHEMA}
        )
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def table_columns(name: str, run: Run) -> dict[str, np.ndarray | pa.Array]:
    """The columns of one table in long form: dense axes become index columns, vectors become _x _y _z."""
    table = getattr(run, name)
    if name == "ephemeris":
        return _dense(table, ("time", "sensor"), {"sensor": table.sensors})
    if name == "truth":
        axes = {"target": table.targets}
        columns = _dense(table, ("time", "target"), axes)
        for k, band in enumerate(table.bands):
            columns[f"intensity_{band}_w_sr"] = table.intensity_w_sr[..., k].ravel()
            if table.facet_w_sr is not None:
                # the mean over all directions: that of max(0, n.u) is 1/4
                mean = table.intensity_w_sr[..., k] + 0.25 * table.facet_w_sr[..., k, :].sum(-1)
                columns[f"intensity_{band}_mean_w_sr"] = mean.ravel()
        return columns
    if name == "opportunities":
        return _dense(
            table,
            ("time", "sensor", "target"),
            {"sensor": run.ephemeris.sensors, "target": run.truth.targets},
        )
    columns: dict[str, np.ndarray | pa.Array] = {}
    for field in fields(table):
        columns |= _named(field.name, getattr(table, field.name))
    return columns


def columns_table(name: str, table: Any, extra: dict[str, np.ndarray]) -> pa.Table:
    """A table of rows (a dataclass of columns, axis first) as Arrow, as a run folder has it, and further columns."""
    columns: dict[str, np.ndarray] = {}
    for field in fields(table):
        columns |= _named(field.name, getattr(table, field.name))
    return pa.table(columns | extra).replace_schema_metadata(
        {"noroshi_table": name, "noroshi_schema": TABLE_SCHEMA}
    )


def _dense(table: Any, axes: tuple[str, ...], names: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    shape = tuple(len(table.t) if axis == "time" else len(names[axis]) for axis in axes)
    index = dict(zip(axes, np.indices(shape), strict=True))
    columns: dict[str, Any] = {"t": table.t[index["time"].ravel()]}
    for axis in axes[1:]:
        columns[axis] = pa.DictionaryArray.from_arrays(
            pa.array(index[axis].ravel(), pa.int32()), pa.array(list(names[axis]), pa.string())
        )
    for field in fields(table):
        value = getattr(table, field.name)
        if (
            isinstance(value, np.ndarray)
            and value.shape[: len(shape)] == shape
            and field.name not in ("intensity_w_sr", "facet_normal", "facet_w_sr")
        ):
            columns |= _named(field.name, value.reshape(-1, *value.shape[len(shape) :]))
    return columns


def _named(name: str, value: np.ndarray) -> dict[str, np.ndarray]:
    if value.ndim == 1:
        return {name: value}
    width = value.shape[1]
    suffixes = {3: _XYZ, 4: _WXYZ}.get(width, tuple(str(k) for k in range(width)))
    if name == "modes":
        suffixes = ("boost", "ballistic", "manoeuvring")
    return {f"{name}_{suffix}": np.ascontiguousarray(value[:, k]) for k, suffix in enumerate(suffixes)}
