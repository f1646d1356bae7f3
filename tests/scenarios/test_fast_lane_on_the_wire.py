"""The fast lane on real sockets: batches with known, unknown and broken queries side by side, IPv4 and IPv6."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from policy.model import Network, Verdict
from querylog.record import CacheState
from resolver.fast_lane import FastLane
from resolver.turn import Sender
from resolver.udp import BATCHED, UdpPort, open_port
from tests.support.dns import ask, heard
from tests.support.needs import missing
from tests.support.world import HEALTH, NATIONAL_LIST, Upstream, World, sample_policy

pytestmark = pytest.mark.skipif(not BATCHED, reason="interpreted, there are no batches")

GOOD, BAD = "www.good.example", "judi.example"


class Wire:
    """A world behind a UDP port on loopback, and a client."""

    def __init__(self, directory: Path, host: str, client_host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        policy = sample_policy()
        networks = (Network("127.0.0.0/8", HEALTH), Network("::1/128", HEALTH))
        self.world = World(directory, replace(policy, networks=networks), {NATIONAL_LIST: ["*.judi.example"]})
        self.world.upstream.zones[GOOD] = [f"{GOOD}. 300 IN A 192.0.2.1"]
        self.lane = FastLane(self.world.pipeline)
        self.server = socket.socket(family, socket.SOCK_DGRAM)
        self.client = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self.server.bind((host, 0))
            self.client.bind((client_host, 0))
        except OSError as error:
            missing(f"cannot bind {host}: {error}")
        asked = {"0.0.0.0": "127.0.0.77", "::": "::1"}.get(host, host)
        self.address = (asked, self.server.getsockname()[1])
        self.client.setblocking(False)
        self.port: UdpPort = open_port(self.server, self.world.pipeline.answer, self.world.stats, self.lane)

    async def ask(self, *queries: bytes) -> list[bytes]:
        """All at once, as one batch or more; the answers in the order of their IDs."""
        loop = asyncio.get_running_loop()
        for query in queries:
            self.client.sendto(query, self.address)
        self.port.start(loop)
        received = []
        async with asyncio.timeout(5):
            for _ in queries:
                message, address = await loop.sock_recvfrom(self.client, 4096)
                assert address[:2] == self.address
                received.append(message)
        self.port.stop(loop)
        return sorted(received)

    async def leave_waiting(self) -> Upstream:
        """One query read, and its answer waited for: by ``land`` of what this returns it comes."""
        upstream = self.world.upstream
        upstream.instant = False
        loop = asyncio.get_running_loop()
        self.client.sendto(ask(GOOD), self.address)
        self.port.start(loop)
        while not upstream.waiting:  # noqa: ASYNC110 -- a state of the code under test, not an event
            await asyncio.sleep(0)
        self.port.stop(loop)
        return upstream

    def close(self) -> None:
        self.port.close()
        self.client.close()
        self.world.spool.close()


@pytest.fixture(
    params=[("127.0.0.1", "127.0.0.5"), ("0.0.0.0", "127.0.0.5"), ("::1", "::1"), ("::", "::1")],
    ids=lambda hosts: hosts[0],
)
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(tmp_path / "spool", *request.param)
    yield wire
    wire.close()


async def test_known_and_unknown_queries_of_one_burst_are_all_answered(wire: Wire) -> None:
    for _ in range(3):
        await wire.ask(ask(GOOD), ask(BAD))
    before = wire.world.stats.fast
    assert before == 2
    queries = []
    for number in range(200):
        name = (GOOD, BAD, f"n{number}.example", GOOD.upper())[number % 4]
        queries.append(ask(name, message_id=number))
    answers = await wire.ask(*queries)
    assert [message[:2] for message in answers] == [query[:2] for query in queries]
    assert wire.world.stats.fast == before + 150
    said = [heard(message) for message in answers[:4]]
    assert [one.rcode for one in said] == ["NOERROR", "NXDOMAIN", "NXDOMAIN", "NOERROR"]
    assert said[3].question == f"{GOOD.upper()} IN A"
    assert (said[0].addresses, said[3].addresses) == (("192.0.2.1",), ("192.0.2.1",))
    rows = wire.world.close()
    assert len(rows) == 206
    assert [row.sequence for row in rows] == list(range(1, 207))
    assert {row.client for row in rows} == {row.client for row in rows[:1]}
    assert sum(row.verdict == Verdict.BLOCKED for row in rows) == 53
    assert sum(row.cache == CacheState.HIT for row in rows) == 102
    assert wire.lane.faults == 0


async def test_broken_queries_among_known_ones(wire: Wire) -> None:
    for _ in range(3):
        await wire.ask(ask(GOOD))
    whole = ask(GOOD)
    broken = [whole[:-1], whole[:12] + b"\xc0" + whole[13:], whole[:12], whole + bytes(1400)]
    answers = await wire.ask(whole, *broken, whole)
    assert sorted(message[3] & 15 for message in answers) == [0, 0, 1, 1, 1, 1]
    assert wire.lane.faults == 0


async def test_what_is_recorded_is_recorded_before_it_is_sent(wire: Wire) -> None:
    """ADR 0004, for the fast lane: a client who has his answer finds his row."""
    for number in range(1, 6):
        await wire.ask(ask(BAD))
        assert wire.world.spool.answers == number
    assert wire.world.stats.fast == 3


async def test_answers_that_come_late_leave_together_each_to_its_client(wire: Wire) -> None:
    upstream = wire.world.upstream
    upstream.instant = False
    loop = asyncio.get_running_loop()
    loop.call_later(0, _land_once, loop, upstream, 150)
    answers = await wire.ask(*(ask(f"n{number}.example", message_id=number) for number in range(150)))
    assert [int.from_bytes(message[:2], "big") for message in answers] == list(range(150))
    assert (wire.world.stats.send_failures, wire.world.spool.answers) == (0, 150)


def _land_once(loop: asyncio.AbstractEventLoop, upstream: Upstream, count: int) -> None:
    """All upstreams' answers in one turn of the loop, as soon as all are waited for."""
    if len(upstream.waiting) == count:
        upstream.land()
    else:
        loop.call_soon(_land_once, loop, upstream, count)


