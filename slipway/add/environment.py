"""The environment variables that a folder's code reads, and those that its example files name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from slipway.add.source import Function, Module, Source, called, literal
from slipway.settings.fields import is_variable

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_WSGI = re.compile(
    r"(HTTP|SERVER|REMOTE|REQUEST|CONTENT|WERKZEUG|wsgi)[_.].*|PATH_INFO|SCRIPT_NAME|QUERY_STRING|RAW_URI|HTTPS"
)
"""What a server puts into a request's environ."""
MAPPINGS = {"environ", "environment", "env"}
TYPED = {"int", "float", "str", "config", "decimal", "integer"}
EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env", ".flaskenv")
COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


@dataclass(frozen=True)
class Read:
    """One variable. `default`: the text that the code falls back on, None where it has none that a variable could
    hold; `required`: the code fails without it; `example`: what an example file shows for it."""

    name: str
    where: str
    default: str | None = None
    required: bool = False
    example: str | None = None


def reads(source: Source) -> tuple[dict[str, Read], list[str]]:
    """{name: how it is read}, in the order of the files; and where names are computed, so that they stay unknown."""
    found: dict[str, Read] = {}
    computed: list[str] = []
    helpers = {name: each for module in source.modules for name, each in _helpers(module).items()}
    for module in source.modules:
        for node in sorted(module.nodes, key=lambda each: (getattr(each, "lineno", 0), getattr(each, "col_offset", 0))):
            key, default, required = _reading(module, node) or _through(node, helpers) or (None, None, False)
            name = literal(key)
            if isinstance(name, str) and is_variable(name) and not module.only_as_a_script(node):
                needed = required and not _guarded(module, node, name)
                _merge(found, Read(name, module.where(node), _default(module, node, default), needed))
            elif key is not None and not isinstance(name, str) and _parameter(module, node, key) is None:
                computed.append(module.where(node))
    for name, (file, value) in examples(source).items():
        known = found.get(name) or Read(name, file)
        found[name] = Read(name, known.where, known.default, known.required, value)
    return found, computed


def examples(source: Source) -> dict[str, tuple[str, str]]:
    """{name: (file, value)} of the example files and of the compose service that is built from this folder.

    A real .env is not opened: it holds secrets.
    """
    found: dict[str, tuple[str, str]] = {}
    for file in EXAMPLES:
        if text := source.text(file):
            for line in text[1].splitlines():
                match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", line)
                if match:
                    found.setdefault(match[1], (file, match[2].partition(" #")[0].strip().strip("'\"")))
    for file in COMPOSE:
        if text := source.text(file):
            for name, value in compose_variables(text[1]).items():
                found.setdefault(name, (file, value))
    return found


def compose_variables(text: str) -> dict[str, str]:
    """The `environment:` of the services that are built from this folder."""
    found: dict[str, str] = {}
    for service in compose_services(text):
        variables = service.get("environment") or {}
        if isinstance(variables, list):
            variables = dict(str(each).partition("=")[::2] for each in variables)
        for name, value in variables.items() if isinstance(variables, dict) else ():
            shown = "" if value is None or "${" in str(value) else str(value)
            found.setdefault(str(name), shown)
    return found


def compose_services(text: str) -> list[Mapping[str, Any]]:
    """The services of a compose file that are built from the folder itself."""
    try:
        services = (yaml.safe_load(text) or {}).get("services") or {}
        every = [each for each in services.values() if isinstance(each, dict) and each.get("build")]
    except (yaml.YAMLError, AttributeError):
        return []
    contexts = [
        each["build"].get("context", ".") if isinstance(each["build"], dict) else each["build"] for each in every
    ]
    return [each for each, context in zip(every, contexts, strict=True) if str(context).rstrip("/") in {".", ""}]


Reading = tuple[ast.expr | None, ast.expr | None, bool]


