"""The bytes of a file, or an error that says why not."""

from __future__ import annotations

from pathlib import Path

from noroshi.errors import DataError


def file_bytes(path: Path | str, remedy: str = "the path is relative to where you are") -> bytes:
    """All of a file. Raises DataError, with this remedy, where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None
