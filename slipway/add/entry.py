"""The WSGI entry point: what gunicorn is to load, and why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.add import serving
from slipway.add.source import Function, Module, Source, called, literal
from slipway.settings import wsgi

FRAMEWORKS = {"Flask", "APIFlask", "OpenAPI"}
VARIABLES = ("app", "application", "wsgi_app", "flask_app")
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "app_factory", "create_application", "make_application")
FIRST = ("wsgi", "manage", "app", "application", "run", "main", "server", "autoapp", "flask_app")
"""Where an entry point is looked for first, by the module's last name."""


@dataclass(frozen=True)
class Entry:
    """`app` as the settings want it, and why; `module` is where it is, None where that was not read."""

    app: str
    why: str
    module: Module | None


def find(source: Source) -> Entry | None:
    """What the app's own start commands name, else a variable, else a factory without required arguments."""
    for named, file in serving.entries(source):
        module = source.module(named.partition(":")[0])
        if module and wsgi.missing(source.folder, named, ".") is None:
            functions = {node.name for node in module.tree.body if isinstance(node, ast.FunctionDef)}
            return Entry(
                f"{named}()" if named.partition(":")[2] in functions else named, f"{file} starts it so", module
            )
    modules = sorted(source.modules, key=_rank)
    known: dict[str, dict[str, str]] = {}
    for module in modules:
        for name, why in _variables(source, module, known).items():
            return Entry(f"{module.name}:{name}", why, module)
    making = {module.name for module, _ in makers(source)}
    for module in sorted(modules, key=lambda each: each.name not in making):
        for function in factories(module):
            if not _required(function):
                why = f"{module.where(function)} makes the app, and needs no argument"
                return Entry(f"{module.name}:{function.name}()", why, module)
    return None


def makers(source: Source) -> Iterator[tuple[Module, ast.Call]]:
    """Every call that makes a Flask object."""
    for module in source.modules:
        for node in module.nodes:
            if isinstance(node, ast.Call) and called(node) in FRAMEWORKS:
                yield module, node


def factories(module: Module) -> list[ast.FunctionDef]:
    """Its functions that make an app, the usual names first."""
    found = [
        node
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef)
        and (node.name in FACTORIES or node.name.endswith("create_app"))
        and any(isinstance(inner, ast.Return) and inner.value for inner in ast.walk(node))
    ]
    return sorted(found, key=lambda node: FACTORIES.index(node.name) if node.name in FACTORIES else len(FACTORIES))


def needs_arguments(source: Source) -> list[str]:
    """Factories that cannot be called as they are: `file:line create_app(config)`."""
    return [
        f"{module.where(function)} {function.name}({', '.join(_required(function))})"
        for module in source.modules
        for function in factories(module)
        if _required(function)
    ]


def blocks(entry: Entry) -> str | None:
    """file:line where loading the entry point would start another server."""
    if entry.module is None:
        return None
    for statement in entry.module.tree.body:
        if isinstance(statement, ast.Expr) and called(statement.value) == "run":
            target = ast.unparse(statement.value).partition(".run(")[0]
            if target in {*VARIABLES, entry.app.partition(":")[2]}:
                return entry.module.where(statement)
    return None


def _rank(module: Module) -> tuple[int, int, str]:
    """wsgi.py before manage.py before app.py …, what is higher up first."""
    last = module.name.rpartition(".")[2]
    place = FIRST.index(last) if last in FIRST else len(FIRST)
    package = module.file.endswith("__init__.py")
    return (module.name.count(".") + (place >= len(FIRST)) + package, place, module.name)


def _variables(source: Source, module: Module, known: dict[str, dict[str, str]]) -> dict[str, str]:
    """Its top-level variables that hold an app, and why; the usual names first.

    `known` are the modules that were looked at. One that is still being looked at counts as empty there: modules may
    import each other.
    """
    if module.file in known:
        return known[module.file]
    found = known[module.file] = {}
    for statement in _top_level(module.tree.body):
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Call):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            function = called(statement.value)
            if function in FRAMEWORKS or function in FACTORIES or function.endswith("create_app"):
                shown = ast.unparse(statement.value)
                shown = shown if len(shown) <= 40 else f"{function}(…)"
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                found |= dict.fromkeys(names, f"{module.where(statement)}: {names[0] if names else ''} = {shown}")
        elif isinstance(statement, ast.ImportFrom):
            found |= _imported(source, module, statement, known)
    usual = sorted(found.items(), key=lambda item: VARIABLES.index(item[0]) if item[0] in VARIABLES else len(VARIABLES))
    known[module.file] = dict(usual)
    return known[module.file]


def _imported(
    source: Source, module: Module, statement: ast.ImportFrom, known: dict[str, dict[str, str]]
) -> dict[str, str]:
    """Apps that it imports from a module of the folder, under the usual names."""
    names = {alias.name: alias.asname or alias.name for alias in statement.names}
    if not names.keys() & {"*", *VARIABLES}:
        return {}
    package = module.name.split(".") if module.file.endswith("__init__.py") else module.name.split(".")[:-1]
    base = package[: len(package) - statement.level + 1] if statement.level else []
    origin = source.module(".".join([*base, *(statement.module or "").split(".")]).strip("."))
    there = _variables(source, origin, known) if origin else {}
    if "*" in names:
        return {name: why for name, why in there.items() if name in VARIABLES}
    return {name: there[original] for original, name in names.items() if original in there}


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is loaded, inside `if` and `try` too, but not those of a script."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            continue
        if not isinstance(statement, (*Function, ast.ClassDef)):
            for block in ("body", "orelse", "finalbody"):
                yield from _top_level(getattr(statement, block, []))
            for handler in getattr(statement, "handlers", []):
                yield from _top_level(handler.body)


def _required(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    free = positional[: len(positional) - len(arguments.defaults)]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [*free, *(each.arg for each, default in pairs if default is None)]


def static_folder(source: Source) -> tuple[str, str, str] | None:
    """(URL path, folder below the service's, why) of the app's static files; None where there are none."""
    for module, call in makers(source):
        named = {each.arg: each.value for each in call.keywords}
        folder = literal(named["static_folder"]) if "static_folder" in named else "static"
        url = literal(named["static_url_path"]) if "static_url_path" in named else None
        if not isinstance(folder, str) or (call.args and ast.unparse(call.args[0]) != "__name__"):
            continue
        here = (source.folder / module.file).parent
        path = (here / folder).resolve()
        if not (path.is_dir() and path.is_relative_to(source.folder.resolve())):
            continue
        shown = "/" + (url if isinstance(url, str) else path.name).strip("/") + "/"
        below = path.relative_to(source.folder.resolve()).as_posix()
        return shown, below, f"static files of the app that {module.where(call)} makes"
    return None
