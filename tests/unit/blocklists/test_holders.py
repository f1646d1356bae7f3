"""Who holds a name: bisection in entries files, against reading them; and since when."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from blocklists.admission import Gate
from blocklists.entry import Cover
from blocklists.fetch import Fetcher
from blocklists.holders import Holder, covering, holders
from blocklists.library import Library
from blocklists.progress import Silent
from blocklists.source import Source
from blocklists.sync import sync
from dnswire.name import from_text, parents
from tests.support.lists import plain, write_covers

ALWAYS = [f"situs{number}.example" for number in range(50)]


def covering_plainly(covers: dict[bytes, int], name: bytes) -> dict[bytes, int]:
    found = {}
    for parent in parents(name):
        relevant = 5 if parent == name else 10
        if covers.get(parent, 0) & relevant:
            found[parent] = covers[parent]
    return found


@pytest.mark.parametrize("count", [0, 1, 2, 3, 500])
def test_bisection_finds_what_reading_finds(count: int, tmp_path: Path) -> None:
    chance = random.Random(count)
    labels = ["a", "b", "judi", "slot-gacor", "x" * 63]

    def any_name() -> bytes:
        return from_text(".".join(chance.choice(labels) for _ in range(chance.randrange(1, 4))) + ".example")

    covers = {any_name(): chance.choice((1, 2, 3, 4, 8, 12, 15)) for _ in range(count)}
    path = write_covers(tmp_path / "entries", covers)
    for name in [*covers, *(any_name() for _ in range(200)), from_text("example"), from_text("zzz")]:
        assert covering(path, name) == covering_plainly(covers, name)


def test_the_longest_entry_comes_first(tmp_path: Path) -> None:
    covers = {from_text("b.example"): int(Cover.BELOW), from_text("a.b.example"): int(Cover.SELF)}
    found = covering(write_covers(tmp_path / "entries", covers), from_text("a.b.example"))
    assert list(found) == [from_text("a.b.example"), from_text("b.example")]


async def test_since_which_version_a_list_holds_a_name(tmp_path: Path) -> None:
    library = Library(tmp_path / "lists", keep=3)
    file = tmp_path / "list.txt"
    source = Source("contoh", str(file))

    async def night(now_s: float, *more: str) -> None:
        file.unlink(missing_ok=True)
        file.write_bytes(plain([*ALWAYS, *more]))
        await sync(source, library, Fetcher(), Gate(), Silent(), now_s)

    await night(1.0, "judi.example")
    await night(2.0)
    await night(3.0, "judi.example")
    await night(4.0, "judi.example", "slot.example")
    name = from_text("www.judi.example")
    assert holders(library, ["contoh"], name) == (Holder("contoh", "judi.example", "subtree", 4, 3, 3.0, False),)
    (with_line,) = holders(library, ["contoh"], name, with_lines=True)
    assert (with_line.line, with_line.text) == (51, "judi.example")
    # The oldest that is kept: it may have been there before.
    assert holders(library, ["contoh"], from_text(ALWAYS[0]))[0].since_version == 2
    assert holders(library, ["contoh"], from_text(ALWAYS[0]))[0].since_oldest
    assert holders(library, ["contoh", "tidak-ada"], from_text("other.example")) == ()
    library.rollback("contoh", 2, 5.0)
    assert holders(library, ["contoh"], name) == ()


async def test_a_damaged_version_holds_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path / "lists")
    (tmp_path / "list.txt").write_bytes(plain(ALWAYS))
    await sync(Source("contoh", str(tmp_path / "list.txt")), library, Fetcher(), Gate(), Silent(), 1.0)
    library.entries_path("contoh", 1).write_bytes(b"")
    assert holders(library, ["contoh"], from_text(ALWAYS[0])) == ()
