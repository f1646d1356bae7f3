"""``saring policy`` and ``saring generations``: versions of the policy at the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import Run
from tests.support.command_line import filled as filled
from tests.support.command_line import run as run


def test_the_policy_is_exported_changed_imported_and_restored(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    assert filled("policy", "export", str(file)).output == f"{file} written\n"
    text = file.read_text(encoding="utf-8")
    assert filled("policy", "export").output == text
    assert filled("policy", "export", "--generation", "1").output == text
    assert filled("policy", "import", str(file)).output == "nothing to change\n"

    changed = text.replace("Dinas Kesehatan", "Dinkes").replace('protected = ["go.id"]\n', "")
    file.write_text(changed + '\n[[category]]\ncode = "gim"\ntitle = "Gim"\n', encoding="utf-8")
    shown = filled("policy", "import", str(file))
    assert shown.output.splitlines() == [
        "Perangkat daerah dinkes: nama Dinas Kesehatan -> Dinkes",
        "Kategori gim ditambahkan: judul Gim",
        "Nama terlindungi go.id dihapus",
        f"3 changes; nothing was done. To do it: saring policy import {file} --yes --revision 1",
    ]
    assert filled("policy", "import", str(file), "--yes", "--revision", "7").exit_code == 1
    done = filled("policy", "import", str(file), "--yes", "--revision", "1")
    assert (done.exit_code, "generation 2 is in force" in done.output) == (0, True)

    assert filled("generations", "diff", "1", "2").output.splitlines() == shown.output.splitlines()[:3]
    assert filled("generations", "show", "2").output.splitlines()[1:] == shown.output.splitlines()[:3]
    as_json = json.loads(filled("generations", "diff", "2", "1", "--json").output)
    assert [change["kind"] for change in as_json["changes"]] == ["changed", "removed", "added"]

    rehearsed = filled("generations", "restore", "1").output
    assert "Kategori gim dihapus: judul Gim" in rehearsed
    assert "note: exceptions and pauses stay as they are now; so do people and their tokens" in rehearsed
    assert "saring generations restore 1 --yes --revision 2" in rehearsed
    assert filled("generations", "restore", "1", "--yes").exit_code == 0
    assert filled("policy", "export").output == text
    assert filled("generations", "diff", "1", "3").output == "no difference\n"
    assert filled("policy", "export", "--generation", "3").output == text


def test_the_policy_as_json_is_imported_too(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(filled("policy", "export", "--json").output, encoding="utf-8")
    found = json.loads(filled("policy", "import", str(file), "--json").output)
    assert (found["applied"], found["changes"]) == (False, [])


def test_mistakes_are_named(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    twice = '[regency]\nname = "x"\n' + '[[category]]\ncode = "a"\ntitle = "a"\n' * 2
    for text, told in (
        ("x = ", "is not TOML"),
        ('[regency]\nname = ""\n', "regency.name"),
        (twice, "a is there 2 times"),
    ):
        file.write_text(text, encoding="utf-8")
        result = filled("policy", "import", str(file), "--yes")
        assert result.exit_code == 1
        assert told in result.output
    (tmp_path / "wrong.json").write_text("[]", encoding="utf-8")
    assert "no JSON object" in filled("policy", "import", str(tmp_path / "wrong.json")).output
    assert filled("policy", "import", str(file), "--yes", "--dry-run").exit_code == 2
    for arguments in (("diff", "1", "9"), ("show", "9"), ("restore", "9")):
        assert filled("generations", *arguments).exit_code == 1
    assert filled("policy", "export", "--generation", "9").exit_code == 1
