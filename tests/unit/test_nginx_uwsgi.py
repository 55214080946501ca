"""The uwsgi protocol: nginx's text and gunicorn's options."""

from __future__ import annotations

import re
from dataclasses import replace

from slipway.core import gunicorn
from slipway.nginx.routes import EdgeModel, Release, routes_conf, upstream_blocks
from slipway.site.protocol import Protocol
from slipway.site.site import Service

SHOP = Service(name="shop", app="manage:app", route="/", health="/health", protocol=Protocol.UWSGI)
STOCK = Service(name="stock", app="manage:app", route="/stock/", health="/health")
EDGE = EdgeModel(services=(SHOP, STOCK), callers={"shop": ("10.1.0.0/24",)})
BY_UWSGI = Release(service="shop", servers=("s",), protocol=Protocol.UWSGI)
BY_HTTP = Release(service="stock", servers=("t",))


def parameters(text: str) -> dict[str, str]:
    return dict(re.findall(r"uwsgi_param (\S+) ([^;]+);", text))


def servers(text: str) -> list[str]:
    return text.split("server {\n")[1:]


def test_each_service_is_spoken_with_in_its_own_protocol() -> None:
    visitors, called = servers(routes_conf(EDGE, [BY_UWSGI, BY_HTTP]))[:1], servers(routes_conf(EDGE, [BY_UWSGI]))[-1]
    assert f"uwsgi_pass {BY_UWSGI.upstream};" in visitors[0]
    assert f"proxy_pass http://{BY_HTTP.upstream};" in visitors[0]
    assert "server_name shop;" in called
    assert f"uwsgi_pass {BY_UWSGI.upstream};" in called, "other services go on calling it by HTTP"
    assert "uwsgi" not in routes_conf(EDGE, [replace(BY_UWSGI, protocol=Protocol.HTTP), BY_HTTP])


def test_every_server_that_passes_on_by_uwsgi_says_what_http_has_headers_for() -> None:
    texts = [*servers(routes_conf(EDGE, [BY_UWSGI])), *servers(next(iter(upstream_blocks(EDGE, [BY_UWSGI]).values())))]
    passing = [text for text in texts if "uwsgi_pass" in text]
    assert len(passing) == 3
    for text in passing:
        given = {name: value.removesuffix(" if_not_empty") for name, value in parameters(text).items()}
        sent = dict(re.findall(r"proxy_set_header (\S+) (\S+);", text))
        assert {
            f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()
        }.items() <= given.items()
        assert given["PATH_INFO"] == "$asked_path", "gunicorn decodes it"
        assert parameters(text)["HTTPS"] == "$https if_not_empty"
        assert {"QUERY_STRING", "REQUEST_METHOD", "CONTENT_TYPE", "CONTENT_LENGTH"} <= given.keys()
        for name in ("Date", "Server", "X-Powered-By"):
            assert f"uwsgi_hide_header {name};" in text
        assert "uwsgi_read_timeout 30s;" in text


def test_the_gate_asks_one_container_and_a_visitor_may_get_the_next() -> None:
    [asked] = upstream_blocks(EDGE, [BY_UWSGI]).values()
    assert "uwsgi_next_upstream off;" in asked
    assert "uwsgi_next_upstream error;" in routes_conf(EDGE, [BY_UWSGI])


def test_behind_a_trusted_proxy_https_is_what_that_one_says() -> None:
    text = routes_conf(replace(EDGE, trusted_proxies=("10.0.0.0/8",)), [BY_UWSGI])
    visitors = next(server for server in servers(text) if "set_real_ip_from" in server)
    assert parameters(visitors)["HTTPS"] == "$forwarded_https if_not_empty"
    assert re.search(r"map \$forwarded_proto \$forwarded_https \{\s+https on;", text)


def test_gunicorn_is_told_to_speak_it_and_to_end_each_connection() -> None:
    command = gunicorn.command(SHOP, trusted="10.1.0.0/24", drain=30)
    assert {"--protocol=uwsgi", "--uwsgi-allow-from=*", "--keep-alive=0"} <= set(command)
    assert not [word for word in gunicorn.command(STOCK, trusted="", drain=30) if "uwsgi" in word]
