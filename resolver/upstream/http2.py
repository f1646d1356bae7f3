"""DNS over HTTP/2 (RFC 8484): a query is a POST, its reply the body. The protocol is h2's, without sockets as well.

Nothing but the body counts: no redirection is followed, no cookie kept, no other status than 200 believed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hpack.exceptions import HPACKError
from hyperframe.exceptions import HyperframeError

from dnswire.constants import HEADER_SIZE, MAX_MESSAGE_SIZE
from resolver.upstream.carrier import Delivery
from resolver.upstream.framing import FramingError

_TYPE: Final = "application/dns-message"
_MAX_HEADERS_SIZE: Final = 16_384
# A client's streams have odd numbers of 31 bits; long before they run out, the connection is replaced.
_MAX_STREAM: Final = 200_000
_MAX_KINDS: Final = 64
_MAX_AGE_S: Final = 2_147_483_647


class _Reply:
    """A response as it comes."""

    __slots__ = ("age_s", "body", "refused")

    def __init__(self, refused: str, age_s: int) -> None:
        self.refused = refused
        self.age_s = age_s
        self.body = bytearray()


class Http2Framing:
    """One HTTP/2 connection. ``authority`` and ``path``: of the URL.

    ``refused``: counts the queries that got no DNS message, by status or reason; the server's own, so it goes on with
    the next connection.
    """

    __slots__ = ("_connection", "_headers", "_refused", "_replies", "closing")

    def __init__(self, authority: str, path: str, refused: dict[str, int]) -> None:
        config = H2Configuration(client_side=True, header_encoding="utf-8")
        self._connection = H2Connection(config)
        self._connection.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.MAX_HEADER_LIST_SIZE: _MAX_HEADERS_SIZE,
                SettingCodes.HEADER_TABLE_SIZE: 4_096,
            },
        )
        self._headers = (
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", authority),
            (":path", path),
            ("accept", _TYPE),
            ("content-type", _TYPE),
        )
        self._replies: dict[int, _Reply] = {}
        self.closing = False
        self._refused = refused

    @property
    def capacity(self) -> int:
        """Streams that the server takes at a time; until its settings come, 100 (RFC 9113 6.5.2)."""
        return min(self._connection.remote_settings.max_concurrent_streams, 100)

    def opening(self) -> bytes:
        """The preface and our settings."""
        self._connection.initiate_connection()
        return self._connection.data_to_send()

    def key(self, draw_id: Callable[[], int], taken: Container[int]) -> int:
        """The number of the next stream."""
        return self._connection.get_next_available_stream_id()

    def message_id(self, key: int) -> int:
        """0, as RFC 8484 4.1 asks for the sake of HTTP caches; the stream tells replies apart."""
        return 0

    def query(self, key: int, message: bytes) -> bytes:
        """The octets of a POST. Raises ``FramingError`` where the server lets us send no more."""
        try:
            if self._connection.outbound_flow_control_window < len(message):
                raise FramingError("the server reads nothing")
            self._connection.send_headers(key, [*self._headers, ("content-length", str(len(message)))])
            self._connection.send_data(key, message, end_stream=True)
        except H2Error as error:
            raise FramingError(f"HTTP/2: {error}") from None
        if key >= _MAX_STREAM:
            self.closing = True
        return self._connection.data_to_send()

    def received(self, data: bytes) -> list[Delivery]:
        """The replies that are complete now."""
        try:
            events = self._connection.receive_data(data)
            found = [delivery for event in events if (delivery := self._happened(event)) is not None]
        except UnicodeDecodeError:  # h2 lets it through: a header's octets can be any
            raise FramingError("HTTP/2: a header that is not UTF-8") from None
        except (H2Error, HPACKError, HyperframeError) as error:
            raise FramingError(f"HTTP/2: {error or type(error).__name__}") from None
        return found

    def to_send(self) -> bytes:
        """Acknowledgements, windows, resets."""
        return self._connection.data_to_send()

    def _happened(self, event: Event) -> Delivery | None:
        if isinstance(event, ResponseReceived):
            self._replies[event.stream_id] = _reply(event.headers or ())
        elif isinstance(event, DataReceived):
            return self._data(event)
        elif isinstance(event, StreamEnded):
            return self._ended(event.stream_id)
        elif isinstance(event, StreamReset):
            # RFC 9113 5.1: also for a stream that we have reset ourselves, which is known to have ended.
            self._replies.pop(event.stream_id, None)
            return self._refuse(event.stream_id, "reset")
        elif isinstance(event, ConnectionTerminated):
            self.closing = True
        return None

    def _data(self, event: DataReceived) -> Delivery | None:
        stream = event.stream_id
        if event.flow_controlled_length:
            self._connection.acknowledge_received_data(event.flow_controlled_length, stream)
        reply = self._replies.get(stream)
        if reply is None:
            return None
        reply.body += event.data or b""
        if len(reply.body) <= MAX_MESSAGE_SIZE:
            return None
        del self._replies[stream]
        self._connection.reset_stream(stream, ErrorCodes.CANCEL)
        return self._refuse(stream, "too_large")

    def _ended(self, stream: int) -> Delivery | None:
        reply = self._replies.pop(stream, None)
        if reply is None:
            return None
        if reply.refused:
            return self._refuse(stream, reply.refused)
        message = bytes(reply.body)
        if len(message) < HEADER_SIZE or message[:2] != b"\x00\x00":
            return self._refuse(stream, "no_message")
        return Delivery(stream, message, reply.age_s)

    def _refuse(self, stream: int, why: str) -> Delivery:
        if len(self._refused) < _MAX_KINDS or why in self._refused:
            self._refused[why] = self._refused.get(why, 0) + 1
        return Delivery(stream, None)


def _reply(headers: Iterable[tuple[bytes | str, bytes | str]]) -> _Reply:
    """What the headers of a response say. They are text: ``header_encoding`` is set."""
    fields = {str(name): str(value) for name, value in headers}
    status = fields.get(":status", "")
    refused = "" if status == "200" else f"status_{status[:3]}"
    if not refused and fields.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        refused = "content_type"
    # RFC 8484 5.1: the reply may come from an HTTP cache, and its time there counts against the TTLs.
    age = fields.get("age", "0")
    age_s = int(age) if age.isascii() and age.isdecimal() and len(age) <= 10 else 0
    return _Reply(refused, min(age_s, _MAX_AGE_S))
