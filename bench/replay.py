"""A replay of a million logged queries of the whole government, on one core: reading and counting them included."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from admin_api.replay_order import ReplayOrder
from bench.government import AGENCIES, LISTS, UNITS, government
from bench.querylog import DAY_US, START_US, Traffic, names
from bench.report import Row, row
from blocklists.compiler import ListInput, compile_index
from blocklists.entries import write_entries
from blocklists.entry import SUBTREE, key_of
from blocklists.library import Library
from blocklists.progress import Silent
from policy.model import Action, Policy, Rule, Scope, Target, TargetKind
from querylog.embedded.store import EmbeddedStore
from querylog.labels import RuleLabel
from querylog.loader import Loader
from querylog.spool import SpoolWriter
from saring.replay_run import run_replay
from snapshots.publish import publish

QUERIES = 1_000_000
PART = 250_000
LISTED = 10  # of a hundred names


class GovernmentLabels:
    def agency(self, agency_id: int) -> str:
        return f"opd{agency_id}"

    def unit(self, unit_id: int) -> str:
        return f"u{unit_id}"

    def rule(self, rule_id: int) -> RuleLabel:
        return RuleLabel(f"Aturan {rule_id}", f"800/{rule_id}/OPD/2026")

    def list(self, list_id: int) -> str:
        return f"l{list_id}"

    def category(self, category_id: int) -> str:
        return f"c{category_id}"


def replay_rows() -> list[Row]:
    """The rows of ``make bench B=policy``."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        policy = government()
        _fill_log(root)
        publish(root / "snapshots", policy, _index(root / "snapshots" / "index"), time.time())
        store = EmbeddedStore(root / "log", writer=False, threads=1)
        order = ReplayOrder(_draft(policy), (), START_US, START_US + 2 * DAY_US)
        try:
            start_s = time.process_time()
            report = run_replay(root / "snapshots", Library(root / "lists"), store, order, Silent())
            spent_s = time.process_time() - start_s
        finally:
            store.close()
    result = report.result
    changed = result.newly_blocked.queries + result.newly_freed.queries
    if result.queries != QUERIES or not changed:
        raise RuntimeError(f"the replay saw {result.queries} of {QUERIES} queries, and changed {changed}")
    what = f"replay a million queries ({result.questions:,} questions, {changed:,} decided otherwise)"
    return [row("policy", what, "s of CPU", spent_s, at_most=10)]


def _draft(policy: Policy) -> Policy:
    """What somebody might try: a category for everybody at office hours, other office hours, a list only watched."""
    schedule = replace(policy.schedules[0], windows=policy.schedules[0].windows[:2])
    watched = replace(policy.lists[1], observe=True)
    rule = Rule(99_999, Scope(), Target(TargetKind.CATEGORY, "c12"), Action.BLOCK, "Uji", schedule_id=2)
    return replace(
        policy,
        schedules=(schedule, *policy.schedules[1:]),
        lists=(policy.lists[0], watched, *policy.lists[2:]),
        rules=(*policy.rules, rule),
    )


def _fill_log(root: Path) -> None:
    traffic = Traffic()
    store = EmbeddedStore(root / "log", writer=True)
    loader = Loader(root / "spool", store, lambda generation: GovernmentLabels(), notice=lambda event, /, **facts: None)
    with SpoolWriter(root / "spool/worker-0", "bench", 0) as spool:
        for _ in range(QUERIES // PART):
            for one in traffic.rows(PART):
                spool.append(*_of_unit(one))
            spool.flush()
            loader.run_once()
    while store.maintain(START_US + 3 * DAY_US).merged_files:
        pass
    store.close()


def _of_unit(one: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same query by a client of one of the government's units."""
    time_us, client, _, _, *rest = one
    unit_id = 1 + int.from_bytes(client[-4:], "big") % UNITS
    return (time_us, client, 1 + unit_id % AGENCIES, unit_id, *rest)


def _index(directory: Path) -> Path:
    """A tenth of the names that are asked, on the lists in turn."""
    chosen = random.Random(7)
    keys: list[list[str]] = [[] for _ in range(LISTS)]
    for number, name in enumerate(names(random.Random(1))):
        if chosen.random() * 100 < LISTED:
            keys[number % LISTS].append(key_of(name).decode("latin-1"))
    directory.mkdir(parents=True)
    inputs = []
    for number, of_list in enumerate(keys, 1):
        path = directory.parent / f"entries-{number}"
        write_entries(path, {SUBTREE: sorted(set(of_list))})
        inputs.append(ListInput(number, f"l{number}", path))
    return compile_index(inputs, directory, Silent()).path
