"""Sorting keys by the million: words of eight octets at a time, all of it numpy's.

A comparison sort compares each pair of keys from their first octet on, and keys share long beginnings. Here all keys
are sorted by their first eight octets at once; only those that are equal so far are looked at again, by their next
octets behind the number of their group. 1.5 M keys take 1.0 s, where ``list.sort``, taking repeated ones out and
putting the rest together again take 1.7.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_WORD: Final = 8
_BITS: Final = 64

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

# To keep so many of a word's first octets.
_KEPT: Final = np.array([0, *(((1 << 8 * size) - 1) << (_BITS - 8 * size) for size in range(1, 9))], dtype=np.uint64)


def distinct_sorted(blob: bytes) -> tuple[bytes, int]:
    """The keys of a blob (one NUL between them, none empty) in ascending order, each once and followed by NUL; and
    how many they are.
    """
    octets = np.frombuffer(blob + bytes(_WORD + 1), dtype=np.uint8)
    ends = np.flatnonzero(octets[: len(blob) + 1] == 0)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1] + 1])
    sizes = ends - starts
    order = _order(octets, starts, sizes)
    return _gathered(octets, starts[order], sizes[order]), len(order)


def _order(octets: Octets, starts: Places, sizes: Places) -> Places:
    """The keys in ascending order, by number; of equal ones only one."""
    words = np.ndarray(shape=(len(octets) - _WORD + 1,), dtype=">u8", buffer=octets.data, strides=(1,))
    found = _words(words, starts, sizes)
    order = np.argsort(found)
    tied, group = _ties(found[order])
    repeated = np.zeros(len(order), dtype=np.bool_)
    done = _WORD
    while len(tied):
        # Who ended before is equal to all others of its group, for no key holds a NUL.
        ended = sizes[order[tied]] < done
        repeated[tied[ended][1:]] |= np.diff(group[ended]) == 0
        tied, group = tied[~ended], group[~ended]
        if not len(tied):
            break
        numbers = order[tied]
        taken = (_BITS - int(group[-1]).bit_length()) // 8
        ahead = _words(words, starts[numbers] + done, sizes[numbers] - done)
        if taken < _WORD:
            ahead = group << np.uint64(8 * taken) | ahead >> np.uint64(_BITS - 8 * taken)
        within = np.argsort(ahead)
        order[tied] = numbers[within]
        again, group = _ties(ahead[within])
        tied = tied[again]
        done += taken
    return order[~repeated]


def _words(words: Words, starts: Places, sizes: Places) -> Words:
    """The word at each place, with NULs for what is behind the key's end."""
    return words[starts].astype(np.uint64) & _KEPT[np.minimum(sizes, _WORD)]


def _ties(found: Words) -> tuple[Places, Words]:
    """Which of ascending words are equal to a neighbour, and for each of these the number of its group, from 0."""
    same = found[1:] == found[:-1]
    tied = np.zeros(len(found), dtype=np.bool_)
    tied[1:] = same
    tied[:-1] |= same
    opens = np.ones(len(found), dtype=np.bool_)
    opens[1:] = ~same
    places = np.flatnonzero(tied)
    return places, (np.cumsum(opens[places]) - 1).astype(np.uint64)


def _gathered(octets: Octets, starts: Places, sizes: Places) -> bytes:
    """The keys one behind the other, each with its NUL.

    Copied in words, the last word of all keys first: what a word writes beyond its key's end is another key's first
    word, which is written later; and of the first words, the one behind.
    """
    ends = np.cumsum(sizes + 1)
    targets = ends - sizes - 1
    gathered = np.zeros(int(ends[-1]) + _WORD, dtype=np.uint8)
    source = np.ndarray(shape=(len(octets) - _WORD + 1,), dtype="<u8", buffer=octets.data, strides=(1,))
    target = np.ndarray(shape=(len(gathered) - _WORD + 1,), dtype="<u8", buffer=gathered.data, strides=(1,))
    for offset in range(int(sizes.max()) // _WORD * _WORD, -1, -_WORD):
        chosen = np.flatnonzero(sizes >= offset)
        target[targets[chosen] + offset] = source[starts[chosen] + offset]
    return gathered[: int(ends[-1])].tobytes()
