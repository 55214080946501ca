"""Every mistake has one clear message: where, what, and what to type. Each case spoils a correct declaration."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from slipway.core.naming import labels
from slipway.settings.problems import SettingsError
from tests.unit.declaring import FakeEngine, correct, make_root, read

NEARLY_ALL = tuple(map(IPv4Network, ("172.16.0.0/12", "192.168.0.0/17", "192.168.128.0/18", "192.168.192.0/19")))
"""Of an engine's own address pools."""


@dataclass(frozen=True)
class Mistake:
    """`change` is set at `where` in the correct declaration; the one problem must have this path, these words, this
    line among those to type."""

    where: tuple[str, ...]
    change: Any
    path: str
    says: str
    type: str
    more: dict[str, Any] = field(default_factory=dict)


def shop(key: str, change: Any, says: str, type_: str, *, path: str | None = None, **more: Any) -> Mistake:
    return Mistake(("services", "shop", key), change, f"services.shop.{path or key}", says, type_, more)


def stock(key: str, change: Any, says: str, type_: str, *, path: str | None = None, **more: Any) -> Mistake:
    return Mistake(("services", "stock", key), change, f"services.stock.{path or key}", says, type_, more)


def top(key: str, change: Any, path: str, says: str, type_: str, **more: Any) -> Mistake:
    return Mistake((key,), change, path, says, type_, more)


