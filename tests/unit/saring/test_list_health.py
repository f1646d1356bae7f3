"""Lists' health from files alone: age, alarms, refusals; in status, metrics and doctor."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from admin_api.to_policy import SourceRow
from saring.config import load
from saring.doctor import Diagnosis, Level, examine
from saring.list_health import ListView, look, watch
from saring.metrics import render
from saring.state_dir import StateDir, write_json
from saring.status import collect
from saring.status_text import render_status

DAY_S = 86_400.0
NOW_S = 100 * DAY_S
REFUSAL = {
    "at_s": NOW_S - 60,
    "code": "shrunk",
    "sentence": "List judi shrank. Version 2 with 5 names is still served.",
    "cause": "List judi shrank.",
    "line": 0,
    "sha256": "ab" * 32,
    "final": False,
}


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path / "var")
    state.create()
    return state


def row(code: str, **changes: Any) -> SourceRow:
    plain: dict[str, Any] = {
        "list_id": 1,
        "title": code,
        "location": "x",
        "format": "auto",
        "subdomains": None,
        "national": False,
        "enabled": True,
        "max_size_bytes": 1,
        "shrink_limit": 0.3,
        "min_entries": 1,
        "allow_private": False,
        "categories": (),
        "created_s": int(NOW_S),
    }
    return SourceRow(**{**plain, "code": code, **changes})


def put(state: StateDir, code: str, **fields: Any) -> None:
    directory = state.lists / code
    (directory / "versions" / "000001").mkdir(parents=True)
    (directory / "versions" / "000001" / "entries").write_bytes(b"x" * 5_000)
    plain = {"entries": 5, "version": 2, "checked_s": NOW_S, "fetched_s": NOW_S, "good_s": NOW_S, "changed_s": NOW_S}
    write_json(directory / "state.json", plain | fields)


def one(state: StateDir, now_s: float = NOW_S) -> ListView:
    (found,) = look(state, now_s)
    return found


def test_a_list_as_its_source_has_it_is_good(state: StateDir) -> None:
    put(state, "judi")
    watch(state, [row("judi")])
    found = one(state)
    assert (found.result, found.stale, found.age_s, found.trouble) == ("good", False, 0.0, "")
    assert found.size_bytes == 5_000
    assert collect(state, NOW_S).lists_size_bytes > 5_000


def test_a_list_gets_stale_by_the_age_that_was_entered(state: StateDir) -> None:
    put(state, "judi")
    watch(state, [row("judi", max_age_s=int(2 * DAY_S))])
    assert not one(state, NOW_S + 2 * DAY_S).stale
    late_s = NOW_S + 2 * DAY_S + 1
    assert one(state, late_s).stale
    assert collect(state, late_s).warnings[-1] == (
        "list judi is 2.0 days old: its source had nothing that was let in since; at most 2 days are allowed"
    )


def test_refusals_make_old_though_the_source_answers_every_night(state: StateDir) -> None:
    put(state, "judi", good_s=NOW_S - 4 * DAY_S, refusal=REFUSAL)
    watch(state, [row("judi")])
    found = one(state)
    assert (found.result, found.stale, found.age_s) == ("refused", True, 4 * DAY_S)
    assert found.refusal is not None
    assert (found.refusal.held, found.refusal.cause) == (False, "List judi shrank.")
    assert collect(state, NOW_S).warnings[-1] == f"list judi: {REFUSAL['sentence']}"


def test_a_list_that_would_block_what_it_must_not_is_held(state: StateDir) -> None:
    put(state, "judi", refusal=REFUSAL | {"code": "must_resolve"})
    refusal = one(state).refusal
    assert refusal is not None
    assert refusal.held


def test_a_list_that_never_came_counts_from_the_day_it_was_entered(state: StateDir) -> None:
    watch(state, [row("judi")])
    assert (one(state).result, one(state).stale, one(state).age_s) == ("never", False, -1.0)
    late_s = NOW_S + 3 * DAY_S + 1
    assert one(state, late_s).stale
    assert "never fetched since it was entered; at most 3 days" in collect(state, late_s).warnings[-1]


def test_nobody_is_alarmed_about_lists_that_are_off_or_gone(state: StateDir) -> None:
    for code in ("mati", "hilang"):
        put(state, code, good_s=1.0, last_error="no address")
    watch(state, [row("mati", enabled=False)])
    status = collect(state, NOW_S)
    assert [(found.code, found.enabled, found.stale) for found in status.lists] == [("mati", False, False)]
    assert not any("mati" in warning or "hilang" in warning for warning in status.warnings)


def test_a_state_of_before_has_an_age_all_the_same(state: StateDir) -> None:
    put(state, "baik", good_s=0.0, fetched_s=NOW_S - 5, changed_s=1.0)
    put(state, "ditolak", good_s=0.0, changed_s=NOW_S - 7, refusal=REFUSAL)
    assert [found.age_s for found in look(state, NOW_S)] == [5.0, 7.0]


def test_what_is_watched_is_written_only_when_it_changes(state: StateDir) -> None:
    watch(state, [row("judi")])
    written = (state.run / "lists.json").stat().st_mtime_ns
    watch(state, [row("judi")])
    assert (state.run / "lists.json").stat().st_mtime_ns == written
    watch(state, [row("judi", max_age_s=3_600)])
    assert one(state).max_age_s == 3_600


@pytest.mark.parametrize("content", ["", "[]", '{"entries": "x", "refusal": 5, "good_s": null}'])
def test_damaged_files_raise_no_error(state: StateDir, content: str) -> None:
    put(state, "judi")
    (state.lists / "judi" / "state.json").write_text(content)
    (state.run / "lists.json").write_text('{"lists": {"judi": 3}}')
    assert one(state).entries == 0


def test_metrics_have_age_entries_and_result_of_each_list(state: StateDir) -> None:
    put(state, "judi", good_s=NOW_S - 4 * DAY_S, refusal=REFUSAL)
    put(state, "mati")
    watch(state, [row("judi"), row("baru"), row("mati", enabled=False)])
    text = render(collect(state, NOW_S)).decode()
    for line in (
        'saring_list_age_seconds{list="judi"} 345600.0',
        'saring_list_max_age_seconds{list="judi"} 259200.0',
        'saring_list_stale{list="judi"} 1.0',
        'saring_list_stale{list="baru"} 0.0',
        'saring_list_entries{list="judi"} 5.0',
        'saring_list_failing{list="judi"} 1.0',
        'saring_list_last_result{list="judi",result="refused"} 1.0',
        'saring_list_last_result{list="judi",result="good"} 0.0',
        'saring_list_last_result{list="baru",result="never"} 1.0',
        'saring_list_size_bytes{list="judi"} 5000.0',
    ):
        assert line in text
    assert 'saring_list_age_seconds{list="baru"}' not in text
    assert 'list="mati"' not in text


def test_the_status_for_people_shows_age_and_result(state: StateDir) -> None:
    put(state, "judi", good_s=NOW_S - 4 * DAY_S, refusal=REFUSAL)
    watch(state, [row("judi"), row("mati", enabled=False)])
    shown = io.StringIO()
    Console(width=160, file=shown).print(render_status(collect(state, NOW_S), NOW_S))
    text = shown.getvalue()
    for part in ("4 d", "refused", "switched off", "on disk"):
        assert part in text


def lists_of(state: StateDir, monkeypatch: pytest.MonkeyPatch, now_s: float, **environ: str) -> Diagnosis:
    for name in ("_ports", "_upstreams"):
        monkeypatch.setattr(f"saring.doctor.{name}", lambda *_: iter(()))
    environ = {"SARING_CONFIG": "/dev/null", "SARING_STORAGE__STATE_DIR": str(state.root), **environ}
    config = load(None, environ).config
    return next(one for one in examine(config, now_s) if one.what == "lists")


def test_doctor_looks_at_lists(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    none = lists_of(state, monkeypatch, NOW_S)
    assert (none.level, "saring catalogue sources" in none.text) == (Level.WARNING, True)
    put(state, "judi")
    watch(state, [row("judi")])
    assert lists_of(state, monkeypatch, NOW_S).level is Level.OK
    stale = lists_of(state, monkeypatch, NOW_S + 9 * DAY_S)
    assert (stale.level, "too old: judi" in stale.text) == (Level.WARNING, True)
    with (state.lists / "judi" / "versions" / "000001" / "entries").open("wb") as file:
        file.write(bytes(80 << 20))
    full = lists_of(state, monkeypatch, NOW_S, SARING_LISTS__QUOTA_BYTES=str(64 << 20))
    assert (full.level, "lists.quota_bytes" in full.text) == (Level.WARNING, True)
