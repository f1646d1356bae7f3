"""Any zone, sent in any way, is what its RRs say; and any change to it, as an IXFR, gives what the whole would have."""

from __future__ import annotations

import itertools
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from blocklists.entries import read_addresses, read_rules
from blocklists.entry import key_of, kind, name_of
from blocklists.formats.harvest import Harvest
from blocklists.progress import Silent
from blocklists.runs import Runs
from blocklists.section_files import SectionFiles
from blocklists.transfer.receiver import interpret
from blocklists.transfer.records import ZoneRecord
from dnswire.constants import RRClass, RRType
from dnswire.name import from_text, to_text
from tests.support.lists import entries_in
from tests.support.zone_stream import MESSAGE_ID, SOURCE, new_changes, new_whole, receive
from tests.support.zone_wire import ZONE, header, question

LABELS = ["a", "b", "x1", "www", "situs-judi", "X", "a.b", "\xff", "*", "7", "_dmarc", "9"]
TARGETS = [".", "lamanlabuh.aduankonten.id", "rpz-passthru", "*", "rpz-drop", "tempat.lain.example"]
owners = st.lists(st.sampled_from(LABELS), min_size=1, max_size=4).map(tuple)
triggers = st.sampled_from([("32", "1", "2", "0", "192", "rpz-ip"), ("ns", "jahat", "rpz-nsdname"), ("8", "rpz-ip")])
cnames = st.sampled_from(TARGETS).map(lambda target: (int(RRType.CNAME), from_text(target)))
others = st.sampled_from(
    [
        (int(RRType.A), bytes([10, 0, 0, 1])),
        (int(RRType.A), bytes(4)),
        (int(RRType.TXT), b"\x02hi"),
        (int(RRType.RRSIG), b"signed"),
        (99, b"?"),
    ]
)
# A CNAME stands alone at its owner (RFC 2181 10.1).
zones = st.dictionaries(st.one_of(owners, triggers), st.one_of(cnames, others), max_size=25)
Zone = dict[tuple[str, ...], tuple[int, bytes]]


def wire_of(owner: Sequence[str]) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode("latin-1") for part in owner) + ZONE


class Writer:
    """Messages of a transfer as primaries write them: names compressed towards any name before, or not at all."""

    def __init__(self, per_message: int, compress: bool) -> None:
        self._per_message = per_message
        self._compress = compress
        self._messages: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        self._body = question(RRType.AXFR)
        self._count = 0
        self._places = {ZONE.lower(): 12}

    def put(self, name: bytes, rrtype: int, rdata: bytes) -> None:
        fixed = struct.pack(">HHIH", rrtype, RRClass.IN, 60, len(rdata))
        self._body += self._name(name) + fixed + rdata
        self._count += 1
        if self._count >= self._per_message:
            self._end()

    def _name(self, name: bytes) -> bytes:
        out = b""
        rest = name
        at = 12 + len(self._body)
        while len(rest) > 1:
            known = self._places.get(rest)
            if known is not None and self._compress:
                return out + struct.pack(">H", 0xC000 | known)
            self._places.setdefault(rest, at + len(out))
            size = 1 + rest[0]
            out += rest[:size]
            rest = rest[size:]
        return out + b"\0"

    def _end(self) -> None:
        self._messages.append(header(MESSAGE_ID, self._count) + self._body)
        self._begin()

    def messages(self, rrtype: int) -> list[bytes]:
        if self._count:
            self._end()
        asked = question(RRType.AXFR)
        return [message.replace(asked, question(rrtype), 1) for message in self._messages]


def soa_data(serial: int) -> bytes:
    return b"\0\0" + struct.pack(">IIIII", serial, 3600, 600, 86_400, 60)


def axfr(zone: Zone, serial: int, per_message: int, compress: bool) -> list[bytes]:
    writer = Writer(per_message, compress)
    writer.put(ZONE, RRType.SOA, soa_data(serial))
    writer.put(ZONE, RRType.NS, b"\0")
    for owner, (rrtype, rdata) in zone.items():
        writer.put(wire_of(owner), rrtype, rdata)
    writer.put(ZONE, RRType.SOA, soa_data(serial))
    return writer.messages(RRType.AXFR)


