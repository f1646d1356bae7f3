"""How messages stand in the octets of a connection. No socket here: octets in, replies out, and the other way."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Protocol

from dnswire.constants import HEADER_SIZE
from resolver.upstream.carrier import Delivery


class FramingError(Exception):
    """What came is not what was agreed on, so nothing behind it can be understood. The text says what, for the log."""


class Framing(Protocol):
    """One connection's worth of framing."""

    @property
    def capacity(self) -> int:
        """How many queries the server takes at a time, as far as is known."""

    @property
    def closing(self) -> bool:
        """Whether the server takes no new queries."""

    def opening(self) -> bytes:
        """What is to be sent when the connection opens."""

    def key(self, draw_id: Callable[[], int], taken: Container[int]) -> int:
        """By what the reply to the next query is to be known."""

    def message_id(self, key: int) -> int:
        """The ID of the message with this key."""

    def query(self, key: int, message: bytes) -> bytes:
        """The octets of a query."""

    def received(self, data: bytes) -> list[Delivery]:
        """The replies that are complete now. Raises ``FramingError``."""

    def to_send(self) -> bytes:
        """What is to be sent in return."""


class LengthFraming:
    """Two octets of length before each message (RFC 1035 4.2.2), as over TCP and TLS."""

    __slots__ = ("_buffer", "capacity", "closing")

    def __init__(self, capacity: int) -> None:
        self._buffer = bytearray()
        self.capacity = capacity
        self.closing = False

    def opening(self) -> bytes:
        """Nothing goes before the first query."""
        return b""

    def key(self, draw_id: Callable[[], int], taken: Container[int]) -> int:
        """An ID that no other query of the connection has."""
        message_id = draw_id()
        while message_id in taken:
            message_id = draw_id()
        return message_id

    def message_id(self, key: int) -> int:
        """They are the same."""
        return key

    def query(self, key: int, message: bytes) -> bytes:
        """Length and message in one, so that they share a segment (RFC 7766 8)."""
        return len(message).to_bytes(2, "big") + message

    def received(self, data: bytes) -> list[Delivery]:
        """Messages end where they like; the buffer holds less than one and a read."""
        buffer = self._buffer
        buffer += data
        found: list[Delivery] = []
        start = 0
        while len(buffer) - start >= 2:
            end = start + 2 + ((buffer[start] << 8) | buffer[start + 1])
            if end > len(buffer):
                break
            message = bytes(buffer[start + 2 : end])
            if len(message) < HEADER_SIZE:
                raise FramingError("a message shorter than a header")
            found.append(Delivery((message[0] << 8) | message[1], message))
            start = end
        if start:
            del buffer[:start]
        return found

    def to_send(self) -> bytes:
        """Nothing."""
        return b""
