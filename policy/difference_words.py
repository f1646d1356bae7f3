"""The difference of two policies in words, Indonesian or English.

A line a change, as ``Aturan 'Blokir media sosial' (kabupaten): jadwal jam-kerja -> jam-kerja-ramadan``. Identifiers are
told as the codes they stand for, each in the policy it is of; times in the regency's zone. How a kind of value is
written is in ``fact_words.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from typing import Final

from policy.difference import Change, ChangeKind
from policy.fact_words import LABELS, Codes, Values
from policy.model import Language, Policy

# The parts of a policy, one thing of each.
PART_NAMES: Final[dict[str, tuple[str, str]]] = {
    "regency": ("Kabupaten", "Regency"),
    "agencies": ("Perangkat daerah", "Agency"),
    "units": ("Unit", "Unit"),
    "networks": ("Jaringan", "Network"),
    "forwarders": ("Penerus", "Forwarder"),
    "devices": ("Perangkat", "Device"),
    "categories": ("Kategori", "Category"),
    "services": ("Layanan", "Service"),
    "lists": ("Daftar", "List"),
    "protected": ("Nama terlindungi", "Protected name"),
    "schedules": ("Jadwal", "Schedule"),
    "schedule_overrides": ("Pembacaan jadwal", "Reading of a schedule"),
    "holidays": ("Hari libur", "Holiday"),
    "rules": ("Aturan", "Rule"),
    "pauses": ("Jeda", "Pause"),
}
_FATES: Final = {
    ChangeKind.ADDED: ("ditambahkan", "added"),
    ChangeKind.REMOVED: ("dihapus", "removed"),
}
# What stands in the head of a line, beside the id, and is not repeated behind it.
_IN_HEAD: Final[dict[str, tuple[str, ...]]] = {
    "units": ("code", "agency_id"),
    "devices": ("value",),
    "schedule_overrides": ("scope", "schedule_id"),
    "holidays": ("date", "title"),
    "rules": ("title", "scope"),
    "pauses": ("scope",),
}
_IN_HEAD_ELSE: Final = ("code", "cidr")
MAX_SHOWN: Final = 8  # of things added to or taken from a field that holds many


@dataclass(frozen=True, slots=True)
class FieldWords:
    """One field of a change: its name in the model, what people call it, and what it said before and says after."""

    field: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """A change as people read it. ``subject`` is the head of ``text``: part, title or code, and whose it is."""

    kind: ChangeKind
    part: str
    key: str
    subject: str
    fields: tuple[FieldWords, ...]
    text: str


def in_words(
    changes: Iterable[Change], before: Policy, after: Policy, language: Language | None = None
) -> tuple[ChangeWords, ...]:
    """The changes from ``before`` to ``after``; ``language`` None: the one that the regency has after them."""
    speaker = _Speaker(before, after, language or after.regency.language)
    return tuple(speaker.tell(change) for change in changes)


class _Speaker:
    def __init__(self, before: Policy, after: Policy, language: Language) -> None:
        self._word = 0 if language is Language.ID else 1
        self._before = Values(Codes(before), language)
        self._after = Values(Codes(after), language)

    def tell(self, change: Change) -> ChangeWords:
        subject = self._subject(change)
        told = self._fields(change)
        if change.kind is ChangeKind.CHANGED:
            text = f"{subject}: {'; '.join(self._changed(change, one) for one in told)}"
        else:
            what = "; ".join(f"{one.label} {one.after or one.before}" for one in told)
            text = f"{subject} {_FATES[change.kind][self._word]}{': ' if what else ''}{what}"
        key = "/".join(str(part) for part in change.key)
        return ChangeWords(change.kind, change.part, key, subject, told, text)

    def _subject(self, change: Change) -> str:
        values = self._before if change.after is None else self._after
        thing = change.before if change.after is None else change.after
        name = PART_NAMES[change.part][self._word]
        return f"{name} {values.title_of(change.part, thing)}".rstrip()

    def _fields(self, change: Change) -> tuple[FieldWords, ...]:
        if isinstance(change.before or change.after, str):
            return ()
        if change.kind is ChangeKind.CHANGED:
            return tuple(self._field(change, name) for name in change.fields)
        thing, values = (change.before, self._before) if change.after is None else (change.after, self._after)
        told = []
        in_head = _IN_HEAD.get(change.part, _IN_HEAD_ELSE)
        for field in fields(thing):
            value = getattr(thing, field.name)
            if field.name == "id" or field.name in in_head or (field.default is not MISSING and value == field.default):
                continue
            text = values.text(field.name, value)
            sides = (text, "") if change.after is None else ("", text)
            told.append(FieldWords(field.name, LABELS[field.name][self._word], *sides))
        return tuple(told)

    def _field(self, change: Change, name: str) -> FieldWords:
        was = self._before.text(name, getattr(change.before, name))
        now = self._after.text(name, getattr(change.after, name))
        return FieldWords(name, LABELS[name][self._word], was, now)

    def _changed(self, change: Change, told: FieldWords) -> str:
        """``label before -> after``; of what holds many, only what came and went."""
        was, now = getattr(change.before, told.field), getattr(change.after, told.field)
        if isinstance(was, tuple) and isinstance(now, tuple) and (set(was) - set(now) or set(now) - set(was)):
            went = [self._before.item(told.field, one) for one in was if one not in set(now)]
            came = [self._after.item(told.field, one) for one in now if one not in set(was)]
            return f"{told.label} {', '.join([*_few('+', came), *_few('-', went)])}"
        return f"{told.label} {told.before} -> {told.after}"


def _few(sign: str, texts: list[str]) -> list[str]:
    shown = [f"{sign}{text}" for text in texts[:MAX_SHOWN]]
    return [*shown, f"{sign}({len(texts) - MAX_SHOWN} ...)"] if len(texts) > MAX_SHOWN else shown
