"""A list's text in chunks of whole lines, and what one pass over it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

CHUNK_SIZE: Final = 1 << 20
MAX_LINE: Final = 65_536
BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines, each ending in LF. ``last``: it is the last line with anything in it, alone."""

    text: bytes
    first_line: int
    last: bool = False


def opener(path: Path) -> Callable[[], BinaryIO]:
    """Opens the same file again and again."""

    def open_it() -> BinaryIO:
        return path.open("rb")

    return open_it


class Reading:
    """One pass over a text: chunks of whole lines, in lower case where asked for. Memory is bounded for any bytes."""

    def __init__(self, open_it: Callable[[], BinaryIO], lower: bool = True) -> None:
        self._open = open_it
        self._lower = lower
        self.size_bytes = 0
        self.lines = 0
        self.too_long: list[int] = []
        self.last = b""  # the last line with anything in it
        self.last_line = 0
        self.newline = True

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, the last line in one of its own."""
        held: tuple[bytes, int] | None = None
        for text in self._pieces():
            if held is not None:
                yield Chunk(*held)
            held = self._prepared(text)
        if held is None:
            return
        text, first = held
        stripped = text.rstrip()
        cut = stripped.rfind(b"\n") + 1 if stripped else 0
        if cut:
            yield Chunk(text[:cut], first)
        end = text.find(b"\n", len(stripped)) + 1
        self.last = stripped[cut:]
        self.last_line = first + text.count(b"\n", 0, cut)
        yield Chunk(text[cut:end], self.last_line, last=True)
        # Empty lines behind it hold nothing.

    def _pieces(self) -> Iterator[bytes]:
        """Whole lines as they come; the last may lack its end."""
        rest = b""
        with self._open() as file:
            while block := file.read(CHUNK_SIZE):
                first_block = not self.size_bytes
                self.size_bytes += len(block)
                if first_block:
                    block = block.removeprefix(BOM)
                text = rest + block
                cut = text.rfind(b"\n") + 1
                # Old Mac line ends are CR alone; such a file has no LF at all to cut at.
                cut = cut or (text.rfind(b"\r", 0, -1) + 1)
                rest = text[cut:]
                if len(rest) > CHUNK_SIZE:
                    rest = rest[: MAX_LINE + 1]  # bounded memory for a file without line ends
                if cut:
                    yield text[:cut]
        self.newline = not rest
        if rest:
            yield rest + b"\n"

    def _prepared(self, text: bytes) -> tuple[bytes, int]:
        first = self.lines + 1
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._lower:
            text = text.lower()
        self.lines += text.count(b"\n")
        if len(text) > MAX_LINE:
            text = self._without_long_lines(text, first)
        return text, first

    def _without_long_lines(self, text: bytes, first: int) -> bytes:
        # Cheap when there is none: a line end in each window means that no line is longer than two of them.
        half = MAX_LINE // 2
        if all(text.find(b"\n", start, start + half) >= 0 for start in range(0, len(text) - half, half)):
            return text
        lines = text[:-1].split(b"\n")
        for index, line in enumerate(lines):
            if len(line) > MAX_LINE:
                lines[index] = b""
                self.too_long.append(first + index)
        return b"\n".join(lines) + b"\n"
