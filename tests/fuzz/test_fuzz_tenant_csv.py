"""Whatever a file of tenants holds: lines, or mistakes that say where; never a failure of ours or a long wait."""

from __future__ import annotations

import os

import pytest

from admin_api.tenant_csv import MAX_SIZE_BYTES, CsvError, read_csv, write_csv
from admin_api.tenant_plan import About, Tenants, lines_of, plan
from tests.support.mutation import mutations

COUNT = 500 * int(os.environ.get("SARING_FUZZ_FACTOR", "1"))
THERE = Tenants(
    {("dinkes", ""): About("=Dinas Kesehatan"), ("dinkes", "igd"): About("IGD")},
    {"10.20.4.0/22": ("dinkes", ""), "fd00:20:4::/48": ("dinkes", "igd")},
)


def test_damaged_files_are_lines_or_mistakes_and_nothing_else() -> None:
    whole = write_csv(lines_of(THERE)).encode()
    for data in mutations([whole, b"\x00", b'agency\r"', "agency;network\n\u2028;::/0".encode()], COUNT, seed=7):
        try:
            plan(THERE, read_csv(data), prune=True)
        except CsvError as refused:
            assert 0 < len(refused.errors) <= 1000


@pytest.mark.parametrize("piece", [b",", b"x,", b"x\n", b'"', b"\n", b"agency\n"])
def test_the_largest_files_are_told_few_mistakes(piece: bytes) -> None:
    data = b"agency\n" + piece * ((MAX_SIZE_BYTES - 7) // len(piece))
    try:
        read_csv(data)
    except CsvError as refused:
        assert len(refused.errors) <= 1000
