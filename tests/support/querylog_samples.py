"""Rows for the spool, labels for the loader, and a count of what became of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from querylog.labels import RuleLabel
from querylog.loader import Loader
from querylog.record import LogRecord
from querylog.spool import SpoolWriter
from querylog.spool_reader import GapRecord, SpoolReader
from querylog.store import Store

START_US = 1_790_000_000_000_000  # 2026-09-21
MINUTE_US = 60 * 1_000_000
DAY_US = 86_400 * 1_000_000
SEGMENT = 4096  # a few dozen rows: every test rotates


def client(last: int = 1) -> bytes:
    return b"\0" * 10 + b"\xff\xff" + bytes((10, 1, 0, last))


def wire(text: str) -> bytes:
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def append(
    writer: SpoolWriter,
    number: int = 0,
    *,
    time_us: int | None = None,
    name: str = "",
    agency: int = 1,
    blocked: bool = False,
    client_address: bytes | None = None,
    **changes: Any,
) -> None:
    """One row; ``number`` makes it recognisable (latency), and sets its time where none is given."""
    wire_name = b"\0" if name == "." else wire(name or f"host-{number}.example.com")
    facts: dict[str, Any] = {
        "time_us": START_US + number if time_us is None else time_us,
        "client": client() if client_address is None else client_address,
        "agency_id": agency,
        "unit_id": 0,
        "generation": 7,
        "rule_id": 5 if blocked else 0,
        "list_id": 4 if blocked else 0,
        "category_id": 3 if blocked else 0,
        "answer_digest": 0 if blocked else 1234,
        "latency_us": number,
        "rrtype": 1,
        "rcode": 3 if blocked else 0,
        "upstream": 0 if blocked else 1,
        "transport": 0,
        "verdict": 1 if blocked else 0,
        "layer": 7 if blocked else 8,
        "via": 0,
        "cache": 0 if blocked else 1,
        "name": wire_name,
        "matched": wire("example.com") if blocked else b"",
    }
    writer.append(*(facts | changes).values())


class SampleLabels:
    """Labels of generation 7: ``opd-1``, ``unit-1`` and so on; identifiers over 900 are unknown."""

    def agency(self, agency_id: int) -> str:
        return _known("opd", agency_id)

    def unit(self, unit_id: int) -> str:
        return _known("unit", unit_id)

    def rule(self, rule_id: int) -> RuleLabel:
        return RuleLabel(_known("rule", rule_id), f"800/{rule_id}/2026")

    def list(self, list_id: int) -> str:
        return _known("list", list_id)

    def category(self, category_id: int) -> str:
        return _known("category", category_id)


def _known(kind: str, identifier: int) -> str:
    if identifier > 900:
        raise LookupError(identifier)
    return f"{kind}-{identifier}"


def sample_labels(generation: int) -> SampleLabels:
    if generation != 7:
        raise LookupError(generation)
    return SampleLabels()


class Notices:
    """Collects what the loader tells people."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **facts: object) -> None:
        self.events.append((event, facts))


def loader(spool_root: Path, store: Store, **options: Any) -> Loader:
    return Loader(spool_root, store, sample_labels, **({"notice": Notices()} | options))


def read_spool(directory: Path) -> tuple[list[LogRecord], list[GapRecord]]:
    records = [record for _, record in SpoolReader(directory).records()]
    rows = [record for record in records if isinstance(record, LogRecord)]
    return rows, [record for record in records if isinstance(record, GapRecord)]


def covered(rows: list[LogRecord], gaps: list[GapRecord]) -> list[int]:
    """All sequences that have a row or a gap, sorted; repeated ones repeat."""
    return sorted(
        [row.sequence for row in rows]
        + [number for gap in gaps for number in range(gap.first_sequence, gap.last_sequence + 1)]
    )
