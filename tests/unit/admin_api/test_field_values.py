"""Values as people enter them: one canonical spelling, or a sentence that says what would be right."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel, ValidationError

from admin_api import fields as f
from admin_api.rest.auth import FailedAttempts
from admin_api.rest.etag import require_match
from admin_api.rest.paging import decode_cursor, encode_cursor
from admin_api.rest.problem import Problem
from admin_api.rest.validation import check_body, field_errors, parse_json
from admin_api.schedule_schemas import Window, day_bits, days_of_bits
from admin_api.schemas import Answer, RRTypeNumber, rrtype_text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.20.4.0/22", "10.20.4.0/22"),
        (" 10.20.4.7 ", "10.20.4.7/32"),
        ("10.20.4.0/255.255.252.0", "10.20.4.0/22"),
        ("2001:DB8:0::/48", "2001:db8::/48"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_networks_have_one_spelling(text: str, canonical: str) -> None:
    assert f.canonical_cidr(text) == canonical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.20.4.1/22", "the range that holds it is 10.20.4.0/22"),
        ("2001:db8::1/48", "2001:db8::/48"),
        ("10.20.4", "write for example"),
        ("fe80::1%eth0/64", "interface zone"),
        ("::ffff:10.0.0.0/104", "write it as IPv4"),
        ("10.0.0.0/33", "write for example"),
    ],
)
def test_what_is_no_network_is_told_the_way_out(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        f.canonical_cidr(text)


def test_names_have_one_spelling() -> None:
    assert f.canonical_name("WWW.Bücher.Example.") == "www.xn--bcher-kva.example"
    for wrong in (".", "", "a..b", "x" * 64 + ".example"):
        with pytest.raises(ValueError, match=r"\S"):
            f.canonical_name(wrong)


def test_days_are_kept_as_bits() -> None:
    assert day_bits(["sun", "mon"]) == 0b1000001
    assert days_of_bits(0b1000001) == ["mon", "sun"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "page"}',
        b'{"kind": "redirect"}',
        b'{"kind": "nxdomain", "name": "a.example"}',
        b'{"kind": "page", "address4": "::1"}',
        b'{"kind": "nodata", "ttl_s": "60"}',
        b'{"kind": "nodata", "ttl_s": -1}',
        b'{"kind": "nodata", "ttl_s": 60.5}',
    ],
)
def test_answers_fit_their_kind(body: bytes) -> None:
    with pytest.raises(Problem):
        check_body(Answer, body)


@pytest.mark.parametrize(
    ("start", "end"), [("24:00", "10:00"), ("7:30", "10:00"), ("07:60", "10:00"), ("07:30", "25:00")]
)
def test_windows_are_spans_of_a_day(start: str, end: str) -> None:
    with pytest.raises(ValidationError):
        Window(days=["mon"], start=start, end=end)


def test_rr_types_are_mnemonics_or_numbers() -> None:
    class Query(BaseModel):
        type: RRTypeNumber

    assert [Query.model_validate({"type": text}).type for text in ("a", "HTTPS", "TYPE65", "65", "65535")] == [
        1,
        65,
        65,
        65,
        65535,
    ]
    for wrong in ("", "FOO", "65536", "TYPE", "-1", "٦"):
        with pytest.raises(ValidationError):
            Query.model_validate({"type": wrong})
    assert (rrtype_text(28), rrtype_text(9999)) == ("AAAA", "TYPE9999")


def test_cursors_come_back_and_others_are_refused() -> None:
    assert decode_cursor(encode_cursor(2**31 - 1)) == 2**31 - 1
    assert decode_cursor(None) == 0
    for wrong in ("x", "aWQ6LTE", "aWQ6OTk5OTk5OTk5OTk5", "é", "aWQ6MQ=!", "eDox", "====", "aWQ6MS0x"):
        with pytest.raises(Problem):
            decode_cursor(wrong)


@pytest.mark.parametrize("header", ['"a-1-1"', '"x", "a-1-1"', "*", ' "a-1-1" '])
def test_if_match_finds_the_version(header: str) -> None:
    require_match(header, '"a-1-1"')


@pytest.mark.parametrize("header", ['W/"a-1-1"', '"a-1-2"', "a-1-1", "", '"' + "a" * 10_000, '"a-1-1'])
def test_if_match_of_another_version_is_stale(header: str) -> None:
    with pytest.raises(Problem) as refused:
        require_match(header, '"a-1-1"')
    assert refused.value.status == 412


def test_failures_are_counted_per_address_and_forgotten() -> None:
    attempts = FailedAttempts(limit=2, tracked=3)
    attempts.failed("a", 0)
    assert attempts.wait_s("a", 0) == 0
    attempts.failed("a", 10)
    assert attempts.wait_s("a", 10) == 50
    assert attempts.wait_s("b", 10) == 0
    assert attempts.wait_s("a", 60) == 0
    for address in "bcd":
        attempts.failed(address, 20)
    assert attempts.wait_s("a", 20) == 0


def test_depth_is_bounded_before_models_look() -> None:
    assert parse_json(b"[[1]]", 2) == [[1]]
    with pytest.raises(Problem):
        parse_json(b"[[[1]]]", 2)
    with pytest.raises(Problem):
        parse_json(b"[" * 100_000, 16)


def test_refused_values_are_shown_short_and_printable() -> None:
    class Model(BaseModel):
        numbers: list[int]

    with pytest.raises(ValidationError) as refused:
        Model.model_validate({"numbers": ["x" * 1000, {"a": 1}, [1, 2], None, "\ud800"]})
    shown = [error.value for error in field_errors(refused.value.errors())]
    assert shown[0] == "x" * 99 + "…"
    assert shown[1:4] == ["an object of 1", "a list of 2", None]
    assert [error.field for error in field_errors(refused.value.errors())][:2] == ["numbers[0]", "numbers[1]"]
