"""Seeded mutations of messages, for fuzzers: the same seed gives the same bytes on every machine."""

from __future__ import annotations

import random
from collections.abc import Iterator


def mutations(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` mutated copies of ``seeds``: flipped, cut, doubled, spliced, with interesting octets put in."""
    source = random.Random(seed)
    for _ in range(count):
        message = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 4)):
            _mutate(message, seeds, source)
        yield bytes(message)


def _mutate(message: bytearray, seeds: list[bytes], source: random.Random) -> None:
    if not message:
        message += bytes(source.randrange(256) for _ in range(source.randint(1, 40)))
        return
    position = source.randrange(len(message))
    kind = source.randrange(7)
    if kind == 0:
        message[position] ^= 1 << source.randrange(8)
    elif kind == 1:
        message[position] = source.choice((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xC0, 0x0C, 0xFF))
    elif kind == 2:
        del message[position:]
    elif kind == 3:
        del message[position : position + source.randint(1, 8)]
    elif kind == 4:
        message[position:position] = message[position : position + source.randint(1, 30)]
    elif kind == 5:
        other = source.choice(seeds)
        message[position:] = other[source.randrange(len(other)) :] if other else b""
    else:
        message[position : position + 2] = source.choice(
            (b"\xc0\x0c", b"\xc0\x00", b"\xff\xff", b"\x00\x00", b"\xc0\xff")
        )
