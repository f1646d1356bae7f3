"""What an approver may change: to let through less than was asked for, never more.

One person would otherwise decide alone what two are to agree on.
"""

from __future__ import annotations

from dnswire.name import from_text, is_subdomain
from policy.model import Policy, Scope, ScopeKind, Target, TargetKind
from policy.networks import NetworkSyntaxError, parse
from policy.safe_search import ALL


def scope_within(policy: Policy, granted: Scope, asked: Scope) -> bool:
    """Whether everybody of ``granted`` is of ``asked``."""
    if granted == asked or asked.kind is ScopeKind.REGENCY:
        return True
    if asked.kind is not ScopeKind.AGENCY or granted.kind is not ScopeKind.UNIT:
        return False
    return any(unit.id == granted.id and unit.agency_id == asked.id for unit in policy.units)


def target_within(policy: Policy, granted: Target, asked: Target) -> bool:
    """Whether ``asked`` speaks of everything of which ``granted`` does, for all that lists may hold."""
    if granted == asked:
        return True
    if granted.kind in (TargetKind.NAME, TargetKind.WILDCARD):
        return any(_below(granted.value, name) for name in _names(policy, asked))
    if asked.kind is TargetKind.CATEGORY:
        category = next((category for category in policy.categories if category.code == asked.value), None)
        if category is None:
            return False
        if granted.kind is TargetKind.SERVICE:
            return any(one.code == granted.value and one.category_id == category.id for one in policy.services)
        if granted.kind is TargetKind.LIST:
            return any(one.code == granted.value and category.id in one.category_ids for one in policy.lists)
        return False
    if asked.kind is TargetKind.NETWORK and granted.kind is TargetKind.NETWORK:
        return _inside(granted.value, asked.value)
    return asked == Target(TargetKind.SEARCH, ALL) and granted.kind is TargetKind.SEARCH


def _names(policy: Policy, asked: Target) -> list[str]:
    """Names that stand, with all below, inside of what was asked for."""
    if asked.kind is TargetKind.WILDCARD:
        return [asked.value]
    if asked.kind is TargetKind.SERVICE:
        return [name for service in policy.services if service.code == asked.value for name in service.names]
    if asked.kind is TargetKind.CATEGORY:
        codes = {category.id: category.code for category in policy.categories}
        of_category = [service for service in policy.services if codes.get(service.category_id) == asked.value]
        return [name for service in of_category for name in service.names]
    return []


def _below(inner: str, outer: str) -> bool:
    return is_subdomain(from_text(inner).lower(), from_text(outer).lower())


def _inside(inner: str, outer: str) -> bool:
    try:
        one, other = parse(inner), parse(outer)
    except NetworkSyntaxError:
        return False
    if one.bits != other.bits or one.length < other.length:
        return False
    return one.value >> (one.length - other.length) == other.value
