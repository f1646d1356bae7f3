"""Users, tokens and lists from the command line, in a real SQLite database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from admin_api.migrations import upgrade
from admin_api.models import Audit
from admin_api.rest.auth import FailedAttempts, authenticate
from admin_api.rest.problem import Problem
from saring.bootstrap import BootstrapError, import_document, read_document
from saring.config import load
from saring.control import Control, open_control
from saring.new_list import ListRefusedError, NewList, add_list
from saring.people import (
    NewToken,
    PeopleError,
    create_token,
    create_user,
    list_tokens,
    list_users,
    local_actor,
    revoke_token,
    set_active,
)
from saring.state_dir import StateDir

NOW_S = 1_800_000_000.0
RANDOM = bytes(range(32))

DOCUMENT = """
[regency]
name = "Kabupaten Contoh"

[[agency]]
code = "dinkes"
name = "Dinas Kesehatan"
networks = ["10.20.0.0/24"]

[[category]]
code = "perjudian"
title = "Perjudian"
negative = true

[[list]]
code = "contoh"
title = "Contoh"
location = "lists/contoh.txt"
categories = ["perjudian"]
"""


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    state = StateDir(tmp_path / "var")
    state.create()
    async with open_control(load(None, {"SARING_CONFIG": "/dev/null"}).config, state) as control:
        await upgrade(control.engine)
        document = tmp_path / "regency.toml"
        document.write_text(DOCUMENT, encoding="utf-8")
        await import_document(control.sessions, document, local_actor(), NOW_S)
        yield control


async def actions(control: Control) -> list[tuple[str, str]]:
    async with control.sessions() as session:
        rows = await session.scalars(select(Audit).where(Audit.login == local_actor().login).order_by(Audit.id))
        return [(row.action, row.kind) for row in rows][-1:]


async def is_let_in(control: Control, secret: str) -> bool:
    try:
        await authenticate(control.sessions, FailedAttempts(5, 10), f"Bearer {secret}", "127.0.0.1", NOW_S + 1)
    except Problem:
        return False
    return True


async def test_a_token_lets_its_bearer_in_until_it_is_revoked(control: Control) -> None:
    await create_user(control.sessions, "sari", "Sari", NOW_S)
    number, secret = await create_token(control.sessions, NewToken("sari", "laptop", ("admin",)), RANDOM, NOW_S)
    assert await is_let_in(control, secret)
    (token,) = await list_tokens(control.sessions)
    assert (token.id, token.login, token.scopes, token.agency) == (number, "sari", ("admin",), "")
    assert await revoke_token(control.sessions, number, NOW_S) == "laptop"
    assert not await is_let_in(control, secret)
    assert await actions(control) == [("delete", "token")]


async def test_a_disabled_user_is_kept_out_with_all_tokens(control: Control) -> None:
    await create_user(control.sessions, "sari", "Sari", NOW_S)
    _, secret = await create_token(control.sessions, NewToken("sari", "laptop", ("admin",)), RANDOM, NOW_S)
    await set_active(control.sessions, "sari", False, NOW_S)
    assert not await is_let_in(control, secret)
    await set_active(control.sessions, "sari", True, NOW_S)
    assert await is_let_in(control, secret)
    (user,) = await list_users(control.sessions)
    assert (user.login, user.active, user.tokens) == ("sari", True, 1)


async def test_a_token_of_one_agency_can_hold_only_what_can_be_shown_for_one_agency(control: Control) -> None:
    await create_user(control.sessions, "budi", "Budi", NOW_S)
    with pytest.raises(
        PeopleError,
        match=r"admin cannot be held by a token of one agency; possible are exceptions:request, policy:read",
    ):
        await create_token(control.sessions, NewToken("budi", "x", ("admin",), "dinkes"), RANDOM, NOW_S)
    await create_token(control.sessions, NewToken("budi", "x", ("queries:read",), "dinkes"), RANDOM, NOW_S)
    assert [token.agency for token in await list_tokens(control.sessions)] == ["dinkes"]


async def test_what_cannot_be_done_says_what_would_be_right(control: Control) -> None:
    await create_user(control.sessions, "sari", "Sari", NOW_S)
    with pytest.raises(PeopleError, match="there is a user sari already"):
        await create_user(control.sessions, "sari", "Sari", NOW_S)
    with pytest.raises(PeopleError, match="there is no user budi; `saring user create budi` makes one"):
        await create_token(control.sessions, NewToken("budi", "x", ("admin",)), RANDOM, NOW_S)
    wanted = NewToken("sari", "x", ("queries:read",), "nowhere")
    with pytest.raises(PeopleError, match="there is no agency nowhere"):
        await create_token(control.sessions, wanted, RANDOM, NOW_S)
    with pytest.raises(PeopleError, match="root cannot be held by a token; possible are admin, audit:read"):
        await create_token(control.sessions, NewToken("sari", "x", ("root",)), RANDOM, NOW_S)
    with pytest.raises(PeopleError, match="there is no token 99"):
        await revoke_token(control.sessions, 99, NOW_S)


async def test_a_new_list_is_an_edit_and_waits_to_be_fetched(control: Control) -> None:
    before = await control.revision()
    wanted = NewList("judi", "Judi", "https://lists.example/judi.txt", "hosts", True, ("perjudian",))
    await add_list(control.sessions, wanted, NOW_S)
    assert await control.revision() == before + 1
    assert await control.never_fetched() == ["contoh", "judi"]
    assert await actions(control) == [("create", "blocklist")]
    with pytest.raises(ListRefusedError, match="there is a list judi already"):
        await add_list(control.sessions, wanted, NOW_S)
    unknown = NewList("x", "X", "https://lists.example/", "auto", False, ("tidak-ada",))
    with pytest.raises(ListRefusedError, match="there is no category tidak-ada; known are perjudian"):
        await add_list(control.sessions, unknown, NOW_S)


async def test_lists_are_located_from_beside_the_document(control: Control, tmp_path: Path) -> None:
    (row,) = await control.sources()
    assert row.location == str(tmp_path / "lists" / "contoh.txt")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read: No such file"), ("[[agency", "is not TOML"), ("\xff", "is not TOML")]
)
def test_a_document_that_cannot_be_read(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "regency.toml"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(BootstrapError, match=said):
        read_document(path)


async def test_a_document_with_mistakes_is_refused_whole(control: Control, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[regency]\nname = ""\n[[agency]]\ncode = "A B"\nname = "x"\n', encoding="utf-8")
    before = await control.revision()
    with pytest.raises(BootstrapError, match=r"(?s)is not imported; it has \d mistakes:.*regency.*agency"):
        await import_document(control.sessions, path, local_actor(), NOW_S)
    assert await control.revision() == before
