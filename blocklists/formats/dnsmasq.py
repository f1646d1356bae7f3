"""dnsmasq's configuration: ``address=/x/``, ``local=/x/`` and ``server=/x/``, each for x and all names below it.

From dnsmasq(8): without an address, or with ``#`` as one, ``address`` answers with nothing or the null address, which
blocks; with a real one it answers with that (``answering.py``). ``server`` and ``local`` without a server answer from
local data only, which blocks; ``server=/x/8.8.8.8`` forwards, which does not; ``server=/x/#`` sends x to the usual
servers, in spite of what is said of a name above it: the list allows it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from blocklists.entry import EXACT, SUBTREE, Cover
from blocklists.formats.answering import address_datum, kind_of, take_answer
from blocklists.formats.framed import Frame, take_framed
from blocklists.formats.harvest import Harvest, Options, Reason, Syntax
from blocklists.formats.odd import is_comment, settle_listed
from blocklists.formats.rpz_record import DEFAULT_LANDING
from blocklists.rule import Datum

_LINE: Final = re.compile(rb"(address|server|local)\s*=\s*/(.*)/([^/]*)")
_SETTING: Final = re.compile(rb"[a-z][a-z0-9-]{1,40}\s*=.*|[a-z]{2,20}(?:-[a-z0-9]{1,20}){1,4}")
_COMMENT: Final = re.compile(rb"\s#.*")  # "/#" holds the same octet and is none
_MAX_NAMES: Final = 10_000  # on one line; lines are bounded anyway
_ALLOW: Final = int(Cover.ALLOW_SELF | Cover.ALLOW_BELOW)
_ALLOW_EXACT: Final = int(Cover.ALLOW_SELF)

_FRAMES: Final = tuple(
    Frame(before, behind)
    for before, behinds in (
        (b"local=/", (b"/",)),
        (b"server=/", (b"/",)),
        (b"address=/", (b"/", b"/#", b"/0.0.0.0", b"/::", b"/127.0.0.1")),
    )
    for behind in behinds
)


class Dnsmasq(Syntax):
    """Lines of dnsmasq.conf."""

    name = "dnsmasq"

    def __init__(self, options: Options | None = None) -> None:
        self._landing = DEFAULT_LANDING | (options or Options()).landing

    def recognises(self, line: bytes) -> bool:
        """One of the three settings, with a name."""
        return _LINE.fullmatch(_COMMENT.sub(b"", line).strip()) is not None

    def begin(self, options: Options) -> Dnsmasq:
        """See ``Format.begin``."""
        return Dnsmasq(options)

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        cover = EXACT if subdomains is False else SUBTREE

        def careful(number: int, line: bytes) -> None:
            self._line(harvest, cover, number, line.strip())

        take_framed(chunk, first_line, dict.fromkeys(_FRAMES, cover), harvest, careful)

    def _line(self, harvest: Harvest, cover: int, number: int, line: bytes) -> None:
        if is_comment(line):
            harvest.noise += bool(line)
            return
        found = _LINE.fullmatch(_COMMENT.sub(b"", line).strip())
        if found is None:
            known = _SETTING.fullmatch(line) is not None and b"=/" not in line
            count = harvest.pass_over if known else harvest.reject
            count(number, line, Reason.NO_BLOCK if known else Reason.UNKNOWN_LINE)
            return
        word, names, target = found.groups()
        if b"://" in names:
            harvest.reject(number, line, Reason.URL)
            return
        meaning = self._address(target) if word == b"address" else _server(target)
        if isinstance(meaning, Reason):
            # Sending a name somewhere is a sound line; a target that is none is a damaged one.
            count = harvest.reject if meaning is Reason.RDATA else harvest.pass_over
            count(number, line, meaning)
            return
        if meaning is False:
            cover = _ALLOW if cover == SUBTREE else _ALLOW_EXACT
        datum = meaning if isinstance(meaning, Datum) else None
        for name in names.split(b"/")[:_MAX_NAMES]:
            _name(harvest, cover, number, name.strip(), line, datum)

    def _address(self, target: bytes) -> bool | Reason | Datum:
        """True where what ``address`` answers with is a block; else the answer."""
        text = target.strip().decode("latin-1")
        if text in ("", "#") or text in self._landing:
            return True
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return Reason.RDATA
        return True if address.is_unspecified or address.is_loopback else address_datum(str(address))


def _server(target: bytes) -> bool | Reason:
    """True for a block, False for names that the list leaves alone."""
    text = target.strip()
    if not text:
        return True
    return False if text == b"#" else Reason.FORWARDING


def _name(harvest: Harvest, cover: int, number: int, name: bytes, line: bytes, datum: Datum | None) -> None:
    if not name:
        harvest.pass_over(number, line, Reason.SINGLE_LABEL)  # "//": names without dots, which nobody asks upstream
    elif name == b"#":
        harvest.reject(number, line, Reason.EVERYTHING)
    elif name.startswith(b"*"):
        harvest.reject(number, line, Reason.PARTIAL_LABEL)  # "/*x.example/" covers yx.example too
    elif datum is not None:
        take_answer(harvest, kind_of(cover), name.removeprefix(b"."), (datum,), number, line)
    else:
        # "/.x.example/" is an old way of writing "/x.example/".
        settle_listed(harvest, cover, number, name.removeprefix(b"."))
