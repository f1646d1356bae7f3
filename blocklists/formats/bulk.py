"""From a chunk of text to sorted-file keys, a whole chunk at a time.

The loop over names is numpy's: 10 M names take about two seconds where a line-by-line parser takes a minute. The
order of the tests is that of ``odd.py``: this pass accepts only what that one would accept with the same key, and
hands everything it doubts over to it, token by token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dnswire.constants import MAX_LABEL_SIZE

_MAX_TEXT: Final = 253  # a name of 255 octets on the wire, as text without trailing dot
_LF: Final = 0x0A
_SPACE: Final = 0x20
_DOT: Final = 0x2E

_PART: Final = 0  # an octet of a label
_STOP: Final = 1  # "." before a label
_END: Final = 2  # behind a token
_ODD: Final = 3


def _classes() -> npt.NDArray[np.uint8]:
    table = np.full(256, _ODD, dtype=np.uint8)
    for octet in b"abcdefghijklmnopqrstuvwxyz0123456789-_":
        table[octet] = _PART
    table[_DOT] = _STOP
    table[_LF] = _END
    return table


_LINES: Final = _classes()
_WORDS: Final = _classes()
_WORDS[_SPACE] = _END


@dataclass(frozen=True, slots=True)
class OddToken:
    """A token that the bulk pass does not vouch for, with its line counted from 0 in the chunk."""

    line: int
    token: bytes


@dataclass(frozen=True, slots=True)
class Names:
    """``count`` keys, one NUL between them, last line's first; and the tokens left to look at singly."""

    blob: bytes
    count: int
    odd: list[OddToken]


def names_of(text: bytes, words: bool = False) -> Names:
    """The keys of a chunk's tokens: its lines, or with ``words`` whatever stands between spaces and line ends.

    ``text`` is in lower case and ends in LF. Empty tokens are skipped silently.
    """
    if not text:
        return Names(b"", 0, [])
    # A dot before each token gives each label an octet in front, which becomes its length.
    dotted = text.replace(b"\n", b"\n.")
    if words:
        dotted = dotted.replace(b" ", b" .")
    dotted = b"." + dotted[:-1]
    octets = np.frombuffer(bytearray(dotted), dtype=np.uint8)
    classes = (_WORDS if words else _LINES)[octets]
    marks = np.flatnonzero((classes == _STOP) | (classes == _END))
    sizes = np.diff(marks, append=len(octets)) - 1
    is_end = classes[marks] == _END
    last = np.flatnonzero(is_end)  # per token: index of its end among the marks
    first = np.empty_like(last)  # ... and of the dot before its first label
    first[0] = 0
    first[1:] = last[:-1] + 1
    ends = marks[last]
    starts = marks[first]

    labels = last - first
    empty = (labels == 1) & (sizes[first] == 0)
    top = octets[marks[last - 1] + 1]
    odd = (labels == 1) | (ends - starts - 1 > _MAX_TEXT)
    odd |= (top >= 0x30) & (top <= 0x39)  # perhaps an address
    bad = marks[(~is_end & (sizes == 0)) | (sizes > MAX_LABEL_SIZE)]
    odd[np.searchsorted(ends, bad)] = True
    odd[np.searchsorted(ends, np.flatnonzero(classes == _ODD))] = True
    odd &= ~empty

    left = _tokens(dotted, starts, ends, odd)
    # Behind an end there is always a dot at once, so that the end's own size is 0: the separator.
    octets[marks] = sizes.astype(np.uint8)
    keep = ~(odd | empty)
    count = int(np.count_nonzero(keep))
    if count < len(keep):
        octets = octets[np.repeat(keep, ends - starts + 1)]
    return Names(octets[::-1].tobytes()[1:], count, left)


def _tokens(
    dotted: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], odd: npt.NDArray[np.bool_]
) -> list[OddToken]:
    found: list[OddToken] = []
    line = 0
    counted = 0
    for index in np.flatnonzero(odd).tolist():
        start = int(starts[index])
        line += dotted.count(b"\n", counted, start)
        counted = start
        found.append(OddToken(line, dotted[start + 1 : int(ends[index])]))
    return found
