"""Wire names, as text and as keys."""

from __future__ import annotations

import pytest

from dnswire import name
from dnswire.errors import NameSyntaxError, WireError


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (".", b"\0"),
        ("com", b"\x03com\0"),
        ("www.Example.com", b"\x03www\x07Example\x03com\0"),
        ("www.Example.com.", b"\x03www\x07Example\x03com\0"),
        (r"a\.b.com", b"\x03a.b\x03com\0"),
        (r"\000\255.com", b"\x02\x00\xff\x03com\0"),
        ("_dmarc.go.id", b"\x06_dmarc\x02go\x02id\0"),
        ("münchen.example", b"\x0exn--mnchen-3ya\x07example\0"),
        ("MÜNCHEN.example", b"\x0exn--mnchen-3ya\x07example\0"),
        ("i\u2764.example", b"\x0bxn--i-7iq\x07example\0".replace(b"\x0b", b"\x09")),
    ],
)
def test_text_becomes_wire(text: str, wire: bytes) -> None:
    assert name.from_text(text) == wire


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a..b",
        ".a",
        "a." + "b" * 64,
        ".".join(["abcdefgh"] * 30),
        "a\\",
        "a\\25",
        "a\\256.b",
        "\u0661-.\u202e",
    ],
)
def test_what_is_no_name_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(NameSyntaxError, match=r"\w{3}"):
        name.from_text(text)


def test_text_form_shows_octets_that_would_mislead() -> None:
    wire = b"\x07a.b\\c \n\x03com\x00"
    assert name.to_text(wire) == r"a\.b\\c\032\010.com"
    assert name.from_text(name.to_text(wire)) == wire


def test_a_dot_inside_a_label_is_not_a_label_boundary_in_the_key() -> None:
    assert name.index_key(b"\x03www\x07Example\x03com\0") == b"com.example.www."
    assert name.index_key(b"\x0bexample.com\0") == b"example\\046com."
    assert name.index_key(b"\x0bexample.com\0") != name.index_key(b"\x07example\x03com\0")


def test_the_parent_s_key_is_a_prefix_of_the_child_s_and_of_no_neighbour_s() -> None:
    parent = name.index_key(name.from_text("example.com"))
    assert name.index_key(name.from_text("a.example.com")).startswith(parent)
    assert not name.index_key(name.from_text("example2.com")).startswith(parent)


def test_a_subdomain_is_told_by_labels_not_by_octets() -> None:
    example = name.from_text("example.com")
    assert name.is_subdomain(name.from_text("example.com"), example)
    assert name.is_subdomain(name.from_text("a.b.example.com"), example)
    assert not name.is_subdomain(name.from_text("notexample.com"), example)
    # One label that holds the octets of "\7example\3com": its end looks like the parent and is not.
    disguised = name.from_labels([b"x" + example[:-1]])
    assert disguised.endswith(example)
    assert not name.is_subdomain(disguised, example)


def test_parents_and_suffixes() -> None:
    wire = name.from_text("a.b.com")
    assert [name.to_text(parent) for parent in name.parents(wire)] == ["a.b.com", "b.com", "com", "."]
    assert name.to_text(name.suffix(wire, 2)) == "b.com"
    assert name.suffix(wire, 0) == name.ROOT


def test_a_compressed_name_is_read_to_its_end_and_the_offset_is_behind_its_pointer() -> None:
    message = b"\x07example\x03com\0" + b"\x03www\xc0\x00" + b"rest"
    assert name.read(message, 13) == (b"\x03www\x07example\x03com\0", 19)
    assert name.skip(message, 13) == 19


@pytest.mark.parametrize(
    ("message", "offset"),
    [
        (b"\xc0\x00", 0),  # points to itself
        (b"\x01a\xc0\x04\x01b\xc0\x00", 4),  # two pointers to each other
        (b"\xc0\x02\x03com\0", 0),  # forwards
        (b"\x40a\0", 0),  # reserved label type
        (b"\x05ab", 0),  # leaves the message
        (b"\x01a", 0),  # has no end
        (b"\xc0", 0),  # half a pointer
        ((b"\x3f" + b"a" * 63) * 4 + b"\0", 0),  # 257 octets
    ],
)
def test_a_name_that_cannot_be_is_refused(message: bytes, offset: int) -> None:
    with pytest.raises(WireError):
        name.read(message, offset)
