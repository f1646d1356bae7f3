"""Two regency documents entry by entry: which entries of the one the other does not have, or has otherwise.

Entries are called as an import calls them (``agency dinkes``, ``agency dinkes unit igd``, ``network 10.20.4.0/22``,
``rule medsos``); an agency's networks and units are entries of their own here, so that one network more does not make
the whole agency another.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from admin_api.document_export import Entry, local_text, sorted_ranges
from admin_api.seed_document import Document

_NAMES: Final = ("protected", "must_resolve")
# By section: what an import calls its entries.
_CALLED: Final[dict[str, Callable[[Entry], str]]] = {
    "forwarder": lambda entry: f"forwarder {entry['cidr']}",
    "device": lambda entry: f"device {entry['kind']} {entry['value']}",
    "category": lambda entry: f"category {entry['code']}",
    "service": lambda entry: f"service {entry['code']}",
    "list": lambda entry: f"blocklist {entry['code']}",
    "schedule": lambda entry: f"schedule {entry['code']}",
    "schedule_override": lambda entry: f"schedule_override {entry['schedule']} of {entry['scope']}",
    "holiday": lambda entry: f"holiday {entry['date']}",
    "rule": lambda entry: f"rule {entry['code']}",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """``written``: entries of the second document that the first has not, or otherwise. ``gone``: the other way."""

    written: frozenset[str]
    gone: tuple[str, ...]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """Both in the form of ``document_export``."""
    old, new = entries(before), entries(after)
    written = frozenset(where for where, entry in new.items() if old.get(where) != entry)
    return Comparison(written, tuple(where for where in old if where not in new))


def entries(document: Mapping[str, Any]) -> dict[str, Any]:
    """All entries but the regency's own, by what an import calls them."""
    found: dict[str, Any] = {}
    for section in _NAMES:
        for name in document.get(section, ()):
            noted = name if isinstance(name, Mapping) else {"name": name, "note": ""}
            found[f"{section} {noted['name']}"] = noted
    for agency in document.get("agency", ()):
        _tenant(found, f"agency {agency['code']}", agency, (agency["code"], ""))
        for unit in agency["unit"]:
            _tenant(found, f"agency {agency['code']} unit {unit['code']}", unit, (agency["code"], unit["code"]))
    for section, called in _CALLED.items():
        found |= {called(entry): entry for entry in document.get(section, ())}
    return found


def _tenant(found: dict[str, Any], where: str, entry: Entry, owner: tuple[str, str]) -> None:
    found[where] = {key: value for key, value in entry.items() if key not in ("networks", "unit")}
    found |= {f"network {cidr}": owner for cidr in entry["networks"]}


def canonical(document: Document) -> dict[str, Any]:
    """A checked document in the form in which ``document_export`` would give it back."""
    found: dict[str, Any] = document.model_dump(mode="json", by_alias=True)
    zone = zoneinfo.ZoneInfo(document.regency.zone)
    for section in _NAMES:
        found[section] = [_plain(name) for name in found[section]]
    for agency in found["agency"]:
        agency["networks"] = sorted_ranges(agency["networks"])
        for unit in agency["unit"]:
            unit["networks"] = sorted_ranges(unit["networks"])
    for forwarder in found["forwarder"]:
        forwarder["agencies"].sort()
    for listed in found["list"]:
        listed["categories"].sort()
    for schedule in found["schedule"]:
        schedule["zone"] = schedule["zone"] or document.regency.zone
    for entry, rule in zip(found["rule"], document.rules, strict=True):
        entry["valid_from"] = _moment(rule.valid_from, zone)
        entry["valid_until"] = _moment(rule.valid_until, zone)
    return found


def _plain(name: str | Entry) -> str | Entry:
    return name if isinstance(name, str) or name["note"] else str(name["name"])


def _moment(moment: datetime | None, zone: zoneinfo.ZoneInfo) -> str | None:
    if moment is None:
        return None
    return local_text(int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()), zone)


def only(document: Mapping[str, Any], written: frozenset[str]) -> dict[str, Any]:
    """Of a document, as ``canonical`` gives it, the regency and those entries. A name without a note says so."""
    kept: dict[str, Any] = {"regency": document["regency"], "agency": _only_agencies(document["agency"], written)}
    for section in _NAMES:
        noted = [{"name": name, "note": ""} if isinstance(name, str) else name for name in document[section]]
        kept[section] = [name for name in noted if f"{section} {name['name']}" in written]
    for section, called in _CALLED.items():
        kept[section] = [entry for entry in document[section] if called(entry) in written]
    return kept


def _only_agencies(agencies: Iterable[Entry], written: frozenset[str]) -> list[Entry]:
    kept: list[Entry] = []
    for agency in agencies:
        where = f"agency {agency['code']}"
        units = [
            unit | {"networks": networks}
            for unit in agency["unit"]
            if (networks := _only_networks(unit, written)) or f"{where} unit {unit['code']}" in written
        ]
        networks = _only_networks(agency, written)
        if units or networks or where in written:
            kept.append(agency | {"unit": units, "networks": networks})
    return kept


def _only_networks(entry: Entry, written: frozenset[str]) -> list[str]:
    return [cidr for cidr in entry["networks"] if f"network {cidr}" in written]
