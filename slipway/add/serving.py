"""How a folder's own files start it: Dockerfile, Procfile, compose file, gunicorn's settings, app.run()."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.add.environment import COMPOSE, compose_services
from slipway.add.source import Source, called, literal
from slipway.core import dockerfile
from slipway.core.dockerfile import instructions
from slipway.core.entrypoint import passes_on

ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\(.*\))?")
RUNS = {"app.run", "application.run"}


@dataclass(frozen=True)
class Dockerfile:
    """What matters of a Dockerfile of the app's own. `port` None where it says none; `folder` its last WORKDIR;
    `entrypoint` its last ENTRYPOINT where that starts a program of its own, and so does not run."""

    port: int | None
    folder: str
    gunicorn: bool
    entrypoint: str

    @classmethod
    def read(cls, source: Source) -> Dockerfile | None:
        text = source.text("Dockerfile")
        if text is None:
            return None
        port, folder, words = None, "/", list[str]()
        for word, rest in instructions(text[1]):
            if word == "EXPOSE" and (match := re.match(r"\d+", rest)):
                port = int(match[0])
            elif word == "WORKDIR":
                folder = rest.strip("\"'").rstrip("/") or "/"
            elif word == "ENTRYPOINT":
                words = dockerfile.words(rest)
        own = "" if not words or passes_on(words, source.folder) else " ".join(words)
        return cls(port, folder, "gunicorn" in text[1], own)


def entries(source: Source) -> Iterator[tuple[str, str]]:
    """(module:variable, file) that the app's own files name for gunicorn or for `flask`, the surest first."""
    for file, command in _commands(source):
        words = _split(command)
        if any(word.rpartition("/")[2] in {"gunicorn", "waitress-serve", "hypercorn", "uvicorn"} for word in words):
            yield from ((word, file) for word in words[1:] if ENTRY.fullmatch(word))
    for file, value in _flask_app(source):
        module = value.removesuffix(".py").replace("/", ".").strip(".")
        if ENTRY.fullmatch(module):
            yield module, file


def port(source: Source, own: Dockerfile | None) -> tuple[int, str] | None:
    """The port that the folder's own files let it listen on, and where they say so."""
    if own and own.port:
        return own.port, "Dockerfile: EXPOSE"
    for file, command in _commands(source):
        if match := re.search(r"(?:-b|--bind)[ =]?\S*?:(\d+)", command):
            return int(match[1]), file
    settings = source.text("gunicorn.conf.py", "gunicorn_config.py", "gunicorn.py", "config/gunicorn.py")
    if settings and (match := re.search(r"""^\s*bind\s*=.*?:(\d+)["']""", settings[1], re.MULTILINE)):
        return int(match[1]), settings[0]
    for module in source.modules:
        for node in module.nodes:
            if isinstance(node, ast.Call) and called(node) == "run" and ast.unparse(node.func) in RUNS:
                value = next((literal(each.value) for each in node.keywords if each.arg == "port"), None)
                if isinstance(value, int):
                    return value, module.where(node)
    return None


def _commands(source: Source) -> Iterator[tuple[str, str]]:
    """(file, command line) that start the app."""
    if text := source.text("Procfile"):
        yield from (("Procfile", line.partition(":")[2]) for line in text[1].splitlines() if line.startswith("web:"))
    if text := source.text("Dockerfile"):
        found = [rest for word, rest in instructions(text[1]) if word in {"CMD", "ENTRYPOINT"}]
        yield from (("Dockerfile", " ".join(_words(rest))) for rest in reversed(found))
    for file in COMPOSE:
        if text := source.text(file):
            for service in compose_services(text[1]):
                command = service.get("command") or ""
                yield file, " ".join(map(str, command)) if isinstance(command, list) else str(command)
    for file in ("boot.sh", "entrypoint.sh", "docker-entrypoint.sh", "start.sh", "run.sh"):
        if text := source.text(file):
            yield from ((file, line) for line in text[1].splitlines() if "gunicorn" in line)


def _flask_app(source: Source) -> Iterator[tuple[str, str]]:
    for file in (".flaskenv", "Dockerfile", *COMPOSE):
        if text := source.text(file):
            for match in re.finditer(r"\bFLASK_APP\s*[=: ]\s*[\"']?([\w./:()-]+)", text[1]):
                yield file, match[1]


def _words(rest: str) -> list[str]:
    """Of CMD in either form."""
    value = literal(_expression(rest)) if rest.startswith("[") else None
    return [str(each) for each in value] if isinstance(value, list) else [rest]


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
