"""Mutated policy documents: refused with PolicyDocumentError, or usable from check to explain without another error."""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

from dnswire import name as wire
from policy.check import check
from policy.decide import decide, decide_address
from policy.document import PolicyDocumentError, decode, encode
from policy.explain import ByTenant, explain_prepared
from policy.model import Policy
from policy.prepare import prepare
from policy.resolve import at
from tests.support.plain_index import PlainIndex
from tests.support.random_policies import START_S, random_policy

DOCUMENTS = int(os.environ.get("SARING_FUZZ_DOCUMENTS", "600"))

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 7, 1440, 1441, 2**31, 2**63 - 1, -(2**63), 1.5, "", ".", "..", "a..b", "*.", "*.*.a", "a" * 64,
    "a." * 127 + "a", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "é.例え", "\\300.a", "\0",
    "10.0.0.0/0", "::/0", "::ffff:0:0/95", "300.1.1.1", "(", "(a+)+$", r"\Qx", ".*" * 90, "Mars/Olympus",
    "../etc/passwd", "0001-01-01", "9999-12-31", [], {}, [0, 7, -3], [[]], [None],
)  # fmt: skip

ENUMERATIONS = frozenset({"kind", "action", "language", "unknown_clients", "format"})


def mutate(random: Random, value: Any) -> Any:
    """The value with one part, somewhere inside, replaced by something odd."""
    if isinstance(value, dict) and value and random.random() < 0.95:
        # An odd value of an enumeration is refused by the reader: seldom, so that what is behind it is reached.
        free = sorted(value.keys() - ENUMERATIONS)
        key = random.choice(free if free and random.random() < 0.97 else sorted(value))
        return value | {key: mutate(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.95:
        place = random.randrange(len(value))
        return [*value[:place], mutate(random, value[place]), *value[place + 1 :]]
    # Often of the same kind, so that it is not the reader alone that sees it.
    alike = [odd for odd in ODD if type(odd) is type(value)]
    return random.choice(alike if alike and random.random() < 0.95 else ODD)


def test_mutated_documents_are_refused_or_harmless() -> None:
    used = 0
    for seed in range(DOCUMENTS):
        random = Random(seed)
        document = json.loads(encode(random_policy(random)))
        for _ in range(random.randint(1, 3)):
            document = mutate(random, document)
        try:
            policy = decode(json.dumps(document).encode())
        except PolicyDocumentError:
            continue
        used += 1
        _use(policy)
    assert used > DOCUMENTS // 5, "the mutations are too coarse to reach past the reader"


def _use(policy: Policy) -> None:
    assert decode(encode(policy)) == policy
    for problem in check(policy):
        assert str(problem)
    prepared = prepare(policy)
    resolved = at(prepared, START_S + 0.5)
    assert resolved.valid_until_s > START_S
    index = PlainIndex({1: ["*.x"], 2: ["a.x", "@@b.x"]})
    for text in ("a.b.x", "c.y", "."):
        name = wire.from_text(text)
        for view in resolved.views:
            decide(view, index.match(name), name, 1)
            decide_address(view, b"\xcb\x00\x71\x07")
        explain_prepared(prepared, index, ByTenant(0), name, 1, START_S)


def test_flipped_octets_never_raise_anything_else() -> None:
    random = Random(3)
    good = encode(random_policy(random))
    for _ in range(DOCUMENTS):
        document = bytearray(good)
        for _ in range(random.randint(1, 5)):
            document[random.randrange(len(document))] = random.randrange(256)
        try:
            decode(bytes(document))
        except PolicyDocumentError:
            continue
