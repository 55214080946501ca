"""References in `env`: {database.url|host|port|name|user|password}, {services.NAME.url|host|port}, {secrets.NAME}.

Only this shape is a reference: other braces (JSON, for example) stand as they are, and {{record.name}} is a literal
{record.name}. A variable with a secret in it becomes a file in the container; the others are plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DATABASE_PARTS = ("url", "host", "port", "name", "user", "password")
SERVICE_PARTS = ("url", "host", "port")
KINDS = ("database", "secrets", "services")
SECRET_PARTS = ("url", "password")

_REFERENCE = re.compile(r"\{\{(?P<literal>[a-z]+\.[\w.-]+)\}\}|\{(?P<path>[a-z]+\.[\w.-]+)\}")


@dataclass(frozen=True)
class Reference:
    """One reference, for example {services.images.url}: kind `services`, rest `images.url`."""

    kind: str
    rest: str

    @property
    def path(self) -> str:
        """What stands between the braces; the key of `values` in fill()."""
        return f"{self.kind}.{self.rest}"

    @property
    def secret(self) -> bool:
        """Whether its value must never be seen in `docker inspect`."""
        return self.kind == "secrets" or (self.kind == "database" and self.rest in SECRET_PARTS)


def references(text: str) -> tuple[Reference, ...]:
    """All references of a text, in order. They need not be valid: slipway.settings.reference_checks tells."""
    paths = (match["path"] for match in _REFERENCE.finditer(text) if match["path"])
    return tuple(Reference(*path.split(".", 1)) for path in paths)


def split(env: Mapping[str, str], secrets: Iterable[str] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """The variables without and with a secret, both still unfilled. Each of `secrets` is a variable of its own name."""
    plain: dict[str, str] = {}
    secret = {name: f"{{secrets.{name}}}" for name in secrets}
    for name, text in env.items():
        target = secret if any(reference.secret for reference in references(text)) else plain
        secret.pop(name, None)
        target[name] = text
    return plain, secret


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each reference replaced by `values[reference.path]`. Raises KeyError for one without a value."""
    return _REFERENCE.sub(lambda match: f"{{{match['literal']}}}" if match["literal"] else values[match["path"]], text)
