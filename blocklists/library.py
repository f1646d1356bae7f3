"""The admitted lists on disk, with their versions, history and rollback.

``<root>/<code>/state.json`` and ``<root>/<code>/versions/<number>/{entries,version.json}``. A version is written
beside and renamed into place, so that it is whole or absent; the state is replaced after it. Several processes may
use one library: each change holds the list's lock.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from blocklists.admission import LastGood, Refused
from blocklists.changes import Diff, compare
from blocklists.durable import fsync_directory, fsync_file, locked, sha256_of, size_of, write_atomic
from blocklists.entry import MAX_COVER, key_of
from blocklists.fetch import Fetched, Validators
from blocklists.lines import Place
from blocklists.normalise import Parsed
from blocklists.published import TEXT, keep_text, line_of
from blocklists.source import Source
from blocklists.state import (
    Event,
    ListState,
    RefusalNote,
    StateDamaged,
    Version,
    ZoneStamp,
    decode,
    decode_version,
    encode,
    encode_version,
)

_ENTRIES: Final = "entries"
_VERSION: Final = "version.json"
_STATE: Final = "state.json"
_RECORDS: Final = "records"
_INCOMING: Final = "incoming-"


class LibraryError(Exception):
    """A library operation makes no sense here; the text says why and what would."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A version whose entries were read and found whole."""

    version: Version
    entries: Path


