"""Whatever octets a server sends within or instead of TLS and HTTP/2: replies, or the end of its connection.

Seeded and bounded; ``SARING_FUZZ_FACTOR`` multiplies how much. ``corpus/http2-*.hex`` once broke something.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from dnswire.name import from_text
from resolver.upstream import message as m
from resolver.upstream.framing import FramingError, LengthFraming
from resolver.upstream.http2 import Http2Framing
from resolver.upstream.tls import Identity, TlsPipe, TlsRefused, context
from tests.support import dns_messages as say
from tests.support.mutation import mutations

CORPUS = Path(__file__).parent / "corpus"
FACTOR = int(os.environ.get("SARING_FUZZ_FACTOR", "1"))
ASKED = m.question(from_text("www.kantor.example"), 1, 1)
QUERY = m.build_query(0, ASKED, False, m.padded_opt(ASKED, False, b""))
REPLY = say.response(ASKED, answer=(say.a("www.kantor.example"),), additional=(say.opt(),))


def conversation() -> tuple[Http2Framing, bytes]:
    """A framing that waits for three replies, and what an honest server would say to it."""
    framing = Http2Framing("dns.example", "/dns-query", {})
    octets = framing.opening()
    for _ in range(3):
        octets += framing.query(framing.key(lambda: 0, ()), QUERY)
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    server.receive_data(octets)
    for stream in (1, 3, 5):
        server.send_headers(stream, [(":status", "200"), ("content-type", "application/dns-message"), ("age", "3")])
        server.send_data(stream, REPLY, end_stream=True)
    return framing, server.data_to_send()


def test_any_octets_in_place_of_http2() -> None:
    honest = conversation()[1]
    complete = broken = 0
    source = random.Random(11)
    for changed in mutations([honest], 400 * FACTOR, seed=12):
        framing, _ = conversation()
        found = []
        octets = changed
        try:
            while octets:
                size = source.choice((1, 9, 100, 4_096))
                found += framing.received(octets[:size])
                framing.to_send()
                octets = octets[size:]
        except FramingError:
            broken += 1
        complete += sum(delivery.message is not None for delivery in found)
        assert {delivery.key for delivery in found} <= {1, 3, 5}
        assert all(delivery.message is None or len(delivery.message) <= 65_535 for delivery in found)
    assert complete > 100
    assert broken > 50


@pytest.mark.parametrize("path", sorted(CORPUS.glob("http2-*.hex")), ids=lambda path: path.stem)
def test_what_once_broke_http2(path: Path) -> None:
    framing, _ = conversation()
    with pytest.raises(FramingError):
        framing.received(bytes.fromhex(path.read_text()))


def test_any_octets_in_place_of_lengths() -> None:
    source = random.Random(13)
    framed = len(REPLY).to_bytes(2, "big") + REPLY
    for changed in mutations([framed * 3], 2_000 * FACTOR, seed=14):
        framing = LengthFraming(10)
        try:
            octets = changed
            while octets:
                size = source.choice((1, 7, 60))
                assert all(len(d.message or b"") >= 12 for d in framing.received(octets[:size]))
                octets = octets[size:]
        except FramingError:
            continue


def test_any_octets_in_place_of_a_handshake() -> None:
    identity = Identity(context("", False, ""), "", frozenset(("x",)))
    source = random.Random(15)
    hello = bytes((22, 3, 3, 0, 64)) + source.randbytes(64)
    for changed in mutations([hello, b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(200)], 300 * FACTOR, seed=16):
        pipe = TlsPipe(identity, None)
        pipe.begin()
        assert pipe.to_send()
        try:
            assert pipe.received(changed) == b""
        except TlsRefused:
            continue
        assert not pipe.ready
