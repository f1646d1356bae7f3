"""The bytes that the cache counts are those it takes: closely interpreted, at most where objects are compiled."""

from __future__ import annotations

import os
import tracemalloc

import pytest

from dnswire import answer
from dnswire.answer import parse_answer
from resolver.cache import Cache
from tests.support import dns_messages as say

COMPILED = not (answer.__file__ or "").endswith(".py")


@pytest.mark.parametrize("records", [1, 3, 12])
def test_counted_bytes_are_the_real_ones(records: int) -> None:
    questions = [say.question(f"host-{number}.some-zone.example") for number in range(3_000)]
    messages = [
        say.response(
            question,
            answer=tuple(
                b"\xc0\x0c" + say.a(".", ".".join(str(octet) for octet in os.urandom(4)), 3_000 + number)[1:]
                for _ in range(records)
            ),
        )
        for number, question in enumerate(questions)
    ]
    kept = Cache(1 << 30, 0, 86_400, 3_600)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for question, message in zip(questions, messages, strict=True):
            # The key and the message are made anew in the worker as well.
            kept.put(question + b"\x00", parse_answer(bytes(bytearray(message))), 1_700_000_000.5)
        real, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    taken = real - before
    if COMPILED:
        # Typed fields take less than Python objects do; counting them as if they did errs on the safe side.
        assert 0.85 * taken <= kept.size_bytes <= 1.5 * taken
    else:
        assert kept.size_bytes == pytest.approx(taken, rel=0.15)
