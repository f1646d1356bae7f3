"""What a worker counts, and the JSON of it that the program reads once a second.

Plain integers in fixed places: counting must cost nothing next to answering. Labels are agencies, categories and lists,
never names or clients.
"""

from __future__ import annotations

from typing import Final

from policy.model import Policy, Verdict
from querylog.record import NO_RESPONSE, Transport

_RCODE_TEXTS: Final = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_NONE: Final = NO_RESPONSE & 31


class Count:
    """One counter: a place of its own, so that whoever counts the same thing often keeps the place and not its name."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self) -> None:
        """One more."""
        self.value += 1


def counts(number: int) -> list[Count]:
    """So many counters, each at 0."""
    return [Count() for _ in range(number)]


class Stats:
    """Counters since the start of this process.

    ``fast``: answers of the fast lane (they count everywhere else too); ``limited``: queries over their source's rate;
    ``tallies``: answers by verdict for each agency.
    """

    __slots__ = (
        "by_category",
        "by_list",
        "dropped",
        "fast",
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
        self.fast = 0
        self.transports = counts(len(Transport))
        self.verdicts = counts(len(Verdict))
        self.rcodes = counts(32)
        self.by_category: dict[int, Count] = {}
        self.by_list: dict[int, Count] = {}
        self.tallies: dict[int, list[Count]] = {}

    def count(self, transport: int, rcode: int, verdict: int, category_id: int, list_id: int) -> None:
        """One answer."""
        self.of_transport(transport).add()
        self.of_verdict(verdict).add()
        self.of_rcode(rcode).add()
        if category_id:
            self.of_category(category_id).add()
        if list_id:
            self.of_list(list_id).add()

    def of_transport(self, transport: int) -> Count:
        """Answers over a transport."""
        return self.transports[transport]

    def of_verdict(self, verdict: int) -> Count:
        """Answers with a verdict."""
        return self.verdicts[verdict]

    def of_rcode(self, rcode: int) -> Count:
        """Answers with a response code (``NO_RESPONSE``: none was sent)."""
        return self.rcodes[rcode & 31]

    def of_category(self, category_id: int) -> Count:
        """Answers that a category decided."""
        found = self.by_category.get(category_id)
        if found is None:
            found = self.by_category[category_id] = Count()
        return found

    def of_list(self, list_id: int) -> Count:
        """Answers that a list decided."""
        found = self.by_list.get(list_id)
        if found is None:
            found = self.by_list[list_id] = Count()
        return found

    def document(self, policy: Policy) -> dict[str, object]:
        """The counters with codes instead of numbers, for the stats file."""
        categories = {category.id: category.code for category in policy.categories}
        lists = {info.id: info.code for info in policy.lists}
        agencies = {agency.id: agency.code for agency in policy.agencies}
        return {
            "dropped": self.dropped,
            "fast": self.fast,
            "limited": self.limited,
            "send_failures": self.send_failures,
            "queries": {
                kind.name.lower(): self.transports[kind].value for kind in Transport if self.transports[kind].value
            },
            "verdicts": _by_verdict(self.verdicts),
            "rcodes": {_rcode_text(rcode): count.value for rcode, count in enumerate(self.rcodes) if count.value},
            "by_category": {categories.get(key, f"#{key}"): count.value for key, count in self.by_category.items()},
            "by_list": {lists.get(key, f"#{key}"): count.value for key, count in self.by_list.items()},
            "by_agency": {
                agencies.get(key, f"#{key}") if key else "-": _by_verdict(tally)
                for key, tally in self.tallies.items()
                if any(count.value for count in tally)
            },
        }


def _by_verdict(tally: list[Count]) -> dict[str, int]:
    return {verdict.name.lower(): tally[verdict].value for verdict in Verdict if tally[verdict].value}


def _rcode_text(rcode: int) -> str:
    if rcode == _NONE:
        return "NONE"
    return _RCODE_TEXTS[rcode] if rcode < len(_RCODE_TEXTS) else f"RCODE{rcode}"
