"""What a reply is worth: every check that its way here calls for, and what is learnt of the server by it."""

from __future__ import annotations

from typing import Final

import cython

from dnswire.answer import Answer, parse_answer, parse_reply
from dnswire.constants import FLAG_TC, HEADER_SIZE, EdnsOption, Rcode
from dnswire.edns import options
from dnswire.errors import WireError
from resolver.upstream.dialect import Dialect
from resolver.upstream.message import (
    ACCEPT,
    BAD_COOKIE,
    LOST_EDNS,
    MALFORMED,
    NEAR_MISS,
    NO_EDNS,
    judge,
)

_TC_OCTET: Final = int(FLAG_TC) >> 8
_KEEPALIVE_SIZE: Final = 2
_KEEPALIVE_S: Final = 0.1  # RFC 7828 3.1: "in units of 100 milliseconds"


@cython.no_gc
@cython.cclass
class Heard:
    """A verdict, and the answer where it is ACCEPT.

    ``keep_s``: how long the server keeps an idle connection; -1: it does not say.
    """

    __slots__ = ("answer", "keep_s", "verdict")

    def __init__(self, verdict: int, answer: Answer | None = None, keep_s: float = -1.0) -> None:
        self.verdict = verdict
        self.answer = answer
        self.keep_s = keep_s


def by_udp(message: bytes, asked: bytes, cased: bytes, sent_edns: bool, dialect: Dialect, now_s: float) -> Heard:
    """A datagram with the right ID, from the right address, on the right port: all else is checked here.

    ``asked``: the question in lower case, ``cased``: as it was sent.
    """
    folds = dialect.folds_case(now_s)
    verdict = judge(message, cased, folds)
    if verdict == NO_EDNS and sent_edns and dialect.edns_seen:
        verdict = LOST_EDNS
    if verdict != ACCEPT:
        if verdict >= NEAR_MISS:
            dialect.suspect(verdict)
        return Heard(verdict)
    try:
        answer, reply_options = parse_reply(message)
    except WireError:
        return Heard(MALFORMED)
    verdict = dialect.check(sent_edns, reply_options, now_s)
    if verdict != ACCEPT:
        dialect.suspect(verdict)
        return Heard(verdict)
    dialect.heard(not folds and cased != asked, reply_options is not None)
    if answer.rcode == Rcode.BADCOOKIE:
        return Heard(BAD_COOKIE)
    return Heard(ACCEPT, answer)


def by_tcp(message: bytes, asked: bytes, cased: bytes, sent_edns: bool, dialect: Dialect, now_s: float) -> Heard:
    """A reply by TCP in clear text. Nobody off the path can speak there, so it teaches what to expect by UDP."""
    message = _whole(message)
    verdict = judge(message, asked, True)
    if verdict == NO_EDNS:
        dialect.refuses_edns(now_s)
    if verdict != ACCEPT:
        return Heard(verdict)
    try:
        answer, reply_options = parse_reply(message)
    except WireError:
        return Heard(MALFORMED)
    sent = asked if dialect.folds_case(now_s) else cased
    exact = message.startswith(sent, HEADER_SIZE)
    dialect.heard_by_tcp(sent != asked, exact, sent_edns, reply_options, now_s)
    if answer.rcode == Rcode.BADCOOKIE:
        return Heard(BAD_COOKIE)
    return Heard(ACCEPT, answer, _keep_s(reply_options))


def sealed(message: bytes, asked: bytes, age_s: int) -> Heard:
    """A reply by TLS or HTTPS: who sent it is proven. ``age_s``: for how long an HTTP cache has kept it."""
    message = _whole(message)
    verdict = judge(message, asked, True)
    if verdict not in (ACCEPT, NO_EDNS):
        return Heard(verdict)
    try:
        answer, reply_options = parse_reply(message)
        if age_s:
            answer = _aged(message, answer, age_s)
    except WireError:
        return Heard(MALFORMED)
    return Heard(ACCEPT, answer, _keep_s(reply_options))


def _whole(message: bytes) -> bytes:
    # Nothing is larger than a stream can carry, so TC is noise here; what came is judged as it is.
    if len(message) >= HEADER_SIZE and message[2] & _TC_OCTET:
        return message[:2] + bytes((message[2] & ~_TC_OCTET,)) + message[3:]
    return message


def _keep_s(reply_options: bytes | None) -> float:
    if reply_options:
        for code, data in options(reply_options):
            if code == EdnsOption.TCP_KEEPALIVE and len(data) == _KEEPALIVE_SIZE:
                return int.from_bytes(data, "big") * _KEEPALIVE_S
    return -1.0


def _aged(message: bytes, answer: Answer, age_s: int) -> Answer:
    """The answer with its TTLs as much shorter."""
    older = bytearray(message)
    for offset, ttl_s in answer.ttls:
        older[offset : offset + 4] = max(ttl_s - age_s, 0).to_bytes(4, "big")
    return parse_answer(bytes(older))
