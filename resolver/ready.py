"""What the slow lane leaves with the fast one: a response that was sent, and all it takes to send it again.

A ``Ready`` is made of the octets that the pipeline itself has just answered (``teaching.py``), so that the fast lane
composes nothing of its own. It belongs to one question in one form, to one policy view of one generation, and to one
cached answer, and says nothing once any of these has changed.
"""

from __future__ import annotations

from typing import Final

from resolver.cache import Entry
from resolver.stats import Count

# How a question can be put, as far as a response depends on it: one octet behind it in the key.
EDNS: Final = 1
DO: Final = 2
CD: Final = 4
AD: Final = 8

# Real cost in CPython 3.11: the object, its place in a dictionary, the heads of its three byte strings.
_COST: Final = 400


class Ready:
    """A response in waiting.

    ``body``: the message from its flags on, without the question (10 octets of header, then all that follows the
    question). ``ttls``: for each RR that ages, 2 octets of its TTL's offset in the message and 4 of the TTL in seconds
    as received, in network order. ``rest``: the half of the log's row that stays the same (``spool.row_rest``).

    ``entry`` and ``version``: the cached answer it was made of; None where there is none. ``ttl_s``: the TTL of a
    response of our own, which may not reach over the policy's next edge; 0 where TTLs are clipped one by one. The four
    ``..._hits`` are what each answer counts for.
    """

    __slots__ = (
        "body",
        "category_hits",
        "cost_bytes",
        "entry",
        "list_hits",
        "rcode_hits",
        "rest",
        "ttl_s",
        "ttls",
        "verdict",
        "verdict_hits",
        "version",
    )

    def __init__(
        self,
        key: bytes,
        body: bytes,
        ttls: bytes,
        rest: bytes,
        entry: Entry | None,
        ttl_s: int,
        verdict: int,
        verdict_hits: Count,
        rcode_hits: Count,
        category_hits: Count | None,
        list_hits: Count | None,
    ) -> None:
        self.body = body
        self.ttls = ttls
        self.rest = rest
        self.entry = entry
        self.version = entry.version if entry is not None else 0
        self.ttl_s = ttl_s
        self.verdict = verdict
        self.verdict_hits = verdict_hits
        self.rcode_hits = rcode_hits
        self.category_hits = category_hits
        self.list_hits = list_hits
        self.cost_bytes = _COST + len(key) + len(body) + len(ttls) + len(rest)
