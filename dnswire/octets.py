"""Writing octets into memory that somebody else owns: a mapped file, the buffers of a socket.

``stretch`` checks once that the memory reaches far enough; what is written through it then costs no check, no object
and, compiled, no more than a store. So this is for octets that *we* made: what came from the network is read through
typed views, whose bounds are checked octet by octet. Interpreted, a stretch is a ``memoryview`` and checks as ever.

A stretch is valid for as long as the memory it is taken from, and is never kept: it is taken, written, and let go.
"""
# mypy: disable-error-code="name-defined"

from __future__ import annotations

import sys

import cython

# Compiled, memcpy and those that order octets are the C library's (octets.pxd); Cython leaves out the other branch.


def stretch(view: memoryview, start: int, size: int) -> memoryview:
    """The ``size`` octets of ``view`` from ``start`` on. Raises ``IndexError`` where the view does not have them."""
    if start < 0 or size <= 0 or start + size > len(view):
        raise IndexError("the stretch leaves its memory")
    if cython.compiled:
        return cython.address(view[start])  # type: ignore[no-any-return]  # Cython has no types of its own for mypy
    else:  # noqa: RET505 -- Cython leaves out the branch that is not its own
        return view[start : start + size]


def copy(into: memoryview, at: int, octets: bytes, start: int, size: int) -> None:
    """Copies ``octets[start : start + size]``. Raises ``IndexError`` where the octets do not have them.

    The caller has made sure that ``into`` holds them.
    """
    if start < 0 or size < 0 or start + size > len(octets):
        raise IndexError("the copy leaves its octets")
    if cython.compiled:
        memcpy(cython.address(into[at]), cython.cast(cython.p_char, octets) + start, size)
    else:
        into[at : at + size] = octets[start : start + size]


def same(memory: memoryview, at: int, octets: bytes, start: int, size: int) -> bool:
    """Whether the ``size`` octets of ``memory`` from ``at`` on, which the caller has made sure of, stand in ``octets``
    at ``start``.
    """
    if start < 0 or size < 0 or start + size > len(octets):
        return False
    if cython.compiled:
        there = cython.cast(cython.p_char, octets) + start
        return memcmp(cython.address(memory[at]), there, size) == 0  # type: ignore[no-any-return]  # C
    else:  # noqa: RET505 -- Cython leaves out the branch that is not its own
        return memory[at : at + size] == octets[start : start + size]


def get64(memory: memoryview, at: int) -> int:
    """Eight octets in whatever order this machine has them: for sums that never leave it."""
    if cython.compiled:
        memcpy(cython.address(word), cython.address(memory[at]), 8)
        return word  # type: ignore[no-any-return]  # C
    else:  # noqa: RET505 -- Cython leaves out the branch that is not its own
        return int.from_bytes(memory[at : at + 8], sys.byteorder)


def put32(into: memoryview, at: int, value: int) -> None:
    """Network order, as DNS messages have it."""
    if cython.compiled:
        ordered = htobe32(value)
        memcpy(cython.address(into[at]), cython.address(ordered), 4)
    else:
        into[at : at + 4] = value.to_bytes(4, "big")


def put32_low(into: memoryview, at: int, value: int) -> None:
    """Low octet first, as the spool has it; in one store, so that a process that dies has written all of it or none."""
    if cython.compiled:
        ordered = htole32(value)
        memcpy(cython.address(into[at]), cython.address(ordered), 4)
    else:
        into[at : at + 4] = value.to_bytes(4, "little")


def put64_low(into: memoryview, at: int, value: int) -> None:
    """Low octet first."""
    if cython.compiled:
        ordered = htole64(value)
        memcpy(cython.address(into[at]), cython.address(ordered), 8)
    else:
        into[at : at + 8] = value.to_bytes(8, "little")
