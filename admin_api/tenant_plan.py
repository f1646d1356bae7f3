"""What a file of agencies, units and networks changes: compared with what is there, nothing written.

What the file does not say stays; what it does not name is left alone, or deleted where that was asked (``prune``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from admin_api.rest.problem import FieldError
from admin_api.tenant_csv import CsvError, Line, mistake
from policy.model import Network
from policy.overlaps import overlaps
from policy.problems import Part

Tenant = tuple[str, str]
"""Codes of an agency and of its unit; ``""``: the agency as a whole."""


class Kind(StrEnum):
    """What there is."""

    AGENCY = "agency"
    UNIT = "unit"
    NETWORK = "network"


class Fate(StrEnum):
    """What becomes of it."""

    CREATE = "create"
    CHANGE = "change"
    SAME = "same"
    ABSENT = "absent"  # not in the file: left alone
    DELETE = "delete"  # the same, where pruning was asked for


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an agency or a unit."""

    name: str
    allow_list_only: bool = False


@dataclass(frozen=True, slots=True)
class Tenants:
    """All agencies and units, and whose each network (canonical CIDR) is."""

    about: Mapping[Tenant, About]
    networks: Mapping[str, Tenant]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one thing. ``before`` and ``after``: only what changes; of a network its ``tenant``."""

    fate: Fate
    kind: Kind
    label: str  # "dinkes", "dinkes/igd", "10.20.4.0/22"
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loss:
    """A range inside of another tenant's: the longer prefix wins, so ``loser`` has ``addresses`` less."""

    network: str
    winner: str
    outer: str
    loser: str
    addresses: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an import does, in the order in which it is done, and the losses that were none before."""

    steps: tuple[Step, ...]
    losses: tuple[Loss, ...]


@dataclass(slots=True)
class _Wanted:
    line: int
    name: str = ""
    allow_list_only: bool | None = None


def label_of(tenant: Tenant) -> str:
    """``agency`` or ``agency/unit``."""
    return "/".join(filter(None, tenant))


def tenant_of(label: str) -> Tenant:
    """The inverse of ``label_of``."""
    agency, _, unit = label.partition("/")
    return agency, unit


def kind_of(tenant: Tenant) -> Kind:
    """Whether it is an agency or a unit."""
    return Kind.UNIT if tenant[1] else Kind.AGENCY


def plan(there: Tenants, lines: Sequence[Line], *, prune: bool) -> Plan:
    """What the lines change. Raises ``CsvError`` with every mistake: what is new and has no name, contradictions."""
    errors: list[FieldError] = []
    wanted = _gathered(lines, errors)
    wanted_networks = _wanted_networks(lines, errors)
    about = dict(there.about)
    steps: list[Step] = []
    for tenant, want in sorted(wanted.items(), key=lambda item: bool(item[0][1])):  # agencies before their units
        old = there.about.get(tenant)
        if old is None and not want.name:
            column = "unit_name" if tenant[1] else "agency_name"
            errors.append(mistake(want.line, column, f"{label_of(tenant)} is new and needs a name", None, "its name"))
            continue
        about[tenant] = _merged(old, want)
        steps.append(_step(kind_of(tenant), label_of(tenant), _fields(old), _fields(about[tenant])))
    for cidr, tenant in wanted_networks.items():
        owner = there.networks.get(cidr)
        was = {} if owner is None else {"tenant": label_of(owner)}
        steps.append(_step(Kind.NETWORK, cidr, was, {"tenant": label_of(tenant)}))
    if errors:
        raise CsvError(errors)
    networks = dict(there.networks) | wanted_networks
    for step in _unnamed(there, wanted, wanted_networks, Fate.DELETE if prune else Fate.ABSENT):
        steps.append(step)
        if step.fate is Fate.DELETE and step.kind is Kind.NETWORK:
            del networks[step.label]
    known = set(losses(there.networks))
    return Plan(tuple(steps), tuple(loss for loss in losses(networks) if loss not in known))


def lines_of(there: Tenants) -> list[Line]:
    """The lines of all tenants: importing them changes nothing."""
    of_tenant: dict[Tenant, list[str]] = {}
    for cidr, tenant in there.networks.items():
        of_tenant.setdefault(tenant, []).append(cidr)
    lines = []
    for tenant in sorted(there.about):
        about, agency = there.about[tenant], there.about[tenant[0], ""]
        unit_name = about.name if tenant[1] else ""
        lines += [
            Line(0, tenant[0], agency.name, tenant[1], unit_name, cidr, about.allow_list_only)
            for cidr in of_tenant.get(tenant, [""])
        ]
    return lines


def losses(networks: Mapping[str, Tenant]) -> list[Loss]:
    """Who loses which addresses to whom. Units inside of their own agency's ranges are as planned, and left out."""
    agencies = {code: number for number, code in enumerate(sorted({agency for agency, _ in networks.values()}), 1)}
    units = {tenant: number for number, tenant in enumerate(sorted(set(networks.values())), 1)}
    facts = [Network(cidr, agencies[tenant[0]], units[tenant] if tenant[1] else 0) for cidr, tenant in networks.items()]
    return [
        Loss(
            overlap.inner.cidr,
            label_of(networks[overlap.inner.cidr]),
            overlap.outer.cidr,
            label_of(networks[overlap.outer.cidr]),
            overlap.addresses,
        )
        for overlap in overlaps(facts)
        if not (overlap.nested or overlap.same_tenant)
    ]


