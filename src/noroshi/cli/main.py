"""The command line: `noroshi COMMAND`. Commands are imported when they are called."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError
from rich.console import Console

from noroshi.errors import NoroshiError

USER_ERROR, INTERRUPTED = 2, 130

app = App(
    name="noroshi",
    help="Design, simulate and run allied early-warning sensing networks.",
    version=lambda: __import__("importlib.metadata").metadata.version("noroshi"),
    help_epilogue="Start with: noroshi run hokkaido-2017",
    suppress_keyboard_interrupt=False,  # main says what was saved
)
app.command("noroshi.cli.run:run", name="run", help="Simulate a scenario, score it, write a run folder.")
app.command("noroshi.cli.check:check", name="check", help="Say every mistake of a scenario file at once.")
app.command(
    "noroshi.cli.coverage:coverage",
    name="coverage",
    help="Where, how often and by how many a target is seen; how many satellites a need takes.",
)
app.command(
    "noroshi.cli.track:track",
    name="track",
    help="Track anybody's recorded detections; with the truth, score them.",
)
app.command("noroshi.cli.init:init", name="init", help="Write a small commented scenario to start from.")
app.command(
    "noroshi.cli.validate:validate",
    name="validate",
    help="Recompute the published record; exit code 1 if off.",
)
app.command("noroshi.cli.scenarios:scenarios", name="scenarios", help="List the bundled scenarios.")


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code: 0 well, 1 our fault, 2 the user's, 130 interrupted."""
    errors = Console(stderr=True, highlight=False)
    try:
        app(arguments, console=Console(highlight=False), error_console=errors, exit_on_error=False)
    except NoroshiError as error:
        errors.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(USER_ERROR)
    except CycloptsError:  # already printed, with its remedy
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        errors.print(
            "interrupted; nothing half-written. The same command goes on with what was finished.",
            soft_wrap=True,
        )
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader has gone, e.g. `noroshi scenarios | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
