"""Read a scenario file, and say everything that is wrong with it at once: line, caret, remedy."""

from __future__ import annotations

import json
import re
import tomllib
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, cast, get_args, get_origin
from unicodedata import category, combining, east_asian_width

from pydantic import BaseModel, ValidationError

from noroshi.errors import ScenarioError
from noroshi.scenario import locate
from noroshi.scenario.consistency import missing_files, mistakes
from noroshi.scenario.schema import Scenario

SIZE_MAX = 10_000_000  # bytes: a scenario is written by hand
DEPTH_MAX = 20  # tables in tables: the format needs six
_UNITS = {
    "_km": ("km", "metres"),
    "_km_s": ("km/s", "m/s"),
    "_m_s": ("m/s", "km/s"),
    "_m_s2": ("m/s2", "g"),
    "_um": ("micrometres", "metres"),
    "_m2": ("square metres", "another unit"),
    "_kw": ("kilowatts", "watts"),
    "_kn": ("kilonewtons", "newtons"),
    "_kg": ("kilograms", "tonnes"),
    "_k": ("kelvin", "degrees Celsius"),
    "_ghz": ("gigahertz", "hertz"),
    "_mhz": ("megahertz", "hertz"),
    "_m": ("metres", "km"),
    "_deg": ("degrees", "another unit"),
    "_urad": ("microradians", "radians"),
    "_mrad": ("milliradians", "radians"),
    "_s": ("seconds", "milliseconds"),
    "_ms": ("milliseconds", "seconds"),
}


class Problem(NamedTuple):
    """One mistake: where it stands and what to do. line and column count from 1; 0: the file as a whole."""

    what: str
    remedy: str
    line: int
    column: int
    length: int


def bundled() -> dict[str, Path]:
    """Names and files of the scenarios that come with the package."""
    folder = Path(str(files("noroshi") / "scenario" / "library"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find(name: str) -> Path:
    """The file of a scenario: a path, or the name of a bundled one. Raises ScenarioError when there is none."""
    path = Path(name)
    if path.is_file():
        return path
    known = bundled()
    if name in known:
        return known[name]
    if path.is_dir():
        raise ScenarioError("is a folder", where=name, remedy="give the scenario file inside it")
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}?" if close else f"bundled ones: {', '.join(known)}"
    raise ScenarioError("no such file, and no bundled scenario of that name", where=name, remedy=hint)


def read_text(name: str) -> str:
    """The text of a scenario file. Raises ScenarioError where it cannot be read."""
    path = find(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScenarioError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="check its permissions"
        ) from None
    if len(data) > SIZE_MAX:
        raise ScenarioError(
            f"is {len(data) / 1e6:.0f} MB: no scenario", where=str(path), remedy="give a TOML scenario file"
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"is not UTF-8 text (byte {error.start})", where=str(path), remedy="save it as UTF-8"
        ) from None


def load(name: str) -> Scenario:
    """The scenario of a file or bundled name, the files it names made absolute.

    Raises ScenarioError listing every mistake of the file.
    """
    text, path = read_text(name), find(name)
    scenario, found = parse(text, path.parent)
    if scenario is None:
        raise ScenarioError(render(found, text, str(path)))
    return _anchored(scenario, path.parent.resolve())


def _anchored(scenario: Scenario, folder: Path) -> Scenario:
    """The scenario with its data files as absolute paths: from here on it stands by itself."""

    def at_home(part: Any) -> Any:
        named = getattr(part, "file", None)
        return part if named is None else part.model_copy(update={"file": str(folder / named)})

    return scenario.model_copy(
        update={
            "satellites": tuple(at_home(part) for part in scenario.satellites),
            "targets": tuple(at_home(part) for part in scenario.targets),
        }
    )


def parse(text: str, folder: Path | None = None) -> tuple[Scenario | None, list[Problem]]:
    """The scenario of a text, or None and every problem, in the order of the text.

    Data files must be there where `folder` (the scenario's own) is given. Contradictions between fields
    (`consistency.mistakes`) are looked for once every field is in order by itself.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(error, text)]
    except RecursionError:
        return None, [Problem("is nested too deeply", "give a scenario file", 0, 0, 0)]
    except ValueError as error:  # an integer of thousands of digits
        return None, [Problem(f"not a scenario: {error}", "give a scenario file", 0, 0, 0)]
    if _depth(data) > DEPTH_MAX:
        return None, [Problem("is nested too deeply", "give a scenario file", 0, 0, 0)]
    places = locate.locate(text)
    try:
        scenario = Scenario.model_validate_json(json.dumps(data, default=_utc, allow_nan=True))
    except ValidationError as error:
        return None, sorted(_problems(error, data, places), key=lambda p: (p.line, p.column))
    wrong = mistakes(scenario) + (missing_files(scenario, folder) if folder is not None else [])
    found = [Problem(m.what, m.remedy, *_place(places, m.path)) for m in wrong]
    return (scenario if not found else None), sorted(found, key=lambda p: (p.line, p.column))


def _utc(value: date | time) -> str:
    """A date and time that TOML writes without quotes, as the schema wants it."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()


def _depth(value: Any) -> int:
    """How deep tables and arrays lie in each other."""
    depth, layer = 0, [value]
    while layer:
        depth += 1
        layer = [
            x
            for v in layer
            for x in (v.values() if isinstance(v, dict) else v if isinstance(v, list) else ())
        ]
    return depth


def render(problems: list[Problem], text: str, name: str) -> str:
    """All problems as text: message, file:line:column, the line with its caret, the remedy."""
    lines = text.split("\n")
    blocks = []
    for p in problems:
        block = [p.what]
        if p.line:
            number = str(p.line)
            margin = " " * len(number)
            block.append(f"{margin}--> {name}:{p.line}:{p.column}")
            if p.line > 1 and lines[p.line - 2].strip():
                block.append(f"{p.line - 1:>{len(number)}} | {_printable(lines[p.line - 2])}")
            line = _printable(lines[p.line - 1])
            before, marked = line[: p.column - 1], line[p.column - 1 :][: p.length]
            block.append(f"{number} | {line}")
            block.append(f"{margin} | {_blank(before)}{'^' * max(1, len(_blank(marked)))}")
        else:
            block.append(f" --> {name}")
        if p.remedy:
            block.append(f"   help: {p.remedy}")
        blocks.append("\n".join(block))
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''} in {name}"
    return "\n\n".join([*blocks, f"{count}. Every field: noroshi check --schema"])


