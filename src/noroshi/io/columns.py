"""Named columns from Parquet and CSV files, units by the end of the name, every mistake with its place."""

from __future__ import annotations

import csv
import io
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from noroshi.errors import DataError

SIZE_MAX = 4_000_000_000  # bytes
# a column may be given in one of these units instead of the SI one: ending, SI ending, factor
UNITS = (
    ("_deg", "_rad", np.pi / 180.0),
    ("_mrad", "_rad", 1e-3),
    ("_urad", "_rad", 1e-6),
    ("_km_s", "_m_s", 1e3),
    ("_mps", "_m_s", 1.0),
    ("_km", "_m", 1e3),
)


class Columns(NamedTuple):
    """Columns of one file by their SI names: float64, or text (object arrays; "" where nothing stands)."""

    values: dict[str, np.ndarray]
    rows: int
    ignored: tuple[str, ...]  # columns of the file that nobody asked for
    where: str  # the file

    def has(self, *names: str) -> bool:
        return all(name in self.values for name in names)

    def row(self, index: int) -> str:
        """Where a row stands, as a person counts."""
        return f"{self.where}, row {index + 1}"


def read_columns(path: Path, numbers: tuple[str, ...], texts: tuple[str, ...] = ()) -> Columns:
    """The named columns that a file has; others are listed as ignored. Raises DataError.

    numbers: SI names; `az_rad` is also found as az_deg, az_mrad or az_urad, `x_m` as x_km. A cell that is empty or
    NaN is nan. texts: names whose cells are kept as text (whole numbers and times become text, times as UTC).
    """
    where = str(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", where=where, remedy="check the path and its permissions"
        ) from None
    if size > SIZE_MAX:
        raise DataError(f"is {size / 1e9:.1f} GB", where=where, remedy="split it by time")
    if size == 0:
        raise DataError("is empty", where=where, remedy="the first line names the columns")
    try:
        if path.suffix in (".parquet", ".pq"):
            return _parquet(path, numbers, texts)
        return _csv(path, numbers, texts)
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}",
            where=where,
            remedy="check the file and its permissions",
        ) from None


def require(columns: Columns, *choices: tuple[str, ...]) -> None:
    """Raise DataError unless all columns of one of the choices are there, naming what comes close."""
    if any(columns.has(*choice) for choice in choices):
        return
    nearest = max(choices, key=lambda choice: sum(name in columns.values for name in choice))
    missing = [name for name in nearest if name not in columns.values]
    close = [(match, name) for name in missing for match in get_close_matches(name, columns.ignored, 1, 0.5)]
    hint = f"did you mean {close[0][1]!r} by {close[0][0]!r}? " if close else ""
    forms = " or ".join(", ".join(choice) for choice in choices)
    raise DataError(f"lacks the column {missing[0]!r}", where=columns.where, remedy=f"{hint}columns: {forms}")


def _known(
    names: list[str], numbers: tuple[str, ...], texts: tuple[str, ...], where: str
) -> dict[str, tuple[str, float]]:
    """Column of the file -> SI name and factor."""
    found: dict[str, tuple[str, float]] = {}
    for name in names:
        si, factor = name, 1.0
        if name not in numbers and name not in texts:
            for ending, standard, value in UNITS:
                if name.endswith(ending) and name[: -len(ending)] + standard in numbers:
                    si, factor = name[: -len(ending)] + standard, value
                    break
            else:
                continue
        twice = next((other for other, (known, _) in found.items() if known == si), None)
        if twice is not None or names.count(name) > 1:
            raise DataError(
                f"gives {si!r} twice ({twice or name} and {name})",
                where=where,
                remedy="leave one of the columns out",
            )
        found[name] = (si, factor)
    return found


def _parquet(path: Path, numbers: tuple[str, ...], texts: tuple[str, ...]) -> Columns:
    where = str(path)
    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        known = _known(names, numbers, texts, where)
        table = file.read(columns=list(known))
    except (pa.ArrowInvalid, pa.ArrowException, OSError) as error:
        raise DataError(
            f"is no whole Parquet file: {str(error).splitlines()[0][:150]}",
            where=where,
            remedy="it may have been cut short; write it again",
        ) from None
    values = {}
    for name, (si, factor) in known.items():
        column = table[name]
        try:
            values[si] = _text(column) if si in texts else _number(column) * factor
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"column {name!r} is {column.type}: {str(error)[:120]}",
                where=where,
                remedy="give it as numbers",
            ) from None
    return Columns(values, table.num_rows, tuple(n for n in names if n not in known), where)


def _number(column: pa.ChunkedArray) -> np.ndarray:
    return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)


def _text(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_timestamp(column.type):
        filled = column.to_numpy(zero_copy_only=False).astype("datetime64[ns]")
        words = np.datetime_as_string(filled, unit="ns").astype(object)
        words[np.isnat(filled)] = ""
        return words
    words = pc.fill_null(pc.cast(column, pa.string()), "").to_numpy(zero_copy_only=False)
    return words.astype(object)


def _csv(path: Path, numbers: tuple[str, ...], texts: tuple[str, ...]) -> Columns:
    where = str(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader([file.readline()], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"is not CSV: {error}", where=f"{where}:1", remedy="save it as UTF-8 CSV") from None
    names = [name.strip() for name in header]
    if not any(names):
        raise DataError("has no header", where=f"{where}:1", remedy="the first line names the columns")
    known = _known(names, numbers, texts, where)
    raw = {name: header[names.index(name)] for name in known}
    kinds = {raw[name]: pa.string() if si in texts else pa.float64() for name, (si, _) in known.items()}
    data = path.read_bytes()
    if not data.partition(b"\n")[2].strip():  # a header alone
        nothing = {si: np.empty(0, object if si in texts else np.float64) for si, _ in known.values()}
        return Columns(nothing, 0, tuple(n for n in names if n not in known), where)
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            convert_options=pacsv.ConvertOptions(
                column_types=kinds, include_columns=list(kinds), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _first_fault(data, where, header, kinds, str(error)) from None
    values = {}
    for name, (si, factor) in known.items():
        column = table[raw[name]]
        values[si] = (
            np.array([w.strip() for w in _text(column)], object) if si in texts else _number(column) * factor
        )
    return Columns(values, table.num_rows, tuple(n for n in names if n not in known), where)


def _first_fault(
    data: bytes, where: str, header: list[str], kinds: dict[str, pa.DataType], said: str
) -> DataError:
    """The first line that is wrong, found line by line as the quick reader does not say it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return DataError(f"is not text (byte {error.start})", where=where, remedy="save it as UTF-8 CSV")
    empty = {"", "#n/a", "n/a", "na", "null", "nan", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            line = reader.line_num
            if line == 1 or not row:
                continue
            if len(row) != len(header):
                return DataError(
                    f"has {len(row)} values for {len(header)} columns",
                    where=f"{where}:{line}",
                    remedy="complete or remove the line",
                )
            for name, cell in zip(header, row, strict=True):
                if name in kinds and kinds[name] == pa.float64() and cell.strip().lower() not in empty:
                    try:
                        float(cell)
                    except ValueError:
                        return DataError(
                            f"{cell.strip()[:40]!r} is not a number",
                            where=f"{where}:{line}, column {name.strip()}",
                            remedy="correct the cell, or leave it empty where nothing was measured",
                        )
    except csv.Error as error:
        return DataError(
            f"is not CSV: {error}",
            where=f"{where}:{reader.line_num}",
            remedy="write plain comma-separated values",
        )
    return DataError(
        f"cannot be read: {said[:150]}", where=where, remedy="write plain comma-separated values"
    )
