"""Where NOTIFY comes in (RFC 1996): small UDP and TCP listeners in the scheduler's process.

Not in the resolver's workers: they have neither the zones' keys nor a way to the scheduler, and must not need them.
Primaries are told the port (BIND ``also-notify { address port n; }``, NSD ``notify: address@n``, Knot ``address@n``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from blocklists.transfer.notify import MAX_NOTIFY_SIZE
from saring.endpoint import Endpoint

_log = logging.getLogger(__name__)

# A message and the numeric address that it came from, to a response or nothing.
Answer = Callable[[bytes, str], bytes | None]

_TCP_TIMEOUT_S: Final = 5.0
_MAX_CONNECTIONS: Final = 32
_BACKLOG: Final = 16


class NotifyListener:
    """Listens on addresses that are free; one that is taken is tried again at the next ``listen``."""

    def __init__(self, endpoints: Sequence[Endpoint], answer: Answer) -> None:
        self._answer = answer
        self._missing = list(endpoints)
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def missing(self) -> list[Endpoint]:
        """Addresses that could not be bound so far."""
        return list(self._missing)

    async def listen(self) -> None:
        """Binds what is not bound yet; what cannot be is logged: zones are then asked by their timers only."""
        for endpoint in self.missing:
            try:
                await self._bind(endpoint)
            except OSError as error:
                _log.error(
                    "no NOTIFY can be received here; zones are asked by their SOA's timers",
                    extra={"address": str(endpoint), "error": error.strerror or str(error)},
                )
            else:
                self._missing.remove(endpoint)
                _log.info("listening for NOTIFY", extra={"address": str(endpoint)})

    async def close(self) -> None:
        """Stops listening."""
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    async def _bind(self, endpoint: Endpoint) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._answer), local_addr=(endpoint.host, endpoint.port)
        )
        try:
            server = await asyncio.start_server(self._connected, endpoint.host, endpoint.port, backlog=_BACKLOG)
        except OSError:
            transport.close()
            raise
        self._transports.append(transport)
        self._servers.append(server)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= _MAX_CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._converse(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str(writer.get_extra_info("peername", ("",))[0])
        try:
            async with asyncio.timeout(_TCP_TIMEOUT_S):
                while True:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    if size > MAX_NOTIFY_SIZE:
                        return
                    response = self._answer(await reader.readexactly(size), address)
                    if response is None:
                        return
                    writer.write(len(response).to_bytes(2, "big") + response)
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Datagrams(asyncio.DatagramProtocol):
    """One UDP socket."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio``."""
        # Loops give a transport with the methods of this class, not one of it.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """See ``asyncio``."""
        response = self._answer(data, str(addr[0]))
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)
