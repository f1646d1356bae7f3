"""The group against servers that others wrote: NSD (authoritative) and Unbound (recursive)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dnswire.answer import records
from dnswire.constants import FLAG_CD, Rcode
from dnswire.name import from_text
from resolver.settings import UpstreamServer
from resolver.upstream.failure import UpstreamFailure
from resolver.upstream.group import UpstreamGroup
from resolver.upstream.limits import GroupSettings
from tests.support.nameservers import RunningServer, nsd, unbound

ZONE = """
$ORIGIN kantor.example.
$TTL 300
@       IN SOA  ns admin 1 7200 900 86400 60
@       IN NS   ns
ns      IN A    127.0.0.1
www     IN A    192.0.2.10
www     IN AAAA 2001:db8::10
alias   IN CNAME www
"""
ZONE += "".join(f'big IN TXT "{"x" * 200}{n:03}"\n' for n in range(100))
ZONE += "".join(f"n{n} IN A 192.0.2.{n % 250}\n" for n in range(500))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with nsd(tmp_path_factory.mktemp("nsd"), {"kantor.example": ZONE}) as server:
        yield server


@pytest.fixture
async def group(authority: RunningServer) -> AsyncIterator[UpstreamGroup]:
    made = UpstreamGroup([UpstreamServer(authority.address, authority.port)])
    yield made
    await made.close()


async def test_an_answer(group: UpstreamGroup) -> None:
    answer = (await group.exchange(from_text("www.kantor.example"), 28, 1, False, False)).answer
    assert next(records(answer)).rdata.hex() == "20010db8000000000000000000000010"
    assert (answer.rcode, answer.ttl_s) == (Rcode.NOERROR, 300)


async def test_an_alias(group: UpstreamGroup) -> None:
    answer = (await group.exchange(from_text("alias.kantor.example"), 1, 1, False, False)).answer
    assert answer.aliases == (from_text("www.kantor.example"),)
    assert bytes((192, 0, 2, 10)) in answer.addresses


async def test_a_name_that_does_not_exist(group: UpstreamGroup) -> None:
    answer = (await group.exchange(from_text("no.kantor.example"), 1, 1, False, False)).answer
    assert (answer.rcode, answer.ttl_s) == (Rcode.NXDOMAIN, 60)


async def test_a_type_that_does_not_exist(group: UpstreamGroup) -> None:
    answer = (await group.exchange(from_text("www.kantor.example"), 16, 1, False, False)).answer
    assert (answer.rcode, answer.ancount, answer.ttl_s) == (Rcode.NOERROR, 0, 60)


async def test_an_answer_of_21_kilobytes_comes_by_tcp(group: UpstreamGroup) -> None:
    answer = (await group.exchange(from_text("big.kantor.example"), 16, 1, False, False)).answer
    assert answer.ancount == 100
    assert len(answer.message) > 20_000
    assert (group.counters()[0]["truncated"], group.counters()[0]["sent_tcp"]) == (1, 1)


async def test_a_name_of_others_is_refused_and_the_refusal_passed_on(group: UpstreamGroup) -> None:
    answer = (await group.exchange(from_text("www.elsewhere.example"), 1, 1, False, False)).answer
    assert answer.rcode == Rcode.REFUSED


async def test_five_hundred_at_once(group: UpstreamGroup) -> None:
    asked = [group.exchange(from_text(f"n{n}.kantor.example"), 1, 1, False, False) for n in range(500)]
    answers = await asyncio.gather(*asked)
    assert [e.answer.addresses[0][3] for e in answers] == [n % 250 for n in range(500)]
    assert group.outstanding == 0
    assert group.counters()[0]["near_misses"] == {}


async def test_a_frozen_server_is_left_for_the_next_and_found_again(authority: RunningServer, tmp_path: Path) -> None:
    settings = GroupSettings(attempt_s=0.1, deadline_s=5.0, first_backoff_s=0.1)
    with unbound(tmp_path, ["www.kantor.example. 60 IN A 192.0.2.99"]) as first:
        servers = [UpstreamServer(s.address, s.port) for s in (first, authority)]
        group = UpstreamGroup(servers, settings)
        name = from_text("www.kantor.example")
        try:
            assert (await group.exchange(name, 1, 1, False, False)).upstream == 1
            first.freeze()
            for rrtype in (1, 28, 16):
                assert (await group.exchange(name, rrtype, 1, False, False)).upstream == 2
            assert group.counters()[0]["up"] is False
            first.thaw()
            async with asyncio.timeout(10):
                while (await group.exchange(name, 1, 1, False, False)).upstream != 1:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.01)
            assert group.counters()[0]["up"] is True
        finally:
            await group.close()


async def test_a_recursive_server_gets_and_gives_what_was_asked(tmp_path: Path) -> None:
    data = ["www.sekolah.example. 60 IN A 192.0.2.20", "www.sekolah.example. 60 IN TXT hello"]
    with unbound(tmp_path, data) as server:
        group = UpstreamGroup([UpstreamServer(server.address, server.port)])
        try:
            name = from_text("www.sekolah.example")
            plain, checked = await asyncio.gather(
                group.exchange(name, 1, 1, False, False), group.exchange(name, 1, 1, True, True)
            )
            assert plain.answer.addresses == checked.answer.addresses == (bytes((192, 0, 2, 20)),)
            assert not plain.answer.flags & FLAG_CD
            assert checked.answer.flags & FLAG_CD
            nothing = await group.exchange(from_text("gone.sekolah.example"), 1, 1, False, False)
            assert nothing.answer.rcode == Rcode.NXDOMAIN
        finally:
            await group.close()


async def test_a_server_stopped_under_load_fails_over_without_a_lost_query(
    authority: RunningServer, tmp_path: Path
) -> None:
    settings = GroupSettings(attempt_s=0.2, deadline_s=5.0)
    servers: list[UpstreamServer] = []
    with unbound(tmp_path, [f"n{n}.kantor.example. 60 IN A 192.0.2.{n % 250}" for n in range(500)]) as first:
        servers = [UpstreamServer(s.address, s.port) for s in (first, authority)]
        group = UpstreamGroup(servers, settings)
        before = await asyncio.gather(
            *(group.exchange(from_text(f"n{n}.kantor.example"), 1, 1, False, False) for n in range(100))
        )
        first.freeze()
        asked = [
            asyncio.ensure_future(group.exchange(from_text(f"n{n}.kantor.example"), 1, 1, True, False))
            for n in range(200)
        ]
        await asyncio.sleep(0)
    try:
        after = await asyncio.gather(*asked)
        assert {e.upstream for e in before} == {1}
        assert [e.answer.addresses[0][3] for e in after] == [n % 250 for n in range(200)]
    except UpstreamFailure as failed:
        pytest.fail(f"a query was lost: {failed.reason}")
    finally:
        await group.close()