def _printable(line: str) -> str:
    """A line without what could steer a terminal."""
    shown = (c.isprintable() or c == "\t" or category(c) == "Zs" for c in line)
    return "".join(c if good else "\N{REPLACEMENT CHARACTER}" for c, good in zip(line, shown, strict=True))


def _blank(text: str) -> str:
    """As wide as a text on a terminal: Japanese characters take two columns, a tab stays one."""
    return "".join(
        "\t" if c == "\t" else "  " if east_asian_width(c) in "WF" else "" if combining(c) else " "
        for c in text
    )


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    match = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
    what = re.sub(r" \(at .*\)", "", str(error))
    last = text.rstrip("\n").count("\n") + 1
    line, column = (int(match[1]), int(match[2])) if match and match[1] else (last, 1)
    line = min(line, last)
    return Problem(f"not TOML: {what}", "see https://toml.io for the grammar", line, column, 1)


def _place(places: dict[locate.Path, locate.Place], path: locate.Path) -> locate.Place:
    """The place of a path, or of the nearest table around it."""
    for end in range(len(path), 0, -1):
        if path[:end] in places:
            return places[path[:end]]
    return locate.Place(0, 0, 0)


def _problems(
    error: ValidationError, data: Any, places: dict[locate.Path, locate.Place]
) -> Iterator[Problem]:
    errors = [(_true_path(e["loc"], data, e["type"]), e) for e in error.errors(include_url=False)]
    # an array whose entries are all wrong counts as empty for pydantic; the entries' own errors say enough
    errors = [(path, e) for path, e in errors if not (e["type"] == "too_short" and _at(path, data))]
    missing = {path for path, e in errors if e["type"] == "missing"}
    explained = set()
    for path, e in errors:
        if e["type"] == "extra_forbidden":
            guess = _did_you_mean(path, data, {p[-1] for p in missing if p[:-1] == path[:-1]})
            if guess is not None:
                explained.add((*path[:-1], guess))
            elif _strayed(path):
                explained.add((path[-1],))
    for path, e in errors:
        if path in explained and e["type"] == "missing":
            continue
        name = _spell(path)
        kind = e["type"]
        if kind == "extra_forbidden":
            guess = _did_you_mean(path, data, {p[-1] for p in missing if p[:-1] == path[:-1]})
            known = sorted(_fields(path[:-1], data))
            what = f"{name} is not a known field"
            remedy = f"did you mean {guess}?" if guess else f"known here: {', '.join(known)}"
            if _strayed(path):
                remedy = f"{path[-1]} belongs to the whole file: write it above the first [table]"
        elif kind == "missing":
            what = f"{name} is missing"
            remedy = _description(path, data)
        else:
            what = f"{name}: {_message(e)}"
            remedy = (
                _bracket_hint(path, e) or _choice_hint(e) or _unit_hint(path, e) or _description(path, data)
            )
        yield Problem(what, remedy, *_place(places, path))


def _strayed(path: locate.Path) -> bool:
    """Whether an unknown key is one of the whole file, below a table header where TOML gives it to that table."""
    return len(path) > 1 and path[-1] in _fields((), None)


