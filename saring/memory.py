"""Memory that was used once and is not needed again goes back to the system.

The loader, the API and the scheduler work in bursts: a batch of the log, a day of it merged, an answer over a million
rows. glibc keeps what they freed, an arena for each thread, and Arrow's own allocator keeps another share, so that the
largest burst of each stayed in memory for ever. Thresholds that never rise (``M_TRIM_THRESHOLD``) would do it all the
time, and cost the loader a third of its rows a second: so it is done now and then.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_M_ARENA_MAX: Final = -8  # mallopt(3)
_ARROW_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"  # read when pyarrow is loaded


def share_one_pool() -> None:
    """One pool for all threads and for Arrow. To be called before there are threads, and before Arrow is loaded."""
    os.environ.setdefault(_ARROW_POOL, "system")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; other C libraries have no arenas
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Returns what is free; takes milliseconds, in which no other thread can allocate."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's, too
    if trim is not None:
        trim(0)
