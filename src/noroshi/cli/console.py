"""What long commands share: where people read, progress bars that can be interrupted, and provenance."""

from __future__ import annotations

import contextlib
import platform
import resource
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PACKAGES = (
    "noroshi",
    "numpy",
    "scipy",
    "jax",
    "jaxlib",
    "numba",
    "sgp4",
    "pyerfa",
    "astropy-iers-data",
    "pyarrow",
)


def console_for(as_json: bool) -> Console:
    """Where a person reads: standard error when standard output is for a script. Off a terminal, a wide line."""
    console = Console(stderr=as_json, highlight=False)
    return console if console.is_terminal else Console(stderr=as_json, highlight=False, width=120)


@contextlib.contextmanager
def stages(console: Console) -> Iterator[Any]:
    """A progress bar per stage on a terminal; nothing elsewhere. Every stage is a place where Ctrl-C is heard.

    An interrupt that falls into a callback of a compiled library is swallowed there: it is noted, and raised again
    at the next stage.
    """
    interrupted = False

    def note(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    bars = Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def stage(name: str, finished: int, total: int) -> None:
        if interrupted:
            raise KeyboardInterrupt
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total)
        bars.update(tasks[name], completed=finished, total=total)

    before = signal.signal(signal.SIGINT, note)
    try:
        with bars:
            yield stage
    finally:
        signal.signal(signal.SIGINT, before)


def check_report_can_be_built() -> None:
    """Raise NoroshiError, before any work is done, where the report's front end has not been built."""
    from noroshi.report.page import check_built

    check_built()


def provenance(started: float) -> dict[str, Any]:
    """Command, host, versions, and what was used since `started` (time.perf_counter), for a manifest."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "schema": 1,
        "command": " ".join(["noroshi", *sys.argv[1:]]),
        "finished_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "wall_s": round(time.perf_counter() - started, 3),
        "cpu_s": round(sum(u.ru_utime + u.ru_stime for u in used), 3),
        "peak_memory_mb": round(max(u.ru_maxrss for u in used) / 1024, 1),
    }
