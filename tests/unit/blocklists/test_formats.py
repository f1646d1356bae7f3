"""Each format against a fixture written for the project and a dump of all that is to be read from it.

To renew the dumps after a change: ``python -m tests.unit.blocklists.test_formats``; then read the difference.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from blocklists.formats.detect import detect, is_html
from blocklists.formats.harvest import MAX_COMPLAINTS, Reason
from blocklists.source import Source
from tests.support.lists import dump, entries_in, parsed_from

FIXTURES = Path(__file__).parent / "fixtures"
FORMATS = ("adblock", "plain", "hosts", "wildcard", "dnsmasq", "unbound", "rpz", "ut1", "addresses")


@pytest.mark.parametrize("name", FORMATS)
def test_a_fixture_reads_as_its_golden_dump_says(name: str, tmp_path: Path) -> None:
    source = Source("contoh", "x", format=name, rewrites=True)
    parsed = parsed_from(tmp_path, (FIXTURES / f"{name}.txt").read_bytes(), source)
    assert dump(parsed) == (FIXTURES / f"{name}.golden").read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_of_a_fixture_is_detected(name: str) -> None:
    assert detect((FIXTURES / f"{name}.txt").read_bytes()).name == name


@pytest.mark.parametrize(
    ("format_name", "line", "subdomains", "kind"),
    [
        ("plain", b"a.example", None, "subtree"),
        ("plain", b"a.example", True, "subtree"),
        ("plain", b"a.example", False, "exact"),
        ("hosts", b"0.0.0.0 a.example", None, "exact"),
        ("hosts", b"0.0.0.0 a.example", True, "subtree"),
        ("hosts", b"0.0.0.0 a.example", False, "exact"),
        ("wildcard", b"*.a.example", None, "subtree"),
        ("wildcard", b"*.a.example", True, "subtree"),
        ("wildcard", b"*.a.example", False, "exact"),
        ("wildcard", b"a.example", None, "exact"),
        ("wildcard", b"a.example", True, "subtree"),
    ],
)
def test_what_a_line_covers_is_the_formats_own_or_the_sources_word(
    format_name: str, line: bytes, subdomains: bool | None, kind: str, tmp_path: Path
) -> None:
    source = Source("contoh", "x", format=format_name, subdomains=subdomains)
    parsed = parsed_from(tmp_path, line + b"\n", source)
    assert parsed.entries is not None
    assert entries_in(parsed.entries) == [("a.example", kind)]


def test_a_name_listed_in_two_ways_covers_what_both_do(tmp_path: Path) -> None:
    content = b"*.a.example\na.example\nb.example\n*.c.example\n"
    parsed = parsed_from(tmp_path, content, Source("contoh", "x", format="wildcard"))
    assert parsed.entries is not None
    assert sorted(entries_in(parsed.entries)) == [
        ("a.example", "subtree"),
        ("b.example", "exact"),
        ("c.example", "subtree"),
    ]
    assert (parsed.names, parsed.duplicates) == (3, 1)


def test_lines_keep_their_numbers_across_chunks(tmp_path: Path) -> None:
    good = b"".join(b"n%07d.example\n" % number for number in range(150_000))
    assert len(good) > 2 << 20
    parsed = parsed_from(tmp_path, good + b"cut\n" + good + b"http://x.example/\n")
    assert [(one.line, one.reason) for one in parsed.complaints] == [
        (150_001, Reason.SINGLE_LABEL),
        (300_002, Reason.URL),
    ]
    assert (parsed.names, parsed.duplicates, parsed.lines) == (150_000, 150_000, 300_002)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends_are_understood(line_end: bytes, tmp_path: Path) -> None:
    parsed = parsed_from(tmp_path, line_end.join([b"a.example", b"b.example", b"c.example", b""]))
    assert (parsed.names, parsed.invalid, parsed.lines) == (3, 0, 3)


def test_a_line_without_end_is_bounded_and_counted(tmp_path: Path) -> None:
    parsed = parsed_from(tmp_path, b"a.example\n" + b"x" * (5 << 20) + b"\nb.example\n")
    assert (parsed.names, parsed.invalid) == (2, 1)
    assert parsed.complaints[0].reason is Reason.LINE_TOO_LONG
    assert parsed.complaints[0].line == 2


def test_only_the_first_complaints_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    parsed = parsed_from(tmp_path, b"a.example\n" + b"cut\n" * 500)
    assert len(parsed.complaints) == MAX_COMPLAINTS
    assert parsed.reasons == (("single_label", 500),)


def test_an_excerpt_carries_no_control_characters(tmp_path: Path) -> None:
    parsed = parsed_from(tmp_path, b"a.example\n\x1b[31m\x07red.example\n")
    assert parsed.complaints[0].text == "\\x1b[31m\\x07red.example"


def test_reading_stops_over_the_most_entries(tmp_path: Path) -> None:
    content = b"".join(b"n%d.example\n" % number for number in range(100))
    parsed = parsed_from(tmp_path, content, Source("contoh", "x", max_entries=99))
    assert parsed.over_max
    assert parsed.entries is None


@pytest.mark.parametrize(
    "head",
    [
        b"<html>",
        b"\xef\xbb\xbf\r\n <!DOCTYPE html>\n<html>",
        b"<!-- error --><HTML lang='id'>",
        b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">',
        b"<head><title>404</title>",
    ],
)
def test_web_pages_are_known(head: bytes) -> None:
    assert is_html(head)


@pytest.mark.parametrize("head", [b"", b"# <html>\na.example\n", b"<a.example\n", b"html.example\n", b"<htmlx>"])
def test_lists_are_no_web_pages(head: bytes) -> None:
    assert not is_html(head)


@pytest.mark.parametrize(
    "head",
    [b"x." * 30_000 + b"|", b"<!---->" * 9_000 + b"x", b"<!--" * 16_000, b"*." * 30_000, b"0 " * 30_000, b" " * 60_000],
)
def test_hostile_beginnings_take_no_exponential_time(head: bytes) -> None:
    """A pattern with two ways to read a piece would not come back from these in anybody's lifetime."""
    assert not is_html(head)
    assert detect(head).name in FORMATS


def main() -> None:
    """Writes the golden dumps anew."""
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as directory:
            content = (FIXTURES / f"{name}.txt").read_bytes()
            parsed = parsed_from(Path(directory), content, Source("contoh", "x", format=name))
            (FIXTURES / f"{name}.golden").write_text(dump(parsed))


if __name__ == "__main__":
    main()
