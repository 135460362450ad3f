"""`noroshi scenarios`: the bundled ones."""

from __future__ import annotations

import json
import sys
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from noroshi.scenario.load import bundled, load


def scenarios(
    *, as_json: Annotated[bool, Parameter(name="--json", help="Print as JSON.", negative=())] = False
) -> None:
    """List the bundled scenarios, a line each."""
    found = [(name, load(name)) for name in bundled()]
    if as_json:
        rows = [{"name": name, "title": s.title, "title_ja": s.title_ja} for name, s in found]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, s in found:
        table.add_row(name, s.title)
    console = Console(highlight=False)
    console.print(table)
    console.print("next: noroshi run hokkaido-2017")
