"""How the state of a blocklist is shown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from admin_api.schemas import Instant, instant
from blocklists.admission import Refusal
from blocklists.formats.harvest import Reason
from blocklists.state import ListState

HELD = frozenset({Refusal.PROTECTED, Refusal.MUST_RESOLVE})


class Shown(BaseModel):
    """Root of what is shown."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ComplaintOutput(Shown):
    """A line that was not understood."""

    line: int
    file: str
    """Of a folder; else empty."""
    text: str
    """In excerpt."""
    reason: str
    sentence: str
    """The reason in words."""


class VersionOutput(Shown):
    """One admitted version that is still kept."""

    number: int
    names: int
    invalid: int
    """Lines that were no entry."""
    beyond: int
    """Lines that are right, and ask for what a resolver cannot do."""
    reasons: dict[str, int]
    """Why lines were no entry, and how many."""
    complaints: list[ComplaintOutput]
    """The first of those lines."""
    duplicates: int
    format: str
    size_bytes: int
    stored: Instant
    sha256: str
    overridden: str
    """The refusal that was set aside by people, if any."""
    serial: int | None
    """Of a transferred zone: the newest serial that had this content."""


class RefusalOutput(Shown):
    """The update that the admission gate refused."""

    at: Instant
    code: str
    sentence: str
    """What is wrong, what is still served, and what to do now."""
    cause: str
    """The first part of the sentence alone."""
    line: int
    """Of the file; 0: the whole of it."""
    sha256: str
    """Of the content, for an override."""
    final: bool
    """Nobody can let it in: there is nothing that could be served."""
    held: bool
    """It would block a name that is protected or must resolve."""


class EventOutput(Shown):
    """Something that happened to the list."""

    at: Instant
    kind: str
    version: int
    text: str


class StateOutput(Shown):
    """A blocklist at a glance; times are null for never."""

    code: str
    version: int
    """In force; 0: none was admitted yet."""
    entries: int
    good: Instant | None
    """The last time that the source had what is served, or something that was let in."""
    checked: Instant | None
    """The last try."""
    fetched: Instant | None
    """The last time that the source answered."""
    changed: Instant | None
    """When the version came into force."""
    last_error: str
    refusal: RefusalOutput | None
    versions: list[VersionOutput]
    """Ascending."""
    history: list[EventOutput]
    """The newest last."""


def show_state(state: ListState) -> StateOutput:
    """A state as clients see it."""
    refusal = state.refusal
    return StateOutput(
        code=state.code,
        version=state.version,
        entries=state.entries,
        good=instant(state.good_s) if state.good_s else None,
        checked=instant(state.checked_s) if state.checked_s else None,
        fetched=instant(state.fetched_s) if state.fetched_s else None,
        changed=instant(state.changed_s) if state.changed_s else None,
        last_error=state.last_error,
        refusal=RefusalOutput(
            at=instant(refusal.at_s),
            code=refusal.code,
            sentence=refusal.sentence,
            line=refusal.line,
            sha256=refusal.sha256,
            cause=refusal.cause,
            final=refusal.final,
            held=refusal.code in HELD,
        )
        if refusal
        else None,
        versions=[
            VersionOutput(
                number=version.number,
                names=version.names,
                invalid=version.invalid,
                beyond=version.beyond,
                reasons=dict(version.reasons),
                complaints=[
                    ComplaintOutput(
                        line=one.line,
                        file=one.file,
                        text=one.text,
                        reason=str(one.reason),
                        sentence=Reason(one.reason).sentence,
                    )
                    for one in version.complaints
                ],
                duplicates=version.duplicates,
                format=version.format,
                size_bytes=version.size_bytes,
                stored=instant(version.stored_s),
                sha256=version.sha256,
                overridden=version.overridden,
                serial=version.zone.serial if version.zone else None,
            )
            for version in state.versions
        ],
        history=[
            EventOutput(at=instant(event.at_s), kind=event.kind, version=event.version, text=event.text)
            for event in state.history
        ],
    )
