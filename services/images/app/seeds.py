"""Pictures to look at on an empty site: landscapes at six times of the day, drawn here, the same every time."""

from __future__ import annotations

import io
import math
import uuid
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFilter

from . import gallery

SIZE = WIDTH, HEIGHT = 1280, 853
FAMILY = uuid.UUID("5f1c3a52-6f2b-4d0e-9b38-0d6a2c9d7e11")  # any constant: makes the upload keys of the seeds
Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One landscape: the sky from top to horizon, a sun or moon, and hills from far to near."""

    title: str
    description: str
    sky: tuple[Colour, ...]
    disc: Colour
    disc_at: tuple[float, float, float]  # x, y, radius, as parts of the width and the height
    far: Colour
    near: Colour


SCENES = (
    Scene(
        title="First light",
        description="A pale sun rises behind rows of blue-grey hills under a pink and yellow sky.",
        sky=((92, 120, 178), (214, 160, 178), (255, 214, 150)),
        disc=(255, 244, 214),
        disc_at=(0.30, 0.52, 0.05),
        far=(164, 140, 172),
        near=(38, 48, 84),
    ),
    Scene(
        title="Noon over the valley",
        description="A white sun high in a clear blue sky above rolling green hills.",
        sky=((42, 122, 206), (120, 184, 232), (214, 236, 246)),
        disc=(255, 253, 232),
        disc_at=(0.68, 0.20, 0.055),
        far=(140, 184, 170),
        near=(32, 92, 54),
    ),
    Scene(
        title="Desert afternoon",
        description="Ochre dunes in long waves beneath a hot, hazy sky.",
        sky=((86, 150, 190), (216, 206, 170), (246, 222, 170)),
        disc=(255, 250, 220),
        disc_at=(0.82, 0.28, 0.06),
        far=(228, 184, 120),
        near=(150, 82, 38),
    ),
    Scene(
        title="Red evening",
        description="A large orange sun sinks behind dark red hills.",
        sky=((72, 30, 84), (206, 70, 78), (255, 170, 84)),
        disc=(255, 206, 110),
        disc_at=(0.55, 0.55, 0.10),
        far=(178, 66, 72),
        near=(44, 14, 34),
    ),
    Scene(
        title="Blue hour",
        description="A small moon in the last light of the day, above quiet blue ridges.",
        sky=((14, 26, 70), (48, 84, 150), (150, 176, 206)),
        disc=(232, 240, 255),
        disc_at=(0.22, 0.30, 0.022),
        far=(82, 114, 166),
        near=(10, 20, 46),
    ),
    Scene(
        title="Moon and mist",
        description="A full moon shines over misty hills at night.",
        sky=((6, 10, 28), (22, 32, 62), (60, 74, 104)),
        disc=(240, 240, 226),
        disc_at=(0.74, 0.22, 0.075),
        far=(66, 80, 106),
        near=(8, 12, 24),
    ),
)


def seed() -> int:
    """Keeps each scene under a constant upload key; says how many were new."""
    added = 0
    for scene in SCENES:
        stream = io.BytesIO(draw(scene))
        key = uuid.uuid5(FAMILY, scene.title)
        try:
            _, new = gallery.keep(stream, title=scene.title, description=scene.description, key=key)
        except gallery.KeyTakenError:
            new = False  # there from an earlier version of the drawing
        added += new
    return added


def draw(scene: Scene) -> bytes:
    """The scene as a JPEG file, without chance in it."""
    image = _sky(scene.sky)
    x, y, radius = scene.disc_at[0] * WIDTH, scene.disc_at[1] * HEIGHT, scene.disc_at[2] * WIDTH
    glow = Image.new("L", (WIDTH // 4, HEIGHT // 4))
    ImageDraw.Draw(glow).circle((x / 4, y / 4), radius / 2, fill=150)
    glow = glow.filter(ImageFilter.GaussianBlur(radius / 5)).resize(SIZE)
    image.paste(scene.disc, mask=glow)
    canvas = ImageDraw.Draw(image)
    canvas.circle((x, y), radius, fill=scene.disc)
    ridges = 6
    for ridge in range(ridges):
        canvas.polygon(_ridge(ridge, ridges, len(scene.title)), fill=_mix(scene.far, scene.near, ridge / (ridges - 1)))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=88)
    return target.getvalue()


def _sky(colours: tuple[Colour, ...]) -> Image.Image:
    """From top to bottom through all colours, even steps."""
    column = Image.new("RGB", (1, HEIGHT))
    steps = list(pairwise(colours))
    for y in range(HEIGHT):
        step, part = divmod(y / HEIGHT * len(steps), 1)
        column.putpixel((0, y), _mix(*steps[int(step)], part))
    return column.resize(SIZE)


def _ridge(ridge: int, ridges: int, phase: int) -> list[tuple[float, float]]:
    """The outline of one row of hills: three waves added up; nearer ones are lower and rounder."""
    base = HEIGHT * (0.58 + 0.42 * ridge / ridges)
    height = HEIGHT * 0.055 * (1 + 0.25 * ridge)

    def top(x: float) -> float:
        turn = x / WIDTH * math.tau
        wave = (
            math.sin(turn * (0.8 + 0.13 * ridge) + phase + ridge * 1.7)
            + 0.45 * math.sin(turn * 2.3 + phase * 2 + ridge * 2.9)
            + 0.16 * math.sin(turn * 6.1 + ridge * 4.3) * (1 - ridge / ridges)
        )
        return base - height * wave

    return [(0, HEIGHT), *((x, top(x)) for x in range(0, WIDTH + 8, 8)), (WIDTH, HEIGHT)]


def _mix(first: Colour, second: Colour, part: float) -> Colour:
    red, green, blue = (round(one + (two - one) * part) for one, two in zip(first, second, strict=True))
    return red, green, blue
