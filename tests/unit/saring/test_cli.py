"""The command line: exit statuses, ``--json``, messages; and that ``--help`` stays quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from saring.cli import COMMANDS
from saring.people import local_actor
from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run


def program(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "saring.cli", *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys, saring.cli\n"
        "from click.testing import CliRunner\n"
        "print(CliRunner().invoke(saring.cli.cli, ['--help']).output)\n"
        "heavy = {'sqlalchemy', 'pydantic', 'aiohttp', 'rich', 'duckdb', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, _, text) in COMMANDS.items():
        assert name in done.stdout
        assert text.split()[0] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: cli {name}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["check"],
        ["check", "a..b"],
        ["check", "example.org", "--type", "NONSENSE"],
        ["check", "example.org", "--client", "here"],
        ["check", "example.org", "--client", "10.0.0.1", "--agency", "dinkes"],
        ["check", "example.org", "--at", "yesterday"],
        ["lists", "sync", "judi", "--all"],
        ["lists", "sync", "../x"],
        ["token", "create", "sari"],
        ["rollback", "0"],
    ],
)
def test_wrong_usage_is_status_2(filled: Run, arguments: list[str]) -> None:
    assert filled(*arguments).exit_code == 2


def test_the_program_itself_returns_these_statuses(tmp_path: Path) -> None:
    bad = tmp_path / "saring.toml"
    bad.write_text("[dns]\nworker = 1\n", encoding="utf-8")
    assert program("bogus").returncode == 2
    failed = program("check-config", str(bad))
    assert failed.returncode == 1
    assert failed.stderr == f"{bad}:2: dns.worker: no such key; did you mean workers?\n1 mistake\n"
    refused = program("--config", str(bad), "serve")
    assert refused.returncode == 1
    assert "saring: the configuration cannot be used:" in refused.stderr
    assert program("version").returncode == 0


def test_check_config_says_what_is_in_force(run: Run) -> None:
    assert run("check-config").output == "saring.toml: no mistakes\n"
    document = json.loads(run("check-config", "--json").output)
    assert document["valid"] is True
    assert document["config"]["bootstrap"]["document"] == "regency.toml"
    assert "[lists]" in run("check-config", "--show").output
    assert "# Saring's configuration." in run("check-config", "--default").output


def test_check_config_hides_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARING_DATABASE__URL", "postgresql://saring:hunter2@db/saring")
    for arguments in (["--json"], ["--show"]):
        output = run("check-config", *arguments).output
        assert "hunter2" not in output
        assert "(hidden)" in output


def test_check_config_lists_problems_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "saring.toml").write_text('[log]\nlevel = "loud"\n', encoding="utf-8")
    result = run("check-config", "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.output)["problems"]
    assert (problem["line"], problem["key"], problem["value"]) == (2, "log.level", '"loud"')


def test_status_of_nothing_is_status_1(run: Run) -> None:
    assert run("status").exit_code == 1
    assert json.loads(run("status", "--json").output)["running"] is False


def test_before_the_first_start_each_command_says_what_makes_it_work(run: Run) -> None:
    for arguments in (["lists", "list"], ["token", "list"], ["log", "tail"], ["check", "x.example"], ["lists", "sync"]):
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert "saring serve" in result.output or "publish one" in result.output, result.output


def test_init_twice_changes_nothing(run: Run) -> None:
    first = json.loads(run("init", "--json").output)
    assert first["created"]["agency"] == 1
    assert run("init").output == "nothing to change\n"


def test_lists_from_sync_to_rollback(filled: Run, tmp_path: Path) -> None:
    (entry,) = json.loads(filled("lists", "list", "--json").output)
    assert (entry["code"], entry["entries"], entry["version"]) == ("judi", 2, 1)
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\ntogel.example\n", encoding="utf-8")
    synced = json.loads(filled("lists", "sync", "judi", "--json").output)
    (result,) = synced["lists"]
    assert (result["code"], result["kind"], result["text"]) == ("judi", "admitted", "version 2: 3 names")
    diff = json.loads(filled("lists", "diff", "judi", "--json").output)
    assert (diff["added"], diff["removed"], diff["first_added"][0]["name"]) == (1, 0, "togel.example")
    assert "+ togel.example" in filled("lists", "diff", "judi", "1", "2").output
    assert blocked(filled, "togel.example")
    assert filled("lists", "rollback", "judi", "1").exit_code == 0
    assert not blocked(filled, "togel.example")
    assert "has no version 9" in filled("lists", "rollback", "judi", "9").output


def blocked(run: Run, name: str, *arguments: str) -> bool:
    document = json.loads(run("check", name, *arguments, "--json").output)
    return bool(document["decision"]["verdict_name"].lower() == "blocked")


def test_check_explains_by_the_code_of_the_data_path(filled: Run) -> None:
    assert blocked(filled, "WWW.Judi.Example.", "--client", "10.20.0.1")
    assert blocked(filled, "judi.example", "--agency", "dinkes/igd", "--type", "AAAA", "--at", "2026-11-24T09:30")
    assert not blocked(filled, "example.org")
    output = filled("check", "judi.example", "--client", "10.20.0.200").output
    for part in ("judi.example A", "judi", "unit", "generation 1"):
        assert part in output
    assert "there is no agency x; known are dinkes" in filled("check", "judi.example", "--agency", "x").output
    assert "dinkes has no unit x; known are igd" in filled("check", "judi.example", "--agency", "dinkes/x").output


def test_check_shows_the_message_and_takes_addresses_and_generations(
    filled: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARING_UPSTREAM__SERVERS", "127.0.0.1:9")
    document = json.loads(filled("check", "judi.example", "--client", "10.20.0.1", "--json").output)
    assert document["response"]["rcode"] == "NXDOMAIN"
    assert bytes.fromhex(document["response"]["wire"]).count(b"judi")
    listed = next(one for one in document["findings"] if one["list_code"] == "judi")
    assert (listed["list_line"], listed["list_text"]) == (1, "judi.example")
    number = str(document["generation"])
    assert "status: NXDOMAIN" in filled("check", "judi.example", "--generation", number).output
    assert "generation 99 cannot be asked" in filled("check", "judi.example", "--generation", "99").output
    address = json.loads(filled("check", "192.0.2.1", "--json").output)
    assert (address["name"], address["decision"]["verdict_name"], address["response"]) == ("192.0.2.1", "allowed", None)
    # Nobody answers there: the failure is what a client would be sent.
    asked = json.loads(filled("check", "example.org", "--resolve", "--json").output)
    assert asked["response"]["rcode"] == "SERVFAIL"


def test_a_list_that_was_refused_is_status_1_and_the_last_good_one_serves(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "judi.txt").write_text("<!DOCTYPE html><html><body>502</body></html>\n", encoding="utf-8")
    result = filled("lists", "sync")
    assert result.exit_code == 1
    assert "refused" in result.output
    assert blocked(filled, "judi.example")


def test_a_list_is_added_then_synced(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "lain.txt").write_text("lain.example\n", encoding="utf-8")
    assert filled("lists", "add", "lain", "lain.txt", "--category", "perjudian").exit_code == 0
    assert filled("lists", "sync", "lain").exit_code == 0
    assert blocked(filled, "lain.example")
    assert "there is no category x" in filled("lists", "add", "y", "y.txt", "--category", "x").output


def test_generations_and_rollback(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "judi.txt").write_text("judi.example\nslot.example\nbaru.example\n", encoding="utf-8")
    filled("lists", "sync")
    found = json.loads(filled("generations", "--json").output)
    assert [(one["generation"], one["current"]) for one in found] == [(2, True), (1, False)]
    assert json.loads(filled("rollback", "--json").output)["generation"] == 1
    assert not blocked(filled, "baru.example")
    assert filled("rollback", "2").output == "generation 2 is in force\n"
    missing = filled("rollback", "77")
    assert missing.exit_code == 1
    assert "nothing was changed" in missing.output


def test_users_and_tokens(filled: Run) -> None:
    assert filled("user", "create", "sari", "--name", "Sari").exit_code == 0
    made = json.loads(filled("token", "create", "sari", "--scope", "queries:read", "--json").output)
    assert made["secret"].startswith("saring_")
    assert made["secret"] not in filled("token", "list").output
    assert json.loads(filled("token", "list", "--json").output)[0]["scopes"] == ["queries:read"]
    assert filled("token", "revoke", str(made["id"])).exit_code == 0
    assert filled("token", "revoke", str(made["id"])).exit_code == 1
    assert filled("user", "disable", "sari").exit_code == 0
    assert json.loads(filled("user", "list", "--json").output)[0]["active"] is False
    assert filled("token", "create", "sari", "--scope", "x", "--expires", "2020-01-01").exit_code == 2


def test_reading_the_log_is_journalled(filled: Run) -> None:
    import sqlite3

    assert filled("log", "search", "--agency", "dinkes", "--since", "24h").exit_code == 0
    assert filled("log", "top", "agency", "--json").output == "[]\n"
    assert filled("log", "top", "client").exit_code == 2
    connection = sqlite3.connect("var/saring.db")
    rows = connection.execute("select login, label from audit where action = 'read' order by id").fetchall()
    connection.close()
    assert rows[:2] == [(local_actor().login, "log search"), (local_actor().login, "log top agency")]


def test_doctor_finds_what_is_wrong(filled: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARING_UPSTREAM__SERVERS", "127.0.0.1:9")
    result = filled("doctor", "--json")
    found = {one["what"]: one for one in json.loads(result.output)}
    assert result.exit_code == 1
    assert found["upstream"]["level"] == "error"
    assert found["snapshot"]["text"] == "generation 1, 2 listed names"
    assert found["database"]["level"] == "ok"


def test_the_help_is_quick() -> None:
    # Three tries: the machine may be busy with other things at any one moment.
    times_s = []
    for _ in range(3):
        begun_s = time.monotonic()
        program("--help")
        times_s.append(time.monotonic() - begun_s)
    assert min(times_s) < 1.0
