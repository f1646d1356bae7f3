"""What must be there before the rest can start: a migrated database, a first policy, a first generation.

On a second start all of it is there and nothing is parsed or compiled. The setup code is made anew at each start for as
long as there is no administrator: only its hash is kept, so that an old one cannot be shown again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import time
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from admin_api.features.setup import CODE_SIZE_BYTES, issue_setup_code
from admin_api.journal import Actor
from admin_api.migrations import DatabaseTooNewError, upgrade
from blocklists.progress import Silent, SilentBoard
from saring.blocked_example import blocked_example
from saring.bootstrap import BootstrapError, import_document
from saring.config_schema import Config
from saring.control import Control, open_control
from saring.list_gate import load_admission
from saring.list_sync import is_local, sync_lists
from saring.one_shot import give_result
from saring.orders import Orders
from saring.publisher import Publisher, PublishError, current_policy
from saring.state_dir import StateDir

_log = logging.getLogger(__name__)

SETUP_CODE_VALID_S = 7 * 86_400


def run_prepare_process(orders: Orders) -> int:
    """Prepares; gives the supervisor what it needs for its banner. Returns the exit status."""
    config = Config.model_validate_json(orders.config)
    state = StateDir(Path(orders.state_dir))
    try:
        result = asyncio.run(prepare(config, state))
    except (BootstrapError, PublishError, DatabaseTooNewError) as error:
        give_result(orders, {"error": str(error)})
        return 1
    except (SQLAlchemyError, OSError) as error:
        first_line = (str(error).splitlines() or [""])[0]
        give_result(orders, {"error": f"the control database does not answer: {first_line}"})
        return 1
    give_result(orders, result)
    return 0


async def prepare(config: Config, state: StateDir) -> dict[str, object]:
    """Database, bootstrap document, local lists, a generation, a setup code."""
    async with open_control(config, state) as control:
        await upgrade(control.engine)
        await _bootstrap(config, control)
        await _sync_local_lists(config, control)
        published = await Publisher(state, control.sessions, time.time).compile_and_publish(control.library, Silent())
        async with control.sessions.begin() as session:
            random = secrets.token_bytes(CODE_SIZE_BYTES)
            code = await issue_setup_code(session, random, time.time(), SETUP_CODE_VALID_S)
        _, policy = current_policy(state.snapshots)
        return {
            "setup_code": code or "",
            "generation": published.generation,
            "blocked_example": blocked_example(policy, control.library) if policy is not None else "",
        }


async def _bootstrap(config: Config, control: Control) -> None:
    if not config.bootstrap.document or await control.revision() > 0:
        return
    path = Path(config.bootstrap.document)
    report = await import_document(control.sessions, path, Actor("bootstrap"), time.time())
    created = ", ".join(f"{count} {kind}" for kind, count in report.created.items())
    _log.info("the empty database was filled", extra={"document": str(path), "entered": created})
    for warning in report.warnings:
        print(f"saring: {path}: {warning}", file=sys.stderr)


async def _sync_local_lists(config: Config, control: Control) -> None:
    """Lists on this machine that have no version yet; those from the network are the scheduler's, after the start."""
    missing = set(await control.never_fetched())
    rows = [row for row in await control.sources() if row.code in missing and is_local(row)]
    if rows:
        admission = await load_admission(control.sessions, config.lists, time.time(), config.api.names)
        await sync_lists(rows, control.library, admission.gate, config.lists, SilentBoard(), time.time)
