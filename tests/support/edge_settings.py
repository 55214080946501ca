"""The settings space of the edge: declarations that a user may write, and what the generator makes of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from slipway.nginx.routes import EdgeModel, Release
from slipway.nginx.tls import Tls
from slipway.settings.parse import parse
from slipway.settings.problems import SettingsError
from slipway.site.protocol import Protocol
from slipway.site.site import Service
from tests.support.nginx_files import render

NAMES = ("shop", "stock", "back")
HOSTS = ["www.example.org", "example.org", *(f"{name}.example.org" for name in NAMES)]
ACME = {"mode": "acme", "directory": "https://ca.example.org/directory"}
EDGE: Mapping[str, st.SearchStrategy[Any]] = {
    "address": st.sampled_from(["127.0.0.1", "0.0.0.0", "::1"]),
    "port": st.integers(1, 65535),
    "tlsPort": st.just(8443),
    "tls": st.sampled_from(
        ["off", {"mode": "self-signed", "hsts": 300}, {"mode": "self-signed", "profile": "modern"}, ACME]
    ),
    "headers": st.sampled_from(["safe", "strict", "off"]),
    "rateLimits": st.sampled_from([{}, {"/login": 30}, {"/login": 1, "/deep/shop/": 60000}]),
    "connectionsPerAddress": st.sampled_from([0, 1000]),
    "maxHeader": st.integers(4, 64),
    "hosts": st.sampled_from([[], ["www.example.org"], ["www.example.org", "example.org"]]),
    "trustedProxies": st.sampled_from([[], ["10.0.0.0/8"], ["192.168.1.1/32", "10.0.0.0/8"]]),
    "maxBody": st.integers(1, 4096),
    "pages": st.just({}),  # files beside the configuration, which says the same whoever wrote them
    "staticRetention": st.integers(60, 1_000_000),
    "staticMaxAge": st.sampled_from([0, 2_592_000]),
    "streamTimeout": st.integers(1, 86_400),
    "memory": st.integers(32, 1024),
    "cpus": st.sampled_from([0.1, 1.0, 2.5, 64.0]),
}
"""Every key of `edge:`; a test fails when one is missing here."""


PLACES = ("/static/", "/media/files/", "/static", "/favicon.ico", "/login", "/stock", "/deep/shop/", "/.slipway/x")
"""Paths, some of which are the same place, for nginx, as others or as a route."""


@st.composite
def services(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """One to three services in every arrangement of routes, hosts, calls and static files."""
    tables = {}
    chosen = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    for name in chosen:
        table: dict[str, Any] = {"uses": draw(st.lists(st.sampled_from(chosen), unique=True))}
        if route := draw(st.sampled_from([None, "/", f"/{name}/", f"/deep/{name}/"])):
            table["route"] = route
        if host := draw(st.sampled_from([None, None, f"{name}.example.org"])):
            table["host"] = host
        if draw(st.booleans()):
            urls = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True))
            table["static"] = dict.fromkeys(urls, "app/static")
        if health := draw(st.sampled_from([None, "/", "/health?deep=1"])):
            table["health"] = health
        if draw(st.booleans()):
            table["protocol"] = "uwsgi"
        if draw(st.booleans()):
            table["idempotent"] = ["/login", *draw(st.sampled_from([(), ("/deep/login/",), *zip(PLACES)]))]
        tables[name] = table | {"port": draw(st.sampled_from([80, 5000, 8000]))}
    return tables


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, str]:
    """{file: text} of the edge, for a declaration that is accepted; with all, some or none of its services released."""
    declared = {
        "services": draw(services()),
        "edge": {key: draw(values) for key, values in EDGE.items()},
        "drain": draw(st.integers(1, 600)),
    }
    images = dict.fromkeys(("python", "postgres", "nginx", "adminer"), "base:1")
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            (Path(folder) / "services" / name / "app" / "static").mkdir(parents=True)
            (Path(folder) / "services" / name / "manage.py").write_text("app = None\n")
            (Path(folder) / "services" / name / "Dockerfile").write_text("FROM scratch\n")
        try:
            site = parse(declared, project="site", stack="prod", root=Path(folder), base_images=images)
        except SettingsError:
            reject()
    networks = st.sampled_from([("10.1.0.0/24",), ("10.1.0.0/24", "10.2.0.0/24")])
    callers = {name: draw(networks) for name in site.services if site.callers(site.services[name])}
    model = EdgeModel.of(site, callers, certificate="1")
    releases = [
        Release(
            service=service.name,
            servers=tuple(f"site-prod-{service.name}-{number}" for number in range(draw(st.integers(1, 3)))),
            port=service.port,
            protocol=service.protocol,
            static=draw(st.sampled_from([("files",), ("new", "old")])) if service.static else (),
        )
        for service in model.services
        if draw(st.integers(0, 3))
    ]
    return render(model, releases)


CALLED = EdgeModel(services=(Service(name="stock", route="/", health="/health"),), callers={"stock": ("10.1.0.0/24",)})


BY_UWSGI = Release(service="stock", servers=("site-prod-stock-1",), protocol=Protocol.UWSGI)
REPEATABLE = EdgeModel(
    services=(Service(name="stock", route="/", health="/health", idempotent=("/login",)),), callers={}
)


CERTIFIED = replace(CALLED, hosts=(HOSTS[0],), tls=Tls(servers=((HOSTS[0],),)))


def sample(count: int) -> list[dict[str, str]]:
    """The same configurations at every run. Those that chance does not find every time are the first: a service that
    others call and that has no release yet, also where an authority certifies each name; and one by uwsgi whose POSTs
    may arrive twice."""
    found = [render(CALLED, ()), render(CERTIFIED, ()), render(REPEATABLE, [BY_UWSGI])]

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations())
    def collect(texts: dict[str, str]) -> None:
        found.append(texts)

    collect()
    return found
