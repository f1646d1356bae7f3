"""The PROXY protocol, version 2 (HAProxy, section 2.2): believed from listed peers and demanded of them, else void."""

from __future__ import annotations

import random
from ipaddress import ip_address

import pytest

from querylog.record import Transport
from resolver.proxy_protocol import MAX_SIZE, SIGNATURE, Proxies, ProxyHeader, ProxyHeaderError, read_header
from resolver.udp_door import UdpDoor
from tests.support.dns import ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.world import SCHOOLS_CLIENT, STRANGER, sample_policy

PROXY = "192.0.2.53"


def header(host: str, command: int = 0x21, extra: bytes = b"") -> bytes:
    source = ip_address(host)
    family = 0x12 if source.version == 4 else 0x22
    addresses = source.packed + bytes(len(source.packed)) + (4_711).to_bytes(2, "big") + (53).to_bytes(2, "big")
    body = addresses + extra
    return SIGNATURE + bytes((command, family)) + len(body).to_bytes(2, "big") + body


def test_who_asks_is_read_and_the_rest_skipped() -> None:
    assert read_header(header("10.1.0.5") + b"query") == ProxyHeader("10.1.0.5", 28)
    assert read_header(header("2001:db8::5", extra=b"\x04\x00\x01\x00")) == ProxyHeader("2001:db8::5", 56)
    assert read_header(header("10.1.0.5", command=0x20)) == ProxyHeader("", 28)  # LOCAL: the proxy's own health check


@pytest.mark.parametrize("size", range(28))
def test_in_pieces(size: int) -> None:
    assert read_header(header("10.1.0.5")[:size]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x12\x34" + SIGNATURE,
        SIGNATURE[:-1] + b"X",
        SIGNATURE + b"\x11\x12\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x31\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x12\x00\x0b" + bytes(11),
        SIGNATURE + b"\x21\x22\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x12" + (MAX_SIZE).to_bytes(2, "big"),
    ],
)
def test_what_is_no_header(data: bytes) -> None:
    with pytest.raises(ProxyHeaderError):
        read_header(data)


def test_any_octets_are_read_or_refused() -> None:
    chance = random.Random(4)
    for _ in range(3_000):
        data = bytearray(header("10.1.0.5", extra=chance.randbytes(chance.randrange(8))))
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = read_header(bytes(data[: chance.randrange(len(data) + 1)]))
        except ProxyHeaderError:
            continue
        assert found is None or 0 < found.size <= MAX_SIZE


def test_a_client_behind_a_listed_proxy_is_itself(world: Worlds) -> None:
    here = world(sample_policy())
    door = UdpDoor(here.pipeline.answer, Proxies([f"{PROXY}/32"]), 0, 2, lambda: here.now_s)
    query = ask("whoami.saring", "TXT")
    answer = door.answer(header(SCHOOLS_CLIENT) + query, PROXY, Transport.UDP, here, "client")
    assert answer is not None
    assert "agency=disdik" in str(heard(answer).answer)
    assert here.close()[0].client[12:] == ip_address(SCHOOLS_CLIENT).packed


def test_nobody_else_can_say_who_he_is(world: Worlds) -> None:
    here = world(sample_policy())
    door = UdpDoor(here.pipeline.answer, Proxies([f"{PROXY}/32"]), 0, 2, lambda: here.now_s)
    query = ask("whoami.saring", "TXT")
    forged = door.answer(header(SCHOOLS_CLIENT) + query, STRANGER, Transport.UDP, here, "client")
    assert not forged or heard(forged).rcode != "NOERROR"
    assert door.answer(query, PROXY, Transport.UDP, here, "client") == b""  # a listed peer must say it
    assert door.bad_headers == 1
