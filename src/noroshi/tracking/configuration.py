"""The tracker's settings from outside: a preset by name, or a TOML file that changes some of one; and back to text."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from noroshi.errors import ScenarioError
from noroshi.tracking.models import Bias, TrackerConfig
from noroshi.tracking.presets import NAMES, preset
from noroshi.tracking.state import settings

# what an entry of a table looks like that no preset has any of
EMPTY = {"biases": Bias(0, 0.0, 0.0, 0.0)}


def configuration(given: str) -> TrackerConfig:
    """A preset by name, or a TOML file: `preset = "air"` and whatever it changes. Raises ScenarioError."""
    path = Path(given)
    if given in NAMES or not (path.suffix or path.exists()):
        return preset(given)
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ScenarioError(
            f"cannot be read: {error.strerror}",
            where=given,
            remedy=f"give a file, or one of {', '.join(NAMES)}",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"is not TOML: {error}", where=given, remedy="correct the line") from None
    base = data.pop("preset", NAMES[0])
    if not isinstance(base, str):
        raise ScenarioError("preset is not a name", where=given, remedy=f"one of {', '.join(NAMES)}")
    config = overridden(preset(base), data, given)
    settings(config)  # raises for values that no tracker can work with
    return config


def overridden(base: Any, table: dict[str, Any], where: str, path: str = "") -> Any:
    """A NamedTuple of settings with the fields of a table changed; a table in it changes a nested one.

    Raises ScenarioError for a key that it does not have, or a value of another kind.
    """
    changed = {}
    for key, value in table.items():
        if key not in base._fields:
            raise ScenarioError(
                f"no setting is called {path}{key}", where=where, remedy=_hint(key, base._fields)
            )
        old = getattr(base, key)
        changed[key] = _converted(
            old if old != () or key not in EMPTY else (EMPTY[key],), value, where, path + key
        )
    return base._replace(**changed)


def described(config: Any) -> Any:
    """Settings as plain values for JSON; infinity as text."""
    if hasattr(config, "_fields"):
        return {name: described(getattr(config, name)) for name in config._fields}
    if isinstance(config, tuple | list):
        return [described(value) for value in config]
    if isinstance(config, float) and not isfinite(config):
        return str(config)
    return config


def _converted(old: Any, new: Any, where: str, path: str) -> Any:
    if hasattr(old, "_fields") and isinstance(new, dict):
        return overridden(old, new, where, f"{path}.")
    number = isinstance(new, int | float) and not isinstance(new, bool)
    if isinstance(old, bool) and isinstance(new, bool):
        return new
    if isinstance(old, int) and not isinstance(old, bool) and isinstance(new, int) and number:
        return new
    if isinstance(old, float) and number:
        return float(new)
    if isinstance(old, str) and isinstance(new, str):
        return new
    if isinstance(old, tuple) and isinstance(new, list) and old and not hasattr(old[0], "_fields"):
        return tuple(_converted(old[0], item, where, f"{path}[{k + 1}]") for k, item in enumerate(new))
    if (
        isinstance(old, tuple)
        and isinstance(new, list)
        and old
        and all(isinstance(item, dict) for item in new)
    ):
        return tuple(
            overridden(old[min(k, len(old) - 1)], item, where, f"{path}[{k + 1}].")
            for k, item in enumerate(new)
        )
    raise ScenarioError(
        f"{path} = {new!r} is no such value", where=where, remedy=f"it is one like {described(old)!r}"
    )


def _hint(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"one of {', '.join(known)}"
