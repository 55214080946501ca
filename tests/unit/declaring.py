"""A correct declaration on disk, for tests to spoil."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from slipway.core import certificates
from slipway.core.certificates import Pair
from slipway.core.pools import DEFAULTS, Room
from slipway.settings.parse import parse
from slipway.site.site import Site

BASE_IMAGES = {name: f"registry.test/{name}:1" for name in ("python", "postgres", "nginx", "adminer")}


def certified(*names: str) -> tuple[Pair, Pair]:
    """A certificate that is valid now and one, with another key, that has been over for years."""
    now, then = datetime.now(UTC), datetime(2020, 1, 1, tzinfo=UTC)
    return tuple(certificates.issue(certificates.authority("Test", each), names, each) for each in (now, then))  # type: ignore[return-value]


GOOD, OLD = certified("shop.test")


def make_root(folder: Path) -> Path:
    """Two services' folders: shop (with static files) and stock; and certificates for shop.test in tls."""
    (folder / "tls").mkdir()
    for name, text in (("good", GOOD.certificate), ("key", GOOD.key), ("old", OLD.certificate), ("old-key", OLD.key)):
        (folder / "tls" / f"{name}.pem").write_text(text)
    for name in ("shop", "stock"):
        static = folder / "services" / name / "app" / "static"
        static.mkdir(parents=True)
        (folder / "services" / name / "Dockerfile").write_text("FROM scratch\n")
        (folder / "services" / name / "manage.py").write_text("from app import create_app\n\napp = create_app()\n")
        (folder / "services" / name / "app" / "__init__.py").write_text("def create_app():\n    return None\n")
    return folder


def correct() -> dict[str, Any]:
    """A site that has something of everything and no mistake."""
    return {
        "services": {
            "shop": {
                "route": "/",
                "uses": ["stock"],
                "static": {"/static/": "app/static"},
                "env": {"TITLE": "Shop", "STOCK_URL": "{services.stock.url}"},
                "secrets": ["SECRET_KEY"],
            },
            "stock": {
                "route": "/stock/",
                "database": True,
                "migrate": "flask db upgrade",
                "volumes": {"uploads": "/home/app/web/media"},
                "env": {"DATABASE_URL": "{database.url}"},
            },
        }
    }


@dataclass(frozen=True)
class FakeEngine:
    """What the checks ask of the engine; `images` None: it has every one."""

    memory: int = 16000
    elsewhere: bool = False
    images: Collection[str] | None = None
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    writing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    others: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    networks: Collection[str] = ()
    taken: tuple[IPv4Network, ...] = ()

    def has_image(self, image: str) -> bool:
        return self.images is None or image in self.images

    def strangers(self, project: str, stack: str) -> Mapping[str, tuple[str, str]]:
        return {name: owner for name, owner in self.others.items() if owner != (project, stack)}

    def writers(self, volume: str) -> Mapping[str, str]:
        return self.writing.get(volume, {})

    def room(self) -> Room:
        return Room(DEFAULTS, frozenset(self.networks), self.taken)

    def volume_labels(self, name: str) -> Mapping[str, str]:
        return self.volumes.get(name, {})


def read(raw: dict[str, Any], root: Path, *, stack: str = "prod", **more: Any) -> Site:
    """The site, as the program would read it."""
    return parse(raw, **{"project": "site", "stack": stack, "root": root, "base_images": BASE_IMAGES, **more})
