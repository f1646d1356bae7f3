"""Whether what we started answers: one query over UDP, one request to ``/healthz``."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from saring.endpoint import Endpoint

POLL_S = 0.05
ATTEMPT_S = 0.5
# ID 0x5352, no flags, one question: version.server. TXT CH. Answered by Saring about itself, without an upstream.
VERSION_QUERY = b"\x53\x52\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x06server\x00\x00\x10\x00\x03"


@dataclass(frozen=True, slots=True)
class Ready:
    """What answered within the time given."""

    dns: bool
    api: bool


async def wait_until_ready(dns: Endpoint | None, api: Endpoint | None, within_s: float) -> Ready:
    """Asks until both answer or ``within_s`` is over. What is ``None`` counts as ready."""
    deadline_s = time.monotonic() + within_s
    answers = await asyncio.gather(_until(dns, _dns_answers, deadline_s), _until(api, _api_answers, deadline_s))
    return Ready(answers[0], answers[1])


async def _until(where: Endpoint | None, attempt: Callable[[Endpoint], Awaitable[bool]], deadline_s: float) -> bool:
    if where is None:
        return True
    target = _reachable(where)
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError, TimeoutError):
            if await asyncio.wait_for(attempt(target), ATTEMPT_S):
                return True
        await asyncio.sleep(POLL_S)
    return False


def _reachable(where: Endpoint) -> Endpoint:
    """An address to send to: the unspecified address is reached through loopback."""
    return Endpoint({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(where.host, where.host), where.port)


class _OneAnswer(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)


async def _dns_answers(where: Endpoint) -> bool:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _OneAnswer(answer), remote_addr=(where.host, where.port))
    try:
        transport.sendto(VERSION_QUERY)
        return (await answer)[:2] == VERSION_QUERY[:2]
    finally:
        transport.close()


async def _api_answers(where: Endpoint) -> bool:
    reader, writer = await asyncio.open_connection(where.host, where.port)
    try:
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return b" 200 " in await reader.readline()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
