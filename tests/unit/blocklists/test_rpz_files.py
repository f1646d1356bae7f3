"""Response policy zones as files: how they are really written, and the fast way beside the careful one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from blocklists.entries import read_rules
from blocklists.entry import key_of, kind, name_of
from blocklists.formats.harvest import Harvest, Options, Reason
from blocklists.formats.rdata_text import from_wire, from_words
from blocklists.formats.rpz import Rpz
from blocklists.formats.rpz_record import RpzRecords
from blocklists.rule import RuleAction
from blocklists.source import Source
from dnswire.constants import RRType
from dnswire.name import from_text, to_text
from dnswire.rdata import to_wire
from tests.support.lists import entries_in, parsed_from


def read(tmp_path: Path, text: str, **stated: object) -> list[tuple[str, str]]:
    """The entries of a zone in which everything is understood."""
    source = Source("contoh", "x", **{"format": "rpz", "rewrites": True, **stated})  # type: ignore[arg-type]  # fields of Source
    parsed = parsed_from(tmp_path, text.encode(), source)
    assert parsed.reasons == ()
    assert parsed.entries is not None
    return sorted(entries_in(parsed.entries))


def test_a_zone_as_dig_prints_it_and_its_landing_name_are_the_lists_blocks(tmp_path: Path) -> None:
    lines = ["nasional.\t\t3600\tIN\tSOA\tlocalhost. root.localhost. 26082201 60 60 604800 60"]
    for number in range(500):
        tail = ".nasional.\t3600\tIN\tCNAME\tlamanlabuh.aduankonten.id."
        lines += [f"situs{number}.example{tail}", f"*.situs{number}.example{tail}"]
    lines.append(lines[0])
    text = "; <<>> DiG <<>> axfr\n" + "\n".join(lines) + "\n;; Query time: 1 msec\n"
    assert read(tmp_path, text) == sorted((f"situs{number}.example", "subtree") for number in range(500))
    assert read(tmp_path, text, format="auto") == read(tmp_path, text)


def test_a_landing_name_that_nobody_knows_is_a_rewrite_unless_the_source_states_it(tmp_path: Path) -> None:
    text = "situs.example CNAME blokir.Contoh.example.\nlain.example A 192.0.2.7\n"
    stated = ("blokir.contoh.example", "192.0.2.7")
    assert read(tmp_path, text, landing=stated) == [("lain.example", "exact"), ("situs.example", "exact")]
    parsed = parsed_from(tmp_path, text.encode(), Source("contoh", "x", format="rpz", rewrites=True))
    assert parsed.entries is not None
    assert [rule.action for rule in read_rules(parsed.entries)] == [RuleAction.REWRITE] * 2


@pytest.mark.parametrize(
    "header", ["; Number of entries: 1\n", "; Number of entries: -1\n", "; records: 99999999999999\n"]
)
def test_what_a_header_counts_is_not_believed(header: str, tmp_path: Path) -> None:
    assert len(read(tmp_path, header + "a.example CNAME .\nb.example CNAME .\n")) == 2


@pytest.mark.parametrize(
    "ns", ["  NS  localhost.\n", "\tIN NS localhost.\n", "@ NS a.example.\n", "  3600 IN NS b.example. ; why\n"]
)
def test_nameservers_are_written_in_many_ways_and_are_no_entries(ns: str, tmp_path: Path) -> None:
    soa = "@ SOA localhost. root.localhost. 1 2 3 4 5\n"
    assert read(tmp_path, f"$TTL 2h\n{soa}{ns}a.example CNAME .\n") == [("a.example", "exact")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$ORIGIN z.test.\n@ SOA a b 1 2 3 4 5\na.example CNAME .\n", ["a.example"]),
        ("$ORIGIN test.\nz SOA a b 1 2 3 4 5\na.example.z CNAME .\n", ["a.example"]),
        ("z.test. SOA a b 1 2 3 4 5\na.example CNAME .\nb.example.z.test. CNAME .\n", ["a.example", "b.example"]),
        ("$ORIGIN z.test.\n$ORIGIN example\na CNAME .\n*.a CNAME .\n$ORIGIN z.test.\nb CNAME .\n", ["a.example", "b"]),
        ("$origin Z.TEST.\nA.Example CNAME .\nb.example.z.test. CNAME .\n", ["a.example", "b.example"]),
        ("a.example CNAME .\n CNAME .\n", ["a.example"]),
    ],
)
def test_names_are_relative_to_the_zone_and_the_origin(text: str, names: list[str], tmp_path: Path) -> None:
    assert [name for name, _ in read(tmp_path, text)] == names


def test_a_zone_is_read_the_same_line_by_line_as_at_once() -> None:
    chance = random.Random(11)
    owners = ["a.example", "*.a.example", "b.example.z.test.", "*.b.example.z.test.", "C.Example", "zip", "*.zip", "@"]
    owners += ["", "x(y", "bücher.example", "a\\.b.example", "32.1.2.0.192.rpz-ip", "n.example.rpz-nsdname", "*", "$x"]
    tails = [
        "CNAME .",
        "3600 IN CNAME .",
        "CNAME rpz-passthru.",
        "CNAME x.example.",
        "A 0.0.0.0",
        "A 192.0.2.9",
        "NS a.",
    ]
    tails += ["CNAME . ; why", "(CNAME", ". )", 'TXT "a;b" c', "CNAME"]
    for _ in range(150):
        uniform = chance.random() < 0.5
        tail = chance.choice(tails)
        lines = [
            f"{chance.choice(owners)} {tail if uniform else chance.choice(tails)}"
            for _ in range(chance.randrange(1, 12))
        ]
        lines[chance.randrange(len(lines))] = chance.choice(
            ["$ORIGIN sub.z.test.", "$ORIGIN z.test.", "", "; x", lines[0]]
        )
        lines.insert(0, "z.test. SOA a b 1 2 3 4 5")
        whole, single = Harvest(), Harvest()
        at_once, by_line = Rpz().begin(Options()), Rpz().begin(Options())
        at_once.parse("".join(f"{line}\n" for line in lines).encode(), 1, None, whole)
        for number, line in enumerate(lines, 1):
            by_line.parse(f"{line}\n".encode(), number, None, single)
        at_once.finish(None, whole)
        by_line.finish(None, single)
        assert entries_of(whole) == entries_of(single), lines
        assert (whole.names, whole.invalid, whole.beyond) == (single.names, single.invalid, single.beyond), lines
        assert sorted(whole.rules, key=repr) == sorted(single.rules, key=repr), lines
        assert set(whole.complaints) == set(single.complaints), lines


def entries_of(harvest: Harvest) -> dict[bytes, int]:
    """Each key with the union of its covers."""
    found: dict[bytes, int] = {}
    for cover, blobs in harvest.keys.items():
        for key in b"\0".join(blobs).split(b"\0"):
            found[key] = found.get(key, 0) | cover
    return found


def test_records_of_a_transfer_mean_what_lines_of_a_file_mean() -> None:
    lines = [
        ("a.example", "CNAME", "."),
        ("*.b.example", "CNAME", "rpz-passthru."),
        ("c.example", "CNAME", "*."),
        ("d.example", "A", "192.0.2.1"),
        ("d.example", "TXT", '"satu" "dua \\"tiga\\""'),
        ("32.1.2.0.192.rpz-client-ip", "CNAME", "rpz-drop."),
        ("ns.example.rpz-nsdname", "CNAME", "."),
        ("e.example", "MX", "10 surat.example."),
    ]
    from_file, from_zone = Harvest(), Harvest()
    parser = Rpz().begin(Options())
    parser.parse("".join(f"{' '.join(line)}\n" for line in lines).encode(), 1, None, from_file)
    parser.finish(None, from_file)
    records = RpzRecords((), None, from_zone)
    for number, (owner, rrtype, data) in enumerate(lines, 1):
        kind_of = RRType[rrtype]
        text = from_wire(kind_of, to_wire(kind_of, data if rrtype in ("A", "TXT") else data.removesuffix(".") or "."))
        assert text is not None
        records.take(from_text(owner)[:-1], kind_of, text, number, " ".join((owner, rrtype, data)).encode())
    records.finish()
    assert entries_of(from_file) == entries_of(from_zone)
    assert sorted(from_file.rules, key=repr) == sorted(from_zone.rules, key=repr)
    assert {to_text(name_of(key)): kind(cover) for key, cover in entries_of(from_zone).items()} == {
        "a.example": "exact",
        "b.example": "allow below",
    }


@pytest.mark.parametrize(
    ("rrtype", "words"),
    [
        (RRType.A, [b"192.0.2"]),
        (RRType.A, [b"192.0.2.1", b"x"]),
        (RRType.AAAA, [b"192.0.2.1"]),
        (RRType.CNAME, [b"a..b"]),
        (RRType.CNAME, []),
        (RRType.MX, [b"-1", b"a."]),
        (RRType.MX, [b"65536", b"a."]),
        (RRType.TXT, [b'"' + b"x" * 256 + b'"']),
        (RRType.TXT, [b"\\300"]),
        (RRType.TXT, [b"\\"]),
        (RRType.SRV, [b"0", b"0", b"0", b"a."]),
    ],
)
def test_rdata_that_is_none_is_none(rrtype: RRType, words: list[bytes]) -> None:
    assert from_words(rrtype, words, "") is None


@pytest.mark.parametrize(
    ("rrtype", "rdata"),
    [(RRType.A, b"\1\2\3"), (RRType.TXT, b"\5ab"), (RRType.TXT, b""), (RRType.CNAME, b"\1a\0x"), (99, b"")],
)
def test_damaged_rdata_of_a_transfer_is_none(rrtype: int, rdata: bytes) -> None:
    assert from_wire(rrtype, rdata) is None


def test_a_parenthesis_that_nothing_closes_is_counted_once_and_bounded(tmp_path: Path) -> None:
    text = "a.example CNAME .\nb.example ( CNAME\n" + "x\n" * 5000
    parsed = parsed_from(tmp_path, text.encode(), Source("contoh", "x", format="rpz", rewrites=True))
    assert parsed.names == 1
    assert parsed.complaints[0].reason is Reason.LINE_TOO_LONG
    assert parsed.complaints[0].line == 2


@pytest.mark.parametrize(
    ("subdomains", "kinds"), [(None, ["exact", "below"]), (True, ["subtree"] * 2), (False, ["exact"] * 2)]
)
def test_a_source_can_say_whether_names_below_are_meant(
    subdomains: bool | None, kinds: list[str], tmp_path: Path
) -> None:
    assert [
        one for _, one in read(tmp_path, "a.example CNAME .\n*.b.example CNAME .\n", subdomains=subdomains)
    ] == kinds


def test_an_owner_too_long_with_its_origin_is_counted(tmp_path: Path) -> None:
    long = ".".join(["x" * 60] * 4)
    text = f"$ORIGIN z.test.\n$ORIGIN {'y' * 60}.z.test.\n{long} CNAME .\nok CNAME .\n{long} CNAME .\n"
    parsed = parsed_from(tmp_path, text.encode(), Source("contoh", "x", format="rpz", rewrites=True))
    assert (parsed.names, parsed.invalid) == (1, 2)
    assert key_of(from_text("a.example")) == b"elpmaxe\x07a\x01"
