"""The policy document: canonical, strict in what it does not know, lenient in what is missing."""

from __future__ import annotations

from random import Random

import pytest

from policy.document import PolicyDocumentError, decode, encode
from policy.model import Policy, Regency
from tests.support.deciding import REGENCY_SCOPE, government, rule
from tests.support.random_policies import random_policy


def test_the_same_policy_has_the_same_bytes_and_comes_back_whole() -> None:
    for seed in range(20):
        policy = random_policy(Random(seed))
        document = encode(policy)
        assert decode(document) == policy
        assert encode(decode(document)) == document


def test_a_document_of_an_older_version_gets_the_defaults() -> None:
    assert decode(b'{"format":1,"policy":{"regency":{"name":"Muba"}}}') == Policy(Regency("Muba"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b"null", "Expected `object`"),
        (b"\xff", "malformed"),
        (b'{"format":2,"policy":{}}', "format 2, this Saring reads format 1"),
        (b'{"format":1}', "missing required field `policy`"),
        (b'{"format":1,"policy":{"regency":{"name":7}}}', "Expected `str`, got `int`"),
        (b'{"format":1,"policy":{"regency":{"name":"a","language":"jv"}}}', "Invalid enum value"),
        (b'{"format":1,"policy":{"regency":{"name":"a","mode":"x"}}}', "unknown key 'mode'"),
        (b'{"format":1,"policy":{"regency":{"name":"a"}},"x":1}', "unknown key 'x'"),
        (b'{"format":1,"policy":{"regency":{"name":"a"},"protected":[1]}}', "Expected `str`"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_document_says_why(document: bytes, message: str) -> None:
    with pytest.raises(PolicyDocumentError, match=message):
        decode(document)


def test_an_unknown_key_inside_a_rule_is_refused_with_its_place() -> None:
    document = encode(government(rule(1, REGENCY_SCOPE, "name:a.example")))
    wider = document.replace(b'"important":false', b'"important":false,"safe_search":true')
    with pytest.raises(PolicyDocumentError, match=r"\$\.policy\.rules\[0\] has the unknown key 'safe_search'"):
        decode(wider)


def test_every_truncation_is_refused() -> None:
    document = encode(government(rule(1, REGENCY_SCOPE, "name:a.example"))).rstrip(b"\n")
    for size in range(0, len(document), 7):
        with pytest.raises(PolicyDocumentError):
            decode(document[:size])
