"""What accounts say of themselves: with a default of the server's, because code from before leaves it out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("about", sa.String(200), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("account", "about")