async def test_a_port_that_closes_sends_what_it_has_kept(wire: Wire) -> None:
    upstream = await wire.leave_waiting()
    upstream.land()  # queued for this turn of the loop, which the worker that stops never ends
    wire.port.close()
    async with asyncio.timeout(5):
        assert heard(await asyncio.get_running_loop().sock_recv(wire.client, 4096)).addresses == ("192.0.2.1",)


async def test_what_comes_after_the_close_leaves_by_nobody_elses_socket(wire: Wire) -> None:
    upstream = await wire.leave_waiting()
    number = wire.server.fileno()
    wire.port.close()
    with socket.socket(wire.client.family, socket.SOCK_DGRAM) as stranger:
        assert stranger.fileno() == number, "the kernel gives the lowest number that is free"
        upstream.land()
        await asyncio.sleep(0)
    with pytest.raises(BlockingIOError):
        wire.client.recv(4096)
    assert wire.world.stats.send_failures == 1


async def test_a_fault_at_one_query_sends_nobody_what_was_another_s(wire: Wire) -> None:
    """What the same batch had ready before it leaves at once: the next batch has other clients in the same places."""
    pipeline = wire.world.pipeline

    def answer(message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        if message[:2] == b"\xff\xff":
            raise ZeroDivisionError
        return pipeline.answer(message, host, transport, sender, address)

    await wire.ask(ask(GOOD))  # cached: the next is answered within its turn
    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _, context: faults.append(type(context["exception"])))
    port = open_port(wire.server, answer, wire.world.stats)
    with socket.socket(wire.client.family, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        stranger.bind((wire.client.getsockname()[0], 0))
        wire.client.sendto(ask(GOOD, message_id=1), wire.address)
        wire.client.sendto(ask(GOOD, message_id=0xFFFF), wire.address)
        port.start(loop)
        async with asyncio.timeout(5):
            while not faults:  # noqa: ASYNC110 -- a state of the code under test, not an event
                await asyncio.sleep(0)
            stranger.sendto(ask(GOOD, message_id=2), wire.address)
            heard_by = [await loop.sock_recv(stranger, 4096), await loop.sock_recv(wire.client, 4096)]
        port.stop(loop)
    assert [message[:2] for message in heard_by] == [b"\0\2", b"\0\1"]
    assert faults == [ZeroDivisionError]
