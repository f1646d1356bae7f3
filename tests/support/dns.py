"""Queries and answers in DNS words, for tests: ``ask``, ``answer``, ``RR``.

Built with dnslib, which shares no code with ``dnswire``: what both agree on was not wrong in the same way twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import dnslib

from dnswire.constants import EdnsOption


@dataclass(frozen=True)
class Said:
    """A response as a test compares it: texts of RRs (owner, TTL, class, type, data) by section."""

    id: int
    rcode: str
    flags: frozenset[str]
    question: str
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]
    ede: tuple[tuple[int, str], ...] = ()
    options: dict[int, bytes] = field(default_factory=dict)
    edns: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The last field of each RR of the answer section."""
        return tuple(rr.rsplit(" ", 1)[1] for rr in self.answer)

    @property
    def ttls(self) -> tuple[int, ...]:
        """The TTLs of the answer section, in seconds."""
        return tuple(int(rr.split(" ", 2)[1]) for rr in self.answer)


def ask(
    qname: str,
    rrtype: str = "A",
    *,
    message_id: int = 0x1234,
    rd: bool = True,
    cd: bool = False,
    ad: bool = False,
    edns: bool = True,
    do: bool = False,
    udp_size: int = 1232,
    options: Sequence[tuple[int, bytes]] = (),
    rrclass: str = "IN",
) -> bytes:
    """A query in wire form."""
    header = dnslib.DNSHeader(id=message_id, qr=0, rd=int(rd), cd=int(cd), ad=int(ad))
    record = dnslib.DNSRecord(header)
    record.add_question(dnslib.DNSQuestion(qname, getattr(dnslib.QTYPE, rrtype), getattr(dnslib.CLASS, rrclass)))
    if edns:
        opts = [dnslib.EDNSOption(code, data) for code, data in options]
        record.add_ar(dnslib.EDNS0(flags="do" if do else "", udp_len=udp_size, opts=opts))
    return bytes(record.pack())


def answer(
    query: bytes,
    *rrs: str,
    authority: Sequence[str] = (),
    additional: Sequence[str] = (),
    rcode: str = "NOERROR",
    edns: bool = True,
) -> bytes:
    """An upstream's answer to ``query``: RRs as zone-file lines."""
    parsed = dnslib.DNSRecord.parse(query)
    reply = parsed.reply(aa=0, ra=1)
    reply.header.rcode = getattr(dnslib.RCODE, rcode)
    for line in rrs:
        for rr in dnslib.RR.fromZone(line):
            reply.add_answer(rr)
    for line in authority:
        for rr in dnslib.RR.fromZone(line):
            reply.add_auth(rr)
    for line in additional:
        for rr in dnslib.RR.fromZone(line):
            reply.add_ar(rr)
    if edns:
        reply.add_ar(dnslib.EDNS0(udp_len=1232))
    return bytes(reply.pack())


def heard(message: bytes) -> Said:
    """A response as facts; fails the test where dnslib cannot read it."""
    record = dnslib.DNSRecord.parse(message)
    header = record.header
    opts = [rr for rr in record.ar if rr.rtype == dnslib.QTYPE.OPT]
    options = {option.code: bytes(option.data) for rr in opts for option in rr.rdata}
    extended = (opts[0].ttl >> 24) << 4 if opts else 0
    rcode = header.rcode | extended
    ede = tuple(
        (int.from_bytes(option.data[:2], "big"), bytes(option.data[2:]).decode())
        for rr in opts
        for option in rr.rdata
        if option.code == EdnsOption.EDE
    )
    return Said(
        id=header.id,
        rcode=dnslib.RCODE.get(rcode) if rcode != 16 else "BADVERS",
        flags=frozenset(flag for flag in ("qr", "aa", "tc", "rd", "ra", "ad", "cd") if getattr(header, flag)),
        question=_question(record),
        answer=tuple(_text(rr) for rr in record.rr),
        authority=tuple(_text(rr) for rr in record.auth),
        additional=tuple(_text(rr) for rr in record.ar if rr.rtype != dnslib.QTYPE.OPT),
        ede=ede,
        options=options,
        edns=bool(opts),
    )


def _question(record: dnslib.DNSRecord) -> str:
    if not record.questions:
        return ""
    asked = record.questions[0]
    return f"{str(asked.qname).rstrip('.') or '.'} {dnslib.CLASS.get(asked.qclass)} {dnslib.QTYPE.get(asked.qtype)}"


def _text(rr: dnslib.RR) -> str:
    owner = str(rr.rname).rstrip(".") or "."
    data = str(rr.rdata)
    return f"{owner} {rr.ttl} {dnslib.CLASS.get(rr.rclass)} {dnslib.QTYPE.get(rr.rtype)} {data.rstrip('.')}"
