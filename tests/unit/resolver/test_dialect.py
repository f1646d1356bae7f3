"""What is learnt of a server in clear text, and from whom it is believed."""

from __future__ import annotations

import random

import pytest

from dnswire.edns import option, options
from resolver.upstream.dialect import Dialect
from resolver.upstream.message import ACCEPT, LOST_EDNS, NO_COOKIE, WRONG_CASE, WRONG_COOKIE, WRONG_ID

SERVER_COOKIE = bytes(range(100, 116))
HERE = "192.0.2.10"


@pytest.fixture
def dialect() -> Dialect:
    return Dialect(random.Random(1).randbytes, 900.0)


def sent_cookie(dialect: Dialect, local: str = HERE, now_s: float = 0.0) -> bytes:
    opt = dialect.opt(False, local, now_s)
    ((code, data),) = options(opt[11:])
    assert code == 10
    return data


def reply(*cookies: bytes) -> bytes:
    return b"".join(option(10, cookie) for cookie in cookies)


# RFC 7873 5.1 and 5.2: first the client's 8 octets alone, then with what the server has answered.
def test_a_cookie_is_offered_learnt_and_shown(dialect: Dialect) -> None:
    client = sent_cookie(dialect)
    assert len(client) == 8
    assert not dialect.cookies(0.0)
    assert dialect.check(True, reply(client + SERVER_COOKIE), 0.0) == ACCEPT
    assert sent_cookie(dialect) == client + SERVER_COOKIE
    assert dialect.cookies(0.0)


def test_do_is_kept_beside_the_cookie(dialect: Dialect) -> None:
    plain, do = dialect.opt(False, HERE, 0.0), dialect.opt(True, HERE, 0.0)
    assert (plain[7] & 0x80, do[7] & 0x80) == (0, 0x80)
    assert plain[11:] == do[11:]


# RFC 7873 5.3: a reply whose client cookie is not the one that was sent is discarded.
@pytest.mark.parametrize(
    "change", [lambda c: b"\0" * 8 + c[8:], lambda c: c[:8], lambda c: c[:15], lambda c: c + b"x" * 17]
)
def test_a_reply_with_another_cookie_or_one_of_a_wrong_size_is_none(dialect: Dialect, change: object) -> None:
    client = sent_cookie(dialect)
    assert callable(change)
    assert dialect.check(True, reply(change(client + SERVER_COOKIE)), 0.0) == WRONG_COOKIE
    assert sent_cookie(dialect) == client, "nothing was learnt from it"


def test_a_reply_without_a_cookie_is_believed_only_until_the_server_has_sent_one(dialect: Dialect) -> None:
    client = sent_cookie(dialect)
    assert dialect.check(True, None, 0.0) == ACCEPT
    assert dialect.check(True, b"", 0.0) == ACCEPT
    dialect.check(True, reply(client + SERVER_COOKIE), 0.0)
    assert dialect.check(True, None, 0.0) == NO_COOKIE
    assert dialect.check(True, option(3, b"x"), 0.0) == NO_COOKIE
    assert dialect.check(False, None, 0.0) == ACCEPT, "a query without EDNS asked for none"


# RFC 9018 3: nobody may follow a client by its cookie from one of its addresses to another.
def test_each_address_of_ours_has_a_cookie_of_its_own_and_each_day(dialect: Dialect) -> None:
    first = sent_cookie(dialect)
    dialect.check(True, reply(first + SERVER_COOKIE), 0.0)
    elsewhere = sent_cookie(dialect, "192.0.2.11")
    assert len(elsewhere) == 8
    assert elsewhere != first
    assert dialect.check(True, reply(first + SERVER_COOKIE), 0.0) == WRONG_COOKIE
    tomorrow = sent_cookie(dialect, "192.0.2.11", 86_401.0)
    assert tomorrow != elsewhere
    assert dialect.check(True, reply(elsewhere + SERVER_COOKIE), 86_401.0) == ACCEPT, "it was on its way"
    assert sent_cookie(dialect, "192.0.2.11", 86_401.0) == tomorrow, "and a cookie for another is not shown"


def test_what_tcp_says_is_believed_and_for_a_while(dialect: Dialect) -> None:
    client = sent_cookie(dialect)
    dialect.check(True, reply(client + SERVER_COOKIE), 0.0)
    dialect.heard_by_tcp(True, False, True, None, 10.0)
    assert dialect.folds_case(909.0)
    assert not dialect.folds_case(910.0)
    assert dialect.check(True, None, 909.0) == ACCEPT
    dialect.check(True, reply(client + SERVER_COOKIE), 909.0)
    assert dialect.check(True, None, 909.5) == ACCEPT, "a cookie among others without is no reason to expect one"
    assert dialect.check(True, None, 910.0) == NO_COOKIE
    dialect.heard_by_tcp(True, True, True, reply(client + SERVER_COOKIE), 20.0)
    assert not dialect.folds_case(21.0)
    assert dialect.keeps_case
    assert dialect.check(True, None, 21.0) == NO_COOKIE


@pytest.mark.parametrize(
    ("kind", "weaker"),
    [
        (WRONG_CASE, lambda d: d.folds_case(1.0)),
        (NO_COOKIE, lambda d: d.check(True, None, 1.0) == ACCEPT),
        (LOST_EDNS, lambda d: not d.edns(1.0)),
    ],
)
def test_without_tcp_it_takes_three_in_a_row(dialect: Dialect, kind: int, weaker: object) -> None:
    assert callable(weaker)
    dialect.check(True, reply(sent_cookie(dialect) + SERVER_COOKIE), 0.0)
    for other in (kind, kind, WRONG_ID, kind, kind):
        dialect.suspect(other)
        dialect.has_no_tcp(0.0)
        assert not weaker(dialect)
    dialect.heard(False, True)
    for _ in range(2):
        dialect.suspect(kind)
        dialect.has_no_tcp(0.0)
        assert not weaker(dialect), "a sound reply between them"
    dialect.suspect(kind)
    dialect.has_no_tcp(0.0)
    assert weaker(dialect)


def test_one_that_has_kept_the_case_of_names_is_never_believed_to_have_stopped(dialect: Dialect) -> None:
    dialect.heard(True, True)
    for _ in range(10):
        dialect.suspect(WRONG_CASE)
        dialect.has_no_tcp(0.0)
    assert not dialect.folds_case(0.0)
    dialect.heard_by_tcp(True, False, True, None, 0.0)
    assert dialect.folds_case(0.0), "but where it says so itself, it is"
