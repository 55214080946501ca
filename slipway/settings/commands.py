"""Commands as texts: they are split into words and started, and no shell reads them."""

from __future__ import annotations

import re
import shlex

_OPERATOR = re.compile(r"&&|&(?=\s|$)|[;|<>]")
_EXPANSION = re.compile(r"\$[A-Za-z_{(]|`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SHELL = re.compile(r"(.*/)?(a|ba|da|z)?sh")
_BUILTINS = frozenset({".", "cd", "eval", "exec", "exit", "export", "if", "for", "set", "source", "ulimit", "while"})


def for_a_shell(text: str) -> str | None:
    """What of the text only a shell would understand, None where there is nothing: an operator without quotes; a
    variable, also in double quotes; what is not a program. A text for `sh -c '…'` is the shell's business."""
    words = shlex.split(text)
    first = words[0] if words else ""
    if first in _BUILTINS or _ASSIGNMENT.match(first):
        return first
    bare, double = _unquoted(text)
    found = _OPERATOR.search(bare) or _EXPANSION.search(bare if _SHELL.fullmatch(first) else bare + double)
    return found[0] if found else None


def in_a_shell(text: str) -> str:
    """The command that has a shell read the text."""
    return f"sh -c {shlex.quote(text)}"


def _unquoted(text: str) -> tuple[str, str]:
    """What stands outside of quotes, and what in double quotes; without what a backslash protects."""
    bare, double, quote, escaped = "", "", "", False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character in {quote, "'", '"'} and quote in {"", character}:
            quote = "" if quote else character
        elif not quote:
            bare += character
        elif quote == '"':
            double += character
    return bare, double
