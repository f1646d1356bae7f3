"""A message as people read one, in the form of ``dig``; for explanations and the command line, never on the hot path.

RDATA is read by dnslib, behind a guard: crafted messages make it raise errors of any kind. What it cannot read is shown
as RFC 3597 has it, in hexadecimal.
"""

from __future__ import annotations

from typing import Final

import dnslib

from dnswire import name as wire
from dnswire.answer import Answer
from dnswire.client_options import read_client_subnet
from dnswire.constants import (
    EDNS_DO,
    FLAG_AA,
    FLAG_AD,
    FLAG_CD,
    FLAG_QR,
    FLAG_RA,
    FLAG_RD,
    FLAG_TC,
    HEADER_SIZE,
    EdeCode,
    EdnsOption,
    Rcode,
    RRClass,
    RRType,
)
from dnswire.edns import options, read_ede
from dnswire.errors import WireError
from dnswire.rdata import quoted
from dnswire.rrtypes import type_text

_FLAGS: Final = {
    "qr": FLAG_QR,
    "aa": FLAG_AA,
    "tc": FLAG_TC,
    "rd": FLAG_RD,
    "ra": FLAG_RA,
    "ad": FLAG_AD,
    "cd": FLAG_CD,
}
_CLASSES: Final = {int(one): one.name for one in RRClass}
_RCODES: Final = {int(one): one.name for one in Rcode}
_EDE: Final = {int(one): one.name.replace("_", " ").title() for one in EdeCode}
_SECTIONS: Final = ("ANSWER", "AUTHORITY", "ADDITIONAL")
_MAX_RRS: Final = 1_000


def rcode_name(rcode: int) -> str:
    """``NXDOMAIN``, or ``RCODE<n>`` for one without a name here."""
    return _RCODES.get(rcode, f"RCODE{rcode}")


def message_text(message: bytes) -> str:
    """The message, a section after the other. What is malformed is shown as far as it can be read; never raises."""
    if len(message) < HEADER_SIZE:
        return f";; {len(message)} octets, which are no message"
    reading = _Reading(message)
    lines: list[str] = []
    try:
        reading.read()
    except (WireError, IndexError) as fault:
        lines = [f";; malformed: {fault}"]
    return "\n".join([*reading.head(), *reading.lines, *lines])


def answer_text(answer: Answer) -> str:
    """An upstream's answer, as far as it is kept: its OPT RR is not."""
    counts = b"".join(count.to_bytes(2, "big") for count in (answer.ancount, answer.nscount, answer.arcount))
    return message_text(answer.message[:6] + counts + answer.message[HEADER_SIZE:])


