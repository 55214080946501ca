"""The tables. What changes here needs a revision in migrations/versions that old and new code can both live with."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_login import UserMixin
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, DateTime, ForeignKey, Index, String, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, WriteOnlyMapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Base of the tables."""


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
follow = Table(
    "follow",
    Base.metadata,
    Column("follower_id", ForeignKey("account.id"), primary_key=True),
    Column("followed_id", ForeignKey("account.id"), primary_key=True, index=True),
)


def now() -> datetime:
    return datetime.now(UTC)


class Account(UserMixin, Base):
    """Somebody who posts. `following` are the accounts whose posts make up the home page."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(String(200), default="", server_default="")
    following: WriteOnlyMapped[Account] = relationship(
        secondary=follow,
        primaryjoin=lambda: follow.c.follower_id == Account.id,
        secondaryjoin=lambda: follow.c.followed_id == Account.id,
    )


class Post(Base):
    """What somebody wrote. `key` is the form's own: the same form sent twice is one post."""

    __tablename__ = "post"
    __table_args__ = (Index("post_of_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str | None] = mapped_column(String(36), unique=True)
    body: Mapped[str] = mapped_column(String(280))
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    account: Mapped[Account] = relationship(lazy="joined")


class Export(Base):
    """An order for a file with all posts of an account. `content` is there when the worker has written it."""

    __tablename__ = "export"

    id: Mapped[int] = mapped_column(primary_key=True)
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    content: Mapped[str | None] = mapped_column(Text, deferred=True)
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
