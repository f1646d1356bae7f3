from __future__ import annotations

import pytest

from saring.endpoint import Endpoint, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:53", Endpoint("127.0.0.1", 53)),
        ("[2001:DB8::0:1]:53", Endpoint("2001:db8::1", 53)),
        ("[fe80::1%eth0]:53", Endpoint("fe80::1%eth0", 53)),
        ("10.1.1.1", Endpoint("10.1.1.1", 5300)),
        ("2001:db8::1", Endpoint("2001:db8::1", 5300)),
        ("[2001:db8::1]", Endpoint("2001:db8::1", 5300)),
        (" 10.1.1.1 ", Endpoint("10.1.1.1", 5300)),
    ],
)
def test_what_people_write(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text, default_port=5300) == endpoint


def test_its_text_is_read_back() -> None:
    for endpoint in (Endpoint("127.0.0.1", 53), Endpoint("2001:db8::1", 53)):
        assert parse_endpoint(str(endpoint), default_port=None) == endpoint


@pytest.mark.parametrize(
    "text", ["", ":53", "dns.example:53", "127.0.0.1:", "127.0.0.1:65536", "1.2.3.4:999999999", "256.1.1.1:53"]
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an IPv4 or IPv6 address|is not a port"):
        parse_endpoint(text, default_port=53)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "[::1]"])
def test_a_port_that_is_needed(text: str) -> None:
    with pytest.raises(ValueError, match=r"no port in it; say for example .*53"):
        parse_endpoint(text, default_port=None)
