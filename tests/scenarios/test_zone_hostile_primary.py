"""A primary that lies, breaks off, floods or says nothing: nothing of what it sends gets into the library."""

from __future__ import annotations

import asyncio
import itertools
import struct
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from blocklists.outcome import Admitted, Failed, Refused, Unchanged
from blocklists.progress import Progress
from blocklists.transfer.apart import Visit, world
from blocklists.transfer.job import Job, Received, World, visit
from blocklists.transfer.tsig import make_key, sign
from dnswire.constants import RRClass, RRType
from dnswire.name import from_text
from tests.support.lying_primary import RAW, Script, lying_primary, message_id, query_type, soa_then
from tests.support.primaries import KEY_NAME, SECRET
from tests.support.zone_wire import ZONE, answer, block, header, question, rr, soa
from tests.support.zones import CODE, ZoneWorld

GOOD = [block("judi.example"), block("*.judi.example")]


def axfr(*messages: list[bytes]) -> Script:
    """Every transfer is answered with these messages, as AXFR or IXFR as asked."""

    def script(query: bytes) -> Iterable[bytes]:
        return [answer(message_id(query), query_type(query), records) for records in messages]

    return soa_then(5, script)


def whole(*records: bytes) -> list[bytes]:
    return [soa(5), *records, soa(5)]


async def failure(tmp_path: Path, script: Script, **options: object) -> str:
    """The sentence about a first transfer; the library must stay empty."""
    with lying_primary(script) as primary:
        zone = ZoneWorld(tmp_path, primary.location, **options)
        outcome = await zone.night()
    assert isinstance(outcome, Failed), outcome
    state = zone.library.state(CODE)
    assert (state.version, state.last_error) == (0, outcome.sentence)
    assert not list((tmp_path / "lists" / CODE).glob("incoming-*"))
    return outcome.sentence


async def test_the_helper_can_be_honest(tmp_path: Path) -> None:
    with lying_primary(axfr([soa(5), *GOOD], [soa(5)])) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        assert isinstance(await zone.night(), Admitted)
        assert isinstance(await zone.night(), Unchanged)
    assert zone.names() == {"judi.example": "subtree"}
    assert primary.asked == [RRType.SOA, RRType.AXFR, RRType.SOA]


async def test_half_a_transfer_is_discarded(tmp_path: Path) -> None:
    assert "broke off before the end" in await failure(tmp_path, axfr([soa(5), *GOOD]))


