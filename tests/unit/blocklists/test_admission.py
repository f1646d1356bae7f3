"""The gate: real accidents in the shape in which they happened, each with its cause and nothing else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklists.admission import Admitted, Gate, LastGood, Refusal, Refused
from blocklists.source import Source
from tests.support.lists import parsed_from, plain

NAMES = [f"situs{number}.example" for number in range(1000)]
GOOD = LastGood(version=3, names=1000, newline=True)
SHA = "5a" * 32
ERROR_PAGE = b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"


def judged(
    directory: Path,
    content: bytes,
    last: LastGood | None = GOOD,
    *,
    source: Source | None = None,
    protected: tuple[str, ...] = (),
    accept: str | None = None,
) -> Admitted | Refused:
    source = source or Source("contoh", "https://daftar.example/contoh.txt")
    parsed = parsed_from(directory, content, source, protected)
    return Gate(protected).admit(parsed, SHA, source, last, accept)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (ERROR_PAGE, Refusal.HTML),
        (b"", Refusal.EMPTY),
        (b"# only a header\n\n", Refusal.EMPTY),
        (b"192.0.2.1\n" * 1000, Refusal.MOSTLY_INVALID),
        (plain(NAMES[:400]) + b"cut\n" * 600, Refusal.MOSTLY_INVALID),
        (plain(NAMES)[:-9], Refusal.TRUNCATED),  # "situs999" is no name
        (plain(NAMES)[:-1], Refusal.TRUNCATED),  # the version before had a line end
        (plain(NAMES[:699]), Refusal.SHRUNK),
        (plain(NAMES[:500]), Refusal.SHRUNK),
    ],
)
def test_an_accident_is_refused_for_its_own_cause(content: bytes, code: Refusal, tmp_path: Path) -> None:
    verdict = judged(tmp_path, content)
    assert isinstance(verdict, Refused)
    assert verdict.code is code
    assert verdict.sentence.startswith("List contoh from https://daftar.example/contoh.txt")
    assert "Version 3 with 1,000 names is still served." in verdict.sentence


@pytest.mark.parametrize(
    "content",
    [
        plain(NAMES),
        plain(NAMES[:700]),  # exactly the limit
        plain(NAMES) + b"192.0.2.1\n" * 900,  # addresses beside names, as the national list has them
        b".xyz\n" + plain(NAMES),  # a shard that starts in the middle of a name
    ],
)
def test_an_ordinary_update_is_admitted(content: bytes, tmp_path: Path) -> None:
    assert judged(tmp_path, content) == Admitted()


def test_a_first_import_has_nothing_to_have_shrunk_from(tmp_path: Path) -> None:
    assert judged(tmp_path, plain(NAMES[:3]), None) == Admitted()


def test_a_first_import_without_last_line_end_is_admitted(tmp_path: Path) -> None:
    assert judged(tmp_path, plain(NAMES)[:-1], None) == Admitted()


def test_a_source_that_never_writes_the_last_line_end_is_admitted(tmp_path: Path) -> None:
    assert judged(tmp_path, plain(NAMES)[:-1], LastGood(3, 1000, newline=False)) == Admitted()


def test_a_compressed_hosts_file_may_end_in_a_blank(tmp_path: Path) -> None:
    content = b"0.0.0.0 " + b" ".join(name.encode() for name in NAMES) + b" "
    assert judged(tmp_path, content, None) == Admitted()


def test_a_top_level_name_found_nowhere_else_shows_the_cut(tmp_path: Path) -> None:
    verdict = judged(tmp_path, plain(NAMES) + b"situs-lain.exampl", None)
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.line) == (Refusal.TRUNCATED, 1001)
    assert "last line 1,001, 'situs-lain.exampl'" in verdict.sentence


def test_a_hosts_line_cut_in_its_address_is_seen(tmp_path: Path) -> None:
    content = b"".join(b"0.0.0.0 " + name.encode() + b"\n" for name in NAMES) + b"0.0.0."
    verdict = judged(tmp_path, content, None)
    assert isinstance(verdict, Refused)
    assert verdict.code is Refusal.TRUNCATED


@pytest.mark.parametrize(
    ("entry", "hit"),
    [
        (b"bank.example", True),
        (b"example", False),  # one label: not an entry at all
        (b"www.bank.example", False),  # below the protected name: policy, not the gate, decides
        (b"notbank.example", False),
    ],
)
def test_a_list_that_would_block_a_protected_name_is_refused(entry: bytes, hit: bool, tmp_path: Path) -> None:
    verdict = judged(tmp_path, plain(NAMES) + entry + b"\n", protected=("bank.example",))
    assert isinstance(verdict, Refused) is hit
    if isinstance(verdict, Refused):
        assert (verdict.code, verdict.line) == (Refusal.PROTECTED, 1001)
        assert "protected name bank.example (line 1,001: bank.example, subtree)" in verdict.sentence


def test_an_entry_above_a_protected_name_counts_only_if_it_covers_what_is_below(tmp_path: Path) -> None:
    protected = ("login.bank.example",)
    exact = Source("contoh", "https://daftar.example/contoh.txt", subdomains=False)
    content = plain(NAMES) + b"bank.example\n"
    assert isinstance(judged(tmp_path, content, protected=protected), Refused)
    assert judged(tmp_path, content, protected=protected, source=exact) == Admitted()


def test_too_few_names_for_a_source_that_states_how_many(tmp_path: Path) -> None:
    source = Source("contoh", "x", min_entries=2000)
    verdict = judged(tmp_path, plain(NAMES), source=source)
    assert isinstance(verdict, Refused)
    assert verdict.code is Refusal.TOO_FEW


def test_more_names_than_the_source_may_have(tmp_path: Path) -> None:
    verdict = judged(tmp_path, plain(NAMES), source=Source("contoh", "x", max_entries=10), accept=SHA)
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.final) == (Refusal.TOO_MANY, True)


def test_an_operator_overrides_by_the_contents_digest(tmp_path: Path) -> None:
    content = plain(NAMES[:10])
    refused = judged(tmp_path, content)
    assert isinstance(refused, Refused)
    assert "saring lists accept contoh" in refused.sentence
    assert judged(tmp_path, content, accept=SHA) == Admitted(overridden=refused)


def test_another_contents_digest_overrides_nothing(tmp_path: Path) -> None:
    assert isinstance(judged(tmp_path, plain(NAMES[:10]), accept="00" * 32), Refused)


@pytest.mark.parametrize("content", [ERROR_PAGE, b"", b"192.0.2.1\n" * 10])
def test_what_holds_no_name_cannot_be_overridden(content: bytes, tmp_path: Path) -> None:
    verdict = judged(tmp_path, content, accept=SHA)
    assert isinstance(verdict, Refused)
    assert verdict.final
    assert "accept" not in verdict.sentence


def test_what_is_beyond_a_resolver_is_no_sign_of_a_broken_list(tmp_path: Path) -> None:
    folder = (
        b"#saring-folder 1\n#saring-file urls\n" + b"situs.example/jalur\n" * 300 + b"#saring-file domains\na.example\n"
    )
    assert isinstance(judged(tmp_path, folder, None), Admitted)
    only_paths = b"#saring-folder 1\n#saring-file urls\n" + b"situs.example/jalur\n" * 300
    verdict = judged(tmp_path, only_paths, None)
    assert isinstance(verdict, Refused)
    assert verdict.code is Refusal.EMPTY
    assert "300 of them with something that blocks nothing" in verdict.sentence


def test_a_refusal_names_the_file_of_a_folder(tmp_path: Path) -> None:
    folder = b"#saring-folder 1\n#saring-file urls\n" + b"x.example/y\n" * 30 + b"#saring-file domains\na.example\n"
    verdict = judged(tmp_path, folder + b"rusak!\n" * 90, None)
    assert isinstance(verdict, Refused)
    assert "The first is line 2 of domains: 'rusak!'" in verdict.sentence
    cut = judged(tmp_path, folder + b"exampl", None)
    assert isinstance(cut, Refused)
    assert (cut.code, cut.line) == (Refusal.TRUNCATED, 2)
    assert "its last line 2 of domains" in cut.sentence
