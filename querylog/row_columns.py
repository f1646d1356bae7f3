"""Columns of text with few different values, encoded by dictionary: clients, codes, enumerations, nodes."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_MAPPED: Final = b"\0" * 10 + b"\xff\xff"  # RFC 4291 2.5.5.2


def clients(addresses: npt.NDArray[np.void]) -> pa.Array[Any]:
    """Addresses of 16 octets as text; a mapped IPv4 address in its own notation."""
    raw = np.ascontiguousarray(addresses)
    column = pa.Array.from_buffers(pa.binary(16), raw.size, [None, pa.py_buffer(raw.tobytes())])
    encoded = column.dictionary_encode()
    return _dictionary(encoded.indices, [client_text(value.as_py()) for value in encoded.dictionary])


def client_text(address: bytes) -> str:
    """Text of a client's address as stored."""
    if address.startswith(_MAPPED):
        return str(IPv4Address(address[12:]))
    return str(IPv6Address(address))


def labelled(
    generations: npt.NDArray[np.uint32], identifiers: npt.NDArray[np.uint32], text: Callable[[int, int], str]
) -> pa.Array[Any]:
    """Texts of identifiers, each in the generation of its row."""
    pairs = generations.astype(np.uint64) << np.uint64(32) | identifiers
    encoded = pa.array(pairs).dictionary_encode()
    values = encoded.dictionary.to_pylist()
    return _dictionary(encoded.indices, [text(pair >> 32, pair & 0xFFFF_FFFF) for pair in values])


def enumerated(numbers: npt.NDArray[np.uint8], kind: type[IntEnum]) -> pa.Array[Any]:
    """Lower-case names of an enumeration's members; a number it does not have is ``#<number>``."""
    encoded = pa.array(np.ascontiguousarray(numbers)).dictionary_encode()
    texts = {int(member): member.name.lower() for member in kind}
    values: list[Any] = encoded.dictionary.to_pylist()
    return _dictionary(encoded.indices, [texts.get(number, f"#{number}") for number in values])


def repeated(texts: list[str], counts: list[int]) -> pa.Array[Any]:
    """Each text as often as its count says."""
    return _dictionary(pa.array(np.repeat(np.arange(len(texts), dtype=np.int32), counts)), texts)


def _dictionary(indices: Any, texts: list[str]) -> pa.Array[Any]:
    """Two identifiers may have one text (an agency in two generations): a dictionary must not hold it twice."""
    unique = sorted(set(texts))
    if len(unique) < len(texts):
        places = {text: place for place, text in enumerate(unique)}
        remap = np.array([places[text] for text in texts], np.int32)
        indices, texts = pa.array(remap[indices.to_numpy()]), unique
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
