"""Which generation was in force at a time, going back to earlier ones included."""

from __future__ import annotations

from pathlib import Path

from policy.model import Policy, Regency
from snapshots.publish import publish, rollback
from snapshots.switches import in_force_at, note


def test_publishing_and_going_back_are_both_known(tmp_path: Path) -> None:
    for revision, now_s in ((1, 100.0), (2, 200.0)):
        publish(tmp_path, Policy(Regency("Contoh"), revision=revision), None, now_s)
    rollback(tmp_path, 1, now_s=300.0)
    assert [in_force_at(tmp_path, at_s) for at_s in (99.0, 100.0, 250.0, 300.0, 1e9)] == [0, 1, 2, 1, 1]


def test_what_was_not_noted_is_known_by_its_manifest(tmp_path: Path) -> None:
    publish(tmp_path, Policy(Regency("Contoh"), revision=1), None, 100.0)
    (tmp_path / "switches").unlink()
    assert in_force_at(tmp_path, 150.0) == 1
    (tmp_path / "switches").write_bytes(b"120.0 1\nnonsense\n130")
    note(tmp_path, 1, 140.0)
    assert in_force_at(tmp_path, 150.0) == 1