def _reading(module: Module, node: ast.AST) -> Reading | None:
    """(key, default, required) of os.environ["X"], os.environ.get("X"), os.getenv("X"), env("X"), config("X")."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_mapping(node.value, node.slice):
        return node.slice, None, True
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        key = node.left
        return (key, None, False) if _is_mapping(node.comparators[0], key) and isinstance(literal(key), str) else None
    if not (isinstance(node, ast.Call) and node.args):
        return None
    key, default = node.args[0], _argument(node, 1, "default")
    function = node.func
    if isinstance(function, ast.Attribute):
        if function.attr in {"get", "setdefault", "pop"} and _is_mapping(function.value, key):
            return key, default, False
        if (
            isinstance(function.value, ast.Name)
            and function.value.id == "env"
            and _imports(module, "environs", "environ")
        ):
            return key, default, default is None
        return (key, default, False) if function.attr == "getenv" else None
    if isinstance(function, ast.Name):
        if function.id == "getenv":
            return key, default, False
        if (function.id == "config" and _imports(module, "decouple")) or (
            function.id == "env" and _imports(module, "environs", "environ")
        ):
            default = _argument(node, 9, "default") if function.id == "config" else default
            return key, default, default is None
    return None


def _is_mapping(node: ast.expr, key: ast.expr) -> bool:
    """Whether it is os.environ, or a name like it that is asked for something like a variable's name."""
    if isinstance(node, ast.Attribute):
        return node.attr == "environ" and isinstance(node.value, ast.Name) and node.value.id == "os"
    name = literal(key)
    plausible = name is None or (isinstance(name, str) and _VARIABLE.fullmatch(name) and not _WSGI.fullmatch(name))
    return isinstance(node, ast.Name) and node.id in MAPPINGS and bool(plausible)


def _helpers(module: Module) -> dict[str, tuple[int, int | None, bool]]:
    """Functions that read the variable which a parameter names: {name: places of that name and of its default}."""
    found: dict[str, tuple[int, int | None, bool]] = {}
    for node in module.nodes:
        reading = _reading(module, node)
        place = _parameter(module, node, reading[0]) if reading and reading[0] is not None else None
        if reading and place:
            function, index = place
            names = [each.arg for each in function.args.args]
            default = next(
                (at for at, name in enumerate(names) if at > index and name in {"default", "fallback"}), None
            )
            found.setdefault(function.name, (index, default, reading[2]))
    return found


def _parameter(module: Module, node: ast.AST, key: ast.AST) -> tuple[Any, int] | None:
    """The enclosing function and the place of its parameter that `key` is."""
    for function in module.around(node):
        if isinstance(function, Function) and isinstance(key, ast.Name):
            names = [each.arg for each in function.args.args]
            if key.id in names:
                return function, names.index(key.id)
    return None


def _through(node: ast.AST, helpers: Mapping[str, tuple[int, int | None, bool]]) -> Reading | None:
    """The same of a call of such a function, with the name written out."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in helpers):
        return None
    index, default, required = helpers[node.func.id]
    if len(node.args) <= index or not isinstance(literal(node.args[index]), str):
        return None
    fallback = _argument(node, default, "default") if default is not None else None
    return node.args[index], fallback, required and fallback is None


def _default(module: Module, node: ast.AST, default: ast.expr | None) -> str | None:
    """The text that stands for the default: `getenv("X") or "this"` as well; a number only where a text becomes one."""
    above = module.parents.get(node)
    if default is None and isinstance(above, ast.BoolOp) and isinstance(above.op, ast.Or) and above.values[0] is node:
        default = above.values[-1]
        above = module.parents.get(above)
    value = literal(default)
    if isinstance(value, str):
        return value or None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        converted = called(above) if above is not None else ""
        return str(value) if converted in TYPED or called(node) in TYPED else None
    return None


def _guarded(module: Module, node: ast.AST, name: str) -> bool:
    """Whether the code asks first if the variable is there."""
    tests = [each.test for each in module.around(node) if isinstance(each, (ast.If, ast.IfExp))]
    return any(repr(name) in ast.unparse(test) for test in tests)


def _merge(found: dict[str, Read], new: Read) -> None:
    old = found.get(new.name)
    if old is None:
        found[new.name] = new
    else:  # read twice: one that can do without it does not help where another cannot
        found[new.name] = Read(old.name, old.where, old.default or new.default, old.required or new.required)


def _argument(node: ast.Call, place: int, keyword: str) -> ast.expr | None:
    named = next((each.value for each in node.keywords if each.arg == keyword), None)
    return named or (node.args[place] if len(node.args) > place else None)


def _imports(module: Module, *packages: str) -> bool:
    nodes: Iterator[ast.AST] = (node for node in module.nodes if isinstance(node, (ast.Import, ast.ImportFrom)))
    return any(re.search(rf"\b({'|'.join(packages)})\b", ast.unparse(node)) for node in nodes)
