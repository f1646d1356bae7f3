"""RDATA of the few types that local data of a list has, from the wire and from a zone file to one text form.

The form is that of ``blocklists.rule.Datum``: RFC 1035 5.1, names absolute without trailing dot ("." for the root).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from dnswire.constants import RRType
from dnswire.errors import WireError
from dnswire.name import from_text, read, to_text

MAX_STRINGS_SIZE: Final = 4_000  # octets of a TXT: more than any landing page's notice, less than a response
_NAMED: Final = frozenset((RRType.CNAME, RRType.PTR))
_ESCAPED: Final = re.compile(r'[^ !#-\[\]-~]|["\\]')
_PREFERENCE: Final = re.compile(r"[0-9]{1,5}")


def from_wire(rrtype: int, rdata: bytes) -> str | None:
    """RDATA as text, its names uncompressed; None for a type that lists do not have, or damaged data."""
    try:
        if rrtype == RRType.A and len(rdata) == 4:
            return str(ipaddress.IPv4Address(rdata))
        if rrtype == RRType.AAAA and len(rdata) == 16:
            return str(ipaddress.IPv6Address(rdata))
        if rrtype in _NAMED:
            return _whole_name(rdata, 0)
        if rrtype == RRType.MX and len(rdata) > 2:
            name = _whole_name(rdata, 2)
            return name and f"{int.from_bytes(rdata[:2])} {name}"
        if rrtype == RRType.TXT:
            return _strings(rdata)
    except WireError:
        return None
    return None


def from_words(rrtype: int, words: list[bytes], origin: str) -> str | None:
    """RDATA as text from the words of a zone file, quotes around strings kept; None where they are no such RDATA.

    ``origin`` ("" or "example.") is put behind relative names.
    """
    try:
        texts = [word.decode("ascii") for word in words]
        if rrtype == RRType.A and len(texts) == 1:
            return str(ipaddress.IPv4Address(texts[0]))
        if rrtype == RRType.AAAA and len(texts) == 1:
            return str(ipaddress.IPv6Address(texts[0]))
        if rrtype in _NAMED and len(texts) == 1:
            return _absolute(texts[0], origin)
        if rrtype == RRType.MX and len(texts) == 2 and _PREFERENCE.fullmatch(texts[0]) and int(texts[0]) < 65536:
            return f"{int(texts[0])} {_absolute(texts[1], origin)}"
    except ValueError:  # NameSyntaxError and UnicodeDecodeError are among them
        return None
    if rrtype == RRType.TXT and words:
        parts = [_string(word) for word in words]
        return None if None in parts else _quoted([part for part in parts if part is not None])
    return None


def _absolute(text: str, origin: str) -> str:
    if text == "@":
        text = origin
    elif not text.endswith(".") or text.endswith("\\."):
        text += f".{origin}"
    return to_text(from_text(text).lower())


def _whole_name(rdata: bytes, offset: int) -> str | None:
    name, end = read(rdata, offset)
    return to_text(name.lower()) if end == len(rdata) else None


def _strings(rdata: bytes) -> str | None:
    parts: list[bytes] = []
    offset = 0
    while offset < len(rdata):
        end = offset + 1 + rdata[offset]
        if end > len(rdata):
            return None
        parts.append(rdata[offset + 1 : end])
        offset = end
    return _quoted(parts) if parts else None


def _string(word: bytes) -> bytes | None:
    """The octets of a <character-string>, None where an escape or the length is wrong."""
    if word[:1] == b'"' and len(word) > 1:
        word = word[1:-1]
    out = bytearray()
    at = 0
    while at < len(word):
        octet = word[at]
        at += 1
        if octet != 0x5C:
            out.append(octet)
            continue
        digits = word[at : at + 3]
        if len(digits) == 3 and digits.isdigit() and int(digits) < 256:
            out.append(int(digits))
            at += 3
        elif digits and not digits[:1].isdigit():
            out.append(digits[0])
            at += 1
        else:
            return None
    return bytes(out) if len(out) < 256 else None


def _quoted(parts: list[bytes]) -> str | None:
    if sum(map(len, parts)) > MAX_STRINGS_SIZE:
        return None
    return " ".join('"' + _ESCAPED.sub(_escape, part.decode("latin-1")) + '"' for part in parts)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return f"\\{char}" if char in '"\\' else f"\\{ord(char):03d}"