MANAGED = "postgresql://app:{secrets.DB}@db.example.org/stock"
MISTAKES = [
    # keys and shapes
    top("overides", {}, "overides", "unknown key; did you mean overrides?", "Type: pulumi config rm overides"),
    shop("replcias", 2, "unknown key; did you mean replicas?", "write `replicas:` instead of `replcias:`"),
    shop("dev_port", 8006, "unknown key; did you mean devPort?", "write `devPort:` instead of `dev_port:`"),
    shop("replicas", "two", "must be a whole number, not 'two'", "replicas: 2"),
    shop("replicas", 0, "must be at least 1, not 0", "replicas: 2"),
    shop("memory", 8, "must be at least 32, not 8", "memory: 256"),
    shop("cpus", 0, "must be at least 0.1, not 0", "cpus: 0.5"),
    shop("user", 0, "must be at least 1, not 0", "user: 1000"),
    shop("strategy", "canary", "must be rolling or recreate, not 'canary'", "strategy: rolling"),
    Mistake(
        ("drain",),
        20,
        "dockerHost",
        "the engine is on another machine, and the profile dev mounts",
        "pulumi config rm dockerHost",
        {"stack": "dev", "engine": FakeEngine(elsewhere=True)},
    ),
    shop("replicas", 2, "two versions would run side by side", "replicas: 1", shop={"strategy": "recreate"}),
    shop(
        "schedule",
        {"tidy": {"cron": "0 25 * * *", "command": "flask tidy"}},
        "'25' is no hour: 0 to 23",
        "cron: 0 3 * * *",
        path="schedule.tidy.cron",
    ),
    shop(
        "schedule",
        {"Tidy": {"cron": "@daily", "command": "flask tidy"}},
        "small letters, digits and single hyphens",
        "cleanup:",
        path="schedule.Tidy",
    ),
    shop(
        "schedule",
        {"tidy": {"cron": "@daily"}},
        "is missing",
        "command: flask cleanup",
        path="schedule.tidy.command",
    ),
    shop("egress", "perhaps", "must be true or false, not 'perhaps'", "egress: true"),
    shop("env", {"TITLE": ["a"]}, "must be a text, not a list", "TITLE:", path="env.TITLE"),
    shop("uses", "stock", "must be a list, not 'stock'", "- images"),
    Mistake(("services", "shop"), 3, "services.shop", "must be a table of keys and values, not 3", "shop:"),
    Mistake(("services",), {}, "services", "there is no service", "route: /"),
    top("overrides", {"shp": {}}, "overrides.shp", "there is no service shp; did you mean shop?", "pulumi config rm"),
    top(
        "overrides",
        {"mailer": {"path": "services/mail", "command": "python mail.py"}},
        "overrides.mailer",
        "there is no service mailer",
        "add none. To add it:\nWrite in Pulumi.yaml, among the services:\n  mailer:\n    path: services/mail",
    ),
    top(
        "overrides",
        {"shop": {"replicas": -1}},
        "overrides.shop.replicas",
        "must be at least 1, not -1",
        "Type: pulumi config set --path overrides.shop.replicas 2",
    ),
    top(
        "overrides",
        {"shop": {"memry": 64}},
        "overrides.shop.memry",
        "did you mean memory?",
        "pulumi config set --path overrides.shop.memory 64",
    ),
    top("overrides", 3, "overrides", "must be a table", "pulumi config rm overrides"),
    top("edge", {"port": 70000}, "edge.port", "must be at most 65535, not 70000", "config set --path edge.port 8100"),
    top("edge", {"address": "everywhere"}, "edge.address", "must be an address of this machine", "edge.address"),
    top(
        "edge",
        {"staticRetention": 7},
        "edge.staticRetention",
        "must be at least 60, not 7",
        "config set --path edge.staticRetention 604800",
    ),
    top(
        "edge",
        {"pages": {"tooLarge": "pages/large.html"}},
        "edge.pages.tooLarge",
        "there is no HTML file pages/large.html",
        "config rm --path edge.pages.tooLarge",
    ),
    top("edge", {"pages": {"large": "x"}}, "edge.pages.large", "did you mean tooLarge?", "config rm"),
    top("edge", {"hosts": ["https://shop.test"]}, "edge.hosts[0]", "must be a name alone", "'edge.hosts[0]'"),
    top(
        "edge",
        {"trustedProxies": ["0.0.0.0/0"]},
        "edge.trustedProxies[0]",
        "believe the X-Forwarded-For of everybody",
        "'edge.trustedProxies[0]' 10.0.0.0/8",
    ),
    # TLS, headers and limits at the edge
    top(
        "edge",
        {"tls": "letsencrypt"},
        "edge.tls",
        "must be off, self-signed, files or acme, not 'letsencrypt'",
        "Type: pulumi config set --path edge.tls self-signed",
    ),
    top("edge", {"tls": {"mode": "on"}}, "edge.tls.mode", "must be off, self-signed, files or acme", "edge.tls.mode"),
    top("edge", {"tls": {"mail": "x"}}, "edge.tls.mail", "did you mean email?", "config rm --path edge.tls.mail"),
    top("edge", {"headers": "lax"}, "edge.headers", "must be off, safe or strict, not 'lax'", "edge.headers safe"),
    top(
        "edge",
        {"maxHeader": 16},
        "edge.maxHeader",
        "shop is asked by uwsgi, where all of a request has to fit into 64 KiB",
        "Type: pulumi config set --path edge.maxHeader 12",
        shop={"protocol": "uwsgi"},
    ),
    top("edge", {"maxHeader": 2}, "edge.maxHeader", "must be at least 4, not 2", "edge.maxHeader 16"),
    top("edge", {"rateLimits": {"/login": 0}}, 'edge.rateLimits["/login"]', "must be at least 1, not 0", "30"),
    top("edge", {"rateLimits": {"login": 5}}, 'edge.rateLimits["login"]', "begins with a slash", "/login: 5"),
    top(
        "edge",
        {"tls": "self-signed", "tlsPort": 8100},
        "edge.tlsPort",
        "8100 is edge.port, which plain HTTP goes on using",
        "Type: pulumi config set --path edge.tlsPort 8443",
    ),
    top(
        "edge",
        {"tls": {"hsts": 600}},
        "edge.tls.hsts",
        "would be said over plain HTTP",
        "pulumi config rm --path edge.tls.hsts",
    ),
    top(
        "edge",
        {"tls": {"mode": "self-signed", "email": "a@b.org"}},
        "edge.tls.email",
        "belongs to the mode acme, and the mode is self-signed",
        "Type: pulumi config rm --path edge.tls.email",
    ),
    top(
        "edge",
        {"tls": {"mode": "acme", "key": "a.pem"}, "hosts": ["a.example.org"]},
        "edge.tls.key",
        "belongs to the mode files",
        "pulumi config rm --path edge.tls.key",
    ),
    top(
        "edge", {"tls": {"mode": "files", "key": "tls/key.pem"}}, "edge.tls.certificate", "is missing", "fullchain.pem"
    ),
    top(
        "edge",
        {"tls": {"mode": "files", "certificate": "tls/good.pem", "key": "tls/kye.pem"}},
        "edge.tls.key",
        "there is no file tls/kye.pem in the project's folder",
        "edge.tls.key tls/privkey.pem",
    ),
    top(
        "edge",
        {"tls": {"mode": "files", "certificate": "tls/good.pem", "key": "tls/key.pem"}, "hosts": ["other.test"]},
        "edge.tls.certificate",
        "the certificate is not for other.test",
        "Put the chain, leaf first, into tls/good.pem",
    ),
    top(
        "edge",
        {"tls": {"mode": "files", "certificate": "tls/old.pem", "key": "tls/old-key.pem"}},
        "edge.tls.certificate",
        "the certificate expired on 2020-",
        "its key into tls/old-key.pem",
    ),
    top("edge", {"tls": "acme"}, "edge.hosts", "answer to every name", "'edge.hosts[0]' www.example.org"),
    top(
        "edge",
        {"tls": "acme", "hosts": ["shop"]},
        "edge.tls.mode",
        "shop is a name that no public authority certifies",
        "edge.tls self-signed",
    ),
    top(
        "edge",
        {"tls": {"mode": "acme", "email": "nobody"}, "hosts": ["shop.test"]},
        "edge.tls.email",
        "'nobody' is no e-mail address",
        "edge.tls.email admin@example.org",
    ),
    top(
        "edge",
        {"tls": {"mode": "acme", "directory": "http://ca.test"}, "hosts": ["shop.test"]},
        "edge.tls.directory",
        "must be the https:// URL of an ACME directory",
        "edge.tls.directory https://",
    ),
    top(
        "edge",
        {"tls": {"mode": "acme", "directory": "https://ca.test/d", "staging": True}, "hosts": ["shop.test"]},
        "edge.tls.staging",
        "edge.tls.directory names another authority",
        "pulumi config rm --path edge.tls.staging",
    ),
    top(
        "edge",
        {"tls": {"mode": "acme", "caBundle": "tls/none.pem"}, "hosts": ["shop.test"]},
        "edge.tls.caBundle",
        "no file tls/none.pem with certificates in PEM form",
        "edge.tls.caBundle tls/ca.pem",
    ),
    top("drain", "long", "drain", "must be a whole number, not 'long'", "Type: pulumi config set drain 30"),
    top("profile", "staging", "profile", "'staging' is no profile; there is dev, prod", "config set profile prod"),
    top(
        "baseImages", {"python": "python"}, "baseImages.python", "names no version", "baseImages.python python:VERSION"
    ),
    # names
    Mistake(
        ("services", "Shop_2"),
        {"image": "x:1"},
        "services.Shop_2",
        "small letters, digits and single hyphens",
        "for example to shop",
    ),
    Mistake(
        ("services", "postgres"),
        {"image": "x:1"},
        "services.postgres",
        "this name belongs to Slipway itself",
        "postgres-app",
    ),
    Mistake(
        ("services", "pg"),
        {"path": "services/stock", "database": True},
        "services.pg",
        "roles would be called pg_…",
        "for example to db",
    ),
    Mistake(
        ("services", "pg-stat"),
        {"path": "services/stock", "database": True},
        "services.pg-stat",
        "roles would be called pg_…",
        "for example to stat",
    ),
    Mistake(
        ("services", "stock-db"),
        {"image": "x:1"},
        "services.stock-db",
        "belongs to stock is called stock-db too",
        "rename the service stock-db",
    ),
    top("drain", 30, "project and stack", "longer than 32 characters", "pulumi stack rename", stack="production-" * 4),
    top("drain", 30, "project and stack", "holds capital letters", "pulumi stack rename prod", stack="Prod"),
    # what runs
    shop(
        "path", "services/shpo", "there is no folder services/shpo; did you mean services/shop?", "path: services/shop"
    ),
    shop("path", "/srv/shop", "must be relative to the folder of Pulumi.yaml", "path: services/shop"),
    shop("app", "manag:app", "there is no module manag in services/shop", "app: manage:app"),
    shop("app", "manage:ap", "services/shop/manage.py has no ap; did you mean app?", "app: manage:app"),
    shop("app", "manage", "must be module:variable", "app: manage:app"),
    stock("command", "run 'it", "cannot be split into words: no closing quotation", "command:"),
    Mistake(
        ("services", "shop"),
        {"route": "/", "app": "manage:app", "command": "x"},
        "services.shop.app",
        "only one of them can run",
        "remove `app:` or `command:`",
    ),
    Mistake(
        ("services", "shop"),
        {"route": "/", "image": "x:1", "app": "manage:app"},
        "services.shop.app",
        "a ready-made image has no WSGI entry point",
        "remove `app:` or `image:`",
    ),
    Mistake(
        ("services", "cache"), {"image": "redis"}, "services.cache.image", "names no version", "image: redis:VERSION"
    ),
    Mistake(
        ("services", "cache"),
        {"image": "redis:latest"},
        "services.cache.image",
        "changes by itself",
        "image: redis:VERSION",
    ),
    shop("migrate", "flask db upgrade", "there is no database to migrate", "database: true"),
    stock("migrate", "a.py && b.py", "no shell reads it, and && is for one", "migrate: sh -c 'a.py && b.py'"),
    stock("seed", "a.py > log", "no shell reads it, and > is for one", "seed: sh -c 'a.py > log'"),
    # routes
    shop("route", "shop", "must begin with a slash", "route: /shop/"),
    shop("route", "/sh op/", "is no plain path", "route:"),
    shop("host", "http://shop.test", "without http://", "host:"),
    shop("health", "health", "must begin with a slash", "health: /health"),
    shop("health", None, "must say by which path it shows that it is well", "health: /health"),
    stock("route", "/", "/ is the route of shop already", "route: /stock/"),
    Mistake(("services",), {"shop": {}, "stock": {}}, "services", "no service has a route", "route: /"),
    shop("idempotent", ["login"], "'login' must be a plain path that begins with a slash", "- /login"),
    shop("idempotent", ["/in", "/in"], "names a path twice", "- /in"),
    Mistake(
        ("services", "stock"),
        {"command": "python work.py", "idempotent": ["/login"]},
        "services.stock.idempotent",
        "it does not speak HTTP",
        "remove `idempotent:`",
        {"shop": {"uses": [], "env": {}}},
    ),
    shop(
        "static",
        {"/stock": "app/static"},
        "would hide the service stock",
        "/static/: app/static",
        path='static["/stock"]',
    ),
    Mistake(
        ("services", "stock", "route"),
        "/static/",
        'services.shop.static["/static/"]',
        "would hide the service stock",
        "/files/: app/static",
    ),
    stock("route", "/a/b", "/a/b/ is the route of shop already", "route: /stock/", shop={"route": "/a/b/"}),
    shop(
        "static",
        {"/x": "app/static", "/x/": "app/static"},
        'is taken by services.shop.static["/x"]',
        "/static/: app/static",
        path='static["/x/"]',
    ),
    shop(
        "idempotent",
        ["/login", "/stock"],
        "/stock is taken by services.stock.route",
        "- /login",
    ),
    shop(
        "static",
        {"/login": "app/static"},
        "/login is taken by",
        "- /again",
        path="idempotent",
        shop={"idempotent": ["/login", "/again"]},
    ),
    shop(
        "static",
        {"/.slipway/maintenance.html": "manage.py"},
        "is taken by the edge's own page",
        "/static/: manage.py",
        path='static["/.slipway/maintenance.html"]',
    ),
    shop(
        "static",
        {"/manage.py/": "manage.py"},
        "services/shop/manage.py is a single file",
        "/manage.py: manage.py",
        path='static["/manage.py/"]',
    ),
    shop(
        "static",
        {"/favicon.ico": "app/favicon.ico"},
        "there is no folder or file services/shop/app/favicon.ico",
        "static:",
        path='static["/favicon.ico"]',
    ),
    shop(
        "static",
        {"/static/": "app/statik"},
        "there is no folder services/shop/app/statik",
        "static:",
        path='static["/static/"]',
    ),
    shop(
        "static",
        {"static": "app/static"},
        "must be a path below the route",
        "/static/: app/static",
        path="static.static",
    ),
    shop(
        "host",
        "www.shop.test",
        "is among edge.hosts",
        "pulumi config rm --path edge.hosts",
        edge={"hosts": ["www.shop.test"]},
    ),
    stock("devPort", 8006, "8006 is the port of shop already", "devPort: 8007", shop={"devPort": 8006}),
    # volumes and variables
    stock(
        "volumes",
        {"./media": "/home/app/web/media"},
        "mount a folder of the host; volumes have names, and the profile prod mounts none",
        "uploads: /home/app/web/media",
        path='volumes["./media"]',
    ),
    stock("volumes", {"media": "media"}, "must be a folder in the container", "uploads:", path="volumes.media"),
    stock("volumes", {"media": "/tmp/x"}, "belongs to Slipway or to the system", "uploads:", path="volumes.media"),
    stock(
        "volumes", {"a": "/data", "b": "/data/"}, "/data is where the volume a is mounted", "uploads:", path="volumes.b"
    ),
    shop(
        "volumes",
        {"stok.uploads": "/x"},
        "no volume stok.uploads; did you mean stock.uploads?",
        "uploads: /data",
        path='volumes["stok.uploads"]',
    ),
    shop(
        "volumes",
        {"shop.uploads": "/x"},
        "there is no volume shop.uploads",
        "uploads: /data",
        path='volumes["shop.uploads"]',
    ),
    shop(
        "volumes",
        {"stock.uploads": "/x"},
        "the files belong to user 1001, as whom stock runs",
        "user: 1001",
        path='volumes["stock.uploads"]',
        stock={"user": 1001},
    ),
    shop(
        "volumes",
        {"stock.uploads": "/x", "own": "/x"},
        "/x is where the volume own is mounted",
        "uploads:",
        path='volumes["stock.uploads"]',
    ),
    shop(
        "volumes",
        {"own": "/o", "stock.uploads": "/x"},
        "stock uses the database or a volume of shop",
        "own what both",
        path='volumes["stock.uploads"]',
        stock={"volumes": {"uploads": "/u", "shop.own": "/o"}},
    ),
    shop("env", {"A-B": "1"}, "letters, digits and underscores", "A_B: '1'", path="env.A-B"),
    shop("env", {"SCRIPT_NAME": "/x"}, "may not be set: it follows from the route", "remove", path="env.SCRIPT_NAME"),
    shop("env", {"SECRET_KEY": "x"}, "is among the secrets as well", "remove `SECRET_KEY`", path="env.SECRET_KEY"),
    # references
    shop("uses", ["stok"], "there is no service stok; did you mean stock?", "- stock", env={}),
    shop("uses", ["shop", "stock"], "a service reaches itself anyway", "- stock"),
    shop("uses", [], "{services.stock.url}: shop may not call stock", "- stock", path="env.STOCK_URL"),
    shop(
        "env", {"X": "{services.stick.url}"}, "no such service; did you mean stock?", "Write {services.", path="env.X"
    ),
    shop(
        "env",
        {"X": "{services.stock.uri}"},
        "a service has no uri; did you mean url?",
        "{services.stock.url}",
        path="env.X",
    ),
    shop("env", {"X": "{database.url}"}, "the service has no database", "database: true", path="env.X"),
    stock("env", {"X": "{database.pasword}"}, "did you mean password?", "{{database.pasword}}", path="env.X"),
    shop("env", {"X": "{secrets.SECRT_KEY}"}, "did you mean SECRET_KEY?", "- SECRT_KEY", path="env.X"),
    shop("env", {"X": "{secret.KEY}"}, "no such reference; did you mean secrets?", "{{secret.KEY}}", path="env.X"),
    # another service's database
    shop(
        "database",
        {"service": "stok"},
        "there is no service stok; did you mean stock?",
        "service: stock",
        path="database.service",
    ),
    shop("database", {"service": "shop"}, "shop has no database of its own", "service: stock", path="database.service"),
    shop(
        "database",
        {"service": "stock", "url": "postgresql://app@db.example.org/photos"},
        "or it is another service's",
        "service: stock",
    ),
    Mistake(
        ("services", "shop", "migrate"),
        "flask db upgrade",
        "services.shop.migrate",
        "only stock may change its tables",
        "remove `migrate:`",
        {"shop": {"database": {"service": "stock"}}},
    ),
    # a managed database
    stock(
        "database",
        {"url": "postgresql://app:geheim@db.test/stock"},
        "holds a password in plain text",
        "--secret --path secrets.stock.DB_PASSWORD",
        path="database.url",
    ),
    stock(
        "database",
        {"url": "mysql://app@db.test/stock"},
        "must begin with postgresql://",
        "url: postgresql://",
        path="database.url",
    ),
    stock("database", {"url": MANAGED}, "the service has no secret DB", "- DB_PASSWORD", path="database.url"),
    stock(
        "database",
        {"url": MANAGED},
        "the password DB is not set",
        "--secret --path secrets.stock.DB",
        path="database.url",
        stock={"secrets": ["DB"]},
    ),
    # secrets
    top(
        "secrets",
        {"shop": {"SECRET_KY": "x"}},
        "secrets.shop.SECRET_KY",
        "did you mean SECRET_KEY?",
        "pulumi config set --secret --path secrets.shop.SECRET_KEY",
    ),
    top(
        "secrets",
        {"shp": {"SECRET_KEY": "x"}},
        "secrets.shp",
        "there is no service shp",
        "config rm --path secrets.shp",
    ),
    top(
        "secrets",
        {"shop": {"SECRET_KEY": "x"}},
        "secrets.shop.SECRET_KEY",
        "is stored in plain text",
        "pulumi config set --secret --path secrets.shop.SECRET_KEY",
        encrypted=(),
    ),
    top("secrets", {"shop": {"SECRET_KEY": ""}}, "secrets.shop.SECRET_KEY", "not empty", "--secret --path"),
    top("secrets", {"shop": "x"}, "secrets.shop", "must be a table", "--path secrets.shop.NAME"),
    top("drain", 30, "overrides", "holds an encrypted value", "pulumi config rm overrides", encrypted=("overrides",)),
    # what a stack may have, and what fits
    top("adminer", True, "adminer", "the profile prod never runs adminer", "pulumi config rm adminer"),
    top(
        "postgres",
        {"maxConnections": 50},
        "postgres.maxConnections",
        "old and new containers together may open 72 during a release (stock 62",
        "Type: pulumi config set --path postgres.maxConnections 100",
    ),
    top(
        "drain",
        30,
        "memory",
        "needs 1792 MiB for old and new containers together; the engine's host has 1000",
        "Type: pulumi config set --path overrides.shop.memory 128",
        engine=FakeEngine(memory=1000),
    ),
    top(
        "drain",
        30,
        "project and stack",
        "the volume site-prod-stock-uploads holds data of stack stock of project site-prod",
        "pulumi stack rename",
        engine=FakeEngine(volumes={"site-prod-stock-uploads": labels("site-prod", "stock")}),
    ),
    top(
        "drain",
        30,
        "project and stack",
        "stack prod-stock of project site has something that is called site-prod-stock, as stock would be here",
        "Rename the service",
        engine=FakeEngine(others={"site-prod-stock": ("site", "prod-stock")}),
    ),
    top(
        "drain",
        30,
        "project and stack",
        "as edge would be here",
        "pulumi stack rename",
        engine=FakeEngine(others={"site-prod-edge": ("site-prod", "x"), "site-prod-other": ("site-prod", "x")}),
    ),
    top(
        "drain",
        30,
        "services.stock.user",
        "the files in the volume site-prod-stock-uploads belong to user 1001, as whom site-prod-stock-1 writes to them",
        "docker stop site-prod-stock-1",
        engine=FakeEngine(writing={"site-prod-stock-uploads": {"site-prod-stock-1": "1001:1001", "own": "1000"}}),
    ),
    top(
        "drain",
        30,
        "networks",
        "the site needs 5 more networks, and the engine has addresses for 2",
        '"default-address-pools": [{"base": "10.209.0.0/16", "size": 26}]',
        engine=FakeEngine(networks=["site-prod-shop-0123abc", "site-prod-shop-stock", "other"], taken=NEARLY_ALL),
    ),
    # rotations
    top(
        "rotations",
        {"shp": {}},
        "rotations.shp",
        "nothing is generated for shp; did you mean shop?",
        "config rm --path",
    ),
    top(
        "rotations",
        {"shop": {"SECRET_KEI": 1}},
        "rotations.shop.SECRET_KEI",
        "no such secret is generated; did you mean SECRET_KEY?",
        "Type: pulumi config rm --path rotations.shop.SECRET_KEI",
    ),
    top(
        "rotations",
        {"shop": {"SECRET_KEY": 1}},
        "rotations.shop.SECRET_KEY",
        "you chose this secret yourself",
        "pulumi config set --secret --path secrets.shop.SECRET_KEY",
        secrets={"shop": {"SECRET_KEY": "chosen"}},
    ),
    top(
        "rotations",
        {"shop": {"database": 1}},
        "rotations.shop.database",
        "no such secret is generated",
        "Type: pulumi config rm --path rotations.shop.database",
    ),
    top(
        "rotations",
        {"shop": {"SECRET_KEY": -1}},
        "rotations.shop.SECRET_KEY",
        "must be at least 0, not -1",
        "Type: pulumi config set --path rotations.shop.SECRET_KEY 1",
    ),
    top(
        "rotations",
        {"shop": 3},
        "rotations.shop",
        "must be a table of keys and values, not 3",
        "rotations.shop.SECRET_KEY 1",
    ),
]
ASKED = {"stack", "encrypted", "engine"}


