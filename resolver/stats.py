"""What a worker counts, and the JSON of it that the program reads once a second.

Plain integers and lists: counting must cost nothing next to answering. Labels are agencies, categories and lists, never
names or clients.
"""

from __future__ import annotations

from typing import Final

from policy.model import Policy, Verdict
from querylog.record import NO_RESPONSE, Transport

_RCODE_TEXTS: Final = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_NONE: Final = NO_RESPONSE & 31


class Stats:
    """Counters since the start of this process."""

    __slots__ = (
        "by_category",
        "by_list",
        "dropped",
        "limited",
        "rcodes",
        "send_failures",
        "tallies",
        "transports",
        "verdicts",
    )

    def __init__(self) -> None:
        self.dropped = 0
        self.limited = 0
        self.send_failures = 0
        self.transports = [0] * len(Transport)
        self.verdicts = [0] * len(Verdict)
        self.rcodes = [0] * 32
        self.by_category: dict[int, int] = {}
        self.by_list: dict[int, int] = {}
        self.tallies: dict[int, list[int]] = {}

    def count(self, transport: int, rcode: int, verdict: int, category_id: int, list_id: int) -> None:
        """One answer."""
        self.transports[transport] += 1
        self.verdicts[verdict] += 1
        self.rcodes[rcode & 31] += 1
        if category_id:
            self.by_category[category_id] = self.by_category.get(category_id, 0) + 1
        if list_id:
            self.by_list[list_id] = self.by_list.get(list_id, 0) + 1

    def document(self, policy: Policy) -> dict[str, object]:
        """The counters with codes instead of numbers, for the stats file."""
        categories = {category.id: category.code for category in policy.categories}
        lists = {info.id: info.code for info in policy.lists}
        agencies = {agency.id: agency.code for agency in policy.agencies}
        return {
            "dropped": self.dropped,
            "limited": self.limited,
            "send_failures": self.send_failures,
            "queries": {kind.name.lower(): self.transports[kind] for kind in Transport if self.transports[kind]},
            "verdicts": _by_verdict(self.verdicts),
            "rcodes": {_rcode_text(rcode): count for rcode, count in enumerate(self.rcodes) if count},
            "by_category": {categories.get(key, f"#{key}"): count for key, count in self.by_category.items()},
            "by_list": {lists.get(key, f"#{key}"): count for key, count in self.by_list.items()},
            "by_agency": {
                agencies.get(key, f"#{key}") if key else "-": _by_verdict(tally)
                for key, tally in self.tallies.items()
                if any(tally)
            },
        }


def _by_verdict(counts: list[int]) -> dict[str, int]:
    return {verdict.name.lower(): counts[verdict] for verdict in Verdict if counts[verdict]}


def _rcode_text(rcode: int) -> str:
    if rcode == _NONE:
        return "NONE"
    return _RCODE_TEXTS[rcode] if rcode < len(_RCODE_TEXTS) else f"RCODE{rcode}"