async def test_half_a_message_is_discarded(tmp_path: Path) -> None:
    def script(query: bytes) -> Iterable[bytes]:
        message = answer(message_id(query), RRType.AXFR, whole(*GOOD))
        return [RAW + len(message).to_bytes(2, "big") + message[:-10]]

    assert "broke off" in await failure(tmp_path, soa_then(5, script))


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([[*GOOD, soa(5)]], "does not begin with an SOA"),
        ([[soa(5), *GOOD, soa(6)]], "serial 6, begun with 5"),
        ([[*whole(*GOOD), block("lagi.example")]], "more behind the transfer's end"),
        ([[soa(5), rr("x", RRType.CNAME, b"\0", RRClass.CH), soa(5)]], "class 3"),
        ([[soa(5, from_text("lain.test")), *GOOD, soa(5)]], "SOA of another zone"),
        ([[soa(5), *GOOD], [], [soa(5)]], "message without any RR"),
        ([[soa(5), rr("x", RRType.CNAME, b"\x05abc"), soa(5)]], "damaged message"),
        ([[soa(5), rr("x", RRType.CNAME, b"\0\0"), soa(5)]], "damaged message"),
        ([[soa(5), rr(b"\xc0\xff", RRType.CNAME, b"\0"), soa(5)]], "damaged message"),
        ([[rr(ZONE, RRType.SOA, b"\0\0" + b"\0" * 19)]], "damaged message"),
    ],
)
async def test_what_is_no_transfer_is_discarded_with_a_reason(
    tmp_path: Path, records: list[list[bytes]], words: str
) -> None:
    assert words in await failure(tmp_path, axfr(*records))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda message: bytes([message[0] ^ 1]) + message[1:], "no answer to the query"),
        (lambda message: message[:2] + b"\x04\x00" + message[4:], "no answer to the query"),
        (lambda message: message[:2] + b"\xa4\x00" + message[4:], "no answer to the query"),
        (lambda message: message[:2] + b"\x86\x00" + message[4:], "truncated"),
        (lambda message: message[:4] + b"\x00\x02" + message[6:], "answers 2 questions"),
        (lambda message: message.replace(ZONE, b"\x03lai\x04test\x00", 1), "another question"),
        (lambda message: message[:6] + b"\x00\x09" + message[8:], "damaged message"),
        (lambda message: message[:6] + b"\x00\x01" + message[8:], "damaged message"),
        (lambda message: message + b"more", "damaged message"),
        (lambda message: message[:7], "shorter than a header"),
    ],
)
async def test_a_message_that_answers_something_else_is_discarded(
    tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    def script(query: bytes) -> Iterable[bytes]:
        return [change(answer(message_id(query), RRType.AXFR, whole(*GOOD)))]

    assert words in await failure(tmp_path, soa_then(5, script))


@pytest.mark.parametrize(("rcode", "words"), [(5, "REFUSED"), (9, "NOTAUTH"), (2, "SERVFAIL"), (11, "code 11")])
async def test_a_refusal_is_told_in_words(tmp_path: Path, rcode: int, words: str) -> None:
    def script(query: bytes) -> Iterable[bytes]:
        return [header(message_id(query), 0, flags=0x8000 | rcode, questions=0)]

    assert words in await failure(tmp_path, soa_then(5, script))
    assert words in await failure(tmp_path, script)


async def test_an_answer_without_soa_or_authority_is_refused(tmp_path: Path) -> None:
    assert "has no SOA" in await failure(tmp_path, lambda query: [answer(message_id(query), RRType.SOA, [])])
    cached = answer(0, RRType.SOA, [soa(5)], flags=0x8080)
    sentence = await failure(tmp_path, lambda query: [query[:2] + cached[2:]])
    assert "answers from a cache" in sentence


async def test_an_endless_stream_ends_at_the_limits(tmp_path: Path) -> None:
    def endless(query: bytes) -> Iterable[bytes]:
        yield answer(message_id(query), RRType.AXFR, [soa(5)])
        for number in itertools.count():
            yield answer(message_id(query), RRType.AXFR, [block(f"n{number}-{one}.example") for one in range(500)])

    sentence = await failure(tmp_path, soa_then(5, endless), max_size_bytes=1 << 20)
    assert "more than 1,048,576 bytes" in sentence
    sentence = await failure(tmp_path, soa_then(5, endless), max_entries=10)
    assert "more than 100,020 RRs" in sentence


async def test_a_zone_with_too_many_entries_is_refused_by_the_gate(tmp_path: Path) -> None:
    script = axfr(whole(*(block(f"n{number}.example") for number in range(30))))
    with lying_primary(script) as primary:
        zone = ZoneWorld(tmp_path, primary.location, max_entries=10)
        outcome = await zone.night()
    assert isinstance(outcome, Refused)
    assert "more than 10 entries" in outcome.refused.sentence


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "is empty"),
        ([rr("x", RRType.SRV, b"\0" * 6 + b"\0")], "empty|no names"),
        ([rr("*", RRType.CNAME, b"\0")], "no names"),
        ([rr(b"\x03a b" + ZONE, RRType.CNAME, b"\0"), rr("7", RRType.CNAME, b"\0")], "2 of 2 entries"),
    ],
)
async def test_a_zone_that_says_nothing_is_refused_by_the_gate(
    tmp_path: Path, records: list[bytes], words: str
) -> None:
    with lying_primary(axfr(whole(*records))) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        outcome = await zone.night()
    assert isinstance(outcome, Refused), outcome
    assert any(word in outcome.refused.sentence for word in words.split("|")), outcome.refused.sentence


