"""The OpenAPI document is true: schemathesis calls every operation as it says, and holds the answers to it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.modes import GenerationMode

from admin_api.app import openapi_of
from admin_api.seed import import_regency
from admin_api.to_policy import read_policy
from snapshots.publish import publish
from tests.support.admin import ADMIN, Api, new_sqlite
from tests.support.admin import templates as templates
from tests.support.admin_thread import api_in_a_thread
from tests.support.seed_example import EXAMPLE

# Sound by its schema, and refused for what a schema cannot say: references that lead nowhere, stale versions, names
# that are none.
REFUSED_FOR_MEANING = ["2xx", "401", "403", "404", "409", "412", "422", "503"]
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 20261124,
        "checks": {
            "positive_data_acceptance": {"expected-statuses": REFUSED_FOR_MEANING},
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
            "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
            # What one operation creates another would have to name: there is no stateful run here to follow it.
            "ensure_resource_availability": {"enabled": False},
        },
    }
)
# The explicit phase is the boundary of each constraint in turn: thousands of requests, for CI and not for every day.
THOROUGH = os.environ.get("SARING_REQUIRE_ALL") == "1"
PHASES = [Phase.explicit, Phase.generate] if THOROUGH else [Phase.generate]
DOCUMENT = openapi_of("0.1.0")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


@schemathesis.serializer("application/toml")
def as_toml(_context: Any, value: Any) -> bytes:
    """Texts as they are; whatever else there is to try is no TOML, which is right for a try."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def served(templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    directory = tmp_path_factory.mktemp("openapi")

    async def prepare(api: Api) -> None:
        async with api.sessions.begin() as session:
            await import_regency(session, tomllib.loads(EXAMPLE), now_s=api.program.now_s)
        api.store.add()
        publish(api.services.snapshots_root, await read_policy(api.sessions), None, api.program.now_s)

    with api_in_a_thread(new_sqlite(templates, directory), directory, prepare) as api:
        yield api


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def test_the_document_served_is_the_one_made_from_the_routes(served: Api) -> None:
    answer = requests.get(f"{served.base}/api/v1/openapi.json", timeout=10)
    assert answer.json() == DOCUMENT


@SCHEMA.parametrize()
@settings(
    max_examples=20 if THOROUGH else 5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_the_document_says(case: Any, served: Api, session: requests.Session) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    if case.meta is not None and ParameterLocation.HEADER in case.meta.components:
        # A case may be "invalid" only for lacking the Authorization header, which is put back below: then no refusal is
        # due. That a request without it is refused is for the check "ignored_auth".
        assume(case.meta.components[ParameterLocation.HEADER].mode is not GenerationMode.NEGATIVE)
    case.call_and_validate(base_url=served.base, headers=headers, session=session, timeout=20)
