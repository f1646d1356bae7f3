"""How one server is spoken to in clear text: EDNS, cookies, the case of names; and what its replies have to show.

Over UDP anybody can speak in a server's name, so what would make forging easier is not believed there: that a server
does not keep the case of names, has given up cookies, or knows no EDNS any more. Such a reply is a near miss, the query
goes by TCP, where nobody off the path can speak, and what the server says *there* is learnt, for ``span_s`` seconds. A
server without TCP has to say it three times in a row, each time to a port, an ID (and a case) that a forger would have
to guess; and one that has kept the case of names is never believed to have stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dnswire.constants import EdnsOption
from dnswire.edns import opt, option, options
from resolver.upstream.message import (
    ACCEPT,
    LOST_EDNS,
    NO_COOKIE,
    UDP_SIZE_BYTES,
    WRONG_CASE,
    WRONG_COOKIE,
)

_NEVER: Final = float("-inf")
_CLIENT_SIZE: Final = 8  # RFC 7873 4
_MIN_SERVER_SIZE: Final = 8
_MAX_SERVER_SIZE: Final = 32
# RFC 9018 3: a new client cookie now and then, and for each address of ours, so that nobody follows us by it.
_RENEW_S: Final = 86_400.0
_TIMES_IN_A_ROW: Final = 3


class Dialect:
    """What is known of one server. All instants are of the group's monotonic clock; nothing here reads one."""

    __slots__ = (
        "_before",
        "_client",
        "_cookieless_until_s",
        "_folds_until_s",
        "_local",
        "_opts",
        "_plain_until_s",
        "_random_octets",
        "_renew_s",
        "_server",
        "_span_s",
        "_suspected",
        "_suspicions",
        "edns_seen",
        "keeps_case",
    )

    def __init__(self, random_octets: Callable[[int], bytes], span_s: float) -> None:
        self._random_octets = random_octets
        self._span_s = span_s
        self._local = ""
        self._client = self._before = self._server = b""
        self._renew_s = _NEVER
        self._opts: tuple[bytes, bytes] = (b"", b"")
        self._plain_until_s = _NEVER
        self._cookieless_until_s = _NEVER
        self._folds_until_s = _NEVER
        self._suspected = ACCEPT
        self._suspicions = 0
        self.keeps_case = False
        self.edns_seen = False

    # What to send.

    def edns(self, now_s: float) -> bool:
        """Whether the server is to be asked with EDNS."""
        return now_s >= self._plain_until_s

    def folds_case(self, now_s: float) -> bool:
        """Whether names are sent in lower case, and replies believed in any case."""
        return now_s < self._folds_until_s

    def cookies(self, now_s: float) -> bool:
        """Whether a reply without a cookie is a forgery."""
        return bool(self._server) and now_s >= self._cookieless_until_s

    def opt(self, do: bool, local: str, now_s: float) -> bytes:
        """The OPT RR of a query that leaves from our address ``local``, with our cookie and the server's."""
        if local != self._local or now_s >= self._renew_s:
            self._renew(local, now_s)
        return self._opts[do]

    def tcp_opt(self, do: bool, further: bytes) -> bytes:
        """The OPT RR of a query by TCP, with ``further`` options: the cookie is learnt there as well."""
        cookie = option(EdnsOption.COOKIE, self._client + self._server) if self._client else b""
        return opt(UDP_SIZE_BYTES, 0, do, cookie + further)

    # What came back.

    def check(self, sent_edns: bool, reply_options: bytes | None, now_s: float) -> int:
        """Whether a UDP reply with these EDNS options (None: no OPT RR) can be the server's: ACCEPT or a near miss."""
        if not sent_edns:
            return ACCEPT
        cookie = _cookie(reply_options)
        if cookie is None:
            return NO_COOKIE if self.cookies(now_s) else ACCEPT
        if not self._is_ours(cookie):
            return WRONG_COOKIE
        self._learn(cookie)
        return ACCEPT

    def heard(self, raised: bool, edns: bool) -> None:
        """A UDP reply passed every check. ``raised``: the name it repeats had capitals; ``edns``: it has an OPT RR."""
        self._suspicions = 0
        self.keeps_case = self.keeps_case or raised
        self.edns_seen = self.edns_seen or edns

    def heard_by_tcp(
        self, raised: bool, exact: bool, sent_edns: bool, reply_options: bytes | None, now_s: float
    ) -> None:
        """A reply came by TCP. ``exact``: it repeats the case of the name (which had capitals if ``raised``)."""
        self._suspicions = 0
        if not exact:
            self._folds_until_s = now_s + self._span_s
            self.keeps_case = False
        elif raised:
            self._folds_until_s = _NEVER
            self.keeps_case = True
        if not sent_edns:
            return
        cookie = _cookie(reply_options)
        if cookie is not None and self._is_ours(cookie):
            self._learn(cookie)
            self._cookieless_until_s = _NEVER
        elif self._server:
            self._server = b""
            self._cookieless_until_s = now_s + self._span_s
            self._make_opts()

    def refuses_edns(self, now_s: float) -> None:
        """The server said so where it is believed."""
        self._plain_until_s = now_s + self._span_s
        self.edns_seen = False

    def suspect(self, verdict: int) -> None:
        """A UDP reply was a near miss of this kind."""
        if verdict not in (WRONG_CASE, NO_COOKIE, LOST_EDNS):
            self._suspicions = 0
            return
        self._suspicions = self._suspicions + 1 if verdict == self._suspected else 1
        self._suspected = verdict

    def has_no_tcp(self, now_s: float) -> None:
        """A connection could not be opened: what the server has said by UDP three times in a row is believed."""
        if self._suspicions < _TIMES_IN_A_ROW:
            return
        self._suspicions = 0
        if self._suspected == NO_COOKIE:
            self._server = b""
            self._cookieless_until_s = now_s + self._span_s
            self._make_opts()
        elif self._suspected == LOST_EDNS:
            self.refuses_edns(now_s)
        elif not self.keeps_case:
            self._folds_until_s = now_s + self._span_s

    def stats(self, now_s: float) -> dict[str, object]:
        """What ``saring status`` shows."""
        return {
            "edns": self.edns(now_s),
            "cookies": self.cookies(now_s),
            "folds_case": self.folds_case(now_s),
        }

    def _renew(self, local: str, now_s: float) -> None:
        # Replies to queries under way carry the cookie before; but not to another address of ours.
        self._before = self._client if local == self._local else b""
        self._client = self._random_octets(_CLIENT_SIZE)
        self._server = b""
        self._local = local
        self._renew_s = now_s + _RENEW_S
        self._make_opts()

    def _make_opts(self) -> None:
        cookie = option(EdnsOption.COOKIE, self._client + self._server)
        self._opts = (opt(UDP_SIZE_BYTES, 0, False, cookie), opt(UDP_SIZE_BYTES, 0, True, cookie))

    def _is_ours(self, cookie: bytes) -> bool:
        # RFC 7873 5.3: the client part must be what was sent; the server's has 8 to 32 octets.
        client = cookie[:_CLIENT_SIZE]
        fits = _MIN_SERVER_SIZE <= len(cookie) - _CLIENT_SIZE <= _MAX_SERVER_SIZE
        return fits and client in (self._client, self._before) and bool(client)

    def _learn(self, cookie: bytes) -> None:
        server = cookie[_CLIENT_SIZE:]
        if server != self._server and cookie.startswith(self._client):
            self._server = server
            self._make_opts()


def _cookie(reply_options: bytes | None) -> bytes | None:
    """The data of the first COOKIE option."""
    if reply_options:
        for code, data in options(reply_options):
            if code == EdnsOption.COOKIE:
                return data
    return None
