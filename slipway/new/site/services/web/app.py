"""The site's first service: a page, and what Slipway asks to see whether it is well."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def home() -> str:
    return "Hello from Flask\n"


@app.get("/health")
def health() -> str:
    return "well\n"
