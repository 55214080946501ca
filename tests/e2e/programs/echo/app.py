"""Answers with what it knows of the request, and asks the other one the same."""

import os
import urllib.request
from pathlib import Path
from typing import Any

from flask import Flask, request

app = Flask(__name__)


@app.get("/health")
def health() -> str:
    return "well"


@app.route("/seen/<path:rest>", methods=["GET", "POST"])
def seen(rest: str) -> dict[str, Any]:
    told = dict(request.headers)
    told.pop("X-Request-Id")  # another one each time
    return {
        "rest": rest,
        "root": request.root_path,
        "url": request.url,
        "scheme": request.scheme,
        "body": len(request.get_data()),
        "told": told,
    }


@app.get("/settings")
def settings() -> str:
    """What the image's ENTRYPOINT wrote."""
    return Path("/tmp/settings").read_text()


@app.get("/call/<path:rest>")
def call(rest: str) -> bytes:
    with urllib.request.urlopen(f"{os.environ['OTHER_URL']}/seen/{rest}", timeout=5) as answer:
        return bytes(answer.read())
