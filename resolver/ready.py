"""What the slow lane leaves with the fast one: a response that was sent, and all it takes to send it again.

A ``Ready`` is made of the octets that the pipeline itself has just answered (``teaching.py``), so that the fast lane
composes nothing of its own. It belongs to one question in one form, to one policy view of one generation, and to one
cached answer, and says nothing once any of these has changed.
"""

from __future__ import annotations

from typing import Final

import cython

from querylog.spool_format import ROW_REST
from resolver.cache import Entry
from resolver.stats import Count

# How a question can be put, as far as a response depends on it: one octet behind it in the key.
EDNS: Final = 1
DO: Final = 2
CD: Final = 4
AD: Final = 8

# Where the name stands in a ``spool.row_rest``.
NAME_AT: Final = ROW_REST.size

# Real cost in CPython 3.11: the object, its share of the table, the heads of its byte strings.
_COST: Final = 300


# Holds nothing that could hold it: the collector need not know it, however many there are.
@cython.no_gc
@cython.cclass
class Ready:
    """A response in waiting.

    The question: its name in lower case (``name_size`` octets of ``rest`` from ``NAME_AT`` on), ``rrtype`` (class IN)
    and ``form``; ``view``: the number of the policy view it was asked in. ``mark`` is the table's (``ready_table.py``).

    ``rest`` begins with the half of the log's row that stays the same (``rest_size`` octets of a ``spool.row_rest``).
    ``body`` holds, from ``body_at`` on, the message from its flags without the question (10 octets of header, then all
    that follows the question; ``body_size`` octets); then, for each RR that ages, 2 octets of its TTL's offset in the
    message and 4 of the TTL in seconds as received, in network order. Both are one byte string where the body is this
    response's alone: what is asked for after a while lies in memory that is far away, and each separate piece of it is
    another journey.

    ``entry`` and ``version``: the cached answer it was made of; None where there is none. ``ttl_s``: the TTL of a
    response of our own, which may not reach over the policy's next edge; 0 where TTLs are clipped one by one. The four
    ``..._hits`` are what each answer counts for.
    """

    __slots__ = (
        "body",
        "body_at",
        "body_size",
        "category_hits",
        "cost_bytes",
        "entry",
        "form",
        "list_hits",
        "mark",
        "name_size",
        "rcode_hits",
        "rest",
        "rest_size",
        "rrtype",
        "ttl_s",
        "verdict",
        "verdict_hits",
        "version",
        "view",
    )

    def __init__(
        self,
        name_size: int,
        rrtype: int,
        form: int,
        view: int,
        rest: bytes,
        body: bytes,
        ttls: bytes,
        entry: Entry | None,
        ttl_s: int,
        verdict: int,
        verdict_hits: Count,
        rcode_hits: Count,
        category_hits: Count | None,
        list_hits: Count | None,
    ) -> None:
        self.name_size = name_size
        self.rrtype = rrtype
        self.form = form
        self.view = view
        self.mark = 0
        self.rest_size = len(rest)
        self.body_size = len(body)
        if entry is not None:
            self.rest = self.body = rest + body + ttls
            self.body_at = len(rest)
        else:
            self.rest = rest
            self.body = body
            self.body_at = 0
        self.entry = entry
        self.version = entry.version if entry is not None else 0
        self.ttl_s = ttl_s
        self.verdict = verdict
        self.verdict_hits = verdict_hits
        self.rcode_hits = rcode_hits
        self.category_hits = category_hits
        self.list_hits = list_hits
        self.cost_bytes = _COST + len(rest) + len(body) + len(ttls)
