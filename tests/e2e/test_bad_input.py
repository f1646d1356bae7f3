"""Hostile input to a running Saring: a clear refusal or silence, nothing restarted, and honest clients answered."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dnslib import DNSRecord

from dnswire.constants import Rcode
from snapshots.layout import numbers
from snapshots.publish import rollback
from tests.support.dns import ask
from tests.support.load import Crowd, Question
from tests.support.mutation import mutations
from tests.support.nameservers import nsd
from tests.support.program import Program, running, wait_for

ROOT_ZONE = (
    "$ORIGIN .\n$TTL 300\n@ SOA ns.invalid. host.invalid. 1 3600 600 86400 60\n@ NS ns.invalid.\n* A 192.0.2.53\n"
)


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with tempfile.TemporaryDirectory() as directory:
        upstream = Path(directory) / "nsd"
        upstream.mkdir()
        with (
            nsd(upstream, {".": ROOT_ZONE}) as server,
            running(Path(directory), SARING_UPSTREAM__SERVERS=f"{server.address}:{server.port}") as one,
        ):
            yield one


def _processes(program: Program) -> dict[str, int]:
    return {child["name"]: child["pid"] for child in program.supervisor()["children"]}


def _all_started(program: Program) -> dict[str, int]:
    """Answers and the API come before the last process is there; nothing where one is missing."""
    processes = _processes(program)
    return processes if all(processes.values()) else {}


@pytest.fixture(autouse=True)
def nothing_restarted(program: Program) -> Iterator[None]:
    before = wait_for(lambda: _all_started(program), 20, "every process to be started")
    yield
    answer = program.query("situs.example")
    assert answer is not None
    assert answer.header.rcode == Rcode.NOERROR
    assert before.items() <= _processes(program).items()


def test_random_and_mutated_datagrams(program: Program) -> None:
    source = random.Random(5)
    messages = [source.randbytes(source.randrange(0, 600)) for _ in range(2_000)]
    seeds = [ask("www.example.com"), ask("judi.example", "HTTPS", do=True, options=[(10, b"12345678")])]
    messages += mutations(seeds, 8_000, seed=6)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        for number, message in enumerate(messages):
            client.sendto(message, ("127.0.0.1", program.dns_port))
            if number % 200 == 0:
                # Honest queries go through in between: also what keeps the flood from outrunning the socket's queue.
                assert program.query("situs.example", within_s=10) is not None


def test_half_sent_and_oversized_tcp_messages(program: Program) -> None:
    where = ("127.0.0.1", program.dns_port)
    query = ask("situs.example")
    with socket.create_connection(where) as half, socket.create_connection(where) as oversized:
        half.sendall(len(query).to_bytes(2, "big") + query[:7])
        oversized.sendall(b"\xff\xff" + bytes(5_000))
        oversized.settimeout(10)
        # A query of 65,535 octets is nobody's: the connection ends without an answer.
        with contextlib.suppress(ConnectionResetError):
            assert oversized.recv(1) == b""
    with socket.create_connection(where, timeout=10) as honest:
        honest.sendall(b"".join(len(query).to_bytes(2, "big") + query for _ in range(20)))
        stream = honest.makefile("rb")
        for _ in range(20):
            answer = DNSRecord.parse(stream.read(int.from_bytes(stream.read(2), "big")))
            assert answer.header.rcode == Rcode.NOERROR


def synced(program: Program, code: str) -> subprocess.CompletedProcess[str]:
    """One sync of our own; the scheduler's, which a new list sets going as well, is waited for."""

    def attempt() -> subprocess.CompletedProcess[str] | None:
        done = program.saring("lists", "sync", code, "--json")
        return None if "another sync is running" in done.stderr else done

    done = wait_for(attempt, 30, "no other sync runs")
    assert done is not None
    return done


def test_a_list_that_is_an_html_page_is_refused_and_the_last_good_one_serves(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "daftar.txt"
    path.write_text("".join(f"daftar{number}.example\n" for number in range(50)))
    added = program.saring(
        "lists", "add", "daftar", str(path), "--format", "plain", "--category", "perjudian", "--title", "Daftar"
    )
    assert added.returncode == 0, added.stderr
    assert synced(program, "daftar").returncode == 0
    path.write_text("<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n")
    refused = synced(program, "daftar")
    assert refused.returncode == 1
    assert "is a web page, not a list" in refused.stdout, refused.stdout
    answer = program.query("www.daftar7.example")
    assert answer is not None
    assert answer.header.rcode == Rcode.NXDOMAIN


def test_swaps_under_load_lose_nothing_and_mix_nothing(program: Program) -> None:
    """Each swap changes index and policy under the workers: no query is lost, and no listed name slips through."""
    root = program.state_dir / "snapshots"
    turns = itertools.cycle(numbers(root)[-2:])
    questions = [Question("127.0.0.1", f"situs{number % 400}.example") for number in range(6_000)]
    questions += [Question("127.0.0.1", "judi-contoh.example") for _ in range(2_000)]
    random.Random(3).shuffle(questions)

    def swap() -> None:
        rollback(root, next(turns))

    crowd = Crowd(("127.0.0.1", program.dns_port), questions)
    crowd.run(60, at=dict.fromkeys(range(200, 8_000, 400), swap))
    heard = crowd.close()
    assert heard.sent == len(questions)
    for number, question in enumerate(questions):
        blocked = question.qname == "judi-contoh.example"
        assert heard.rcodes[number] == (Rcode.NXDOMAIN if blocked else Rcode.NOERROR)


def test_an_api_body_of_the_wrong_shape_names_every_field(program: Program) -> None:
    status, body = program.request("/api/v1/setup", body={"code": 5, "extra": True})
    assert status == 422
    assert {error["field"] for error in body["errors"]} >= {"code", "extra"}
