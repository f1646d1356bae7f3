"""Where things lie under the snapshots root, and what their names look like.

```
index/<sha256>/                  a compiled index (blocklists.index), shared by generations
generations/0000000012/          manifest.json policy.json record.json, never changed once it has this name
history/0000000012.json.gz       the same without the index, of generations that were pruned
current -> generations/0000000012
switches                         when current was made to point where (switches.py)
.lock                            held by whoever publishes
```
Every path inside is relative, so that a copy of the tree on another node is as good as the tree.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

CURRENT: Final = "current"
GENERATIONS: Final = "generations"
HISTORY: Final = "history"
INDEX: Final = "index"
MANIFEST: Final = "manifest.json"
POLICY: Final = "policy.json"
RECORD: Final = "record.json"
SWITCHES: Final = "switches"

_NUMBER: Final = re.compile(r"[0-9]{10}")
_KEPT: Final = re.compile(r"([0-9]{10})\.json\.gz")
_TARGET: Final = re.compile(r"generations/([0-9]{10})")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def generation_path(root: Path, number: int) -> Path:
    """The directory of a generation."""
    return root / GENERATIONS / f"{number:010}"


def history_path(root: Path, number: int) -> Path:
    """Where a pruned generation's documents are kept."""
    return root / HISTORY / f"{number:010}.json.gz"


def link_target(number: int) -> str:
    """What ``current`` holds for a generation."""
    return f"{GENERATIONS}/{number:010}"


def current_target(root: Path) -> str:
    """What ``current`` holds, ``""`` where it is missing or no link. One system call: workers ask 5 times a second."""
    try:
        return str((root / CURRENT).readlink())
    except OSError:
        return ""


def number_of(target: str) -> int:
    """The generation that a ``current`` points to, 0 where it points to none."""
    match = _TARGET.fullmatch(target)
    return int(match[1]) if match else 0


def numbers(root: Path) -> list[int]:
    """The generations on disk, sound or not, oldest first."""
    try:
        names = [path.name for path in (root / GENERATIONS).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if _NUMBER.fullmatch(name))


def history_numbers(root: Path) -> list[int]:
    """The generations of which only the documents are kept, oldest first."""
    try:
        found = [_KEPT.fullmatch(path.name) for path in (root / HISTORY).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(int(match[1]) for match in found if match)


def is_digest(text: str) -> bool:
    """Whether the text is an index's directory name. What a manifest says becomes part of a path only if it is."""
    return _DIGEST.fullmatch(text) is not None
