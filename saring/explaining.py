"""Explanations with all that belongs to them: the policy of that time, the answer's hops, the message that is sent.

One at a time: an index must not be closed while somebody asks it, and explanations are rare. What takes long (opening a
generation, looking up lines) is done beside the event loop; upstreams are asked within it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

from blocklists.library import Library
from dnswire.answer import Answer
from dnswire.message_text import answer_text, message_text, rcode_name
from dnswire.name import to_text
from dnswire.rrtypes import type_text
from policy.asked import Asked, AskedWrong, who_asks
from policy.explain import ByAddress, Explainer, Who
from policy.explanation import Explanation, GenerationFacts, ResponseFacts
from policy.model import Layer, Verdict, Via
from policy.prepare import Prepared, prepare
from policy.schedules import ScheduleError, zone_of
from policy.why import LAYER_NAMES
from querylog.record import NO_RESPONSE
from resolver.hops_explained import VIA_NAMES, explain_hops
from resolver.in_force import InForce
from resolver.rehearsal import ANY_CLIENT, Outcome, Rehearsal, Wanted
from resolver.upstream.failure import UpstreamFailure
from resolver.upstream.groups import UpstreamGroups
from saring.explain_network import Network
from saring.list_lines import with_lines
from snapshots.generation import Generation, GenerationDamaged, open_current
from snapshots.past import number_at, open_beside
from snapshots.watch import Watcher

_DRAIN_S: Final = 0.5


@dataclass(slots=True)
class _Scene:
    """One explanation on its way."""

    generation: Generation
    prepared: Prepared
    explainer: Explainer
    explanation: Explanation
    rehearsal: Rehearsal | None = None
    outcome: Outcome | None = None
    close: bool = False


class Explaining:
    """Holds the current generation open, from the first question on. ``network`` is asked anew for each question."""

    def __init__(
        self, root: Path, library: Library, network: Callable[[], Network], clock: Callable[[], float] = time.time
    ) -> None:
        self._root = root
        self._library = library
        self._network = network
        self._clock = clock
        self._lock = asyncio.Lock()
        self._watcher = Watcher(root)
        self._opened: Generation | None = None
        self._prepared: Prepared | None = None

    async def explain(self, asked: Asked) -> Explanation:
        """Raises ``AskedWrong``, and ``NoGenerationError`` where nothing sound is published."""
        async with self._lock:
            network = await asyncio.to_thread(self._network)
            scene = await asyncio.to_thread(self._begin, asked, network)
            try:
                heard: list[Answer] = []
                if asked.resolve:
                    await self._ask_upstreams(scene, network, heard)
                return await asyncio.to_thread(self._end, asked, scene, network, heard)
            finally:
                if scene.close:
                    scene.generation.close()

    async def close(self) -> None:
        """Gives the mapping back."""
        async with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = self._prepared = None

    def _current(self) -> tuple[Generation, Prepared]:
        opened = self._opened
        if opened is None:
            opened = open_current(self._root)
            self._watcher = Watcher(self._root, opened.number)
        else:
            newer = self._watcher.poll()
            if newer is not None:
                opened.close()
                opened, self._prepared = newer, None
        self._opened = opened
        if self._prepared is None:
            self._prepared = prepare(opened.policy)
        return opened, self._prepared

    def _begin(self, asked: Asked, network: Network) -> _Scene:
        current, prepared = self._current()
        now_s = self._clock()
        at_s = now_s if asked.at_s is None else asked.at_s
        number, note = asked.generation, ""
        if not number:
            number, note = number_at(self._root, at_s, current.number) if at_s < now_s else (current.number, "")
        try:
            chosen = open_beside(self._root, number, current)
        except GenerationDamaged as fault:
            raise AskedWrong("generation", f"generation {number} cannot be asked any more: {fault}") from None
        generation = chosen.generation
        try:
            if generation is not current:
                prepared = prepare(generation.policy)
            who = who_asks(generation.policy, asked)
            explainer = Explainer(prepared, generation.index, who, at_s)
            scene = _Scene(generation, prepared, explainer, _explained(explainer, asked), close=not chosen.borrowed)
            scene.explanation = replace(
                scene.explanation, of_generation=_facts(generation, current, chosen.note or note)
            )
            if asked.name:
                self._rehearse(scene, who, asked, network, at_s)
            return scene
        except BaseException:
            if not chosen.borrowed:
                generation.close()
            raise

    def _rehearse(self, scene: _Scene, who: Who, asked: Asked, network: Network, at_s: float) -> None:
        generation = scene.generation
        in_force = InForce(generation.number, scene.prepared, generation.index, at_s, {}, network.surroundings)
        host = ANY_CLIENT
        if isinstance(who, ByAddress):
            host = str(ipaddress.ip_address(who.address))
        else:
            in_force.stand_in(host, who.agency_id, who.unit_id)
        scene.rehearsal = Rehearsal(in_force, at_s, network.allow_from, network.identity)
        scene.outcome = scene.rehearsal.ask(_query(asked), host)

    async def _ask_upstreams(self, scene: _Scene, network: Network, heard: list[Answer]) -> None:
        """Until nothing is wanted any more: the answer, and perhaps that of a name which policy redirects to."""
        if scene.rehearsal is None or scene.outcome is None or scene.outcome.wanted is None:
            return
        groups = UpstreamGroups(network.groups, asyncio.get_running_loop())
        try:
            while scene.outcome.wanted is not None:
                said, upstream = await _exchange(groups, scene.outcome.wanted)
                if isinstance(said, Answer):
                    heard.append(said)
                scene.outcome = scene.rehearsal.land(said, upstream)
        finally:
            await groups.drain(_DRAIN_S)

    def _end(self, asked: Asked, scene: _Scene, network: Network, heard: list[Answer]) -> Explanation:
        explanation = scene.explanation
        if scene.outcome is not None:
            explanation = replace(explanation, response=_response(scene.outcome, asked, network, explanation))
        if heard:
            explanation = replace(explanation, upstream=answer_text(heard[-1]))
            decision, _ = scene.explainer.name(asked.name.lower(), asked.rrtype, asked.rrtype)
            if decision.answer is None:
                rules = scene.generation.index.rules
                _, hops = explain_hops(scene.explainer, rules, decision, heard[-1], asked.rrtype)
                explanation = replace(explanation, hops=hops)
        return with_lines(explanation, self._library, asked.lines)


def _explained(explainer: Explainer, asked: Asked) -> Explanation:
    if asked.name:
        return explainer.question(asked.name, asked.rrtype)
    return replace(explainer.answered_address(asked.address), owner=explainer.owner(asked.address))


def _query(asked: Asked) -> bytes:
    """What a stub resolver sends: RD, and an OPT RR of the size that DNS flag day 2020 asks for."""
    header = b"\0\0\x01\0\0\1\0\0\0\0\0\1"
    return header + asked.name + asked.rrtype.to_bytes(2, "big") + b"\0\1" + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


async def _exchange(groups: UpstreamGroups, wanted: Wanted) -> tuple[Answer | UpstreamFailure, int]:
    try:
        found = await groups[wanted.group].exchange(wanted.name, wanted.rrtype, wanted.rrclass, wanted.do, wanted.cd)
    except UpstreamFailure as failure:
        return failure, 0
    return found.answer, found.upstream


def _facts(generation: Generation, current: Generation, note: str) -> GenerationFacts:
    created_s = generation.manifest.created_s
    try:
        zone: tzinfo = zone_of(generation.policy.regency.zone)
    except ScheduleError:
        zone = UTC
    published = datetime.fromtimestamp(created_s, zone).isoformat(timespec="seconds")
    return GenerationFacts(generation.number, created_s, published, generation.number == current.number, note)


def _response(outcome: Outcome, asked: Asked, network: Network, explanation: Explanation) -> ResponseFacts:
    row, wire, wanted = outcome.row, outcome.response, outcome.wanted
    if wanted is not None:
        group = network.groups[wanted.group].name
        question = f"{to_text(wanted.name)} {type_text(wanted.rrtype)}"
        note = f"upstreams (group {group}) are asked for {question}; what they answer, and where it leads, is not known"
        verdict = explanation.decision
        return ResponseFacts("", 0, "", "", note, verdict.verdict_name, verdict.layer_name, VIA_NAMES[Via.QUESTION])
    if row is None:
        return ResponseFacts("", 0, "", "", "no response: this address may not ask here at all", "", "", "")
    note = ""
    if row.rcode == NO_RESPONSE:
        note = "no response: a list asks to drop the query"
    elif row.via == Via.REBINDING:
        note = "an address of our own networks, in an answer from outside, is kept back"
    return ResponseFacts(
        rcode=rcode_name(row.rcode) if wire else "",
        size_bytes=len(wire or b""),
        text=message_text(wire) if wire else "",
        wire=(wire or b"").hex(),
        note=note,
        verdict_name=Verdict(row.verdict).name.lower(),
        layer_name=LAYER_NAMES[Layer(row.layer)],
        via_name=VIA_NAMES[Via(row.via)],
    )
