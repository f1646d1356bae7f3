"""Lists for tests: text to a parsed file, to an entries file, to an index, and what each says in words."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from blocklists.compiler import CompiledIndex, ListInput, compile_index
from blocklists.entries import ADDRESS_SIZE, read_addresses, read_keys, read_rules, read_sections, write_entries
from blocklists.entry import key_of, kind, name_of
from blocklists.index import Index
from blocklists.normalise import Parsed, normalise
from blocklists.progress import Silent
from blocklists.source import Source
from dnswire.name import to_text


def parsed_from(
    directory: Path, content: bytes, source: Source | None = None, protected: tuple[str, ...] = ()
) -> Parsed:
    """What ``normalise`` makes of a file with this content."""
    path = directory / "content"
    path.write_bytes(content)
    return normalise(path, source or Source("contoh", str(path)), protected, directory / "entries")


def entries_in(path: Path) -> list[tuple[str, str]]:
    """(name, kind) of every entry of an entries file, in the file's order."""
    return [
        (to_text(name_of(key)), kind(section.cover))
        for section in read_sections(path)
        for keys in read_keys(section)
        for key in keys
    ]


def write_covers(path: Path, covers: Mapping[bytes, int]) -> Path:
    """An entries file of wire names with their covers."""
    groups: dict[int, list[str]] = {}
    for name, cover in covers.items():
        groups.setdefault(cover, []).append(key_of(name).decode("latin-1"))
    write_entries(path, {cover: sorted(keys) for cover, keys in groups.items()})
    return path


def compiled(directory: Path, lists: Mapping[int, Mapping[bytes, int]]) -> CompiledIndex:
    """An index of lists given as wire names with their covers."""
    inputs = [
        ListInput(list_id, f"list-{list_id}", write_covers(directory / f"entries-{list_id}", covers))
        for list_id, covers in lists.items()
    ]
    return compile_index(inputs, directory / "index", Silent())


def opened(directory: Path, lists: Mapping[int, Mapping[bytes, int]]) -> Index:
    """The same, open."""
    return Index.open(compiled(directory, lists).path)


def dump(parsed: Parsed) -> str:
    """All that was read of a file, as text for comparison with a golden one."""
    lines = [
        f"format {parsed.format}",
        f"lines {parsed.lines} names {parsed.names} duplicates {parsed.duplicates}"
        f" invalid {parsed.invalid} noise {parsed.noise}" + (f" beyond {parsed.beyond}" if parsed.beyond else ""),
        f"last line {parsed.ending.line} newline {parsed.ending.newline} valid {parsed.ending.valid}",
        "",
        *(f"{kind:7} {name}" for name, kind in sorted(entries_in(parsed.entries) if parsed.entries else [])),
        *_beside_names(parsed),
        "",
        *(f"{one.file}{' ' * bool(one.file)}line {one.line}: {one.reason}: {one.text}" for one in parsed.complaints),
    ]
    return "\n".join(lines) + "\n"


def beside_names(parsed: Parsed) -> int:
    """How many rules and address ranges an entries file has."""
    if parsed.entries is None:
        return 0
    packed = read_addresses(parsed.entries).values()
    return len(read_rules(parsed.entries)) + sum(map(len, packed)) // ADDRESS_SIZE


def _beside_names(parsed: Parsed) -> list[str]:
    """Rules and address ranges, a line for each."""
    if parsed.entries is None:
        return []
    shown = [msgspec.json.encode(rule).decode() for rule in read_rules(parsed.entries)]
    for kind_of, packed in read_addresses(parsed.entries).items():
        whole = [packed[start : start + ADDRESS_SIZE] for start in range(0, len(packed), ADDRESS_SIZE)]
        shown += [f"{kind_of.name} {ipaddress.IPv6Address(one[:16])}/{one[16]}" for one in whole]
    return ["", *shown] if shown else []


class Recorder:
    """Progress that remembers its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def start(self, label: str, total: int) -> None:
        self.calls.append(("start", (label, total)))

    def advance(self, units: int) -> None:
        self.calls.append(("advance", units))

    def done(self) -> None:
        self.calls.append(("done", None))

    def units(self) -> int:
        """Sum of all advances."""
        return sum(value for call, value in self.calls if call == "advance" and isinstance(value, int))


def plain(names: Sequence[str]) -> bytes:
    """A plain list of names."""
    return "".join(f"{name}\n" for name in names).encode()
