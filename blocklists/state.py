"""What the library remembers of a list: its versions, its last fetch, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from blocklists.fetch import Validators
from blocklists.formats.harvest import Complaint

MAX_HISTORY: Final = 100


class StateDamaged(ValueError):  # noqa: N818 -- names the fact, as IndexDamaged does
    """A state file does not hold a state."""


@dataclass(frozen=True, slots=True)
class ZoneStamp:
    """Of a zone that was transferred: which one, and its SOA (times in seconds, as the primary states them).

    ``reversible``: its entries tell apart what an IXFR can take away, so that it can be changed by one.
    """

    zone: str
    serial: int
    refresh_s: int
    retry_s: int
    expire_s: int
    reversible: bool = True


@dataclass(frozen=True, slots=True)
class Version:
    """One admitted content. ``sha256`` is the content's as fetched, ``entries_sha256`` that of its entries file.

    ``zone``: of a transferred zone, the newest serial that had this content. What of the content is no entry:
    ``invalid``, ``beyond``, ``reasons`` (why, and how many) and ``complaints`` (the first lines) as in ``Harvest``.
    """

    number: int
    sha256: str
    entries_sha256: str
    names: int
    invalid: int
    duplicates: int
    format: str
    recipe: str
    newline: bool
    size_bytes: int
    stored_s: float
    location: str = ""
    overridden: str = ""  # the cause of the refusal that an operator set aside
    zone: ZoneStamp | None = None
    subdomains: bool | None = None  # as the source said when it was parsed
    landing: tuple[str, ...] = ()
    beyond: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusalNote:
    """A refusal as people see it; ``sha256`` is what an override names."""

    at_s: float
    code: str
    sentence: str
    line: int
    sha256: str
    final: bool
    cause: str = ""  # the first part of ``sentence``: what is wrong, without what follows from it


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``kind``: admitted, refused, failed, rolled_back, damaged."""

    at_s: float
    kind: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class ListState:
    """One list at a glance. ``version`` 0: nothing was admitted yet. Times are Unix seconds, 0 for never.

    ``checked_s``: the last try. ``fetched_s``: the last time the source answered. ``good_s``: the last time that it
    answered with something that was let in, or had been. ``changed_s``: when ``version`` came into force.
    ``seen_sha256``/``seen_recipe``: content that was dealt with last (admitted, or rolled back since), so that the
    same is not admitted again by itself. ``zone``: of a transferred zone, the SOA that was dealt with last;
    ``refused_serial``: the one whose content the gate refused, -1 for none.
    """

    code: str
    version: int = 0
    entries: int = 0
    checked_s: float = 0.0
    fetched_s: float = 0.0
    good_s: float = 0.0
    changed_s: float = 0.0
    etag: str = ""
    last_modified: str = ""
    seen_sha256: str = ""
    seen_recipe: str = ""
    last_error: str = ""
    refusal: RefusalNote | None = None
    zone: ZoneStamp | None = None
    refused_serial: int = -1
    versions: tuple[Version, ...] = ()  # ascending
    history: tuple[Event, ...] = ()  # the newest last, at most MAX_HISTORY

    @property
    def current(self) -> Version | None:
        """The version in force."""
        return self.find(self.version)

    @property
    def good_at_s(self) -> float:
        """``good_s``; of a state written before there was one, the best that is known."""
        went_well = self.refusal is None and not self.last_error
        return self.good_s or (self.fetched_s if went_well else self.changed_s)

    @property
    def validators(self) -> Validators:
        """For the next conditional request."""
        return Validators(self.etag, self.last_modified)

    def find(self, number: int) -> Version | None:
        """A version that is still kept, by its number."""
        return next((version for version in self.versions if version.number == number), None)

    def with_event(self, event: Event) -> ListState:
        """The state with one more event; the oldest gives way."""
        return replace(self, history=(*self.history, event)[-MAX_HISTORY:])

    def in_force(self, number: int, now_s: float) -> ListState:
        """The state with another version in force."""
        version = self.find(number)
        return replace(self, version=number, entries=version.names if version else 0, changed_s=now_s)


def encode(state: ListState) -> bytes:
    """The state as JSON, indented for people."""
    return msgspec.json.format(msgspec.json.encode(state), indent=1)


def decode(content: bytes) -> ListState:
    """The state from JSON. Raises ``StateDamaged``."""
    try:
        return msgspec.json.decode(content, type=ListState)
    except msgspec.DecodeError as error:
        raise StateDamaged(str(error)) from error


def encode_version(version: Version) -> bytes:
    """A version's facts, kept beside its entries: from them a lost state is rebuilt."""
    return msgspec.json.format(msgspec.json.encode(version), indent=1)


def decode_version(content: bytes) -> Version:
    """A version from JSON. Raises ``StateDamaged``."""
    try:
        return msgspec.json.decode(content, type=Version)
    except msgspec.DecodeError as error:
        raise StateDamaged(str(error)) from error
