"""The policy generation in force, and what has been worked out under it.

One object holds all of it, so that a swap is one assignment: whoever took the reference before it keeps one consistent
policy, index and memory to the end of his query, and nothing remembered outlives the generation it was learnt under.
"""

from __future__ import annotations

import ipaddress
from typing import Final

import cython

from blocklists import asker as asking
from blocklists.asker import Asker
from blocklists.index import Index
from blocklists.rule import MAPPED
from dnswire.answer import Answer
from dnswire.ech import without_ech
from dnswire.less import without_additional
from dnswire.query import Query
from policy.decide import combine, decide
from policy.forwarders import Claim, Named, Speaker
from policy.model import Decision, Layer, Policy, Verdict, Via
from policy.networks import unmapped
from policy.prepare import Prepared, Tenant, prepare
from policy.resolve import Client, Resolved, at
from policy.view import View
from resolver import rebinding
from resolver.block import Rendered, render
from resolver.inspection import bars, decide_alias, inspect
from resolver.local_records import Own
from resolver.ready import Ready
from resolver.ready_table import ReadyTable
from resolver.routing import FIRST, Table, Target
from resolver.sources import UNLIMITED, Source
from resolver.stats import Count, counts
from resolver.surroundings import NONE, Surroundings

# What a flood of unique names or of spoofed sources may make us remember; beyond it all is forgotten at once, which
# costs a decision a name (microseconds) to learn again and keeps the look-up a plain dictionary. So many plans are
# forgotten in milliseconds and found in the processor's cache.
MAX_PLANS: Final = 65_536
MAX_CLIENTS: Final = 65_536
MAX_MEMORIES: Final = 4_096  # as many views, each with as many conditions of lists, as a government has

VERDICTS: Final = len(Verdict)

# RFC 2181 8: a TTL has 31 bits.
NO_EDGE_S: Final = 2_147_483_647


# Holds nothing that could hold it: the collector need not know it, however many there are.
@cython.no_gc
@cython.cclass
class Plan:
    """What is to be done with a question: the decision, and the response where it does not pass (TTLs not clipped).

    The numbers that the query log wants of the decision stand here once more, ready to be written. ``own``: the answer
    of our own records. ``target``: which upstreams are asked; ``guarded``: whether their answers are guarded against
    rebinding. ``relayed``: what is sent in the stead of the upstream's answer, where something is taken out of it.
    """

    __slots__ = (
        "category_id",
        "decision",
        "guarded",
        "layer",
        "list_id",
        "matched",
        "own",
        "relayed",
        "rendered",
        "rule_id",
        "target",
        "verdict",
        "via",
    )

    def __init__(
        self,
        decision: Decision,
        rendered: Rendered | None = None,
        target: Target = FIRST,
        guarded: bool = False,
        own: Own | None = None,
        relayed: Answer | None = None,
    ) -> None:
        self.decision = decision
        self.rendered = rendered
        self.relayed = relayed
        self.own = own
        self.target = target
        self.guarded = guarded
        self.rule_id = decision.rule_id
        self.list_id = decision.list_id
        self.category_id = decision.category_id
        self.matched = decision.matched
        self.verdict = int(decision.verdict)
        self.layer = int(decision.layer)
        self.via = int(decision.via)


class Known:
    """A client address, as the policy in force knows it.

    ``speaker``: the address is a forwarder's of ours, who may name the clients behind it; ``named_by``: he is one of
    those, and this is the kind of claim that named him. ``usual``: the plan of the last question for which there is no
    answer of ours: nearly all share one.
    """

    __slots__ = (
        "address",
        "admitted",
        "agency_id",
        "asker",
        "inspected",
        "minds_addresses",
        "named_by",
        "over_tcp",
        "place",
        "plans",
        "routes",
        "source",
        "speaker",
        "tally",
        "unit_id",
        "usual",
        "view",
    )

    def __init__(self, address: bytes, admitted: bool, agency_id: int, unit_id: int, memory: Memory) -> None:
        self.over_tcp: Known | None = None
        self.speaker: Speaker | None = None
        self.named_by = ""
        self.source = UNLIMITED
        self.asker = memory.asker
        self.address = address
        self.admitted = admitted
        self.agency_id = agency_id
        self.unit_id = unit_id
        self.view = memory.view
        self.routes = memory.routes
        self.plans = memory.plans
        self.inspected = memory.inspected
        self.minds_addresses = memory.minds_addresses
        self.place = memory.place
        self.tally = memory.tally(agency_id)
        self.usual = _NO_PLAN

    def befriend(self, source: Source) -> None:
        """Ties the client to the source his queries come from, over whatever transport."""
        self.source = source
        if self.over_tcp is not None:
            self.over_tcp.source = source


