"""Refusing what the regency demands a letter for, and has none."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.models import RegencyRow
from admin_api.rest.problem import FieldError, Problem, invalid
from admin_api.schemas import Basis
from admin_api.surroundings import letters_of
from policy import model as facts
from policy.letters import LettersRequired, missing, words

EXPECTED = {
    "number": "the letter's number, as 800/123/DISKOMINFO/2026",
    "date": "the letter's date, as 2026-01-05",
    "signer": "who signed the letter",
    "document_sha256": "the SHA-256 of the letter's PDF: `sha256sum letter.pdf`",
}


async def letters_required(session: AsyncSession) -> LettersRequired:
    """For which rules the regency demands a letter."""
    return letters_of((await session.execute(select(RegencyRow))).scalar_one())


async def require_letter(session: AsyncSession, rule: facts.Rule) -> None:
    """Raises a 422 problem that names every field that is missing of a letter which the regency demands."""
    required = await letters_required(session)
    kind = required.why(rule)
    if kind is not None:
        message = f"is missing: {words(kind)} rests on an official letter here"
        refuse_without_letter(rule.basis, required.with_document, message)


def refuse_without_letter(basis: facts.Basis | Basis, with_document: bool, message: str) -> None:
    """Raises a 422 problem with that message for every field of the letter that is missing."""
    problem = letter_problem(basis, with_document, message)
    if problem is not None:
        raise problem


def letter_problem(basis: facts.Basis | Basis, with_document: bool, message: str) -> Problem | None:
    """The same as a value; None where the letter is complete."""
    letter = basis if isinstance(basis, facts.Basis) else fact_of(basis)
    lacking = missing(letter, with_document)
    if not lacking:
        return None
    return invalid(*(FieldError(field=f"basis.{name}", message=message, expected=EXPECTED[name]) for name in lacking))


def fact_of(basis: Basis) -> facts.Basis:
    """A letter as policy speaks of it."""
    return facts.Basis(basis.number, basis.date or "", basis.signer, basis.note, basis.document_sha256)
