"""An explanation as a tree for a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from rich.markup import escape
from rich.tree import Tree

from dnswire.rrtypes import type_text
from policy.explanation import ClientFacts, Explanation, Finding, HopFacts, ResponseFacts

_COLOURS: Final = {"allowed": "green", "blocked": "red", "redirected": "red", "observed": "yellow"}


def tree(explanation: Explanation) -> Tree:
    """Verdict first, then what is sent, who asked, and everything that has a say, strongest first."""
    found = Tree(_title(explanation))
    decision = explanation.decision
    found.add(f"answer: {escape(decision.response)}")
    if decision.ede_text:
        found.add(f"told to the client: {escape(decision.ede_text)}")
    _add_client(found, explanation.client, explanation.at)
    if explanation.owner is not None:
        owner = explanation.owner
        found.add(f"the address is a client's of ours: {escape(' / '.join(owner.path))} ({escape(owner.network)})")
    _add_time(found, explanation)
    _add_findings(found.add("what has a say, strongest first"), explanation.findings)
    if explanation.upstream:
        branch = found.add("what the upstream answers")
        branch.add(escape(explanation.upstream))
        _add_hops(found, explanation.hops)
    if explanation.response is not None:
        _add_response(found, explanation.response)
    return found


def _title(explanation: Explanation) -> str:
    decision, response = explanation.decision, explanation.response
    verdict, layer, way = decision.verdict_name, decision.layer_name, ""
    if response is not None and response.verdict_name and response.via_name != "question":
        # The answer, or what the pipeline does before any rule is asked, has the last word.
        verdict, layer, way = response.verdict_name, response.layer_name, f", by what it leads to ({response.via_name})"
    subject = f"{escape(explanation.name)} {type_text(explanation.rrtype)}"
    return f"{subject}: [{_COLOURS.get(verdict, 'bold')}]{escape(verdict)}[/] ({escape(layer)}{escape(way)})"


def _instant(at_s: float, like: str) -> str:
    """An instant in the zone in which ``like`` is written."""
    return datetime.fromtimestamp(at_s, datetime.fromisoformat(like).tzinfo).isoformat(timespec="seconds")


def _add_client(found: Tree, client: ClientFacts, at: str) -> None:
    who = " / ".join(client.path) + ("" if client.admitted else " (not admitted)")
    branch = found.add(f"client: {escape(client.address or '-')} {escape(who)}")
    if client.network:
        branch.add(f"network {escape(client.network)}")
    if client.paused_until_s is not None:
        branch.add(f"let off for a while, until {_instant(client.paused_until_s, at)}")
    if client.allow_list_only:
        branch.add(f"allow-list-only: {escape(client.allow_list_only)}")
    if client.strips_ech:
        branch.add("encrypted ClientHello is taken out of the answers")


def _add_time(found: Tree, explanation: Explanation) -> None:
    facts = explanation.of_generation
    number = facts.number if facts is not None else 0
    branch = found.add(f"at {explanation.at}, generation {number}, revision {explanation.revision}")
    if facts is not None:
        branch.add(f"published {facts.published}" + ("" if facts.current else ", not the one in force now"))
        if facts.note:
            branch.add(escape(facts.note))
    if explanation.valid_until_s is not None:
        until = _instant(explanation.valid_until_s, explanation.at)
        branch.add(f"something changes by itself at {until}")


def _add_findings(branch: Tree, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        mark = "[bold]=>[/] " if finding.wins else "[yellow]+[/]  " if finding.counted else "   "
        line = branch.add(f"{mark}{escape(finding.layer_name)}: {escape(finding.source)}: {escape(finding.outcome)}")
        for text in _details(finding):
            line.add(escape(text))


def _details(finding: Finding) -> list[str]:
    texts: list[str] = []
    if finding.title:
        texts.append(finding.title)
    if finding.inheritance and finding.inheritance != "own":
        texts.append(finding.inheritance)
    if finding.matched:
        texts.append(f"matched {finding.matched}")
    if finding.category:
        texts.append(f"category {finding.category}" + (f", service {finding.service}" if finding.service else ""))
    if finding.list_code:
        version = f" version {finding.list_version}" if finding.list_version else ""
        texts.append(f"list {finding.list_code}{version}" + (" (national)" if finding.national else ""))
    if finding.list_line or finding.list_text:
        where = f" of {finding.list_file}" if finding.list_file else ""
        texts.append(f"line {finding.list_line}{where}: {finding.list_text}")
    letter = finding.letter
    if letter is not None and letter.number:
        texts.append(f"letter {letter.number}, {letter.date}, {letter.signer}")
    if finding.schedule is not None:
        texts.append(f"schedule {finding.schedule.code}: {finding.schedule.state}")
    return texts


def _add_hops(found: Tree, hops: tuple[HopFacts, ...]) -> None:
    if not hops:
        return
    branch = found.add("where it leads, step by step")
    for hop in hops:
        mark = "[bold red]=>[/] " if hop.bars else "   "
        decision = hop.decision
        verdict = f"[{_COLOURS.get(decision.verdict_name, 'bold')}]{escape(decision.verdict_name)}[/]"
        said = f"{verdict} ({escape(decision.layer_name)}): {escape(hop.outcome)}"
        step = branch.add(f"{mark}{escape(hop.via_name)} {escape(hop.subject)}: {said}")
        _add_findings(step, hop.findings)


def _add_response(found: Tree, response: ResponseFacts) -> None:
    size = f", {response.size_bytes} octets" if response.size_bytes else ""
    branch = found.add(f"what the client is sent{size}")
    if response.note:
        branch.add(escape(response.note))
    if response.text:
        branch.add(escape(response.text))
