"""Whether a service's folder has the WSGI entry point that gunicorn is told to load, without running its code."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from slipway.settings.problems import closest, did_you_mean

DEPENDENCIES = ("requirements.txt", "pyproject.toml", "setup.py", "setup.cfg")
USUAL = ("app", "application", "create_app", "make_app")


@dataclass(frozen=True)
class Missing:
    """What is wrong, and an entry point that would do."""

    what: str
    suggestion: str


def missing(folder: Path, entry: str, shown: str) -> Missing | None:
    """None when the entry point is there, may come from an installed package, or cannot be judged by reading.

    `shown` is the folder as the user wrote it.
    """
    module, _, rest = entry.partition(":")
    variable = rest.partition("(")[0]
    file = _file(folder, module)
    if file is None:
        return _missing_module(folder, module, entry, shown)
    names = _names(file)
    if names is None or variable in names:
        return None
    best = closest(variable, names) or next((name for name in USUAL if name in names), variable)
    call = "()" if best.startswith(("create", "make")) else ""
    what = f"{shown}/{file.relative_to(folder)} has no {variable}"
    if best != variable:
        what += f"; did you mean {best}{call}?"
    return Missing(what, f"{module}:{best}{call}")


def _missing_module(folder: Path, module: str, entry: str, shown: str) -> Missing | None:
    top = module.partition(".")[0]
    own = sorted(_modules(folder))
    near = closest(top, own)
    from_a_package = any((folder / name).is_file() for name in DEPENDENCIES)
    if "." in module and top in own:
        return Missing(f"there is no module {module} in {shown}", entry)
    if from_a_package and top != "manage" and near is None:
        return None
    found = near or next((name for name in own if set(_names_of(folder, name)) & set(USUAL)), None)
    suggestion = entry if found is None else f"{found}:{_usual(_names_of(folder, found), entry)}"
    hint = did_you_mean(top, own) if near or not found else f"; {found} looks like it"
    return Missing(f"there is no module {top} in {shown}{hint}", suggestion)


def _usual(names: set[str], entry: str) -> str:
    wanted = entry.partition(":")[2]
    if wanted.partition("(")[0] in names:
        return wanted
    name = next((name for name in USUAL if name in names), wanted)
    return f"{name}()" if name.startswith(("create", "make")) else name


def _modules(folder: Path) -> set[str]:
    files = {path.stem for path in folder.glob("*.py")}
    return (
        files
        | {path.parent.name for path in folder.glob("*/__init__.py")}
        | {path.parent.name for path in folder.glob("*/*.py")}
    )


def _file(folder: Path, module: str) -> Path | None:
    path = folder.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _names_of(folder: Path, module: str) -> set[str]:
    file = _file(folder, module)
    return (_names(file) or set()) if file else set()


def _names(file: Path) -> set[str] | None:
    """What a module defines at its top level; None where reading does not tell (a syntax error, `import *`)."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None
    names: set[str] = set()
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        else:
            names |= {
                inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
            }
            for block in ("body", "orelse", "finalbody"):
                pending.extend(getattr(node, block, []))
            pending.extend(statement for handler in getattr(node, "handlers", []) for statement in handler.body)
    return None if "*" in names else names
