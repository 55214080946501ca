"""What pip reads beside a requirements.txt: the files and folders that it names."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = "requirements.txt"
LOCKS = {
    "uv.lock": "uv export --no-dev --no-emit-project -o requirements.txt",
    "poetry.lock": "poetry export -o requirements.txt",
    "pdm.lock": "pdm export --prod -o requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
}
"""Lock file: the command that writes its versions as requirements.txt."""
_OPTION = re.compile(
    r"(?:(?P<short>-[rcfe])\s*|--(?P<long>requirement|constraint|find-links|editable)(?:\s+|\s*=\s*))(?P<value>\S.*)"
)
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_NAMED = re.compile(r"[\w.-]+\s*(?:\[[^]]*\])?\s*@\s*(?P<url>\S+)")
_ARCHIVE = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz")
DEEPEST = 20


@dataclass(frozen=True)
class Mention:
    """`path` is relative to the folder, `..` and all, or absolute; `where` is the file and line that names it; `kind`
    the letter of the option that does: r, c, f, e, or "" for a package.
    """

    path: str
    where: str
    kind: str

    @property
    def outside(self) -> bool:
        """Whether it lies elsewhere than in the folder."""
        return self.path.startswith("/") or self.path.split("/")[0] == ".."


def mentions(folder: Path) -> tuple[Mention, ...]:
    """What requirements.txt and the files that it includes name, itself first; nothing where there is none."""
    if not (folder / FILE).is_file():
        return ()
    found = {FILE: Mention(FILE, FILE, "r")}
    for mention in _read(folder, FILE, 0):
        found.setdefault(mention.path, mention)
    return tuple(found.values())


def _read(folder: Path, file: str, depth: int) -> Iterator[Mention]:
    for number, line in _lines(text(folder / file)):
        kind, value = _parsed(line)
        if not value or "://" in value or "${" in value:
            continue
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(file), value))
        where = f"{file}:{number}"
        if kind in ("r", "c"):
            yield (mention := Mention(beside, where, kind))
            if depth < DEEPEST and not mention.outside and (folder / beside).is_file():
                yield from _read(folder, beside, depth + 1)
        elif kind == "f" and (folder / beside).exists():
            yield Mention(beside, where, kind)
        else:
            yield Mention(posixpath.normpath(value), where, kind)


def _parsed(line: str) -> tuple[str, str]:
    """r, c, f, e or "" for a package, and the path or URL; "" for what is neither."""
    if option := _OPTION.fullmatch(line):
        kind = (option["short"] or "").lstrip("-") or option["long"][0]
        value = option["value"].strip().strip("\"'")
        return kind, _local(value) if kind == "e" else value
    if line.startswith("-"):
        return "", ""
    if named := _NAMED.match(line):
        url = named["url"]
        return "", _local(url.removeprefix("file:").replace("//", "", 1)) if url.startswith("file:") else url
    value = _local(line)
    is_path = "/" in value or value.startswith(".") or value.endswith(_ARCHIVE)
    return "", value if is_path else ""


def _local(value: str) -> str:
    """Without extras, markers and options of the line."""
    return re.sub(r"\[[^]]*\]$", "", re.split(r"\s*;|\s+--|#", value)[0].strip().strip("\"'"))


def _lines(content: str) -> Iterator[tuple[int, str]]:
    """Each line, continued ones joined, without its comment; and the number of its first."""
    begun, start = "", 0
    for number, line in enumerate(content.splitlines(), 1):
        start = start if begun else number
        begun += line.removesuffix("\\")
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            continue
        yield start, _COMMENT.sub("", begun).strip()
        begun = ""
    yield start, _COMMENT.sub("", begun).strip()


def text(file: Path) -> str:
    """As pip reads it: UTF-8, or what its byte order mark says (PowerShell writes UTF-16)."""
    content = file.read_bytes()
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")


def included(folder: Path) -> list[str]:
    """requirements.txt and the files of packages that it includes (`-r`), as far as they are there."""
    lists = [mention.path for mention in mentions(folder) if mention.kind == "r" and not mention.outside]
    return [path for path in lists if (folder / path).is_file()]


def elsewhere(folder: Path) -> str | None:
    """A list of packages by another name, the one for production first."""
    found = [*folder.glob("requirements*/*.txt"), *folder.glob("*requirements*.txt"), *folder.glob("requirements*.in")]
    names = sorted(path.relative_to(folder).as_posix() for path in found if path.name != FILE)
    usual = ("prod", "base", "main", "common")
    return next((name for word in usual for name in names if word in name), names[0] if names else None)


def copied(folder: Path) -> list[str]:
    """What must be copied before pip runs, besides `requirements*.txt`; the whole folder where that is named."""
    paths = [mention.path for mention in mentions(folder)]
    if "." in paths:
        return ["."]
    return sorted(path for path in paths if not re.fullmatch(r"requirements[^/]*\.txt", path))
