"""Whatever an upstream, or someone in its name, sends: an answer to the question asked, or a failure.

Seeded and bounded; ``SARING_FUZZ_FACTOR`` multiplies how many mutations each target gets.
"""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from dnswire.answer import Answer
from dnswire.edns import opt, option
from dnswire.name import from_text
from resolver.settings import UpstreamServer
from resolver.upstream import message as m
from resolver.upstream.carrier import Carrier, Delivery
from resolver.upstream.connection import Connection
from resolver.upstream.dispatch import Dispatcher
from resolver.upstream.exchange import Exchange
from resolver.upstream.failure import Reason, UpstreamFailure
from resolver.upstream.framing import LengthFraming
from resolver.upstream.limits import GroupSettings
from tests.support import dns_messages as say
from tests.support.hostile import until
from tests.support.mutation import mutations
from tests.support.ports import free_port
from tests.support.ticking import Clock

FACTOR = int(os.environ.get("SARING_FUZZ_FACTOR", "1"))
ASKED = m.question(from_text("www.kantor.example"), 1, 1)

SEEDS = [
    say.response(ASKED, answer=(say.a("www.kantor.example"),), additional=(say.opt(),)),
    say.response(ASKED, rcode=3, authority=(say.soa("kantor.example"),), additional=(say.opt(say.ede(6, "bogus")),)),
    say.response(ASKED, answer=(say.rr("www.kantor.example", 5, 60, from_text("e.example")), say.a("e.example"))),
    say.response(ASKED, flags=0x8380),
    say.response(ASKED, rcode=1),
    say.response(ASKED, rcode=2, additional=(say.opt(),)),
    say.response(say.question("evil.example"), answer=(say.a("evil.example"),)),
    m.build_query(0, ASKED, True, opt(1232, 0, True)),
    say.response(ASKED, answer=(say.a("www.kantor.example"),), additional=(say.opt(option(10, bytes(24))),)),
    say.response(ASKED, rcode=7, additional=(say.opt(option(10, bytes(24)), extended_rcode=1),)),
]


def test_a_verdict_on_any_octets_and_acceptance_only_for_the_question_asked() -> None:
    accepted = 0
    for message in mutations(SEEDS, 30_000 * FACTOR, seed=2):
        verdict = m.judge(message, ASKED, False)
        if verdict in (m.ACCEPT, m.TRUNCATED):
            accepted += verdict == m.ACCEPT
            question = message[12 : 12 + len(ASKED)]
            assert question == ASKED
            assert message[2] & 0xF8 == 0x80
            assert message[4:6] == b"\x00\x01"
        else:
            assert verdict in (m.NO_EDNS, m.MALFORMED, m.NOT_A_RESPONSE, m.WRONG_QUESTION, m.WRONG_CASE)
    assert accepted > 100, "the mutations must reach past the first checks"


class Collected:
    """What exchanges ended with."""

    def __init__(self) -> None:
        self.results: list[Answer | UpstreamFailure] = []

    def __call__(self, result: Answer | UpstreamFailure, upstream: int) -> None:
        self.results.append(result)


@pytest.fixture
async def loop_errors() -> list[dict[str, object]]:
    errors: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
    return errors


class _Sink(asyncio.DatagramProtocol):
    pass


