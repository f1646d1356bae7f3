"""How differences are shown: what an edit would change, or what a generation changed, in words and in fields."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from policy.difference import ChangeKind
from policy.difference_words import ChangeWords


class FieldChange(BaseModel):
    """One field of a thing that changed."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    field: str
    label: str
    """What people call it."""
    before: str
    after: str


class ChangeOutput(BaseModel):
    """One thing that was added, removed or changed."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    change: ChangeKind
    part: str
    """Of the policy: rules, schedules, lists, ...; for what is no policy (where a list comes from) the kind of row."""
    key: str
    """By which it is found again: its number, range, date or name."""
    subject: str
    fields: list[FieldChange]
    text: str
    """All of it in one line."""


def show_changes(changes: Iterable[ChangeWords]) -> list[ChangeOutput]:
    """The changes as clients see them."""
    return [
        ChangeOutput(
            change=change.kind,
            part=change.part,
            key=change.key,
            subject=change.subject,
            fields=[
                FieldChange(field=one.field, label=one.label, before=one.before, after=one.after)
                for one in change.fields
            ],
            text=change.text,
        )
        for change in changes
    ]
