"""The reason of a block in a client's hands: the Extended DNS Error (RFC 8914) of a decision.

Its code says who wanted it: 16 *Censored* where the national list did, 17 *Filtered* where the client's own agency or
unit asked for it, 15 *Blocked* for everything else the regency decided. Its text fits a small response.
"""

from __future__ import annotations

from typing import Final

from policy.model import Category, Ede, Language, ListInfo, Rule, ScopeKind

MAX_TEXT_SIZE: Final = 120  # octets: with a header, a question and an SOA the response stays far below 512

_VERBS: Final = {
    Language.ID: {Ede.BLOCKED: "Diblokir", Ede.CENSORED: "Diblokir", Ede.FILTERED: "Disaring"},
    Language.EN: {Ede.BLOCKED: "Blocked", Ede.CENSORED: "Blocked", Ede.FILTERED: "Filtered"},
}
_REDIRECTED: Final = {Language.ID: "Dialihkan", Language.EN: "Redirected"}
_LETTER: Final = {Language.ID: "surat", Language.EN: "letter"}
_ALLOW_LIST_ONLY: Final = {Language.ID: "di luar daftar izin", Language.EN: "not on the allow list"}
_BY_RULE: Final = {Language.ID: "aturan", Language.EN: "rule"}


def code(scope: ScopeKind | None, national: bool) -> Ede:
    """The EDE code of a block by a rule of that scope (None: by no rule), resting on a national list or not."""
    if scope is ScopeKind.AGENCY or scope is ScopeKind.UNIT:
        return Ede.FILTERED
    return Ede.CENSORED if national else Ede.BLOCKED


def text(
    ede: Ede,
    language: Language,
    rule: Rule | None,
    category: Category | None,
    listed: ListInfo | None,
    redirected: bool,
) -> str:
    """One line such as ``Diblokir: perjudian (TrustPositif), surat 045/12/DKI``, at most 120 octets of UTF-8."""
    verb = _REDIRECTED[language] if redirected else _VERBS[language][ede]
    subject = _subject(language, rule, category, listed)
    if rule is not None and rule.basis.number:
        # The letter is what a person needs to ask about the block: it is kept whole and the rest cut.
        letter = shortened(f", {_LETTER[language]} {rule.basis.number}", MAX_TEXT_SIZE // 2)
        return shortened(f"{verb}: {subject}", MAX_TEXT_SIZE - len(letter.encode())) + letter
    return shortened(f"{verb}: {subject}", MAX_TEXT_SIZE)


def default_text(ede: Ede, language: Language) -> str:
    """The text for a name outside the allow list of a scope that has nothing else."""
    return f"{_VERBS[language][ede]}: {_ALLOW_LIST_ONLY[language]}"


def _subject(language: Language, rule: Rule | None, category: Category | None, listed: ListInfo | None) -> str:
    title = (listed.title or listed.code) if listed is not None else ""
    if category is not None:
        name = category.code.replace("_", " ")
        return f"{name} ({title})" if title else name
    if title:
        return title
    if rule is None:
        return ""
    return rule.title or f"{_BY_RULE[language]} {rule.id}"


def shortened(line: str, size_bytes: int) -> str:
    """The line cut to that many octets of UTF-8, never inside a character; control characters become blanks."""
    line = "".join(character if character.isprintable() else " " for character in line)
    raw = line.encode("utf-8", "replace")
    if len(raw) <= size_bytes:
        return line
    return raw[: size_bytes - 3].decode("utf-8", "ignore") + "…"
