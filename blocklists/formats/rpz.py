"""Response policy zones as zone files.

Millions of lines are ``name CNAME .`` and ``*.name CNAME .``, or the same with a landing name, TTL and class. What
stands behind the owner is read carefully once and then known; owners go through the bulk pass. Every other line takes
the careful way (``zone_text.py``), and in its order, because ``$ORIGIN`` and blank owners depend on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from blocklists.formats.bulk import names_of
from blocklists.formats.harvest import Harvest, Options, Reason, Syntax
from blocklists.formats.rdata_text import from_words
from blocklists.formats.rpz_record import LOCAL_TYPES, ZONE_TYPES, RpzRecords
from blocklists.formats.zone_text import Directive, Misread, Record, ZoneText
from blocklists.rule import RuleAction

_MAX_TAILS: Final = 1_000  # different texts behind owners: more is no list made by a program
_SIMPLE: Final = (RuleAction.BLOCK, RuleAction.PASSTHRU)
# With one of these a chunk is not all alike.
_SPECIAL: Final = (b";", b"(", b'"', b"$", b"\\", b"#", b"//", b"rpz-", b"\n ")
_LINE: Final = re.compile(
    rb"(?:\$(?:ttl|origin)\s+\S+|(?:\S+|)[ \t]+(?:(?:[0-9]+[smhdw]?|in)[ \t]+){0,2}"
    rb"(?:soa|ns|cname|a|aaaa|txt|ptr|mx|srv)[ \t]+\S.*)"
)


@dataclass(slots=True)
class _Alike:
    """Owners, one for each line of a stretch of lines, whose tails mean the same; with their lines' numbers."""

    owners: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class Rpz(Syntax):
    """A response policy zone (draft-vixie-dnsop-dns-rpz)."""

    name = "rpz"
    keeps_case = True  # strings of local data are for people
    whole_names = False  # owners may be relative to an $ORIGIN
    steering = (b"$origin",)

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._zone = ZoneText()
        self._records: RpzRecords | None = None
        self._tails: dict[bytes, RuleAction] = {}
        self._ends: tuple[bytes, bytes | None] = (
            b"",
            b"",
        )  # the zone behind absolute owners, the origin behind relative ones

    def recognises(self, line: bytes) -> bool:
        """An RR, or a directive of zone files."""
        return _LINE.fullmatch(line) is not None

    def begin(self, options: Options) -> Rpz:
        """See ``Format.begin``."""
        return Rpz(options)

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        self._start(subdomains, harvest)
        text = chunk.replace(b"\t", b" ").lower()
        if not self._all_alike(text, chunk, first_line, harvest):
            self._sort_out(text, chunk, first_line, harvest)

    def finish(self, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.finish``."""
        self._start(subdomains, harvest).finish()
        misread = self._zone.end()
        if misread is not None:
            harvest.reject(misread.line, misread.text, misread.reason)

    def _start(self, subdomains: bool | None, harvest: Harvest) -> RpzRecords:
        if self._records is None or self._records.harvest is not harvest:
            self._records = RpzRecords(self._options.landing, subdomains, harvest)
        return self._records

    def _all_alike(self, text: bytes, chunk: bytes, first_line: int, harvest: Harvest) -> bool:
        """Takes the chunk in one go where all its lines have one known tail; says whether they have."""
        head, space, tail = text[: text.index(b"\n")].partition(b" ")
        zone = self._ends[0]
        if zone and head.endswith(zone):
            tail = zone + space + tail
        elif head.endswith(b".") or not space:
            return False
        else:
            tail = space + tail
        action = self._tails.get(tail.partition(b" ")[2])
        lines = text.count(b"\n")
        if action is None or self._zone.is_open or text.startswith(b" ") or text.count(tail + b"\n") != lines:
            return False
        bare = text.replace(tail + b"\n", b"\n")
        if any(special in bare for special in _SPECIAL) or (not zone and b".\n" in bare):
            return False
        owners = bare[:-1].split(b"\n")
        if b"" in owners or (tail[:1] == b" " and zone and any(owner.endswith(b".") for owner in owners)):
            return False
        if tail[:1] == b" ":
            below = self._ends[1]
            if below is None:
                return False
            owners = [owner + below for owner in owners]
        alike = _Alike(owners)
        alike.lines = list(range(first_line, first_line + lines))
        self._zone.owner_was(text[text.rfind(b"\n", 0, -1) + 1 :])
        self._flush({action: alike}, chunk, first_line, harvest)
        return True

    def _sort_out(self, text: bytes, chunk: bytes, first_line: int, harvest: Harvest) -> None:
        """Line by line: owners whose tails are known are gathered, the others are read with care."""
        raw = chunk[:-1].split(b"\n")
        groups: dict[RuleAction, _Alike] = {}
        zone, below = self._ends
        before = b""  # the line before, where it began with an owner and ZoneText has not seen it
        for number, line in enumerate(text[:-1].split(b"\n"), first_line):
            owner, _, tail = line.partition(b" ")
            action = self._tails.get(tail)
            if action is not None and owner and b"rpz-" not in owner and not self._zone.is_open:
                short = self._short(owner, zone, below)
                if short:
                    group = groups.get(action)
                    if group is None:
                        group = groups[action] = _Alike()
                    group.owners.append(short)
                    group.lines.append(number)
                    before = owner
                    continue
            if before:
                self._zone.owner_was(before)
                before = b""
            if line.startswith(b"$") or b"soa" in line:
                # What was gathered so far is read by the origin that holds up to here.
                self._flush(groups, chunk, first_line, harvest)
                groups = {}
            self._carefully(number, raw[number - first_line], tail, harvest)
            zone, below = self._ends
        if before:
            self._zone.owner_was(before)
        self._flush(groups, chunk, first_line, harvest)

    def _short(self, owner: bytes, zone: bytes, below: bytes | None) -> bytes:
        """An owner as a name before the zone's, if that is plain to see; else empty."""
        if owner[0] in b"@$#/" or b"(" in owner or b";" in owner or b'"' in owner or b"\\" in owner:
            return b""
        if not owner.endswith(b"."):
            return b"" if below is None else owner + below
        return owner[: -len(zone)] if zone and owner.endswith(zone) else b""

    def _carefully(self, number: int, line: bytes, tail: bytes, harvest: Harvest) -> None:
        if self._records is None:
            return
        comment = line.lstrip()[:1] in (b";", b"#") or line.lstrip()[:2] == b"//"
        if not self._zone.is_open and comment:
            harvest.noise += 1
            return
        found = self._zone.line(number, line)
        if isinstance(found, Misread):
            harvest.reject(found.line, found.text, found.reason)
        elif isinstance(found, Directive):
            harvest.noise += 1
            self._origin_changed()
        elif isinstance(found, Record):
            if found.rrtype in ZONE_TYPES:
                self._origin_changed()
            # A record over several lines has no tail of its own.
            self._take(self._records, found, tail if found.line == number else b"(", harvest)

    def _take(self, records: RpzRecords, record: Record, tail: bytes, harvest: Harvest) -> None:
        """One record into the harvest; its tail is known from then on where it is simple."""
        if record.rrtype not in LOCAL_TYPES or not record.owner:
            records.take(record.owner, record.rrtype, "", record.line, record.text)
            return
        data = from_words(record.rrtype, record.words, self._zone.origin)
        if data is None:
            harvest.reject(record.line, record.text, Reason.RDATA)
            return
        records.take(record.owner, record.rrtype, data, record.line, record.text)
        action = records.action(record.rrtype, data, "")
        simple = not any(special in tail for special in (b";", b"(", b")", b'"'))
        if action in _SIMPLE and simple and len(self._tails) < _MAX_TAILS:
            self._tails[tail] = action

    def _origin_changed(self) -> None:
        """Names mean something else from here on."""
        ends = (self._zone.zone, self._zone.below)
        if ends != self._ends:
            self._ends = ends
            self._tails.clear()  # a relative target is another one now

    def _flush(self, groups: dict[RuleAction, _Alike], chunk: bytes, first_line: int, harvest: Harvest) -> None:
        """Owners through the bulk pass: both of a pair of name and ``*.name`` at once."""
        if self._records is None:
            return
        odd: list[int] = []
        for action, alike in groups.items():
            bare, starred, paired = _by_star(alike)
            for group, cover in (
                (bare, self._records.cover(False, action)),
                (starred, self._records.cover(True, action)),
                (paired, self._records.cover(False, action) | self._records.cover(True, action)),
            ):
                names = names_of(b"\n".join(group.owners) + b"\n") if group.owners else None
                if names is not None:
                    harvest.add(cover, names.blob, names.count)
                    odd.extend(group.lines[token.line] for token in names.odd)
                    if group is paired:
                        harvest.names += names.count  # two records each
                        odd.extend(group.lines[token.line] + 1 for token in names.odd)
        if odd:
            self._one_by_one(sorted(odd), chunk, first_line, harvest)

    def _one_by_one(self, numbers: list[int], chunk: bytes, first_line: int, harvest: Harvest) -> None:
        """Lines whose owners the bulk pass does not vouch for; each begins with its own."""
        raw = chunk[:-1].split(b"\n")
        reader = self._zone.aside()
        for number in numbers:
            found = reader.line(number, raw[number - first_line])
            if isinstance(found, Misread):
                harvest.reject(found.line, found.text, found.reason)
            elif isinstance(found, Record) and self._records is not None:
                self._take(self._records, found, b"(", harvest)


def _by_star(alike: _Alike) -> tuple[_Alike, _Alike, _Alike]:
    """Names alone, names behind ``*.`` alone, and names that stand on two lines running, first alone and then so."""
    bare, starred, paired = _Alike(), _Alike(), _Alike()
    before, line_before = b"", 0
    for owner, line in zip(alike.owners, alike.lines, strict=True):
        if not owner.startswith(b"*."):
            bare.owners.append(owner)
            bare.lines.append(line)
            before, line_before = owner, line
        elif before and line == line_before + 1 and owner[2:] == before:
            paired.owners.append(bare.owners.pop())
            paired.lines.append(bare.lines.pop())
            before = b""
        else:
            starred.owners.append(owner[2:])
            starred.lines.append(line)
            before = b""
    return bare, starred, paired
