"""TSIG keys of zones that are transferred."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (("tsig_name", 1004), ("tsig_algorithm", 16), ("tsig_secret", 200), ("tsig_secret_file", 2000))


def upgrade() -> None:
    for name, length in _COLUMNS:
        default = "hmac-sha256" if name == "tsig_algorithm" else ""
        op.add_column("blocklist", sa.Column(name, sa.String(length=length), server_default=default, nullable=False))


def downgrade() -> None:
    for name, _ in reversed(_COLUMNS):
        op.drop_column("blocklist", name)
