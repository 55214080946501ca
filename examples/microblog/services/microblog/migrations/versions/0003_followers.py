"""Who follows whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follow",
        sa.Column("follower_id", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("followed_id", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True),
    )
    op.create_index("ix_follow_followed_id", "follow", ["followed_id"])


def downgrade() -> None:
    op.drop_table("follow")
