"""DNS cookies, RFC 7873 and 9018: the interoperable server cookie, and what a client gets for showing it."""

from __future__ import annotations

import pytest

from querylog.record import Transport
from resolver.cookies import Cookies, sealed
from resolver.sources import SourceLimits
from tests.support.dns import ask, heard
from tests.support.fixtures_world import Worlds
from tests.support.world import MONDAY_10, sample_policy

CLIENT = bytes.fromhex("2464c4abcf10c957")
COOKIE = 10


@pytest.mark.parametrize(
    ("secret", "client", "address", "made_s", "server"),
    [
        (
            "e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", bytes((198, 51, 100, 100)), 1_559_731_985,
            "010000005cf79f111f8130c3eee29480",
        ),
        (
            "e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", bytes((198, 51, 100, 100)), 1_559_734_385,
            "010000005cf7a871d4a564a1442aca77",
        ),
        (
            "dd3bdf9344b678b185a6f5cb60fca715", "22681ab97d52c298",
            bytes.fromhex("20010db80220000159de d0f48769 82b8".replace(" ", "")), 1_559_741_817,
            "010000005cf7c57926556bd0934c72f8",
        ),
    ],
)  # fmt: skip
def test_appendix_a(secret: str, client: str, address: bytes, made_s: int, server: str) -> None:
    """RFC 9018 Appendix A: "test vectors"; the third has the new secret of A.3."""
    made = sealed(bytes.fromhex(secret), bytes.fromhex(client), address, made_s)
    assert made == bytes.fromhex(server)


def shown(here: object, data: bytes, **more: object) -> object:
    return heard(here.raw(ask("localhost", options=((COOKIE, data),)), **more))  # type: ignore[attr-defined]


def test_a_client_cookie_is_answered_with_a_server_cookie(world: Worlds) -> None:
    """RFC 7873 5.2.3: "the server ... generates its Server Cookie and ... sends both in the response"."""
    here = world(sample_policy(), cookies=Cookies(bytes(32)))
    option = shown(here, CLIENT).options[COOKIE]  # type: ignore[attr-defined]
    assert (option[:8], len(option)) == (CLIENT, 24)
    assert COOKIE not in here.ask("localhost").options  # 5.2.1: no cookie, none in the response


@pytest.mark.parametrize("size", [0, 7, 9, 15, 41])
def test_a_cookie_of_a_wrong_size_is_a_format_error(world: Worlds, size: int) -> None:
    """5.2.2: "FORMERR"."""
    here = world(sample_policy(), cookies=Cookies(bytes(32)))
    assert shown(here, bytes(size)).rcode == "FORMERR"  # type: ignore[attr-defined]


def test_who_shows_our_cookie_is_not_held_to_the_rate(world: Worlds) -> None:
    """5.2.5: the source address is then "weakly authenticated"; nobody else could have got the cookie."""
    limits = SourceLimits(client_qps=1, burst_s=1, slip=1)
    here = world(sample_policy(), cookies=Cookies(bytes(32)), limits=limits)
    whole = shown(here, CLIENT).options[COOKIE]  # type: ignore[attr-defined]
    assert "tc" not in shown(here, whole).flags  # type: ignore[attr-defined]
    assert "tc" in shown(here, CLIENT).flags  # type: ignore[attr-defined]
    forged = whole[:-1] + bytes((whole[-1] ^ 1,))
    assert "tc" in shown(here, forged).flags  # type: ignore[attr-defined]


def test_whose_it_is_and_how_old_it_may_be() -> None:
    """RFC 9018 4.3: an hour old at most, five minutes from the future; RFC 7873 6: another address has another."""
    cookies = Cookies(b"s" * 32)
    here, there = bytes((10, 1, 0, 5)), bytes((10, 1, 0, 6))
    made = cookies.server_cookie(CLIENT, here, int(MONDAY_10), int(MONDAY_10) // 86_400)
    mapped = bytes(10) + b"\xff\xff" + here

    def known(server: bytes, address: bytes, at_s: float) -> bool:
        option = COOKIE.to_bytes(2, "big") + (24).to_bytes(2, "big") + CLIENT + server
        return cookies.echo(option, address, at_s)[1]

    assert known(made, here, MONDAY_10)
    assert known(made, mapped, MONDAY_10)
    assert not known(made, there, MONDAY_10)
    assert known(made, here, MONDAY_10 + 3_600)
    assert not known(made, here, MONDAY_10 + 3_601)
    assert known(made, here, MONDAY_10 - 300)
    assert not known(made, here, MONDAY_10 - 301)
    assert not known(b"\x02" + made[1:], here, MONDAY_10)


def test_a_cookie_outlives_midnight() -> None:
    cookies = Cookies(b"s" * 32)
    midnight_s = 20_000 * 86_400
    made = cookies.server_cookie(CLIENT, b"\x0a\x01\x00\x05", midnight_s - 10, 19_999)
    option = COOKIE.to_bytes(2, "big") + (24).to_bytes(2, "big") + CLIENT + made
    assert cookies.echo(option, b"\x0a\x01\x00\x05", midnight_s + 10)[1]


def test_over_tcp_too(world: Worlds) -> None:
    here = world(sample_policy(), cookies=Cookies(bytes(32)))
    assert COOKIE in shown(here, CLIENT, transport=Transport.TCP).options  # type: ignore[attr-defined]
