"""Exceptions from request to end, pauses, what letters are required."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("regency", "exception_max_days", sa.Integer(), "90"),
    ("regency", "pause_max_minutes", sa.Integer(), "30"),
    ("regency", "letters_for", sa.JSON(), "[]"),
    ("regency", "letters_with_document", sa.Boolean(), sa.false()),
    ("rule", "basis_document_sha256", sa.String(length=64), ""),
    ("succession", "basis_document_sha256", sa.String(length=64), ""),
)
_TERM_S = 90 * 86_400
_OPEN_S = 30 * 86_400


def upgrade() -> None:
    op.create_table(
        "exception",
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("scope_kind", sa.String(length=16), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("target_kind", sa.String(length=16), nullable=False),
        sa.Column("target_value", sa.String(length=1004), nullable=False),
        sa.Column("schedule_code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("client", sa.String(length=45), nullable=False),
        sa.Column("starts_s", sa.BigInteger(), nullable=True),
        sa.Column("duration_s", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.String(length=40), nullable=False),
        sa.Column("requested_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("decided_s", sa.BigInteger(), nullable=True),
        sa.Column("decision_note", sa.String(length=1000), nullable=False),
        sa.Column("valid_from_s", sa.BigInteger(), nullable=True),
        sa.Column("valid_until_s", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=False),
        sa.Column("ended_s", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(length=1000), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=True),
        sa.Column("basis_number", sa.String(length=200), nullable=False),
        sa.Column("basis_date", sa.String(length=10), nullable=False),
        sa.Column("basis_signer", sa.String(length=200), nullable=False),
        sa.Column("basis_note", sa.String(length=1000), nullable=False),
        sa.Column("basis_document_sha256", sa.String(length=64), server_default="", nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exception")),
        sa.UniqueConstraint("code", name=op.f("uq_exception_code")),
        sa.UniqueConstraint("rule_id", name=op.f("uq_exception_rule_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_exception_agency_id"), "exception", ["agency_id"], unique=False)
    op.create_index(op.f("ix_exception_state"), "exception", ["state"], unique=False)
    op.create_table(
        "pause",
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("ended_s", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(agency_id IS NULL) <> (unit_id IS NULL)", name=op.f("ck_pause_one_scope")),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_pause_agency_id_agency"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_pause_unit_id_unit"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pause_agency_id"), "pause", ["agency_id"], unique=False)
    op.create_index(op.f("ix_pause_ended_s"), "pause", ["ended_s"], unique=False)
    op.create_index(op.f("ix_pause_unit_id"), "pause", ["unit_id"], unique=False)
    for table, name, kind, default in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, server_default=default, nullable=False))
    _adopt_rules(op.get_bind(), int(time.time()))


def downgrade() -> None:
    for table, name, _, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
    op.drop_table("pause")
    op.drop_table("exception")


def _adopt_rules(connection: sa.Connection, now_s: int) -> None:
    """Until now an exception was a rule with a mark. What was approved goes on, with an end; what was not, waits."""
    meta = sa.MetaData()
    rule, exception, unit, schedule, category, blocklist, service = (
        sa.Table(name, meta, autoload_with=connection)
        for name in ("rule", "exception", "unit", "schedule", "category", "blocklist", "service")
    )
    agency_of = _pairs(connection, unit.c.id, unit.c.agency_id)
    codes = {
        "schedule_id": _pairs(connection, schedule.c.id, schedule.c.code),
        "category_id": _pairs(connection, category.c.id, category.c.code),
        "blocklist_id": _pairs(connection, blocklist.c.id, blocklist.c.code),
        "service_id": _pairs(connection, service.c.id, service.c.code),
    }
    for row in connection.execute(sa.select(rule).where(rule.c.exception).order_by(rule.c.id)).mappings().all():
        this = rule.c.id == row["id"]
        if row["action"] != "allow":  # an exception lets through; what bars is a rule
            connection.execute(sa.update(rule).where(this).values(exception=False, approver=""))
            continue
        values = _request(dict(row), agency_of, codes, now_s)
        if row["approver"]:
            until_s = row["valid_until_s"] or now_s + _TERM_S
            connection.execute(sa.update(rule).where(this).values(code=None, valid_until_s=until_s))
            values |= {
                "state": "approved",
                "decided_by": row["approver"][:40],
                "decided_s": row["changed_s"],
                "valid_from_s": row["valid_from_s"] or row["created_s"],
                "valid_until_s": until_s,
                "rule_id": row["id"],
            }
        else:
            connection.execute(sa.delete(rule).where(this))
        connection.execute(sa.insert(exception).values(**values))


def _pairs(connection: sa.Connection, key: sa.Column[Any], value: sa.Column[Any]) -> dict[int, Any]:
    return {row[0]: row[1] for row in connection.execute(sa.select(key, value))}


def _request(
    row: dict[str, Any], agency_of: dict[int, Any], codes: dict[str, dict[int, Any]], now_s: int
) -> dict[str, Any]:
    kind = "unit" if row["unit_id"] else "agency" if row["agency_id"] else "regency"
    coded = ("category_id", "blocklist_id", "service_id")
    named = next((codes[name].get(row[name]) for name in coded if row[name]), None)
    target = {"kind": row["target_kind"], "value": named or row["target_text"] or ""}
    return {
        "code": row["code"],
        "title": row["title"],
        "state": "requested",
        "asked": {"scope": {"kind": kind, "id": row["unit_id"] or row["agency_id"]}, "target": target},
        "scope_kind": kind,
        "agency_id": row["agency_id"] or agency_of.get(row["unit_id"] or 0),
        "unit_id": row["unit_id"],
        "target_kind": target["kind"],
        "target_value": target["value"],
        "schedule_code": codes["schedule_id"].get(row["schedule_id"] or 0, ""),
        "reason": row["basis_note"] or row["title"],
        "contact": "",
        "client": "",
        "starts_s": row["valid_from_s"],
        "duration_s": _TERM_S,
        "requested_by": row["author"][:40],
        "requested_s": row["created_s"],
        "expires_s": now_s + _OPEN_S,
        "decided_by": "",
        "decision_note": "",
        "ended_by": "",
        "end_reason": "",
        **{name: row[name] for name in row if name.startswith("basis_")},
    }
