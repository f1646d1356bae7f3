"""Names below ``saring.``: questions to Saring about itself, answered here and never cached or asked upstream.

``whoami.saring. TXT`` tells anybody whom he is taken for. ``NAME.explain.saring. TXT`` tells why NAME is let through or
barred, to clients of the regency's administrators' networks alone: who may know what lists hold is the regency's
matter. For all others there is no such name, as there is none for anything else below ``saring.``: REFUSED would send
them to the next resolver, and that one need not learn what was asked.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime
from math import isinf
from typing import Final

from dnswire import edns, name
from dnswire.constants import EdeCode, Rcode, RRType
from dnswire.query import Query
from dnswire.response import question_rr, soa_rr
from policy.decide import decide
from policy.model import Agency, Decision, Policy, Rule, Unit, Verdict
from policy.networks import unmapped
from policy.schedules import ScheduleError, zone_of
from policy.why import LAYER_NAMES
from resolver.block import Rendered
from resolver.in_force import InForce, Known

SARING: Final = name.from_text("saring")
WHOAMI: Final = name.from_text("whoami.saring")
EXPLAIN: Final = name.from_text("explain.saring")

_SOA_TTL_S: Final = 60
_MAX_TEXT_SIZE: Final = 255  # RFC 1035 3.3: a character-string
_TEXT_TYPES: Final = (RRType.TXT, RRType.ANY)
_USAGE: Final = ("ask TXT of NAME.explain.saring to know what becomes of NAME, and why",)
_NOT_FOR_YOU: Final = edns.ede(EdeCode.PROHIBITED, "Explanations are for the regency's admin_networks")


def about_itself(query: Query, known: Known, in_force: InForce) -> Rendered:
    """The answer to a question for a name that ends in the octets of ``saring.``"""
    qname = query.name
    if qname == WHOAMI:
        return _texts(query, _whoami(known, in_force))
    if name.is_subdomain(qname, EXPLAIN):
        # By his socket's address alone: what a forwarder says of a client gives him no rights.
        if known.named_by or not in_force.prepared.administrators.find(known.address):
            return Rendered(Rcode.NXDOMAIN, authority=soa_rr(_SOA_TTL_S), nscount=1, options=_NOT_FOR_YOU)
        if qname == EXPLAIN:
            return _texts(query, _USAGE)
        return _texts(query, _explained(qname[: -len(EXPLAIN)] + b"\0", known, in_force))
    exists = qname == SARING
    return Rendered(Rcode.NOERROR if exists else Rcode.NXDOMAIN, authority=soa_rr(_SOA_TTL_S), nscount=1)


def _texts(query: Query, facts: tuple[str, ...]) -> Rendered:
    """One TXT RR, one character-string a fact."""
    if query.rrtype not in _TEXT_TYPES:
        return Rendered(Rcode.NOERROR, authority=soa_rr(_SOA_TTL_S), nscount=1)
    return Rendered(Rcode.NOERROR, question_rr(RRType.TXT, 0, b"".join([_text(fact) for fact in facts])), 1)


def _text(fact: str) -> bytes:
    data = fact.encode()[:_MAX_TEXT_SIZE].decode(errors="ignore").encode()
    return bytes((len(data),)) + data


def _whoami(known: Known, in_force: InForce) -> tuple[str, ...]:
    agency, unit = _tenant(in_force.policy, known)
    facts = [
        f"agency={agency.code if agency is not None else '-'}",
        f"unit={unit.code if unit is not None else '-'}",
        f"generation={in_force.generation}",
    ]
    if known.named_by:
        facts += [f"client={ipaddress.ip_address(unmapped(known.address))}", f"named_by={known.named_by}"]
    return tuple(facts)


def _explained(asked: bytes, known: Known, in_force: InForce) -> tuple[str, ...]:
    """The decision on ``asked`` (type A) for this client, by the code that makes it, in a few lines."""
    view = known.view
    decision = decide(view, in_force.index.ask(asked, RRType.A, known.asker), asked, RRType.A)
    facts = [f"{decision.verdict.name.lower()} by {LAYER_NAMES[decision.layer]}"]
    if decision.verdict is Verdict.OBSERVED:
        facts[0] = f"allowed, and counted: {LAYER_NAMES[decision.layer]} would bar it"
    facts += _reasons(in_force.policy, decision)
    if view.strips_ech:
        facts.append("encrypted ClientHello is taken out of the answers")
    agency, unit = _tenant(in_force.policy, known)
    path = "/".join(one.code for one in (agency, unit) if one is not None)
    facts.append(f"view={path or 'regency'} ({view.number}) generation={in_force.generation}")
    if not isinf(in_force.valid_until_s):
        facts.append(f"until={_instant(in_force.valid_until_s, in_force.policy.regency.zone)}")
    return tuple(facts)


def _reasons(policy: Policy, decision: Decision) -> list[str]:
    facts: list[str] = []
    if decision.matched:
        facts.append(f"matched={name.to_text(decision.matched)}")
    info = next((info for info in policy.lists if info.id == decision.list_id), None)
    if info is not None:
        line = f" line={decision.list_rule.line}" if decision.list_rule is not None else ""
        facts.append(f"list={info.code} version={info.version or '-'}{line}")
    category = next((category for category in policy.categories if category.id == decision.category_id), None)
    if category is not None:
        facts.append(f"category={category.code}")
    rule = next((rule for rule in policy.rules if rule.id == decision.rule_id), None)
    if rule is not None:
        facts += _of_rule(rule)
    if decision.ede_text:
        facts.append(f"told={decision.ede_text}")
    return facts


def _of_rule(rule: Rule) -> list[str]:
    facts = [f"rule={rule.id} {rule.title}".rstrip()]
    basis = rule.basis
    if basis.number:
        facts.append(f"letter={basis.number} {basis.date} {basis.signer}".rstrip())
    return facts


def _tenant(policy: Policy, known: Known) -> tuple[Agency | None, Unit | None]:
    agency = next((agency for agency in policy.agencies if agency.id == known.agency_id), None)
    unit = next((unit for unit in policy.units if unit.id == known.unit_id), None)
    return agency, unit


def _instant(at_s: float, key: str) -> str:
    try:
        return datetime.fromtimestamp(at_s, zone_of(key)).isoformat()
    except ScheduleError:
        return f"{at_s:.0f}"
