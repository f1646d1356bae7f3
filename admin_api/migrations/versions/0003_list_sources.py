"""Categories of folders and archives, landing names, pinned contents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("blocklist", sa.Column("member", sa.String(length=200), server_default="", nullable=False))
    op.add_column("blocklist", sa.Column("landing", sa.String(length=12_700), server_default="", nullable=False))
    op.add_column("blocklist", sa.Column("sha256", sa.String(length=64), server_default="", nullable=False))


def downgrade() -> None:
    # Not in a batch: that would replace the table, and the rows that refer to it would go with the old one.
    op.drop_column("blocklist", "sha256")
    op.drop_column("blocklist", "landing")
    op.drop_column("blocklist", "member")
