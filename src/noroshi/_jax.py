"""JAX and Numba set up once: float64 on, compiled programs kept in the user's cache. Import before either."""

from __future__ import annotations

import os

from platformdirs import user_cache_dir

_CACHE = user_cache_dir("noroshi", appauthor=False)
os.environ.setdefault("NUMBA_CACHE_DIR", os.path.join(_CACHE, "numba"))

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", os.path.join(_CACHE, "xla"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
