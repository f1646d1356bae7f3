"""A pipeline in a test's hand: its own clock, a policy, lists as text, an upstream that says what the test tells it.

No sockets, no waiting: the upstream answers when the test calls ``upstream.land()``, or at once (``instant``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from blocklists.index import Index
from blocklists.rules_index import RulesIndex
from dnswire import name as wire
from dnswire.answer import Answer, parse_answer
from dnswire.constants import RRType
from policy.model import (
    Agency,
    Category,
    ListInfo,
    Network,
    Policy,
    Regency,
    Rule,
    Schedule,
    Scope,
    ScopeKind,
    UnknownClients,
)
from querylog.record import LogRecord, Transport
from querylog.spool import SpoolWriter
from querylog.spool_reader import SpoolReader
from resolver.admission import Admission
from resolver.cache import Cache
from resolver.cookies import Cookies
from resolver.in_force import InForce
from resolver.local import Identity
from resolver.local_records import LocalRecords
from resolver.pipeline import Pipeline
from resolver.proxy_protocol import NO_PROXIES, Proxies
from resolver.rebinding import UNGUARDED, Guard
from resolver.routing import Routing
from resolver.settings import LocalRecord, Route, ServerGroup
from resolver.sources import NO_LIMITS, SourceLimits, Sources
from resolver.stats import Stats
from resolver.surroundings import Surroundings
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.zone_pressure import ZonePressure
from tests.support.dns import Said, answer, ask, heard
from tests.support.plain_index import PlainIndex

HEALTH, SCHOOLS = 1, 2
HEALTH_CLIENT, SCHOOLS_CLIENT, STRANGER = "10.1.0.5", "10.2.0.5", "203.0.113.9"
GAMBLING, SOCIAL = 1, 2
NATIONAL_LIST, SOCIAL_LIST = 1, 2

# Monday 2026-03-02 10:00 in Jakarta.
MONDAY_10 = 1772420400.0

Done = Callable[[Answer | UpstreamFailure, int], None]


def sample_policy(*rules: Rule, schedules: Sequence[Schedule] = (), protected: Sequence[str] = ()) -> Policy:
    """Two agencies, a national list of gambling, a conditional category of social media."""
    return Policy(
        regency=Regency("Contoh", unknown_clients=UnknownClients.REFUSE),
        agencies=(Agency(HEALTH, "dinkes", "Dinas Kesehatan"), Agency(SCHOOLS, "disdik", "Dinas Pendidikan")),
        networks=(Network("10.1.0.0/16", HEALTH), Network("10.2.0.0/16", SCHOOLS), Network("2001:db8:1::/48", HEALTH)),
        categories=(
            Category(GAMBLING, "perjudian", "Perjudian", True),
            Category(SOCIAL, "media_sosial", "Media sosial"),
        ),
        lists=(
            ListInfo(NATIONAL_LIST, "trustpositif", "TrustPositif", (GAMBLING,), national=True, version="7"),
            ListInfo(SOCIAL_LIST, "sosial", "Media sosial", (SOCIAL,)),
        ),
        rules=rules,
        schedules=tuple(schedules),
        protected=tuple(protected),
    )


def agency(agency_id: int) -> Scope:
    """The scope of an agency."""
    return Scope(ScopeKind.AGENCY, agency_id)


class Upstream:
    """What the test says the Internet says. ``zones``: name -> zone-file lines of the answer section."""

    def __init__(self) -> None:
        self.zones: dict[str, Sequence[str]] = {}
        self.servers: Sequence[str] = ()  # NS RRs that come with every positive answer, and their addresses
        self.glue: Sequence[str] = ()
        self.asked: list[tuple[str, int]] = []
        self.waiting: list[tuple[bytes, int, bool, bool, Done]] = []
        self.instant = True
        self.failing = False
        self.rcode = ""
        self.joins = False  # whether a question that waits already is joined, as the coalescer does

    def start(self, asked: bytes, do: bool, cd: bool, done: Done) -> bool:
        """The pipeline asks."""
        name, rrtype, rrclass = asked[:-4], *struct.unpack(">HH", asked[-4:])
        assert rrclass == 1
        self.asked.append((wire.to_text(name), rrtype))
        joined = self.joins and any(name == other for other, *_ in self.waiting)
        self.waiting.append((name, rrtype, do, cd, done))
        if self.instant:
            self.land()
        return joined

    def land(self) -> None:
        """Answers all that wait."""
        waiting, self.waiting = self.waiting, []
        for name, rrtype, do, cd, done in waiting:
            if self.failing:
                done(UpstreamFailure(Reason.TIMEOUT), 0)
            else:
                done(parse_answer(self._message(name, rrtype, do, cd)), 1)

    def _message(self, name: bytes, rrtype: int, do: bool, cd: bool) -> bytes:
        text = wire.to_text(name)
        query = ask(text, RRType(rrtype).name, do=do, cd=cd)
        if self.rcode:
            return answer(query, rcode=self.rcode)
        lines = self.zones.get(text)
        if lines is None:
            soa = "example. 300 IN SOA ns.example. host.example. 1 2 3 4 60"
            return answer(query, authority=(soa,), rcode="NXDOMAIN")
        return answer(query, *lines, authority=self.servers, additional=self.glue)


class Later:
    """A call that is due at an instant of the test's clock."""

    def __init__(self, due_s: float, call: Callable[[], None]) -> None:
        self.due_s = due_s
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Takes the call back."""
        self.cancelled = True


class World:
    """One worker's pipeline and all around it."""

    def __init__(
        self,
        spool_directory: Path,
        policy: Policy,
        lists: Mapping[int, Sequence[str]] | None = None,
        allow_from: Sequence[str] = (),
        now_s: float = MONDAY_10,
        rules: RulesIndex | None = None,
        limits: SourceLimits = NO_LIMITS,
        cookies: Cookies | None = None,
        groups: Sequence[ServerGroup] = (ServerGroup("default", ()),),
        routes: Sequence[Route] = (),
        guard: Guard = UNGUARDED,
        records: Sequence[LocalRecord] = (),
        proxies: Proxies = NO_PROXIES,
    ) -> None:
        self.now_s = now_s
        self.pressure = ZonePressure(256)
        self.upstreams = [Upstream() for _ in groups]
        self.upstream = self.upstreams[0]
        self.surroundings = Surroundings(Routing(groups, routes), guard, LocalRecords(records), proxies)
        self.stats = Stats()
        self.cache = Cache(1_000_000, 0, 86_400, 3_600, stale_max_s=86_400, refreshes=True)
        self._later: list[Later] = []
        self._spool_directory = spool_directory
        self.spool = SpoolWriter(spool_directory, "test", 0, segment_size_bytes=1 << 20, quota_bytes=1 << 24)
        self.generation = 1
        self.sent: list[bytes] = []
        self.pipeline = Pipeline(
            self._in_force(policy, lists or {}, rules),
            Admission(allow_from),
            self.cache,
            self.upstreams,
            self.spool,
            self.stats,
            Identity("1.2.3", "dns1.contoh.go.id"),
            lambda: self.now_s,
            self._call_later,
            Sources(limits),
            self.pressure,
            cookies,
        )

    def _in_force(self, policy: Policy, lists: Mapping[int, Sequence[str]], rules: RulesIndex | None = None) -> InForce:
        index = cast(Index, PlainIndex(lists, rules))
        return InForce.begin(self.generation, policy, index, self.now_s, self.stats.tallies, self.surroundings)

    def _call_later(self, delay_s: float, call: Callable[[], None]) -> Later:
        later = Later(self.now_s + delay_s, call)
        self._later.append(later)
        return later

    def wait(self, span_s: float) -> bytes:
        """Lets time pass; what is sent meanwhile, empty where nothing is."""
        self.sent.clear()
        self.now_s += span_s
        due = [later for later in self._later if later.due_s <= self.now_s]
        self._later = [later for later in self._later if later.due_s > self.now_s]
        for later in due:
            if not later.cancelled:
                later.call()
        return self.sent.pop() if self.sent else b""

    def publish(self, policy: Policy, lists: Mapping[int, Sequence[str]] | None = None) -> None:
        """Puts the next generation in force, as the worker does."""
        self.generation += 1
        self.pipeline.in_force = self._in_force(policy, lists or {})

    def send(self, response: bytes, address: object) -> None:
        """Where late responses arrive (``turn.Sender``)."""
        assert address == "client"
        self.sent.append(response)

    def raw(self, message: bytes, host: str = HEALTH_CLIENT, transport: Transport = Transport.UDP) -> bytes:
        """The response to these bytes; empty where none came."""
        self.sent.clear()
        response = self.pipeline.answer(message, host, transport, self, "client")
        if response is not None:
            assert not self.sent
            return response
        return self.sent.pop() if self.sent else b""

    def ask(
        self,
        qname: str,
        rrtype: str = "A",
        host: str = HEALTH_CLIENT,
        transport: Transport = Transport.UDP,
        **query: object,
    ) -> Said:
        """The response to a question, as facts."""
        return heard(self.raw(ask(qname, rrtype, **query), host, transport))  # type: ignore[arg-type]  # passed on as they are

    def ask_later(
        self, qname: str, rrtype: str = "A", host: str = HEALTH_CLIENT, options: Sequence[tuple[int, bytes]] = ()
    ) -> bytes | None:
        """Asks, and does not wait: None where the answer is to come by ``wait`` or ``upstream.land``."""
        self.sent.clear()
        return self.pipeline.answer(ask(qname, rrtype, options=options), host, Transport.UDP, self, "client")

    def heard(self, response: bytes) -> Said:
        """A response as facts."""
        return heard(response)

    def close(self) -> list[LogRecord]:
        """Ends the world; what its spool holds."""
        self.spool.close()
        return self.logged()

    def logged(self) -> list[LogRecord]:
        """What its spool holds so far."""
        found = SpoolReader(self._spool_directory).records()
        return [item for _, item in found if isinstance(item, LogRecord)]
