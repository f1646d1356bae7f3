"""The program's status from files, and the metrics from the status."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from saring.metrics import render
from saring.state_dir import HeldError, Lock, StateDir, read_json, write_json
from saring.status import collect, is_alive, newest_revision
from saring.status_text import ago, size
from saring.sync_request import request_sync, take_requests
from snapshots import manifest as manifests
from snapshots.manifest import Manifest


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path / "var")
    state.create()
    return state


def publish(state: StateDir, number: int, revision: int, in_force: bool = True) -> None:
    directory = state.snapshots / "generations" / f"{number:010d}"
    directory.mkdir(parents=True)
    manifest = Manifest(manifests.FORMAT, number, 1_000.0, revision, 0, "", 0, "0" * 64, "")
    (directory / "manifest.json").write_bytes(manifests.encode(manifest))
    if in_force:
        current = state.snapshots / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(Path("generations") / directory.name)


def worker_stats(**changes: Any) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "generation": 2,
        "answers": 10,
        "gaps": 0,
        "compiled": True,
        "queries": {"udp": 8, "tcp": 2},
        "verdicts": {"allowed": 7, "blocked": 3},
        "rcodes": {"NOERROR": 7, "NXDOMAIN": 3},
        "by_agency": {"dinkes": {"blocked": 3}},
        "by_category": {"perjudian": 3},
        "by_list": {"trustpositif": 3},
        "cache": {"entries": 5, "hits": 4},
        "upstreams": [{"address": "10.1.1.1", "port": 53, "failures": 1}],
        "upstream_groups": {"default": {"evicted": 2}},
    } | changes


def run(state: StateDir, **changes: Any) -> None:
    children = [
        {"name": "worker-0", "pid": os.getpid(), "started_s": 1.0, "restarts": 3, "last_exit": "killed by SIGKILL"},
        {"name": "loader", "pid": 0, "started_s": 1.0, "restarts": 0, "last_exit": ""},
    ]
    supervisor = {"pid": os.getpid(), "version": "1.2", "node": "dns1", "dns": ["127.0.0.1:53"], "children": children}
    write_json(state.run / "supervisor.json", supervisor)
    write_json(state.stats_of(0), worker_stats(**changes))


def now_s(state: StateDir) -> float:
    return state.stats_of(0).stat().st_mtime


def test_an_empty_state_directory_is_not_running_and_says_so(tmp_path: Path) -> None:
    status = collect(StateDir(tmp_path / "none"), 0.0)
    assert not status.running
    assert status.generation == 0
    assert status.warnings == ("nothing is published yet: DNS has no policy to answer by",)
    assert json.loads(json.dumps(status.document()))["unpublished"] == 0


def test_a_healthy_program_has_no_warnings(state: StateDir) -> None:
    publish(state, 2, 7)
    run(state)
    write_json(state.run / "sync.json", {"database_revision": 7, "next_sync_s": 5.0, "syncing": False})
    status = collect(state, now_s(state))
    assert status.running
    assert status.warnings == ()
    assert (status.generation, status.revision, status.unpublished) == (2, 7, 0)
    (worker,) = status.workers
    assert (worker.answering, worker.answers, worker.compiled) == (True, 10, True)


def test_what_needs_attention(state: StateDir) -> None:
    publish(state, 3, 7)
    run(state, gaps=4)
    write_json(state.run / "sync.json", {"database_revision": 9})
    (state.lists / "ut1").mkdir()
    write_json(state.lists / "ut1" / "state.json", {"entries": 5, "version": 2, "refusal": {"sentence": "it is HTML"}})
    assert collect(state, now_s(state)).warnings == (
        "worker 0 answers by generation 2, not 3",
        "worker 0 could not log 4 answers: is the disk full?",
        "2 edits are not published yet",
        "list ut1: it is HTML",
    )


def test_a_worker_that_no_longer_writes_is_not_answering(state: StateDir) -> None:
    publish(state, 2, 7)
    run(state)
    status = collect(state, now_s(state) + 60)
    assert status.warnings == ("worker 0 does not report: see the log",)


def test_statistics_of_the_process_before_do_not_count(state: StateDir) -> None:
    publish(state, 2, 7)
    run(state, pid=1)
    assert not collect(state, now_s(state)).workers[0].answering


def test_a_rollback_shows(state: StateDir) -> None:
    publish(state, 2, 7)
    publish(state, 3, 8, in_force=False)
    run(state)
    status = collect(state, now_s(state))
    assert newest_revision(state.snapshots) == 8
    assert status.warnings == (
        "an earlier generation is in force (rolled back); the next edit publishes everything anew",
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_damaged_files_count_as_nothing_there(state: StateDir, content: str) -> None:
    (state.run / "supervisor.json").write_text(content)
    assert read_json(state.run / "supervisor.json") in (None, {})
    assert not collect(state, 0.0).running


def test_metrics_have_agencies_categories_and_lists_as_labels(state: StateDir) -> None:
    publish(state, 2, 7)
    run(state)
    text = render(collect(state, now_s(state))).decode()
    for line in (
        'saring_info{node="dns1",version="1.2"} 1.0',
        "saring_generation 2.0",
        'saring_process_up{process="worker-0"} 1.0',
        'saring_process_up{process="loader"} 0.0',
        'saring_process_restarts_total{process="worker-0"} 3.0',
        'saring_answers_transport_total{transport="udp",worker="0"} 8.0',
        'saring_answers_verdict_total{verdict="blocked",worker="0"} 3.0',
        'saring_answers_agency_total{agency="dinkes",verdict="blocked",worker="0"} 3.0',
        'saring_hits_category_total{category="perjudian",worker="0"} 3.0',
        'saring_hits_list_total{list="trustpositif",worker="0"} 3.0',
        'saring_cache_entries{worker="0"} 5.0',
        'saring_upstream_failures{upstream="10.1.1.1",worker="0"} 1.0',
        'saring_upstream_group_evicted{group="default",worker="0"} 2.0',
    ):
        assert line in text


def test_metrics_of_strange_statistics_do_not_fail(state: StateDir) -> None:
    strange = {"upstreams": ["x", {}], "upstream_groups": {"x": 1}, "cache": {"a": "b"}}
    run(state, queries=[], verdicts=3, by_agency={"x": None}, **strange)
    assert b"saring_info" in render(collect(state, now_s(state)))


def test_the_lock_names_its_holder(state: StateDir) -> None:
    path = state.run / "lock"
    with Lock.take(path), pytest.raises(HeldError) as caught:
        Lock.take(path)
    assert caught.value.pid == os.getpid()
    Lock.take(path).release()


def test_asking_twice_for_a_sync_is_asking_once(state: StateDir) -> None:
    for code in ("ut1", "hagezi", "ut1"):
        request_sync(state, code)
    assert take_requests(state) == ["hagezi", "ut1"]
    assert take_requests(state) == []


def test_asking_for_all_lists_is_asking_for_each(state: StateDir) -> None:
    request_sync(state, "ut1")
    request_sync(state, None)
    assert take_requests(state) == [""]


def test_a_request_stays_in_its_directory(state: StateDir) -> None:
    request_sync(state, "../../x")
    assert [path.name for path in state.run.iterdir()] == ["sync-request-x.json"]


def test_spans_and_sizes_for_people() -> None:
    assert [ago(then, 100_000.0) for then in (0, 99_990, 99_000, 90_000, 1)] == ["-", "10 s", "16 min", "2 h", "27 h"]
    assert [size(value) for value in (0, 999, 1_500, 2_000_000, 3_500_000_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2.0 MB",
        "3.5 TB",
    ]


def test_our_own_process_is_alive_and_number_zero_is_not() -> None:
    assert is_alive(os.getpid())
    assert not is_alive(2**22 + 1)
