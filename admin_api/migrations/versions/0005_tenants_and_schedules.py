"""Tenants and schedules: forwarders, devices, periods, overrides, history of agencies, observing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("regency", "admin_networks", sa.JSON(), "[]"),
    ("category", "observe", sa.Boolean(), sa.false()),
    ("blocklist", "observe", sa.Boolean(), sa.false()),
    ("schedule", "skip_joint_leave", sa.Boolean(), sa.true()),
    ("holiday", "joint_leave", sa.Boolean(), sa.false()),
    ("holiday", "imported", sa.Boolean(), sa.false()),
)


def upgrade() -> None:
    op.create_table(
        "forwarder",
        sa.Column("cidr", sa.String(length=50), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("trusts", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_s", sa.BigInteger(), nullable=False),
        sa.Column("changed_s", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forwarder")),
        sa.UniqueConstraint("cidr", name=op.f("uq_forwarder_cidr")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "succession",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("basis_number", sa.String(length=200), nullable=False),
        sa.Column("basis_date", sa.String(length=10), nullable=False),
        sa.Column("basis_signer", sa.String(length=200), nullable=False),
        sa.Column("basis_note", sa.String(length=1000), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_succession")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "forwarder_agency",
        sa.Column("forwarder_id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_forwarder_agency_agency_id_agency")),
        sa.ForeignKeyConstraint(
            ["forwarder_id"],
            ["forwarder.id"],
            name=op.f("fk_forwarder_agency_forwarder_id_forwarder"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("forwarder_id", "agency_id", name=op.f("pk_forwarder_agency")),
    )
    op.create_index(op.f("ix_forwarder_agency_agency_id"), "forwarder_agency", ["agency_id"], unique=False)

    op.create_table(
        "schedule_period",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("from_date", sa.String(length=10), nullable=False),
        sa.Column("until_date", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_period_schedule_id_schedule"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("schedule_id", "position", name=op.f("pk_schedule_period")),
    )
    op.create_table(
        "succession_part",
        sa.Column("succession_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heir", sa.Boolean(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["succession_id"],
            ["succession.id"],
            name=op.f("fk_succession_part_succession_id_succession"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("succession_id", "position", name=op.f("pk_succession_part")),
        sa.UniqueConstraint("succession_id", "heir", "code", name=op.f("uq_succession_part_succession_id_heir_code")),
    )
    op.create_index(op.f("ix_succession_part_code"), "succession_part", ["code"], unique=False)

    op.create_table(
        "succession_unit",
        sa.Column("succession_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=81), nullable=False),
        sa.Column("after", sa.String(length=81), nullable=False),
        sa.ForeignKeyConstraint(
            ["succession_id"],
            ["succession.id"],
            name=op.f("fk_succession_unit_succession_id_succession"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("succession_id", "position", name=op.f("pk_succession_unit")),
    )
    op.create_table(
        "device",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_s", sa.BigInteger(), nullable=False),
        sa.Column("changed_s", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_device_agency_id_agency")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_device_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_device_kind_value")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_device_agency_id"), "device", ["agency_id"], unique=False)
    op.create_index(op.f("ix_device_unit_id"), "device", ["unit_id"], unique=False)

    op.create_table(
        "schedule_override",
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("reading", sa.String(length=16), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_s", sa.BigInteger(), nullable=False),
        sa.Column("changed_s", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(agency_id IS NULL) <> (unit_id IS NULL)", name=op.f("ck_schedule_override_one_scope")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_schedule_override_agency_id_agency")),
        sa.ForeignKeyConstraint(["other_id"], ["schedule.id"], name=op.f("fk_schedule_override_other_id_schedule")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_override_schedule_id_schedule")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_schedule_override_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_override")),
        sa.UniqueConstraint("agency_id", "schedule_id", name=op.f("uq_schedule_override_agency_id_schedule_id")),
        sa.UniqueConstraint("unit_id", "schedule_id", name=op.f("uq_schedule_override_unit_id_schedule_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_schedule_override_other_id"), "schedule_override", ["other_id"], unique=False)
    op.create_index(op.f("ix_schedule_override_schedule_id"), "schedule_override", ["schedule_id"], unique=False)

    op.create_table(
        "schedule_period_window",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("start_min", sa.Integer(), nullable=False),
        sa.Column("end_min", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id", "period"],
            ["schedule_period.schedule_id", "schedule_period.position"],
            name=op.f("fk_schedule_period_window_schedule_id_period_schedule_period"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("schedule_id", "period", "position", name=op.f("pk_schedule_period_window")),
    )
    for table, name, kind, default in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, server_default=default, nullable=False))


def downgrade() -> None:
    # Not in a batch: that would replace the table, and the rows that refer to it would go with the old one.
    for table, name, _, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
    op.drop_table("schedule_period_window")
    op.drop_table("schedule_override")
    op.drop_table("device")
    op.drop_table("succession_unit")
    op.drop_table("succession_part")
    op.drop_table("schedule_period")
    op.drop_table("forwarder_agency")
    op.drop_table("succession")
    op.drop_table("forwarder")