def hurried(idle_s: float, clock: Callable[[], float] | None = None) -> Visit:
    """A visit with little patience, or by another clock."""
    here = world()
    other = World(here.now, clock or here.clock, here.random_id, idle_s)

    async def hurried_visit(job: Job, progress: Progress) -> Received:
        return await asyncio.to_thread(visit, job, other, progress)

    return hurried_visit


async def test_a_silent_primary_is_left_in_time(tmp_path: Path) -> None:
    over = threading.Event()

    def silent(query: bytes) -> Iterable[bytes]:
        yield answer(message_id(query), RRType.AXFR, [soa(5), *GOOD])
        yield RAW + b"\x01"
        over.wait(10)

    with lying_primary(soa_then(5, silent)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        outcome = await zone.night(visit=hurried(0.1))
        over.set()
    assert isinstance(outcome, Failed)
    assert "silent for 0.1 s" in outcome.sentence


async def test_a_primary_that_never_ends_meets_the_deadline(tmp_path: Path) -> None:
    # By this clock each look at it takes a second.
    ticks = itertools.count()

    def slow(query: bytes) -> Iterable[bytes]:
        yield answer(message_id(query), RRType.AXFR, [soa(5)])
        for number in itertools.count():
            yield answer(message_id(query), RRType.AXFR, [block(f"n{number}.example")] * 500)

    with lying_primary(soa_then(5, slow)) as primary:
        zone = ZoneWorld(tmp_path, primary.location, timeout_s=9.0)
        outcome = await zone.night(visit=hurried(5.0, lambda: float(next(ticks))))
    assert isinstance(outcome, Failed)
    assert "longer than the list's timeout_s" in outcome.sentence


async def test_a_stripped_signature_is_noticed(tmp_path: Path) -> None:
    sentence = await failure(tmp_path, axfr(whole(*GOOD)), tsig_name=KEY_NAME, tsig_secret=SECRET)
    assert "does not sign its answer" in sentence


async def test_a_signature_stripped_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    key = make_key(KEY_NAME, "hmac-sha256", SECRET)

    def script(query: bytes) -> Iterable[bytes]:
        # The query's MAC stands before its last six octets: original ID, error, other size.
        mac = query[-6 - 32 : -6]
        signed, _ = sign(answer(message_id(query), RRType.AXFR, [soa(5), *GOOD]), key, int(world().now()), mac)
        if query_type(query) == RRType.SOA:
            signed, _ = sign(answer(message_id(query), RRType.SOA, [soa(5)]), key, int(world().now()), mac)
            return [signed]
        return [signed, answer(message_id(query), RRType.AXFR, [block("jahat.example"), soa(5)])]

    sentence = await failure(tmp_path, script, tsig_name=KEY_NAME, tsig_secret=SECRET)
    assert "ends with a message that is not signed" in sentence


async def test_a_serial_that_goes_back_is_refused_until_the_zone_has_expired(tmp_path: Path) -> None:
    with lying_primary(axfr(whole(*GOOD))) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()

    def older(query: bytes) -> Iterable[bytes]:
        return [answer(message_id(query), query_type(query), [soa(3), block("lama.example"), soa(3)])]

    with lying_primary(soa_then(3, older)) as primary:
        zone.source = ZoneWorld(tmp_path, primary.location).source
        outcome = await zone.night()
        assert isinstance(outcome, Failed)
        assert "serial 3, which is older than 5" in outcome.sentence
        assert (zone.names(), zone.serial) == ({"judi.example": "subtree"}, 5)
        zone.now_s += 86_400
        assert isinstance(await zone.night(), Admitted)
    assert (zone.names(), zone.serial) == ({"lama.example": "exact"}, 3)


async def test_an_expired_zone_is_served_and_says_so(tmp_path: Path) -> None:
    with lying_primary(axfr(whole(*GOOD))) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
    zone.now_s += 2 * 86_400
    outcome = await zone.night()
    assert isinstance(outcome, Failed)
    assert outcome.sentence.startswith("The zone has EXPIRED; serial 5 is still served")
    assert "cannot be reached" in outcome.sentence
    assert zone.names() == {"judi.example": "subtree"}


async def test_a_private_primary_needs_permission(tmp_path: Path) -> None:
    sentence = await failure(tmp_path, axfr(whole(*GOOD)), allow_private=False)
    assert "this machine itself" in sentence
    assert "allow_private" in sentence


async def test_a_key_file_that_is_missing_is_told(tmp_path: Path) -> None:
    options = {"tsig_name": "k", "tsig_secret_file": str(tmp_path / "none")}
    assert "cannot be read" in await failure(tmp_path, axfr(whole(*GOOD)), **options)


@pytest.mark.parametrize("code", [1, 4])
async def test_a_primary_without_ixfr_is_asked_for_the_whole_zone(tmp_path: Path, code: int) -> None:
    # RFC 1995 5, RFC 1034 4.3.5: FORMERR or NOTIMP to an IXFR is no reason to go without the zone.
    with lying_primary(axfr(whole(*GOOD))) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()

    def script(query: bytes) -> Iterable[bytes]:
        if query_type(query) == RRType.IXFR:
            return [header(message_id(query), 0, flags=0x8400 | code) + question(RRType.IXFR)]
        return [answer(message_id(query), RRType.AXFR, [soa(6), block("baru.example"), soa(6)])]

    with lying_primary(soa_then(6, script)) as primary:
        zone.source = ZoneWorld(tmp_path, primary.location).source
        assert isinstance(await zone.night(), Admitted)
    assert primary.asked == [RRType.SOA, RRType.IXFR, RRType.AXFR]
    assert zone.names() == {"baru.example": "exact"}


@pytest.mark.parametrize(
    "records",
    [
        [soa(6), soa(5), block("tidak-ada.example"), soa(6), soa(6)],  # gone, and was never there
        [soa(6), soa(5), soa(6), block("judi.example"), soa(6)],  # comes, and is there
        [soa(6), soa(5), rr("t", RRType.TXT, b"\x01x"), soa(6), soa(6)],
        [soa(6), soa(4), soa(6), soa(6)],  # from another serial
        [soa(6), soa(5), soa(6), rr("x", RRType.A, b"\0\0\0\0"), soa(6)],  # an entry that other RRs could give, too
    ],
)
async def test_changes_that_do_not_fit_are_mended_by_the_whole_zone(tmp_path: Path, records: list[bytes]) -> None:
    with lying_primary(axfr(whole(*GOOD))) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()

    def script(query: bytes) -> Iterable[bytes]:
        if query_type(query) == RRType.IXFR:
            return [answer(message_id(query), RRType.IXFR, records)]
        return [answer(message_id(query), RRType.AXFR, [soa(6), block("baru.example"), soa(6)])]

    with lying_primary(soa_then(6, script)) as primary:
        zone.source = ZoneWorld(tmp_path, primary.location).source
        assert isinstance(await zone.night(), Admitted)
    assert primary.asked == [RRType.SOA, RRType.IXFR, RRType.AXFR]
    assert zone.names() == {"baru.example": "exact"}


async def test_an_ixfr_carries_the_serial_held(tmp_path: Path) -> None:
    # RFC 1995 3: the authority section holds the SOA of the client's version.
    seen: list[bytes] = []

    def script(query: bytes) -> Iterable[bytes]:
        seen.append(query)
        return [answer(message_id(query), query_type(query), whole(*GOOD))]

    with lying_primary(soa_then(5, script)) as primary:
        zone = ZoneWorld(tmp_path, primary.location)
        await zone.night()
    with lying_primary(soa_then(6, script)) as primary:
        zone.source = ZoneWorld(tmp_path, primary.location).source
        await zone.night()
    assert query_type(seen[-1]) == RRType.IXFR
    assert struct.unpack(">I", seen[-1][-20:-16]) == (5,)
