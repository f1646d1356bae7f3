"""Hosts files: an address, then one name or several. By default exactly the names.

The null address, the machine's own and those to which the publisher sends what he blocks (``landing``) block; another
one is an answer (``answering.py``).
"""

from __future__ import annotations

import ipaddress
from typing import Final

from blocklists.entry import EXACT, SUBTREE
from blocklists.formats.answering import address_datum, kind_of, take_answer
from blocklists.formats.bulk import names_of
from blocklists.formats.harvest import Harvest, Options, Reason, Syntax
from blocklists.formats.odd import is_comment, settle, without_comment

_PREFIXES: Final = (b"0.0.0.0 ", b"127.0.0.1 ")

# What hosts files carry for the machine itself, in every distribution's template.
_OWN_NAMES: Final = frozenset(
    b"0.0.0.0 127.0.0.1 :: ::1 local localhost localhost.localdomain localhost4 localhost4.localdomain4 localhost6"
    b" localhost6.localdomain6 broadcasthost ip6-localhost ip6-loopback ip6-localnet ip6-mcastprefix ip6-allnodes"
    b" ip6-allrouters ip6-allhosts".split()
)


class Hosts(Syntax):
    """The syntax of /etc/hosts, also with several names a line."""

    name = "hosts"

    def __init__(self, options: Options | None = None) -> None:
        self._landing = (options or Options()).landing

    def begin(self, options: Options) -> Hosts:
        """See ``Format.begin``."""
        return Hosts(options)

    def recognises(self, line: bytes) -> bool:
        """An address and at least one word behind it."""
        words = without_comment(line).split()
        return len(words) > 1 and _address(words[0]) is not None

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        cover = SUBTREE if subdomains else EXACT
        text = chunk.replace(b"\t", b" ")
        bare = _all_prefixed(text)
        if bare is None:
            bare = self._sort_out(text, first_line, cover, harvest)
        names = names_of(bare, words=True)
        harvest.add(cover, names.blob, names.count)
        for odd in names.odd:
            _settle(harvest, cover, first_line + odd.line, odd.token)

    def _sort_out(self, text: bytes, first_line: int, cover: int, harvest: Harvest) -> bytes:
        """Settles the unusual lines; returns the usual ones without address, with empty lines in place of the
        others.
        """
        usual: list[bytes] = []
        for number, line in enumerate(text[:-1].split(b"\n"), first_line):
            if line.startswith(_PREFIXES) and b"#" not in line and line[9:].strip():
                usual.append(line[line.index(b" ") + 1 :])
                continue
            usual.append(b"")
            if line:
                self._settle_line(harvest, cover, number, line)
        return b"\n".join(usual) + b"\n"

    def _settle_line(self, harvest: Harvest, cover: int, number: int, raw: bytes) -> None:
        line = raw.strip()
        if is_comment(line):
            harvest.noise += bool(line)
            return
        words = without_comment(line).split()
        address = _address(words[0])
        if address is None:
            harvest.reject(number, line, Reason.NO_ADDRESS)
        elif len(words) == 1:
            harvest.reject(number, line, Reason.NO_NAME)
        elif all(word in _OWN_NAMES for word in words[1:]):
            harvest.noise += 1
        elif address.is_unspecified or address.is_loopback or str(address) in self._landing:
            for word in words[1:]:
                _settle(harvest, cover, number, word)
        else:
            for word in words[1:]:
                take_answer(harvest, kind_of(cover), word, (address_datum(str(address)),), number, line)


def _all_prefixed(text: bytes) -> bytes | None:
    """The text without its addresses where every line is usual; None where one is not."""
    if b"#" in text or b" \n" in text:
        return None
    lines = b"\n" + text
    total = text.count(b"\n")
    found = sum(lines.count(b"\n" + prefix) for prefix in _PREFIXES)
    if found != total:
        return None
    for prefix in _PREFIXES:
        lines = lines.replace(b"\n" + prefix, b"\n")
    return lines[1:]


def _settle(harvest: Harvest, cover: int, number: int, token: bytes) -> None:
    if token in _OWN_NAMES:
        harvest.noise += 1
    else:
        settle(harvest, cover, number, token)


def _address(word: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if word == b"0":  # an old way of writing 0.0.0.0
        return ipaddress.IPv4Address(0)
    try:
        return ipaddress.ip_address(word.decode("ascii"))
    except ValueError:
        return None
