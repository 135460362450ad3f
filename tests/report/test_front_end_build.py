"""What is built once: the lock names no host, and a wheel without the built pieces is refused."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from noroshi.report import page

ROOT = Path(__file__).parents[2]


def test_the_lock_is_exact_and_names_no_host() -> None:
    package = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))
    text = (ROOT / "web" / "package-lock.json").read_text("utf-8")
    locked = json.loads(text)["packages"]
    assert '"resolved"' not in text
    for name, wanted in (package["dependencies"] | package["devDependencies"]).items():
        assert wanted[0].isdigit(), f"{name} is not pinned"
        assert locked[f"node_modules/{name}"]["version"] == wanted
    for name, entry in locked.items():
        assert not name or entry["integrity"].startswith("sha512-"), name
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "web" / ".npmrc").read_text("utf-8")


@pytest.fixture
def hook(tmp_path: Path):
    """The build hook, for an empty checkout."""
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert set(module.PIECES) == set(page.PIECES)
    return module.FrontEnd(str(tmp_path), {}, None, None, str(tmp_path), "wheel")


def test_a_wheel_without_the_front_end_is_refused(hook) -> None:
    with pytest.raises(RuntimeError, match="make web"):
        hook.initialize("standard", {})


def test_an_editable_install_comes_before_the_build(hook) -> None:
    hook.initialize("editable", {})


def test_a_wheel_with_it_is_not(hook, tmp_path: Path) -> None:
    static = tmp_path / "src" / "noroshi" / "report" / "static"
    static.mkdir(parents=True)
    for name in page.PIECES:
        (static / name).touch()
    hook.initialize("standard", {})


@pytest.mark.skipif(
    not (page._STATIC / "THIRD_PARTY_LICENSES.txt").is_file(),
    reason="the front end has not been built: run `make web`",
)
def test_every_bundled_package_brings_its_licence() -> None:
    notices = (page._STATIC / "THIRD_PARTY_LICENSES.txt").read_text("utf-8")
    for name in ("vega", "vega-lite", "vega-interpreter", "world-atlas", "d3-scale"):
        assert f"{name} " in notices
    for notice in notices.split("-" * 100):
        assert len(notice.strip().splitlines()) > 5, notice
