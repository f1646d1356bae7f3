"""RDATA from presentation form to the wire, for the types with which a list or a policy answers itself."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from typing import Final

from dnswire.constants import RRType
from dnswire.name import from_text

MAX_SIZE: Final = 4_096  # octets: an answer of our own is never the one that needs fragments
MAX_STRING: Final = 255  # RFC 1035 3.3: a length octet in front

_SVC_MANDATORY: Final = 0
_SVC_ALPN: Final = 1
_SVC_NO_DEFAULT_ALPN: Final = 2
_SVC_PORT: Final = 3
_SVC_IPV4HINT: Final = 4
_SVC_ECH: Final = 5
_SVC_IPV6HINT: Final = 6
_SVC_DOHPATH: Final = 7
# RFC 9460 14.3.2, RFC 9461 for dohpath.
_SVC_KEYS: Final = {
    "mandatory": _SVC_MANDATORY,
    "alpn": _SVC_ALPN,
    "no-default-alpn": _SVC_NO_DEFAULT_ALPN,
    "port": _SVC_PORT,
    "ipv4hint": _SVC_IPV4HINT,
    "ech": _SVC_ECH,
    "ipv6hint": _SVC_IPV6HINT,
    "dohpath": _SVC_DOHPATH,
}
_SVC_NUMBERED: Final = re.compile(r"key([0-9]{1,5})")
_STRING: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', re.S)
_ESCAPE: Final = re.compile(rb"\\([0-9]{3}|.)", re.S)


def to_wire(rrtype: int, text: str) -> bytes:
    """The RDATA of ``text`` (RFC 1035 5.1; RFC 2782 for SRV; RFC 9460 2.1 for SVCB and HTTPS), names absolute with or
    without trailing dot.

    Raises ``ValueError`` for a type that is not among those here, and for text that is no such RDATA.
    """
    reader = _READERS.get(rrtype)
    if reader is None:
        raise ValueError(f"type {rrtype} cannot be written in an answer of our own")
    rdata = reader(text)
    if len(rdata) > MAX_SIZE:
        raise ValueError(f"{len(rdata)} octets of data, at most {MAX_SIZE} fit")
    return rdata


def quoted(octets: bytes) -> str:
    """Octets as <character-string>s of at most 255 octets each, in quotes (RFC 1035 5.1)."""
    parts = [octets[start : start + MAX_STRING] for start in range(0, len(octets), MAX_STRING)] or [b""]
    return " ".join('"' + "".join(map(_quoted_octet, part)) + '"' for part in parts)


def _quoted_octet(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet <= 0x7E else f"\\{octet:03d}"


def _address4(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


def _address6(text: str) -> bytes:
    return ipaddress.IPv6Address(text).packed


def _mx(text: str) -> bytes:
    preference, name = _words(text, 2)
    return _u16(preference) + from_text(name)


def _srv(text: str) -> bytes:
    priority, weight, port, name = _words(text, 4)
    return _u16(priority) + _u16(weight) + _u16(port) + from_text(name)


def _words(text: str, count: int) -> list[str]:
    words = text.split()
    if len(words) != count:
        raise ValueError(f"{len(words)} fields in {text!r}, {count} are due")
    return words


def _u16(text: str) -> bytes:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 0xFFFF):
        raise ValueError(f"{text!r} is no number from 0 to 65535")
    return int(text).to_bytes(2, "big")


def _txt(text: str) -> bytes:
    found = bytearray()
    at = 0
    while text[at:].strip():
        match = _STRING.match(text, at)
        if match is None:
            raise ValueError(f"a quotation that is not closed in {text!r}")
        part = match.group(1) if match.group(1) is not None else match.group(2)
        octets = _unescaped(part)
        if len(octets) > MAX_STRING:
            raise ValueError(f"a string of {len(octets)} octets, at most {MAX_STRING} fit")
        found += bytes((len(octets),)) + octets
        at = match.end()
    if not found:
        raise ValueError("no string")
    return bytes(found)


def _unescaped(text: str) -> bytes:
    return _ESCAPE.sub(_octet, text.encode("utf-8", "replace"))


def _octet(match: re.Match[bytes]) -> bytes:
    escaped = match.group(1)
    if len(escaped) < 3:
        return escaped
    if int(escaped) > 0xFF:
        raise ValueError(f"\\{escaped.decode()} is no octet")
    return bytes((int(escaped),))


def _svcb(text: str) -> bytes:
    """SvcPriority, TargetName, SvcParams in ascending order of their keys, none twice (RFC 9460 2.2)."""
    words = text.split()
    if len(words) < 2:
        raise ValueError(f"{text!r}: a priority and a target are due")
    params: dict[int, bytes] = {}
    for word in words[2:]:
        label, _, value = word.partition("=")
        key = _svc_key(label)
        if key in params:
            raise ValueError(f"{label} occurs twice")
        params[key] = _svc_value(key, value.strip('"'))
    if not int.from_bytes(_u16(words[0]), "big") and params:
        raise ValueError("priority 0 is an alias, which has no parameters")  # RFC 9460 2.4.2
    wire = _u16(words[0]) + from_text(words[1])
    for key in sorted(params):
        wire += key.to_bytes(2, "big") + len(params[key]).to_bytes(2, "big") + params[key]
    return wire


def _svc_key(label: str) -> int:
    if label in _SVC_KEYS:
        return _SVC_KEYS[label]
    numbered = _SVC_NUMBERED.fullmatch(label)
    if numbered is None or int(numbered.group(1)) > 0xFFFF:
        raise ValueError(f"{label!r} is no parameter of a service binding")
    return int(numbered.group(1))


def _svc_value(key: int, value: str) -> bytes:
    if key == _SVC_NO_DEFAULT_ALPN:
        if value:
            raise ValueError("no-default-alpn takes no value")
        return b""
    if not value:
        raise ValueError(f"parameter {key} has no value")
    parts = value.split(",")
    if key == _SVC_MANDATORY:
        return b"".join(number.to_bytes(2, "big") for number in sorted({_svc_key(part) for part in parts}))
    if key == _SVC_ALPN:
        return b"".join(_alpn(part) for part in parts)
    if key == _SVC_PORT:
        return _u16(value)
    if key == _SVC_IPV4HINT:
        return b"".join(map(_address4, parts))
    if key == _SVC_IPV6HINT:
        return b"".join(map(_address6, parts))
    if key == _SVC_ECH:
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"ech: {error}") from None
    return _unescaped(value)


def _alpn(text: str) -> bytes:
    octets = _unescaped(text)
    if not 0 < len(octets) <= MAX_STRING:
        raise ValueError(f"an ALPN identifier has 1 to {MAX_STRING} octets, this one {len(octets)}")
    return bytes((len(octets),)) + octets


_READERS: Final[dict[int, Callable[[str], bytes]]] = {
    RRType.A: _address4,
    RRType.AAAA: _address6,
    RRType.NS: from_text,
    RRType.CNAME: from_text,
    RRType.PTR: from_text,
    RRType.MX: _mx,
    RRType.TXT: _txt,
    RRType.SRV: _srv,
    RRType.SVCB: _svcb,
    RRType.HTTPS: _svcb,
}
