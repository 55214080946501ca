"""What the app answers, how its tables are made, where it writes: read from its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from slipway.add.entry import factories
from slipway.add.source import Function, Module, Source, called, literal

HEALTH = ("health", "healthz", "healthcheck", "livez", "ping", "status", "up", "heartbeat", "_health")
READY = ("ready", "readyz", "readiness")
VERBS = {"route", "get"}
_FOLDER = re.compile(r"(UPLOAD|MEDIA|STORAGE|DATA|FILE|IMAGE|ATTACHMENT)\w*(FOLDER|DIR|DIRECTORY|PATH|ROOT|DEST)$")


def routes(source: Source) -> dict[str, str]:
    """{path: file:line} of what answers a GET and has no variable part, blueprints' prefixes included."""
    prefixes = _registered(source)
    found: dict[str, str] = {}
    for module in source.modules:
        own = _blueprints(module)
        for node in module.nodes:
            path = _route(node)
            if not isinstance(node, ast.Call) or path is None or "<" in path or module.only_as_a_script(node):
                continue
            holder = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            prefix = prefixes.get(holder, own.get(holder, ""))
            if "<" not in prefix:
                found.setdefault("/" + f"{prefix.strip('/')}/{path.lstrip('/')}".lstrip("/"), module.where(node))
    return found


def probe(found: dict[str, str], names: tuple[str, ...]) -> tuple[str, str] | None:
    """The shortest route whose last part is one of the names, and where it is."""
    ranked = [
        (path.count("/"), names.index(last), path)
        for path in found
        if (last := path.strip("/").rpartition("/")[2].lower()) in names
    ]
    best = min(ranked)[2] if ranked else None
    return (best, found[best]) if best else None


def makes_tables(source: Source) -> tuple[str, str] | None:
    """(what, file:line) where tables are made or migrated whenever the app is loaded."""
    made = [(module, node) for module in source.modules for node in module.nodes if _makes_tables(module, node)]
    at_start = _called_at_start(source) if made else set()
    for module, node in made:
        function = next((each for each in module.around(node) if isinstance(each, Function)), None)
        if not module.only_as_a_script(node) and (function is None or _runs(function, at_start)):
            return called(node), module.where(node)
    return None


def _makes_tables(module: Module, node: ast.AST) -> bool:
    if called(node) != "upgrade":
        return called(node) == "create_all"
    return re.search(r"from (flask_migrate|alembic)", "\n".join(map(ast.unparse, module.tree.body))) is not None


def runs_by_itself(source: Source) -> str | None:
    """file:line where it starts threads or a scheduler of its own, which each worker process would have."""
    names = {"BackgroundScheduler", "APScheduler"}
    nodes = ((module, node) for module in source.modules for node in module.nodes)
    return next((module.where(node) for module, node in nodes if called(node) in names), None)


def writes(source: Source) -> dict[str, tuple[str, str]]:
    """{setting: (folder as written, file:line)} such as UPLOAD_FOLDER = "uploads"."""
    found: dict[str, tuple[str, str]] = {}
    for module in source.modules:
        for node in module.nodes:
            for name, value in _settings(node):
                text = literal(value)
                if _FOLDER.search(name):
                    found.setdefault(name, (text if isinstance(text, str) else "", module.where(node)))
    return found


def sqlite(source: Source) -> str | None:
    """file:line of a SQLite database that the code names."""
    for module in source.modules:
        for node in module.nodes:
            text = node.value if isinstance(node, ast.Constant) else None
            if (
                isinstance(text, str)
                and text.startswith("sqlite:///")
                and text not in {"sqlite:///", "sqlite:///:memory:"}
            ):
                return module.where(node)
    return None


def _settings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """NAME = value, app.config["NAME"] = value, {"NAME": value}, update(NAME=value)."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Subscript) and isinstance(name := literal(target.slice), str):
                yield name, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(name := literal(key), str):
                yield name, value
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value


def _route(node: ast.AST) -> str | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return None
    path = literal(node.args[0])
    if not isinstance(path, str) or not path.startswith("/"):
        return None
    if node.func.attr in VERBS or node.func.attr == "add_url_rule":
        methods = next((literal(each.value) for each in node.keywords if each.arg == "methods"), None)
        return None if isinstance(methods, (list, tuple, set)) and "GET" not in methods else path
    return None


def _blueprints(module: Module) -> dict[str, str]:
    """{variable: url_prefix} of the blueprints that a module makes."""
    found: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Assign) and called(node.value) == "Blueprint" and isinstance(node.value, ast.Call):
            prefix = next((literal(each.value) for each in node.value.keywords if each.arg == "url_prefix"), "")
            found |= {target.id: str(prefix or "") for target in node.targets if isinstance(target, ast.Name)}
    return found


def _registered(source: Source) -> dict[str, str]:
    """{last name of the blueprint: prefix} of register_blueprint(…, url_prefix=…)."""
    found: dict[str, str] = {}
    for module in source.modules:
        for node in module.nodes:
            if isinstance(node, ast.Call) and called(node) == "register_blueprint" and node.args:
                prefix = next((literal(each.value) for each in node.keywords if each.arg == "url_prefix"), None)
                if isinstance(prefix, str):
                    found[_original(module, ast.unparse(node.args[0])).rpartition(".")[2]] = prefix
    return found


def _original(module: Module, name: str) -> str:
    """What `from .api import blueprint as api_blueprint` calls it at home."""
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname == name:
                    return alias.name
    return name


def _called_at_start(source: Source) -> set[str]:
    """Names of the functions that run when the app is loaded: called at the top level or by a factory, and so on."""
    functions: dict[str, list[ast.AST]] = {}
    waiting: set[str] = set()
    for module in source.modules:
        waiting |= {function.name for function in factories(module)}
        waiting |= {
            name for node in _inside(module.tree) if (name := called(node)) and not module.only_as_a_script(node)
        }
        for node in module.nodes:
            if isinstance(node, Function):
                functions.setdefault(node.name, []).append(node)
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        inner = {called(node) for function in functions.get(name, ()) for node in _inside(function)}
        waiting |= inner - reached
    return reached


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """What runs when the scope does, without the bodies of functions in it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, Function):
            yield from _inside(child)


def _runs(function: ast.AST, at_start: set[str]) -> bool:
    if not isinstance(function, Function):
        return False
    by_hand = any(re.search(r"command|route|fixture", ast.unparse(each)) for each in function.decorator_list)
    return function.name in at_start and not by_hand
