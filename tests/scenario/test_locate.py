"""Where each key of a TOML text stands, against what tomllib reads."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.scenario.load import bundled
from noroshi.scenario.locate import Path, Place, locate
from noroshi.scenario.template import template

TRICKY = '''\
# a comment with "quotes', [tables] and = signs
title = "a # that starts no comment" # one that does: "x = 1"
literal = 'C:\\no\\escape'  # backslashes
escaped = "say \\"x = 1\\" and \\\\"
multi = """
fake = 1
[not_a_table]
\\""" still inside "" and two quotes ends it"""""
raw = \'\'\'
fake = 2 \'\' \\\'\'\'
a.b.c = 1
a . d = 2
"quoted key" = 3
a."e f".g = 4
date = 1979-05-27 07:32:00
nested = [ [1, 2], [ # a comment ] inside
  "three, ]", { four = "}" } ], ]
inline = { x = 1, y.z = 2, list = [{ p = 1 }, { p = 2 }] }

[table]
key = 1
[table.sub]
key = 2

[[many]]
name = "first"
[many.sub]
key = 1
[[many.inner]]
key = 1
[[many.inner]]
key = 2
[[many]]
name = "second"
[[many.inner]]
key = 3
[ spaced . "out" ]
key = 4
'''


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every key and every element that tomllib found."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def text_at(text: str, place: Place) -> str:
    return text.split("\n")[place.line - 1][place.column - 1 :]


def check(text: str) -> dict[Path, Place]:
    """Every path has a place, nothing else has one, and the text there starts with the key."""
    places = locate(text)
    wanted = set(paths(tomllib.loads(text)))
    assert set(places) == wanted
    for path in wanted:
        key = next(k for k in reversed(path) if isinstance(k, str))
        here = text_at(text, places[path])
        if isinstance(path[-1], str):
            assert here.startswith((key, f'"{key}"', f"'{key}'")), (path, here)
    return places


def test_all_kinds_of_keys_strings_tables_and_comments() -> None:
    places = check(TRICKY)
    # by hand: lines and columns counted in the text above
    assert places["title",] == Place(2, 1, 5)
    assert places["a", "b", "c"] == Place(11, 5, 1)
    assert places["a", "d"] == Place(12, 5, 1)
    assert places["nested", 1, 1, "four"][:2] == (17, 17)
    assert text_at(TRICKY, places["nested", 1, 0]).startswith('"three')
    assert places["many", 1, "inner", 0, "key"].line == 36
    assert places["many", 0, "inner", 1, "key"].line == 32
    assert text_at(TRICKY, places["many", 1]).startswith("many]]")
    assert text_at(TRICKY, places["inline", "list", 1, "p"]).startswith("p = 2")


@pytest.mark.parametrize("name", ["template", *bundled()])
def test_our_own_files(name: str) -> None:
    check(template("x") if name == "template" else bundled()[name].read_text("utf-8"))


def test_the_length_of_a_place_ends_with_its_line() -> None:
    assert locate("x = [[\n1,\n2]]\n")["x", 0] == Place(1, 6, 1)
    assert locate('x = ["""a\nb""", 3]')["x", 0].length == 4


bare = st.text("abcXYZ019-_", min_size=1, max_size=6)
keys = st.one_of(bare, st.text("ab .#[]=é'", min_size=0, max_size=5))
scalars = st.sampled_from(
    [
        "1",
        "-1.5e3",
        "true",
        "nan",
        '"# no"',
        "'[x] = \"'",
        '"""\nk = 1\n"""',
        "'''a\n'b' '''",
        '"\\"\\\\"',
        "12:30:00",
    ]
)
spaces = st.sampled_from(["", " ", "\t"])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: "[" + ', # ] "\n'.join(v) + "]"),
        st.dictionaries(bare, inner, max_size=3).map(
            lambda d: "{" + ", ".join(f"{k} = {v}" for k, v in d.items()) + "}"
        ),
    ),
    max_leaves=5,
)


def spelled(key: str) -> str:
    """A key as TOML wants it: bare where it can be."""
    return key if key and all(c in "abcXYZ019-_" for c in key) else f'"{key}"'


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Tables, arrays of tables and dotted keys with values of every kind."""
    lines = []
    for k in range(draw(st.integers(0, 4))):
        if k:
            head = [f"t{draw(st.integers(0, 2))}", *(f"{x}" for x in draw(st.lists(bare, max_size=1)))]
            lines.append(draw(st.sampled_from(["[{}]", "[[{}]]", "[ {} ] # ]"])).format(".".join(head)))
        for key in draw(st.lists(st.lists(keys, min_size=1, max_size=2), max_size=4)):
            lines.append(
                draw(spaces) + ".".join(map(spelled, key)) + draw(spaces) + "=" + draw(spaces) + draw(values)
            )
    return "\n".join(lines)


@given(documents())
def test_every_key_of_any_document_has_its_place(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # the same table twice, a newline inside an inline table
        return
    check(text)
