"""Where in a TOML text each key stands: path -> (line, column, length). Neither tomllib nor pydantic tells.

The text has been parsed by tomllib before, so the scanner need not diagnose anything: it follows the grammar of
TOML 1.0 (tables, arrays of tables, dotted keys, inline tables, arrays, all kinds of strings, comments).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Line and column (both from 1) of a key or an array element, and its length in characters."""

    line: int
    column: int
    length: int


def locate(text: str) -> dict[Path, Place]:
    """The place of every key, table header and array element of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.places


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text + "\n"
        self.at = 0
        self.line_starts = [0, *(k + 1 for k, c in enumerate(self.text) if c == "\n")]
        self.places: dict[Path, Place] = {}
        self.lengths: dict[Path, int] = {}  # tables so far in each array of tables

    def document(self) -> None:
        table: Path = ()
        while self._blank(newlines=True):
            if self._take("[["):
                table = self._header(self._dotted(), array=True)
                self._take("]]")
            elif self._take("["):
                table = self._header(self._dotted(), array=False)
                self._take("]")
            else:
                self._pair(table)

    def _header(self, keys: list[tuple[str, int]], *, array: bool) -> Path:
        path: Path = ()
        for k, (key, start) in enumerate(keys):
            path = (*path, key)
            self._note(path, start, len(key))
            if k == len(keys) - 1 and array:
                self.lengths[path] = self.lengths.get(path, 0) + 1
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
                if k == len(keys) - 1:
                    self._note(path, start, len(key))
        return path

    def _pair(self, table: Path) -> None:
        path = table
        for key, start in self._dotted():
            path = (*path, key)
            self._note(path, start, len(key))
        self._blank()
        self._take("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._blank(newlines=True)
        if self._take("["):
            index = 0
            while self._blank(newlines=True) and not self._take("]"):
                element = (*path, index)
                start = self.at
                self._value(element)
                self.places.setdefault(element, self._place(start, max(1, self.at - start)))
                index += 1
                self._blank(newlines=True)
                self._take(",")
        elif self._take("{"):
            while self._blank(newlines=True) and not self._take("}"):
                self._pair(path)
                self._blank(newlines=True)
                self._take(",")
        elif self.text[self.at] in "\"'":
            self._string()
        else:
            while self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _dotted(self) -> list[tuple[str, int]]:
        keys = []
        while True:
            self._blank()
            start = self.at
            if self.text[self.at] in "\"'":
                keys.append((self._string(), start))
            else:
                while self.text[self.at].isalnum() or self.text[self.at] in "-_":
                    self.at += 1
                keys.append((self.text[start : self.at], start))
            self._blank()
            if not self._take("."):
                return keys

    def _string(self) -> str:
        quote = self.text[self.at]
        ends = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(ends)
        start = self.at
        while not self.text.startswith(ends, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        inner = self.text[start : self.at]
        self.at += len(ends)
        while (
            len(ends) == 3 and self.text[self.at] == quote
        ):  # up to two quotes may stand before the closing three
            self.at += 1
        return inner

    def _blank(self, *, newlines: bool = False) -> bool:
        """Pass blanks and comments (and line ends); whether anything is left."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                while self.text[self.at] != "\n":
                    self.at += 1
            elif self.text[self.at] in " \t" or (newlines and self.text[self.at] in "\r\n"):
                self.at += 1
            else:
                return True
        return False

    def _take(self, token: str) -> bool:
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def _note(self, path: Path, start: int, length: int) -> None:
        self.places.setdefault(path, self._place(start, length))

    def _place(self, start: int, length: int) -> Place:
        line = bisect_right(self.line_starts, start)
        line_end = self.text.find("\n", start)
        return Place(line, start - self.line_starts[line - 1] + 1, min(length, max(1, line_end - start)))
