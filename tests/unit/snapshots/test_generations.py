"""Publishing, opening, falling back, rolling back, pruning."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

import snapshots.generation
import snapshots.watch
from blocklists.compiler import compile_index
from blocklists.manifest import FILES
from blocklists.progress import Silent
from dnswire import name as wire
from policy.model import Policy
from snapshots.generation import (
    Generation,
    GenerationDamaged,
    NoGenerationError,
    open_current,
    open_generation,
    read_policy,
    read_record,
)
from snapshots.history import trim
from snapshots.layout import current_target, generation_path, history_numbers, history_path, number_of, numbers
from snapshots.prune import INDEX_GRACE_S, prune
from snapshots.publish import PublishError, publish, rollback
from snapshots.watch import Watcher
from tests.support.deciding import REGENCY_SCOPE, government, rule
from tests.support.small_index import small_index

NOW_S = 1_772_420_400.0
DAY_S = 86_400


def policy(revision: int) -> Policy:
    return government(rule(1, REGENCY_SCOPE, f"name:r{revision}.example"), revision=revision)


def published(root: Path, count: int, now_s: float = NOW_S) -> None:
    for revision in range(1, count + 1):
        publish(root, policy(revision), None, now_s)


def opened(generation: Generation) -> tuple[int, int]:
    generation.close()
    return generation.number, generation.policy.revision


def current(root: Path) -> tuple[int, int]:
    return opened(open_current(root))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_is_published_is_opened_with_its_index(tmp_path: Path) -> None:
    index = small_index(tmp_path / "index", "judi.example", "slot.example")
    assert publish(tmp_path, policy(5), index, NOW_S) == 1
    generation = open_current(tmp_path)
    assert (generation.number, generation.policy, generation.damaged) == (1, policy(5), ())
    assert (generation.manifest.revision, generation.manifest.created_s, generation.manifest.previous) == (5, NOW_S, 0)
    assert [match.list_id for match in generation.index.match(wire.from_text("www.judi.example"))] == [1]
    generation.close()
    assert read_policy(tmp_path, 1) == policy(5)


def test_an_edit_keeps_the_index_and_the_first_one_starts_with_an_empty_index(tmp_path: Path) -> None:
    published(tmp_path, 1)
    empty = open_current(tmp_path)
    assert empty.index.match(wire.from_text("judi.example")) == ()
    empty.close()
    publish(tmp_path, policy(2), small_index(tmp_path / "index", "judi.example"), NOW_S)
    publish(tmp_path, policy(3), None, NOW_S)
    generation = open_current(tmp_path)
    assert (generation.number, len(generation.index.match(wire.from_text("judi.example")))) == (3, 1)
    generation.close()


def test_everything_in_the_tree_is_relative_so_that_a_copy_works(tmp_path: Path) -> None:
    origin, copy = tmp_path / "a", tmp_path / "b"
    publish(origin, policy(1), small_index(origin / "index", "judi.example"), NOW_S)
    shutil.copytree(origin, copy, symlinks=True)
    shutil.rmtree(origin)
    assert current(copy) == (1, 1)
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in copy.rglob("*.json"))


def test_nothing_published_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoGenerationError, match="nothing was published yet"):
        open_current(tmp_path)


@pytest.mark.parametrize(
    "damage",
    ["flip policy", "cut policy", "no policy", "flip manifest", "no manifest", "no directory", "empty manifest"],
)
def test_a_damaged_current_generation_gives_way_to_the_one_before_and_is_told(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    published(tmp_path, 3)
    directory = generation_path(tmp_path, 3)
    {
        "flip policy": lambda: flip(directory / "policy.json"),
        "cut policy": lambda: os.truncate(directory / "policy.json", 100),
        "no policy": lambda: (directory / "policy.json").unlink(),
        "flip manifest": lambda: flip(directory / "manifest.json"),
        "no manifest": lambda: (directory / "manifest.json").unlink(),
        "no directory": lambda: shutil.rmtree(directory),
        "empty manifest": lambda: os.truncate(directory / "manifest.json", 0),
    }[damage]()
    with caplog.at_level(logging.WARNING):
        generation = open_current(tmp_path)
    assert opened(generation) == (2, 2)
    assert [found.number for found in generation.damaged] == [3]
    assert str(directory) in generation.damaged[0].reason
    assert [record.message for record in caplog.records] == ["generation is damaged", "an older generation serves"]


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_damaged_index_damages_the_generations_that_use_it(tmp_path: Path, name: str) -> None:
    first = small_index(tmp_path / "index", "judi.example")
    publish(tmp_path, policy(1), first, NOW_S)
    second = small_index(tmp_path / "index", "slot.example")
    publish(tmp_path, policy(2), second, NOW_S)
    publish(tmp_path, policy(3), None, NOW_S)
    flip(second / name)
    generation = open_current(tmp_path)
    assert opened(generation) == (1, 1)
    assert [found.number for found in generation.damaged] == [3, 2]
    with pytest.raises(PublishError, match="cannot be made current"):
        publish(tmp_path, policy(4), None, NOW_S)
    assert number_of(current_target(tmp_path)) == 3
    shutil.rmtree(second)
    with pytest.raises(GenerationDamaged, match="missing"):
        open_generation(tmp_path, 3)


def test_another_index_under_the_published_ones_name_is_noticed(tmp_path: Path) -> None:
    index = small_index(tmp_path / "index", "judi.example")
    publish(tmp_path, policy(1), index, NOW_S)
    other = small_index(tmp_path / "index", "slot.example")
    shutil.rmtree(index)
    other.rename(index)
    with pytest.raises(NoGenerationError, match="is not the index that was published"):
        open_current(tmp_path)


def test_all_damaged_says_what_is_wrong_with_each(tmp_path: Path) -> None:
    published(tmp_path, 2)
    for number in (1, 2):
        flip(generation_path(tmp_path, number) / "policy.json")
    with pytest.raises(NoGenerationError, match=r"2: .*policy.json.*; 1: .*policy.json.*publish one"):
        open_current(tmp_path)


@pytest.mark.parametrize("target", ["", "generations/12", "/etc", "generations/0000000003/../0000000001", "file"])
def test_without_a_usable_link_the_newest_sound_generation_serves(tmp_path: Path, target: str) -> None:
    published(tmp_path, 3)
    (tmp_path / "current").unlink()
    if target == "file":
        (tmp_path / "current").write_text("generations/0000000001")
    elif target:
        (tmp_path / "current").symlink_to(target)
    flip(generation_path(tmp_path, 3) / "policy.json")
    assert current(tmp_path) == (2, 2)


def test_a_manifest_of_another_generation_or_version_is_damage(tmp_path: Path) -> None:
    published(tmp_path, 2)
    shutil.copy(generation_path(tmp_path, 1) / "manifest.json", generation_path(tmp_path, 2) / "manifest.json")
    with pytest.raises(GenerationDamaged, match="its directory of another"):
        open_generation(tmp_path, 2)


def test_rollback_goes_back_one_by_one_or_to_a_number_and_forth(tmp_path: Path) -> None:
    published(tmp_path, 4)
    assert rollback(tmp_path) == 3
    assert current(tmp_path) == (3, 3)
    assert rollback(tmp_path) == 2
    assert rollback(tmp_path, 4) == 4
    assert rollback(tmp_path, 1) == 1
    assert publish(tmp_path, policy(9), None, NOW_S) == 5  # numbers are never given twice
    assert rollback(tmp_path) == 1  # what was current before, not what has the number before
    with pytest.raises(PublishError, match="no sound generation before 1"):
        rollback(tmp_path)
    with pytest.raises(PublishError, match="generation 77 cannot be made current"):
        rollback(tmp_path, 77)
    assert current(tmp_path) == (1, 1)


def test_rollback_passes_over_damaged_generations(tmp_path: Path) -> None:
    published(tmp_path, 3)
    flip(generation_path(tmp_path, 2) / "policy.json")
    with pytest.raises(PublishError, match="generation 2 cannot be made current"):
        rollback(tmp_path, 2)
    assert rollback(tmp_path) == 1


def test_after_a_rollback_a_damaged_current_gives_way_to_what_is_before_it(tmp_path: Path) -> None:
    published(tmp_path, 4)
    rollback(tmp_path, 3)
    flip(generation_path(tmp_path, 3) / "policy.json")
    assert current(tmp_path) == (2, 2)
    for number in (1, 2):
        shutil.rmtree(generation_path(tmp_path, number))
    assert current(tmp_path) == (4, 4)


def test_an_index_elsewhere_or_unfinished_is_refused(tmp_path: Path) -> None:
    elsewhere = small_index(tmp_path / "elsewhere", "judi.example")
    root = tmp_path / "root"
    with pytest.raises(PublishError, match="compile it into that directory"):
        publish(root, policy(1), elsewhere, NOW_S)
    with pytest.raises(PublishError, match="missing or not finished"):
        publish(root, policy(1), root / "index" / ("0" * 64), NOW_S)
    assert numbers(root) == []


def test_prune_keeps_the_newest_the_young_and_what_current_needs(tmp_path: Path) -> None:
    published(tmp_path, 8, NOW_S)
    rollback(tmp_path, 3)
    assert prune(tmp_path, keep=2, min_age_s=7 * DAY_S, now_s=NOW_S + DAY_S).generations == ()
    assert prune(tmp_path, keep=2, min_age_s=7 * DAY_S, now_s=NOW_S + 8 * DAY_S).generations == (1, 4, 5, 6)
    assert numbers(tmp_path) == [2, 3, 7, 8]
    assert current(tmp_path) == (3, 3)
    assert rollback(tmp_path) == 2


def test_prune_never_frees_the_newest_number(tmp_path: Path) -> None:
    published(tmp_path, 5)
    rollback(tmp_path, 1)
    prune(tmp_path, keep=0, min_age_s=0, now_s=NOW_S + DAY_S)
    assert numbers(tmp_path) == [1, 5]
    assert publish(tmp_path, policy(6), None, NOW_S) == 6


def test_prune_bounds_even_young_generations(tmp_path: Path) -> None:
    published(tmp_path, 6)
    assert prune(tmp_path, keep=1, now_s=NOW_S, max_kept=3).generations == (1, 2, 3)


def test_prune_removes_indexes_that_nothing_refers_to_after_an_hour(tmp_path: Path) -> None:
    old = small_index(tmp_path / "index", "judi.example")
    publish(tmp_path, policy(1), old, NOW_S)
    orphan = small_index(tmp_path / "index", "yatim.example")
    used = small_index(tmp_path / "index", "slot.example")
    publish(tmp_path, policy(2), used, NOW_S)
    publish(tmp_path, policy(3), None, NOW_S)
    publish(tmp_path, policy(4), None, NOW_S)
    for path in (old, orphan, used):
        os.utime(path, (NOW_S, NOW_S))
    assert prune(tmp_path, keep=2, now_s=NOW_S + INDEX_GRACE_S - 1).indexes == ()
    assert prune(tmp_path, keep=2, now_s=NOW_S + INDEX_GRACE_S).indexes == (orphan.name,)
    pruned = prune(tmp_path, keep=2, min_age_s=0, now_s=NOW_S + 2 * INDEX_GRACE_S)
    assert (pruned.generations, pruned.indexes) == ((1, 2), (old.name,))
    assert current(tmp_path) == (4, 4)


def test_a_mapped_index_outlives_its_removal(tmp_path: Path) -> None:
    publish(tmp_path, policy(1), small_index(tmp_path / "index", "judi.example"), NOW_S)
    generation = open_current(tmp_path)
    shutil.rmtree(tmp_path / "index")
    assert len(generation.index.match(wire.from_text("judi.example"))) == 1
    generation.close()


def test_publishing_an_old_index_again_gives_it_a_new_hour(tmp_path: Path) -> None:
    index = small_index(tmp_path / "index", "judi.example")
    os.utime(index, (1, 1))
    publish(tmp_path, policy(1), index, NOW_S)
    assert index.stat().st_mtime > 1


def test_an_index_compiled_of_nothing_is_an_index(tmp_path: Path) -> None:
    compiled = compile_index((), tmp_path, Silent())
    assert compiled.names == 0


def test_the_watcher_tells_each_new_current_generation_once(tmp_path: Path) -> None:
    watcher = Watcher(tmp_path)
    assert not watcher.changed()
    assert watcher.poll() is None
    published(tmp_path, 1)
    assert watcher.changed()
    first = watcher.poll()
    assert first is not None
    assert opened(first) == (1, 1)
    assert not watcher.changed()
    assert watcher.poll() is None
    publish(tmp_path, policy(2), None, NOW_S)
    publish(tmp_path, policy(3), None, NOW_S)
    third = watcher.poll()
    assert third is not None
    assert opened(third) == (3, 3)
    rollback(tmp_path)
    second = watcher.poll()
    assert second is not None
    assert opened(second) == (2, 2)


def test_the_watcher_starts_from_the_generation_in_use(tmp_path: Path) -> None:
    published(tmp_path, 2)
    assert Watcher(tmp_path, 2).poll() is None
    behind = Watcher(tmp_path, 1).poll()
    assert behind is not None
    behind.close()


def test_the_watcher_tries_a_damaged_generation_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    published(tmp_path, 1)
    watcher = Watcher(tmp_path, 1)
    publish(tmp_path, policy(2), None, NOW_S)
    flip(generation_path(tmp_path, 2) / "policy.json")
    assert watcher.poll() is None
    assert not watcher.changed()
    assert [record.message for record in caplog.records] == ["the new generation is damaged: the one in use goes on"]
    publish(tmp_path, policy(3), None, NOW_S)
    healed = watcher.poll()
    assert healed is not None
    assert opened(healed) == (3, 3)


def overtaking(monkeypatch: pytest.MonkeyPatch, module: ModuleType, root: Path, times: int) -> None:
    """Whoever opens a generation is so slow that others publish and prune meanwhile, so many times."""
    left = list(range(times))

    def slowly(where: Path, number: int) -> Generation:
        if left:
            left.pop()
            for _ in range(3):
                publish(root, policy(9), None, NOW_S)
            prune(root, keep=1, min_age_s=0, now_s=NOW_S + 1)
        return open_generation(where, number)

    monkeypatch.setattr(module, "open_generation", slowly)


def test_a_generation_that_was_pruned_while_it_was_opened_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    published(tmp_path, 1)
    overtaking(monkeypatch, snapshots.generation, tmp_path, 2)
    generation = open_current(tmp_path)
    assert (opened(generation), generation.damaged) == ((7, 9), ())
    watcher = Watcher(tmp_path, 6)
    overtaking(monkeypatch, snapshots.watch, tmp_path, 1)
    assert watcher.poll() is None
    newest = watcher.poll()
    assert newest is not None
    assert opened(newest) == (10, 9)
    assert caplog.records == []


def test_whoever_is_overtaken_again_and_again_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(tmp_path, 1)
    overtaking(monkeypatch, snapshots.generation, tmp_path, 100)
    with pytest.raises(NoGenerationError, match=r"16: .+ cannot be read"):
        open_current(tmp_path)


def test_the_watcher_is_not_troubled_by_a_link_that_is_gone(tmp_path: Path) -> None:
    published(tmp_path, 1)
    watcher = Watcher(tmp_path, 1)
    (tmp_path / "current").unlink()
    assert not watcher.changed()
    assert watcher.poll() is None


def test_pruned_generations_keep_what_people_compare_and_restore(tmp_path: Path) -> None:
    for revision in range(1, 5):
        record = b'{"revision":%d}\n' % revision if revision != 2 else b""
        publish(tmp_path, policy(revision), None, NOW_S, record=record)
    assert prune(tmp_path, keep=1, min_age_s=0, now_s=NOW_S + 1).generations == (1, 2)
    assert (numbers(tmp_path), history_numbers(tmp_path)) == ([3, 4], [1, 2])
    for number in range(1, 5):
        assert read_policy(tmp_path, number) == policy(number)
    assert [read_record(tmp_path, number) for number in (1, 2, 4)] == [b'{"revision":1}\n', b"", b'{"revision":4}\n']
    with pytest.raises(PublishError):
        rollback(tmp_path, 1)  # its index may be gone
    assert publish(tmp_path, policy(5), None, NOW_S) == 5


def test_a_damaged_record_or_history_is_noticed_and_history_is_bounded(tmp_path: Path) -> None:
    for revision in range(1, 5):
        publish(tmp_path, policy(revision), None, NOW_S, record=b"{}\n")
    flip(generation_path(tmp_path, 4) / "record.json")
    with pytest.raises(GenerationDamaged, match="record"):
        read_record(tmp_path, 4)
    assert current(tmp_path) == (4, 4), "what workers need is whole"
    prune(tmp_path, keep=1, min_age_s=0, now_s=NOW_S + 1)
    flip(history_path(tmp_path, 2))
    for number in (2, 9):
        with pytest.raises(GenerationDamaged):
            read_policy(tmp_path, number)
    (tmp_path / "history" / ".half.tmp").write_bytes(b"x")
    assert trim(tmp_path, max_size_bytes=history_path(tmp_path, 2).stat().st_size) == (1,)
    assert [path.name for path in (tmp_path / "history").iterdir()] == ["0000000002.json.gz"]
