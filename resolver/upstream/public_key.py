"""The public key of a certificate, as pins mean it: its SubjectPublicKeyInfo (RFC 7858 4.2, RFC 7469 2.4).

Python's ``ssl`` gives a certificate as DER and no more. What is needed of ASN.1 is to step over six elements of
TBSCertificate (RFC 5280 4.1), so that is all that is read.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0  # [0] EXPLICIT, left out by certificates of version 1
_BEFORE_KEY: Final = 5  # serialNumber, signature, issuer, validity, subject


def pin_of(certificate: bytes) -> str:
    """The pin of a certificate in DER: base64 of the SHA-256 of its public key. Raises ``ValueError``."""
    return base64.b64encode(hashlib.sha256(_public_key(certificate)).digest()).decode()


def _public_key(certificate: bytes) -> bytes:
    start, end = _content(certificate, 0, len(certificate), _SEQUENCE)
    offset, end = _content(certificate, start, end, _SEQUENCE)
    if offset < end and certificate[offset] == _VERSION:
        offset = _content(certificate, offset, end, _VERSION)[1]
    for _ in range(_BEFORE_KEY):
        offset = _content(certificate, offset, end)[1]
    return certificate[offset : _content(certificate, offset, end, _SEQUENCE)[1]]


def _content(der: bytes, offset: int, limit: int, tag: int | None = None) -> tuple[int, int]:
    """Where the content of the element at ``offset`` begins and ends (X.690 8.1: tag, length, content)."""
    if offset + 2 > limit or (tag is not None and der[offset] != tag):
        raise ValueError("not a certificate")
    size = der[offset + 1]
    start = offset + 2
    if size > 0x7F:
        octets = size & 0x7F
        if not 1 <= octets <= 3 or start + octets > limit:
            raise ValueError("not a certificate")
        size = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + size > limit:
        raise ValueError("not a certificate")
    return start, start + size
