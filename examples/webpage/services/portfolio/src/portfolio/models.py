"""What the pages are made of."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Every table has a number for its rows: they are shown in the order in which they were written."""

    id: Mapped[int] = mapped_column(primary_key=True)


database = SQLAlchemy(model_class=Base)


class Gallery(Base):
    """Pictures, and further galleries below it. One without a parent is shown on the front page."""

    __tablename__ = "gallery"

    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    caption: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("gallery.id", ondelete="CASCADE"), index=True)
    parent: Mapped[Gallery | None] = relationship(back_populates="galleries", remote_side="Gallery.id")
    galleries: Mapped[list[Gallery]] = relationship(
        back_populates="parent", cascade="all, delete-orphan", order_by="Gallery.id"
    )
    pictures: Mapped[list[Picture]] = relationship(cascade="all, delete-orphan", order_by="Picture.id")

    @property
    def above(self) -> list[Gallery]:
        """The galleries that lead to it, the outermost first."""
        return [*self.parent.above, self.parent] if self.parent else []


class Picture(Base):
    """A file below static/pictures."""

    __tablename__ = "picture"

    file: Mapped[str]
    title: Mapped[str]
    gallery_id: Mapped[int] = mapped_column(ForeignKey("gallery.id", ondelete="CASCADE"), index=True)


class Project(Base):
    """Something that was made, with the gallery that shows it."""

    __tablename__ = "project"

    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    summary: Mapped[str]
    gallery_id: Mapped[int | None] = mapped_column(ForeignKey("gallery.id", ondelete="SET NULL"))
    gallery: Mapped[Gallery | None] = relationship()
