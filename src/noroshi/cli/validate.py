"""`noroshi validate`: the published record, recomputed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from noroshi.errors import NoroshiError, OutputError
from noroshi.validate.record import GROUPS

if TYPE_CHECKING:
    from noroshi.validate.recompute import Outcome

FORMATS = (".md", ".html")


def validate(
    *,
    group: Annotated[
        list[str] | None,
        Parameter(help=f"Only this group: {', '.join(GROUPS)}. May be repeated.", negative=()),
    ] = None,
    as_json: Annotated[bool, Parameter(name="--json", help="Print everything as JSON.", negative=())] = False,
    report: Annotated[
        Path | None, Parameter(help="Write the page of results too, as .md or .html.", negative=())
    ] = None,
) -> None:
    """Recompute every value of the published record from noroshi's own models. Exit code 1 if one is off."""
    groups = _groups(group)
    if report is not None and report.suffix not in FORMATS:
        raise OutputError(
            f"cannot write {report.suffix or 'a file without a suffix'}",
            where=str(report),
            remedy="name it .md or .html",
        )
    if report is not None and not report.parent.is_dir():
        raise OutputError("there is no such folder", where=str(report.parent), remedy="make it first")
    if report is not None and report.is_dir():
        raise OutputError("is a folder", where=str(report), remedy="name a file")
    from noroshi.validate import text
    from noroshi.validate.recompute import recompute

    started, cpu = time.monotonic(), time.process_time()
    console = Console(stderr=True, highlight=False)
    with console.status("recomputing") as status:
        outcome = recompute(groups, lambda number: status.update(f"recomputing {number}"))
    if report is not None:
        page = text.markdown(outcome) if report.suffix == ".md" else text.page(outcome)
        part = report.with_name(f".{report.name}.part")
        try:
            part.write_text(page, encoding="utf-8")
            part.replace(report)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(
                f"cannot be written: {error.strerror}", where=str(report), remedy="choose another place"
            ) from None
    if as_json:
        sys.stdout.write(
            json.dumps(text.as_json(outcome), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        )
    else:
        _print(outcome, report, time.monotonic() - started, time.process_time() - cpu)
    if outcome.failed:
        sys.exit(1)


def _groups(wanted: list[str] | None) -> tuple[str, ...]:
    unknown = [name for name in wanted or () if name not in GROUPS]
    if unknown:
        raise NoroshiError(f"no group {unknown[0]!r}", remedy=f"groups are {', '.join(GROUPS)}")
    return tuple(name for name in GROUPS if not wanted or name in wanted)


def _print(outcome: Outcome, report: Path | None, wall_s: float, cpu_s: float) -> None:
    """One line per id in the terminal, every value where one is off or only one group was asked for."""

    # rich would leave with exit code 1, which means a value is off, where the reader of a pipe has gone
    console = Console(highlight=False)
    with console.capture() as page:
        _lines(console, outcome, report, wall_s, cpu_s)
    sys.stdout.write(page.get())
    sys.stdout.flush()


def _lines(console: Console, outcome: Outcome, report: Path | None, wall_s: float, cpu_s: float) -> None:
    from noroshi.validate import text

    if len({row.group for row in outcome.rows}) == 1:
        console.print(text.lines(outcome.rows), markup=False, soft_wrap=True)
    else:
        console.print(_by_id(outcome))
        if outcome.failed:
            console.print(text.lines(outcome.failed), markup=False, soft_wrap=True)
    console.print(text.verdict(outcome), soft_wrap=True)
    console.print(
        f"Listed, never counted: {len(outcome.unverified)} unverified, {len(outcome.context)} context, "
        f"{len(outcome.not_built)} not built.  {wall_s:.1f} s, {cpu_s:.1f} s of CPU.",
        soft_wrap=True,
    )
    if report is not None:
        console.print(f"report: {report}", soft_wrap=True)
    else:
        console.print(
            "next: noroshi validate --group targets   or   --report validation.html", soft_wrap=True
        )


def _by_id(outcome: Outcome) -> Table:
    table = Table(
        "id", "what", "values", "worst, share of tolerance", "evidence", "", box=None, pad_edge=False
    )
    for number in dict.fromkeys(row.id for row in outcome.rows):
        rows = [row for row in outcome.rows if row.id == number]
        shares = [share for row in rows if (share := row.share) is not None]
        passed = all(row.passed for row in rows)
        table.add_row(
            number,
            rows[0].name.rsplit(": ", 1)[0],
            str(len(rows)),
            f"{max(shares):.2f}" if shares else "",
            ", ".join(dict.fromkeys(row.evidence for row in rows)),
            "pass" if passed else "FAIL",
            style=None if passed else "red",
        )
    return table
