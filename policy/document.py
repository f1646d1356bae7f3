"""The policy as a document: canonical JSON, the same bytes for the same policy.

Reading is strict in what it does not know (a key of a newer Saring may carry a decision, so the document is refused
rather than read without it) and lenient in what is missing (a document of an older Saring gets the defaults), so that
after an upgrade the last generation still opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from policy.model import Policy

FORMAT: Final = 1

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class PolicyDocumentError(ValueError):
    """Bytes that are no policy document; the message says where and why."""


@dataclass(frozen=True, slots=True)
class _Document:
    format: int
    policy: Policy


def encode(policy: Policy) -> bytes:
    """The policy's document: UTF-8, one line, keys in the order of ``model.py``."""
    return _ENCODER.encode(_Document(FORMAT, policy)) + b"\n"


def decode(document: bytes) -> Policy:
    """The policy of a document. Raises ``PolicyDocumentError``."""
    try:
        raw = msgspec.json.decode(document)
        if isinstance(raw, dict) and raw.get("format") != FORMAT:
            raise PolicyDocumentError(
                f"policy document of format {raw.get('format')!r}, this Saring reads format {FORMAT}: "
                "publish it again with this version"
            )
        found = msgspec.convert(raw, _Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise PolicyDocumentError(f"policy document: {fault}") from None
    # Nearly always the document was written by this very version; only others need the walk through every key.
    if encode(found.policy) != document:
        _refuse_unknown(raw, msgspec.to_builtins(found), "$")
    return found.policy


def _refuse_unknown(raw: object, known: object, path: str) -> None:
    if isinstance(raw, dict) and isinstance(known, dict):
        for key, value in raw.items():
            if key not in known:
                raise PolicyDocumentError(f"policy document: {path} has the unknown key {key!r}")
            _refuse_unknown(value, known[key], f"{path}.{key}")
    elif isinstance(raw, list) and isinstance(known, list | tuple):
        for position, (value, other) in enumerate(zip(raw, known, strict=True)):
            _refuse_unknown(value, other, f"{path}[{position}]")
