"""What one source address may take of us: queries a second, and queries that wait at the same time.

A source outlives policy generations, so it is kept here and not with the policy's ``Known``. It is judged before
anything it says is read (step 1), by its socket's address alone. An address over UDP can be forged, so a limit must not
silence the real owner: every ``slip``-th query over it gets an empty answer with TC, which a real client repeats over
TCP (Vixie and Schryver, "DNS Response Rate Limiting", 2012); the rest gets nothing, which a forger can make no use of.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from policy.networks import Prefix, PrefixTable, parse, unmapped

# A flood of forged sources must not make us remember more than this; the table is then begun anew, which gives every
# source a full bucket: at most one burst more each.
MAX_SOURCES: Final = 65_536


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """Each worker's limits. 0: none.

    ``client_qps`` counts one address, ``prefix_qps`` an IPv4 /24 or IPv6 /56 as a whole; a bucket holds ``burst_s``
    seconds of it. ``max_pending``: queries of one address that wait for upstreams; a DNSBomb (IEEE S&P 2024) gathers
    them to have them answered at once. ``exempt``: CIDRs that no rate holds for, as routers that ask for an office.
    """

    client_qps: float = 0.0
    prefix_qps: float = 0.0
    burst_s: float = 5.0
    slip: int = 2
    max_pending: int = 1_000
    exempt: tuple[str, ...] = ()


NO_LIMITS: Final = SourceLimits()


class Judgement(IntEnum):
    """What becomes of a query by its source's rate."""

    PASS = 0
    SLIP = 1  # an empty answer with TC
    DROP = 2


class Bucket:
    """Tokens for queries: filled at a rate, one taken by each. Seconds are the caller's clock, of any epoch."""

    __slots__ = ("_level", "_qps", "_size", "_stamp_s")

    def __init__(self, qps: float, burst_s: float, now_s: float) -> None:
        self._qps = qps
        self._size = max(qps * burst_s, 1.0)
        self._level = self._size
        self._stamp_s = now_s

    def has(self, now_s: float) -> bool:
        """Whether there is a token."""
        gone_s = now_s - self._stamp_s
        self._stamp_s = now_s
        if gone_s > 0:  # a clock that was set back fills nothing
            self._level = min(self._level + gone_s * self._qps, self._size)
        return self._level >= 1.0

    def take(self, now_s: float) -> bool:
        """Whether there was a token."""
        if not self.has(now_s):
            return False
        self._level -= 1.0
        return True


class Source:
    """One source address. ``pending``: its queries that wait for upstreams at this moment."""

    __slots__ = ("_bucket", "_over", "_prefix", "_slip", "pending")

    def __init__(self, bucket: Bucket | None, prefix: Bucket | None, slip: int) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._slip = slip
        self._over = 0
        self.pending = 0

    def within(self, now_s: float) -> bool:
        """Whether ``judge`` would let one query more pass."""
        return (self._bucket is None or self._bucket.has(now_s)) and (self._prefix is None or self._prefix.has(now_s))

    def judge(self, now_s: float) -> int:
        """One query more: its ``Judgement``."""
        within = self._bucket is None or self._bucket.take(now_s)
        within = (self._prefix is None or self._prefix.take(now_s)) and within
        if within:
            return 0
        self._over += 1
        return 1 if self._slip and self._over % self._slip == 0 else 2


# Stands in until a client is tied to his own.
UNLIMITED: Final = Source(None, None, 0)


class Sources:
    """The sources of one worker. ``limiting``: whether any rate is set, so that ``Source.judge`` is worth asking.

    Raises ``ValueError`` for an exempt network that is none.
    """

    def __init__(self, limits: SourceLimits) -> None:
        self.limits = limits
        self.limiting = limits.client_qps > 0 or limits.prefix_qps > 0
        self._exempt: PrefixTable[Prefix] = PrefixTable((parse(cidr), parse(cidr)) for cidr in limits.exempt)
        self._sources: dict[bytes, Source] = {}
        self._prefixes: dict[bytes, Bucket] = {}

    def of(self, packed: bytes, now_s: float) -> Source:
        """The source of a socket address in 4 or 16 octets."""
        address = unmapped(packed)
        source = self._sources.get(address)
        if source is None:
            if len(self._sources) >= MAX_SOURCES:
                # Whoever has queries under way keeps his own object through ``Known`` until those end.
                self._sources.clear()
                self._prefixes.clear()
            source = self._sources[address] = self._new(address, now_s)
        return source

    def _new(self, address: bytes, now_s: float) -> Source:
        limits = self.limits
        if not self.limiting or self._exempt.find(address) is not None:
            return Source(None, None, limits.slip)
        own = Bucket(limits.client_qps, limits.burst_s, now_s) if limits.client_qps > 0 else None
        return Source(own, self._prefix(address, now_s) if limits.prefix_qps > 0 else None, limits.slip)

    def _prefix(self, address: bytes, now_s: float) -> Bucket:
        key = address[:3] if len(address) == 4 else address[:7]
        bucket = self._prefixes.get(key)
        if bucket is None:
            bucket = self._prefixes[key] = Bucket(self.limits.prefix_qps, self.limits.burst_s, now_s)
        return bucket
