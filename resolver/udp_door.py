"""What stands before and behind the pipeline for some datagrams: a proxy's header, and the rate of responses."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from resolver.proxy_protocol import Proxies, ProxyHeaderError, read_header
from resolver.response_rates import ResponseRates
from resolver.turn import Sender
from resolver.udp import Answerer


class UdpDoor:
    """Wraps ``answer`` (``udp.Answerer``). ``responses_per_s`` 0: no limit. ``clock``: Unix seconds.

    Who asks through a proxy is not limited by what is sent: it goes to the proxy, whose address nobody has forged.
    """

    def __init__(
        self, answer: Answerer, proxies: Proxies, responses_per_s: float, slip: int, clock: Callable[[], float]
    ) -> None:
        self._answer = answer
        self._proxies = proxies
        self._rates = ResponseRates(responses_per_s, slip) if responses_per_s > 0 else None
        self._clock = clock
        self.bad_headers = 0

    def answer(self, message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        """As the pipeline's: the response, empty for none, None where ``sender`` gets it later."""
        if self._proxies.include(host):
            return self._of_proxy(message, host, transport, sender, address)
        rates = self._rates
        if rates is None:
            return self._answer(message, host, transport, sender, address)
        packed = ipaddress.ip_address(host.partition("%")[0]).packed
        response = self._answer(message, host, transport, _Limited(self, sender, packed), address)
        return self.limited(response, packed) if response else response

    def limited(self, response: bytes, packed: bytes) -> bytes:
        """What is sent in place of the response."""
        rates = self._rates
        return response if rates is None else rates.pass_on(response, packed, self._clock())

    def _of_proxy(self, message: bytes, host: str, transport: int, sender: Sender, address: object) -> bytes | None:
        try:
            header = read_header(message)
        except ProxyHeaderError:
            header = None
        if header is None:
            self.bad_headers += 1
            return b""
        return self._answer(message[header.size :], header.host or host, transport, sender, address)


class _Limited:
    """The sender of an answer that comes later."""

    def __init__(self, door: UdpDoor, sender: Sender, packed: bytes) -> None:
        self._door = door
        self._sender = sender
        self._packed = packed

    def send(self, response: bytes, address: object) -> None:
        """Sends what the rate lets through."""
        left = self._door.limited(response, self._packed)
        if left:
            self._sender.send(left, address)
