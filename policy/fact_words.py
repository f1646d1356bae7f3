"""Facts of the model as people write them: what a field is called, and its value as text.

Every field of every fact must have its name in ``LABELS``, and every field that holds an identifier must be known to
``Codes`` (tests go through the dataclasses). Values of kinds that nothing here knows are told field by field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from policy.model import (
    Action,
    AnswerKind,
    Basis,
    BlockAnswer,
    Language,
    Period,
    Policy,
    Reading,
    Scope,
    ScopeKind,
    Target,
    TargetKind,
    Window,
)
from policy.schedules import ScheduleError, zone_of

# By the field's name: what it is called in Indonesian and in English.
LABELS: Final[dict[str, tuple[str, str]]] = {
    "action": ("tindakan", "action"),
    "address4": ("alamat IPv4", "IPv4 address"),
    "address6": ("alamat IPv6", "IPv6 address"),
    "admin_networks": ("jaringan administrator", "administrators' networks"),
    "agency_id": ("perangkat daerah", "agency"),
    "agency_ids": ("perangkat daerah", "agencies"),
    "allow_list_only": ("hanya daftar izin", "allow-list only"),
    "answer": ("jawaban", "answer"),
    "approver": ("disetujui oleh", "approved by"),
    "author": ("ditulis oleh", "written by"),
    "basis": ("surat", "letter"),
    "category_id": ("kategori", "category"),
    "category_ids": ("kategori", "categories"),
    "cidr": ("rentang alamat", "address range"),
    "code": ("kode", "code"),
    "date": ("tanggal", "date"),
    "days": ("hari", "days"),
    "document_sha256": ("SHA-256 dokumen", "document's SHA-256"),
    "end_min": ("sampai pukul", "until"),
    "exception": ("pengecualian", "exception"),
    "from_date": ("dari tanggal", "from"),
    "from_s": ("mulai", "from"),
    "id": ("nomor", "number"),
    "important": ("penting", "important"),
    "joint_leave": ("cuti bersama", "joint leave"),
    "kind": ("jenis", "kind"),
    "language": ("bahasa", "language"),
    "mandatory": ("wajib", "mandatory"),
    "name": ("nama", "name"),
    "names": ("nama", "names"),
    "national": ("nasional", "national"),
    "negative": ("negatif", "negative"),
    "note": ("catatan", "note"),
    "number": ("nomor", "number"),
    "observe": ("hanya diamati", "only observed"),
    "other_id": ("jadwal lain", "other schedule"),
    "periods": ("periode", "periods"),
    "reading": ("dibaca sebagai", "read as"),
    "reason": ("alasan", "reason"),
    "schedule_id": ("jadwal", "schedule"),
    "scope": ("berlaku untuk", "scope"),
    "signer": ("penanda tangan", "signer"),
    "skip_holidays": ("tutup pada hari libur", "closed on holidays"),
    "skip_joint_leave": ("tutup pada cuti bersama", "closed on joint leave"),
    "start_min": ("dari pukul", "from"),
    "target": ("sasaran", "target"),
    "title": ("judul", "title"),
    "trusts": ("dipercaya", "trusted in"),
    "ttl_s": ("TTL", "TTL"),
    "unit_id": ("unit", "unit"),
    "unknown_clients": ("klien tak dikenal", "unknown clients"),
    "until_date": ("sampai tanggal", "until"),
    "until_s": ("sampai", "until"),
    "valid_from_s": ("berlaku dari", "valid from"),
    "valid_until_s": ("berlaku sampai", "valid until"),
    "value": ("nilai", "value"),
    "version": ("versi", "version"),
    "windows": ("jam", "hours"),
    "zone": ("zona waktu", "time zone"),
}
_YES_NO: Final = {True: ("ya", "yes"), False: ("tidak", "no")}
_DAYS: Final = (("Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min"), ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
_WORDS: Final[tuple[tuple[Enum, tuple[str, str]], ...]] = (
    (Action.BLOCK, ("blokir", "block")),
    (Action.ALLOW, ("izinkan", "allow")),
    (Action.OBSERVE, ("amati", "observe")),
    (Action.REDIRECT, ("alihkan", "redirect")),
    (Action.SAFE_SEARCH, ("pencarian aman", "safe search")),
    (ScopeKind.REGENCY, ("kabupaten", "regency")),
    (TargetKind.CATEGORY, ("kategori", "category")),
    (TargetKind.LIST, ("daftar", "list")),
    (TargetKind.SERVICE, ("layanan", "service")),
    (TargetKind.NAME, ("nama", "name")),
    (TargetKind.WILDCARD, ("nama dan di bawahnya", "name and below")),
    (TargetKind.REGEX, ("ekspresi", "expression")),
    (TargetKind.NETWORK, ("jaringan", "network")),
    (TargetKind.SEARCH, ("mesin pencari", "search engine")),
    (TargetKind.BYPASS, ("jalan pintas", "way around")),
    (Reading.SCHEDULE, ("jadwal lain", "another schedule")),
    (Reading.ALWAYS, ("selalu", "always")),
    (Reading.NEVER, ("tidak pernah", "never")),
)
# By type too: members of two enumerations with one value are equal to a dictionary.
_ENUMS: Final = {(type(member), member): words for member, words in _WORDS}
NOTHING: Final = "-"


class Codes:
    """What the identifiers of one policy stand for; one that it does not know is ``#<id>``."""

    def __init__(self, policy: Policy) -> None:
        self.zone = policy.regency.zone
        agencies = {agency.id: agency.code for agency in policy.agencies}
        units = {unit.id: f"{agencies.get(unit.agency_id, '#')}/{unit.code}" for unit in policy.units}
        categories = {category.id: category.code for category in policy.categories}
        schedules = {schedule.id: schedule.code for schedule in policy.schedules}
        self.by_field: dict[str, dict[int, str]] = {
            "agency_id": agencies,
            "agency_ids": agencies,
            "unit_id": units,
            "category_id": categories,
            "category_ids": categories,
            "schedule_id": schedules,
            "other_id": schedules,
        }

    def code(self, field: str, number: int) -> str:
        """The code behind an identifier in that field."""
        return self.by_field[field].get(number, f"#{number}") if number else NOTHING

    def tenant(self, scope: Scope) -> str:
        """``dinkes`` or ``dinkes/igd``; ``""`` for the regency."""
        if scope.kind is ScopeKind.REGENCY:
            return ""
        return self.code("agency_id" if scope.kind is ScopeKind.AGENCY else "unit_id", scope.id)


