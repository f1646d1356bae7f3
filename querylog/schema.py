"""The one schema of the query log, for every store.

All of a row's reason is text (verdict, layer, rule title, letter, list, category): the row says why without the
policy it was decided by. Stores encode such columns by dictionary.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, SmallInteger, String, Table

METADATA: Final = MetaData()

QUERIES: Final = Table(
    "queries",
    METADATA,
    Column("time_us", BigInteger, nullable=False),
    Column("node", String, nullable=False),
    Column("worker", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),  # number of the load that brought the row: what ``tail`` follows
    Column("client", String, nullable=False),  # text of the address; IPv4 without its mapping
    Column("agency", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("transport", String, nullable=False),
    Column("name", String, nullable=False),  # presentation form; "" where the question could not be parsed
    Column("rrtype", Integer, nullable=False),
    Column("rcode", Integer, nullable=False),
    Column("verdict", String, nullable=False),
    Column("layer", String, nullable=False),
    Column("via", String, nullable=False),
    Column("rule_id", BigInteger, nullable=False),
    Column("rule", String, nullable=False),
    Column("letter", String, nullable=False),
    Column("list", String, nullable=False),
    Column("category", String, nullable=False),
    Column("matched", String, nullable=False),
    Column("answer_digest", BigInteger, nullable=False),
    Column("upstream", SmallInteger, nullable=False),
    Column("cache", String, nullable=False),
    Column("latency_us", BigInteger, nullable=False),
)

GAPS: Final = Table(
    "gaps",
    METADATA,
    Column("node", String, nullable=False),
    Column("worker", Integer, nullable=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("first_time_us", BigInteger, nullable=False),
    Column("last_time_us", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("batch", BigInteger, nullable=False),
)

COLUMNS: Final = tuple(column.name for column in QUERIES.columns)

# Verdicts that policy comes to; the others were given before it was asked.
DECIDED: Final = ("allowed", "blocked", "redirected", "observed")
AS_ASKED: Final = "question"  # ``via`` where the question itself decided, and nothing that the answer led to

# Kept longer than the rest: what was blocked, or would have been.
KEPT_AS_BLOCKED: Final = ("blocked", "redirected", "observed")
