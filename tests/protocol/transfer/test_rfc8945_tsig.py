"""Signatures of transfers, by RFC 8945."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import pytest

from blocklists.transfer.failure import TransferError
from blocklists.transfer.message import tsig_at
from blocklists.transfer.tsig import (
    ALGORITHMS,
    BADKEY,
    BADSIG,
    BADTIME,
    FUDGE_S,
    TsigKey,
    digest_next,
    make_key,
    message_with,
    read_tsig,
    sign,
)
from blocklists.transfer.tsig_stream import MAX_UNSIGNED, SignatureCheck
from dnswire.constants import RRType
from tests.support.zone_wire import answer, block, question

NOW_S = 1_800_000_000
SECRET = base64.b64encode(b"rahasia untuk uji coba saja").decode()
KEY = make_key("Kunci.Test.", "hmac-sha256", SECRET)
REQUEST_MAC = b"m" * 32


class Signer:
    """A primary's side of a signed response."""

    def __init__(self, key: TsigKey = KEY) -> None:
        self._key = key
        self._mac = REQUEST_MAC
        self._open: list[bytes] = []
        self._first = True

    def signed(self, message: bytes, time_s: int = NOW_S) -> bytes:
        if self._first:
            whole, self._mac = sign(message, self._key, time_s, self._mac)
            self._first = False
            return whole
        self._mac = digest_next(self._key, self._mac, b"".join((*self._open, message)), time_s, FUDGE_S)
        self._open.clear()
        return message_with(message, self._key, time_s, self._mac, int.from_bytes(message[:2], "big"))

    def unsigned(self, message: bytes) -> bytes:
        self._open.append(message)
        return message


def part(number: int) -> bytes:
    return answer(7, RRType.AXFR, [block(f"situs{number}.example")])


def check(messages: Sequence[bytes], now: Callable[[], float] = lambda: NOW_S, key: TsigKey = KEY) -> None:
    stream = SignatureCheck("The primary", key, REQUEST_MAC, now)
    for message in messages:
        behind = 12 + len(question(RRType.AXFR)) + len(block("situs0.example"))
        additional = int.from_bytes(message[10:12], "big")
        found = tsig_at(message, len(message) if not additional else behind, additional)
        stream.message(message, found)
    stream.end()


def refusal(messages: Sequence[bytes], **other: Callable[[], float]) -> str:
    with pytest.raises(TransferError) as caught:
        check(messages, **other)
    return caught.value.sentence


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_message_may_be_signed(algorithm: str) -> None:
    key = make_key("kunci.test", algorithm, SECRET)
    signer = Signer(key)
    check([signer.signed(part(number)) for number in range(5)], key=key)


def test_up_to_99_messages_between_may_be_unsigned() -> None:
    # RFC 8945 5.3.1: a client must accept up to 99 intermediary messages without a TSIG.
    signer = Signer()
    messages = [
        signer.signed(part(0)),
        *(signer.unsigned(part(0)) for _ in range(MAX_UNSIGNED)),
        signer.signed(part(0)),
    ]
    check(messages)
    signer = Signer()
    messages = [signer.signed(part(0)), *(signer.unsigned(part(0)) for _ in range(MAX_UNSIGNED + 1))]
    assert "more than 99" in refusal(messages)


def test_an_unsigned_message_is_covered_by_the_next_signature() -> None:
    signer = Signer()
    messages = [signer.signed(part(0)), signer.unsigned(part(1)), signer.signed(part(2))]
    check(messages)
    messages[1] = part(3)
    assert "wrong signature" in refusal(messages)


def test_the_first_message_must_be_signed() -> None:
    # RFC 8945 5.3.1: a client must verify that both the first and the last message have one.
    assert "does not sign its answer" in refusal([part(0)])


def test_the_last_message_must_be_signed() -> None:
    signer = Signer()
    assert "ends with a message that is not signed" in refusal([signer.signed(part(0)), signer.unsigned(part(1))])


@pytest.mark.parametrize("place", [0, 1])
def test_one_changed_octet_is_found(place: int) -> None:
    signer = Signer()
    messages = [signer.signed(part(0)), signer.signed(part(1))]
    changed = bytearray(messages[place])
    changed[20] ^= 1
    messages[place] = bytes(changed)
    assert "wrong signature" in refusal(messages)


def test_a_message_left_out_is_found() -> None:
    signer = Signer()
    messages = [signer.signed(part(number)) for number in range(3)]
    assert "wrong signature" in refusal([messages[0], messages[2]])


def test_another_secret_is_found() -> None:
    other = TsigKey(KEY.name, KEY.algorithm, b"another secret")
    assert "wrong signature" in refusal([Signer(other).signed(part(0))])


def test_another_key_is_not_taken() -> None:
    other = TsigKey(b"\x05lain.\x00", KEY.algorithm, KEY.secret)
    assert "another key" in refusal([Signer(other).signed(part(0))])


@pytest.mark.parametrize("off_s", [-FUDGE_S - 1, FUDGE_S + 1])
def test_a_time_too_far_off_is_refused(off_s: int) -> None:
    # RFC 8945 5.2.3: the time, after the signature was found good.
    assert "too far from ours" in refusal([Signer().signed(part(0), NOW_S + off_s)])


@pytest.mark.parametrize(("error", "words"), [(BADSIG, "BADSIG"), (BADKEY, "BADKEY"), (BADTIME, "NTP"), (99, "99")])
def test_what_the_primary_reports_is_told_in_words(error: int, words: str) -> None:
    # RFC 8945 5.3.2: errors about keys and signatures come unsigned.
    assert words in refusal([message_with(part(0), KEY, NOW_S, b"", 7, error)])


def test_a_shortened_mac_is_not_taken() -> None:
    whole = Signer().signed(part(0))
    record = read_tsig(whole, len(part(0)))
    short = message_with(part(0), KEY, NOW_S, record.mac[:16], 7)
    assert "wrong signature" in refusal([short])


def test_the_original_id_is_what_was_signed() -> None:
    # RFC 8945 4.3.2: a forwarder may change the ID; the original one is put in its place for the digest.
    message, _ = sign(part(0), KEY, NOW_S, REQUEST_MAC)
    check([b"\x99\x99" + message[2:]])


@pytest.mark.parametrize(
    ("name", "algorithm", "secret", "words"),
    [
        ("k", "hmac-md5", SECRET, "hmac-sha256"),
        ("k..x", "hmac-sha256", SECRET, "key name"),
        ("k", "hmac-sha256", "not base64!", "Base64"),
        ("k", "hmac-sha256", "c2hvcnQ=", "5 octets"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_without_its_secret(
    name: str, algorithm: str, secret: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        make_key(name, algorithm, secret)
    assert secret not in str(caught.value)


def test_a_key_does_not_show_its_secret() -> None:
    assert "rahasia" not in repr(KEY)
