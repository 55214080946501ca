"""Puts together what was seen of a folder: a settings block, what is missing, what is good to know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from slipway.add import behaviour, dependencies, entry, environment, serving, variables
from slipway.add.block import Block, Line
from slipway.add.source import Source
from slipway.core.container_paths import SOURCE
from slipway.nginx.main import INTERNAL_PORT
from slipway.settings import fields, service_checks, volume_checks

CALLS_OUT = ("requests", "httpx", "aiohttp", "boto3", "stripe", "smtplib", "flask_mail", "sentry_sdk", "authlib")
PLACES = ", ".join(f"{name}.py" for name in entry.FIRST[:6])
LOOKED_FOR = (
    "flask among the dependencies (requirements.txt, pyproject.toml, Pipfile, setup.cfg, setup.py), or `import flask`",
    f"a variable app or application that holds a Flask app, in {PLACES}, or a package",
    "a function create_app() or make_app() that needs no arguments",
)


class NoFlaskAppError(Exception):
    """The folder has none. `found` says what there is instead."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.looked_for = LOOKED_FOR


@dataclass(frozen=True)
class Surroundings:
    """What is declared already. `path`: the folder, relative to the project; `root_taken`: another service has `/`."""

    path: str
    services: Collection[str] = ()
    root_taken: bool = False


