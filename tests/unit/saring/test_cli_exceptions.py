"""``saring exceptions``, ``pause``, ``pauses`` and ``policy check`` on a state directory of their own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from admin_api.journal import Actor
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run

REQUEST = ("exceptions", "request", "name:a.example", "--reason", "perlu", "--contact", "pesawat 1", "--days", "2")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who types: the last of the list."""
    who = ["cli:sari"]
    monkeypatch.setattr("saring.people.local_person", lambda: Actor(who[-1]))
    return who


def document(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_asked_for_by_one_and_approved_by_another(filled: Run, person: list[str]) -> None:
    asked = filled(*REQUEST, "--scope", "dinkes")
    assert asked.exit_code == 0, asked.output
    assert "exception 1 is requested: Exception for a.example" in asked.output
    assert "saring exceptions approve 1" in asked.output
    own = filled("exceptions", "approve", "1")
    assert (own.exit_code, "another person must approve" in own.output) == (1, True)
    person.append("cli:budi")
    wider = filled("exceptions", "approve", "1", "--scope", "regency")
    assert (wider.exit_code, "scope is more than agency" in wider.output) == (1, True)
    approved = filled("exceptions", "approve", "1", "--scope", "dinkes/igd", "--days", "0.5", "--note", "ya")
    assert approved.exit_code == 0, approved.output
    assert "lets name:a.example through for dinkes/igd" in approved.output
    assert "in force since generation" in approved.output
    checked = filled("check", "a.example", "--agency", "dinkes/igd", "--json")
    assert json.loads(checked.stdout)["decision"]["layer_name"] == "exceptions"
    [listed] = document(filled("exceptions", "list", "--json"))
    assert (listed["state"], listed["for"], listed["decided_by"]) == ("approved", "dinkes/igd", "cli:budi")
    assert document(filled("exceptions", "list", "--state", "denied", "--json")) == []
    assert "approved" in filled("exceptions", "list").output
    revoked = filled("exceptions", "revoke", "1", "--reason", "selesai")
    assert "exception 1 is revoked; in force since generation" in revoked.output
    checked = filled("check", "a.example", "--agency", "dinkes/igd", "--json")
    assert json.loads(checked.stdout)["decision"]["layer_name"] == "default"
    shown = filled("exceptions", "show", "1")
    assert "ended" in shown.output
    assert "selesai" in shown.output


def test_denied_withdrawn_refused_and_a_letter_for_negative_content(
    filled: Run, person: list[str], tmp_path: Path
) -> None:
    by_client = document(filled(*REQUEST, "--client", "10.20.0.200", "--json"))
    assert (by_client["for"], by_client["client"]) == ("dinkes/igd", "10.20.0.200")
    filled(*REQUEST, "--scope", "regency")
    assert "exception 1 is withdrawn" in filled("exceptions", "withdraw", "1", "--reason", "x").output
    person.append("cli:budi")
    assert filled("exceptions", "withdraw", "2", "--reason", "x").exit_code == 1
    assert "exception 2 is denied" in filled("exceptions", "deny", "2", "--reason", "tidak").output
    for arguments, status, said in (
        ((*REQUEST,), 2, "--scope or --client"),
        ((*REQUEST, "--client", "192.0.2.1"), 1, "in no registered network"),
        ((*REQUEST, "--client", "10.1"), 1, "is not an IPv4 or IPv6 address"),
        ((*REQUEST, "--scope", "nobody"), 1, "there is no agency nobody"),
        ((*REQUEST, "--scope", "dinkes/nobody"), 1, "dinkes has no unit nobody"),
        ((*REQUEST, "--scope", "regency", "--days", "91"), 1, "at most 90 days"),
        ((*REQUEST, "--scope", "regency", "--letter-date", "kemarin"), 2, "not a date"),
        (("exceptions", "request", "a.example", *REQUEST[3:], "--scope", "regency"), 2, "is no target"),
        (("exceptions", "request", "name:a..b", *REQUEST[3:], "--scope", "regency"), 2, "name:a..b"),
        (("exceptions", "show", "9"), 1, "there is no exception 9"),
        (("exceptions", "deny", "9", "--reason", "x"), 1, "there is no exception 9"),
        (("exceptions", "deny", "1", "--reason", ""), 2, "printable"),
    ):
        result = filled(*arguments)
        assert result.exit_code == status, (arguments, result.output)
        assert said in result.output, arguments
    asked = filled("exceptions", "request", "name:judi.example", *REQUEST[3:], "--scope", "regency")
    assert "! lets negative content through: judi.example is on list judi (perjudian, negative)" in asked.output
    person.append("cli:tini")
    refused = filled("exceptions", "approve", "3")
    assert refused.exit_code == 1
    assert "basis.signer is missing, and this would let negative content through" in refused.output
    pdf = tmp_path / "surat.pdf"
    pdf.write_bytes(b"%PDF-1.7")
    letter = ("--letter", "800/1", "--letter-date", "2026-11-01", "--signer", "Bupati", "--document", str(pdf))
    approved = document(filled("exceptions", "approve", "3", *letter, "--json"))
    assert approved["basis"]["document_sha256"] == hashlib.sha256(b"%PDF-1.7").hexdigest()
    assert "letter 800/1 of 2026-11-01, Bupati" in filled("exceptions", "show", "3").output


def test_the_policy_is_checked_and_pauses_begin_show_and_end(filled: Run, person: list[str]) -> None:
    clean = filled("policy", "check")
    assert (clean.exit_code, clean.output) == (0, "nothing to say: the policy is sound\n")
    assert document(filled("policy", "check", "--json")) == []
    begun = filled("pause", "dinkes/igd", "5", "--reason", "rapat")
    assert begun.exit_code == 0, begun.output
    assert "dinkes/igd is let off until" in begun.output
    assert filled("pause", "dinkes/igd", "5", "--reason", "rapat").exit_code == 1
    assert "at most 30 minutes" in filled("pause", "dinkes", "31", "--reason", "rapat").output
    assert filled("pause", "nobody", "5", "--reason", "x").exit_code == 1
    assert filled("pause", "dinkes", "481", "--reason", "x").exit_code == 2
    assert filled("pause", "dinkes", "5", "--reason", " ").exit_code == 2
    [running] = document(filled("pauses", "--json"))
    assert (running["tenant"], running["author"], running["running"]) == ("dinkes/igd", "cli:sari", True)
    assert "1 pause is running: dinkes/igd until" in filled("status").output
    assert "the pause of dinkes/igd is over" in filled("pauses", "end", "1").output
    assert filled("pauses", "end", "1").exit_code == 1
    assert document(filled("pauses", "--json")) == []
    assert "ended by cli:sari" in filled("pauses", "--all").output
