"""Adblock lists in the dialect that AdGuard's resolvers read: names, patterns, exceptions, modifiers.

Most lines are ``||x^``: name and below, an entry. They go to the index in bulk, as in the other formats; what needs
more is read line by line (``adblock_line.py``) and becomes a rule. ``$badfilter`` voids what the same list says
elsewhere, so that it is applied at the end. It does not reach into other lists: who publishes a list of
advertisements cannot take names off the national one.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, Self

from msgspec.structs import replace

from blocklists.entry import EXACT, SUBTREE
from blocklists.formats.adblock_line import Line, NameEntry, Said, is_noise, read_line
from blocklists.formats.adblock_pattern import Beyond
from blocklists.formats.bulk import names_of
from blocklists.formats.harvest import Harvest, Options, Reason, Syntax
from blocklists.formats.hosts import Hosts
from blocklists.rule import AddressEntry, ListRule, RuleAction

_ALLOW_SHIFT: Final = 2
_HINT: Final = re.compile(
    rb"(?:@@)?\|{1,2}[^|].*|.*\^\|?|@@.+|/.+/|.*\$(?:important|badfilter|client=|ctag=|dnstype=|denyallow=|dnsrewrite).*"
    rb"|.*#@?[?$%]?#.*|\[adblock.*\]"
)


class Adblock(Syntax):
    """The syntax of AdGuard's DNS filters, of HaGeZi's "adblock" kind and of OISD's "abp" kind."""

    name = "adblock"
    keeps_case = True  # of expressions, in which \\D is not \\d, and of names of clients

    def __init__(self, options: Options | None = None) -> None:
        self._void: set[Said] = set()
        self._landing = (options or Options()).landing
        self._hosts = Hosts(options)

    def begin(self, options: Options) -> Self:
        """See ``Format.begin``."""
        return type(self)(options)

    def recognises(self, line: bytes) -> bool:
        """A character or modifier that other formats do not have in that place."""
        return _HINT.fullmatch(line) is not None

    def parse(self, chunk: bytes, first_line: int, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.parse``."""
        lines = chunk[:-1].split(b"\n")
        cover = EXACT if subdomains is False else SUBTREE
        blocked: list[bytes] = []
        allowed: list[bytes] = []
        for number, line in enumerate(lines, first_line):
            # An empty line in place of each other keeps the line numbers.
            block = allow = b""
            if line.startswith(b"||") and line.endswith(b"^"):
                block = line[2:-1]
            elif line.startswith(b"@@||") and line.endswith((b"^", b"^|")):
                allow = line[4:-1].removesuffix(b"^")
            if line and not block and not allow:
                self._line(line, number, subdomains, harvest)
            blocked.append(block)
            allowed.append(allow)
        self._bulk(blocked, cover, lines, first_line, subdomains, harvest)
        if any(allowed):
            self._bulk(allowed, cover << _ALLOW_SHIFT, lines, first_line, subdomains, harvest)

    def finish(self, subdomains: bool | None, harvest: Harvest) -> None:
        """See ``Format.finish``. Takes back what ``$badfilter`` voids."""
        harvest.rules.sort(key=_line_of)  # the bulk pass leaves some of a chunk's rules to the end
        if not self._void:
            return
        for said in self._void:
            if isinstance(said, NameEntry):
                harvest.void.setdefault(said.cover, set()).add(said.key)
        harvest.addresses[:] = [entry for entry in harvest.addresses if entry not in self._void]
        harvest.rules[:] = [rule for rule in harvest.rules if _bare(rule) not in self._void]

    def _bulk(
        self,
        names: list[bytes],
        cover: int,
        lines: list[bytes],
        first_line: int,
        subdomains: bool | None,
        harvest: Harvest,
    ) -> None:
        found = names_of(b"\n".join(names).lower() + b"\n")
        harvest.add(cover, found.blob, found.count)
        for odd in found.odd:
            self._line(lines[odd.line], first_line + odd.line, subdomains, harvest)

    def _line(self, raw: bytes, number: int, subdomains: bool | None, harvest: Harvest) -> None:
        line = raw.strip()
        text = _text(line)
        if is_noise(text):
            harvest.noise += bool(text)
            return
        if not line.startswith(b"/") and self._hosts_line(text, line, number, subdomains, harvest):
            return
        # "x # why": a comment behind a name, as in lists of names alone.
        found = read_line(text.split(" #", 1)[0].rstrip() if _NAMED.match(text) else text, number, subdomains)
        if isinstance(found, Reason):
            harvest.reject(number, line, found)
        elif isinstance(found, Beyond):
            harvest.pass_over(number, line, found.reason)
        elif found.cancels:
            self._void_too(found, harvest, number, line)
        else:
            self._take(harvest, found.said)

    def _take(self, harvest: Harvest, said: Said) -> None:
        if isinstance(said, NameEntry):
            harvest.add(said.cover, said.key, 1)
        elif isinstance(said, AddressEntry):
            harvest.addresses.append(said)
        elif said.leads_elsewhere and all(datum.data in self._landing for datum in said.data):
            harvest.add_rule(replace(said, action=RuleAction.BLOCK, rewrites=False, data=()))
        else:
            harvest.add_rule(said)

    def _hosts_line(self, text: str, line: bytes, number: int, subdomains: bool | None, harvest: Harvest) -> bool:
        """Takes a line with an address and names behind it; False where it is none such."""
        words = text.split("#", 1)[0].split()
        if len(words) < 2:
            return False
        try:
            ipaddress.ip_address(words[0])
        except ValueError:
            return False
        self._hosts.parse(line.lower() + b"\n", number, subdomains, harvest)
        return True

    def _void_too(self, found: Line, harvest: Harvest, number: int, line: bytes) -> None:
        harvest.noise += 1
        said = found.said
        self._void.add(_bare(said) if isinstance(said, ListRule) else said)


_NAMED: Final = re.compile(r"[\w.-]+\s+#")


def _line_of(rule: ListRule) -> int:
    return rule.line


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _bare(rule: Said) -> Said:
    """A rule without the place where it stands: what is compared where a line voids another."""
    if not isinstance(rule, ListRule):
        return rule
    return ListRule(
        rule.kind,
        rule.pattern,
        rule.action,
        rule.trigger,
        rule.important,
        rule.rewrites,
        rule.rcode,
        rule.data,
        rule.rrtypes,
        rule.not_rrtypes,
        rule.clients,
        rule.not_clients,
        rule.tags,
        rule.not_tags,
        rule.deny_allow,
    )
