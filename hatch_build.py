"""Build hook: a wheel or sdist without the report's front-end pieces is refused; an editable install is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PIECES = ("report.js", "coast.json", "THIRD_PARTY_LICENSES.txt")


class FrontEnd(BuildHookInterface):
    """Looks whether `make web` has been run."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raise RuntimeError with the remedy when a piece is missing (editable installs build it later)."""
        if version == "editable":
            return
        static = Path(self.root) / "src" / "noroshi" / "report" / "static"
        missing = [name for name in PIECES if not (static / name).is_file()]
        if missing:
            raise RuntimeError(
                f"{static} lacks {', '.join(missing)}: run `make web` before building a wheel or sdist"
            )
