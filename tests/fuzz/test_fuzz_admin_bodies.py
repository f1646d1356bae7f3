"""Whatever the body: accepted, or a problem that says why; never a failure of ours, never a stuck server.

``SARING_FUZZ_FACTOR`` multiplies how many bodies are sent (``make fuzz`` sets it).
"""

from __future__ import annotations

import json
import os
import random
import tomllib
from typing import Any

from admin_api.database import reading
from admin_api.seed import import_regency
from admin_api.to_policy import load_policy
from policy.check import check
from policy.problems import Severity
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.mutation import mutations
from tests.support.postgresql import postgresql as postgresql
from tests.support.seed_example import EXAMPLE

COUNT = 250 * int(os.environ.get("SARING_FUZZ_FACTOR", "1"))
PATHS = (
    "/agencies", "/units", "/networks", "/categories", "/services", "/blocklists", "/protected-names",
    "/must-resolve-names", "/schedules",
    "/holidays", "/rules", "/users", "/forwarders", "/devices", "/schedule-overrides",
)  # fmt: skip
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 10**40, 1.5, -0.0, 1e308),
    *("", " ", "a" * 3000, "\x00", "\u202e", "é", "ﷺ", "'; DROP TABLE rule--"),
    *("*.example", "..", "xn--", "\\300", "1.2.3.4/33", "::/0", "::ffff:1.2.3.4/96"),
    *("2026-13-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+14:00", "24:00", "(", "(?=a)"),
    *([], [None], [[]], {}, {"kind": "x"}, {"$ref": "#"}, ["a"] * 300),
)


def strangely(value: Any, chance: random.Random) -> Any:
    """The value with something somewhere replaced, left out, or put in."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        changed = dict(value)
        key = chance.choice(list(changed))
        kind = chance.randrange(6)
        if kind == 0:
            del changed[key]
        elif kind == 1:
            changed[chance.choice(("id", "version", "__proto__", key.upper()))] = chance.choice(STRANGE)
        else:
            changed[key] = strangely(changed[key], chance)
        return changed
    if isinstance(value, list) and value and chance.random() < 0.6:
        return [strangely(item, chance) if chance.random() < 0.5 else item for item in value]
    return chance.choice(STRANGE)


async def samples(api: Api) -> list[tuple[str, dict[str, Any]]]:
    """Sound bodies, each with the collection that it belongs to."""
    async with api.sessions.begin() as session:
        await import_regency(session, tomllib.loads(EXAMPLE), now_s=api.program.now_s)
    found = []
    for path in PATHS:
        for item in (await api.get(path)).json["items"]:
            kept = {
                name: value
                for name, value in item.items()
                if name not in ("id", "created", "changed", "author", "approver", "exception", "imported")
            }
            found.append((path, kept))
    return found


async def send(api: Api, chance: random.Random, path: str, body: bytes) -> None:
    method = chance.choice(("POST", "PUT", "PATCH"))
    target = path if method == "POST" else f"{path}/{chance.randint(1, 3)}"
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    answer = await api.call(method, target, data=body, headers=headers)
    assert answer.status < 500, (method, target, body, answer.text)
    if answer.status >= 400:
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.status in (400, 404, 409, 413, 422), (method, target, body, answer.text)


async def test_bodies_of_strange_shape(api: Api) -> None:
    chance = random.Random(20261124)
    sound = await samples(api)
    for _ in range(COUNT):
        path, body = chance.choice(sound)
        await send(api, chance, path, json.dumps(strangely(body, chance)).encode())
    await still_sound(api)


async def test_bodies_of_mutated_bytes(sqlite_api: Api) -> None:
    chance = random.Random(1)
    sound = await samples(sqlite_api)
    bodies = [json.dumps(body).encode() for _, body in sound]
    for body in mutations(bodies, COUNT, seed=2):
        await send(sqlite_api, chance, chance.choice(sound)[0], body)
    await still_sound(sqlite_api)


async def still_sound(api: Api) -> None:
    """Whatever was accepted makes a policy that can be published."""
    async with reading(api.sessions) as session:
        problems = check(await load_policy(session))
    assert [problem for problem in problems if problem.severity is Severity.ERROR] == []
    assert (await api.get("/agencies")).status == 200
