"""The edge's own pages and the texts of maintenance. What nginx makes of them is asked in tests/servers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from slipway.nginx import pages
from slipway.nginx.routes import EdgeModel, Release, routes_conf
from slipway.site.site import Service

SHOP = Service(name="shop", route="/", host="shop.test", health="/health")
STOCK = Service(name="stock", route="/stock/", health="/health")
SHIPPED = pages.files(max_body=7)


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("html", SHIPPED.values(), ids=SHIPPED)
def test_a_page_is_tiny_stands_alone_and_can_be_read_by_everybody(html: str) -> None:
    tags = Tags(html).seen
    names = [tag for tag, _ in tags]
    assert len(html) < 1024
    assert not {name for _, attributes in tags for name in attributes} & {"src", "href"}, "it needs something else"
    assert "url(" not in html
    assert "script" not in names
    assert dict(tags)["html"] == {"lang": "en"}
    assert {"title", "main"} <= set(names)
    assert names.count("h1") == 1
    assert any(attributes.get("name") == "viewport" for _, attributes in tags)
    assert "color-scheme: light dark" in html


def test_the_limit_of_a_request_is_named_where_it_was_too_large() -> None:
    assert "7 MB" in SHIPPED["too-large.html"]


def test_a_page_of_the_sites_own_takes_the_place_of_the_shipped_one() -> None:
    found = pages.files(max_body=1, own={"too_large": "<p>Mine costs $1"})
    assert found["too-large.html"] == "<p>Mine costs $1"
    assert found["maintenance.html"] == SHIPPED["maintenance.html"]


def test_maintenance_leaves_health_checks_challenges_and_its_own_page_open_and_nothing_else() -> None:
    text = pages.maintenance_maps(["/health", "/stock/health.txt"])
    patterns = re.findall(r'"~(\S+)" "";', text)

    def open_(path: str) -> bool:
        return any(re.search(pattern, path) for pattern in patterns)

    left_open = ["/health", "/stock/health.txt", "/.well-known/acme-challenge/x", "/.slipway/maintenance.html"]
    assert all(open_(path) for path in left_open)
    closed = ["/", "/.slipway/x", "/health/x", "/x/health", "/stock/healthXtxt", "/x/.well-known/acme-challenge/x"]
    assert not any(open_(path) for path in closed)


def test_every_server_for_visitors_has_the_pages_and_no_other_has() -> None:
    edge = EdgeModel(services=(SHOP, STOCK), callers={"stock": ("10.1.0.0/24",)}, hosts=("a.test",))
    servers = routes_conf(edge, [Release(service="shop", servers=("s",))]).split("\nserver {")[1:]
    having = {match[1] for each in servers if pages.server_part() in each and (match := NAMES.search(each))}
    assert having == {"a.test", "shop.test"}


def test_the_maintenance_page_says_when_to_come_back() -> None:
    assert pages.flag(600) == "default 600;\n"
    assert "add_header Retry-After $maintenance always;" in pages.server_part()


NAMES = re.compile(r"server_name (\S+);")
