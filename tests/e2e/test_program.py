"""The whole program, started as people start it: DNS, API, log, edits, kills, reload, an orderly end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dnslib import RCODE

from tests.support.program import START_S, Program, free_port, running, start, wait_for, wait_until_ready

BLOCKED = "judi-contoh.example"
PROCESSES = {"worker-0", "worker-1", "loader", "sync", "api"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(tmp_path_factory.mktemp("program")) as program:
        yield program


@pytest.fixture(scope="module")
def token(program: Program) -> str:
    """The first administrator's token, for the code that the banner shows."""
    found = re.search(r"one-time code: (\S+)", program.stdout)
    assert found, program.stdout
    status, body = program.request("/api/v1/setup", body={"code": found[1], "login": "sari", "name": "Sari"})
    assert status == 201, body
    return str(body["secret"])


def rcode(program: Program, name: str, source: str = "127.0.0.1") -> str:
    answer = program.query(name, source=source)
    assert answer is not None, f"no answer for {name}"
    return str(RCODE[answer.header.rcode])


def test_the_banner_says_where_everything_is(program: Program) -> None:
    for part in (f"127.0.0.1:{program.dns_port}", f"http://127.0.0.1:{program.api_port}/api/v1", "dig @127.0.0.1"):
        assert part in program.stdout
    assert "not answering yet" not in program.stdout


def test_listed_names_are_blocked_and_others_are_not(program: Program) -> None:
    assert rcode(program, BLOCKED) == "NXDOMAIN"
    assert rcode(program, f"WWW.{BLOCKED}.") == "NXDOMAIN"
    # Nobody is upstream here: what is let through fails there, and is not blocked.
    assert rcode(program, "bukan-daftar.example") == "SERVFAIL"


def test_it_answers_about_itself(program: Program) -> None:
    answer = program.query("whoami.saring", "TXT", source="127.0.3.1")
    assert answer is not None
    assert "dinkes" in str(answer)


def test_tcp_answers_as_udp_does(program: Program) -> None:
    from dnslib import DNSRecord

    question = DNSRecord.question(BLOCKED)
    with socket.create_connection(("127.0.0.1", program.dns_port), timeout=3) as connection:
        packed = question.pack()
        connection.sendall(len(packed).to_bytes(2, "big") + packed)
        stream = connection.makefile("rb")
        answer = DNSRecord.parse(stream.read(int.from_bytes(stream.read(2), "big")))
    assert RCODE[answer.header.rcode] == "NXDOMAIN"


def test_health_and_metrics(program: Program) -> None:
    assert program.request("/healthz")[0] == 200
    assert program.request("/readyz")[0] == 200
    status, text = program.request("/metrics")
    assert status == 200
    assert "saring_generation" in text


def test_the_setup_code_works_once(program: Program, token: str) -> None:
    found = re.search(r"one-time code: (\S+)", program.stdout)
    assert found
    status, _ = program.request("/api/v1/setup", body={"code": found[1], "login": "budi", "name": "Budi"})
    assert status == 403
    assert program.request("/api/v1/agencies", token)[0] == 200
    assert program.request("/api/v1/agencies")[0] == 401


def test_an_edit_is_in_force_within_a_second(program: Program, token: str) -> None:
    name = "baru-diblokir.example"
    assert rcode(program, name) == "SERVFAIL"
    rule = {
        "title": "Uji",
        "scope": {"kind": "regency"},
        "target": {"kind": "wildcard", "value": name},
        "action": "block",
        "basis": {"number": "1/UJI/2026", "date": "2026-11-24", "signer": "Kepala Dinas"},
    }
    status, body = program.request("/api/v1/rules", token, rule)
    assert status == 201, body
    wait_for(lambda: rcode(program, name) == "NXDOMAIN", START_S, "the rule in force")