async def test_any_datagrams_end_every_exchange_once_and_leave_nothing_behind(
    loop_errors: list[dict[str, object]],
) -> None:
    loop = asyncio.get_running_loop()
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, not paths
    port = free_port()
    sink, _ = await loop.create_datagram_endpoint(_Sink, ("127.0.0.1", port))
    source = random.Random(3)
    clock = Clock()
    # Few slots and uses, so that ports retire in every state.
    settings = GroupSettings(attempt_s=0.3, deadline_s=1.0, port_pool_size=4, port_max_uses=4)
    # The port is closed for TCP; for UDP it is held by a socket that nobody reads.
    where = UpstreamServer("127.0.0.1", port)
    dispatcher = Dispatcher([where], settings, "strict", loop, clock, random.Random(6).randbytes)
    collected = Collected()
    asked = 0
    for number, message in enumerate(mutations(SEEDS, 12_000 * FACTOR, seed=4)):
        if dispatcher.outstanding < 8:
            dispatcher.ask(ASKED, False, False, collected)
            asked += 1
        clock.now_s += 0.01
        dispatcher._wheel.advance(clock())
        if number % 16 == 0:
            await asyncio.sleep(0)  # connections that were refused are reported now
        under_way = sorted(dispatcher._places.all(), key=lambda e: e.message_id)
        for exchange in source.sample(under_way, min(3, len(under_way))):
            _happen(dispatcher, exchange, message, source)
    await dispatcher.close()
    sink.close()
    assert len(collected.results) == asked > 500
    answers = [result for result in collected.results if isinstance(result, Answer)]
    assert len(answers) > 100
    assert {answer.name for answer in answers} == {from_text("www.kantor.example")}
    assert dispatcher.outstanding == 0
    await until(lambda: len(os.listdir("/proc/self/fd")) <= open_before)  # noqa: PTH208 - counting, not paths
    assert loop_errors == []


def _happen(dispatcher: Dispatcher, exchange: Exchange, message: bytes, source: random.Random) -> None:
    """One thing that may happen to an exchange: a message on one of its carriers, or a carrier's end."""
    if exchange.ended:
        return  # with another one, by the message before
    carriers = [(exchange.carrier, exchange.message_id)]
    carriers += [(other.carrier, other.message_id) for other in exchange.others or ()]
    carrier, message_id = source.choice(carriers)
    if isinstance(carrier, Connection):
        carrier.data_received(_stream_bytes(source, message_id, message))
    elif carrier is None or carrier.table.get(message_id) is not exchange:
        return
    elif source.random() < 0.05:
        dispatcher.inbox.near_miss(carrier, m.WRONG_ID, message_id ^ 1)
    elif source.random() < 0.05:
        dispatcher.inbox.lost(carrier, Reason.NETWORK)
    else:
        if source.random() < 0.8:  # as somebody who has the case of the name right
            message = message.replace(ASKED[:-4], exchange.cased[:-4])
        dispatcher.inbox.replied(carrier, message_id, message_id.to_bytes(2, "big") + message[2:])


def _stream_bytes(source: random.Random, message_id: int, message: bytes) -> bytes:
    wire = message_id.to_bytes(2, "big") + message[2:]
    framed = len(wire).to_bytes(2, "big") + wire
    kind = source.randrange(4)
    if kind == 0:
        return framed[: source.randrange(len(framed))]
    if kind == 1:
        return framed + bytes(source.randrange(256) for _ in range(source.randrange(6)))
    return framed


async def test_any_cut_of_a_stream_gives_the_same_messages(loop_errors: list[dict[str, object]]) -> None:
    """A server's octets, cut anywhere, are the same replies."""
    source = random.Random(5)
    for _ in range(60):
        told: list[bytes] = []

        class Events:
            def replied(self, carrier: Carrier, message_id: int, message: bytes) -> None:
                raise AssertionError("no datagram comes here")

            def delivered(self, carrier: Carrier, delivery: Delivery) -> None:
                assert delivery.message is not None
                told.append(delivery.message)  # noqa: B023 - used within this turn

            def near_miss(self, carrier: Carrier, verdict: int, message_id: int) -> None:
                raise AssertionError("every ID is expected")

            def lost(self, carrier: Carrier, reason: Reason) -> None:
                raise AssertionError("nothing was lost")

            def clock(self) -> float:
                return 0.0

        stream = Connection(asyncio.get_running_loop(), Events(), ("127.0.0.1", 9), 0, LengthFraming(100))
        messages = [n.to_bytes(2, "big") + bytes(source.randrange(10, 300)) for n in range(20)]
        for number in range(20):
            stream.table[number] = object()  # type: ignore[assignment]  # only whether it is None matters here
        octets = b"".join(len(message).to_bytes(2, "big") + message for message in messages)
        while octets:
            size = source.choice((1, 2, 3, 50, 700))
            stream.data_received(octets[:size])
            octets = octets[size:]
        assert told == messages
        stream.close()
        await stream.wait_closed()
    assert loop_errors == []
