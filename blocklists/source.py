"""Where a list comes from and what may be expected of it: everything an administrator states about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from blocklists.transfer.primary import is_zone, parse_primary
from blocklists.transfer.tsig import ALGORITHMS, make_key

AUTO: Final = "auto"
# ``formats/detect.py`` registers them.
FORMAT_NAMES: Final = (AUTO, "plain", "hosts", "wildcard", "dnsmasq", "unbound", "adblock", "rpz", "ut1", "addresses")
MIB: Final = 1 << 20

MAX_LANDING: Final = 50
MAX_MEMBER: Final = 200

# Paths of the API below /blocklists: a list of such a code could not be asked for.
RESERVED_CODES: Final = frozenset(("holders", "insight", "overlap", "overrides"))

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LANDING: Final = re.compile(r"[0-9a-z:._-]{1,253}")
_PARSER_REVISION: Final = 4  # raise it where the same file gives other entries than before


@dataclass(frozen=True, slots=True)
class Source:
    """One list's source and limits.

    ``location`` is an http(s) URL, a file:// URL or a path: of a file, or of a folder or tar archive. ``member`` is
    then the folder of one category in it, or a file ("" for a file that is the list itself). ``subdomains`` None
    leaves the meaning to the format. ``sha256``: the only content that is taken, by the digest of the file as it is
    served or of the text in it. ``landing``: names and addresses, lower case and without trailing dot, to which the
    publisher sends what he blocks, beside those that are known (``formats/rpz_record.py``): such an answer blocks.
    ``rewrites``: whether what the list answers with data of its own (``$dnsrewrite``, local data of a zone, hosts lines
    with a real address) is done. Off, since whoever writes such a list, or breaks into its server, says where the
    regency's clients go when they mean their bank.

    A response policy zone can be transferred: ``location`` is then ``rpz://address[:port]/zone.name``. The TSIG key has
    a name ("" for none), an algorithm, and a secret in Base64: ``tsig_secret``, or the content of ``tsig_secret_file``.

    ``max_size_bytes`` holds for the download and, separately, for the text in it; ``shrink_limit`` is the share of
    the last good version's names that an update may lose. Raises ``ValueError`` where a value makes no sense,
    naming all that do not.
    """

    code: str
    location: str
    format: str = AUTO
    subdomains: bool | None = None
    max_size_bytes: int = 2048 * MIB  # the national zone as text has 1.6 GB
    max_entries: int = 40_000_000  # and 17.5 million RRs
    min_entries: int = 1
    shrink_limit: float = 0.3
    allow_private: bool = False
    timeout_s: float = 900.0
    member: str = ""
    sha256: str = ""
    landing: tuple[str, ...] = ()
    rewrites: bool = False
    tsig_name: str = ""
    tsig_algorithm: str = ALGORITHMS[0]
    tsig_secret: str = field(default="", repr=False)
    tsig_secret_file: str = ""

    def __post_init__(self) -> None:
        # The code becomes a directory name.
        wrong = [] if _CODE.fullmatch(self.code) else [f"code {self.code!r}: a-z, 0-9, - and _, at most 64"]
        if self.code in RESERVED_CODES:
            wrong.append(f"code {self.code!r}: it has a meaning of its own in the API, choose another")
        if not self.location:
            wrong.append("location is empty: a URL or a path is due")
        if self.format not in FORMAT_NAMES:
            wrong.append(f"format {self.format!r}: {', '.join(FORMAT_NAMES)}")
        if self.member and why_no_member(self.member):
            wrong.append(f"member {self.member!r}: {why_no_member(self.member)}")
        if self.sha256 and not _SHA256.fullmatch(self.sha256):
            wrong.append(f"sha256 {self.sha256!r}: 64 digits of 0-9 and a-f")
        if len(self.landing) > MAX_LANDING or not all(map(_LANDING.fullmatch, self.landing)):
            wrong.append(f"landing {list(self.landing)!r}: at most {MAX_LANDING} names or addresses, in lower case")
        if not 0 <= self.shrink_limit <= 1:
            wrong.append(f"shrink_limit {self.shrink_limit}: from 0 to 1")
        for label, value in (
            ("max_size_bytes", self.max_size_bytes),
            ("max_entries", self.max_entries),
            ("timeout_s", self.timeout_s),
        ):
            if value <= 0:
                wrong.append(f"{label} {value}: above 0")
        wrong += _zone_problems(self)
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def recipe(self) -> str:
        """What, besides the content, decides about the entries: where it changes, the same content is parsed anew."""
        landing = ",".join(sorted(self.landing))
        stated = (self.format, self.subdomains, self.member, self.sha256, landing, self.rewrites)
        return "/".join(map(str, (_PARSER_REVISION, *stated)))


def _zone_problems(source: Source) -> list[str]:
    """What is wrong with the location of a zone and with its key."""
    wrong: list[str] = []
    if is_zone(source.location):
        try:
            parse_primary(source.location)
        except ValueError as error:
            wrong.append(str(error))
        if source.format not in (AUTO, "rpz"):
            wrong.append(f"format {source.format!r}: a transferred zone is rpz")
    elif source.tsig_name or source.tsig_secret or source.tsig_secret_file:
        wrong.append("a TSIG key is for zones that are transferred (rpz://...)")
    if not source.tsig_name:
        if source.tsig_secret or source.tsig_secret_file:
            wrong.append("tsig_name is empty, though there is a secret")
    elif bool(source.tsig_secret) == bool(source.tsig_secret_file):
        wrong.append(f"TSIG key {source.tsig_name}: either tsig_secret or tsig_secret_file")
    else:
        # A secret in a file is looked at when it is used.
        try:
            make_key(source.tsig_name, source.tsig_algorithm, source.tsig_secret or "AAAAAAAAAAAAAAAA")
        except ValueError as error:
            wrong.append(str(error))
    return wrong


def why_no_member(member: str) -> str:
    """Why a text is no path inside of a folder or archive; empty where it is one."""
    if len(member) > MAX_MEMBER:
        return f"at most {MAX_MEMBER} characters"
    if not member.isprintable() or "\\" in member:
        return "printable characters without backslashes"
    if member.startswith("/") or any(part in ("", ".", "..") for part in member.split("/")):
        return "a path inside of the folder or archive, such as blacklists/adult"
    return ""
