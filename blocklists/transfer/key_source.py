"""A source's TSIG key, from what people entered or from the file they named."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from blocklists.source import Source
from blocklists.transfer.failure import TransferError, TransferFailure
from blocklists.transfer.tsig import TsigKey, make_key

_MAX_FILE_SIZE: Final = 4096


def key_of(source: Source) -> TsigKey | None:
    """The key to sign with; None where the source has none. Raises ``TransferError`` without the secret."""
    if not source.tsig_name:
        return None
    secret = source.tsig_secret or _from_file(source)
    try:
        return make_key(source.tsig_name, source.tsig_algorithm, secret)
    except ValueError as error:
        raise TransferError(TransferFailure.KEY, f"List {source.code} cannot be transferred: {error}.") from error


def _from_file(source: Source) -> str:
    path = Path(source.tsig_secret_file)
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_SIZE).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        sentence = f"List {source.code} cannot be transferred: its TSIG secret's file {path} cannot be read: {reason}."
        raise TransferError(TransferFailure.KEY, sentence) from error
