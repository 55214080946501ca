"""Database URLs, taken apart and put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, kw_only=True)
class Dsn:
    """Where a database is and who logs in; the password is not part of it. `options` follow the question mark."""

    host: str
    port: int
    name: str
    user: str
    options: str = ""

    def url(self, password: str) -> str:
        """postgresql://user:password@host:port/name, with everything quoted that a URL cannot hold."""
        user, name = quote(self.user, safe=""), quote(self.name, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        options = f"?{self.options}" if self.options else ""
        return f"postgresql://{user}:{quote(password, safe='')}@{host}:{self.port}/{name}{options}"

    def values(self, password: str) -> Mapping[str, str]:
        """What the references {database.…} stand for (slipway.core.references.fill)."""
        parts = {"host": self.host, "port": str(self.port), "name": self.name, "user": self.user}
        return {
            f"database.{part}": text
            for part, text in (parts | {"password": password, "url": self.url(password)}).items()
        }

    def plain_values(self) -> Mapping[str, str]:
        """The same without url and password: nothing of it is secret."""
        return {key: text for key, text in self.values("").items() if key not in {"database.url", "database.password"}}


def parse(url: str) -> tuple[Dsn, str]:
    """A URL and its password ("" without one), unquoted; a reference may stand for the password.

    Raises ValueError, saying what is missing, without repeating the URL: it may hold a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("it must begin with postgresql://")
    if not parts.hostname or not parts.username or not parts.path.strip("/"):
        raise ValueError("it must name a user, a host and a database")
    try:
        port = parts.port or 5432
    except ValueError:
        raise ValueError("its port is not a number") from None
    dsn = Dsn(
        host=parts.hostname,
        port=port,
        name=unquote(parts.path.strip("/")),
        user=unquote(parts.username),
        options=parts.query,
    )
    return dsn, unquote(parts.password or "")
