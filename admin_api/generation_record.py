"""What a generation keeps of the control database, so that people can have it back: the document, and its identifiers.

Workers never read it. It is one line of JSON beside the policy (``snapshots.publish``), written at each publication.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from admin_api.document_export import Exported

FORMAT: Final = 1


class RecordError(ValueError):
    """A generation keeps no document that can be read; the message says why, and what can be done."""


class _Record(msgspec.Struct, frozen=True):
    format: int
    document: dict[str, Any]
    ids: dict[str, int]


def encode_record(exported: Exported) -> bytes:
    """The record of what was exported: UTF-8, one line. Keys stay in their order, which is that of the file."""
    return msgspec.json.encode(_Record(FORMAT, exported.document, exported.ids)) + b"\n"


def decode_record(record: bytes) -> Exported:
    """What was exported. Raises ``RecordError``."""
    if not record:
        raise RecordError(
            "it was published by an older Saring, which kept no document of the database with it; "
            "a rollback can put it in force"
        )
    try:
        found = msgspec.json.decode(record, type=_Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RecordError(f"its document cannot be read: {fault}") from None
    if found.format != FORMAT:
        raise RecordError(f"its document has format {found.format}, this Saring reads {FORMAT}")
    return Exported(found.document, found.ids)