class _Reading:
    """A message, read so far."""

    def __init__(self, message: bytes) -> None:
        self.lines: list[str] = []
        self._message = message
        self._counts = [int.from_bytes(message[at : at + 2], "big") for at in (4, 6, 8, 10)]
        self._flags = int.from_bytes(message[2:4], "big")
        self._rcode = self._flags & 0x000F

    def head(self) -> list[str]:
        """The header, once all is read: the OPT RR has a part of the response code."""
        flags = " ".join(name for name, flag in _FLAGS.items() if self._flags & flag)
        message_id = int.from_bytes(self._message[:2], "big")
        question, answer, authority, additional = self._counts
        return [
            f";; ->>HEADER<<- opcode: {'QUERY' if not self._flags & 0x7800 else (self._flags >> 11) & 15}, "
            f"status: {rcode_name(self._rcode)}, id: {message_id}",
            f";; flags: {flags}; QUERY: {question}, ANSWER: {answer}, AUTHORITY: {authority}, ADDITIONAL: {additional}",
        ]

    def read(self) -> None:
        """Raises ``WireError`` where the message ends too early."""
        offset = HEADER_SIZE
        if self._counts[0]:
            self.lines += ["", ";; QUESTION SECTION:"]
        for _ in range(min(self._counts[0], _MAX_RRS)):
            owner, offset = wire.read(self._message, offset)
            rrtype, rrclass = self._two(offset), self._two(offset + 2)
            offset += 4
            self.lines.append(f";{_name(owner)}  {_class(rrclass)} {type_text(rrtype)}")
        for title, count in zip(_SECTIONS, self._counts[1:], strict=True):
            shown: list[str] = []
            for _ in range(min(count, _MAX_RRS)):
                offset = self._rr(offset, shown)
            if shown:
                self.lines += ["", f";; {title} SECTION:", *shown]

    def _two(self, offset: int) -> int:
        if offset + 2 > len(self._message):
            raise WireError("the message ends too early", offset)
        return int.from_bytes(self._message[offset : offset + 2], "big")

    def _rr(self, offset: int, shown: list[str]) -> int:
        message = self._message
        owner, offset = wire.read(message, offset)
        rrtype, rrclass = self._two(offset), self._two(offset + 2)
        ttl = (self._two(offset + 4) << 16) | self._two(offset + 6)
        start = offset + 10
        end = start + self._two(offset + 8)
        if end > len(message):
            raise WireError("RDATA leaves the message", offset)
        if rrtype == RRType.OPT:
            self._opt(rrclass, ttl, message[start:end])
        else:
            data = _rdata(message, rrtype, start, end)
            shown.append(f"{_name(owner)}  {ttl} {_class(rrclass)} {type_text(rrtype)} {data}")
        return end

    def _opt(self, udp_size: int, ttl: int, rdata: bytes) -> None:
        self._rcode |= (ttl >> 24) << 4
        flags = " do" if ttl & EDNS_DO else ""
        self.lines += [
            "",
            ";; OPT PSEUDOSECTION:",
            f"; EDNS: version: {(ttl >> 16) & 255}, flags:{flags}; udp: {udp_size}",
        ]
        self.lines += [_option(code, data) for code, data in options(rdata)]


def _name(owner: bytes) -> str:
    text = wire.to_text(owner)
    return text if text == "." else f"{text}."


def _class(number: int) -> str:
    return _CLASSES.get(number, f"CLASS{number}")


def _option(code: int, data: bytes) -> str:
    try:
        if code == EdnsOption.EDE:
            info, text = read_ede(data)
            return f"; EDE: {info} ({_EDE.get(info, 'unknown')})" + (f": ({text})" if text else "")
        if code == EdnsOption.ECS:
            # In a response SCOPE PREFIX-LENGTH is set, which a query's must not be.
            subnet = read_client_subnet(data[:3] + b"\0" + data[4:])
            return f"; CLIENT-SUBNET: {subnet.text}/{data[3]}"
    except WireError:
        pass
    return f"; OPT={code}: {data.hex(' ')}"


def _rdata(message: bytes, rrtype: int, start: int, end: int) -> str:
    if rrtype == RRType.TXT:
        return " ".join(quoted(text) for text in _texts(message[start:end]))
    # dnslib knows SVCB's form by its younger sister's name alone.
    reader = dnslib.RDMAP.get("HTTPS" if rrtype == RRType.SVCB else type_text(rrtype))
    if reader is not None:
        buffer = dnslib.DNSBuffer(message)
        buffer.offset = start
        try:
            text = str(reader.parse(buffer, end - start))
        except Exception:  # whatever dnslib's parsing of hostile octets runs into
            text = ""
        if text and buffer.offset == end and text.isprintable():
            return text.replace(" echconfig=", " ech=") if rrtype in (RRType.HTTPS, RRType.SVCB) else text
    return f"\\# {end - start} {message[start:end].hex()}".rstrip()


def _texts(rdata: bytes) -> list[bytes]:
    """The character-strings of a TXT RR."""
    found: list[bytes] = []
    offset = 0
    while offset < len(rdata):
        end = offset + 1 + rdata[offset]
        found.append(rdata[offset + 1 : end])
        offset = end
    return found
