"""The images that test images are built from: the ones that set-up chose for this machine."""

from __future__ import annotations

import json

from slipway.setup import paths

DEFAULTS = {
    "python": "slipway.invalid/python:3.13",
    "postgres": "slipway.invalid/postgres:17",
    "nginx": "slipway.invalid/nginx:1.30",
    "adminer": "slipway.invalid/adminer:6",
}


def base_image(name: str) -> str:
    """The image that stands for python, postgres, nginx or adminer here; without a set-up, the one it would build."""
    try:
        chosen = json.loads((paths.TOOLS / "choices.json").read_text())["base_images"]
    except (OSError, ValueError, KeyError):
        chosen = {}
    image: str = {**DEFAULTS, **chosen}[name]
    return image
