"""Answers with encrypted ClientHello in them."""

from __future__ import annotations

from collections.abc import Sequence

import dnslib

from dnswire.name import from_text
from tests.support.dns import answer, ask

HTTPS, RRSIG = 65, 46
KEYS = bytes.fromhex("0041fe0d003d0300200020") + bytes(50)


def param(key: int, value: bytes) -> bytes:
    return key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


ALPN = param(1, b"\x02h2\x02h3")
HINT4 = param(4, bytes((192, 0, 2, 1)))
ECH = param(5, KEYS)
HINT6 = param(6, bytes(15) + b"\x01")


def binding(*params: bytes, priority: int = 1, target: str = ".") -> bytes:
    """RDATA of an HTTPS RR."""
    return priority.to_bytes(2, "big") + from_text(target) + b"".join(params)


def signature(covered: int, signer: str = "site.example") -> bytes:
    """RDATA of an RRSIG."""
    return covered.to_bytes(2, "big") + bytes((13, 2)) + bytes(14) + from_text(signer) + bytes(64)


def https_answer(
    *rrs: tuple[str, int, bytes],
    lines: Sequence[str] = (),
    authority: Sequence[str] = (),
    additional: Sequence[tuple[str, int, bytes]] = (),
    ad: bool = False,
) -> bytes:
    """An upstream's answer to ``site.example HTTPS``: ``lines`` of a zone file, then RRs of owner, type and RDATA."""
    reply = dnslib.DNSRecord.parse(answer(ask("site.example", "HTTPS"), *lines, authority=authority, edns=False))
    reply.header.ad = int(ad)
    for owner, rrtype, rdata in rrs:
        reply.add_answer(dnslib.RR(owner, rrtype, rdata=dnslib.RD(rdata), ttl=300))
    for owner, rrtype, rdata in additional:
        reply.add_ar(dnslib.RR(owner, rrtype, rdata=dnslib.RD(rdata), ttl=60))
    return bytes(reply.pack())
