from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest

from resolver.upstream import ports as ports_module
from resolver.upstream.carrier import Carrier, Delivery
from resolver.upstream.exchange import Exchange
from resolver.upstream.failure import Reason
from resolver.upstream.ports import Port, PortPool
from resolver.upstream.randomness import Draws
from tests.support import dns_messages as say


class Log:
    """What the pool tells its group."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Carrier]] = []

    def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
        self.told.append(("replied", carrier))

    def delivered(self, carrier: Carrier, delivery: Delivery) -> None:
        raise AssertionError("no connection is here")

    def near_miss(self, carrier: Carrier, verdict: int, message_id: int) -> None:
        self.told.append(("near miss", carrier))

    def lost(self, carrier: Carrier, reason: Reason) -> None:
        self.told.append(("lost", carrier))

    def clock(self) -> float:
        return 0.0

    def attempt_expired(self, exchange: Exchange, now_s: float) -> None:
        raise AssertionError("no timer runs here")


class FaultyOnce(Log):
    """Trips over the first reply."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0
        self.both = asyncio.Event()

    def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
        self.heard += 1
        if self.heard == 1:
            raise RuntimeError("a fault of ours")
        super().replied(carrier, message_id, message)
        self.both.set()


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    """A bound socket that nobody reads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture
async def pool(sink: socket.socket) -> AsyncIterator[PortPool]:
    made = PortPool(asyncio.get_running_loop(), Log(), sink.getsockname(), 0, size=8, max_uses=4, max_age_s=2.0)
    yield made
    made.close()


def number(port: Port) -> int:
    return int(port.sock.getsockname()[1])


def waiting(port: Port, message_id: int = 1) -> Exchange:
    asked = Exchange(
        Log(),
        say.question("a.example"),
        say.question("a.example"),
        False,
        False,
        (0,),
        1.0,
        4.0,
        lambda result, upstream: None,
    )
    port.expect(message_id, asked)
    return asked


async def test_a_port_serves_so_many_queries_and_is_replaced(pool: PortPool) -> None:
    taken = [pool.take(3, 0.0) for _ in range(4)]
    assert len(set(taken)) == 1
    assert taken[0].retired
    assert pool.take(3, 0.0) is not taken[0]


async def test_a_port_too_old_is_replaced(pool: PortPool) -> None:
    first = pool.take(3, 0.0)
    assert pool.take(3, 1.9) is first
    second = pool.take(3, 2.0)
    assert second is not first
    assert first.fd == -1, "nothing waited on it, so it is closed"


async def after_this_turn() -> None:
    """When what was called soon has been called."""
    await asyncio.sleep(0)


def arrived(sink: socket.socket) -> list[tuple[bytes, int]]:
    """What the sink has got, and from which ports."""
    sink.setblocking(False)
    found = []
    try:
        while True:
            message, address = sink.recvfrom(512)
            found.append((message, address[1]))
    except BlockingIOError:
        return found


async def test_what_one_turn_asks_leaves_by_one_port_when_it_ends(pool: PortPool, sink: socket.socket) -> None:
    asked = [b"one", b"two", b"three"]
    ports = [pool.of_turn(draw, 0.0) for draw in range(3)]
    for port, query in zip(ports, asked, strict=True):
        pool.post(port, query)
    assert arrived(sink) == []
    await after_this_turn()
    assert arrived(sink) == [(query, number(ports[0])) for query in asked]


async def test_each_turn_draws_a_port_of_its_own(pool: PortPool) -> None:
    drawn = []
    for draw in range(3):
        port = pool.of_turn(draw, 0.0)
        pool.post(port, b"query")
        drawn.append(port)
        await after_this_turn()
    assert len(set(drawn)) == 3


async def test_a_turn_that_asks_more_than_a_port_serves_goes_on_by_another(pool: PortPool, sink: socket.socket) -> None:
    for count in range(6):
        port = pool.of_turn(count, 0.0)
        port.expect(count, waiting(port, 100 + count))
        pool.post(port, b"%d" % count)
    await after_this_turn()
    came = arrived(sink)
    assert [message for message, _ in came] == [b"%d" % count for count in range(6)]
    assert len({port for _, port in came[:4]}) == 1, "max_uses is 4"
    assert len({port for _, port in came}) == 2


# RFC 5452 9.3: what looks like an attempt to spoof; all that waits on the port goes by TCP, so nothing is to be sent.
async def test_nothing_leaves_by_a_port_that_was_given_up_before_the_turn_ended(
    pool: PortPool, sink: socket.socket
) -> None:
    given_up = pool.of_turn(0, 0.0)
    pool.post(given_up, b"not sent")
    given_up.retire()
    other = pool.of_turn(0, 0.0)
    assert other is not given_up
    pool.post(other, b"sent")
    await after_this_turn()
    assert [message for message, _ in arrived(sink)] == [b"sent"]


async def test_a_pool_closed_within_a_turn_sends_nothing(pool: PortPool, sink: socket.socket) -> None:
    pool.post(pool.of_turn(0, 0.0), b"not sent")
    pool.close()
    await after_this_turn()
    assert arrived(sink) == []


async def test_a_port_that_cannot_send_is_lost(sink: socket.socket) -> None:
    log = Log()
    pool = PortPool(asyncio.get_running_loop(), log, sink.getsockname(), 0)
    sink.close()
    port = pool.take(0, 0.0)
    port.sock.send(b"first")  # the kernel keeps the ICMP error of this one for the next
    pool.post(port, b"second")
    await after_this_turn()
    assert log.told == [("lost", port)]
    pool.close()


async def test_a_fault_over_one_reply_costs_the_others_nothing(sink: socket.socket) -> None:
    log = FaultyOnce()
    loop = asyncio.get_running_loop()
    faults: list[str] = []
    loop.set_exception_handler(lambda _, context: faults.append(str(context["message"])))
    pool = PortPool(loop, log, sink.getsockname(), 0)
    port = pool.take(0, 0.0)
    for message_id in (1, 2):
        waiting(port, message_id)
        sink.sendto(message_id.to_bytes(2, "big"), port.sock.getsockname())
    await asyncio.wait_for(log.both.wait(), 10.0)
    assert log.told == [("replied", port)]
    assert faults == ["a reply of an upstream could not be handled"]
    pool.close()


async def test_a_retired_port_lives_until_its_last_query_has_ended(pool: PortPool) -> None:
    port = pool.take(0, 0.0)
    asked = waiting(port)
    pool.take(0, 5.0)
    assert port.fd >= 0
    port.forget(1, asked)
    assert port.fd == -1


async def test_queries_spread_over_the_slots(pool: PortPool) -> None:
    assert len({pool.take(draw, 0.0) for draw in range(32)}) == 8


# RFC 5452 9.2: "use an unpredictable source port for outgoing queries from the range of available ports".
async def test_the_kernel_picks_unpredictable_ports(sink: socket.socket) -> None:
    made = PortPool(asyncio.get_running_loop(), Log(), sink.getsockname(), 0, size=1, max_uses=1)
    numbers = []
    for _ in range(400):
        port = made.take(0, 0.0)
        numbers.append(number(port))
        port.close()
    made.close()
    # Sequential ports would differ by one or two; of random ones, two in 400 pairs might.
    near = sum(abs(a - b) <= 8 for a, b in pairwise(numbers))
    assert near < 20
    assert len(set(numbers)) > 350


async def test_out_of_descriptors_an_old_port_is_used_again(pool: PortPool, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pool.take(0, 0.0)

    def none_left(family: int, kind: int) -> socket.socket:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(ports_module.socket, "socket", none_left)
        assert pool.take(0, 100.0) is first
        assert pool.take(5, 100.0) is first, "any open port serves where the slot's own cannot be opened"
    fresh = PortPool(asyncio.get_running_loop(), Log(), ("127.0.0.1", 53), 0)
    with monkeypatch.context() as patch:
        patch.setattr(ports_module.socket, "socket", none_left)
        with pytest.raises(OSError, match="Too many open files"):
            fresh.take(0, 0.0)


async def test_closing_gives_every_socket_back_whoever_waits(pool: PortPool) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting descriptors, not paths
    taken = [pool.take(draw, 0.0) for draw in range(8)]
    for port in taken:
        waiting(port)
        pool.take(port.uses, 50.0)
    pool.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counting descriptors, not paths


async def test_the_record_of_open_ports_does_not_grow(pool: PortPool) -> None:
    for turn in range(2_000):
        pool.take(turn, float(turn))
    assert len(pool.open_ports) <= 32


@pytest.mark.parametrize("size", [0, 3, 65, -2])
async def test_the_size_is_a_power_of_two(size: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        PortPool(asyncio.get_running_loop(), Log(), ("127.0.0.1", 53), 0, size=size)


def test_ids_and_slots_are_drawn_evenly() -> None:
    draws = Draws(os.urandom)
    drawn = [draws.bits32() for _ in range(20_000)]
    assert all(0 <= bits < 1 << 32 for bits in drawn)
    assert len(set(drawn)) > 19_980
    slots = Counter(bits >> 16 & 63 for bits in drawn)
    assert len(slots) == 64
    assert max(slots.values()) < 2 * min(slots.values())


def test_randomness_is_asked_for_by_the_block() -> None:
    asked: list[int] = []

    def source(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    draws = Draws(source)
    for _ in range(257):
        draws.bits32()
    assert asked == [1_024, 1_024]
