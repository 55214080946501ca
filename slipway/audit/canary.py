"""Looks for known secret values in whatever bytes there are: as they are, and in the forms in which they get about."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST = 12
"""Characters. A shorter value would be found by chance."""


@dataclass(frozen=True, order=True)
class Hit:
    """A secret, by its name, and the form in which it was found."""

    secret: str
    form: str


def forms(value: str) -> dict[bytes, str]:
    """{bytes to look for: name of the form}. Base64 in all three ways in which it may begin within a longer text."""
    plain = value.encode()
    found = {
        plain.hex().encode(): "hex",
        plain.hex().upper().encode(): "hex",
        quote(value, safe="").encode(): "url-encoded",
        quote_plus(value).encode(): "url-encoded",
        json.dumps(value)[1:-1].encode(): "JSON",
    }
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        # A character of base64 stands for six bits: only those that are the value's alone are always the same.
        alone = encoded[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        found |= {alone: "base64", alone.translate(bytes.maketrans(b"+/", b"-_")): "base64"}
    return found | {plain: "plain"}


class Canaries:
    """The values to look for, {name: value}. Raises ValueError for one that is too short to mean anything."""

    def __init__(self, values: Mapping[str, str]) -> None:
        short = sorted(name for name, value in values.items() if len(value) < SHORTEST)
        if short:
            raise ValueError(f"shorter than {SHORTEST} characters: {', '.join(short)}")
        self.patterns = [
            (pattern, Hit(name, form)) for name, value in values.items() for pattern, form in forms(value).items()
        ]
        self.longest = max((len(pattern) for pattern, _ in self.patterns), default=1)

    def in_bytes(self, data: bytes) -> set[Hit]:
        return {hit for pattern, hit in self.patterns if pattern in data}

    def in_chunks(self, chunks: Iterable[bytes]) -> set[Hit]:
        """In a stream, also across the border of two chunks of any size."""
        hits, rest = set[Hit](), b""
        for chunk in chunks:
            data = rest + chunk
            hits |= self.in_bytes(data)
            rest = data[len(data) - min(len(data), self.longest - 1) :]
        return hits