def _bracket_hint(path: locate.Path, e: Any) -> str:
    """How a table is written, where [x] was taken for [[x]] or the other way round."""
    if len(path) == 1 and e["type"] == "tuple_type" and isinstance(e.get("input"), dict):
        return f"write its header as [[{path[0]}]]"
    if (
        len(path) == 1
        and e["type"] in ("model_type", "model_attributes_type")
        and isinstance(e.get("input"), list)
    ):
        return f"write its header as [{path[0]}]"
    return ""


def _choice_hint(e: Any) -> str:
    """What was meant, where one of a few words was asked for."""
    context, given = e.get("ctx") or {}, e.get("input")
    if e["type"] == "union_tag_invalid":
        given, words = context["tag"], context["expected_tags"]
    elif e["type"] == "literal_error":
        words = context["expected"]
    else:
        return ""
    close = get_close_matches(str(given), re.findall(r"'(\w+)'", words), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else ""


def _at(path: locate.Path, data: Any) -> Any:
    for key in path:
        data = data[key]
    return data


def _message(e: Any) -> str:
    if e["type"] == "value_error":
        return str(e["ctx"]["error"])
    if e["type"] in ("union_tag_not_found", "union_tag_invalid") and "signature" in e["loc"]:
        return 'needs kind = "glider", "plume", "body", "aircraft" or "satellite"'
    if e["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return 'needs kind = "ballistic", "glide", "recorded" or "air"'
    if e["type"] == "too_short":
        return "needs at least one entry"
    message = re.sub(r"^[A-Z]\w+ should", "should", str(e["msg"]))
    given = e.get("input")
    return f"{message} (given: {given!r})" if isinstance(given, str | int | float | bool) else message


def _true_path(loc: tuple[int | str, ...], data: Any, kind: str) -> locate.Path:
    """The path in the file: pydantic adds the tag of a union on its way, and names a missing key last."""
    path: list[int | str] = []
    here: Any = data
    for k, key in enumerate(loc):
        in_table = isinstance(here, dict) and key in here
        in_list = isinstance(here, list) and isinstance(key, int) and key < len(here)
        if in_table or in_list:
            here = cast(Any, here)[key]
        elif not (k == len(loc) - 1 and kind == "missing"):
            continue
        path.append(key)
    if kind == "union_tag_invalid":
        path.append("kind")
    return tuple(path)


def _spell(path: locate.Path) -> str:
    text = ""
    for key in path:
        text += f"[{key + 1}]" if isinstance(key, int) else (f".{key}" if text else key)
    return text or "the file"


def _unit_hint(path: locate.Path, e: Any) -> str:
    bound = next((v for k, v in (e.get("ctx") or {}).items() if k in ("le", "lt", "ge", "gt")), None)
    given = e.get("input")
    if not isinstance(bound, int | float) or not isinstance(given, int | float) or isinstance(given, bool):
        return ""
    if not isfinite(given):
        return "give a finite number"
    name = next((str(key) for key in reversed(path) if isinstance(key, str)), "")
    for suffix in sorted(_UNITS, key=len, reverse=True):
        if name.endswith(suffix):
            unit, other = _UNITS[suffix]
            if bound and (abs(given) >= 10 * abs(bound) or abs(given) <= abs(bound) / 100):
                return f"value is {given:g}; is it in {other}? this field is in {unit}"
            return f"this field is in {unit}"
    return ""


def _did_you_mean(path: locate.Path, data: Any, wanted: set[Any]) -> str | None:
    if _strayed(path):
        return None
    known = _fields(path[:-1], data)
    for candidates, cutoff in ((wanted, 0.5), (known, 0.6)):
        close = get_close_matches(str(path[-1]), [str(c) for c in candidates], n=1, cutoff=cutoff)
        if close:
            return close[0]
    return None


def _description(path: locate.Path, data: Any) -> str:
    field = _fields(path[:-1], data).get(path[-1]) if path else None
    return (field.description or "") if field is not None else ""


def _fields(path: locate.Path, data: Any) -> dict[Any, Any]:
    """Known keys (as written in the file) and their fields of the table at a path."""
    model: Any = Scenario
    here = data
    for key in path:
        if isinstance(key, int):
            here = here[key] if isinstance(here, list) and key < len(here) else None
            continue
        field = _aliased(model).get(key) if model is not None else None
        here = here.get(key) if isinstance(here, dict) else None
        model = field.annotation if field is not None else None
    return _aliased(_choose(model, here)) if model is not None else {}


def _aliased(model: Any) -> dict[Any, Any]:
    model = _choose(model, None)
    if model is None:
        return {}
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _choose(annotation: Any, table: Any) -> Any:
    """The model inside an annotation; of a union, the one whose `kind` the table has."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    if origin is Annotated or origin is tuple:
        return _choose(get_args(annotation)[0], table)
    if origin in (Union, types.UnionType):
        models = [m for m in (_choose(a, table) for a in get_args(annotation)) if m is not None]
        kind = table.get("kind") if isinstance(table, dict) else None
        for model in models:
            if "kind" in model.model_fields and kind in get_args(model.model_fields["kind"].annotation):
                return model
        return models[0] if models else None
    return None
