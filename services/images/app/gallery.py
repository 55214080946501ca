"""What can be done with pictures: keep, list, find, remove. The order of the steps is what makes uploads safe.

An upload is acknowledged after its row is committed, and its row is committed after its files are on the disk. A
removal goes the other way round. So whatever is cut off in the middle leaves at most files without a row, which
`remove_strays` clears away, and never a row without files.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from typing import IO

from flask import current_app
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from .models import Picture, db
from .pictures import Inspector
from .store import MediaStore


class KeyTakenError(ValueError):
    """The upload key was used before, for another file."""


def media() -> MediaStore:
    """The application's store of files."""
    store: MediaStore = current_app.extensions["media"]
    return store


def keep(stream: IO[bytes], *, title: str, description: str, key: uuid.UUID) -> tuple[Picture, bool]:
    """The stored picture, and whether it is new: a key that is known with the same file is the upload sent again.

    Raises RefusedError for what is no picture, BusyError, KeyTakenError, OSError when the disk is full, and the
    database's errors.
    """
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    if (known := _by_key(key)) is not None:
        return _same(known, sha256), False
    db.session.rollback()  # gives the connection back: decoding may take a while
    inspector: Inspector = current_app.extensions["inspector"]
    found = inspector.inspect(stream)
    picture = Picture(
        id=uuid.uuid4(),
        upload_key=key,
        title=title,
        description=description,
        sha256=sha256,
        content_type=found.content_type,
        size=stream.seek(0, io.SEEK_END),
        width=found.width,
        height=found.height,
    )
    identity, content_type = picture.id, picture.content_type
    stream.seek(0)
    media().write(media().original(identity, content_type), stream)
    media().write(media().thumbnail(identity), io.BytesIO(found.thumbnail))
    db.session.add(picture)
    try:
        db.session.commit()
    except IntegrityError:
        # The same upload came twice at the same moment, and the other was first.
        db.session.rollback()
        media().remove(identity, content_type)
        if (known := _by_key(key)) is None:
            raise
        return _same(known, sha256), False
    return picture, True


def page(number: int, size: int) -> Pagination:
    """The newest first. A page behind the last is empty."""
    newest_first = select(Picture).order_by(Picture.created_at.desc(), Picture.id.desc())
    return db.paginate(newest_first, page=number, per_page=size, error_out=False)


def find(identity: uuid.UUID) -> Picture | None:
    return db.session.get(Picture, identity)


def remove(picture: Picture) -> None:
    """First the row, then the files."""
    identity, content_type = picture.id, picture.content_type
    db.session.delete(picture)
    db.session.commit()
    media().remove(identity, content_type)


def remove_strays(*, seconds: float) -> int:
    """Removes files that belong to no picture and are older than an upload can take; says how many."""
    strays = list(media().strays(lambda identity: find(identity) is not None, seconds=seconds))
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _by_key(key: uuid.UUID) -> Picture | None:
    return db.session.scalar(select(Picture).where(Picture.upload_key == key))


def _same(known: Picture, sha256: str) -> Picture:
    if known.sha256 != sha256:
        raise KeyTakenError("This upload key was used before, for another file.")
    return known
