"""What a worker's cache holds, over a restart: saved in parts beside answering, read back the same way.

A restart should not send a thousand offices' names to the upstreams at once, least of all when it is the upstreams that
are down: what has expired is kept too, since it can still be served stale. The file holds answers and keys, nothing of
who asked. It is checked by XXH3 before it is believed, and each answer is parsed as strictly as one from the network: a
damaged file costs a cold cache, nothing else.

    magic, (length of the next: 4 octets; MessagePack of [key, stored_s, message]) ..., 4 zero octets, XXH3-128
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import xxhash

from dnswire.answer import Answer, parse_answer
from dnswire.constants import MAX_MESSAGE_SIZE
from dnswire.errors import WireError
from resolver.cache import Cache, is_failure

_log = logging.getLogger(__name__)

_MAGIC: Final = b"saring cache 1\n"
_LENGTH: Final = struct.Struct(">I")
_COUNTS_AT: Final = 10  # ARCOUNT: OPT is not kept, so what the upstream counted is too many
_MAX_KEY: Final = 512
_MAX_RECORD: Final = MAX_MESSAGE_SIZE + _MAX_KEY + 32
_DIGEST_SIZE: Final = 16
_BUFFER_SIZE: Final = 1 << 20

_Record = tuple[bytes, float, bytes]
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(tuple[bytes, float, bytes])


def save(cache: Cache, path: Path, part: int) -> Iterator[None]:
    """Writes the cache to ``path``, yielding after every ``part`` entries; complete, or not there at all.

    Raises ``OSError``. Closing the iterator early leaves the file as it was.
    """
    beside = path.with_suffix(".tmp")
    digest = xxhash.xxh3_128(_MAGIC)
    # 0600: which names a regency asks for is nobody's business.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb", _BUFFER_SIZE) as file:
            file.write(_MAGIC)
            for position, key in enumerate(cache.keys(), 1):
                entry = cache.peek(key)
                if entry is not None and _is_worth_keeping(entry.answer):
                    record = _ENCODER.encode((key, entry.stored_s, _message(entry.answer)))
                    record = _LENGTH.pack(len(record)) + record
                    digest.update(record)
                    file.write(record)
                if position % part == 0:
                    yield
            file.write(_LENGTH.pack(0) + digest.digest())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _is_worth_keeping(answer: Answer) -> bool:
    # What the upstream said in EDNS is not in the kept message, so answers that carry errors are left out.
    return not is_failure(answer) and not answer.ede and len(answer.message) <= MAX_MESSAGE_SIZE


def _message(answer: Answer) -> bytes:
    message = answer.message
    return message[:_COUNTS_AT] + answer.arcount.to_bytes(2, "big") + message[_COUNTS_AT + 2 :]


def load(
    cache: Cache, path: Path, max_size_bytes: int, part: int, now_s: float, flushed: Callable[[bytes, float], bool]
) -> Iterator[None]:
    """Takes back what ``save`` wrote, yielding after every ``part`` entries. Nothing where there is no sound file.

    ``flushed(name, stored_s)``: whether somebody had the name forgotten after it was stored (``cache_orders.py``).
    """
    try:
        data = _sound(path, max_size_bytes)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as fault:
        _log.warning("the saved cache is not used; answers are asked for anew", extra={"reason": str(fault)})
        return
    kept = 0
    for position, (key, stored_s, message) in enumerate(_records(data), 1):
        try:
            answer = parse_answer(message)
        except WireError:
            continue
        # The key begins with the question it answers: another pairing would give one name's answer to another.
        if key.startswith(answer.name) and not flushed(answer.name, stored_s):
            kept += cache.restore(key, answer, stored_s, now_s)
        if position % part == 0:
            yield
    _log.info("cache read back", extra={"entries": kept})


def _sound(path: Path, max_size_bytes: int) -> memoryview:
    """The records of the file. Raises ``ValueError`` where it is not what ``save`` wrote to its end."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_size_bytes:
            raise ValueError(f"{path} has {size} bytes, more than the {max_size_bytes} that the cache may hold")
        data = file.read(size)
    if not data.startswith(_MAGIC) or len(data) < len(_MAGIC) + _LENGTH.size + _DIGEST_SIZE:
        raise ValueError(f"{path} is not a cache of this version")
    end = len(data) - _DIGEST_SIZE - _LENGTH.size
    if xxhash.xxh3_128(data[:end]).digest() != data[-_DIGEST_SIZE:]:
        raise ValueError(f"{path} is damaged: its checksum does not fit")
    return memoryview(data)[len(_MAGIC) : end]


def _records(data: memoryview) -> Iterator[_Record]:
    offset = 0
    while offset + _LENGTH.size <= len(data):
        (size,) = _LENGTH.unpack_from(data, offset)
        offset += _LENGTH.size
        if not 0 < size <= min(_MAX_RECORD, len(data) - offset):
            return
        try:
            yield _DECODER.decode(data[offset : offset + size])
        except msgspec.MsgspecError:
            return
        offset += size
