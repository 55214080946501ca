"""Looks into a file that claims to be a picture: what it really is, how large, and a small version of it."""

from __future__ import annotations

import fcntl
import io
import struct
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError


class Kind(NamedTuple):
    """A kind of file that is kept, and what making a thumbnail of it takes."""

    content_type: str
    extension: str
    bytes_per_pixel: int  # measured with Pillow 13 on pictures of 24 megapixels: the worst variant, rounded up


# By Pillow's name. Anything else is refused, and no other decoder is tried.
KINDS = {
    "JPEG": Kind("image/jpeg", ".jpg", 6),
    "PNG": Kind("image/png", ".png", 9),
    "WEBP": Kind("image/webp", ".webp", 17),
    "GIF": Kind("image/gif", ".gif", 9),
}
EXTENSIONS = {kind.content_type: kind.extension for kind in KINDS.values()}
THUMBNAIL_EDGE = 640  # pixels: twice what a gallery tile shows, for dense screens
THUMBNAIL_TYPE, THUMBNAIL_EXTENSION = "image/webp", ".webp"
ORIENTATION, SIDEWAYS = 0x0112, {5, 6, 7, 8}  # the EXIF tag, and its values that turn a picture by a quarter
# What Pillow's decoders raise on broken files.
BROKEN = (OSError, ValueError, TypeError, SyntaxError, ArithmeticError, LookupError, struct.error)

# Pillow's own limit is for all kinds alike; `_inspect` knows better and refuses before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class RefusedError(ValueError):
    """Not a picture that we keep; the text says why, to the person who sent it."""


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What a picture is. Width and height are as it is shown, after turning."""

    content_type: str
    width: int
    height: int
    thumbnail: bytes


def most_pixels(kind: Kind, memory: int) -> int:
    """The largest picture of this kind that `memory` bytes can decode."""
    return memory // kind.bytes_per_pixel


def inspect(stream: IO[bytes], *, memory: int) -> Inspected:
    """Decodes the (first) picture in `stream` within about `memory` bytes. Raises RefusedError where it cannot."""
    with _one_at_a_time():
        try:
            return _inspect(stream, memory)
        except UnidentifiedImageError:
            raise RefusedError(
                "This file is not a picture that we can keep: send a JPEG, PNG, WebP or GIF file."
            ) from None
        except RefusedError:
            raise
        except BROKEN:
            raise RefusedError("This picture is damaged or incomplete.") from None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One picture is decoded at a time by all threads and workers of a container, so that its memory suffices."""
    with Path(tempfile.gettempdir(), "decode.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _inspect(stream: IO[bytes], memory: int) -> Inspected:
    stream.seek(0)
    with Image.open(stream, formats=list(KINDS)) as image:
        # The header has been read, no pixel decoded yet.
        kind = KINDS[str(image.format)]
        width, height = image.size
        if width * height > (limit := most_pixels(kind, memory)):
            name = kind.extension[1:].upper()
            raise RefusedError(
                f"This picture has too many pixels: {limit / 1e6:.1f} megapixels are the limit for {name}."
            )
        sideways = image.getexif().get(ORIENTATION) in SIDEWAYS
        small = _thumbnail(image)
    if sideways:
        width, height = height, width
    return Inspected(content_type=kind.content_type, width=width, height=height, thumbnail=small)


def _thumbnail(image: Image.Image) -> bytes:
    # Shrink first: of a JPEG then only an eighth is decoded, and turning and converting have little to do.
    if image.mode in {"P", "PA", "1"}:
        image = image.convert("RGBA")  # neighbouring palette numbers are not neighbouring colours
    image.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE), reducing_gap=2.0)
    image = ImageOps.exif_transpose(image)
    if image.mode not in {"RGB", "RGBA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    target = io.BytesIO()
    image.save(target, "WEBP", quality=80)
    return target.getvalue()
