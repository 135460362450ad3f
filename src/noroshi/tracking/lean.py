"""Arrays that count no references: atomic counting of every slice took 40 % of the tracker's time.

A function that takes them as arguments cannot know that there is nothing to count: hot ones make them lean again.
"""

from __future__ import annotations

from typing import Any

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tracking.state import Settings, State


@intrinsic
def _lean(typingctx, array):
    """The same array without an owner, for use while the caller holds the original (compiled code only)."""
    if not isinstance(array, types.Array):
        return None

    def codegen(context, builder, signature, arguments):
        kind = make_array(signature.return_type)
        given = kind(context, builder, value=arguments[0])
        out = kind(context, builder)
        for name in ("nitems", "itemsize", "data", "shape", "strides"):
            setattr(out, name, getattr(given, name))
        out.meminfo = cgutils.get_null_value(out.meminfo.type)
        out.parent = cgutils.get_null_value(out.parent.type)
        return out._getvalue()

    return array(array), codegen


lean: Any = _lean  # called with the array alone; the typing context is the compiler's


@njit(cache=True, nogil=True, error_model="numpy")
def lean_state(state):
    """The state's arrays without owners (see `lean`)."""
    return State(
        lean(state.clock),
        lean(state.counters),
        lean(state.slots),
        lean(state.mean),
        lean(state.cov),
        lean(state.weight),
        lean(state.cross),
        lean(state.score),
        lean(state.quiet),
        lean(state.info),
        lean(state.seen),
        lean(state.left),
        lean(state.left_int),
        lean(state.used),
        lean(state.cue_mean),
        lean(state.cue_cov),
        lean(state.cue_track),
        lean(state.cue_time),
        lean(state.looks),
        lean(state.work),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def lean_settings(s):
    """The settings' arrays without owners (see `lean`)."""
    return Settings(
        lean(s.motion),
        lean(s.bias),
        s.sense,
        s.gate,
        s.ambiguity,
        s.resolution,
        s.window,
        s.miss,
        s.height_min,
        s.height_max,
        s.speed_max,
        s.crossing_cos,
        s.single,
        s.spawn_distance,
        s.spawn_sigma,
        s.confirm_hits,
        s.confirm_of,
        s.confirm_score,
        s.delete_missed,
        s.delete_missed_tentative,
        s.delete_score,
        s.delete_record,
        s.delete_sigma,
        s.survive,
        s.merge_times,
        s.cue_resolve,
        s.time_sigma,
    )
