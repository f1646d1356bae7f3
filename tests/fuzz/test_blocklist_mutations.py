"""Lists of every format, damaged at random (seeded, bounded): nothing raises, and damage does not spread to others."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from blocklists.admission import Admitted, Gate, Refused
from blocklists.source import FORMAT_NAMES, Source
from tests.support.lists import parsed_from

FIXTURES = Path(__file__).parents[1] / "unit" / "blocklists" / "fixtures"
ROUNDS = 4


def mutated(rng: random.Random, content: bytes) -> bytes:
    """One to eight random changes."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                data[place:place] = rng.randbytes(rng.randint(1, 9))
            case 1:
                del data[place : place + rng.randint(1, 40)]
            case 2:
                data[place : place + 1] = bytes([rng.randrange(256)])
            case 3:
                start = rng.randrange(len(data) + 1)
                data[place:place] = data[start : start + rng.randint(1, 200)]
            case 4:
                data[place:place] = rng.choice(
                    [
                        b"\n",
                        b"\r",
                        b"\r\n",
                        b"\0",
                        b"*.",
                        b"0.0.0.0 ",
                        b"#",
                        b".",
                        b"\xef\xbb\xbf",
                        b"(",
                        b'"',
                        b"\\",
                        b"$",
                        b"/",
                    ]
                )
            case _:
                del data[place:]
        data = data or bytearray(b"\n")
    return bytes(data)


@pytest.mark.parametrize("name", [path.stem for path in sorted(FIXTURES.glob("*.txt"))])
@pytest.mark.parametrize("format_name", FORMAT_NAMES)
def test_damaged_lists_parse_or_are_counted(name: str, format_name: str, tmp_path: Path) -> None:
    rng = random.Random(f"{name}/{format_name}")
    content = (FIXTURES / f"{name}.txt").read_bytes()
    source = Source("contoh", "x", format=format_name)
    gate = Gate(protected=("contoh.example",))
    for _ in range(ROUNDS):
        parsed = parsed_from(tmp_path, mutated(rng, content), source, gate.protected)
        assert parsed.names >= 0
        assert sum(count for _, count in parsed.reasons) == parsed.invalid + parsed.beyond
        assert isinstance(gate.admit(parsed, "0" * 64, source, None), Admitted | Refused)


def test_damage_to_one_line_leaves_the_others_alone(tmp_path: Path) -> None:
    rng = random.Random(7)
    lines = [b"situs%d.example" % number for number in range(40)]
    for _ in range(ROUNDS):
        place = rng.randrange(len(lines))
        damaged = list(lines)
        damaged[place] = mutated(rng, lines[place]).replace(b"\n", b"").replace(b"\r", b"")
        parsed = parsed_from(tmp_path, b"\n".join(damaged) + b"\n")
        assert parsed.names + parsed.duplicates + parsed.invalid + parsed.noise >= 39
        assert parsed.names >= 39
