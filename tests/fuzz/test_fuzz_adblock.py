"""Adblock lists damaged at random (seeded, bounded): nothing raises, all is counted, and what comes out can be used.

Corpus: ``tests/unit/blocklists/fixtures/adblock.txt``. ``SARING_FUZZ_ROUNDS`` for a long run.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from blocklists.asker import Client
from blocklists.entry import name_of
from blocklists.formats.adblock import Adblock
from blocklists.formats.harvest import Harvest, Options
from blocklists.rule import decode, encode
from blocklists.rules_index import RulesIndex
from dnswire.name import from_text
from tests.support.mutation import mutations

CORPUS = Path(__file__).parents[1] / "unit" / "blocklists" / "fixtures" / "adblock.txt"
ROUNDS = int(os.environ.get("SARING_FUZZ_ROUNDS", "1500"))
NAMES = [from_text(text) for text in ("a.example", "www.iklan1.contoh.example", "com", "x" * 60 + ".example.go.id")]
CLIENT = Client(b"\xc0\x00\x02\x09", ("bidang-a",), ("device_pc",))


def test_damaged_lines_parse_or_are_counted_and_can_be_asked() -> None:
    lines = CORPUS.read_bytes().split(b"\n")
    random = Random(5)
    for number, damaged in enumerate(mutations(lines, ROUNDS, seed=11)):
        chunk = b"\n".join([damaged, random.choice(lines), b""])
        harvest = Harvest()
        parser = Adblock().begin(Options())
        parser.parse(chunk, 1, None, harvest)
        parser.finish(None, harvest)
        assert sum(harvest.reasons.values()) == harvest.invalid + harvest.beyond
        for blobs in harvest.keys.values():
            for key in b"\0".join(blobs).split(b"\0"):
                assert len(name_of(key)) <= 255
        if number % 4 == 0 and harvest.rules:
            _ask(harvest)


def _ask(harvest: Harvest) -> None:
    rules = decode(encode(harvest.rules))
    index = RulesIndex([(1, rules)])
    assert index.skipped == 0
    asker = index.asker(CLIENT)
    for name in NAMES:
        for match in index.match(name, 1, asker):
            assert match.list_id == 1
            assert match.rule is not None
    index.match_address(b"\xc6\x33\x64\x07", asker)
