"""A list from its source into a file: local files, and HTTP with conditional requests.

Order of a hop, because the order is the defence: scheme, resolve once, check every address, connect to exactly those
addresses (a second look-up could give others), no redirect followed unseen.
"""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from blocklists.addresses import Resolve, system_resolve, why_not_public
from blocklists.download import Download, Failure, FetchError
from blocklists.fetched import Fetched, NotModified, Validators
from blocklists.local import from_disk
from blocklists.progress import Progress, Silent
from blocklists.source import Source

__all__ = ["Fetched", "Fetcher", "NotModified", "Validators"]

_MAX_HOPS: Final = 5
_BLOCK_SIZE: Final = 1 << 18
_MAX_VALIDATOR: Final = 1024
_CONNECT_TIMEOUT_S: Final = 15.0
_READ_TIMEOUT_S: Final = 60.0
# Content-Encoding to the compression it is; what was asked for, or what servers say without being asked.
_ENCODINGS: Final = {"": "", "identity": "", "gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd", "xz": "xz", "x-xz": "xz"}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_USER_AGENT: Final = "Saring/0 (blocklist sync)"


class Fetcher:
    """Fetches sources. ``resolve`` turns a host into numeric addresses; ``read_timeout_s`` bounds a silent server."""

    def __init__(self, resolve: Resolve = system_resolve, read_timeout_s: float = _READ_TIMEOUT_S) -> None:
        self._resolve = resolve
        self._read_timeout_s = read_timeout_s

    async def fetch(
        self, source: Source, known: Validators, into: Path, progress: Progress | None = None
    ) -> Fetched | NotModified:
        """Fetches ``source`` into the file ``into``. Raises ``FetchError``, and then leaves no file."""
        try:
            async with asyncio.timeout(source.timeout_s):
                if urlsplit(source.location).scheme.lower() in ("http", "https"):
                    found = await self._http(source, known, into, progress or Silent())
                else:
                    found = await asyncio.to_thread(from_disk, source, known, into)
        except TimeoutError as error:
            _remove(into)
            sentence = f"{source.location} took longer than {source.timeout_s:g} s. Sync again, or raise timeout_s."
            raise FetchError(Failure.TIMEOUT, sentence) from error
        except BaseException:
            _remove(into)
            raise
        return found

    async def _http(self, source: Source, known: Validators, into: Path, progress: Progress) -> Fetched | NotModified:
        url = _url(source.location, source.location)
        for _ in range(_MAX_HOPS + 1):
            found = await self._hop(source, url, known, into, progress)
            if not isinstance(found, URL):
                return found
            if url.scheme == "https" and found.scheme != "https":
                raise FetchError(
                    Failure.REDIRECT, f"{url} redirects from https to {found}, which anybody on the way can change."
                )
            url = found
        raise FetchError(
            Failure.REDIRECT, f"{source.location} redirects more than {_MAX_HOPS} times. Enter the last URL."
        )

    async def _hop(
        self, source: Source, url: URL, known: Validators, into: Path, progress: Progress
    ) -> Fetched | NotModified | URL:
        addresses = await self._addresses(source, url)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=self._read_timeout_s)
        connector = aiohttp.TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False, force_close=True)
        session = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        try:
            async with session, session.get(url, headers=_headers(source, known), allow_redirects=False) as response:
                return await _answer(source, url, response, known, into, progress)
        except TimeoutError as error:
            raise FetchError(
                Failure.TIMEOUT, f"{url} does not answer: nothing for {self._read_timeout_s:g} s. Sync again later."
            ) from error
        except aiohttp.ClientPayloadError as error:
            raise FetchError(
                Failure.TRUNCATED, f"{url} broke off before the end that its header announced ({error}). Sync again."
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise FetchError(
                Failure.UNREACHABLE, f"{url} cannot be reached: {error}. Check the URL and this machine's way out."
            ) from error

    async def _addresses(self, source: Source, url: URL) -> list[str]:
        host = url.host or ""
        port = url.port or 443
        try:
            # getaddrinfo also reads 127.1, 0x7f000001 and the like, so that what is checked is what is connected to.
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise FetchError(
                Failure.UNREACHABLE,
                f"{url}: the name {host} cannot be resolved ({error}). Check it and the upstream DNS.",
            ) from error
        if not addresses:
            raise FetchError(Failure.UNREACHABLE, f"{url}: the name {host} has no address. Check the URL.")
        for address in () if source.allow_private else addresses:
            # One forbidden address among good ones is how rebinding begins: refuse them all.
            if reason := why_not_public(address):
                raise FetchError(
                    Failure.ADDRESS,
                    f"{url}: {host} is at {address}, which {reason}. If the list is really served there,"
                    f" set allow_private for {source.code}.",
                )
        return addresses


class _Pinned(AbstractResolver):
    """Gives the connector the addresses that were checked, and asks nobody."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        return


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _url(text: str, location: str) -> URL:
    try:
        url = URL(text)
    except ValueError as error:
        raise FetchError(Failure.REDIRECT, f"{location}: {text!r} is no URL ({error}).") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchError(Failure.REDIRECT, f"{location} leads to {text!r}; only http and https are followed.")
    return url


def _headers(source: Source, known: Validators) -> dict[str, str]:
    # A pinned digest is that of the file, not of what a server compressed it to on the way.
    encodings = "identity" if source.sha256 else "zstd, gzip"
    headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": encodings, "Accept": "*/*"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return headers


async def _answer(
    source: Source, url: URL, response: aiohttp.ClientResponse, known: Validators, into: Path, progress: Progress
) -> Fetched | NotModified | URL:
    if response.status in _REDIRECTS and "Location" in response.headers:
        try:
            target = url.join(URL(response.headers["Location"]))
        except ValueError as error:
            raise FetchError(Failure.REDIRECT, f"{url} redirects to something that is no URL ({error}).") from error
        return _url(str(target), str(url))
    if response.status == HTTPStatus.NOT_MODIFIED and known != Validators():
        return NotModified()
    if response.status != HTTPStatus.OK:
        sentence = f"{url} answered {response.status} {response.reason or ''}".rstrip()
        raise FetchError(Failure.STATUS, f"{sentence}. Open the URL in a browser; the list may have moved.")
    return await _body(source, url, response, into, progress)


async def _body(source: Source, url: URL, response: aiohttp.ClientResponse, into: Path, progress: Progress) -> Fetched:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in _ENCODINGS:
        raise FetchError(Failure.ENCODING, f"{url} answers in {encoding!r}, though only gzip and zstd were asked for.")
    expected = response.content_length
    if expected is not None and expected > source.max_size_bytes:
        sentence = (
            f"{url} has {expected:,} bytes, its limit is {source.max_size_bytes:,}. Raise max_size_bytes if right."
        )
        raise FetchError(Failure.TOO_LARGE, sentence)
    progress.start(f"fetch {source.code}", expected or 0)
    download = Download(into, str(url), source)
    try:
        async for block in response.content.iter_chunked(_BLOCK_SIZE):
            await asyncio.to_thread(download.write, block)
            progress.advance(len(block))
        _check_complete(url, expected, encoding, download)
        await asyncio.to_thread(download.finish)
    finally:
        download.close()
        progress.done()
    return Fetched(into, download.sha256, download.written, _validators(response), str(url))


def _check_complete(url: URL, expected: int | None, encoding: str, download: Download) -> None:
    if expected is not None and download.received != expected:
        sentence = f"{url} broke off: {download.received:,} of {expected:,} bytes came. Sync again."
        raise FetchError(Failure.TRUNCATED, sentence)
    stated = _ENCODINGS[encoding]
    if stated and download.received and stated not in download.encodings[:1]:
        raise FetchError(Failure.ENCODING, f"{url} says that it sends {stated}, and sends something else.")


def _validators(response: aiohttp.ClientResponse) -> Validators:
    etag = response.headers.get("ETag", "")
    last_modified = response.headers.get("Last-Modified", "")
    # They are sent back as they came; an absurdly long one is better not kept.
    return Validators(etag if len(etag) <= _MAX_VALIDATOR else "", last_modified if len(last_modified) <= 64 else "")