def spoiled(mistake: Mistake) -> dict[str, Any]:
    raw = correct()
    for key, value in mistake.more.items():
        if key in raw["services"]:
            raw["services"][key].update(value)
        elif key == "env":
            raw["services"]["shop"]["env"] = value
        elif key not in ASKED:
            raw[key] = value
    table = raw
    for key in mistake.where[:-1]:
        table = table[key]
    table[mistake.where[-1]] = mistake.change
    if mistake.where == ("services", "shop"):
        raw["services"].pop("stock")
    return raw


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.path}: {mistake.says}"[:70])
def test_a_mistake_has_one_message_with_its_path_what_is_wrong_and_the_lines_to_type(
    mistake: Mistake, tmp_path: Path
) -> None:
    asked = {key: value for key, value in mistake.more.items() if key in ASKED}
    with pytest.raises(SettingsError) as caught:
        read(spoiled(mistake), make_root(tmp_path), **asked)
    problems = caught.value.problems
    assert [problem.path for problem in problems] == [mistake.path], str(caught.value)
    assert mistake.says in problems[0].what
    assert mistake.type in "\n".join(problems[0].fix)


def test_the_correct_declaration_has_no_mistake(tmp_path: Path) -> None:
    own, unlabelled = labels("site", "prod", "stock"), dict[str, str]()
    volumes = {"site-prod-stock-uploads": own, "site-prod-postgres-data": unlabelled}
    fitting = FakeEngine(memory=2000, volumes=volumes)
    assert set(read(correct(), make_root(tmp_path), engine=fitting).services) == {"shop", "stock"}


