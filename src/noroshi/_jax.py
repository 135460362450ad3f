"""JAX and Numba set up once: float64 on, compiled programs kept in the user's cache. Import before either."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from platformdirs import user_cache_dir

_CACHE = user_cache_dir("noroshi", appauthor=False)


def _sources() -> str:
    """A name for the present state of all sources that compiled code may come from.

    Numba renews a function's cached program when that function's own file changes, not when a function or a
    constant it uses does; so the folder is renewed instead.
    """
    root = Path(__file__).parent
    folders = (".", "tracking", "warning", "coverage")
    files = sorted(f for folder in folders for f in root.glob(f"{folder}/*.py"))
    stamps = [f"{f.relative_to(root)} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", os.path.join(_CACHE, "numba", _sources()))
if "numba" in sys.modules:  # imported before us: it has read its environment already
    sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", os.path.join(_CACHE, "xla"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