class Values:
    """Values as text, with the codes of their policy, in one language."""

    def __init__(self, codes: Codes, language: Language) -> None:
        self._codes = codes
        self._word = 0 if language is Language.ID else 1
        self._by_type: dict[type, Callable[[Any], str]] = {
            BlockAnswer: self._answer,
            Basis: self._letter,
            Scope: self.scope,
            Target: self._target,
            Window: self._window,
            Period: self._period,
        }

    def title_of(self, part: str, thing: Any) -> str:
        """A thing by its title or code, and whose it is: ``'Blokir media sosial' (kabupaten)``."""
        if part == "regency":
            return ""
        if isinstance(thing, str):
            return thing
        if part in ("rules", "pauses"):
            name = f"'{thing.title}'" if getattr(thing, "title", "") else f"#{thing.id}"
            return f"{name} ({self.scope(thing.scope)})"
        if part == "units":
            return self._codes.code("unit_id", thing.id)
        if part == "schedule_overrides":
            return f"{self._codes.code('schedule_id', thing.schedule_id)} ({self.scope(thing.scope)})"
        for name in ("code", "cidr", "date", "value"):
            if hasattr(thing, name):
                title = getattr(thing, "title", "")
                return (
                    f"{getattr(thing, name)} '{title}'" if part == "holidays" and title else str(getattr(thing, name))
                )
        return f"#{thing.id}" if hasattr(thing, "id") else self._plain(thing)

    def text(self, field: str, value: Any) -> str:
        """The value of a field."""
        if isinstance(value, tuple):
            return ", ".join(self.item(field, one) for one in value) or NOTHING
        return self.item(field, value)

    def item(self, field: str, value: Any) -> str:
        """One value of a field that may hold many."""
        if value is None or value == "":
            return NOTHING
        if isinstance(value, bool):
            return _YES_NO[value][self._word]
        if isinstance(value, Enum):
            return self._member(value)
        if isinstance(value, int):
            return self._number(field, value)
        return self._by_type.get(type(value), self._plain)(value)

    def scope(self, scope: Scope) -> str:
        """``kabupaten``, ``dinkes`` or ``dinkes/igd``."""
        return self._codes.tenant(scope) or self._member(ScopeKind.REGENCY)

    def _member(self, member: Enum) -> str:
        words = _ENUMS.get((type(member), member))
        return words[self._word] if words else str(member.value)

    def _number(self, field: str, value: int) -> str:
        if field in self._codes.by_field:
            return self._codes.code(field, value)
        if field.endswith("_min"):
            return _clock(value)
        if field == "ttl_s":
            return f"{value} s"
        return self._moment(value) if field.endswith("_s") else str(value)

    def _moment(self, at_s: int) -> str:
        try:
            local = datetime.fromtimestamp(at_s, zone_of(self._codes.zone))
        except ScheduleError:  # ``check`` reports it; the difference is needed all the more
            local = datetime.fromtimestamp(at_s, UTC)
        except (ValueError, OverflowError, OSError):  # a year that no calendar has
            return str(at_s)
        return local.strftime("%Y-%m-%d %H:%M:%S %Z").replace(":00 ", " ")

    def _answer(self, answer: BlockAnswer) -> str:
        where = answer.name if answer.kind is AnswerKind.REDIRECT else f"{answer.address4} {answer.address6}".strip()
        return f"{answer.kind.value}{' ' if where else ''}{where}, TTL {answer.ttl_s} s"

    def _letter(self, basis: Basis) -> str:
        parts = [basis.number, basis.date, basis.signer]
        if basis.note:
            parts.append(f"({basis.note})")
        rest = [f.name for f in fields(basis) if f.name not in ("number", "date", "signer", "note")]
        parts += [f"{LABELS[name][self._word]} {getattr(basis, name)}" for name in rest if getattr(basis, name)]
        return ", ".join(part for part in parts if part) or NOTHING

    def _target(self, target: Target) -> str:
        return f"{self._member(target.kind)} {target.value}"

    def _window(self, window: Window) -> str:
        return f"{self._days(window.days)} {_clock(window.start_min)}-{_clock(window.end_min)}"

    def _days(self, days: tuple[int, ...]) -> str:
        """``Sen-Kam,Sab``: runs of three or more as first and last."""
        names = _DAYS[self._word]
        runs: list[list[int]] = []
        for day in sorted(set(days)):
            if runs and day == runs[-1][-1] + 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        known = [[day for day in run if day in range(7)] for run in runs]
        texts = [
            f"{names[run[0]]}-{names[run[-1]]}" if len(run) > 2 else ",".join(names[day] for day in run)
            for run in known
            if run
        ]
        return ",".join(texts)

    def _period(self, period: Period) -> str:
        hours = " ".join(self._window(window) for window in period.windows) or NOTHING
        return f"{period.title} {period.from_date}..{period.until_date} [{hours}]"

    def _plain(self, value: Any) -> str:
        if not is_dataclass(value):
            return str(value)
        told = [(field.name, getattr(value, field.name)) for field in fields(value)]
        return ", ".join(f"{LABELS[name][self._word]} {self.text(name, one)}" for name, one in told)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