def ixfr(steps: Sequence[Zone], per_message: int, compress: bool) -> list[bytes]:
    """From the first of the zones, with serial 1, to the last, a difference for each."""
    writer = Writer(per_message, compress)
    writer.put(ZONE, RRType.SOA, soa_data(len(steps)))
    for serial, (old, new) in enumerate(itertools.pairwise(steps), start=1):
        writer.put(ZONE, RRType.SOA, soa_data(serial))
        for owner, data in old.items():
            if canonical(new).get(canonical_owner(owner)) != data:
                writer.put(wire_of(owner), *data)
        writer.put(ZONE, RRType.SOA, soa_data(serial + 1))
        for owner, data in new.items():
            if canonical(old).get(canonical_owner(owner)) != data:
                writer.put(wire_of(owner), *data)
    writer.put(ZONE, RRType.SOA, soa_data(len(steps)))
    return writer.messages(RRType.IXFR)


def canonical_owner(owner: Sequence[str]) -> bytes:
    return wire_of(owner).lower()


def canonical(zone: Zone) -> dict[bytes, tuple[int, bytes]]:
    return {canonical_owner(owner): data for owner, data in zone.items()}


def without_twins(zone: Zone) -> Zone:
    """Names that differ in case only are one name; a zone has it once."""
    found: dict[bytes, tuple[tuple[str, ...], tuple[int, bytes]]] = {}
    for owner, data in zone.items():
        found[canonical_owner(owner)] = (owner, data)
    return dict(found.values())


def said(path: Path) -> tuple[dict[str, str], object, object]:
    return dict(entries_in(path)), read_rules(path), read_addresses(path)


def expected(zone: Zone, path: Path) -> tuple[dict[str, str], object, object]:
    """What ``RpzRecords`` makes of the RRs one by one, written the plain way."""
    harvest = Harvest()
    records = [
        ZoneRecord(canonical_owner(owner)[: -len(ZONE)], rrtype, rdata) for owner, (rrtype, rdata) in zone.items()
    ]
    interpret(records, SOURCE, harvest)
    runs = Runs(path.parent)
    for cover, blobs in harvest.keys.items():
        for blob in blobs:
            runs.add_blob(cover, blob, blob.count(b"\0") + 1)
    files = SectionFiles(path.parent)
    runs.merge_into(files, Silent())
    files.join(path, harvest.rules, harvest.addresses)
    return said(path)


@given(zone=zones, per_message=st.integers(1, 40), compress=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_zone_is_what_its_records_say_however_they_are_sent(zone: Zone, per_message: int, compress: bool) -> None:
    zone = without_twins(zone)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        whole = new_whole(directory)
        framing, _ = receive(axfr(zone, 1, per_message, compress), whole)
        assert framing.whole
        whole.finish(Silent())
        assert said(directory / "entries") == expected(zone, directory / "expected")


@given(steps=st.lists(zones, min_size=2, max_size=4), per_message=st.integers(1, 40), compress=st.booleans())
@settings(max_examples=40, deadline=None)
def test_changes_give_what_the_whole_zone_would(steps: list[Zone], per_message: int, compress: bool) -> None:
    # An address of a landing page blocks, too, and then changes cannot be told apart: the client asks for the whole.
    steps = [
        {owner: data for owner, data in without_twins(zone).items() if data != (int(RRType.A), bytes(4))}
        for zone in steps
    ]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        base = new_whole(directory, "base")
        receive(axfr(steps[0], 1, 30, True), base)
        base.finish(Silent())
        changes = new_changes(directory / "base", base)
        framing, meanings = receive(ixfr(steps, per_message, compress), new_whole(directory), changes, held_serial=1)
        assert (framing.whole, framing.deltas, meanings.reversible) == (False, len(steps) - 1, True)
        changes.finish(directory, directory / "changed")
        after = new_whole(directory, "after")
        receive(axfr(steps[-1], len(steps), 30, True), after)
        after.finish(Silent())
        assert (directory / "changed").read_bytes() == (directory / "after").read_bytes()
        assert changes.records == after.records


@given(
    keys=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([1, 2, 3, 4, 12])), max_size=60),
    run_keys=st.integers(1, 10),
)
@settings(max_examples=80, deadline=None)
def test_runs_of_any_size_give_each_key_once_with_all_its_covers(keys: list[tuple[str, int]], run_keys: int) -> None:
    covers: dict[bytes, int] = {}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        runs = Runs(directory, run_keys)
        for letter, cover in keys:
            key = key_of(from_text(f"{letter}.example"))
            covers[key] = covers.get(key, 0) | cover
            runs.add(key, cover)
        files = SectionFiles(directory)
        runs.merge_into(files, Silent())
        assert files.join(directory / "entries") == len(covers)
        got = entries_in(directory / "entries")
        assert dict(got) == {to_text(name_of(key)): kind(cover) for key, cover in covers.items()}
        assert len(got) == len(covers)
        assert [path.name for path in directory.iterdir()] == ["entries"]
