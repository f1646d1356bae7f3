"""A query's way from bytes to bytes. THE ORDER OF THE STEPS IS THE SECURITY POLICY.

``Pipeline.answer`` is that way on one screen; each step says why it stands where it stands, and
``tests/scenarios/test_pipeline_order.py`` has a test for each pair whose exchange would open a bypass. The work of a
step is elsewhere: parsing in ``dnswire``, deciding in ``policy``, what is remembered in ``in_force.py``, answers of our
own in ``block.py`` and ``local.py``, upstream truth in ``cache.py`` and ``upstream/``.

What is known is answered in one call without a Task, a lock or a message object. What is not waits as a ``Turn`` for
its upstream and goes on in ``resume`` with the same steps.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from dnswire import edns, response
from dnswire.answer import Answer
from dnswire.constants import Rcode, RRClass, RRType
from dnswire.errors import WireError
from dnswire.query import Query, Refused, Unanswerable, parse_query, refuse_type
from policy.model import Decision, Layer, Verdict
from querylog.record import NO_RESPONSE, CacheState, Transport
from querylog.spool import SpoolWriter
from resolver import local, refusals
from resolver.admission import Admission
from resolver.block import Rendered
from resolver.cache import Cache, is_failure
from resolver.cookies import Cookies
from resolver.identification import claim_of
from resolver.in_force import InForce, Plan
from resolver.redirect import joined, redirected
from resolver.refresh import Refreshes
from resolver.saring_names import SARING, about_itself
from resolver.sources import Judgement, Sources
from resolver.special_names import special_name
from resolver.stats import Stats
from resolver.teaching import teach, ttls_of
from resolver.turn import Patience, Sender, Turn
from resolver.upstream.failure import UpstreamFailure
from resolver.zone_pressure import ZonePressure

_UDP: Final = int(Transport.UDP)
_IN: Final = int(RRClass.IN)
_CH: Final = int(RRClass.CH)
_RD: Final = 0x0100
_CD: Final = 0x0010
_ANY: Final = int(RRType.ANY)
_HIT: Final = int(CacheState.HIT)
_MISS: Final = int(CacheState.MISS)
_STALE: Final = int(CacheState.STALE)
_COALESCED: Final = int(CacheState.COALESCED)

# RFC 8767 5: "a TTL of 30 seconds is RECOMMENDED" for stale RRs.
_STALE_TTL_S: Final = 30
# RFC 8767 5: the client response timer; "a recommended value ... is 1.8 seconds".
_PATIENCE_S: Final = 1.8

_PASS: Final = int(Judgement.PASS)
_DROP: Final = int(Judgement.DROP)
_INVALID: Final = Plan(Decision(Verdict.INVALID, Layer.NONE))
_NOT_SERVED: Final = Plan(Decision(Verdict.REFUSED, Layer.NONE))
_LOCAL: Final = Plan(Decision(Verdict.LOCAL, Layer.NONE))


class Asker(Protocol):
    """A group of upstreams as the pipeline uses it."""

    def start(self, asked: bytes, do: bool, cd: bool, done: Callable[[Answer | UpstreamFailure, int], None]) -> bool:
        """Starts an exchange or joins one (True); ``done(answer or failure, upstream number)`` is called once.

        ``asked``: the question's wire form, its name in lower case.
        """


class Pipeline:
    """One worker's data plane. ``clock`` gives wall-clock seconds (DESIGN 8: TTLs are wall clock).

    ``later(delay_s, call)`` is the event loop's ``call_later``. ``upstreams``: the groups, by their numbers.
    ``teaching``: there is a fast lane (``fast_lane.py``) to leave responses with.
    """

    def __init__(
        self,
        in_force: InForce,
        admission: Admission,
        cache: Cache,
        upstreams: Sequence[Asker],
        spool: SpoolWriter,
        stats: Stats,
        identity: local.Identity,
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], None]], Patience],
        sources: Sources,
        pressure: ZonePressure,
        cookies: Cookies | None = None,
    ) -> None:
        self.in_force = in_force
        self._admission = admission
        self._cache = cache
        self._upstreams = upstreams
        self._spool = spool
        self._stats = stats
        self._identity = identity
        self._clock = clock
        self._later = later
        self._refreshes = Refreshes(cache, clock)
        self._sources = sources
        self._limiting = sources.limiting
        self._max_pending = sources.limits.max_pending
        self._pressure = pressure
        self._cookies = cookies
        self.teaching = False

    def answer(self, message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        """The response to ``message`` from ``host``; empty: none is due; None: ``sender`` gets it later."""
        now_s = self._clock()
        in_force = self.in_force
        if now_s >= in_force.valid_until_s:  # a schedule's edge, exact to the second even if nobody else is alive
            in_force = self.in_force = in_force.later(now_s)

        # 1 Admit by socket source, before anything that a client can claim about himself.
        known = in_force.known.get(host)
        if known is None:
            if not self._admission.admits(host):
                self._stats.dropped += 1
                return b""
            known = in_force.identify(host)
            known.befriend(self._sources.of(known.address, now_s))
        judgement = known.source.judge(now_s) if self._limiting else _PASS
        if judgement == _DROP and transport == _UDP:
            self._stats.limited += 1
            return b""
        if transport != _UDP and in_force.about_tcp and known.over_tcp is not None:
            known = known.over_tcp

        # 2 Parse strictly: what is malformed costs no look-up, and no later step sees it.
        try:
            query = parse_query(message)
        except Unanswerable:
            self._stats.dropped += 1
            return b""
        except Refused as refusal:
            turn = Turn(refusal.query, known, in_force, transport, now_s, sender, address, _INVALID)
            return self._own(turn, Rendered(refusal.rcode))
        turn = Turn(query, known, in_force, transport, now_s, sender, address, _INVALID)
        shows_cookie = False
        if query.edns_options and self._cookies is not None:
            try:
                turn.echo, shows_cookie = self._cookies.echo(query.edns_options, known.address, now_s)
            except WireError:
                return self._own(turn, refusals.MALFORMED)
        if judgement and not shows_cookie:
            self._stats.limited += 1
            return self._own(turn, refusals.TRY_TCP if transport == _UDP else refusals.TOO_FAST)
        refused = refuse_type(query)
        if refused is not None:
            return self._own(turn, Rendered(refused[0]))

        # 3 Who asks: only a forwarder of ours, known by its socket, may say that it is somebody else. An address of no
        #   agency is refused before policy or cache can tell him anything.
        if known.speaker is not None and query.edns_options:
            try:
                claim, echo = claim_of(query.edns_options, known.speaker)
            except WireError:
                return self._own(turn, refusals.MALFORMED)
            turn.echo += echo
            known = turn.known = in_force.behind(known, claim)
        turn.plan = _NOT_SERVED
        if not known.admitted:
            return self._own(turn, refusals.STRANGER)
        if query.rrclass == _IN and not query.flags & _RD:  # the cache must not tell who asked what before (snooping)
            return self._own(turn, refusals.NOT_RECURSIVE)
        turn.plan = _LOCAL
        if query.rrclass == _CH:
            return self._own(turn, local.about_server(query, self._identity))
        if query.name.endswith(SARING):
            return self._own(turn, about_itself(query, known, in_force))

        # 4 Decide on the name: before the cache, so that an edit holds from the next query and no client ever gets
        #   what was decided for another; before ANY and special names, so that neither is a way around a rule.
        name = query.name
        question = name + message[query.question_end - 4 : query.question_end]
        plan = known.plans.get(question)
        if plan is None:
            plan = in_force.plan(known, question, name, query.rrtype)
        else:
            turn.again = True
        rendered = plan.rendered
        if rendered is not None:
            turn.plan = plan
            return self._block(turn, rendered)
        if query.rrtype == _ANY:
            return self._own(turn, local.ANY_ANSWER)
        # Records of our own: behind the decision, so that a hosts file is no way around a rule; before the names that
        # never exist and the cache, so that upstreams are neither asked for them nor believed about them.
        if plan.own is not None:
            return self._answer_own(turn, plan)
        special = special_name(query, plan.decision, plan.target.inside)
        if special is not None:
            return self._own(turn, special)
        turn.plan = plan

        # 5 Cache: upstream truth only, the same for all clients whose question goes to the same group.
        turn.key = question + plan.target.keys[(1 if query.do else 0) | (2 if query.flags & _CD else 0)]
        entry = self._cache.get(turn.key, now_s)
        if entry is not None:
            turn.cache_state = _HIT
            turn.again = True
            turn.entry = entry
            wire = self._relay(turn, entry.answer, int(now_s - entry.stored_s))
            if now_s >= entry.refresh_s and self._cache.wants_refresh(entry):
                self._refresh(turn, question, plan)
            return wire

        # 6 Upstream: coalesced, bounded, with a deadline; goes on in ``resume``. What has expired is no answer yet: it
        #   is one if upstreams fail, just failed, or keep the client waiting, and passes step 7 like any other.
        old = self._cache.stale(turn.key, now_s)
        stale = turn.stale = None if old is None else old.answer
        if stale is not None and old is not None and now_s < old.retry_s:
            return self._relay_stale(turn, stale)
        pressing = self._pressure.admits(name) if known.source.pending < self._max_pending else None
        if pressing is None:
            return self._own(turn, refusals.TOO_MANY) if stale is None else self._relay_stale(turn, stale)
        self._ask(turn, question, pressing)
        return None

    def _ask(self, turn: Turn, question: bytes, pressing: tuple[bytes, bytes]) -> None:
        query = turn.query
        turn.cache_state = _MISS
        turn.resumer = self
        turn.known.source.pending += 1
        cd = bool(query.flags & _CD)
        group = self._upstreams[turn.plan.target.group]
        if group.start(question, query.do, cd, turn.done):
            turn.cache_state = _COALESCED
        elif turn.resumer is not None:
            turn.pressing = pressing
            self._pressure.enter(pressing)
        if turn.stale is not None and turn.resumer is not None:
            turn.patience = self._later(_PATIENCE_S, turn.hurry)

    def _refresh(self, turn: Turn, question: bytes, plan: Plan) -> None:
        query = turn.query
        refresh = self._refreshes.begin(turn.key)
        if refresh is not None:
            cd = bool(query.flags & _CD)
            group = self._upstreams[plan.target.group]
            group.start(question, query.do, cd, refresh.done)

    def resume(self, turn: Turn, outcome: Answer | UpstreamFailure, upstream: int) -> None:
        """Takes a turn that waited for its upstream to its end (``turn.Resumer``)."""
        turn.now_s = self._clock()
        turn.upstream = upstream
        turn.known.source.pending -= 1
        if turn.pressing is not None:
            self._pressure.leave(turn.pressing)
            turn.pressing = None
        plan = turn.plan
        wire: bytes | None
        if plan.rendered is not None or (plan.own is not None and not isinstance(outcome, UpstreamFailure)):
            wire = self._followed_late(turn, outcome)
        elif isinstance(outcome, UpstreamFailure):
            self._cache.postpone(turn.key, turn.now_s)
            wire = None if turn.answered else self._fail(turn, outcome)
        else:
            self._cache.put(turn.key, outcome, turn.now_s)
            if turn.answered:
                return
            if turn.stale is not None and is_failure(outcome):
                wire = self._relay_stale(turn, turn.stale)
            else:
                wire = self._relay(turn, outcome, 0)
        if wire:
            turn.sender.send(wire, turn.address)

    def hurry(self, turn: Turn) -> None:
        """Gives a client who has waited long enough what is known of old (``turn.Resumer``)."""
        stale = turn.stale
        if stale is not None:
            turn = turn.for_client()
            turn.now_s = self._clock()
            wire = self._relay_stale(turn, stale)
            if wire:
                turn.sender.send(wire, turn.address)

    def _relay_stale(self, turn: Turn, stale: Answer) -> bytes | None:
        turn.cache_state = _STALE
        self._cache.stale_hits += 1
        return self._relay(turn, stale, 0)

    def _relay(self, turn: Turn, answer: Answer, age_s: int) -> bytes | None:
        # 7 Inspect whom the answer points to: on cache hits too, since the answer may be older than the rule.
        in_force = turn.in_force
        query = turn.query
        if answer.points or in_force.about_servers:
            turn.plan = plan = in_force.inspected(turn.known, turn.key, turn.plan, answer, query.rrtype)
            if plan.rendered is not None:
                return self._block(turn, plan.rendered)
            if plan.relayed is not None:  # what policy lets through may be less than what came
                answer = plan.relayed

        # 8 Finish: the client's ID and case, TTLs aged and clipped to the policy's next edge, EDE, size.
        limit = response.size_limit(query, turn.transport == _UDP)
        options = self._options(query, answer) + turn.echo
        max_ttl_s = in_force.seconds_left(turn.now_s)
        if turn.cache_state == _STALE:
            max_ttl_s = min(max_ttl_s, _STALE_TTL_S)
            options += refusals.OLD_NXDOMAIN if answer.rcode == Rcode.NXDOMAIN else refusals.OLD
        wire = response.relay(query, answer, age_s, max_ttl_s, limit, options)

        # 9 Spool, then send: what a client got is in the log, whatever happens to us next.
        self._record(turn, answer.rcode, answer.digest)
        if turn.entry is not None and self.teaching:
            teach(turn, self._stats, wire, answer.rcode, answer.digest, ttls_of(answer), 0)
        return wire

    def _block(self, turn: Turn, rendered: Rendered) -> bytes | None:
        query = turn.query
        if rendered.silent and turn.transport == _UDP:
            # Over TCP nobody is spoofed, and a connection that waits for nothing holds a place of ours: it is REFUSED.
            self._record(turn, NO_RESPONSE, 0)
            return b""
        clipped = turn.in_force.clipped(turn.plan, rendered, query.rrtype, turn.now_s)
        if clipped.alias and query.rrtype in (RRType.A, RRType.AAAA):
            return self._follow(turn, clipped)
        wire = self._own(turn, clipped)
        # Not one that rests on an answer that just came, or is old: the log tells it from the next.
        if turn.again and clipped is rendered and self.teaching and (turn.entry is not None or not turn.cache_state):
            teach(turn, self._stats, wire, rendered.rcode, _digest(rendered), b"", rendered.ttl_s)
        return wire

    def _answer_own(self, turn: Turn, plan: Plan) -> bytes | None:
        query = turn.query
        rendered = turn.in_force.own(plan, query, turn.now_s)
        if not rendered.alias or query.rrtype not in (RRType.A, RRType.AAAA):
            return self._own(turn, rendered)
        turn.plan = plan
        return self._follow(turn, rendered)

    def _follow(self, turn: Turn, rendered: Rendered) -> bytes | None:
        """A CNAME of ours to a name: its addresses are looked up as any client would get them."""
        query = turn.query
        own = turn.in_force.surroundings.records.find(rendered.alias, query.rrtype, rendered.ttl_s, rendered.alias)
        if own is not None and not own.rendered.alias:
            return self._own(turn, joined(rendered, own.rendered))
        target = turn.known.routes.find(rendered.alias)
        question = rendered.alias + query.question_wire()[-4:]
        turn.key = question + target.keys[0]
        entry = self._cache.get(turn.key, turn.now_s)
        if entry is not None:
            turn.cache_state = _HIT
            return self._followed(turn, entry.answer, int(turn.now_s - entry.stored_s))
        turn.cache_state = _MISS
        turn.resumer = self
        turn.known.source.pending += 1
        group = self._upstreams[target.group]
        group.start(question, False, False, turn.done)
        return None

    def _followed(self, turn: Turn, answer: Answer, age_s: int) -> bytes | None:
        """Policy made a redirection, so it has no say in what its target has; of a record of ours it has."""
        plan = turn.plan
        query = turn.query
        if plan.rendered is not None:
            rendered = turn.in_force.clipped(plan, plan.rendered, query.rrtype, turn.now_s)
            return self._own(turn, redirected(rendered, answer, age_s))
        if answer.points:
            turn.plan = plan = turn.in_force.inspected(turn.known, turn.key, plan, answer, query.rrtype)
            if plan.rendered is not None:
                return self._block(turn, plan.rendered)
        turn.plan = _LOCAL
        return self._own(turn, redirected(turn.in_force.own(plan, query, turn.now_s), answer, age_s))

    def _followed_late(self, turn: Turn, outcome: Answer | UpstreamFailure) -> bytes | None:
        if isinstance(outcome, UpstreamFailure):
            turn.stale = None  # it is an answer to the first question, which policy does not let through
            return self._fail(turn, outcome)
        self._cache.put(turn.key, outcome, turn.now_s)
        return self._followed(turn, outcome, 0)

    def _fail(self, turn: Turn, failure: UpstreamFailure) -> bytes | None:
        if turn.stale is not None:
            return self._relay_stale(turn, turn.stale)
        options = edns.ede(*failure.ede)
        return self._own(turn, Rendered(Rcode.SERVFAIL, options=options))

    def _own(self, turn: Turn, rendered: Rendered) -> bytes:
        """A response of our own: steps 8 and 9 for what no upstream said."""
        query = turn.query
        wire = response.respond(
            query,
            rendered.rcode,
            response.size_limit(query, turn.transport == _UDP),
            answer=rendered.answer,
            ancount=rendered.ancount,
            authority=rendered.authority,
            nscount=rendered.nscount,
            truncated=rendered.truncated,
            options=rendered.options + local.identity_options(query, self._identity) + turn.echo,
        )
        self._record(turn, rendered.rcode, _digest(rendered))
        return wire

    def _record(self, turn: Turn, rcode: int, digest: int) -> None:
        query = turn.query
        known = turn.known
        plan = turn.plan
        self._spool.append(
            int(turn.now_s * 1_000_000),
            known.address,
            known.agency_id,
            known.unit_id,
            turn.in_force.generation,
            plan.rule_id,
            plan.list_id,
            plan.category_id,
            digest,
            int((turn.now_s - turn.began_s) * 1_000_000),
            query.rrtype,
            rcode,
            turn.upstream,
            turn.transport,
            plan.verdict,
            plan.layer,
            plan.via,
            turn.cache_state,
            query.name,
            plan.matched,
        )
        known.tally[plan.verdict].add()
        self._stats.count(turn.transport, rcode, plan.verdict, plan.category_id, plan.list_id)

    def _options(self, query: Query, answer: Answer) -> bytes:
        if not query.edns or not (answer.ede or query.edns_options):
            return b""
        said = b"".join([edns.ede(code, text) for code, text in answer.ede])
        return said + local.identity_options(query, self._identity)


def _digest(rendered: Rendered) -> int:
    return zlib.crc32(rendered.answer) if rendered.ancount else 0
