"""Where a DNAME leads (RFC 6672), whether a CNAME says so as well or not."""

from __future__ import annotations

from dnswire.answer import MAX_RRS, parse_answer
from dnswire.name import from_text
from tests.support import dns_messages as say
from tests.support.fixtures_world import Worlds
from tests.support.world import NATIONAL_LIST, sample_policy

QUESTION = say.question("a.b.lain.example")
DNAME, CNAME = 39, 5


def alias(owner: str, rrtype: int, target: str) -> bytes:
    return say.rr(owner, rrtype, 60, from_text(target))


def test_a_dname_leads_where_its_cname_would_lead() -> None:
    # RFC 6672 2.2: the owner at the end of the queried name is replaced by the target.
    dname = alias("lain.example", DNAME, "judi.example")
    for more in ((), (alias("a.b.lain.example", CNAME, "a.b.judi.example"),)):
        found = parse_answer(say.response(QUESTION, answer=(dname, *more)))
        assert set(found.aliases) == {from_text("judi.example"), from_text("a.b.judi.example")}


def test_a_dname_behind_an_alias_is_followed_from_there() -> None:
    chain = (alias("a.b.lain.example", CNAME, "x.y.example"), alias("y.example", DNAME, "z.example"))
    assert parse_answer(say.response(QUESTION, answer=chain)).aliases[-1] == from_text("x.z.example")


def test_a_dname_of_another_name_or_of_the_name_itself_leads_nobody_on() -> None:
    # RFC 6672 2.2: "the owner name of a DNAME is not redirected itself".
    for owner in ("other.example", "a.b.lain.example", "c.a.b.lain.example", "ain.example"):
        found = parse_answer(say.response(QUESTION, answer=(alias(owner, DNAME, "z.example"),)))
        assert found.aliases == (from_text("z.example"),)


def test_a_name_that_would_get_too_long_leads_nowhere() -> None:
    # RFC 6672 2.2: the substitution that does not fit is answered with YXDOMAIN.
    long = ".".join(["y" * 60] * 4 + ["zzzzzz"])
    assert parse_answer(say.response(QUESTION, answer=(alias("lain.example", DNAME, long),))).aliases == (
        from_text(long),
    )


def test_many_dnames_do_not_multiply() -> None:
    dname = alias("example", DNAME, "example")
    assert len(parse_answer(say.response(QUESTION, answer=(dname,) * MAX_RRS)).aliases) == 2 * MAX_RRS


def test_a_blocked_name_is_reached_by_no_dname(world: Worlds) -> None:
    """Listed is exactly the name to which the DNAME leads, and its CNAME is left out."""
    here = world(sample_policy(), {NATIONAL_LIST: ["a.b.judi.example"]})
    reply = say.response(QUESTION, answer=(alias("lain.example", DNAME, "judi.example"),))
    here.upstream._message = lambda *_: reply  # type: ignore[method-assign]  # one answer to all
    assert here.ask("a.b.lain.example").rcode == "NXDOMAIN"
