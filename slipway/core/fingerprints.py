"""Names of files that hold a hash of their content, as bundlers write them: such a file never changes, so browsers may
keep it for ever, and pages of a former release may go on asking for it.

A name that only looks so is worse than a missed one: its file would be kept for a year although it changes. A hash is
the last part of a name before its endings (`app.3f2a9c1b.min.js`), of one of the FORMS; dates, versions, words with
numbers and UUIDs are none. What a form misses by chance (a hash of digits only) is known by its neighbours: lasting().
"""

from __future__ import annotations

import re
from collections.abc import Iterable

OTHER_FORMS = (
    # a UUID is chosen, whatever the content
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}[.][^/]*$",
    # 15feb2026, 2026dec01: the letters of these months are hexadecimal digits
    r"[/._-][0-9]{1,4}([fF][eE][bB]|[dD][eE][cC])[0-9]{1,4}[.][^/]*$",
)
MIXED = r"(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])"
WORDLESS = r"(?![0-9A-Za-z]*([a-z]{4}|[0-9]{5}|19[0-9]{2}|20[0-9]{2}))"
PIECE = r"([A-Z]+(?![A-Za-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+(?![a-z])|[0-9]+(?![0-9]))"
"""There is one way alone to divide a name into these."""
FORMS = (
    # hexadecimal, from CRC-32 to SHA-512 (webpack, Django, WhiteNoise, Flask-Assets, Sprockets, Parcel): letters and
    # digits that change at least twice, so that `decade10` and `20260115` are none
    r"[/._-](?=[0-9a-f]{8,128}[.])([0-9]+[a-f]+[0-9]|[a-f]+[0-9]+[a-f])[0-9a-f]*[.][^/]*$",
    # eight characters of base64url (Vite, Rollup, SvelteKit): small and capital letters and a digit, in four pieces or
    # more, where a word with its capital, a row of capitals and a number are a piece each
    r"[/._-](?=[\w-]{8}[.])" + MIXED + r"[_-]*(" + PIECE + r"[_-]*){4,8}[.][^/]*$",
    # eight characters of base32 (esbuild, Angular), which change at least twice
    r"[/.-](?=[A-Z2-7]{8}[.])([A-Z]+[2-7]+[A-Z]|[2-7]+[A-Z]+[2-7])[A-Z2-7]*[.][^/]*$",
    # longer ones of base62 (webpack's `digest`): as of eight, and nowhere a word of five letters or a year
    r"[/._-](?=[0-9A-Za-z]{9,64}[.])" + MIXED + WORDLESS + PIECE + r"{5,64}[.][^/]*$",
)
"""Regular expressions, searched for in a path from its slash on, which mean the same to Python and to nginx (PCRE)."""
SHAPE = re.compile(r"([._-])(\w{8,})([.][^/]*)$", re.ASCII)


def is_hashed(path: str) -> bool:
    """Whether the file's name holds a hash of its content."""
    return not _any(OTHER_FORMS, path) and _any(FORMS, path)


def lasting(paths: Iterable[str]) -> set[str]:
    """Those of a release's files that pages of it may ask for later: hashed ones, and in the same folder what has the
    same shape (a quarter of Vite's hashes have no digit)."""
    every = list(paths)
    hashed = {path for path in every if is_hashed(path)}
    shapes = {_shape(path) for path in hashed}
    return hashed | {path for path in every if SHAPE.search(path) and _shape(path) in shapes}


def nginx_map(variable: str, hashed: str, other: str) -> str:
    """nginx's `map` of the path asked for to one of two values."""
    lines = [*((form, other) for form in OTHER_FORMS), *((form, hashed) for form in FORMS)]
    text = "".join(f'        "~{form}" "{value}";\n' for form, value in lines)
    return f'    map $uri ${variable} {{\n{text}        default "{other}";\n    }}\n'


def _any(expressions: Iterable[str], path: str) -> bool:
    return any(re.search(expression, f"/{path}", re.ASCII) for expression in expressions)


def _shape(path: str) -> tuple[str, str, int, str]:
    """The folder, and what stands around a name's last part and how long that is."""
    folder, _, name = path.rpartition("/")
    found = SHAPE.search(name)
    return (folder, found[1], len(found[2]), found[3]) if found else (folder, "", 0, name)
