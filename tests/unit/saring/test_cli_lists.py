"""``saring lists`` and ``saring catalogue``: insight, overrides by two people, choosing; in words and in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admin_api.journal import Actor
from saring import people
from saring.commands.lists_insight import _print_overlap
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run


def document(run: Run, *arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.fixture
def two(filled: Run, tmp_path: Path) -> Run:
    """A second list, which has a name in common with the first and one below another of its own."""
    (tmp_path / "lain.txt").write_text("slot.example\nm.slot.example\ntogel.example\n", encoding="utf-8")
    assert filled("lists", "add", "lain", "lain.txt", "--category", "perjudian").exit_code == 0
    assert filled("lists", "sync", "lain").exit_code == 0
    return filled


def shrink(tmp_path: Path) -> None:
    (tmp_path / "judi.txt").write_text("judi.example\n", encoding="utf-8")


def as_person(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(people, "local_person", lambda: Actor(f"cli:{name}"))


def test_a_list_is_shown_beside_the_others(two: Run) -> None:
    judi, lain = document(two, "lists", "list")
    assert (judi["insight"]["unique"], judi["insight"]["contribution"], judi["insight"]["shadowed"]) == (1, 1, 0)
    assert (lain["insight"]["names"], lain["insight"]["unique"], lain["insight"]["contribution"]) == (3, 2, 1)
    assert lain["insight"]["shadowed_examples"] == [{"name": "m.slot.example", "by": "slot.example"}]
    assert (judi["result"], judi["stale"], judi["version"], judi["refused"]) == ("good", False, 1, None)
    assert (judi["insight"]["hits"], judi["insight"]["never_hit"]) == (0, 2)
    table = two("lists", "list").output
    for part in ("only here", "never hit", "judi", "lain", "good"):
        assert part in table
    shown = two("lists", "show", "lain").output
    for part in ("version 1, 3 names", "1 would be lost without it", "in vain: m.slot.example, below slot.example"):
        assert part in shown
    assert document(two, "lists", "show", "lain")["insight"] == lain["insight"]
    assert "known are judi, lain" in two("lists", "show", "x").output


def test_what_was_not_read_is_shown_with_its_lines(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\n192.0.2.1/99\n", encoding="utf-8")
    filled("lists", "sync")
    shown = filled("lists", "show", "judi").output
    assert "1 lines are no entry" in shown
    assert "  line 3: '192.0.2.1/99' " in shown
    unread = document(filled, "lists", "show", "judi")["unread"]
    assert (unread["invalid"], unread["first"][0]["line"]) == (1, 3)
    assert sum(unread["reasons"].values()) == 1


def test_overlap_in_names_and_shares(two: Run) -> None:
    rows = {row["list"]: row for row in document(two, "lists", "overlap")["lists"]}
    assert rows["judi"] == {"list": "judi", "names": 2, "common": {"lain": 1}}
    assert "1 (50%)" in two("lists", "overlap").output
    assert len(document(two, "lists", "overlap", "judi")["lists"]) == 1
    assert "there is no list x in force" in two("lists", "overlap", "x").output
    two("lists", "add", "sendiri", "sendiri.txt", "--category", "perjudian")
    Path("sendiri.txt").write_text("sendiri.example\n", encoding="utf-8")
    two("lists", "sync")
    assert "1 more lists have no name in common with another" in two("lists", "overlap").output
    assert "no two of 1 lists" in two("lists", "overlap", "sendiri").output


def test_overlap_of_many_lists_is_told_by_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [f"daftar{number}" for number in range(9)]
    rows = [{"list": code, "names": 4, "common": {other: 1 for other in codes if other != code}} for code in codes]
    _print_overlap(rows, 9)
    printed = capsys.readouterr().out
    assert "daftar0  1              25% of it  daftar1" in printed
    assert "32 more pairs" in printed


def test_overlap_before_the_first_sync_says_what_makes_it(run: Run) -> None:
    assert run("init").exit_code == 0
    assert "saring lists sync" in run("lists", "overlap").output


def test_who_holds_a_name(two: Run) -> None:
    found = document(two, "lists", "who", "WWW.M.Slot.Example.")
    assert [(one["code"], one["entry"]) for one in found["holders"]] == [
        ("judi", "slot.example"),
        ("lain", "m.slot.example"),
        ("lain", "slot.example"),
    ]
    assert two("lists", "disable", "lain").output == "lain is off\n"
    table = two("lists", "who", "togel.example", "--line").output
    assert "switched off" in table
    assert "lain: line 3: togel.example" in table
    assert two("lists", "enable", "lain").output == "lain is on\n"
    assert document(two, "lists", "enable", "lain")["changed"] is False
    none = two("lists", "who", "example.org")
    assert (none.exit_code, none.output) == (1, "no list holds example.org\n")
    assert two("lists", "who", "a..b").exit_code == 2
    assert two("lists", "enable", "x").exit_code == 1


def test_history_of_versions_and_events(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\nbaru.example\n", encoding="utf-8")
    filled("lists", "sync")
    filled("lists", "rollback", "judi", "1")
    found = document(filled, "lists", "history", "judi")
    assert [version["names"] for version in found["versions"]] == [2, 3]
    assert [event["kind"] for event in found["history"]] == ["admitted", "admitted", "rolled_back"]
    text = filled("lists", "history", "judi").output
    assert "in force" in text
    assert "from version 2 to 1" in text
    assert "known are judi" in filled("lists", "history", "x").output
    # What a rollback put in force is what insight tells of.
    assert document(filled, "lists", "show", "judi")["insight"]["names"] == 2


def test_two_people_let_in_what_was_refused(filled: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(tmp_path)
    refused = json.loads(filled("lists", "sync", "--json").output)["lists"][0]
    assert (refused["kind"], refused["version"], refused["names"], refused["final"]) == ("refused", 1, 2, False)
    assert "saring lists accept judi" in filled("lists", "show", "judi").output
    as_person(monkeypatch, "sari")
    assert filled("lists", "accept", "judi").exit_code == 2, "a reason is needed"
    wrong = filled("lists", "accept", "judi", "--reason", "x", "--sha256", "0" * 64)
    assert "look again" in wrong.output
    asked = document(filled, "lists", "accept", "judi", "--reason", "penerbit membersihkan", "--days", "1")
    assert (asked["state"], asked["requested_by"], asked["sha256"]) == ("pending", "cli:sari", refused["sha256"])
    assert "another person must approve" in filled("lists", "approve", "1").output
    as_person(monkeypatch, "budi")
    assert "override 1 is approved" in filled("lists", "approve", "1").output
    done = filled("lists", "sync", "judi")
    assert done.exit_code == 0
    assert "let in by two people in spite of" in done.output
    (used,) = document(filled, "lists", "overrides")
    assert (used["state"], used["used_version"], used["approved_by"]) == ("used", 2, "cli:budi")
    assert "penerbit membersihkan" in filled("lists", "overrides").output
    assert filled("lists", "approve", "9").exit_code == 1
    assert "it cannot be withdrawn any more" in filled("lists", "withdraw", "1").output


def test_an_override_is_withdrawn(filled: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing to let in" in filled("lists", "accept", "judi", "--reason", "x").output
    assert "there is no list x" in filled("lists", "accept", "x", "--reason", "x").output
    shrink(tmp_path)
    filled("lists", "sync")
    as_person(monkeypatch, "sari")
    assert "another person approves it" in filled("lists", "accept", "judi", "--reason", "x").output
    assert filled("lists", "withdraw", "1").output == "override 1 is withdrawn\n"


def test_what_must_resolve_by_the_configuration_is_held(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "saring.toml").write_text('[lists]\nmust_resolve = ["Bank.Example"]\n', encoding="utf-8")
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\nbank.example\n", encoding="utf-8")
    held = json.loads(filled("lists", "sync", "--json").output)["lists"][0]
    assert "is held: it would block bank.example, a name that must resolve" in held["cause"]
    assert held["line"] == 3
    assert document(filled, "lists", "list")[0]["refused"]["held"]


def test_a_sync_without_a_terminal_tells_in_plain_lines(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\nbaru.example\n", encoding="utf-8")
    output = filled("lists", "sync").output
    for part in ("judi: parse:", "index: compile:", "insight: compare lists: 3 in"):
        assert part in output


def test_the_catalogue_is_chosen_from(filled: Run) -> None:
    services = document(filled, "catalogue", "services", "--category", "belanja")
    assert {"shopee", "tokopedia"} <= {entry["code"] for entry in services}
    assert "shopee.co.id" in filled("catalogue", "services").output
    assert "CC BY-SA 4.0" in filled("catalogue", "sources", "--category", "doh").output
    entered = document(filled, "catalogue", "add", "shopee", "dibdot-doh")
    assert [(one["kind"], one["code"]) for one in entered] == [
        ("category", "belanja"),
        ("service", "shopee"),
        ("category", "doh"),
        ("blocklist", "dibdot-doh"),
    ]
    lists = {one["code"]: one for one in document(filled, "lists", "list")}
    assert (lists["dibdot-doh"]["enabled"], lists["dibdot-doh"]["result"]) == (False, "never")
    assert [one["adopted"] for one in document(filled, "catalogue", "sources") if one["code"] == "dibdot-doh"] == [True]
    again = filled("catalogue", "add", "tokopedia", "shopee")
    assert (again.exit_code, "already has this code" in again.output) == (1, True)
    assert [one["adopted"] for one in services if one["code"] == "tokopedia"] == [False], "all of them or none"
    assert "the catalogue has no x" in filled("catalogue", "add", "x").output
    assert "2 mirrors" in filled("catalogue", "add", "hagezi-pro", "--mirror", "3").output
    text = filled("catalogue", "add", "hagezi-pro", "--enable", "--mirror", "1").output
    assert "blocklist hagezi-pro entered" in text


def test_the_catalogue_can_be_read_before_there_is_a_database(run: Run) -> None:
    assert "tiktok" in run("catalogue", "services").output
    assert run("catalogue", "add", "tiktok").exit_code == 1


def test_who_types_is_known_by_his_login_and_not_by_what_he_says(monkeypatch: pytest.MonkeyPatch) -> None:
    before = people.local_person()
    for name in ("LOGNAME", "USER", "SUDO_USER"):
        monkeypatch.setenv(name, "orang-lain")
    assert people.local_person() == before
    assert before.login.startswith("cli:")
