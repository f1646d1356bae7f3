"""In which line a list says what it says: found again in the text that a version keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.entry import EXACT, MAX_COVER, key_of, name_of
from blocklists.fetch import Fetched, Validators
from blocklists.formats.detect import BY_NAME
from blocklists.formats.harvest import Options
from blocklists.library import Library
from blocklists.lines import Place, Text, Wanted, place_of
from blocklists.lookup import looking_up
from blocklists.normalise import normalise
from blocklists.reading import opener
from blocklists.source import Source
from dnswire.name import from_text
from tests.support.lists import entries_in, parsed_from

FIXTURES = Path(__file__).parent / "fixtures"
NAMED = ("plain", "hosts", "wildcard", "dnsmasq", "unbound", "rpz", "ut1")


def place(path: Path, format_name: str, name: str, cover: int = MAX_COVER) -> Place | None:
    text = Text(opener(path), BY_NAME[format_name], Options(), None)
    return place_of(text, Wanted(key_of(from_text(name)), cover))


@pytest.mark.parametrize("name", NAMED)
def test_every_entry_of_a_fixture_is_found_in_a_line_that_gives_it(name: str, tmp_path: Path) -> None:
    path = FIXTURES / f"{name}.txt"
    parsed = normalise(path, Source("contoh", "x", format=name), (), tmp_path / "entries")
    assert parsed.entries is not None
    redirected = {"enam.example"} if name == "unbound" else set()  # known only at the end: no line of its own
    for entry, _ in entries_in(parsed.entries):
        found = place(path, name, entry)
        if entry in redirected:
            assert found is None
            continue
        assert found is not None, entry
        label = entry.split(".")[0]
        line = found.text.lower().replace("bücher", "xn--bcher-kva").replace("zoë", "xn--zo-ija")
        line = line.replace("b\\195\\188cher", "xn--bcher-kva")
        # The owner of a record over several lines stands on the first, and the entry comes with the last.
        assert label in line or label.startswith("xn--") or line.startswith("@") or "over two lines" in line
        if name != "ut1" and "\\x" not in found.text:
            whole = path.read_text(errors="replace").lower().splitlines()[found.line - 1]
            assert whole.split() == found.text.lower().split()


def test_the_file_of_a_folder_is_named_and_its_lines_counted(tmp_path: Path) -> None:
    path = tmp_path / "text"
    domains = "".join(f"n{number}.example\n" for number in range(100_000))
    path.write_text(f"#saring-folder 1\n#saring-file urls\nu.example\n#saring-file domains\n{domains}z.example\n")
    assert place(path, "ut1", "u.example") == Place("urls", 1, "u.example")
    assert place(path, "ut1", "n77777.example") == Place("domains", 77_778, "n77777.example")
    assert place(path, "ut1", "z.example") == Place("domains", 100_001, "z.example")


def test_a_name_is_found_far_behind_and_only_as_itself(tmp_path: Path) -> None:
    path = tmp_path / "text"
    lines = [f"x{number}.situs.example" for number in range(50_000)]
    path.write_text("\n".join([*lines, "Situs.Example", "bücher.example", ""]))
    assert place(path, "plain", "situs.example") == Place("", 50_001, "situs.example")
    assert place(path, "plain", "xn--bcher-kva.example") == Place("", 50_002, "bücher.example")
    assert place(path, "plain", "tidak.example") is None
    assert place(path, "hosts", "situs.example") is None


def test_a_zones_relative_names_are_found_with_their_origin(tmp_path: Path) -> None:
    path = tmp_path / "text"
    many = "".join(f"n{number} CNAME .\n" for number in range(100_000))
    path.write_text(f"$ORIGIN z.test.\n@ SOA a b 1 2 3 4 5\nn1 CNAME .\n$ORIGIN com.z.test.\n{many}\\110ama CNAME .\n")
    found = place(path, "rpz", "n99999.com")
    assert found == Place("", 100_004, "n99999 CNAME .")
    escaped = place(path, "rpz", "nama.com")
    assert escaped is not None
    assert escaped.line == 100_005
    assert place(path, "rpz", "n99999.com", cover=2) is None


def test_a_protected_name_is_reported_with_its_line_in_every_format(tmp_path: Path) -> None:
    for name, text in (
        ("hosts", b"0.0.0.0 a.example\n0.0.0.0 b.example kantor.example\n"),
        ("dnsmasq", b"local=/a.example/\nlocal=/kantor.example/\n"),
        ("unbound", b'local-zone: "a.example" static\nlocal-zone: "kantor.example" static\n'),
        ("rpz", b"a.example CNAME .\nkantor.example CNAME .\n"),
    ):
        parsed = parsed_from(tmp_path, text, Source("contoh", "x", format=name), ("kantor.example",))
        assert [(hit.protected, hit.line) for hit in parsed.protected] == [("kantor.example", 2)], name


def test_a_version_names_the_line_of_an_entry(tmp_path: Path) -> None:
    library = Library(tmp_path / "lists")
    source = Source("judi", "x", format="rpz", landing=("blokir.example",))
    for number, text in enumerate((b"a.test CNAME blokir.example.\n", b"b.test CNAME .\na.test CNAME .\n"), 1):
        with library.workspace("judi") as directory:
            content = directory / "content"
            content.write_bytes(text)
            parsed = normalise(content, source, (), directory / "entries")
            fetched = Fetched(content, "0" * 64, len(text), Validators(), "x")
            assert library.store(source, fetched, parsed, 1000.0 * number).number == number
    entry = from_text("a.test")
    assert library.line_of("judi", 1, entry) == Place("", 1, "a.test CNAME blokir.example.")
    assert library.line_of("judi", 2, entry, EXACT) == Place("", 2, "a.test CNAME .")
    assert library.line_of("judi", 2, from_text("c.test")) is None
    assert library.line_of("judi", 3, entry) is None
    kept = library.entries_path("judi", 2).with_name("text.zst")
    kept.write_bytes(kept.read_bytes()[:-3])
    assert library.line_of("judi", 2, from_text("c.test")) is None
    kept.unlink()
    assert library.line_of("judi", 2, entry) is None


def test_what_was_not_understood_stays_with_the_version(tmp_path: Path) -> None:
    library = Library(tmp_path / "lists")
    source = Source("judi", "x", format="dnsmasq")
    with library.workspace("judi") as directory:
        content = directory / "content"
        content.write_bytes(b"local=/a.example/\nserver=/b.example/8.8.8.8\nrusak\n")
        parsed = normalise(content, source, (), directory / "entries")
        library.store(source, Fetched(content, "0" * 64, 1, Validators(), "x"), parsed, 1.0)
    version = library.state("judi").current
    assert version is not None
    assert (version.invalid, version.beyond) == (1, 1)
    assert version.reasons == (("forwarding", 1), ("unknown_line", 1))
    assert [(one.line, one.text) for one in version.complaints] == [(2, "server=/b.example/8.8.8.8"), (3, "rusak")]


def test_keys_are_looked_up_by_their_beginning(tmp_path: Path) -> None:
    parsed = parsed_from(tmp_path, b"a.example\nb.example\nc.test\n")
    assert parsed.entries is not None
    with looking_up(parsed.entries) as lookup:
        found = lookup.beginning_with(key_of(from_text("example")), 9)
        assert sorted(map(name_of, found)) == [from_text("a.example"), from_text("b.example")]
        assert len(lookup.beginning_with(b"", 2)) == 2
        assert lookup.beginning_with(b"\xff", 2) == []
