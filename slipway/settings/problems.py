"""Mistakes in the settings: each with its path, what is wrong, and the lines to type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_PLAIN = re.compile(r"[\w-]+")
SERVICES_FILE = "Write in Pulumi.yaml, among the services:"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake. `because`: paths whose own mistake makes this one a mere consequence, not worth telling."""

    path: str
    what: str
    fix: tuple[str, ...]
    because: tuple[str, ...] = ()


class SettingsError(ValueError):
    """Every mistake that was found, in one text."""

    def __init__(self, problems: Sequence[Problem], stack: str) -> None:
        self.problems = tuple(problems)
        count = "One mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        parts = [f"{count} in the settings of stack {stack}. Nothing was touched."]
        for number, problem in enumerate(problems, 1):
            fix = "\n".join(f"     {line}" for line in problem.fix)
            parts.append(f"{number}. {problem.path}: {problem.what}\n{fix}")
        super().__init__("\n\n".join(parts))


def without_consequences(problems: Iterable[Problem]) -> list[Problem]:
    """The problems that stand by themselves, each path and text once."""
    kept: dict[tuple[str, str], Problem] = {}
    everything = list(problems)
    paths = {problem.path for problem in everything}
    for problem in everything:
        if not any(_below(path, cause) for path in paths - {problem.path} for cause in problem.because):
            kept.setdefault((problem.path, problem.what), problem)
    return list(kept.values())


def spelled(*keys: str | int) -> str:
    """A path as messages show it: edge.hosts[0], services.ui.static["/static/"]."""
    parts = [
        f"[{key}]" if isinstance(key, int) else f".{key}" if _PLAIN.fullmatch(key) else f'["{key}"]' for key in keys
    ]
    return "".join(parts).removeprefix(".")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`; did you mean replicas?`, or what there is to choose from."""
    known = sorted(words)
    near = closest(word, known)
    if near:
        return f"; did you mean {near}?"
    return f"; there is {', '.join(known)}" if known else "; there is none"


def closest(word: str, words: Iterable[str]) -> str | None:
    """The one word that was probably meant, whatever its case and separators, or None."""
    plain = {_letters(known): known for known in words}
    near = difflib.get_close_matches(_letters(word), plain, n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def yaml_lines(path: Sequence[str], value: Any) -> tuple[str, ...]:
    """The value as YAML, below the keys of its path."""
    nested = value
    for key in reversed(path):
        nested = {key: nested}
    return tuple(f"  {line}" for line in yaml.safe_dump(nested, sort_keys=False, width=1000).rstrip().splitlines())


def write_service(service: str, *keys: str, value: Any) -> tuple[str, ...]:
    """The lines for a key of a service in Pulumi.yaml."""
    return (SERVICES_FILE, *yaml_lines((service, *keys), value))


def set_config(path: str, value: Any, *, secret: bool = False) -> str:
    """The command that sets one configuration value of the stack."""
    option = (" --secret" if secret else "") + (" --path" if "." in path or "[" in path else "")
    path = f"'{path}'" if "[" in path else path
    shown = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    quoted = f"'{shown}'" if any(character in shown for character in " {}<>*?$") else shown
    return f"Type: pulumi config set{option} {path} {quoted}".rstrip()


def and_type(line: str) -> str:
    """The same command as a further line below another one."""
    return line.replace("Type:", "     ", 1)


def config_lines(path: Sequence[str], value: Any) -> tuple[str, ...]:
    """The commands that set a value, one for each entry of a table or a list."""
    dotted = ".".join(path)
    if isinstance(value, dict):
        return tuple(set_config(f"{dotted}.{key}", entry) for key, entry in value.items())
    if isinstance(value, list):
        return tuple(set_config(f"{dotted}[{index}]", entry) for index, entry in enumerate(value))
    return (set_config(dotted, value),)


def _letters(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())


def _below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))
