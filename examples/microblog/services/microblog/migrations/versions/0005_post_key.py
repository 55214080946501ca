"""The form that a post came from. Posts from before, and of code from before, have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("post", sa.Column("key", sa.String(36), nullable=True))
    op.create_unique_constraint("post_key_key", "post", ["key"])


def downgrade() -> None:
    op.drop_column("post", "key")
