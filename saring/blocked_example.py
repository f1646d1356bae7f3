"""A name to try: one that the policy in force blocks for everybody, and that exists nowhere."""

from __future__ import annotations

from blocklists.entries import EntriesDamaged, read_keys, read_sections
from blocklists.entry import Cover, name_of
from blocklists.library import Library
from dnswire.name import to_text
from policy.model import Policy

# Reserved for examples and tests (RFC 2606, section 2). A real listed name is nothing to print on a screen.
RESERVED = (".example", ".test")
MAX_ENTRIES = 10_000


def blocked_example(policy: Policy, library: Library) -> str:
    """A reserved name of a list that feeds a negative category, of the fullest such list; ``""`` where none has one."""
    negative = {category.id for category in policy.categories if category.negative}
    lists = [info for info in policy.lists if info.version and negative.intersection(info.category_ids)]
    states = [library.state(info.code) for info in lists]
    small = [state for state in states if state.entries <= MAX_ENTRIES]
    for state in sorted(small, key=lambda state: -state.entries):
        try:
            for section in read_sections(library.entries_path(state.code, state.version)):
                names = (to_text(name_of(key)) for keys in read_keys(section) for key in keys)
                found = next((name for name in names if name.endswith(RESERVED)), "")
                if found and section.cover & Cover.SELF:
                    return found
        except (OSError, EntriesDamaged):
            continue
    return ""
