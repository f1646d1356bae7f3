"""A file like /etc/hosts, read again when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnswire.name import from_text
from resolver.hosts_file import HostsFile
from resolver.local_records import LocalRecords


def read(path: Path) -> tuple[LocalRecords, list[str]]:
    file = HostsFile(path, 300)
    file.read()
    records = LocalRecords()
    return records, file.fill(records)


def test_names_addresses_and_reverse_names(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(
        "# ours\n10.20.0.5\tPortal.kantor.example portal # the portal\n\nfd00::5 portal.kantor.example\n"
        "127.0.0.1 localhost\n127.0.1.1 dns1\nff02::1 ip6-allnodes\n"
    )
    records, problems = read(path)
    assert problems == []
    for name, rrtype, data in (
        ("portal.kantor.example", 1, bytes((10, 20, 0, 5))),
        ("portal", 1, bytes((10, 20, 0, 5))),
        ("portal.kantor.example", 28, bytes.fromhex("fd000000000000000000000000000005")),
        ("5.0.20.10.in-addr.arpa", 12, from_text("portal.kantor.example")),
    ):
        own = records.find(from_text(name), rrtype)
        assert own is not None
        assert own.rendered.answer.endswith(data), name
    assert records.find(from_text("localhost"), 1) is None
    assert records.find(from_text("dns1"), 1) is None


def test_what_is_wrong_is_told_with_its_line_and_the_rest_read(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("10.0.0.1\nnonsense x.example\n10.0.0.2 a..b good.example\n")
    records, problems = read(path)
    assert [problem.partition("hosts:")[2].partition(":")[0] for problem in problems] == ["1", "2", "3"]
    assert records.find(from_text("good.example"), 1) is not None


def test_a_change_is_noticed_and_a_lost_or_unreadable_file_leaves_what_was(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("10.0.0.1 a.example\n")
    file = HostsFile(path, 300)
    file.read()
    assert not file.changed()
    path.write_text("10.0.0.1 a.example b.example\n")
    assert file.changed()
    file.read()
    path.write_bytes(b"10.0.0.1 \xff\n")
    with pytest.raises(ValueError, match="1 is not UTF-8 text"):
        file.read()
    assert not file.changed(), "it is told once"
    path.unlink()
    assert not file.changed()
    records = LocalRecords()
    file.fill(records)
    assert records.find(from_text("b.example"), 1) is not None
