"""NOTIFY as a secondary answers it, by RFC 1996."""

from __future__ import annotations

import base64
import struct
from ipaddress import ip_network

import pytest

from blocklists.transfer.notify import MAX_NOTIFY_SIZE, Notifications, Notified, Reply
from blocklists.transfer.tsig import BADKEY, BADSIG, BADTIME, make_key, read_tsig, sign
from dnswire.constants import Rcode, RRClass, RRType
from tests.support.zone_wire import ZONE, header, question, soa

NOW_S = 1_800_000_000.0
NOTIFY = 0x2400
NOTAUTH = 9
PRIMARY = "192.0.2.1"
SECRET = base64.b64encode(b"rahasia untuk uji coba saja").decode()
KEY = make_key("kunci.test", "hmac-sha256", SECRET)
OTHER_KEY = make_key("kunci.test", "hmac-sha256", base64.b64encode(b"rahasia yang lain sama sekali").decode())
NOTIFICATIONS = Notifications(
    {ZONE: Notified("nasional", frozenset({PRIMARY}), KEY)}, (ip_network("10.1.0.0/24"), ip_network("fd00::/64"))
)


def notify(*, zone: bytes = ZONE, rrtype: int = RRType.SOA, answers: int = 0, flags: int = NOTIFY) -> bytes:
    return header(0x1234, answers, flags=flags) + question(rrtype, zone) + (soa(7) if answers else b"")


def reply(message: bytes, address: str = PRIMARY) -> Reply:
    return NOTIFICATIONS.answer(message, address, NOW_S)


def rcode(found: Reply) -> int:
    assert found.response is not None
    return found.response[3] & 0xF


def test_a_notify_of_the_primary_is_answered_and_counts() -> None:
    # RFC 1996 3.12 and 4: QR is set, the ID and the question are those of the request.
    found = reply(notify())
    assert found.code == "nasional"
    assert found.response == struct.pack(">HHHHHH", 0x1234, 0xA400, 1, 0, 0, 0) + question(RRType.SOA)


def test_the_soa_in_it_is_a_hint_that_nobody_needs() -> None:
    # RFC 1996 3.7: the answer section may have the new SOA; it is unsecure, and must be asked for all the same.
    assert reply(notify(answers=1)).code == "nasional"


def test_the_zones_name_may_be_in_any_case() -> None:
    assert reply(notify(zone=ZONE.upper())).code == "nasional"


@pytest.mark.parametrize("address", ["10.1.0.7", "fd00::1", "::ffff:192.0.2.1", "fd00::1%eth0"])
def test_those_allowed_count_too(address: str) -> None:
    assert reply(notify(), address).code == "nasional"


@pytest.mark.parametrize("address", ["192.0.2.2", "10.1.1.1", "fd01::1", "", "nonsense"])
def test_others_are_refused(address: str) -> None:
    # RFC 1996 3.10: of somebody who is no known master it is not heeded, and the log says so.
    found = reply(notify(), address)
    assert (rcode(found), found.code) == (Rcode.REFUSED, "")
    assert "notify_allow_from" in found.why


def test_another_zone_is_not_ours() -> None:
    found = reply(notify(zone=b"\x04lain\x00"))
    assert (rcode(found), found.code) == (NOTAUTH, "")


@pytest.mark.parametrize(
    "message",
    [
        notify(rrtype=RRType.A),
        header(1, 0, flags=NOTIFY, questions=2) + question(RRType.SOA) * 2,
        header(1, 0, flags=NOTIFY) + question(RRType.SOA, rrclass=RRClass.CH),
        header(1, 0, flags=NOTIFY, questions=0),
        header(1, 5, flags=NOTIFY) + question(RRType.SOA),
        notify() + b"more",
        notify()[:-3],
    ],
)
def test_what_is_no_sound_notify_is_a_format_error(message: bytes) -> None:
    assert rcode(reply(message)) == Rcode.FORMERR


def test_other_opcodes_are_not_for_this_port() -> None:
    assert rcode(reply(notify(flags=0x0100))) == Rcode.NOTIMP


@pytest.mark.parametrize("message", [b"", b"\x00" * 11, notify(flags=0xA400), b"\x00" * (MAX_NOTIFY_SIZE + 1)])
def test_answers_and_scraps_are_not_answered(message: bytes) -> None:
    assert reply(message) == Reply(None)


def test_a_signature_that_verifies_counts_from_anywhere_and_is_answered_signed() -> None:
    message, mac = sign(notify(), KEY, int(NOW_S))
    found = reply(message, "203.0.113.9")
    assert (rcode(found), found.code) == (Rcode.NOERROR, "nasional")
    assert found.response is not None
    bare = struct.pack(">HHHHHH", 0x1234, 0xA400, 1, 0, 0, 0) + question(RRType.SOA)
    assert found.response == sign(bare, KEY, int(NOW_S), mac)[0]


@pytest.mark.parametrize(
    ("key", "time_s", "error"),
    [
        (OTHER_KEY, NOW_S, BADSIG),
        (make_key("lain.test", "hmac-sha256", SECRET), NOW_S, BADKEY),
        (make_key("kunci.test", "hmac-sha512", SECRET), NOW_S, BADKEY),
        (KEY, NOW_S - 1000, BADTIME),
    ],
)
def test_a_signature_that_does_not_verify_counts_from_nowhere(key: object, time_s: float, error: int) -> None:
    message, _ = sign(notify(), key, int(time_s))  # type: ignore[arg-type]  # a TsigKey
    found = reply(message)
    assert (rcode(found), found.code) == (NOTAUTH, "")
    assert found.response is not None
    record = read_tsig(found.response, 12 + len(question(RRType.SOA)))
    assert record.error == error
    # RFC 8945 5.3.2: unsigned, but for the time, where the key is known to be shared.
    assert bool(record.mac) is (error == BADTIME)
