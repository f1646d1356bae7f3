"""Names in bulk say the same as names one by one."""

from __future__ import annotations

import random

import numpy as np

from dnswire.name import to_text
from querylog.wire_text import name_column
from tests.support.querylog_samples import wire


def column(names: list[bytes]) -> list[str]:
    data = np.frombuffer(b"??".join([b"", *names, b""]), np.uint8)
    sizes = np.array([len(name) for name in names], np.int64)
    starts = np.cumsum(sizes + 2) - sizes
    texts: list[str] = name_column(data, starts, sizes).to_pylist()
    return texts


def test_plain_names_the_root_and_none() -> None:
    assert column([wire("www.example.com"), b"\0", b"", wire("id"), wire("_dns.a-b.c")]) == [
        "www.example.com",
        ".",
        "",
        "id",
        "_dns.a-b.c",
    ]


def test_any_octets_say_what_dnswire_says() -> None:
    rng = random.Random(5)
    names = []
    for _ in range(3000):
        labels = [rng.randbytes(rng.randint(1, 20)) for _ in range(rng.randint(0, 5))]
        names.append(b"".join(bytes((len(label),)) + label for label in labels) + b"\0")
    assert column(names) == [to_text(name) for name in names]


def test_bytes_that_are_no_name_are_shown_and_harm_no_neighbour() -> None:
    broken = [b"\x05abc", b"\x03abc\0\x01", b"\xff", b"\x01\0", b"\x03abc\x02", b"\0\0"]
    names = [name for bad in broken for name in (bad, wire("good.id"))]
    texts = column(names)
    assert texts[1::2] == ["good.id"] * len(broken)
    assert all(text.startswith("\\") or text for text in texts[::2])


def test_no_names() -> None:
    assert column([]) == []
