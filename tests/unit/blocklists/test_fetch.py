"""Fetching against a real local server, and every way in which a server or a file can be no good."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from blocklists.addresses import why_not_public
from blocklists.download import Failure, FetchError
from blocklists.fetch import Fetched, Fetcher, NotModified, Validators
from blocklists.source import Source
from tests.support.archives import CATEGORIES, compressed, tar_of
from tests.support.lists import Recorder

CONTENT = b"".join(b"situs%d.example\n" % number for number in range(5000))
NOTHING = Validators()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """An HTTP server on loopback; ``routes`` may be filled until a request comes. ``seen``: the requests' headers."""

    def __init__(self) -> None:
        self.routes: dict[str, Handler] = {}
        self.seen: list[dict[str, str]] = []
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(dict(request.headers))
        return await self.routes[request.path](request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = web.ServerRunner(web.Server(server.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


def source(location: str, **limits: object) -> Source:
    return Source("contoh", location, **{"allow_private": True, **limits})  # type: ignore[arg-type]  # limits of Source


async def fetch(location: str, tmp_path: Path, known: Validators = NOTHING, **limits: object) -> Fetched | NotModified:
    return await Fetcher().fetch(source(location, **limits), known, tmp_path / "content")


async def refused(location: str, tmp_path: Path, fetcher: Fetcher | None = None, **limits: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await (fetcher or Fetcher()).fetch(source(location, **limits), Validators(), tmp_path / "content")
    assert not (tmp_path / "content").exists(), "a failed fetch leaves no file"
    assert str(caught.value).endswith("."), "a sentence"
    return caught.value


def answering(body: bytes, status: int = 200, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(
            body=body, status=status, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    return handler


def redirecting(target: str) -> Handler:
    return answering(b"", 302, Location=target)


async def test_a_list_is_fetched_with_digest_and_validators(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(CONTENT, ETag='"v1"', Last_Modified="Tue, 24 Nov 2026 05:00:00 GMT")
    recorder = Recorder()
    fetched = await Fetcher().fetch(source(server.url("/list")), Validators(), tmp_path / "content", recorder)
    assert isinstance(fetched, Fetched)
    assert fetched.path.read_bytes() == CONTENT
    assert fetched.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert fetched.size_bytes == len(CONTENT)
    assert fetched.validators == Validators('"v1"', "Tue, 24 Nov 2026 05:00:00 GMT")
    assert recorder.units() == len(CONTENT)
    assert "If-None-Match" not in server.seen[0]


async def test_a_conditional_request_carries_the_validators_and_304_is_not_modified(
    server: Server, tmp_path: Path
) -> None:
    server.routes["/list"] = answering(b"", 304)
    known = Validators('"v1"', "Tue, 24 Nov 2026 05:00:00 GMT")
    assert await fetch(server.url("/list"), tmp_path, known) == NotModified()
    assert server.seen[0]["If-None-Match"] == '"v1"'
    assert server.seen[0]["If-Modified-Since"] == "Tue, 24 Nov 2026 05:00:00 GMT"


async def test_304_to_an_unconditional_request_is_an_error(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(b"", 304)
    assert (await refused(server.url("/list"), tmp_path)).code is Failure.STATUS


async def test_an_absurdly_long_validator_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(CONTENT, ETag='"' + "x" * 2000 + '"')
    fetched = await fetch(server.url("/list"), tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.validators == Validators()


@pytest.mark.parametrize("headers", [{"Content_Encoding": "gzip"}, {"Content_Type": "application/gzip"}])
async def test_gzip_is_inflated_whatever_it_is_called(headers: dict[str, str], server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(
        gzip.compress(CONTENT[:30_000]) + gzip.compress(CONTENT[30_000:]) + b"\0" * 9, **headers
    )
    fetched = await fetch(server.url("/list"), tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.path.read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["zstd", "xz", "gzip"])
async def test_lists_come_compressed_in_every_way(how: str, server: Server, tmp_path: Path) -> None:
    server.routes["/sent"] = answering(compressed(CONTENT, how), Content_Encoding=how)
    server.routes["/twice"] = answering(compressed(compressed(CONTENT, "xz"), how), Content_Encoding=how)
    server.routes["/lie"] = answering(compressed(CONTENT, "gzip" if how != "gzip" else "zstd"), Content_Encoding=how)
    for path in ("/sent", "/twice"):
        fetched = await fetch(server.url(path), tmp_path)
        assert isinstance(fetched, Fetched)
        assert fetched.path.read_bytes() == CONTENT
    assert (await refused(server.url("/lie"), tmp_path)).code is Failure.ENCODING


async def test_a_category_comes_out_of_an_archive_from_the_network(server: Server, tmp_path: Path) -> None:
    server.routes["/all.tar.gz"] = answering(compressed(tar_of(CATEGORIES), "gzip"), Content_Type="application/gzip")
    fetched = await fetch(server.url("/all.tar.gz"), tmp_path, member="blacklists/judi")
    assert isinstance(fetched, Fetched)
    assert b"judi1.example\n" in fetched.path.read_bytes()
    assert (await refused(server.url("/all.tar.gz"), tmp_path)).code is Failure.MEMBER


async def test_a_pinned_list_is_asked_for_as_it_is(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(CONTENT)
    assert isinstance(await fetch(server.url("/list"), tmp_path, sha256=hashlib.sha256(CONTENT).hexdigest()), Fetched)
    assert server.seen[-1]["Accept-Encoding"] == "identity"
    assert (await refused(server.url("/list"), tmp_path, sha256="0" * 64)).code is Failure.PIN
    await fetch(server.url("/list"), tmp_path)
    assert server.seen[-1]["Accept-Encoding"] == "zstd, gzip"


async def test_a_gzip_bomb_is_stopped_at_the_limit(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(gzip.compress(bytes(50 << 20)))
    error = await refused(server.url("/list"), tmp_path, max_size_bytes=1 << 20)
    assert error.code is Failure.TOO_LARGE
    assert "once inflated" in error.sentence


async def test_a_header_over_the_limit_is_enough(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(CONTENT)
    error = await refused(server.url("/list"), tmp_path, max_size_bytes=1000)
    assert error.code is Failure.TOO_LARGE


async def test_a_body_without_announced_size_is_stopped_at_the_limit(server: Server, tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(CONTENT)
        return response

    server.routes["/list"] = endless
    error = await refused(server.url("/list"), tmp_path, max_size_bytes=1 << 20)
    assert error.code is Failure.TOO_LARGE


@asynccontextmanager
async def raw_server(answer: bytes, hold: bool = False) -> AsyncIterator[str]:
    """The URL of a server that sends these octets to each request, then closes, or waits for the client to give up."""
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.append(task)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if hold:
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/list"
        await asyncio.gather(*serving)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + CONTENT[:1000],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + CONTENT[:1000] + b"\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + gzip.compress(CONTENT)[:-20],
    ],
    ids=["shorter than announced", "chunks without end", "gzip without end"],
)
async def test_a_body_that_breaks_off_is_truncated(answer: bytes, tmp_path: Path) -> None:
    async with raw_server(answer) as url:
        assert (await refused(url, tmp_path)).code is Failure.TRUNCATED


async def test_a_silent_server_is_left(tmp_path: Path) -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nabc", hold=True) as url:
        error = await refused(url, tmp_path, Fetcher(read_timeout_s=0.05))
        assert error.code is Failure.TIMEOUT
        assert "nothing for 0.05 s" in error.sentence


async def test_the_time_for_all_of_it_is_bounded(tmp_path: Path) -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nabc", hold=True) as url:
        error = await refused(url, tmp_path, timeout_s=0.05)
        assert error.code is Failure.TIMEOUT
        assert "longer than 0.05 s" in error.sentence


@pytest.mark.parametrize("status", [403, 404, 206, 204, 500])
async def test_other_statuses_are_errors_that_name_them(status: int, server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(b"", status)
    error = await refused(server.url("/list"), tmp_path)
    assert error.code is Failure.STATUS
    assert str(status) in error.sentence


async def test_an_encoding_not_asked_for_is_an_error(server: Server, tmp_path: Path) -> None:
    server.routes["/br"] = answering(CONTENT, Content_Encoding="br")
    server.routes["/lie"] = answering(CONTENT, Content_Encoding="gzip")
    assert (await refused(server.url("/br"), tmp_path)).code is Failure.ENCODING
    assert (await refused(server.url("/lie"), tmp_path)).code is Failure.ENCODING


async def test_damaged_gzip_is_an_error(server: Server, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(CONTENT))
    packed[200:260] = bytes(60)
    server.routes["/list"] = answering(bytes(packed))
    assert (await refused(server.url("/list"), tmp_path)).code is Failure.ENCODING


async def test_redirects_are_followed_to_an_end(server: Server, tmp_path: Path) -> None:
    server.routes["/old"] = redirecting("/middle")
    server.routes["/middle"] = redirecting(server.url("/new"))
    server.routes["/new"] = answering(CONTENT)
    fetched = await fetch(server.url("/old"), tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.location == server.url("/new")


async def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = redirecting("/list")
    assert (await refused(server.url("/list"), tmp_path)).code is Failure.REDIRECT
    assert len(server.seen) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://203.0.113.5/list", "http://", "gopher:x", "//[bad"])
async def test_a_redirect_leads_to_http_only(target: str, server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = redirecting(target)
    assert (await refused(server.url("/list"), tmp_path)).code is Failure.REDIRECT


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.88.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2001:db8::1",
        "3fff::1",
        "fec0::1",
        "5f00::1",
        "::7f00:1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::a00:1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "nonsense",
    ],
)
async def test_an_address_that_is_not_public_is_refused(address: str, tmp_path: Path) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1", address]  # one good address excuses no bad one

    assert why_not_public(address)
    error = await refused("http://daftar.example/list", tmp_path, Fetcher(resolve), allow_private=False)
    assert error.code is Failure.ADDRESS
    assert address in error.sentence
    assert "allow_private" in error.sentence


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are_public(address: str) -> None:
    assert why_not_public(address) is None


async def test_a_redirect_into_the_private_network_is_refused(server: Server, tmp_path: Path) -> None:
    """The first hop is allowed only by a resolver that calls loopback public: what is tested is the second."""
    server.routes["/list"] = redirecting("http://rahasia.example/admin")
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["1.1.1.1"] if host == "daftar.example" else ["10.0.0.1"]

    fetcher = Fetcher(resolve)
    addresses = fetcher._addresses

    async def to_loopback(wanted: Source, url: object) -> list[str]:
        await addresses(wanted, url)  # type: ignore[arg-type]  # the URL is handed through
        return ["127.0.0.1"]

    fetcher._addresses = to_loopback  # type: ignore[method-assign,assignment]  # the test's server is on loopback
    error = await refused(server.url("/list", "daftar.example"), tmp_path, fetcher, allow_private=False)
    assert error.code is Failure.ADDRESS
    assert "rahasia.example is at 10.0.0.1" in error.sentence
    assert asked == ["daftar.example", "rahasia.example"]
    assert len(server.seen) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "[::1]"])
async def test_all_ways_to_write_loopback_are_one(host: str, tmp_path: Path) -> None:
    error = await refused(f"http://{host}:9/list", tmp_path, allow_private=False)
    assert error.code is Failure.ADDRESS


async def test_a_name_is_resolved_once_and_pinned(server: Server, tmp_path: Path) -> None:
    server.routes["/list"] = answering(CONTENT)
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    fetched = await Fetcher(resolve).fetch(
        source(server.url("/list", "daftar.example")), Validators(), tmp_path / "content"
    )
    assert isinstance(fetched, Fetched)
    assert asked == ["daftar.example"]
    assert server.seen[0]["Host"] == f"daftar.example:{server.port}"


async def test_no_address_and_no_server_are_unreachable(tmp_path: Path) -> None:
    async def nothing(host: str, port: int) -> list[str]:
        return []

    async def fails(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    for resolve in (nothing, fails):
        error = await refused("http://daftar.example/list", tmp_path, Fetcher(resolve))
        assert error.code is Failure.UNREACHABLE
    async with raw_server(b"") as url:
        pass
    assert (await refused(url, tmp_path)).code is Failure.UNREACHABLE


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "file://localhost{path}"])
async def test_a_file_is_fetched_and_known_again(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a list.txt"
    path.write_bytes(CONTENT)
    location = form.format(path=str(path) if form == "{path}" else str(path).replace(" ", "%20"))
    fetched = await fetch(location, tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.path.read_bytes() == CONTENT
    assert await fetch(location, tmp_path, fetched.validators) == NotModified()
    os.utime(path, ns=(1, 1))
    assert isinstance(await fetch(location, tmp_path, fetched.validators), Fetched)


async def test_a_gzip_file_is_inflated(tmp_path: Path) -> None:
    path = tmp_path / "list.gz"
    path.write_bytes(gzip.compress(CONTENT))
    fetched = await fetch(str(path), tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.path.read_bytes() == CONTENT


async def test_what_is_no_readable_file_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for location in (str(tmp_path / "none"), str(tmp_path / "fifo"), "file://host/etc/x", "ftp://x/y"):
        assert (await refused(location, tmp_path)).code is Failure.FILE
    path = tmp_path / "big"
    path.write_bytes(CONTENT)
    assert (await refused(str(path), tmp_path, max_size_bytes=10)).code is Failure.TOO_LARGE


@pytest.mark.parametrize("content", [b"", b"\x1f", b"a"])
async def test_the_smallest_files_are_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(content)
    fetched = await fetch(str(path), tmp_path)
    assert isinstance(fetched, Fetched)
    assert fetched.path.read_bytes() == content
