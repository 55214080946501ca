"""A folder's Python files as syntax trees, and its other texts."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

NOT_THE_APP = {
    "__pycache__",
    "bench",
    "build",
    "dist",
    "doc",
    "docs",
    "env",
    "examples",
    "migrations",
    "node_modules",
    "site-packages",
    "static",
    "test",
    "tests",
    "venv",
}
NOT_MODULES = {"conftest.py", "fabfile.py", "noxfile.py", "setup.py", "tasks.py"}
LARGEST_FILE = 1_000_000
"""Bytes: what is larger was generated."""
MOST_FILES = 3_000
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    """One file. `file` is relative to the folder; `name` is how it is imported inside the container."""

    file: str
    name: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What encloses a node, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def where(self, node: ast.AST) -> str:
        """file:line."""
        return f"{self.file}:{getattr(node, 'lineno', 1)}"

    def only_as_a_script(self, node: ast.AST) -> bool:
        """Whether it stands below `if __name__ == "__main__"`, which gunicorn never runs."""
        return any(isinstance(each, ast.If) and "__name__" in ast.unparse(each.test) for each in self.around(node))


@dataclass(frozen=True)
class Source:
    """`unreadable` are files that no syntax tree could be made of; `src` whether packages are below src/."""

    folder: Path
    modules: tuple[Module, ...]
    unreadable: tuple[str, ...] = ()
    src: bool = field(default=False)

    @classmethod
    def read(cls, folder: Path) -> Source:
        """Links are not followed, hidden folders, tests and what was installed there are left out."""
        src = (folder / "src").is_dir() and not (folder / "src/__init__.py").exists()
        modules, unreadable = [], []
        for path in _files(folder):
            file = path.relative_to(folder).as_posix()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # the app's invalid escapes are not ours to report
                    tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError, RecursionError, OSError):
                unreadable.append(file)
            else:
                modules.append(Module(file, _name(file, src=src), tree))
        return cls(folder, tuple(modules), tuple(unreadable), src)

    @cached_property
    def _by_name(self) -> dict[str, Module]:
        return {each.name: each for each in reversed(self.modules)}

    def module(self, name: str) -> Module | None:
        return self._by_name.get(name)

    def text(self, *names: str) -> tuple[str, str] | None:
        """(name, content) of the first of these files that is there."""
        for name in names:
            path = self.folder / name
            if path.is_file() and path.stat().st_size <= LARGEST_FILE:
                return name, path.read_text(errors="replace")
        return None

    def imports(self, *packages: str) -> str | None:
        """file:line of the first import of one of these packages."""
        for module in self.modules:
            for node in module.nodes:
                named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    named = [node.module]
                if any(name == package or name.startswith(f"{package}.") for name in named for package in packages):
                    return module.where(node)
        return None


def literal(node: ast.AST | None) -> object:
    """The value that is written there; None where it is computed."""
    try:
        return ast.literal_eval(node) if isinstance(node, ast.expr) else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def called(node: ast.AST) -> str:
    """What a call calls: `flask.Flask(...)` is "Flask"."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in NOT_THE_APP and not name.startswith(".") and ".egg" not in name
        )
        if "pyvenv.cfg" in files:
            folders[:] = []
            continue
        for name in sorted(files):
            path = Path(place, name)
            skipped = name in NOT_MODULES or name.startswith("test_") or name.endswith("_test.py")
            if name.endswith(".py") and not skipped and not path.is_symlink() and path.stat().st_size <= LARGEST_FILE:
                found.append(path)
    return found[:MOST_FILES]


def _name(file: str, *, src: bool) -> str:
    parts = file.removesuffix(".py").split("/")
    if src and parts[0] == "src":
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
