"""Names of the national list's shape, synthesised, and samples of them."""

from __future__ import annotations

import random
from pathlib import Path

_TOPS = ("com", "com", "com", "com", "xyz", "net", "org", "info", "site", "online", "top", "club", "vip", "id", "cc")
_HOSTS = ("www", "m", "app", "login", "mail", "cdn", "link", "vip")
_LONGEST = 200


def write_names(path: Path, count: int) -> None:
    """Names with the measures of the national list: median 21 characters, p99 49; 36 % two labels, 63 % three."""
    chance = random.Random(20261124)
    words = [
        "".join(chance.choice("bcdfgjklmnprstwz") + chance.choice("aeiou") for _ in range(size))
        for size in (1, 2, 2, 3) * 5000
    ]
    parents: list[str] = []
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            kind = chance.random()
            label = f"{chance.choice(words)}{chance.choice(words)}{number:x}"
            if chance.random() < 0.015:
                label += "-" + "".join(chance.choices("0123456789abcdef", k=28))
            if kind < 0.36 or not parents:
                name = f"{label}.{chance.choice(_TOPS)}"
                if len(parents) < 200_000:
                    parents.append(name)
            else:
                # Hosts come in swarms below few parents, as the web page builders' do.
                parent = parents[int(len(parents) * chance.random() ** 3)]
                host = f"{chance.choice(_HOSTS)}{number:x}"
                name = f"{host}.{parent}" if kind < 0.99 else f"{host}.{label}.{parent}"
            file.write(f"{name}\n")


def some_of(listed: Path, count: int) -> list[str]:
    """So many names spread over the list."""
    chance = random.Random(1)
    size_bytes = listed.stat().st_size
    names: list[str] = []
    with listed.open("rb") as file:
        for _ in range(count):
            file.seek(chance.randrange(size_bytes - _LONGEST))
            file.readline()
            names.append(file.readline().decode().strip())
    return names
