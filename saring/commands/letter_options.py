"""The options by which commands are told of an official letter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from admin_api.schemas import Basis

Function = TypeVar("Function", bound=Callable[..., Any])

MAX_PDF_BYTES = 64 * 1024 * 1024


def letter_options(function: Function) -> Function:
    """Adds ``--letter``, ``--letter-date``, ``--signer`` and ``--document``."""
    for option in (
        click.option(
            "--document", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The letter's PDF."
        ),
        click.option("--signer", default="", help="Who signed the letter."),
        click.option("--letter-date", default=None, help="Its date, such as 2026-01-05."),
        click.option("--letter", default="", help="The letter's number, such as 800/123/DISKOMINFO/2026."),
    ):
        function = option(function)
    return function


def basis_of_options(letter: str, letter_date: str | None, signer: str, document: Path | None) -> Basis | None:
    """The letter that was told; None where none was. Ends the command for what cannot be one."""
    import pydantic

    from admin_api.schemas import Basis

    if not (letter or letter_date or signer or document):
        return None
    try:
        return Basis(number=letter, date=letter_date, signer=signer, document_sha256=_sha256(document))
    except pydantic.ValidationError as error:
        raise click.UsageError(f"the letter: {error.errors(include_url=False)[0]['msg']}") from None


def _sha256(document: Path | None) -> str:
    if document is None:
        return ""
    with document.open("rb") as file:
        data = file.read(MAX_PDF_BYTES + 1)
    if len(data) > MAX_PDF_BYTES:
        raise click.UsageError(f"{document} is larger than {MAX_PDF_BYTES} bytes: no letter is")
    return hashlib.sha256(data).hexdigest()
