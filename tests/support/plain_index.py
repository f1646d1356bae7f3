"""An index as a plain dictionary: the slow, obvious model of ``blocklists.index.Index``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blocklists.asker import ANYBODY, Asker, Client
from blocklists.index import Match
from blocklists.rules_index import RulesIndex
from dnswire import name as wire


class PlainIndex:
    """``lists``: list id -> entries, ``name`` (exactly), ``*.name`` (and all below), ``@@name`` (allow, it and below).

    ``rules``: what stands beside the names, if anything.
    """

    def __init__(self, lists: Mapping[int, Iterable[str]], rules: RulesIndex | None = None) -> None:
        self.rules = rules
        self._exact: dict[bytes, list[int]] = {}
        self._below: dict[bytes, list[tuple[int, bool]]] = {}
        for list_id, entries in lists.items():
            for entry in entries:
                self._add(list_id, entry)

    def _add(self, list_id: int, entry: str) -> None:
        allow = entry.startswith("@@")
        text = entry.removeprefix("@@")
        if allow or text.startswith("*."):
            self._below.setdefault(wire.from_text(text.removeprefix("*.")).lower(), []).append((list_id, allow))
        else:
            self._exact.setdefault(wire.from_text(text).lower(), []).append(list_id)

    def asker(self, client: Client, over_tcp: bool = False) -> Asker:
        """As ``Index.asker``."""
        return ANYBODY if self.rules is None else self.rules.asker(client, over_tcp)

    def ask(self, name: bytes, rrtype: int, asker: Asker) -> tuple[Match, ...]:
        """As ``Index.ask``."""
        return self.match(name) if self.rules is None else self.rules.match(name, rrtype, asker, self.match(name))

    def match(self, name: bytes) -> tuple[Match, ...]:
        """Every entry that covers the name, the longest first."""
        found = [Match(len(wire.labels(name)), list_id, False) for list_id in self._exact.get(name, ())]
        for parent in wire.parents(name):
            depth = len(wire.labels(parent))
            found.extend(Match(depth, list_id, allow) for list_id, allow in self._below.get(parent, ()))
        return tuple(found)
