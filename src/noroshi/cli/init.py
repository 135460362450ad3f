"""`noroshi init`: a small scenario to start from."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from noroshi.errors import NoroshiError, OutputError
from noroshi.scenario.template import template


def init(
    file: Path = Path("my-network.toml"),
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", help="Print the path as JSON.", negative=())] = False,
) -> None:
    """Write a small commented scenario into FILE. A file that is there is never overwritten."""
    name = file.stem
    if file.suffix != ".toml" or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", name):
        raise NoroshiError(
            "the name must be lower case, digits and hyphens, and end in .toml",
            where=str(file),
            remedy="noroshi init my-network.toml",
        )
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(template(name))
    except FileExistsError:
        raise OutputError(
            "is there already and will not be overwritten", where=str(file), remedy="give another name"
        ) from None
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror}", where=str(file), remedy="choose a folder you may write to"
        ) from None
    if as_json:
        sys.stdout.write(json.dumps({"file": str(file)}) + "\n")
        return
    Console(highlight=False).print(f"wrote {file}   next: noroshi run {file}", soft_wrap=True)
