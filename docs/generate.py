"""Write docs/reference/scenario.md from the schema: `python docs/generate.py`. A test compares the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from noroshi.scenario.schema import Scenario

OUT = Path(__file__).parent / "reference" / "scenario.md"
HEAD = """# Scenario files

Generated from `noroshi.scenario.schema` by `python docs/generate.py`; do not edit. `noroshi check FILE` says every
mistake of a file at once, `noroshi check --schema` prints the JSON Schema for editors. Units stand in the names. Tables
marked † need `source` (where their figures come from) or `notional` (why they are assumed). Every event (`launch_s`,
`boost_s`, bank times, scan periods) lies on the grid of `step_s`.
"""


def page() -> str:
    """The whole page."""
    schema = Scenario.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    parts = [HEAD, _table("The file", schema, definitions)]
    shown: set[str] = set()
    for key, part in schema["properties"].items():
        for name in _references(part):
            heading = f"`[[{key}]]`" if part.get("type") == "array" else f"`[{key}]`"
            parts.append(_table(_heading(heading, definitions[name]), definitions[name], definitions))
            for inner_key, inner in definitions[name]["properties"].items():
                for inner_name in _references(inner):
                    if "properties" in definitions[inner_name] and inner_name not in shown:
                        shown.add(inner_name)
                        title = _heading(f"`{inner_key}` of {heading}", definitions[inner_name]).replace(
                            " †", ""
                        )
                        parts.append(_table(title, definitions[inner_name], definitions))
    return "\n".join(parts)


def _heading(heading: str, definition: dict[str, Any]) -> str:
    kind = definition["properties"].get("kind", {}).get("const")
    dagger = " †" if "notional" in definition["properties"] and "source" in definition["properties"] else ""
    return f"{heading}{f' kind = {kind!r}' if kind else ''}{dagger}".replace("'", '"')


def _references(part: dict[str, Any]) -> list[str]:
    found = []
    for value in (
        part,
        part.get("items", {}),
        *part.get("anyOf", []),
        *(choice for option in part.get("anyOf", []) for choice in option.get("oneOf", [])),
        *part.get("items", {}).get("oneOf", []),
    ):
        if "$ref" in value:
            found.append(value["$ref"].rsplit("/", 1)[1])
        if value.get("type") == "array" and "$ref" in value.get("items", {}):
            found.append(value["items"]["$ref"].rsplit("/", 1)[1])
    return list(dict.fromkeys(found))


def _table(title: str, definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    rows = ["", f"## {title}", ""]
    if definition.get("description"):
        rows += [definition["description"].split("\n")[0], ""]
    rows += ["| key | type and bounds | default | meaning |", "|---|---|---|---|"]
    required = set(definition.get("required", []))
    for key, part in definition["properties"].items():
        default = "required" if key in required else _default(part.get("default"))
        rows.append(f"| `{key}` | {_kind(part)} | {default} | {part.get('description', '')} |")
    return "\n".join(rows) + "\n"


def _default(value: Any) -> str:
    if value is None or isinstance(value, dict) or value in ([], ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(part: dict[str, Any]) -> str:
    if "anyOf" in part:
        return " or ".join(_kind(p) for p in part["anyOf"] if p.get("type") != "null")
    if "enum" in part:
        return ", ".join(f"`{v}`" for v in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    if "$ref" in part or "oneOf" in part:
        return "table"
    if part.get("type") == "array":
        return (
            "list of tables"
            if "$ref" in part.get("items", {}) or "oneOf" in part.get("items", {})
            else "list"
        )
    bounds = [
        f"{sign} {part[key]:g}"
        for key, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in part
    ]
    name = {"number": "number", "integer": "whole number", "string": "text", "object": "table"}.get(
        part.get("type", ""), part.get("type", "")
    )
    if "pattern" in part:
        bounds.append(f"matching `{part['pattern']}`".replace("|", "\\|"))
    return " ".join([name, *bounds])


if __name__ == "__main__":
    OUT.write_text(page(), "utf-8")
