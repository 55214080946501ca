"""The content: a JSON file that is part of the source, and so of every release."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from .models import Base, Gallery, Picture, Project, database


@click.command("init_db")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default="content.json")
@with_appcontext
def init_db(file: Path) -> None:
    """Make the tables, and put what is in FILE in the place of their content."""
    database.create_all()
    fill(json.loads(file.read_text()))


def fill(content: Mapping[str, Any]) -> None:
    """In one transaction, so that a reader sees either the old content or the new."""
    galleries = [_gallery(each) for each in content["galleries"]]
    by_slug = {gallery.slug: gallery for gallery in _all(galleries)}
    projects = [
        Project(
            slug=each["slug"],
            title=each["title"],
            summary=each["summary"],
            gallery=by_slug[each["gallery"]] if "gallery" in each else None,
        )
        for each in content["projects"]
    ]
    for old in (*database.session.query(Project), *database.session.query(Gallery).filter_by(parent=None)):
        database.session.delete(old)
    database.session.flush()
    new: list[Base] = [*galleries, *projects]
    database.session.add_all(new)
    database.session.commit()
    click.echo(f"projects: {len(projects)}, galleries: {len(by_slug)}")


def _gallery(described: Mapping[str, Any]) -> Gallery:
    return Gallery(
        slug=described["slug"],
        title=described["title"],
        caption=described.get("caption", ""),
        pictures=[Picture(**picture) for picture in described.get("pictures", ())],
        galleries=[_gallery(each) for each in described.get("galleries", ())],
    )


def _all(galleries: Iterable[Gallery]) -> Iterable[Gallery]:
    for each in galleries:
        yield each
        yield from _all(each.galleries)