def beside_losses(warnings: Iterable[str]) -> list[str]:
    """The policy's warnings but those about networks: what they say the losses say, too."""
    return [warning for warning in warnings if not warning.startswith(f"warning: {Part.NETWORK} ")]


def _gathered(lines: Sequence[Line], errors: list[FieldError]) -> dict[Tenant, _Wanted]:
    """What the file says of each agency and unit, on all of its lines."""
    found: dict[Tenant, _Wanted] = {}
    for line in lines:
        subject = found.setdefault((line.agency, ""), _Wanted(line.number))
        _name(subject, line, "agency_name", line.agency_name, errors)
        if line.unit:
            subject = found.setdefault((line.agency, line.unit), _Wanted(line.number))
            _name(subject, line, "unit_name", line.unit_name, errors)
        if line.allow_list_only is None:
            continue
        if subject.allow_list_only not in (None, line.allow_list_only):
            message = f"differs from an earlier line of {line.tenant}"
            errors.append(mistake(line.number, "allow_list_only", message, None, "the same on all lines, or nothing"))
        subject.allow_list_only = line.allow_list_only
    return found


def _name(subject: _Wanted, line: Line, column: str, name: str, errors: list[FieldError]) -> None:
    if name and subject.name and name != subject.name:
        message = f"differs from an earlier line, which says {subject.name}"
        errors.append(mistake(line.number, column, message, name, "the same on all lines, or nothing"))
    subject.name = subject.name or name


def _wanted_networks(lines: Sequence[Line], errors: list[FieldError]) -> dict[str, Tenant]:
    first: dict[str, Line] = {}
    for line in lines:
        if not line.network:
            continue
        other = first.setdefault(line.network, line)
        if other is not line:
            message = f"is {other.tenant}'s in line {other.number} already"
            errors.append(mistake(line.number, "network", message, line.network, "each network once"))
    return {cidr: (line.agency, line.unit) for cidr, line in first.items()}


def _merged(old: About | None, want: _Wanted) -> About:
    old = old or About("")
    allow = old.allow_list_only if want.allow_list_only is None else want.allow_list_only
    # Cells lose the blanks around them: a name that only has them more is the same.
    return About(old.name if want.name in ("", old.name.strip()) else want.name, allow)


def _fields(about: About | None) -> dict[str, Any]:
    return {} if about is None else {"name": about.name, "allow_list_only": about.allow_list_only}


def _step(kind: Kind, label: str, before: dict[str, Any], after: dict[str, Any]) -> Step:
    if not before:
        return Step(Fate.CREATE, kind, label, {}, after)
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return Step(Fate.SAME, kind, label)
    was = {name: before[name] for name in changed}
    return Step(Fate.CHANGE, kind, label, was, {name: after[name] for name in changed})


def _unnamed(
    there: Tenants, wanted: Mapping[Tenant, _Wanted], networks: Mapping[str, Tenant], fate: Fate
) -> Iterable[Step]:
    """What the file does not name: networks first, then units, then agencies, so that they can be deleted."""
    for cidr, tenant in there.networks.items():
        if cidr not in networks:
            yield Step(fate, Kind.NETWORK, cidr, {"tenant": label_of(tenant)})
    for tenant in sorted(there.about, key=lambda tenant: not tenant[1]):
        if tenant not in wanted:
            yield Step(fate, kind_of(tenant), label_of(tenant), _fields(there.about[tenant]))
