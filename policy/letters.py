"""Which rules must rest on an official letter, and what of a letter is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from policy.model import Action, Basis, Layer, Policy, Rule
from policy.prepare import layer_of
from policy.problems import Findings, Part


class LetterFor(StrEnum):
    """Kinds of rule for which a regency may demand a letter."""

    ALL = "all"
    MANDATORY = "mandatory"
    EXCEPTION = "exception"
    BLOCK = "block"  # also redirect and safe search
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class LettersRequired:
    """What the regency demands. ``with_document``: the checksum of the letter's PDF, too."""

    kinds: frozenset[LetterFor] = frozenset()
    with_document: bool = False

    def why(self, rule: Rule) -> LetterFor | None:
        """The kind for which this rule needs a letter, None where it needs none."""
        return next((kind for kind in _kinds_of(rule) if kind in self.kinds), None)


def missing(basis: Basis, with_document: bool) -> tuple[str, ...]:
    """The fields of a letter that are not filled in."""
    needed = {"number": basis.number, "date": basis.date, "signer": basis.signer}
    if with_document:
        needed["document_sha256"] = basis.document_sha256
    return tuple(name for name, value in needed.items() if not value)


def check_letters(policy: Policy, required: LettersRequired, findings: Findings) -> None:
    """Reports rules that were entered before their letter was demanded."""
    if not required.kinds:
        return
    for rule in policy.rules:
        kind = required.why(rule)
        lacking = missing(rule.basis, required.with_document) if kind is not None else ()
        if lacking:
            message = f"{words(kind)} rests on a letter, and {' and '.join(lacking)} of its letter is not filled in"
            findings.warning(Part.RULE, str(rule.id), "basis", message, "enter the letter's number, date and signer")


def words(kind: LetterFor | None) -> str:
    """What needs the letter, as the beginning of a sentence."""
    return "every rule" if kind is LetterFor.ALL else f"every rule of the kind {kind}"


def _kinds_of(rule: Rule) -> tuple[LetterFor, ...]:
    kinds = [LetterFor.ALL]
    layer = layer_of(rule)
    if layer is Layer.MANDATORY:
        kinds.append(LetterFor.MANDATORY)
    elif layer is Layer.EXCEPTION:
        kinds.append(LetterFor.EXCEPTION)
    if rule.action is Action.ALLOW:
        kinds.append(LetterFor.ALLOW)
    elif rule.action is not Action.OBSERVE:
        kinds.append(LetterFor.BLOCK)
    return tuple(kinds)
