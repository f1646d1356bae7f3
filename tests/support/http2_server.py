"""A server of DNS over HTTPS that does what its test says: right, wrong, slow, or nothing. On h2, the server's side."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.exceptions import ProtocolError

from resolver.settings import UpstreamServer
from tests.support.hostile import honest

TYPE = "application/dns-message"
Headers = list[tuple[str, str]]
Behaviour = Callable[["Answering", int, bytes], None]


def answers(to: Answering, stream: int, query: bytes) -> None:
    """As an honest server."""
    to.respond(stream, honest(query, "192.0.2.44"))


@dataclass
class Answering:
    """One connection, as a behaviour sees it."""

    http: H2Connection
    writer: asyncio.StreamWriter

    def respond(self, stream: int, body: bytes, status: str = "200", headers: Headers | None = None) -> None:
        """A whole response."""
        fields = [(":status", status), *([("content-type", TYPE)] if headers is None else headers)]
        self.http.send_headers(stream, fields, end_stream=not body)
        if body:
            window = self.http.local_flow_control_window(stream)
            frame = self.http.max_outbound_frame_size
            body = body[:window]
            for start in range(0, len(body), frame):
                part = body[start : start + frame]
                self.http.send_data(stream, part, end_stream=start + frame >= len(body))
        self.flush()

    def flush(self) -> None:
        """Sends what is due."""
        self.writer.write(self.http.data_to_send())


@dataclass
class HttpsUpstream:
    """Listens on ``port`` and remembers queries and their headers."""

    tls: ssl.SSLContext
    behaviour: Behaviour = answers
    name: str = "dns.test.example"
    path: str = "/dns-query"
    pins: tuple[str, ...] = ()
    max_streams: int = 100
    port: int = 0
    queries: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def where(self) -> UpstreamServer:
        """As a group is told of it."""
        return UpstreamServer("127.0.0.1", self.port, "https", self.name, self.path, self.pins)

    async def __aenter__(self) -> HttpsUpstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        self.connections += 1
        http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        http.local_settings.max_concurrent_streams = self.max_streams
        http.initiate_connection()
        writer.write(http.data_to_send())
        answering = Answering(http, writer)
        bodies: dict[int, bytes] = {}
        try:
            while data := await reader.read(65_536):
                for event in http.receive_data(data):
                    if isinstance(event, RequestReceived):
                        self.headers.append({str(name): str(value) for name, value in event.headers or ()})
                    elif isinstance(event, DataReceived):
                        bodies[event.stream_id] = bodies.get(event.stream_id, b"") + (event.data or b"")
                        http.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                    elif isinstance(event, StreamEnded):
                        query = bodies.pop(event.stream_id, b"")
                        self.queries.append(query)
                        self.behaviour(answering, event.stream_id, query)
                answering.flush()
        except (OSError, ProtocolError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)
