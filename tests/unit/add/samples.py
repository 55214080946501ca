"""Small Flask folders, one for each shape that people write."""

from __future__ import annotations

from pathlib import Path

from slipway.add.look import Seen, Surroundings, look

APP = "from flask import Flask\n\napp = Flask(__name__)\n"
FACTORY = "from flask import Flask\n\n\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n"
INDEX = '\n\n@app.route("/")\ndef index():\n    return ""\n'


def folder(root: Path, files: dict[str, str]) -> Path:
    """The files, in a folder `shop`."""
    shop = root / "shop"
    shop.mkdir(exist_ok=True)
    for name, text in files.items():
        path = shop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return shop


def seen(root: Path, files: dict[str, str], *services: str, root_taken: bool = False) -> Seen:
    """What is told of them in a project with these services."""
    return look(folder(root, files), "shop", Surroundings("services/shop", services, root_taken))


def flat(**more: str) -> dict[str, str]:
    """One module and its requirements; `app` and `requirements` are put behind what is there."""
    requirements = f"flask==3.1.3\n{more.pop('requirements', '')}"
    return {"app.py": f"import os\n{APP}{more.pop('app', '')}{INDEX}", "requirements.txt": requirements, **more}
