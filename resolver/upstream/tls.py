"""TLS without sockets: octets in, octets out. Who the server is is proven before anything is said to it.

RFC 8310, strict profile only: the certificate must be for the name that the configuration gives, by an authority that
is trusted, or hold a pinned key, or both where both are configured. There is no opportunistic mode to fall back to.
asyncio's own TLS cannot resume sessions; here each connection after the first is spared a round of signatures.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

from resolver.upstream.public_key import pin_of

_READ_BYTES: Final = 16_384  # a TLS record (RFC 8446 5.1)


class TlsRefused(Exception):  # noqa: N818 - a refusal, not a fault of ours
    """The server did not prove to be who it must be, or does not speak TLS as agreed. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a server must prove to be. ``name``: of its certificate ("": pins alone count); ``protocol``: in ALPN."""

    context: ssl.SSLContext
    name: str
    pins: frozenset[str]
    protocol: str = ""


class TlsPipe:
    """One connection's TLS. ``ready``: the server has proven to be who it must be; ``closed``: it has said goodbye."""

    __slots__ = ("_identity", "_incoming", "_outgoing", "_tls", "closed", "ready")

    def __init__(self, identity: Identity, session: ssl.SSLSession | None) -> None:
        self._identity = identity
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = identity.context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=identity.name or None, session=session
        )
        self.ready = False
        self.closed = False

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later connection may resume."""
        return self._tls.session if self.ready else None

    @property
    def resumed(self) -> bool:
        """Whether this connection resumed an earlier one's session."""
        return bool(self._tls.session_reused)

    def begin(self) -> None:
        """Starts the handshake."""
        self._shake_hands()

    def received(self, data: bytes) -> bytes:
        """What the server says in ``data``. Raises ``TlsRefused``."""
        self._incoming.write(data)
        if not self.ready:
            self._shake_hands()
            if not self.ready:
                return b""
        said: list[bytes] = []
        try:
            while part := self._tls.read(_READ_BYTES):
                said.append(part)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            raise TlsRefused(_words(error)) from None
        return b"".join(said)

    def write(self, octets: bytes) -> None:
        """Encrypts ``octets``; only when ``ready``."""
        self._tls.write(octets)

    def to_send(self) -> bytes:
        """What is to go to the server now."""
        return self._outgoing.read()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLCertVerificationError as error:
            raise TlsRefused(f"its certificate is not accepted: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise TlsRefused(_words(error)) from None
        self._check()
        self.ready = True

    def _check(self) -> None:
        wanted = self._identity
        if wanted.pins:
            certificate = self._tls.getpeercert(binary_form=True)
            try:
                pin = pin_of(certificate or b"")
            except ValueError:
                raise TlsRefused("its certificate cannot be read") from None
            if pin not in wanted.pins:
                raise TlsRefused(f"its key has the pin sha256/{pin}, which is not among those configured")
        if wanted.protocol and self._tls.selected_alpn_protocol() != wanted.protocol:
            raise TlsRefused(f"it does not speak {wanted.protocol}")


def context(ca_file: str, verified: bool, protocol: str) -> ssl.SSLContext:
    """A context for servers whose certificates are verified by name, or (where pins alone count) are not.

    ``ca_file``: a PEM file, "" for the system's. Raises ``OSError`` or ``ssl.SSLError`` for a file that is none.
    """
    made = ssl.create_default_context(cafile=ca_file or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 3.1.1
    if not verified:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if protocol:
        made.set_alpn_protocols([protocol])
    return made


def _words(error: ssl.SSLError) -> str:
    return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
