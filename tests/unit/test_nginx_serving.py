"""Who serves, read from nginx's own files."""

from __future__ import annotations

from dataclasses import replace

from slipway.nginx.routes import EdgeModel, Release, routes_conf, upstream_blocks
from slipway.nginx.serving import serving, unused
from slipway.site.protocol import Protocol
from slipway.site.site import Service
from tests.support.nginx_files import upstreams_conf

SHOP = Service(name="shop", app="manage:app", route="/", health="/health", static={"/static/": "app/static"})
STOCK = Service(name="stock-list", app="manage:app", route="/stock/", health="/health")
EDGE = EdgeModel(services=(SHOP, STOCK), callers={"stock-list": ("10.1.0.0/24",)})
OLD = Release(service="shop", servers=("site-prod-shop-aaaaaaa", "site-prod-shop-2-aaaaaaa"), static=("files",))
NEW = Release(service="shop", servers=("site-prod-shop-bbbbbbb",), static=("files",))
ONLY = Release(service="stock-list", servers=("site-prod-stock-list-ccccccc",), port=8000)


def test_only_what_a_route_leads_to_serves_whatever_else_nginx_knows() -> None:
    blocks = upstream_blocks(EDGE, [OLD, ONLY]) | upstream_blocks(EDGE, [NEW])
    files = {f"upstreams-{name}.conf": text for name, text in blocks.items()}
    before = {**files, "routes.conf": routes_conf(EDGE, [OLD, ONLY]), "unavailable.html": "proxy_pass"}
    assert serving(before) == {"shop": sorted(OLD.servers), "stock-list": list(ONLY.servers)}
    assert serving({**before, "routes.conf": routes_conf(EDGE, [NEW])}) == {"shop": list(NEW.servers)}


def test_a_service_that_speaks_uwsgi_serves_as_any_other() -> None:
    spoken = replace(NEW, protocol=Protocol.UWSGI)
    files = {"upstreams-a.conf": upstreams_conf(EDGE, spoken, ONLY)}
    files["routes.conf"] = routes_conf(EDGE, [spoken, ONLY])
    assert serving(files) == {"shop": list(NEW.servers), "stock-list": list(ONLY.servers)}


def test_nothing_serves_before_the_first_release() -> None:
    assert serving({}) == {}
    assert serving({f"upstreams-{name}.conf": text for name, text in upstream_blocks(EDGE, [OLD]).items()}) == {}


def test_what_no_route_leads_to_is_not_needed_by_nginx() -> None:
    blocks = upstream_blocks(EDGE, [OLD, NEW, ONLY])
    files = {f"upstreams-{name}.conf": text for name, text in blocks.items()}
    routed = {**files, "routes.conf": routes_conf(EDGE, [NEW, ONLY]), "unavailable.html": "proxy_pass"}
    assert unused(routed) == [f"upstreams-{OLD.upstream}.conf"]
    assert unused(files) == sorted(files)
