"""Tenants and schedules: forwarders, devices, periods, overrides, history of agencies, observing."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the change that brings its columns."""


def downgrade() -> None:
    """See ``upgrade``."""
