"""Any bytes at all parse or are counted; and the bulk pass says of each line what the careful one says."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from blocklists.entries import read_keys, read_sections
from blocklists.entry import key_of
from blocklists.formats.bulk import names_of
from blocklists.formats.detect import FORMATS, detect, is_html
from blocklists.formats.harvest import Format, Harvest, Options, Reason
from blocklists.formats.odd import examine
from blocklists.source import FORMAT_NAMES, Source
from dnswire.name import from_text
from tests.support.lists import beside_names, parsed_from

# Octets and pieces of which lists, and accidents with lists, are made.
PIECES = st.sampled_from(
    [
        b"a",
        b"-",
        b"_",
        b"9",
        b".",
        b"..",
        b"*.",
        b"*",
        b"#",
        b" ",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b"0.0.0.0 ",
        b"127.0.0.1 ",
        b"::1 ",
        b"localhost",
        b"example",
        b"a" * 63,
        b"b" * 64,
        b"x." * 130,
        b"\xc3\xbc",
        b"\xfc",
        b"\xef\xbb\xbf",
        b"\x00",
        b"http://",
        b":80",
        b"@",
        b"\\.",
        b"\xe3\x80\x82",
        b"192.0.2.1",
        b"xn--",
        b"0x1f",
        b"<html>",
        b"||x^",
        b"A",
        b"local=/",
        b"address=/",
        b"server=/",
        b"/",
        b"/#",
        b"/0.0.0.0",
        b'local-zone: "',
        b'" static',
        b'" redirect',
        b'local-data: "',
        b" CNAME .",
        b" 3600 IN CNAME rpz-passthru.",
        b" CNAME ",
        b" TXT ",
        b'"',
        b";",
        b"(",
        b")",
        b"$ORIGIN ",
        b"z.example.",
        b"@ SOA a b 1 2 3 4 5",
        b"32.1.2.0.192.rpz-ip",
        b"#saring-folder 1\n",
        b"#saring-file usage\n",
        b"#saring-file urls\n",
        b"#saring-file domains\n",
        b"white",
        b"2001:db8::/32",
    ]
)
TEXTS = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=40).map(b"".join))
LINES = st.text(alphabet="ab-_9.", max_size=80)


def _lines(pieces: list[bytes]) -> list[bytes]:
    return b"".join(pieces).split(b"\n")


@given(TEXTS, st.sampled_from(FORMAT_NAMES), st.sampled_from([None, True, False]))
@settings(deadline=None, max_examples=300)
@example(b"", "auto", None)
@example(b"*.\n", "wildcard", None)
@example(b"\xef\xbb\xbf", "auto", None)
@example(b"\xc4\xb0.example", "plain", None)
def test_any_bytes_parse_or_are_counted(content: bytes, name: str, subdomains: bool | None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        parsed = parsed_from(Path(directory), content, Source("x", "x", format=name, subdomains=subdomains))
        keys = [
            key
            for section in (read_sections(parsed.entries) if parsed.entries else [])
            for chunk in read_keys(section)
            for key in chunk
        ]
        others = beside_names(parsed)
    assert len(keys) == len(set(keys)) == parsed.names - others
    assert sum(count for _, count in parsed.reasons) == parsed.invalid + parsed.beyond
    for key in keys:
        assert b"\0" not in key
        assert len(key) <= 254


@given(st.lists(LINES, max_size=12))
@settings(deadline=None, max_examples=500)
def test_the_bulk_pass_accepts_only_what_the_careful_one_does(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    names = names_of(text)
    keys = names.blob.split(b"\0")[::-1] if names.count else []
    odd = {token.line: token.token for token in names.odd}
    expected = [line.encode() for number, line in enumerate(lines) if line and number not in odd]
    assert keys == [examine(line) for line in expected]
    assert keys == [key_of(from_text(line.decode())) for line in expected]
    for number, token in odd.items():
        assert lines[number].encode() == token


@given(LINES)
@settings(deadline=None, max_examples=500)
def test_a_word_means_the_same_alone_and_among_others(word: str) -> None:
    token = word.encode()
    alone = names_of(token + b"\n")
    among = names_of(b"a.example " + token + b" b.example \n", words=True)
    assert among.count - 2 == alone.count
    assert [odd.token for odd in among.odd] == [odd.token for odd in alone.odd]


@given(st.binary(max_size=80).map(bytes.lower))
@settings(deadline=None, max_examples=500)
def test_a_token_has_a_key_or_a_reason(token: bytes) -> None:
    found = examine(token)
    assert isinstance(found, Reason) or (found and b"\0" not in found)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_detection_has_always_an_answer(head: bytes) -> None:
    assert detect(head) in FORMATS
    assert is_html(head) in (True, False)


@given(
    st.one_of(st.lists(st.binary(max_size=30), max_size=20), st.lists(PIECES, max_size=60).map(_lines)),
    st.sampled_from(FORMATS),
    st.integers(1, 19),
)
@settings(deadline=None, max_examples=400)
def test_where_a_file_is_cut_into_chunks_does_not_matter(lines: list[bytes], known: Format, cut: int) -> None:
    clean = [line.replace(b"\n", b"").replace(b"\r", b"").lower() for line in lines]
    whole, parts = Harvest(), Harvest()
    for harvest, pieces in ((whole, [clean]), (parts, [clean[:cut], clean[cut:]])):
        first = 1
        parser = known.begin(Options())
        for piece in pieces:
            if piece:
                parser.parse(b"\n".join(piece) + b"\n", first, None, harvest)
            first += len(piece)
        parser.finish(None, harvest)
    assert (whole.names, whole.invalid, whole.noise, whole.reasons) == (
        parts.names,
        parts.invalid,
        parts.noise,
        parts.reasons,
    )
    assert {(one.line, one.text) for one in whole.complaints} == {(one.line, one.text) for one in parts.complaints}
