"""Transaction signatures (RFC 8945): keys, and the TSIG RR of one message.

On the standard library's HMAC, because a transfer's messages must be signed for without being parsed into objects: the
library that could do both needs 95 us an RR, which for a national zone is half an hour.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import Final

from dnswire import name as wire
from dnswire.constants import HEADER_SIZE, RRClass, RRType
from dnswire.errors import NameSyntaxError, WireError

FUDGE_S: Final = 300  # RFC 8945 10: the recommended one
BADSIG: Final = 16
BADKEY: Final = 17
BADTIME: Final = 18
NOTAUTH: Final = 9
ALGORITHMS: Final = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")
"""Those of RFC 8945 6 but HMAC-MD5, which it lets nobody begin to use."""

_MIN_SECRET: Final = 8
_FIXED: Final = struct.Struct(">HHIH")  # type, class, TTL, size of RDATA


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A shared key. ``name`` is a wire name in lower case; ``algorithm`` one of ``ALGORITHMS``."""

    name: bytes
    algorithm: str
    secret: bytes = field(repr=False)

    @property
    def algorithm_name(self) -> bytes:
        """The algorithm as a wire name."""
        return wire.from_text(self.algorithm)

    def mac(self, data: bytes) -> bytes:
        """The HMAC of ``data``."""
        return hmac.digest(self.secret, data, _digest_of(self.algorithm))


@dataclass(frozen=True, slots=True)
class TsigRecord:
    """A TSIG RR as received. ``at``: where it begins in its message. Times are Unix seconds."""

    at: int
    name: bytes
    algorithm: bytes
    time_s: int
    fudge_s: int
    mac: bytes
    original_id: int
    error: int
    other: bytes


def make_key(name: str, algorithm: str, secret: str) -> TsigKey:
    """A key from what people write; ``secret`` in Base64. Raises ``ValueError`` that does not repeat the secret."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"TSIG algorithm {algorithm!r}: {', '.join(ALGORITHMS)}")
    try:
        key_name = wire.from_text(name).lower()
    except NameSyntaxError as error:
        raise ValueError(f"TSIG key name {name!r}: {error}") from error
    try:
        octets = base64.b64decode("".join(secret.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the secret of TSIG key {name} is not Base64, as key generators print it") from None
    if len(octets) < _MIN_SECRET:
        raise ValueError(f"the secret of TSIG key {name} has {len(octets)} octets; at least {_MIN_SECRET}")
    return TsigKey(key_name, algorithm, octets)


def sign(
    message: bytes,
    key: TsigKey,
    time_s: int,
    request_mac: bytes | None = None,
    error: int = 0,
    other: bytes = b"",
) -> tuple[bytes, bytes]:
    """The message with its TSIG RR, and the MAC. ``request_mac``: for a response, that of its request; ``error`` and
    ``other``: what the response reports.
    """
    original_id = int.from_bytes(message[:2], "big")
    mac = key.mac(_prior(request_mac) + message + _variables(key, time_s, FUDGE_S, error, other))
    return message_with(message, key, time_s, mac, original_id, error, other), mac


def message_with(
    message: bytes, key: TsigKey, time_s: int, mac: bytes, original_id: int, error: int = 0, other: bytes = b""
) -> bytes:
    """The message with a TSIG RR of this content behind it."""
    rdata = b"".join(
        (
            key.algorithm_name,
            time_s.to_bytes(6, "big"),
            struct.pack(">HH", FUDGE_S, len(mac)),
            mac,
            struct.pack(">HHH", original_id, error, len(other)),
            other,
        )
    )
    counted = (int.from_bytes(message[10:12], "big") + 1).to_bytes(2, "big")
    head = key.name + _FIXED.pack(RRType.TSIG, RRClass.ANY, 0, len(rdata))
    return message[:10] + counted + message[HEADER_SIZE:] + head + rdata


def read_tsig(message: bytes, at: int) -> TsigRecord:
    """The TSIG RR that begins at ``at`` and ends the message. Raises ``WireError``."""
    name, offset = wire.read(message, at)
    if offset + _FIXED.size > len(message):
        raise WireError("TSIG RR leaves the message", at)
    rrtype, rrclass, ttl, size = _FIXED.unpack_from(message, offset)
    end = offset + _FIXED.size + size
    # RFC 8945 5.1: "it MUST be the last RR"; 4.2: class ANY, TTL 0.
    if rrtype != RRType.TSIG or rrclass != RRClass.ANY or ttl or end != len(message):
        raise WireError("no sound TSIG RR at the message's end", at)
    algorithm, offset = wire.read(message, offset + _FIXED.size)
    if offset + 10 > end:
        raise WireError("TSIG RR is cut", at)
    time_s = int.from_bytes(message[offset : offset + 6], "big")
    fudge_s, mac_size = struct.unpack_from(">HH", message, offset + 6)
    behind = offset + 10 + mac_size
    if behind + 6 > end:
        raise WireError("TSIG RR is cut", at)
    mac = message[offset + 10 : behind]
    original_id, error, other_size = struct.unpack_from(">HHH", message, behind)
    if behind + 6 + other_size != end:
        raise WireError("TSIG RR of a wrong size", at)
    other = message[behind + 6 : end]
    return TsigRecord(at, name.lower(), algorithm.lower(), time_s, fudge_s, mac, original_id, error, other)


def without(message: bytes, record: TsigRecord) -> bytes:
    """The message as it was signed: without its TSIG RR, and with its original ID (RFC 8945 4.3.2)."""
    additional = (int.from_bytes(message[10:12], "big") - 1).to_bytes(2, "big")
    return record.original_id.to_bytes(2, "big") + message[2:10] + additional + message[HEADER_SIZE : record.at]


def digest_first(key: TsigKey, request_mac: bytes | None, bare: bytes, record: TsigRecord) -> bytes:
    """The MAC that a request, or the first message of a response, must have (RFC 8945 4.3.3, 5.3)."""
    variables = _variables(key, record.time_s, record.fudge_s, record.error, record.other)
    return key.mac(_prior(request_mac) + bare + variables)


def digest_next(key: TsigKey, last_mac: bytes, messages: bytes, time_s: int, fudge_s: int) -> bytes:
    """The MAC that closes a stretch of later messages: over the last MAC, all of them, and the timers only
    (RFC 8945 5.3.1).
    """
    return key.mac(_prior(last_mac) + messages + _timers(time_s, fudge_s))


def same_mac(expected: bytes, got: bytes) -> bool:
    """Compares in constant time. A shortened MAC (RFC 8945 5.2.2.1) is not taken."""
    return hmac.compare_digest(expected, got)


def _prior(mac: bytes | None) -> bytes:
    return b"" if mac is None else len(mac).to_bytes(2, "big") + mac


def _timers(time_s: int, fudge_s: int) -> bytes:
    return time_s.to_bytes(6, "big") + fudge_s.to_bytes(2, "big")


def _variables(key: TsigKey, time_s: int, fudge_s: int, error: int, other: bytes) -> bytes:
    # RFC 8945 4.3.3: key name, class ANY, TTL 0, algorithm, time signed, fudge, error, other.
    return b"".join(
        (
            key.name,
            struct.pack(">HI", RRClass.ANY, 0),
            key.algorithm_name,
            _timers(time_s, fudge_s),
            struct.pack(">HH", error, len(other)),
            other,
        )
    )


def _digest_of(algorithm: str) -> str:
    found = algorithm.removeprefix("hmac-")
    assert found in hashlib.algorithms_guaranteed
    return found
