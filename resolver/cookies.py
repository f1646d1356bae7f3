"""DNS cookies, the server's side (RFC 7873, RFC 9018): a client that shows ours again has not forged its address.

Nobody must have one: a client without is answered as ever. All workers, and all nodes that share the master secret,
know each other's. The secret in use is derived from it for each day, and yesterday's is still taken, so that nothing
has to be handed round to renew it.
"""

from __future__ import annotations

import hmac
from typing import Final

import siphash24

from dnswire import edns
from dnswire.constants import EdnsOption
from dnswire.errors import WireError
from policy.networks import unmapped

_CLIENT_SIZE: Final = 8
_SERVER_SIZE: Final = 16
_COOKIE_SIZES: Final = frozenset((_CLIENT_SIZE, *range(16, 41)))  # RFC 7873 4: 8, or 16 to 40 octets
_HEAD: Final = b"\x01\x00\x00\x00"  # version 1, three reserved octets (RFC 9018 4)
_DAY_S: Final = 86_400
# RFC 9018 4.3: at most an hour old, at most five minutes from the future; renewed after half an hour.
_MAX_AGE_S: Final = 3_600
_MAX_AHEAD_S: Final = 300


class Cookies:
    """Makes and checks server cookies under one ``master`` secret of 16 octets or more."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._secrets: dict[int, bytes] = {}

    def echo(self, options: bytes, address: bytes, now_s: float) -> tuple[bytes, bool]:
        """The COOKIE option of the response (empty where the query has none); whether the client showed one of ours.

        ``options``: of the query's OPT RR; ``address``: of its socket, 4 or 16 octets. Raises ``WireError`` for a
        cookie of a wrong size (RFC 7873 5.2.2: FORMERR).
        """
        for code, data in edns.options(options):
            if code == EdnsOption.COOKIE:
                return self._answer(data, unmapped(address), int(now_s))
        return b"", False

    def _answer(self, data: bytes, address: bytes, now_s: int) -> tuple[bytes, bool]:
        if len(data) not in _COOKIE_SIZES:
            raise WireError(f"a COOKIE option of {len(data)} octets")
        client, shown = data[:_CLIENT_SIZE], data[_CLIENT_SIZE:]
        valid = self._is_ours(client, shown, address, now_s)
        # A fresh one each time: simpler than RFC 9018's half an hour, and as good for the client.
        server = self.server_cookie(client, address, now_s, now_s // _DAY_S)
        return edns.option(EdnsOption.COOKIE, client + server), valid

    def _is_ours(self, client: bytes, shown: bytes, address: bytes, now_s: int) -> bool:
        if len(shown) != _SERVER_SIZE or shown[:4] != _HEAD:
            return False
        made_s = int.from_bytes(shown[4:8], "big")
        # Serial arithmetic (RFC 1982) on 32 bits, as RFC 9018 4.3 has it.
        age_s = (now_s - made_s + 0x80000000) % 0x100000000 - 0x80000000
        if not -_MAX_AHEAD_S <= age_s <= _MAX_AGE_S:
            return False
        day = now_s // _DAY_S
        expected = (self.server_cookie(client, address, made_s, one) for one in (day, day - 1))
        return any(hmac.compare_digest(shown, one) for one in expected)

    def server_cookie(self, client: bytes, address: bytes, made_s: int, day: int) -> bytes:
        """The server cookie for a client cookie and address (RFC 9018 4), under the secret of a day since 1970."""
        return sealed(self._secret(day), client, address, made_s)

    def _secret(self, day: int) -> bytes:
        secret = self._secrets.get(day)
        if secret is None:
            secret = hmac.digest(self._master, b"saring dns cookie %d" % day, "sha256")[:16]
            self._secrets = {known: value for known, value in self._secrets.items() if known >= day - 1}
            self._secrets[day] = secret
        return secret


def sealed(secret: bytes, client: bytes, address: bytes, made_s: int) -> bytes:
    """The server cookie under a secret of 16 octets: version, time, and SipHash-2-4 over these, client and address."""
    head = client + _HEAD + (made_s & 0xFFFFFFFF).to_bytes(4, "big")
    return head[_CLIENT_SIZE:] + bytes(siphash24.siphash24(head + address, key=secret).digest())