def test_every_answer_becomes_a_row(program: Program) -> None:
    name = "dicatat.example"
    for _ in range(5):
        program.query(name)

    def rows() -> list[dict[str, object]]:
        done = program.saring("log", "search", "--name", name, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    wait_for(lambda: len(rows()) == 5, START_S, "five rows")
    assert {row["name"] for row in rows()} == {name}


def test_the_command_line_explains_and_tells_the_status(program: Program) -> None:
    done = program.saring("check", BLOCKED, "--json")
    assert json.loads(done.stdout)["decision"]["verdict_name"].lower() == "blocked"
    status = program.saring("status", "--json")
    assert status.returncode == 0
    document = json.loads(status.stdout)
    assert document["running"]
    assert {one["name"] for one in document["processes"]} == PROCESSES


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_killed_process_is_back_while_the_others_go_on(program: Program, name: str) -> None:
    # The banner tells of DNS and API; the others are started behind it.
    wait_for(lambda: _running(program).keys() == PROCESSES, START_S, "all processes")
    others = _running(program)
    before = others.pop(name)
    os.kill(before, signal.SIGKILL)
    # That nothing is waited for is in the supervisor's own tests; how long a start takes is the machine's affair.
    wait_for(lambda: program.pid_of(name) not in (0, before), START_S, f"{name} back")
    # Sent again where the kill took the first; a query in the socket's queue waits for the successor.
    wait_for(lambda: program.query(BLOCKED, within_s=0.5) is not None, START_S, "an answer")
    assert {other: pid for other, pid in _running(program).items() if other != name} == others
    if name == "api":
        wait_for(lambda: _status(program) == 200, START_S, "the API")


def _running(program: Program) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in program.supervisor()["children"] if one["pid"]}


def _status(program: Program) -> int:
    try:
        return program.request("/healthz")[0]
    except OSError:
        return 0


def test_a_second_instance_on_the_same_state_is_refused(program: Program) -> None:
    done = program.saring("serve")
    assert done.returncode == 1
    assert f"is in use by another Saring (process {program.process.pid})" in done.stderr


def test_an_instance_on_the_same_port_is_refused(program: Program, tmp_path: Path) -> None:
    environ = {**program.environ, "SARING_STORAGE__STATE_DIR": str(tmp_path / "other")}
    done = subprocess.run(
        [sys.executable, "-m", "saring.cli", "serve"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "it is taken by process" in done.stderr
    assert "Stop that process, or choose another port" in done.stderr


def test_sighup_with_a_bad_file_changes_nothing_and_with_a_good_one_replaces_workers(program: Program) -> None:
    path = program.directory / "saring.toml"
    workers = [program.pid_of("worker-0"), program.pid_of("worker-1")]
    path.write_text("[cache]\nmax_ttl = 3\n", encoding="utf-8")
    program.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the new configuration is refused" in program.stderr, START_S, "the refusal")
    assert [program.pid_of("worker-0"), program.pid_of("worker-1")] == workers
    path.write_text("[cache]\nmax_ttl_s = 300\n", encoding="utf-8")
    program.process.send_signal(signal.SIGHUP)
    wait_for(lambda: '"event": "reloaded"' in program.stderr, 30.0, "the reload")
    assert not {program.pid_of("worker-0"), program.pid_of("worker-1")} & set(workers)
    wait_for(lambda: program.query(BLOCKED, within_s=0.5) is not None, START_S, "an answer")


def test_start_twice_and_stop_cleanly_with_every_answer_in_the_log(tmp_path: Path) -> None:
    first = start(tmp_path, free_port(), free_port())
    try:
        wait_until_ready(first)
        answers = sum(first.query(f"n{number}.{BLOCKED}") is not None for number in range(50))
        assert first.stop(signal.SIGINT) == 0
    finally:
        first.process.kill()
        first.process.wait()
    assert "Stopped." in first.stdout
    assert "Traceback" not in first.stderr
    done = first.saring("log", "search", "--contains", BLOCKED, "--limit", "1000", "--json")
    assert sum(json.loads(line)["name"].startswith("n") for line in done.stdout.splitlines()) == answers == 50
    second = start(tmp_path, first.dns_port, first.api_port)
    try:
        wait_until_ready(second)
        assert "First start" not in second.stdout
        assert rcode(second, BLOCKED) == "NXDOMAIN"
        assert second.stop() == 0
    finally:
        second.process.kill()
        second.process.wait()


def test_a_killed_supervisor_takes_its_processes_with_it(tmp_path: Path) -> None:
    program = start(tmp_path, free_port(), free_port())
    try:
        wait_until_ready(program)
        pids = [int(one["pid"]) for one in program.supervisor()["children"]]
    finally:
        program.process.kill()
        program.process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), START_S, "the end of all processes")
