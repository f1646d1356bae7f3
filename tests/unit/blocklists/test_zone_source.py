"""Where a zone comes from, as people write it; what a version of one is on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.source import Source
from blocklists.transfer.failure import TransferError
from blocklists.transfer.key_source import key_of
from blocklists.transfer.primary import Primary, is_zone, parse_primary
from blocklists.transfer.records import RecordsDamaged, ZoneRecord, read_records, write_records
from dnswire.constants import RRType

SECRET = "c2FuZ2F0IHJhaGFzaWEgc2VrYWxp"
LOCATION = "rpz://10.0.0.5/rpz.example"


@pytest.mark.parametrize(
    ("location", "primary"),
    [
        ("rpz://10.0.0.5/rpz.example", Primary("10.0.0.5", 53, b"\x03rpz\x07example\x00")),
        ("RPZ://10.0.0.5:5353/RPZ.Example.", Primary("10.0.0.5", 5353, b"\x03rpz\x07example\x00")),
        ("rpz://[2001:db8::5]:54/rpz", Primary("2001:db8::5", 54, b"\x03rpz\x00")),
        ("rpz://primary.example/rpz", Primary("primary.example", 53, b"\x03rpz\x00")),
    ],
)
def test_a_location_names_primary_port_and_zone(location: str, primary: Primary) -> None:
    assert is_zone(location)
    assert parse_primary(location) == primary
    assert parse_primary(str(primary)) == primary


@pytest.mark.parametrize(
    "location",
    [
        "https://lists.example/x",
        "rpz:///zone",
        "rpz://10.0.0.5",
        "rpz://10.0.0.5/",
        "rpz://10.0.0.5/a..b",
        "rpz://10.0.0.5:0/z",
        "rpz://10.0.0.5:99999/z",
        "rpz://key:secret@10.0.0.5/z",
        "rpz://10.0.0.5/z?key=x",
        "rpz://[10.0.0.5/z",
    ],
)
def test_what_is_no_location_is_told_what_would_be(location: str) -> None:
    with pytest.raises(ValueError, match="rpz://address"):
        parse_primary(location)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"location": "rpz://10.0.0.5/"}, "names no zone"),
        ({"format": "hosts"}, "a transferred zone is rpz"),
        ({"location": "/a/path", "tsig_name": "k", "tsig_secret": SECRET}, "zones that are transferred"),
        ({"tsig_secret": SECRET}, "tsig_name is empty"),
        ({"tsig_name": "k"}, "either"),
        ({"tsig_name": "k", "tsig_secret": SECRET, "tsig_secret_file": "/x"}, "either"),
        ({"tsig_name": "k", "tsig_secret": SECRET, "tsig_algorithm": "hmac-md5"}, "hmac-sha256"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, str], words: str) -> None:
    values = {"location": LOCATION} | options
    with pytest.raises(ValueError, match=words) as caught:
        Source("nasional", **values)  # type: ignore[arg-type]  # all of these are texts
    assert SECRET not in str(caught.value)


def test_a_source_does_not_show_its_secret() -> None:
    assert SECRET not in repr(Source("nasional", LOCATION, tsig_name="k", tsig_secret=SECRET))


def test_a_secret_can_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    source = Source("nasional", LOCATION, tsig_name="k", tsig_secret_file=str(path))
    given = Source("nasional", LOCATION, tsig_name="k", tsig_secret=SECRET)
    assert key_of(source) == key_of(given)
    assert key_of(Source("nasional", LOCATION)) is None
    path.write_bytes(b"\xff\xff")
    with pytest.raises(TransferError, match="no text"):
        key_of(source)
    path.write_text("rahasia!")
    with pytest.raises(TransferError, match="not Base64") as caught:
        key_of(source)
    assert "rahasia!" not in str(caught.value)


def test_records_come_back_as_they_were_and_in_one_order(tmp_path: Path) -> None:
    records = {ZoneRecord(b"\x01a", RRType.TXT, b"\x00\xff"), ZoneRecord(b"\x01a", RRType.A, b"1234")}
    content = write_records(tmp_path / "one", records)
    assert content == write_records(tmp_path / "two", list(records)[::-1])
    assert read_records(tmp_path / "one") == records
    (tmp_path / "one").write_bytes(content[:-1])
    for path in (tmp_path / "one", tmp_path / "none"):
        with pytest.raises(RecordsDamaged):
            read_records(path)
