"""Mutated transfers and NOTIFYs: the client ends with a ``TransferError`` or with a zone, never in another way.

With a signature there is only one zone that it may end with. Seeded: the same on every machine.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

from blocklists.progress import Silent
from blocklists.transfer.failure import TransferError
from blocklists.transfer.notify import Notifications, Notified
from blocklists.transfer.tsig import FUDGE_S, digest_next, make_key, message_with, sign
from dnswire.constants import RRType
from tests.support.mutation import mutations
from tests.support.primaries import KEY_NAME, SECRET
from tests.support.zone_stream import MESSAGE_ID, new_changes, new_whole, receive
from tests.support.zone_wire import ZONE, answer, block, header, question, rr, soa

COUNT = 4_000
NOW_S = 1_800_000_000
KEY = make_key(KEY_NAME, "hmac-sha256", SECRET)
# Where the first name behind the SOA stands, as a compression pointer.
FIRST_NAME = struct.pack(">H", 0xC000 | (len(header(0, 0) + question(RRType.AXFR) + soa(1))))
BODY = [
    block("judi.example"),
    rr(b"\x01*" + FIRST_NAME, RRType.CNAME, b"\0"),
    rr(b"\x03www" + FIRST_NAME, RRType.CNAME, b"\x0crpz-passthru\0"),
    rr("lokal", RRType.MX, b"\x00\x0a\x01m\xc0\x0c"),
    rr("32.1.2.0.192.rpz-ip", RRType.CNAME, b"\0"),
    rr("lokal", RRType.TXT, b"\x02hi"),
    rr("a", RRType.A, bytes(4)),
]
AXFR = [
    answer(MESSAGE_ID, RRType.AXFR, [soa(1), *BODY]),
    answer(MESSAGE_ID, RRType.AXFR, [block(f"n{number}.example") for number in range(5)]),
    answer(MESSAGE_ID, RRType.AXFR, [soa(1)]),
]
IXFR = [
    answer(MESSAGE_ID, RRType.IXFR, [soa(3), soa(1), block("judi.example"), soa(2), block("baru.example")]),
    answer(MESSAGE_ID, RRType.IXFR, [soa(2), rr("lokal", RRType.TXT, b"\x02hi"), soa(3), soa(3)]),
]


def signed(messages: list[bytes], request_mac: bytes) -> list[bytes]:
    first, mac = sign(messages[0], KEY, NOW_S, request_mac)
    found = [first]
    for message in messages[1:]:
        mac = digest_next(KEY, mac, message, NOW_S, FUDGE_S)
        found.append(message_with(message, KEY, NOW_S, mac, MESSAGE_ID))
    return found


def with_one_changed(messages: list[bytes], changed: bytes, source: random.Random) -> list[bytes]:
    place = source.randrange(len(messages))
    return [*messages[:place], changed, *messages[place + 1 :]]


def test_mutated_zones_end_in_an_error_or_a_zone(tmp_path: Path) -> None:
    source = random.Random(1)
    outcomes = [0, 0]
    for changed in mutations(AXFR, COUNT, seed=2):
        whole = new_whole(tmp_path)
        try:
            framing, _ = receive(with_one_changed(AXFR, changed, source), whole)
        except TransferError:
            outcomes[0] += 1
            continue
        outcomes[1] += 1
        assert framing.done
        if outcomes[1] % 20 == 0:  # each waits for the disk
            whole.finish(Silent())
    assert min(outcomes) > COUNT // 50


def test_mutated_changes_end_in_an_error_or_a_zone(tmp_path: Path) -> None:
    base = new_whole(tmp_path, "base")
    receive(AXFR, base)
    base.finish(Silent())
    source = random.Random(3)
    outcomes = [0, 0]
    for changed in mutations(IXFR, COUNT, seed=4):
        whole = new_whole(tmp_path)
        changes = new_changes(tmp_path / "base", base)
        try:
            framing, _ = receive(with_one_changed(IXFR, changed, source), whole, changes, held_serial=1)
            if outcomes[1] % 20 == 0 and not framing.whole:
                changes.finish(tmp_path, tmp_path / "entries")
        except TransferError:
            outcomes[0] += 1
            continue
        outcomes[1] += 1
    assert min(outcomes) > COUNT // 100


def test_a_signed_zone_is_the_right_one_or_none(tmp_path: Path) -> None:
    # The client's own signature is the same each time: its ID and its clock are.
    probe, request_mac = sign(header(MESSAGE_ID, 0, flags=0) + question(RRType.AXFR), KEY, NOW_S)
    assert probe
    messages = signed(AXFR, request_mac)
    receive(messages, new_whole(tmp_path), key=KEY, now_s=NOW_S)
    source = random.Random(5)
    for changed in mutations(messages, COUNT, seed=6):
        sent = with_one_changed(messages, changed, source)
        whole = new_whole(tmp_path)
        try:
            receive(sent, whole, key=KEY, now_s=NOW_S)
        except TransferError:
            continue
        assert [message.lower() for message in sent] == [message.lower() for message in messages]


def test_mutated_notifies_are_answered_or_dropped() -> None:
    notifications = Notifications({ZONE: Notified("nasional", frozenset({"192.0.2.1"}), KEY)})
    plain = header(MESSAGE_ID, 1, flags=0x2400) + question(RRType.SOA) + soa(7)
    secure, _ = sign(header(MESSAGE_ID, 0, flags=0x2400) + question(RRType.SOA), KEY, NOW_S)
    accepted = 0
    for changed in mutations([plain, secure], COUNT, seed=7):
        reply = notifications.answer(changed, "192.0.2.1", NOW_S)
        assert reply.response is None or reply.response[:2] == changed[:2]
        accepted += bool(reply.code)
        # From elsewhere only the signature counts, and nothing signed was changed but what is not signed.
        if notifications.answer(changed, "203.0.113.9", NOW_S).code:
            assert changed[2:] == secure[2:] or changed[2:].lower() == secure[2:].lower()
    assert accepted > COUNT // 50
