"""Ready-made configurations of the tracker, by name, and overrides of them from a table such as a TOML file's.

Everything here is notional: reasons stand beside the figures.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from math import inf, isfinite
from pathlib import Path
from typing import Any

from noroshi.errors import ScenarioError
from noroshi.tracking.models import Motion, TrackerConfig
from noroshi.tracking.state import default_config, settings

NAMES = ("space-infrared", "radar", "air")
_OFF = Motion(tau_s=0.0, sigma_m_s2=0.0, jerk_psd=0.0, velocity_psd=0.0)


def preset(name: str) -> TrackerConfig:
    """The configuration of this name. Raises ScenarioError for another one."""
    if (
        name == "space-infrared"
    ):  # boosters, bodies and gliders seen by angles from orbit: the tracker's defaults
        return default_config()
    if (
        name == "radar"
    ):  # the same targets seen by radars that see them cold: absence says more, plots start tracks
        return default_config()._replace(
            delete_missed=8,  # p_detect 0.9: a target in view misses 8 looks in a row once in 1e8
            delete_missed_tentative=3,  # false plots do not repeat
            delete_sigma_m=20_000.0,
            initiate_height_min_m=-500.0,
            max_tracks=512,
        )
    if name == "air":
        return default_config()._replace(
            # carried by wings: the lift of 9.8 m/s2 against gravity stays, so constant acceleration, nearly
            # undriven in straight flight (turbulence, and the turning of the vertical with the Earth) ...
            boost=Motion(tau_s=inf, sigma_m_s2=10.0, jerk_psd=0.02, velocity_psd=0.05),
            ballistic=_OFF,
            # ... and driven in turns: 3 deg/s at 150 m/s is 7.9 m/s2 and 0.41 m/s3 for the ten seconds of a quarter
            manoeuvring=Motion(tau_s=inf, sigma_m_s2=10.0, jerk_psd=2.0, velocity_psd=0.5),
            dwell_s=(120.0, 0.0, 30.0),  # minutes straight, a turn of half a minute
            initiate_window_s=1.5,
            initiate_height_min_m=-500.0,  # below the ellipsoid by the geoid, and by the error of a low plot
            initiate_height_max_m=25_000.0,  # above the ceiling of aircraft
            initiate_speed_max_m_s=1_000.0,  # Mach 3
            delete_missed=6,
            delete_missed_tentative=3,
            delete_sigma_m=10_000.0,
            max_tracks=1024,
        )
    raise ScenarioError(f"no configuration is called {name!r}", where="--config", remedy=_hint(name, NAMES))


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
        changed[key] = _converted(getattr(base, key), value, where, path + key)
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
