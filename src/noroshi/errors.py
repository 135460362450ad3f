"""What can be wrong with the user's input, said so that it can be put right."""

from __future__ import annotations


class NoroshiError(Exception):
    """A mistake of the user's: what is wrong, where, and the usual remedy.

    The command line prints the message without a traceback and leaves with exit code 2.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  help: {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.remedy))


def _rebuild(kind: type[NoroshiError], what: str, where: str, remedy: str) -> NoroshiError:
    return kind(what, where=where, remedy=remedy)


class ScenarioError(NoroshiError):
    """A scenario file that cannot be run."""


class DataError(NoroshiError):
    """A data file (TLE, OMM, OEM, CSV) that cannot be read."""


class FlightError(NoroshiError):
    """A flight that no trajectory satisfies."""


class PhysicsError(NoroshiError):
    """Figures that contradict physics or each other; the remedy names the nearest that do not."""


class OutputError(NoroshiError):
    """A run folder that cannot be written."""