class Library:
    """All lists under ``root``. ``keep``: so many versions of each list stay on disk, the one in force among them."""

    def __init__(self, root: Path, keep: int = 5) -> None:
        if keep < 2:
            raise ValueError(f"keep {keep}: at least 2, the version in force and one to go back to")
        self.root = root
        self._keep = keep

    def codes(self) -> list[str]:
        """The lists that the library knows, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(path.parent.name for path in self.root.glob(f"*/{_STATE}"))

    def state(self, code: str) -> ListState:
        """What is known of a list; an empty state for one never seen. A lost state is rebuilt from the versions."""
        try:
            return decode((self._list(code) / _STATE).read_bytes())
        except (FileNotFoundError, StateDamaged):
            return self._rebuilt(code)

    def sound(self, code: str, now_s: float) -> Sound | None:
        """The version in force after its checksum was compared; the newest sound one before it where it is damaged.

        The fall-back is recorded and stays in force. None where no version is sound.
        """
        with self._locked(code):
            state = self.state(code)
            older = [version for version in state.versions if version.number < state.version]
            for version in [*filter(None, [state.current]), *reversed(older)]:
                entries = self.entries_path(code, version.number)
                if entries.is_file() and sha256_of(entries) == version.entries_sha256:
                    if version.number != state.version:
                        text = f"version {state.version} is damaged on disk; version {version.number} is served"
                        event = Event(now_s, "damaged", version.number, text)
                        # The damaged content must be fetched and admitted anew.
                        forgotten = replace(state, etag="", last_modified="", seen_sha256="")
                        self._save(forgotten.with_event(event).in_force(version.number, now_s))
                    return Sound(version, entries)
        return None

    def entries_path(self, code: str, number: int) -> Path:
        """Where a version's entries file is."""
        return self._list(code) / "versions" / f"{number:06d}" / _ENTRIES

    def records_path(self, code: str, number: int) -> Path:
        """Where a version's file of RRs beside the entries is, if its source is a zone."""
        return self._list(code) / "versions" / f"{number:06d}" / _RECORDS

    @contextmanager
    def workspace(self, code: str) -> Iterator[Path]:
        """A directory for files on their way in, on the library's own disk; removed with all in it afterwards."""
        base = self._list(code)
        base.mkdir(parents=True, exist_ok=True)
        for left in base.glob(f"{_INCOMING}*"):
            # Whoever died in the middle left his behind; the living may work beside us.
            if not _alive(left.name.removeprefix(_INCOMING).partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        directory = Path(tempfile.mkdtemp(prefix=f"{_INCOMING}{os.getpid()}-", dir=base))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def last_good(self, code: str) -> LastGood | None:
        """What the gate holds an update against."""
        current = self.state(code).current
        return LastGood(current.number, current.names, current.newline) if current else None

    def store(
        self,
        source: Source,
        fetched: Fetched,
        parsed: Parsed,
        now_s: float,
        overridden: Refused | None = None,
        zone: ZoneStamp | None = None,
    ) -> Version:
        """Takes an admitted update in as the version in force; its entries file is moved. Old versions give way.

        ``zone``: the update is that zone, and ``fetched.path`` the file of its RRs beside the entries.
        """
        if parsed.entries is None:
            raise LibraryError(f"{source.code}: an update without entries cannot be stored")
        text_file = fetched.path.with_name(TEXT)
        if zone is None:
            keep_text(fetched.path, text_file)
        with self._locked(source.code):
            state = self.state(source.code)
            version = Version(
                number=max((known.number for known in state.versions), default=0) + 1,
                sha256=fetched.sha256,
                entries_sha256=parsed.entries_sha256,
                names=parsed.names,
                invalid=parsed.invalid,
                duplicates=parsed.duplicates,
                format=parsed.format,
                recipe=source.recipe,
                newline=parsed.ending.newline,
                size_bytes=fetched.size_bytes,
                stored_s=now_s,
                location=fetched.location,
                overridden=overridden.cause if overridden else "",
                zone=zone,
                subdomains=source.subdomains,
                landing=source.landing,
                beyond=parsed.beyond,
                reasons=parsed.reasons,
                complaints=parsed.complaints,
            )
            beside = {_RECORDS: fetched.path} if zone else {TEXT: text_file}
            self._write_version(source.code, version, {_ENTRIES: parsed.entries, **beside})
            text = f"version {version.number}: {version.names:,} names"
            if zone:
                text += f", serial {zone.serial}"
            if overridden:
                text += f", let in by people in spite of: {overridden.cause}"
            added = replace(
                self._answered(state, source, fetched.sha256, fetched.validators, now_s),
                versions=(*state.versions, version),
                refusal=None,
                zone=zone,
                refused_serial=-1,
            )
            added = added.with_event(Event(now_s, "admitted", version.number, text)).in_force(version.number, now_s)
            self._save(self._pruned(added))
        return version

    def record_unchanged(self, source: Source, sha256: str, validators: Validators, now_s: float) -> None:
        """The source still has what was dealt with before."""
        with self._locked(source.code):
            state = self.state(source.code)
            self._save(replace(self._answered(state, source, sha256, validators, now_s), refusal=None))

    def record_zone(self, source: Source, sha256: str, zone: ZoneStamp, now_s: float) -> None:
        """The primary has what was dealt with before, perhaps under a new serial: then the version in force, where it
        is this content, stands for that one from now on.
        """
        with self._locked(source.code):
            state = self.state(source.code)
            current = state.current
            if current is not None and current.sha256 == sha256 and current.zone != zone:
                stamped = replace(current, zone=zone)
                versions = tuple(stamped if one is current else one for one in state.versions)
                state = replace(state, versions=versions)
                version_file = self.entries_path(source.code, current.number).with_name(_VERSION)
                write_atomic(version_file, encode_version(stamped))
            answered = self._answered(state, source, sha256, Validators(), now_s)
            self._save(replace(answered, refusal=None, zone=zone, refused_serial=-1))

    def record_checked(self, code: str, now_s: float) -> None:
        """The source answered; what it has was refused before, and that stands."""
        with self._locked(code):
            self._save(replace(self.state(code), checked_s=now_s, fetched_s=now_s, last_error=""))

    def record_refusal(self, code: str, refused: Refused, now_s: float, serial: int = -1) -> None:
        """The gate refused an update; it stays visible until an update is admitted or the source is as before.

        ``serial``: of a zone, that of the refused content.
        """
        note = RefusalNote(
            now_s, str(refused.code), refused.sentence, refused.line, refused.sha256, refused.final, refused.cause
        )
        with self._locked(code):
            state = replace(self.state(code), checked_s=now_s, fetched_s=now_s, last_error="")
            is_news = state.refusal is None or state.refusal.sha256 != note.sha256
            event = Event(now_s, "refused", state.version, refused.sentence)
            known = state.with_event(event) if is_news else state
            self._save(replace(known, refusal=note, refused_serial=serial))

    def record_failure(self, code: str, sentence: str, now_s: float) -> None:
        """The source could not be fetched."""
        with self._locked(code):
            state = self.state(code)
            event = Event(now_s, "failed", state.version, sentence)
            changed = state.with_event(event) if state.last_error != sentence else state
            self._save(replace(changed, checked_s=now_s, last_error=sentence))

    def rollback(self, code: str, number: int, now_s: float) -> ListState:
        """Puts an older (or newer) kept version in force. What the source has now is not admitted again until it
        changes.
        """
        with self._locked(code):
            state = self.state(code)
            version = state.find(number)
            kept = ", ".join(str(known.number) for known in state.versions) or "none"
            if version is None:
                raise LibraryError(f"{code} has no version {number}; kept are: {kept}")
            entries = self.entries_path(code, number)
            if not entries.is_file() or sha256_of(entries) != version.entries_sha256:
                raise LibraryError(f"{code}: version {number} is damaged on disk; kept are: {kept}")
            event = Event(now_s, "rolled_back", number, f"from version {state.version} to {number}")
            changed = state.with_event(event).in_force(number, now_s)
            self._save(changed)
        return changed

    def diff(self, code: str, a: int, b: int) -> Diff:
        """What version ``b`` has more and less than version ``a``. Raises ``LibraryError`` where one is not kept."""
        state = self.state(code)
        for number in (a, b):
            if state.find(number) is None:
                kept = ", ".join(str(known.number) for known in state.versions) or "none"
                raise LibraryError(f"{code} has no version {number}; kept are: {kept}")
        return compare(self.entries_path(code, a), self.entries_path(code, b))

    def line_of(self, code: str, number: int, entry: bytes, cover: int = MAX_COVER) -> Place | None:
        """The first line in which the text of a version gives an entry: ``entry`` is its wire name in lower case,
        ``cover`` the bits of which it has any. None where it is not found: a transferred zone has no text, and older
        versions have none. Reads the text, which takes some seconds for ten million names.
        """
        version = self.state(code).find(number)
        if version is None or version.zone is not None:
            return None
        path = self.entries_path(code, number).with_name(TEXT)
        return line_of(path, version.format, version.subdomains, frozenset(version.landing), key_of(entry), cover)

    def drop(self, code: str, number: int) -> int:
        """Deletes a kept version other than the one in force; the octets that it had. 0 where there is none such."""
        with self._locked(code):
            state = self.state(code)
            if number == state.version or state.find(number) is None:
                return 0
            directory = self.entries_path(code, number).parent
            size_bytes = size_of(directory)
            shutil.rmtree(directory, ignore_errors=True)
            self._save(replace(state, versions=tuple(one for one in state.versions if one.number != number)))
        return size_bytes

    def size_bytes(self, code: str) -> int:
        """What a list with all its versions takes on the disk."""
        return size_of(self._list(code))

    def remove(self, code: str) -> None:
        """Forgets a list and all its versions."""
        shutil.rmtree(self._list(code), ignore_errors=True)

    def _list(self, code: str) -> Path:
        if not code or code.startswith(".") or "/" in code or "\0" in code:
            raise LibraryError(f"{code!r} is no list's code")
        return self.root / code

    def _locked(self, code: str) -> AbstractContextManager[None]:
        return locked(self._list(code))

    def _answered(
        self, state: ListState, source: Source, sha256: str, validators: Validators, now_s: float
    ) -> ListState:
        return replace(
            state,
            checked_s=now_s,
            fetched_s=now_s,
            good_s=now_s,
            etag=validators.etag,
            last_modified=validators.last_modified,
            seen_sha256=sha256,
            seen_recipe=source.recipe,
            last_error="",
        )

    def _write_version(self, code: str, version: Version, files: Mapping[str, Path]) -> None:
        """``files``: what the version has, by the name under which it keeps it; they are moved."""
        final = self.entries_path(code, version.number).parent
        beside = final.with_name(f".{final.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        # A directory of this number is what a process left that died before it could write the state.
        shutil.rmtree(final, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, path in files.items():
            path.replace(beside / name)
            fsync_file(beside / name)
        write_atomic(beside / _VERSION, encode_version(version))
        fsync_directory(beside)
        beside.rename(final)
        fsync_directory(final.parent)

    def _pruned(self, state: ListState) -> ListState:
        others = [version for version in state.versions if version.number != state.version]
        for version in others[: max(0, len(state.versions) - self._keep)]:
            shutil.rmtree(self.entries_path(state.code, version.number).parent, ignore_errors=True)
            others.remove(version)
        kept = {version.number for version in others} | {state.version}
        return replace(state, versions=tuple(known for known in state.versions if known.number in kept))

    def _rebuilt(self, code: str) -> ListState:
        found: list[Version] = []
        for path in sorted(self._list(code).glob(f"versions/*/{_VERSION}")):
            try:
                found.append(decode_version(path.read_bytes()))
            except (StateDamaged, OSError):
                continue
        state = ListState(code, versions=tuple(found))
        if not found:
            return state
        newest = found[-1]
        state = replace(state, zone=newest.zone)
        event = Event(newest.stored_s, "damaged", newest.number, "the state was lost and rebuilt from the versions")
        return state.with_event(event).in_force(newest.number, newest.stored_s)

    def _save(self, state: ListState) -> None:
        write_atomic(self._list(state.code) / _STATE, encode(state))


def _alive(process_id: str) -> bool:
    return process_id.isdecimal() and Path("/proc", process_id).exists()
