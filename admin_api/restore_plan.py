"""What of an earlier generation's document can be restored, worked out before anything is done.

Codes are what a document speaks in, identifiers what stays the same, so the two are compared first:

- An agency or unit that goes on under another code (a rename) keeps it; what the document says of it holds for it.
- An agency whose code belongs to another one by now, and all that a merge or split has touched since, stay **as they
  are now**, with their units, networks, devices, readings of schedules and rules: history is not undone.
- What was deleted comes back under its old identifier. Secrets do not.

Pure: two documents and the history in, one document out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from admin_api.document_export import Entry, Exported
from admin_api.lineage import Kind, Lineage, Succession

_SCOPED: Final = {"device": "tenant", "schedule_override": "scope", "rule": "scope"}


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """The document to bring the database to, the identifiers of its entries, and what does not come back, and why."""

    document: dict[str, Any]
    ids: dict[str, int]
    notes: tuple[str, ...]


def plan_restore(kept: Exported, current: Exported, successions: Iterable[Succession]) -> RestorePlan:
    """``kept``: the generation's document; ``current``: the database's."""
    notes: list[str] = []
    history = tuple(successions)
    agencies, units = _renames(kept, current, history)
    notes += [f"agency {old} is {new} now, and stays so" for old, new in agencies.items() if old != new]
    notes += [f"unit {old} is {new} now, and stays so" for old, new in units.items() if old != new]
    document = _renamed(kept.document, current.document, agencies, units)
    ids = {_renamed_key(where, agencies, units): number for where, number in kept.ids.items()}
    frozen = _frozen(kept, current, agencies, history, notes)
    if frozen:
        document = _with_frozen(document, current.document, frozen, notes)
        ids = {where: number for where, number in ids.items() if _agency_of(where) not in frozen}
    document = _without_secrets(document, current.document, notes)
    return RestorePlan(document, ids, tuple(notes))


def _renames(
    kept: Exported, current: Exported, successions: Iterable[Succession]
) -> tuple[dict[str, str], dict[str, str]]:
    """What agencies and units of the old document are called now: those that are still there."""
    agencies: dict[str, str] = {}
    units: dict[str, str] = {}
    now = {(_is_unit(where), number): where for where, number in current.ids.items() if where.startswith("agency ")}
    for where, number in kept.ids.items():
        found = now.get((_is_unit(where), number)) if where.startswith("agency ") else None
        if found is not None:
            (units if _is_unit(where) else agencies)[_path(where)] = _path(found)
    lineage = Lineage(one for one in successions if one.kind is Kind.RENAME)
    codes = {agency["code"] for agency in current.document["agency"]}
    for agency in kept.document["agency"]:
        heir = lineage.heir(agency["code"])
        if heir != agency["code"] and heir in codes:
            agencies.setdefault(agency["code"], heir)
    return agencies, units


def _is_unit(where: str) -> bool:
    return " unit " in where


def _path(where: str) -> str:
    """``dinkes/igd`` of ``agency dinkes unit igd``."""
    return where.removeprefix("agency ").replace(" unit ", "/")


def _agency_of(where: str) -> str:
    return _path(where).partition("/")[0] if where.startswith("agency ") else ""


def _renamed_key(where: str, agencies: Mapping[str, str], units: Mapping[str, str]) -> str:
    if where.startswith("agency "):
        path = _renamed_path(_path(where), agencies, units)
        return "agency " + path.replace("/", " unit ")
    if where.startswith("schedule_override "):
        schedule, _, scope = where.partition(" of ")
        return f"{schedule} of {_renamed_scope(scope, agencies, units)}"
    return where


def _renamed_path(path: str, agencies: Mapping[str, str], units: Mapping[str, str]) -> str:
    agency, slash, unit = path.partition("/")
    return units.get(path) or f"{agencies.get(agency, agency)}{slash}{unit}"


def _renamed_scope(scope: str, agencies: Mapping[str, str], units: Mapping[str, str]) -> str:
    kind, colon, path = scope.partition(":")
    return f"{kind}{colon}{_renamed_path(path, agencies, units)}" if colon else scope


def _renamed(
    document: Mapping[str, Any], current: Mapping[str, Any], agencies: Mapping[str, str], units: Mapping[str, str]
) -> dict[str, Any]:
    """The document in the codes of now, and the names of now where a code is another. Units that went to another
    agency are entered there.
    """
    names = {agency["code"]: agency["name"] for agency in current["agency"]}
    names |= {
        f"{agency['code']}/{unit['code']}": unit["name"] for agency in current["agency"] for unit in agency["unit"]
    }
    found = dict(document)
    by_agency: dict[str, list[Entry]] = {}
    for agency in document["agency"]:
        for unit in agency["unit"]:
            old = f"{agency['code']}/{unit['code']}"
            path = _renamed_path(old, agencies, units)
            owner, _, code = path.partition("/")
            name = names[path] if path in names and path != old else unit["name"]
            by_agency.setdefault(owner, []).append(unit | {"code": code, "name": name})
    found["agency"] = []
    for agency in document["agency"]:
        code = agencies.get(agency["code"], agency["code"])
        name = names[code] if code != agency["code"] else agency["name"]
        found["agency"].append(agency | {"code": code, "name": name, "unit": by_agency.get(code, [])})
    for section, key in _SCOPED.items():
        found[section] = [entry | {key: _renamed_scope(entry[key], agencies, units)} for entry in document[section]]
    found["forwarder"] = [
        entry | {"agencies": sorted(agencies.get(code, code) for code in entry["agencies"])}
        for entry in document["forwarder"]
    ]
    return found


def _frozen(
    kept: Exported,
    current: Exported,
    agencies: Mapping[str, str],
    successions: tuple[Succession, ...],
    notes: list[str],
) -> frozenset[str]:
    """The agencies (codes of now, or of none any more) that stay as they are."""
    now = {agency["code"] for agency in current.document["agency"]}
    gone = {agency["code"] for agency in kept.document["agency"]} - set(agencies)
    frozen: set[str] = set()
    for code in sorted(gone & now):
        notes.append(f"agency {code}: its code belongs to another agency by now; what concerns it stays as it is now")
        frozen.add(code)
    known = set(agencies.values()) | gone
    for succession in successions:
        since = (set(succession.before) & gone - now) | (set(succession.after) & now - known)
        if succession.kind is not Kind.RENAME and since:
            notes.append(_told(succession))
            frozen |= set(succession.before) | set(succession.after)
    for code in sorted(gone - now - frozen):
        if any(code in succession.before for succession in successions):
            notes.append(
                f"agency {code} has ended, and its code is not given again; what concerned it does not come back"
            )
            frozen.add(code)
    return frozenset(frozen)


def _told(succession: Succession) -> str:
    what = "were merged into" if succession.kind is Kind.MERGE else "was split into"
    before, after = (", ".join(codes) for codes in (succession.before, succession.after))
    return f"{before} {what} {after} since then: what concerns them stays as it is now"


def _with_frozen(
    document: Mapping[str, Any], current: Mapping[str, Any], frozen: frozenset[str], notes: list[str]
) -> dict[str, Any]:
    """The document, but of those agencies what is now."""
    found = dict(document)
    found["agency"] = _merged(document["agency"], current["agency"], lambda entry: entry["code"] in frozen)
    for section, key in _SCOPED.items():

        def is_frozen(entry: Entry, key: str = key) -> bool:
            return entry[key].partition(":")[2].partition("/")[0] in frozen

        found[section] = _merged(document[section], current[section], is_frozen)
    found["forwarder"] = _forwarders(document["forwarder"], current["forwarder"], frozen)
    taken = {cidr for agency in found["agency"] if agency["code"] in frozen for cidr in _networks(agency)}
    found["agency"] = [
        agency if agency["code"] in frozen else _without(agency, taken, notes) for agency in found["agency"]
    ]
    return found


def _merged(old: Iterable[Entry], now: Iterable[Entry], is_frozen: Callable[[Entry], bool]) -> list[Entry]:
    return [entry for entry in old if not is_frozen(entry)] + [entry for entry in now if is_frozen(entry)]


def _forwarders(old: Iterable[Entry], now: Iterable[Entry], frozen: frozenset[str]) -> list[Entry]:
    """Each with the old agencies that are not frozen, and of the frozen ones those that it speaks for now."""
    current = {entry["cidr"]: entry for entry in now}
    found: dict[str, Entry] = {}
    for entry in [*old, *current.values()]:
        cidr = entry["cidr"]
        if cidr in found:
            continue
        mine = set(entry["agencies"]) - frozen if entry is not current.get(cidr) else set()
        theirs = set(current.get(cidr, {}).get("agencies", ())) & frozen
        if mine | theirs:
            found[cidr] = entry | {"agencies": sorted(mine | theirs)}
    return list(found.values())


def _networks(agency: Entry) -> list[str]:
    return [*agency["networks"], *(cidr for unit in agency["unit"] for cidr in unit["networks"])]


def _without(agency: Entry, taken: set[str], notes: list[str]) -> Entry:
    """The agency without the networks that others have by now."""
    lost = [cidr for cidr in _networks(agency) if cidr in taken]
    if not lost:
        return agency
    notes.append(f"agency {agency['code']}: {', '.join(lost)} belongs to another by now, and stays there")
    units = [unit | {"networks": [cidr for cidr in unit["networks"] if cidr not in taken]} for unit in agency["unit"]]
    return agency | {"networks": [cidr for cidr in agency["networks"] if cidr not in taken], "unit": units}


def _without_secrets(document: Mapping[str, Any], current: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """The document with lists whose TSIG secret is nowhere switched off, and without their key."""
    now = {entry["code"] for entry in current["list"] if _has_secret(entry)}
    lists = []
    for entry in document["list"]:
        if _has_secret(entry) and entry["code"] not in now:
            notes.append(
                f"list {entry['code']}: the secret of its TSIG key {entry['tsig_name']} is kept nowhere; "
                "it comes back without the key and switched off"
            )
            lists.append(entry | {"tsig_name": "", "enabled": False})
        else:
            lists.append(entry)
    gone = sorted(now - {entry["code"] for entry in document["list"]})
    notes += [f"list {code} goes, and the secret of its TSIG key with it" for code in gone]
    return {**document, "list": lists}


def _has_secret(entry: Entry) -> bool:
    return bool(entry["tsig_name"] and not entry["tsig_secret_file"])
