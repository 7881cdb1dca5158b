"""What the C library does with memory that a batch has freed."""

import ctypes
from typing import Final

# malloc.h of glibc
_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_LARGEST_MMAP_THRESHOLD: Final = 32 * 1024 * 1024
"""glibc refuses more."""


def keep_freed_memory() -> bool:
    """Make the C library keep what is freed instead of giving it back to the system; false where it is not glibc.

    Each batch fills some ten megabytes of buffers and frees them. By default they go back and come again as new pages,
    and a page fault costs up to 4 us on a virtual machine: a fifth of all CPU time of a worker (docs/performance.md).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    settings = (
        (_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD),
        (_M_TRIM_THRESHOLD, 1024**3),
        (_M_TOP_PAD, 16 * 1024**2),
        # Inserts run in whichever thread is free, and each thread would keep what its largest insert needed.
        (_M_ARENA_MAX, 2),
    )
    return all(mallopt(name, value) == 1 for name, value in settings)
