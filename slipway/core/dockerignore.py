"""Reads the ignore files of Docker builds as Docker does, and joins a folder's own with Slipway's."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SECRETS = (
    "**/.env",
    "**/.env.*",
    "**/*.pem",
    "**/*.key",
    "**/*.p12",
    "**/*.pfx",
    "**/*.jks",
    "**/id_rsa",
    "**/id_ecdsa",
    "**/id_ed25519",
    "**/.ssh",
    "**/.aws",
    "**/.envrc",
    "**/.git-credentials",
    "**/.htpasswd",
    "**/.netrc",
    "**/.pgpass",
    "**/.pypirc",
    "instance",
    "src/instance",
)
"""Names that hold secrets by custom. Flask keeps what belongs to one machine in `instance`, beside the app."""
EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist")
"""What of them only shows which variables there are."""
HEAVY = frozenset({".git", ".venv", "__pycache__", "node_modules", "venv"})
"""Folders with so many files that looking through them would be felt."""


@dataclass(frozen=True)
class Pattern:
    """One line. `excepted`: it begins with `!`, and takes back what a line above it left out."""

    path: str
    excepted: bool = False

    @cached_property
    def _expression(self) -> re.Pattern[str] | None:
        try:
            return re.compile(f"{_translated(self.path)}(?:/.*)?", re.DOTALL)
        except re.error:
            return None

    def matches(self, path: str) -> bool:
        """Whether it names the path or a folder above it."""
        return self._expression is not None and self._expression.fullmatch(path) is not None


def _translated(path: str) -> str:
    """The pattern as a regular expression: `*` ends at a slash, `**` does not, a set of characters stays as it is."""
    tokens = re.findall(r"\*\*/?|\\.|.", path, re.DOTALL)
    plain = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[": "[", "]": "]", "-": "-", "^": "^"}
    return "".join(plain.get(token) or re.escape(token.removeprefix("\\") or token) for token in tokens)


def patterns(text: str) -> tuple[Pattern, ...]:
    """The lines of an ignore file, without comments."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines() if not line.startswith("#")]
    return tuple(_pattern(line) for line in lines if line.strip("! "))


def _pattern(line: str) -> Pattern:
    path = posixpath.normpath(line.removeprefix("!").strip())
    return Pattern(path.lstrip("/") or "/", line.startswith("!"))


def _any_of(lines: Iterable[Pattern]) -> Callable[[str], object]:
    """Whether one of these matches, in one go: a folder may hold many files."""
    paths = {line.path for line in lines}
    deep = {path for path in paths if path.startswith("**/")}
    names = "|".join(_translated(path.removeprefix("**/")) for path in sorted(deep))
    union = "|".join([f"(?:.*/)?(?:{names})", *map(_translated, sorted(paths - deep))])
    return re.compile(f"(?:{union})(?:/.*)?", re.DOTALL).fullmatch


_secret = _any_of(map(_pattern, SECRETS))


def _last(lines: Iterable[Pattern], path: str) -> Pattern | None:
    """The one that decides."""
    found = None
    for line in lines:
        if line.matches(path):
            found = line
    return found


@dataclass(frozen=True)
class Ignored:
    """What a build leaves out: whatever one of the two lists names. Only by naming such a file itself (`!cert.pem`,
    `!**/*.key`, but not `!certs`, nor `!*`) the folder's `own` list gets something that `ours` leaves out.

    `ours` is without exceptions.
    """

    own: str
    ours: str

    @cached_property
    def _own(self) -> tuple[Pattern, ...]:
        return patterns(self.own)

    @cached_property
    def _by_ours(self) -> Callable[[str], object]:
        return _any_of(patterns(self.ours))

    @cached_property
    def _named(self) -> frozenset[Pattern]:
        """The exceptions of the own list that mean what ours leaves out."""
        return frozenset(line for line in self._own if line.excepted and self._by_ours(line.path))

    def leaves_out(self, path: str) -> bool:
        """Of a file's path in the folder."""
        decides = _last(self._own, path)
        if decides and not decides.excepted:
            return True
        return self._by_ours(path) is not None and decides not in self._named and not _example(path)

    def text(self, folder: Path) -> str:
        """One ignore file that says the same of the files in the folder."""
        back = [file for file in self._files(folder) if self._by_ours(file) and not self.leaves_out(file)]
        if not back and not self.own:
            return self.ours
        return "\n".join([self.own, self.ours, *(f"!{_escaped(file)}" for file in sorted(back)), ""])

    def _files(self, folder: Path) -> Iterator[str]:
        return files(folder, lambda path: bool(self._named) or not self._by_ours(path))


def files(folder: Path, entered: Callable[[str], bool] = lambda _: True) -> Iterator[str]:
    """The paths of all files below the folder, from there on; of its folders only those that are `entered`."""
    for place, folders, names in os.walk(folder):
        above = os.path.relpath(place, folder)
        before = "" if above == "." else f"{above}/"
        folders[:] = [name for name in folders if entered(before + name)]
        yield from (before + name for name in names)


def _example(path: str) -> bool:
    return posixpath.basename(path) in EXAMPLES


def _escaped(path: str) -> str:
    """As a pattern that names the path; a backslash would not do, since docker-py does not know it."""
    return re.sub(r"[*?\[\\]", "?", path)


def of_dockerfile(dockerfile: Path) -> str:
    """The list of a folder with a Dockerfile of its own: `Dockerfile.dockerignore` goes before `.dockerignore`."""
    beside = (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), dockerfile.with_name(".dockerignore"))
    return next((file.read_text(errors="replace") for file in beside if file.is_file()), "")


def is_secret(path: str) -> bool:
    """Judged by its name."""
    return _secret(path) is not None and not _example(path)


def visible(folder: Path, ignore: str) -> Iterator[str]:
    """The files of the folder that a build with this ignore file gets to see, those of tools left out."""
    own = patterns(ignore)
    for path in files(folder, lambda above: posixpath.basename(above) not in HEAVY):
        decides = _last(own, path)
        if decides is None or decides.excepted:
            yield path
