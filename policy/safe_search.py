"""Search engines that can be made to leave out what is not for everybody, and how: by the name they are reached under.

Each engine documents a name whose addresses answer in the filtered mode for whatever host name the browser believes it
talks to. A rule with the action SAFE_SEARCH answers the engine's own names with the addresses of that name, and HTTPS
and SVCB, which would lead around it, as without data. Other types (an engine may have mail, too) it does not concern.
What such a rule means beside others is told in ``candidates.py``.

Sources: support.google.com/websearch/answer/186669 and support.google.com/a/answer/6214622 (Google, YouTube),
help.bing.microsoft.com "Block adult content with SafeSearch", yandex.com/support/family-search,
duckduckgo.com/duckduckgo-help-pages/features/safe-search, ecosia.helpscoutdocs.com, pixabay.com/service/faq,
search.brave.com/help/safe-search.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dnswire.constants import RRType
from dnswire.name import from_text

# The types by which a client reaches a host, or learns under which other name it is reached.
TYPES: Final = frozenset(
    int(one) for one in (RRType.A, RRType.AAAA, RRType.CNAME, RRType.HTTPS, RRType.SVCB, RRType.ANY)
)

ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Engine:
    """A search engine. ``number``: as rule sets know it; ``names``: exactly these are answered with the addresses of
    ``target``; ``rank``: where two engines have a name in common (YouTube's two modes), the lower goes first.
    """

    number: int
    code: str
    title: str
    target: str
    names: tuple[str, ...]
    rank: int = 0


# www.google.com/supported_domains, one of each.
_GOOGLE_SUFFIXES: Final = (  # a text is easier to compare with theirs than a list of literals
    "com ad ae com.af com.ag al am co.ao com.ar as at com.au az ba com.bd be bf bg com.bh bi bj com.bn com.bo "
    "com.br bs bt co.bw by com.bz ca cd cf cg ch ci co.ck cl cm cn com.co co.cr com.cu cv com.cy cz de dj dk "
    "dm com.do dz com.ec ee com.eg es com.et fi com.fj fm fr ga ge gg com.gh com.gi gl gm gr com.gt gy com.hk "
    "hn hr ht hu co.id ie co.il im co.in iq is it je com.jm jo co.jp co.ke com.kh ki kg co.kr com.kw kz la "
    "com.lb li lk co.ls lt lu lv com.ly co.ma md me mg mk ml com.mm mn com.mt mu mv mw com.mx com.my co.mz "
    "com.na com.ng com.ni ne nl no com.np nr nu co.nz com.om com.pa com.pe com.pg com.ph com.pk pl pn com.pr "
    "ps pt com.py com.qa ro ru rw com.sa com.sb sc se com.sg sh si sk com.sl sn so sm sr st com.sv td tg "
    "co.th com.tj tl tm tn to com.tr tt com.tw co.tz com.ua co.ug co.uk com.uy co.uz com.vc co.ve co.vi "
    "com.vn vu ws rs co.za co.zm co.zw cat "
)
_YANDEX: Final = (
    "yandex.ru yandex.com yandex.by yandex.kz yandex.uz yandex.eu yandex.com.tr yandex.com.ge yandex.co.il ya.ru"
)
_YOUTUBE: Final = (
    "www.youtube.com",
    "m.youtube.com",
    "youtubei.googleapis.com",
    "youtube.googleapis.com",
    "www.youtube-nocookie.com",
)

ENGINES: Final = (
    Engine(
        1,
        "google",
        "Google",
        "forcesafesearch.google.com",
        tuple(f"www.google.{suffix}" for suffix in _GOOGLE_SUFFIXES.split()),
    ),
    Engine(2, "bing", "Bing", "strict.bing.com", ("www.bing.com", "bing.com")),
    Engine(
        3,
        "duckduckgo",
        "DuckDuckGo",
        "safe.duckduckgo.com",
        ("duckduckgo.com", "www.duckduckgo.com", "start.duckduckgo.com", "noai.duckduckgo.com"),
    ),
    Engine(4, "youtube-strict", "YouTube, strict", "restrict.youtube.com", _YOUTUBE),
    Engine(5, "youtube-moderate", "YouTube, moderate", "restrictmoderate.youtube.com", _YOUTUBE, rank=1),
    Engine(
        6,
        "yandex",
        "Yandex",
        "familysearch.yandex.ru",
        tuple(f"{host}{name}" for name in _YANDEX.split() for host in ("", "www.")),
    ),
    Engine(7, "ecosia", "Ecosia", "strict-safe-search.ecosia.org", ("www.ecosia.org", "ecosia.org")),
    Engine(8, "pixabay", "Pixabay", "safesearch.pixabay.com", ("pixabay.com",)),
    Engine(9, "brave", "Brave Search", "forcesafe.search.brave.com", ("search.brave.com",)),
)
CODES: Final = (ALL, *(engine.code for engine in ENGINES))


def engines_of(value: str) -> tuple[Engine, ...]:
    """The engines that a target's value names: one by its code, or all, YouTube then in its strict mode.

    Raises ``KeyError`` for a code that is none.
    """
    if value == ALL:
        return tuple(engine for engine in ENGINES if engine.rank == 0)
    found = tuple(engine for engine in ENGINES if engine.code == value)
    if not found:
        raise KeyError(value)
    return found


def by_name(engines: Iterable[Engine]) -> dict[bytes, tuple[int, ...]]:
    """The numbers of those engines by their names, in lower-case wire form."""
    found: dict[bytes, tuple[int, ...]] = {}
    for engine in engines:
        for text in engine.names:
            name = from_text(text)
            found[name] = (*found.get(name, ()), engine.number)
    return found
