"""Decodes a file that claims to be a picture, as a process of its own: what it costs has an end, whatever it holds.

`python decoding.py MEMORY` reads the file from its standard input and writes a line of JSON, then the thumbnail. It
needs nothing but Pillow, and gets nothing of the service's: neither its connections nor its secrets.
"""

from __future__ import annotations

import fcntl
import io
import json
import resource
import struct
import sys
import tempfile
import warnings
from pathlib import Path
from typing import IO, Any, NamedTuple

SECONDS = 10
"""Processor time for one picture: the largest honest one (a progressive JPEG of 14 megapixels) takes about one."""
ROOM = 512 * 1024 * 1024
"""Addresses, in bytes, for Python, Pillow and the file, above the memory for pixels: most of them are never used."""
SCANS = 100
"""In a JPEG file, with the previews in it. Cameras and encoders write about ten; each is a pass over all pixels."""


class Kind(NamedTuple):
    """A kind of file that is kept, and what making a thumbnail of it takes."""

    content_type: str
    extension: str
    bytes_per_pixel: int  # measured with Pillow 13 on pictures of 24 megapixels: the worst variant, rounded up

    @property
    def label(self) -> str:
        return self.extension[1:].upper()


KINDS = {
    "JPEG": Kind("image/jpeg", ".jpg", 6),
    "PNG": Kind("image/png", ".png", 9),
    "WEBP": Kind("image/webp", ".webp", 17),
    "GIF": Kind("image/gif", ".gif", 9),
}
"""By Pillow's name. Anything else is refused, and no other decoder is tried. The pictures of an MPO, as many cameras
write, are a JPEG and its previews."""
THUMBNAIL_EDGE = 640  # pixels: twice what a gallery tile shows, for dense screens
THUMBNAIL_TYPE, THUMBNAIL_EXTENSION = "image/webp", ".webp"
ORIENTATION, SIDEWAYS = 0x0112, {5, 6, 7, 8}  # the EXIF tag, and its values that turn a picture by a quarter
# What Pillow's decoders raise on broken files.
BROKEN = (OSError, ValueError, TypeError, SyntaxError, ArithmeticError, LookupError, struct.error)
UNKNOWN = "This file is not a picture that we can keep: send a JPEG, PNG, WebP or GIF file."
DAMAGED = "This picture is damaged or incomplete."
TOO_MUCH = "This picture takes too long to decode: save it again in an ordinary form."


class RefusedError(ValueError):
    """Not a picture that we keep; the text says why, to the person who sent it."""


def most_pixels(kind: Kind, memory: int) -> int:
    """The largest picture of this kind that `memory` bytes can decode."""
    return memory // kind.bytes_per_pixel


def main(memory: int) -> None:
    """Standard input to standard output, one picture at a time of all processes of a container, so that its memory
    suffices. The lock goes with the process."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (memory + ROOM, memory + ROOM))
    with Path(tempfile.gettempdir(), "decode.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(0, "rb") as stream:
            told, thumbnail = decode(stream, memory)
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + thumbnail)


def decode(stream: IO[bytes], memory: int) -> tuple[dict[str, Any], bytes]:
    """What is told of the first picture in the file, and its thumbnail; "refused" with the reason where it is none."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  after the lock: waiting takes no memory

    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is for all kinds alike
    warnings.simplefilter("ignore")
    try:
        return _decode(stream, memory)
    except UnidentifiedImageError:
        refused = UNKNOWN
    except RefusedError as error:
        refused = str(error)
    except MemoryError:
        refused = TOO_MUCH
    except BROKEN:
        refused = DAMAGED
    return {"refused": refused}, b""


def _decode(stream: IO[bytes], memory: int) -> tuple[dict[str, Any], bytes]:
    from PIL import Image  # noqa: PLC0415

    with Image.open(stream, formats=list(KINDS)) as image:
        # The header has been read, no pixel decoded yet.
        name = "JPEG" if image.format == "MPO" else str(image.format)
        kind = KINDS[name]
        width, height = image.size
        if width * height > (limit := most_pixels(kind, memory)):
            raise RefusedError(
                f"This picture has too many pixels: {limit / 1e6:.1f} megapixels are the limit for {kind.label}."
            )
        if name == "JPEG" and _scans(stream) > SCANS:
            raise RefusedError(TOO_MUCH)
        sideways = image.getexif().get(ORIENTATION) in SIDEWAYS
        small = _thumbnail(image)
    if sideways:
        width, height = height, width
    return {"content_type": kind.content_type, "width": width, "height": height}, small


def _scans(stream: IO[bytes]) -> int:
    """How often the marker that begins a scan is in the file: among compressed data it cannot be."""
    before, last, count = stream.tell(), b"", 0
    stream.seek(0)
    while piece := stream.read(1 << 20):
        count += (last + piece).count(b"\xff\xda")
        last = piece[-1:] if piece.endswith(b"\xff") else b""
    stream.seek(before)
    return count


def _thumbnail(image: Any) -> bytes:
    from PIL import ImageOps  # noqa: PLC0415

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


if __name__ == "__main__":
    main(int(sys.argv[1]))
