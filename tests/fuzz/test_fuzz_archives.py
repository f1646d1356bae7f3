"""Archives and compressed lists damaged at random (seeded, bounded): a list, or an error that says what is wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from blocklists.download import Download
from blocklists.inflate import FetchError, Inflate
from blocklists.source import Source
from blocklists.tar import Tar, TarError
from tests.support.archives import CATEGORIES, compressed, link, tar_of
from tests.support.mutation import mutations

ROUNDS = 300
ARCHIVE = tar_of(CATEGORIES, link("blacklists/tautan", "judi"))


@pytest.mark.parametrize("how", ["", "gzip", "xz", "zstd"])
def test_damaged_archives_are_lists_or_errors(how: str, tmp_path: Path) -> None:
    source = Source("contoh", "x", member="blacklists/judi", max_size_bytes=1 << 20)
    for content in mutations([compressed(ARCHIVE, how)], ROUNDS, seed=len(how)):
        download = Download(tmp_path / "content", "x", source)
        try:
            download.write(content)
            download.finish()
        except FetchError as error:
            assert error.sentence.endswith((".", "member."))
        else:
            assert (tmp_path / "content").stat().st_size == download.written
        finally:
            download.close()
        assert [path.name for path in tmp_path.iterdir()] in ([], ["content"])


def test_a_damaged_archive_gives_no_path_that_leaves_it() -> None:
    def visit(path: str, kind: str) -> Callable[[bytes], None] | None:
        assert not path.startswith("/")
        assert ".." not in path.split("/")
        assert path.isprintable()
        return None

    for content in mutations([ARCHIVE, tar_of({"../x": b"a", "/y": b"b"})], 20 * ROUNDS, seed=7):
        tar = Tar(visit)
        with suppress(TarError):
            tar.write(content)
            tar.finish()


@pytest.mark.parametrize("how", ["gzip", "xz", "zstd"])
def test_blocks_of_damaged_data_give_what_the_whole_gives(how: str) -> None:
    chance = random.Random(how)
    for content in mutations([compressed(b"a.example\n" * 50, how)], ROUNDS, seed=3):
        cut = chance.randrange(1, len(content) + 1) if content else 1
        outcomes = []
        for blocks in ([content], [content[start : start + cut] for start in range(0, len(content), cut)]):
            out = bytearray()
            inflate = Inflate("x", 1 << 20, out.extend)
            try:
                for block in blocks:
                    inflate.write(block)
                inflate.finish()
                outcomes.append(bytes(out))
            except FetchError as error:
                outcomes.append(str(error.code).encode())
        assert outcomes[0] == outcomes[1]
