"""Random streams by name: a result depends on the seed, the run and the names, on nothing else."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, run: int, *names: str) -> np.random.Generator:
    """The random stream of one purpose and entity, e.g. `stream(7, 0, "detect", "ir-03", "hs12")`.

    The same seed, run and names give the same numbers, whatever else is drawn, in whatever order, by however
    many workers. Philox counter generator (Salmon et al., SC11), keyed by a SHA-256 of the names.
    """
    text = "\x1f".join((str(seed), str(run), *names))
    key = np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
