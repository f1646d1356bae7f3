"""A zone's TSIG key through the API: kept, used, and never shown again."""

from __future__ import annotations

import typing

import pytest

from admin_api import fields as f
from admin_api.database import reading
from admin_api.to_policy import load_sources
from blocklists.transfer.tsig import ALGORITHMS
from tests.support.admin import Api
from tests.support.admin import api as api
from tests.support.admin import database_url as database_url
from tests.support.admin import sqlite_api as sqlite_api
from tests.support.admin import templates as templates
from tests.support.postgresql import postgresql as postgresql

SECRET = "c2FuZ2F0IHJhaGFzaWEgc2VrYWxp"
OTHER_SECRET = "cmFoYXNpYSB5YW5nIGxhaW4gbGFnaQ=="
ZONE = {
    "code": "nasional",
    "title": "Nasional",
    "location": "rpz://192.0.2.1:5353/rpz.example",
    "categories": ["perjudian"],
    "tsig_name": "Kunci.Example.",
    "tsig_secret": SECRET,
}


async def stored(api: Api) -> tuple[str, str, str, str]:
    async with reading(api.sessions) as session:
        (row,) = await load_sources(session)
    assert SECRET not in repr(row)
    return row.tsig_name, row.tsig_algorithm, row.tsig_secret, row.tsig_secret_file


async def test_a_secret_goes_in_and_never_out(api: Api) -> None:
    await api.made("/categories", {"code": "perjudian", "title": "Perjudian", "negative": True})
    made = await api.made("/blocklists", ZONE)
    assert (made.json["tsig_name"], made.json["tsig_secret"]) == ("kunci.example", None)
    assert await stored(api) == ("kunci.example", "hmac-sha256", SECRET, "")
    path = made.headers["Location"][7:]

    # Another field is changed: the key stays. So it does where all is replaced and the secret is left out.
    changed = await api.call("PATCH", path, {"title": "Lain", "rewrites": True}, match=made.etag)
    assert changed.json["rewrites"]
    assert (await stored(api))[2] == SECRET
    body = {name: value for name, value in ZONE.items() if name != "tsig_secret"}
    replaced = await api.call("PUT", path, body, match=changed.etag)
    assert (replaced.status, (await stored(api))[2]) == (200, SECRET)

    changed = await api.call("PATCH", path, {"tsig_secret": OTHER_SECRET}, match=replaced.etag)
    assert (changed.status, (await stored(api))[2]) == (200, OTHER_SECRET)
    changed = await api.call(
        "PATCH", path, {"tsig_secret_file": "/run/secrets/tsig", "tsig_algorithm": "hmac-sha512"}, match=changed.etag
    )
    assert await stored(api) == ("kunci.example", "hmac-sha512", "", "/run/secrets/tsig")

    for shown in (await api.get("/audit"), await api.get("/blocklists"), await api.get(path)):
        assert SECRET not in str(shown.json)
        assert OTHER_SECRET not in str(shown.json)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"location": "https://lists.example/x"}, "for zones that are transferred"),
        ({"location": "rpz://192.0.2.1/"}, "names no zone"),
        ({"location": "rpz://user@192.0.2.1/z"}, "fields of its own"),
        ({"format": "hosts"}, "a transferred zone is rpz"),
        ({"code": "insight"}, "meaning of its own in the API"),
        ({"tsig_name": ""}, "tsig_name is empty"),
        ({"tsig_secret": None}, "either tsig_secret or tsig_secret_file"),
        ({"tsig_secret_file": "/x"}, "either tsig_secret or tsig_secret_file"),
        ({"tsig_secret": "c2hvcnQ="}, "at least 8"),
        ({"tsig_secret": "tidak base64!"}, "pattern"),
        ({"tsig_algorithm": "hmac-md5"}, "hmac-sha256"),
    ],
)
async def test_what_does_not_go_together_is_refused_without_the_secret(
    sqlite_api: Api, fields: dict[str, object], said: str
) -> None:
    await sqlite_api.made("/categories", {"code": "perjudian", "title": "Perjudian", "negative": True})
    refused = await sqlite_api.call("POST", "/blocklists", ZONE | fields)
    assert refused.status == 422
    assert said in str(refused.json)
    for secret in (SECRET, "c2hvcnQ=", "tidak base64!"):
        assert secret not in str(refused.json)


def test_the_api_knows_the_algorithms() -> None:
    assert typing.get_args(f.TsigAlgorithm) == ALGORITHMS
