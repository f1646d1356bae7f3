"""The checksum of our own tables is zlib's, whatever the size: the loader checks with zlib what a worker wrote."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

from querylog import spool_crc
from querylog.spool import SpoolWriter
from querylog.spool_format import HEADER_SIZE
from tests.support.querylog_samples import append

INTERPRETED = (spool_crc.__file__ or "").endswith(".py")


if INTERPRETED:  # compiled, it is a function of C that Python cannot call: then rows of every size tell, below

    def test_sums_of_every_size_are_those_of_zlib() -> None:
        chance = random.Random(1)
        for size in range(64):
            octets = memoryview(chance.randbytes(size + 3))
            seed = chance.getrandbits(32)
            expected = zlib.crc32(octets[3:], seed)
            assert spool_crc._by_tables(octets, 3, size + 3, seed) == expected
            assert spool_crc.checksum(octets, 3, size, seed) == expected


def test_rows_with_names_of_every_size_carry_the_sum_of_zlib(tmp_path: Path) -> None:
    salt = 0x12345678
    with SpoolWriter(tmp_path, "n1", 0, 1 << 20, random_bytes=lambda size: salt.to_bytes(size, "little")) as spool:
        for size in range(1, 63):
            append(spool, size, name="x" * size)
        data = next(tmp_path.glob("*.seg")).read_bytes()
    offset = HEADER_SIZE
    for _ in range(1, 63):
        length = int.from_bytes(data[offset : offset + 4], "little")
        body = data[offset + 8 : offset + 8 + length]
        assert int.from_bytes(data[offset + 4 : offset + 8], "little") == zlib.crc32(body, salt)
        offset += (length + 15) & ~7
