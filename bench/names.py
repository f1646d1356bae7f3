"""Synthesised names and queries: the same ones in every run, none of them anybody's."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

_SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "bu",
    "da",
    "de",
    "di",
    "do",
    "du",
    "ga",
    "gu",
    "ka",
    "ki",
    "ko",
    "la",
    "li",
    "lo",
    "ma",
    "mi",
    "mu",
    "na",
    "ni",
    "pa",
    "ra",
    "ri",
    "sa",
    "si",
    "ta",
    "ti",
    "to",
    "wa",
    "ya",
]
# Reserved endings (RFC 2606), so that a mistake in a configuration cannot reach a real zone.
_ENDINGS = ("example", "test", "invalid", "web.example", "situs.test")


def listed_names(count: int) -> Iterator[str]:
    """``count`` different names of plausible length; about one in four is a name below another domain's."""
    for number in range(count):
        digest = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=8).digest()
        label = "".join(_SYLLABLES[octet % len(_SYLLABLES)] for octet in digest[:4])
        host = "" if digest[4] % 4 else f"{_SYLLABLES[digest[5] % len(_SYLLABLES)]}."
        yield f"{host}{label}{number:x}.{_ENDINGS[digest[6] % len(_ENDINGS)]}"


def write_names(path: Path, count: int) -> None:
    """One name a line."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{name}\n" for name in listed_names(count))


def clean_names(count: int) -> list[str]:
    """Names of the upstream's zone, on no list."""
    return [f"host{number}.bersih.test" for number in range(count)]


def write_mixed_queries(path: Path, listed: Path, queries: int, blocked_share: float, clean: int) -> None:
    """dnsperf's input: ``blocked_share`` of the queries are spread over the whole list, the others over clean names."""
    chance = random.Random(1)
    blocked = _sample_lines(listed, int(queries * blocked_share), chance)
    names = clean_names(clean)
    allowed = [chance.choice(names) for _ in range(queries - len(blocked))]
    mixed = blocked + allowed
    chance.shuffle(mixed)
    path.write_text("".join(f"{name} A\n" for name in mixed), encoding="ascii")


def write_miss_queries(path: Path, run: str, queries: int) -> None:
    """Queries for names that nobody has asked before in this process: each is a cache miss once."""
    path.write_text("".join(f"{run}-{number}.lain.test A\n" for number in range(queries)), encoding="ascii")


def _sample_lines(path: Path, count: int, chance: random.Random) -> list[str]:
    lines = path.read_text(encoding="ascii").splitlines()
    return chance.sample(lines, count)
