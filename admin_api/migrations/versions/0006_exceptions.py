"""Exceptions from request to end, pauses, what letters are required."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by the change that brings its columns."""


def downgrade() -> None:
    """See ``upgrade``."""
