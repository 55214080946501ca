"""Sites that differ from the shipped one in every way that the declaration allows."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from tests.mocks.program import run
from tests.mocks.recording import SECRET, Program

PASSWORD = f"{SECRET} of/a@managed:database"
UI = {"route": "/", "path": "services/ui"}
IMAGES = {"path": "services/images"}


def declared(**services: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a site with these services and nothing of the shipped one."""
    return {"services": {name.replace("_", "-"): table for name, table in services.items()}, "overrides": {}}


SITES: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "one service and no database": declared(ui=UI),
    "a managed database": declared(
        ui={
            **UI,
            "database": {"url": "postgresql://app:{secrets.DB_PASSWORD}@db.example.org:5432/photos?sslmode=require"},
            "migrate": "flask db upgrade",
            "secrets": ["DB_PASSWORD"],
            "env": {
                "DATABASE_URL": "{database.url}",
                "DB_WHERE": "{database.host}:{database.port}/{database.name}",
                "DB_LOGIN": "{database.user}:{database.password}",
            },
        }
    )
    | {"secrets": {"ui": {"DB_PASSWORD": PASSWORD}}},
    "a worker": declared(
        ui=UI,
        worker={
            **IMAGES,
            "command": "python worker.py",
            "uses": ["ui"],
            "database": True,
            "env": {"UI_URL": "{services.ui.url}", "UI": "{services.ui.host}:{services.ui.port}"},
        },
    ),
    "a worker on another's database": declared(
        worker={
            **IMAGES,
            "command": "flask --app manage work",
            "database": {"service": "images"},
            "env": {"DATABASE_URL": "{database.url}"},
        },
        ui=UI,
        images={
            **IMAGES,
            "database": True,
            "migrate": "flask db upgrade",
            "env": {"DATABASE_URL": "{database.url}"},
        },
    ),
    "three replicas": declared(ui={**UI, "replicas": 3, "volumes": {"uploads": "/home/app/web/media"}}),
    "two hosts": declared(ui={**UI, "host": "a.example.org"}, images={**IMAGES, "host": "b.example.org"})
    | {"edge": {"hosts": ["www.example.org"]}},
    "never two at once": declared(ui={**UI, "strategy": "recreate"}),
    "by uwsgi": declared(ui={**UI, "uses": ["images"]}, images={**IMAGES, "route": "/images/", "protocol": "uwsgi"}),
    "a way out": declared(ui={**UI, "egress": True}),
    "a Redis": declared(
        ui={
            **UI,
            "uses": ["cache", "images"],
            "env": {"CACHE": "redis://{services.cache.host}:{services.cache.port}/0"},
        },
        images={**IMAGES, "uses": ["cache"], "database": True, "seed": "python manage.py seed_db"},
        cache={"image": "redis:7.4", "port": 6379, "volumes": {"data": "/data"}, "user": 999},
    ),
    "a schedule": declared(
        ui={**UI, "uses": ["images"], "volumes": {"images.uploads": "/media"}},
        images={
            **IMAGES,
            "database": True,
            "secrets": ["SECRET_KEY"],
            "volumes": {"uploads": "/home/app/web/media"},
            "schedule": {"cleanup": {"cron": "0 3 * * *", "command": "flask cleanup --all"}},
        },
    ),
    "TLS by an authority of its own": declared(ui=UI)
    | {"edge": {"hosts": ["www.example.org"], "tls": {"mode": "self-signed", "hsts": 300}, "headers": "strict"}},
    "TLS by certbot": declared(ui=UI, images={**IMAGES, "host": "images.example.org"})
    | {"edge": {"hosts": ["www.example.org", "example.org"], "tls": {"mode": "acme", "email": "a@example.org"}}},
    "a ready-made server": declared(
        ui=UI,
        files={
            "image": "files:1",
            "command": "serve /srv",
            "route": "/files/",
            "port": 8080,
            "secrets": ["SECRET_KEY"],
            "env": {"SECRET_URL": "https://x:{secrets.SECRET_KEY}@example.org"},
        },
    ),
}


@functools.cache
def program_of(stack: str, site: str) -> Program:
    """One of SITES in one stack, run once for all tests that only look at it."""
    return run(stack, SITES[site])