_NO_PLAN: Final = Plan(Decision(Verdict.INVALID, Layer.NONE))


class Memory:
    """What has been worked out for one view: shared by all its clients of whom the same conditions of lists, and the
    same routes, hold.

    ``place``: a number that no other memory of the same ``InForce`` ever has. ``minds_addresses``: whether a rule or a
    list may have a say in an address.
    """

    __slots__ = ("asker", "inspected", "minds_addresses", "place", "plans", "routes", "tallies", "view")

    def __init__(
        self,
        view: View,
        asker: Asker,
        routes: Table,
        tallies: dict[int, list[Count]],
        place: int,
        minds_addresses: bool,
    ) -> None:
        self.place = place
        self.minds_addresses = minds_addresses
        self.view = view
        self.asker = asker
        self.routes = routes
        self.plans: dict[bytes, Plan] = {}
        self.inspected: dict[bytes, tuple[Answer, Plan]] = {}
        self.tallies = tallies

    def tally(self, agency_id: int) -> list[Count]:
        """Counters of answers by verdict of an agency."""
        return self.tallies.setdefault(agency_id, counts(VERDICTS))


class InForce:
    """One generation's policy at this stretch of time (up to ``valid_until_s``, Unix seconds).

    ``tallies`` outlive generations: answers by verdict for each agency. ``about_tcp``: a list tells UDP from TCP, so
    that clients are to be looked up by ``over_tcp``; ``about_servers``: one speaks of nameservers, so that every answer
    is to be inspected.
    """

    def __init__(
        self,
        generation: int,
        prepared: Prepared,
        index: Index,
        now_s: float,
        tallies: dict[int, list[Count]],
        surroundings: Surroundings,
    ) -> None:
        self.generation = generation
        self.policy = prepared.policy
        self.index = index
        self.prepared = prepared
        self.resolved: Resolved = at(prepared, now_s)
        self.valid_until_s = self.resolved.valid_until_s
        self.known: dict[str, Known] = {}
        # Clients behind forwarders, by the forwarder's address, whether over TCP, and what it called them.
        self.named: dict[tuple[bytes, bool, Claim], Known] = {}
        # Clients by the 16 octets of their address: those to whom the fast lane has something to say.
        self.taught: dict[bytes, Known] = {}
        self.about_tcp = index.rules is not None and index.rules.tcp_only
        self.about_servers = index.rules is not None and index.rules.about_servers
        self._memories: dict[tuple[int, Asker, int], Memory] = {}
        self._plan_count = 0
        self._places = 0
        self.ready = ReadyTable()
        self._tallies = tallies
        self.surroundings = surroundings
        self._guard = surroundings.guard
        routing = surroundings.routing
        own = routing.agencies
        self._routes = {agency.id: routing.table(agency.code) for agency in self.policy.agencies if agency.code in own}

    @classmethod
    def begin(
        cls,
        generation: int,
        policy: Policy,
        index: Index,
        now_s: float,
        tallies: dict[int, list[Count]],
        surroundings: Surroundings = NONE,
    ) -> InForce:
        """A generation put in force at ``now_s``."""
        return cls(generation, prepare(policy), index, now_s, tallies, surroundings)

    def later(self, now_s: float) -> InForce:
        """The same generation after an edge of its schedules: nothing remembered, all worked out anew."""
        return self.amid(self.surroundings, now_s)

    def amid(self, surroundings: Surroundings, now_s: float) -> InForce:
        """The same generation in other surroundings: nothing remembered, all worked out anew."""
        return InForce(self.generation, self.prepared, self.index, now_s, self._tallies, surroundings)

    def identify(self, host: str) -> Known:
        """The client at a textual socket address (a zone after ``%`` is dropped)."""
        packed = ipaddress.ip_address(host.partition("%")[0]).packed
        client = self.resolved.client(packed)
        if len(self.known) >= MAX_CLIENTS:
            self.known.clear()
            self.taught.clear()
            self._limit_memories()
        mapped = packed if len(packed) == 16 else MAPPED + packed
        speaker = self.prepared.forwarders.find(packed)
        memory = self._memory(client, packed, False)
        known = Known(mapped, client.admitted, client.agency_id, client.unit_id, memory)
        if self.about_tcp:
            memory = self._memory(client, packed, True)
            known.over_tcp = Known(mapped, client.admitted, client.agency_id, client.unit_id, memory)
            known.over_tcp.speaker = speaker
        known.speaker = speaker
        self.known[host] = known
        return known

    def stand_in(self, host: str, agency_id: int, unit_id: int) -> Known:
        """A client of that tenant without an address, to be met under ``host``; for rehearsals.

        Raises ``KeyError`` where there is none such.
        """
        client = self.resolved.tenant(agency_id, unit_id)
        memory = self._memory(client, b"", False)
        known = self.known[host] = Known(bytes(16), client.admitted, client.agency_id, client.unit_id, memory)
        return known

    def behind(self, known: Known, claim: Claim) -> Known:
        """The client whom the forwarder ``known`` names; the forwarder itself where it is not believed in the claim.

        Only clients that it is believed about are remembered: no forwarder can fill the memory with inventions.
        """
        key = known.address, known.asker.over_tcp, claim
        client = self.named.get(key)
        if client is None:
            speaker = known.speaker
            named = self.prepared.forwarders.named(speaker, claim) if speaker is not None else None
            if named is None:
                return known
            if len(self.named) >= MAX_CLIENTS:
                self.named.clear()
                self._limit_memories()
            client = self.named[key] = self._named(known, named)
        return client

    def _named(self, known: Known, named: Named) -> Known:
        client = self.resolved.tenant(named.agency_id, named.unit_id)
        address = unmapped(named.address or known.address)
        memory = self._memory(client, address, known.asker.over_tcp)
        mapped = address if len(address) == 16 else MAPPED + address
        found = Known(mapped, client.admitted, client.agency_id, client.unit_id, memory)
        found.named_by = str(named.by)
        found.befriend(known.source)
        return found

    def _limit_memories(self) -> None:
        if len(self._memories) > MAX_MEMORIES:
            self._forget()
            self._memories.clear()
            # Whoever holds a memory that is no longer counted would fill it without end.
            self.known.clear()
            self.taught.clear()
            self.named.clear()

    def _memory(self, client: Client, address: bytes, over_tcp: bool) -> Memory:
        names = self.prepared.names.get(Tenant(client.agency_id, client.unit_id), ())
        asker = self.index.asker(asking.Client(address, names), over_tcp)
        routes = self._routes.get(client.agency_id, self.surroundings.routing.common)
        place = client.view.number, asker, routes.number
        memory = self._memories.get(place)
        if memory is None:
            self._places += 1
            minds = client.view.has_networks or self.index.rules is not None
            memory = Memory(client.view, asker, routes, self._tallies, self._places, minds)
            self._memories[place] = memory
        return memory

    def plan(self, known: Known, question: bytes, name: bytes, rrtype: int) -> Plan:
        """Decides on a question that is not remembered, and remembers it under ``question``."""
        decision = decide(known.view, self.index.ask(name, rrtype, known.asker), name, rrtype)
        own = self.surroundings.records.find(name, rrtype)
        for alias in own.aliases if own is not None else ():
            # A record of our own is no way around a rule about the name it leads to.
            decision = combine(decision, decide_alias(known.view, self.index, alias, rrtype, known.asker), Via.ALIAS)
        asked = own.aliases[-1] if own is not None and own.aliases else name
        target = known.routes.find(asked)
        guarded = target.public and self._guard.guards(asked)
        if own is not None or bars(decision):
            rendered = render(decision, rrtype, NO_EDGE_S) if bars(decision) else None
            plan = Plan(decision, rendered, target, guarded, own)
        else:
            plan = known.usual
            if plan.decision is not decision or plan.target is not target or plan.guarded != guarded:
                plan = known.usual = Plan(decision, None, target, guarded)
        if self._plan_count >= MAX_PLANS:
            self._forget()
        self._plan_count += 1
        known.plans[question] = plan
        return plan

    def inspected(self, known: Known, key: bytes, question: Plan, answer: Answer, rrtype: int) -> Plan:
        """The plan for an answer that points somewhere; remembered for as long as the same answer is cached."""
        guard = self._guard
        private = question.guarded and guard.holds_private(answer.addresses)
        # Addresses alone, of which no rule and no list speaks, are what most answers have, and not worth remembering.
        if not (private or answer.aliases or answer.bindings or answer.ech or answer.glue or known.minds_addresses):
            return question
        remembered = known.inspected.get(key)
        if remembered is not None and remembered[0] is answer:
            return remembered[1]
        if private:
            decision = rebinding.blocked(self.policy.regency.language)
        else:
            decision = inspect(known.view, self.index, question.decision, answer, rrtype, known.asker)
        rendered = render(decision, rrtype, NO_EDGE_S) if bars(decision) else None
        relayed = None
        if rendered is None:
            if answer.ech and known.view.strips_ech:
                relayed = without_ech(answer)
            if question.guarded and guard.holds_private(answer.glue):
                # Of a nameserver, mostly, which is no reason to keep the answer back; but no client is to get it.
                relayed = without_additional(answer if relayed is None else relayed)
        if decision is question.decision and relayed is question.relayed:
            plan = question
        else:
            plan = Plan(decision, rendered, question.target, question.guarded, question.own, relayed)
        if self._plan_count >= MAX_PLANS:
            self._forget()
        self._plan_count += 1
        known.inspected[key] = (answer, plan)
        return plan

    def teach(self, known: Known, ready: Ready) -> None:
        """Leaves a response with the fast lane, for when a client of ``known``'s view asks the same."""
        # The fast lane stands before the door (``udp_door.py``): what a proxy asked for itself would be the answer to
        # any datagram of it that names no client.
        if self.surroundings.proxies.include_packed(known.address):
            return
        self.ready.put(ready)
        self.taught[known.address] = known

    def own(self, plan: Plan, query: Query, now_s: float) -> Rendered:
        """The answer of our own records that ``plan`` has for ``query``, its TTLs clipped to the policy's next edge."""
        answer = plan.own
        assert answer is not None
        if now_s + answer.ttl_s <= self.valid_until_s:
            return answer.rendered
        clipped = self.surroundings.records.find(query.name, query.rrtype, self.seconds_left(now_s))
        assert clipped is not None
        return clipped.rendered

    def clipped(self, plan: Plan, rendered: Rendered, rrtype: int, now_s: float) -> Rendered:
        """``rendered`` of ``plan``, its TTLs clipped to the next edge of the policy."""
        if now_s + rendered.ttl_s <= self.valid_until_s:
            return rendered
        return render(plan.decision, rrtype, self.seconds_left(now_s))

    def seconds_left(self, now_s: float) -> int:
        """Whole seconds to the next edge of the policy: the most that any TTL may be."""
        left_s = self.valid_until_s - now_s
        return int(left_s) if left_s < NO_EDGE_S else NO_EDGE_S

    def shed(self, limit: int) -> bool:
        """Forgets up to so many plans; says whether any may be left.

        For one that is no longer in force: freeing 250,000 plans at once would keep all clients waiting for 50 ms.
        """
        for memory in self._memories.values():
            while memory.plans:
                if limit <= 0:
                    return True
                memory.plans.popitem()
                limit -= 1
            while memory.inspected:
                if limit <= 0:
                    return True
                memory.inspected.popitem()
                limit -= 1
        return self.ready.shed(limit)

    def _forget(self) -> None:
        for memory in self._memories.values():
            memory.plans.clear()
            memory.inspected.clear()
        self._plan_count = 0
