"""Answers with what it knows of the request, and asks the other one the same."""

import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_sock import Server, Sock
from simple_websocket import Client

app = Flask(__name__)
sock = Sock(app)


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


@app.post("/upload")
def upload() -> dict[str, Any]:
    """Werkzeug has the file in TMPDIR by now, and `left` are those of requests before."""
    with os.scandir(tempfile.gettempdir()) as found:
        return {"size": request.files["file"].seek(0, os.SEEK_END), "left": len(list(found))}


@app.get("/headers/<int:size>")
def headers(size: int) -> tuple[str, dict[str, str]]:
    return "", {"X-Large": "x" * size}


@app.get("/call/<path:rest>")
def call(rest: str) -> bytes:
    with urllib.request.urlopen(f"{os.environ['OTHER_URL']}/seen/{rest}", timeout=5) as answer:
        return bytes(answer.read())


@sock.route("/socket")
def socket(websocket: Server) -> None:
    while True:
        websocket.send(websocket.receive())


@app.get("/through/<word>")
def through(word: str) -> str:
    """What the other one echoes."""
    client = Client(f"{os.environ['OTHER_URL'].replace('http', 'ws', 1)}/socket")
    client.send(word)
    answer = str(client.receive(timeout=5))
    client.close()
    return answer


@app.get("/events")
def events() -> Response:
    """Four, one a second, each with the time; `?mime=` makes of them another kind of stream."""

    def each() -> Iterator[str]:
        for _ in range(4):
            yield f"data: {time.time()}\n\n"
            time.sleep(1)

    return Response(each(), mimetype=request.args.get("mime", "text/event-stream"))