@dataclass
class Seen:
    """`missing`: (what is wrong, what to type or do) that keeps the service from working; `hints`: good to know."""

    block: Block
    missing: list[tuple[str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)


def valid_name(text: str) -> str:
    """A service's name made of a folder's: ihatemoney of ihatemoney-7.2.1, my-shop of My_Shop."""
    latin = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[-_]v?\d+(\.\d+)+\w*$", "", latin)).lstrip("-0123456789")
    plain = plain[: fields.LONGEST_NAME].strip("-") or "app"
    return f"{plain[: fields.LONGEST_NAME - 4].strip('-')}-app" if plain in service_checks.RESERVED else plain


def look(folder: Path, name: str, around: Surroundings) -> Seen:
    """Everything that can be told of a folder by reading it. Raises NoFlaskAppError."""
    source = Source.read(folder)
    needs = dependencies.read(source)
    start = _entry(source, needs)
    own = serving.Dockerfile.read(source)
    missing, hints, left = _problems(needs, start, own), _hints(source, needs), list[str]()
    driver = needs.first(*dependencies.POSTGRES)
    found, computed = environment.reads(source)
    sorted_ = variables.sort(name, found, needs, database=driver is not None, others=around.services)
    lines = [Line("path", around.path)] if around.path != f"services/{name}" else []
    lines.append(Line("app", start.app, start.why))
    if own and own.entrypoint:
        lines.append(Line("entrypoint", False, f"{own.entrypoint} starts a program of its own"))
        hints.append(
            f"its Dockerfile's ENTRYPOINT {own.entrypoint} does not run, because it starts a program of its own: what "
            "it does beforehand belongs into `migrate:`"
        )
    route = (f"/{name}/", "another service has /") if around.root_taken else ("/", "no other service has it")
    lines.append(Line("route", *route))
    if sorted_.uses:
        lines.append(Line("uses", tuple(Line("", each) for each in sorted_.uses), "it reads their addresses"))
    if driver:
        lines.append(Line("database", True, needs.names(driver)))
        lines += _migrate(source, needs, start, left)
        missing += _no_address(sorted_, name)
    lines += [*_static(source, own), *_filled("env", sorted_.env), *_filled("secrets", sorted_.secrets)]
    lines += [*_port(source, own), *_probes(routes=behaviour.routes(source), hints=hints)]
    if driver is None:
        lines += _one_process(source)
        hints += _no_driver(source, needs)
    if computed:
        hints.append(f"it reads variables whose names are computed ({', '.join(computed[:3])}): these were not seen")
    left += [*sorted_.left, *_volumes(source, found)]
    return Seen(Block(name, tuple(lines), tuple(left)), [*missing, *sorted_.missing], hints)


def _entry(source: Source, needs: dependencies.Dependencies) -> entry.Entry:
    names = ("flask", "apiflask", "flask_openapi3")
    if not (needs.first(*(name.replace("_", "-") for name in names)) or source.imports(*names)):
        raise NoFlaskAppError("nothing there names or imports Flask")
    start = entry.find(source)
    if start is None:
        raise NoFlaskAppError(_no_entry(source))
    return start


def _filled(key: str, lines: list[Line]) -> list[Line]:
    return [Line(key, tuple(lines))] if lines else []


def _static(source: Source, own: serving.Dockerfile | None) -> list[Line]:
    """Where nginx finds them in the image; with a Dockerfile that puts the source elsewhere, Flask serves them."""
    found = entry.static_folder(source) if own is None or own.folder == SOURCE else None
    return [Line("static", {found[0]: found[1]}, found[2])] if found else []


def _one_process(source: Source) -> list[Line]:
    """gunicorn gets two worker processes for each core."""
    file = behaviour.sqlite(source)
    why = f"{file}: SQLite. So one worker process: two would collide when both make the tables"
    return [Line("cpus", 0.5, why)] if file else []


def _no_address(sorted_: variables.Sorted, name: str) -> list[tuple[str, str]]:
    if any("{database." in str(line.value) for line in sorted_.env):
        return []
    what = "it has a PostgreSQL driver, and no variable was seen that tells it where the database is"
    return [(what, f'in Pulumi.yaml, services.{name}.env: VARIABLE: "{{database.url}}"')]


def _no_entry(source: Source) -> str:
    if closed := entry.needs_arguments(source):
        return f"its factory cannot be called without arguments: {closed[0]}. A wsgi.py that calls it would do"
    return "it uses Flask, and no app that gunicorn could load was seen"


def _problems(
    needs: dependencies.Dependencies, start: entry.Entry, own: serving.Dockerfile | None
) -> list[tuple[str, str]]:
    found = []
    if own is None and needs.missing:
        found.append(needs.missing)
    if own is None and not needs.missing and not (needs.first("flask") or any("flask" in each for each in needs.where)):
        found.append(("Flask is not among the dependencies that the image installs", "add flask to them"))
    if own and not own.gunicorn and not needs.first("gunicorn"):
        found.append(("its Dockerfile installs no gunicorn, which serves it", "add gunicorn to what it installs"))
    if line := entry.blocks(start):
        found.append((f"{line} runs a server when the module is loaded", "put it below `if __name__ == '__main__':`"))
    return found


def _migrate(source: Source, needs: dependencies.Dependencies, start: entry.Entry, left: list[str]) -> list[Line]:
    """The command that makes the tables, once per release."""
    folders = _alembic(source.folder)
    by_app = behaviour.makes_tables(source)
    if by_app and (by_app[0] == "upgrade" or not folders):
        what, where = by_app
        why = f"{where} calls {what}() whenever the app is loaded, and two processes at once would collide"
        module, _, name = start.app.partition(":")
        load = f"from {module} import {name.removesuffix('()')}; {name}" if "(" in name else f"import {module}"
        return [Line("migrate", f'python -c "{load}"', why)]
    if folders and needs.first("flask-migrate"):
        option = "" if folders[0] == "migrations" else f" --directory {folders[0]}"
        return [Line("migrate", f"flask db upgrade{option}", f"{needs.names('flask-migrate')}; {folders[0]}/ is there")]
    if folders and needs.first("alembic") and source.text("alembic.ini"):
        return [Line("migrate", "alembic upgrade head", f"{needs.names('alembic')}; alembic.ini is there")]
    left.append("No migrations were found. If a command makes the tables, write it as migrate:")
    return []


def _alembic(folder: Path) -> list[str]:
    """Folders of migrations, the highest up first."""
    files = [path for path in folder.glob("**/env.py") if "alembic" in path.read_text("latin-1")]
    found = [path.parent.relative_to(folder) for path in files]
    visible = [path for path in found if not any(part.startswith(".") or part == "venv" for part in path.parts)]
    return [path.as_posix() for path in sorted(visible, key=lambda path: (len(path.parts), path))]


def _port(source: Source, own: serving.Dockerfile | None) -> list[Line]:
    found = serving.port(source, own)
    if found and found[0] != 5000 and 1024 <= found[0] <= 65535 and found[0] != INTERNAL_PORT:
        return [Line("port", found[0], f"{found[1]} says so")]
    return []


def _probes(*, routes: dict[str, str], hints: list[str]) -> list[Line]:
    """The default is /health, so one that is there needs no line."""
    health, ready = behaviour.probe(routes, behaviour.HEALTH), behaviour.probe(routes, behaviour.READY)
    if health is None and "/" in routes:
        health = "/", f"{routes['/']}; there is no route made for it"
    if health is None:
        shortest = min(routes, key=lambda path: (path.count("/"), len(path), path), default="/")
        why = f"{routes[shortest]}: the shortest that was seen" if routes else "no route was seen"
        health = shortest, why
        hints.append(f"no route was seen that is made for it: if GET {shortest} is not always well, change `health:`")
    lines = [Line("health", *health)]
    return [*lines, Line("ready", *ready)] if ready else lines


def _hints(source: Source, needs: dependencies.Dependencies) -> list[str]:
    found = [needs.hint] if needs.hint else []
    if worker := needs.first("celery", "rq", "dramatiq", "huey", "flask-rq2"):
        command = {"rq": "rq worker", "flask-rq2": "flask rq worker"}.get(worker, f"{worker} ... worker")
        what = f"a worker is a service of its own, from the same `path:`, with `command: {command}` and no route"
        found.append(f"{needs.names(worker)}: {what}")
    if line := behaviour.runs_by_itself(source):
        found.append(f"{line} starts a scheduler in every worker process: `schedule:` starts commands once")
    if line := source.imports(*CALLS_OUT):
        found.append(f"{line}: if it calls servers outside the site, it needs `egress: true`")
    if source.unreadable:
        found.append(f"these files are no Python that can be read: {', '.join(source.unreadable[:5])}")
    return found


def _no_driver(source: Source, needs: dependencies.Dependencies) -> list[str]:
    orm = needs.first("sqlalchemy", "flask-sqlalchemy", "peewee")
    extra = next((name for name in dependencies.POSTGRES if name in needs.extras), None)
    if mysql := needs.first("pymysql", "mysqlclient", "mysql-connector-python", "flask-mysqldb"):
        return [f"{needs.names(mysql)}: databases of a site are PostgreSQL's, so it gets none"]
    if orm is None:
        return []
    how = f"{extra} is only in its extra {needs.extras[extra]}" if extra else "there is no PostgreSQL driver"
    where = behaviour.sqlite(source)
    kept = f"; {where}: SQLite is gone with its container unless its file lies in a volume" if where else ""
    return [f"{needs.names(orm)}, but {how}, so it gets no database of the site{kept}"]


def _volumes(source: Source, found: dict[str, environment.Read]) -> list[str]:
    """Lines to take over: in production only what lies in a volume can be written and outlives a release."""
    result = []
    for setting, (folder, where) in behaviour.writes(source).items():
        shown = folder or (found[setting].default if setting in found else None) or "uploads"
        path = shown if shown.startswith("/") else f"{SOURCE}/{shown}"
        if any(path.startswith(ours) for ours in volume_checks.OURS):
            result.append(f"{setting} ({where}) is {shown}: what is written there is gone with its container.")
            continue
        volume = valid_name(Path(path).name)
        result.append(f"{setting} ({where}): if it writes there, take over: volumes: {{{volume}: {path}}}")
    return result
