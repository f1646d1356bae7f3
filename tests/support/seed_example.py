"""The complete example in the import document's documentation, as a document."""

from __future__ import annotations

import textwrap

from admin_api import seed_document


def _example() -> str:
    text = seed_document.__doc__ or ""
    start = text.index("    protected = ")
    return textwrap.dedent(text[start : text.index("\nAll sections but")])


EXAMPLE = _example()
