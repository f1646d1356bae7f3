"""Unbound's configuration: ``local-zone`` with a type, ``local-data`` with an RR.

From unbound.conf(5): ``always_nxdomain``, ``static``, ``refuse`` and their like answer for the zone and all below,
which blocks; ``transparent`` and its like block nothing; ``always_transparent`` undoes what a zone above says.
``redirect`` answers for the zone and all below with the zone's own local data: with a null, loopback or landing
address that is a block, with a real one (enforced safe search) an answer; which one it is stands on another line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from blocklists.entry import EXACT, SUBTREE, Cover
from blocklists.formats.answering import kind_of, take_answer
from blocklists.formats.framed import Frame, take_framed
from blocklists.formats.harvest import Harvest, Options, Reason, Syntax
from blocklists.formats.odd import is_comment, settle_listed
from blocklists.formats.rdata_text import from_words
from blocklists.formats.rpz_record import DEFAULT_LANDING
from blocklists.rule import MAX_DATA, Datum
from dnswire.constants import RRType

_BLOCKING: Final = frozenset(
    b"always_nxdomain always_nodata always_refuse always_deny always_null static deny refuse inform_deny".split()
)
_REDIRECTING: Final = frozenset((b"redirect", b"inform_redirect"))
_ALLOWING: Final = frozenset((b"always_transparent",))
# block_a leaves all types but one alone; ipset and noview are about other parts of the server.
_NEUTRAL: Final = frozenset(b"transparent typetransparent nodefault inform noview ipset block_a".split())
_ALLOW: Final = int(Cover.ALLOW_SELF | Cover.ALLOW_BELOW)
_TYPES: Final = {b"a": RRType.A, b"aaaa": RRType.AAAA, b"cname": RRType.CNAME}
_MAX_REAL: Final = 100_000

_ZONE: Final = re.compile(rb"""local-zone:\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))\s+"?([a-z_]+)"?""")
_DATA: Final = re.compile(rb"""local-data:\s*(?:"([^"]*)"|'(.*)')""")
_SETTING: Final = re.compile(rb"[a-z][a-z0-9-]{1,40}:(\s.*)?")
_COMMENT: Final = re.compile(rb"\s#.*")
_RR: Final = re.compile(rb"(\S+)\s+(?:\d+\s+)?(?:in\s+)?(?:\d+\s+)?([a-z0-9]+)\s+(\S.*)")

_FRAMES: Final = tuple(
    Frame(before, behind + kind)
    for kind in (b"always_nxdomain", b"always_null", b"always_refuse", b"always_nodata", b"static", b"refuse", b"deny")
    for before, behind in (
        (b'local-zone: "', b'" '),
        (b'local-zone: "', b'." '),
        (b"local-zone: ", b" "),
    )
)


@dataclass(slots=True)
class _Answer:
    """Local data of one owner, and the line of the first of them."""

    number: int
    line: bytes
    data: list[Datum]


class Unbound(Syntax):
    """Lines of unbound.conf."""

    name = "unbound"

    def __init__(self, options: Options | None = None) -> None:
        self._landing = DEFAULT_LANDING | (options or Options()).landing
        self._redirected: dict[bytes, int] = {}  # zone to its line
        self._real: dict[bytes, _Answer] = {}  # by owner

    def recognises(self, line: bytes) -> bool:
        """A local zone or local data."""
        return _ZONE.match(line) is not None or _DATA.match(line) is not None

    def begin(self, options: Options) -> Unbound:
        """See ``Format.begin``."""
        return Unbound(options)

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        cover = EXACT if subdomains is False else SUBTREE

        def careful(number: int, line: bytes) -> None:
            self._line(harvest, cover, number, line.strip())

        take_framed(chunk, first_line, dict.fromkeys(_FRAMES, cover), harvest, careful)

    def finish(self, subdomains: bool | None, harvest: Harvest) -> None:
        """Redirected zones without data of their own are blocks; what has some is answered with it."""
        cover = EXACT if subdomains is False else SUBTREE
        for zone, number in self._redirected.items():
            if zone not in self._real:
                settle_listed(harvest, cover, number, zone)
        for owner, answer in self._real.items():
            kind = kind_of(cover if owner in self._redirected else EXACT)
            take_answer(harvest, kind, owner, tuple(answer.data), answer.number, answer.line)
        self._redirected.clear()
        self._real.clear()

    def _line(self, harvest: Harvest, cover: int, number: int, line: bytes) -> None:
        line = _COMMENT.sub(b"", line).strip()
        if is_comment(line):
            harvest.noise += bool(line)
            return
        zone = _ZONE.fullmatch(line)
        data = _DATA.fullmatch(line)
        if zone is not None:
            name = zone[1] or zone[2] or zone[3] or b""
            self._zone(harvest, cover, number, line, name.strip(), zone[4])
        elif data is not None:
            self._data(harvest, number, line, data[1] or data[2] or b"")
        elif line == b"server:":
            harvest.noise += 1
        elif _SETTING.fullmatch(line) and not line.startswith(b"local-zone"):
            harvest.pass_over(number, line, Reason.NO_BLOCK)
        else:
            harvest.reject(number, line, Reason.UNKNOWN_LINE)

    def _zone(self, harvest: Harvest, cover: int, number: int, line: bytes, name: bytes, kind: bytes) -> None:
        if kind in _NEUTRAL:
            harvest.pass_over(number, line, Reason.NO_BLOCK)
        elif kind not in _BLOCKING and kind not in _REDIRECTING and kind not in _ALLOWING:
            harvest.reject(number, line, Reason.UNKNOWN_LINE)
        elif name == b".":
            harvest.reject(number, line, Reason.EVERYTHING)
        elif kind in _REDIRECTING:
            self._redirected.setdefault(name.rstrip(b"."), number)
        else:
            settle_listed(harvest, _ALLOW if kind in _ALLOWING else cover, number, name)

    def _data(self, harvest: Harvest, number: int, line: bytes, text: bytes) -> None:
        record = _RR.fullmatch(text.strip())
        if record is None:
            harvest.reject(number, line, Reason.RDATA)
            return
        owner = record[1].rstrip(b".")
        target = record[3].strip().rstrip(b".")
        rrtype = _TYPES.get(record[2])
        if rrtype is None:
            harvest.pass_over(number, line, Reason.NO_BLOCK)
            return
        if target.decode("latin-1") in self._landing:
            settle_listed(harvest, EXACT, number, owner)
            return
        data = from_words(rrtype, [target], "")
        answer = self._real.get(owner)
        if data is None:
            harvest.reject(number, line, Reason.RDATA)
        elif answer is not None and len(answer.data) < MAX_DATA:
            answer.data.append(Datum(int(rrtype), data))
        elif answer is None and len(self._real) < _MAX_REAL:
            self._real[owner] = _Answer(number, line, [Datum(int(rrtype), data)])
        else:
            harvest.reject(number, line, Reason.TOO_MANY_RULES)
            self._redirected.pop(owner, None)  # it has data of its own, and is no block