def test_all_mistakes_come_in_one_text_that_counts_them(tmp_path: Path) -> None:
    raw = correct() | {"drain": 0, "adminer": True}
    raw["services"]["shop"]["replicas"] = "two"
    raw["services"]["stock"]["migrat"] = "x"
    with pytest.raises(
        SettingsError, match=r"4 mistakes in the settings of stack prod\. Nothing was touched\."
    ) as caught:
        read(raw, make_root(tmp_path))
    assert {problem.path for problem in caught.value.problems} == {
        "drain", "adminer", "services.shop.replicas", "services.stock.migrat"
    }  # fmt: skip


def test_what_only_follows_from_another_mistake_is_not_told(tmp_path: Path) -> None:
    raw = correct()
    raw["services"]["stock"]["database"] = {"connections": 0}
    raw["services"]["shop"]["secrets"] = "SECRET_KEY"
    raw["services"]["shop"]["env"]["KEY"] = "{secrets.SECRET_KEY}"
    with pytest.raises(SettingsError) as caught:
        read(raw, make_root(tmp_path))
    assert sorted(problem.path for problem in caught.value.problems) == [
        "services.shop.secrets",
        "services.stock.database.connections",
    ]


def test_no_message_repeats_a_secret_value(tmp_path: Path) -> None:
    raw = correct() | {"secrets": {"shop": {"SECRT": "hunter2", "SECRET_KEY": ["hunter2"]}, "shp": "hunter2"}}
    raw["services"]["stock"]["database"] = {"url": "postgresql://app:hunter2@db.test"}
    with pytest.raises(SettingsError) as caught:
        read(raw, make_root(tmp_path), encrypted=())
    assert "hunter2" not in str(caught.value)
