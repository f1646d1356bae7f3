"""What the slow lane leaves with the fast one: the response it has just sent, for when the same is asked again.

The pipeline decides which responses may be repeated as they are; here is what form of question the fast lane can know,
and how a response is taken apart for it. Nothing is composed: the octets are those that were sent.
"""

from __future__ import annotations

import struct
from typing import Final

from dnswire.answer import Answer
from dnswire.constants import FLAG_AD, FLAG_CD, FLAG_RD, FLAG_TC, RRClass
from dnswire.query import Query
from querylog.record import Transport
from querylog.spool import row_rest
from resolver.ready import AD, CD, DO, EDNS, Ready
from resolver.stats import Stats
from resolver.turn import Turn

_UDP: Final = int(Transport.UDP)
_IN: Final = int(RRClass.IN)
_RD: Final = int(FLAG_RD)
_CD: Final = int(FLAG_CD)
_AD: Final = int(FLAG_AD)
_TC_OCTET: Final = int(FLAG_TC) >> 8
_MAX_ID: Final = 0xFFFFFFFF  # the log's


def teach(turn: Turn, stats: Stats, wire: bytes, rcode: int, digest: int, ttls: bytes, ttl_s: int) -> None:
    """Leaves ``wire``, the response to ``turn``, with the fast lane.

    ``ttls`` as ``ttls_of`` makes them, ``ttl_s`` as in ``Ready``. Not one that was cut to size: the next
    client may have more room. Not what was asked over another transport, or in an unusual way. Not what does not fit
    into a row of the log.
    """
    form = form_of(turn.query)
    if form < 0 or turn.transport != _UDP or wire[2] & _TC_OCTET:
        return
    query = turn.query
    plan = turn.plan
    known = turn.known
    # Whom a forwarder names is not who sends from that address: the fast lane knows clients by their sockets alone.
    if known.named_by or known.agency_id > _MAX_ID or known.unit_id > _MAX_ID:
        return
    try:
        rest = row_rest(
            turn.in_force.generation,
            plan.rule_id,
            plan.list_id,
            plan.category_id,
            digest,
            0,
            query.rrtype,
            rcode,
            0,
            _UDP,
            plan.verdict,
            plan.layer,
            plan.via,
            turn.cache_state,
            query.name,
            plan.matched,
        )
    except struct.error:
        return
    ready = Ready(
        len(query.name),
        query.rrtype,
        form,
        known.place,
        rest,
        wire[2:12] + wire[query.question_end :],
        ttls,
        turn.entry,
        ttl_s,
        plan.verdict,
        stats.of_verdict(plan.verdict),
        stats.of_rcode(rcode),
        stats.of_category(plan.category_id) if plan.category_id else None,
        stats.of_list(plan.list_id) if plan.list_id else None,
    )
    turn.in_force.teach(known, ready)


def form_of(query: Query) -> int:
    """How the question is put, as far as the fast lane can tell (``ready.EDNS`` ...); -1 for one that it leaves alone.

    That is everything but an ordinary question: class IN, no flags but RD, CD and AD, no EDNS option.
    """
    flags = query.flags
    if query.rrclass != _IN or query.edns_options or flags & ~(_CD | _AD) != _RD:
        return -1
    form = 0
    if query.edns:
        form = EDNS | (DO if query.do else 0)
    if flags & _CD:
        form |= CD
    if flags & _AD:
        form |= AD
    return form


def ttls_of(answer: Answer) -> bytes:
    """Where the TTLs of an upstream's answer stand, as ``Ready.body`` has it."""
    return b"".join([offset.to_bytes(2, "big") + ttl_s.to_bytes(4, "big") for offset, ttl_s in answer.ttls])
