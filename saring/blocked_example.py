"""A name to try: one that the policy in force blocks for everybody."""

from __future__ import annotations

from blocklists.entries import EntriesDamaged, read_keys, read_sections
from blocklists.entry import Cover, name_of
from blocklists.library import Library
from dnswire.name import to_text
from policy.model import Policy


def blocked_example(policy: Policy, library: Library) -> str:
    """The first name of the smallest list that feeds a negative category; ``""`` where there is none."""
    negative = {category.id for category in policy.categories if category.negative}
    lists = [info for info in policy.lists if info.version and negative.intersection(info.category_ids)]
    states = sorted((library.state(info.code) for info in lists), key=lambda state: state.entries)
    for state in states:
        try:
            for section in read_sections(library.entries_path(state.code, state.version)):
                if not section.cover & Cover.SELF:
                    continue
                for keys in read_keys(section):
                    return to_text(name_of(keys[0]))
        except (OSError, EntriesDamaged):
            continue
    return ""
