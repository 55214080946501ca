"""The edge's configuration, as text. Whether nginx takes it is asked in tests/servers."""

from __future__ import annotations

import re
from dataclasses import replace

from slipway.core import gunicorn
from slipway.core.timeouts import CLIENT_KEEPALIVE_MIN, GUNICORN_KEEPALIVE, UPSTREAM_KEEPALIVE, WORKER_SHUTDOWN, ladder
from slipway.nginx import forwarding, statics
from slipway.nginx.main import HEADER_SECONDS, MAIN_FILE, main_conf
from slipway.nginx.routes import EdgeModel, Release, routes_conf, upstream_blocks
from slipway.site.site import Service
from tests.support.nginx_files import render, upstreams_conf

SHOP = Service(name="shop", app="manage:app", route="/", health="/health", static={"/static/": "app/static"})
STOCK = Service(name="stock", app="manage:app", route="/stock/", health="/health", static={"/static/": "app/static"})
ADMIN = Service(name="admin", app="manage:app", route="/", host="admin.test", health="/health")
EDGE = EdgeModel(services=(SHOP, STOCK, ADMIN), callers={"stock": ("10.1.0.0/24",)})
OLD = Release(service="shop", servers=("site-prod-shop-0-aaaaaaa",), static=("current",))
NEW = Release(service="shop", servers=("site-prod-shop-0-bbbbbbb", "site-prod-shop-1-bbbbbbb"), static=("new", "old"))


def server(text: str, name: str) -> str:
    """The block of the server of this name."""
    blocks = text.split("\nserver {")
    return next(block for block in blocks if re.search(rf"server_name [^;]*\b{re.escape(name)}\b", block))


def location(text: str, path: str) -> str:
    return text.split(f"location {path} {{")[1].partition("\n    }")[0]


def test_a_release_has_an_upstream_of_its_own_named_by_its_containers() -> None:
    again = Release(service="shop", servers=tuple(reversed(NEW.servers)))
    assert OLD.upstream != NEW.upstream == again.upstream
    assert re.fullmatch(r"shop_[0-9a-f]{8}", NEW.upstream)


def test_an_upstream_follows_names_in_a_zone_and_keeps_connections() -> None:
    (text,) = upstream_blocks(EDGE, [NEW]).values()
    assert f"zone {NEW.upstream} " in text
    for name in NEW.servers:
        assert f"server {name}:5000 resolve max_fails=0;" in text
    assert "keepalive 32;" in text
    assert f"keepalive_timeout {UPSTREAM_KEEPALIVE}s;" in text


def test_old_and_new_upstreams_stand_side_by_side_and_the_old_text_does_not_change() -> None:
    before = upstream_blocks(EDGE, [OLD])
    both = upstreams_conf(EDGE, OLD, NEW)
    assert all(text in both for text in before.values())
    assert f"upstream {NEW.upstream} " in both


def test_each_upstream_can_be_asked_under_its_own_name_on_the_loopback_only() -> None:
    (text,) = upstream_blocks(EDGE, [NEW]).values()
    asked = server(text, NEW.upstream)
    assert "listen 127.0.0.1:8079;" in asked
    assert f"proxy_pass http://{NEW.upstream};" in asked
    assert "add_header X-Slipway-Upstream $upstream_addr always;" in asked, "the gate must know who answered"
    assert "proxy_next_upstream off;" in asked


def test_only_routes_name_the_target_so_that_one_file_switches_everything() -> None:
    before, after = routes_conf(EDGE, [OLD]), routes_conf(EDGE, [NEW])
    assert OLD.upstream in before
    assert OLD.upstream not in after
    assert after == before.replace(OLD.upstream, NEW.upstream).replace("/current$uri", "/new$uri /old$uri")


def test_the_main_file_is_the_same_for_every_release() -> None:
    assert render(EDGE, [OLD])[MAIN_FILE] == render(EDGE, [NEW])[MAIN_FILE]
    assert "\nupstream " not in main_conf(drain=30)


def test_the_path_is_passed_on_unchanged_and_the_slash_can_be_left_out() -> None:
    text = routes_conf(EDGE, [Release(service="stock", servers=("s",))])
    assert re.search(r"proxy_pass http://stock_[0-9a-f]{8};", location(text, "/stock/"))
    assert "return 308 /stock/$is_args$args;" in location(text, "= /stock")


def test_a_service_hears_who_asked_and_nothing_that_a_client_made_up() -> None:
    block = server(routes_conf(EDGE, [OLD]), "_")
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", block))
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["Host"] == headers["X-Forwarded-Host"] == forwarding.ASKED_HOST
    assert headers["X-Forwarded-Prefix"] == headers["Forwarded"] == '""'
    assert (headers["Upgrade"], headers["Connection"]) == ("$websocket", "$websocket_connection")
    for name in ("X-Forwarded-Port", "X-Forwarded-Ssl", "X-Scheme", "X-Original-URL", "True-Client-IP", "Proxy"):
        assert headers[name] == '""', name
    assert "underscores_in_headers off;" in main_conf(drain=30)


def test_a_path_that_lacks_the_prefix_as_it_was_written_never_reaches_a_server_that_cuts_it_off() -> None:
    stock = replace(STOCK, static={"/static/": "static"}, idempotent=("/pay",))
    text = routes_conf(EdgeModel(services=(stock,), callers={"stock": ("10.1.0.0/24",)}), [
        Release(service="stock", servers=("s",), static=("new",))
    ])  # fmt: skip
    guard = 'if ($asked_path !~ "^/stock(/|$)") {\n            return 404;'
    for path in ("/stock/", "= /stock/pay", "@stock"):
        assert guard in location(text, path), path
    assert guard in location(text[text.index("server_name stock;") :], "/"), "and so for the calls of other services"
    assert "$asked_path" not in location(routes_conf(EDGE, [OLD]), "/"), "nothing is cut off there"


def test_whoever_asks_in_the_place_of_a_visitor_uses_a_name_that_the_site_has() -> None:
    hosts = ("www.example.org", "example.org")
    assert forwarding.name_of(SHOP, hosts) == "www.example.org"
    assert forwarding.name_of(SHOP, ()) == "localhost"
    assert forwarding.name_of(replace(SHOP, host="shop.example.org"), hosts) == "shop.example.org"
    assert forwarding.name_of(replace(SHOP, route=None), hosts) == "shop", "as its callers do"


def test_many_connections_that_say_nothing_leave_room_for_visitors() -> None:
    text = main_conf(drain=30)
    assert "worker_connections 16384;" in text
    assert f"client_header_timeout {HEADER_SECONDS}s;" in text
    assert "worker_connections 2048;" in main_conf(drain=30, cpus=64)
    limited = routes_conf(replace(EDGE, connections_per_address=50), [OLD])
    assert "limit_conn addresses 50;" in server(limited, "_")
    assert "limit_conn" not in routes_conf(EDGE, [OLD])


def test_only_named_proxies_are_believed() -> None:
    assert "set_real_ip_from" not in routes_conf(EDGE, [])
    trusting = routes_conf(EdgeModel(services=(SHOP,), callers={}, trusted_proxies=("10.0.0.0/8",)), [OLD])
    assert "set_real_ip_from 10.0.0.0/8;" in trusting
    assert "proxy_set_header X-Forwarded-Proto $forwarded_proto;" in trusting
    assert '"1:https" https;' in trusting


def test_static_files_come_from_the_newest_release_that_has_them_and_else_from_the_service() -> None:
    text = location(routes_conf(EDGE, [NEW]), "^~ /static/")
    assert "root /srv/static/shop;" in text
    assert "try_files /new$uri /old$uri @shop;" in text
    assert statics.folder(STOCK, "/static/") == "stock/static"
    assert statics.folder(SHOP, "/static") == "static"


def test_the_folders_in_force_are_read_from_the_routes() -> None:
    routes = routes_conf(EDGE, [replace(NEW, static=("1a2b", statics.FORMER))])
    assert statics.in_force("shop", routes) == {"1a2b"}
    assert statics.in_force("stock", routes) == set()
    assert statics.in_force("shop", "") == set()


def test_of_former_files_those_go_that_no_release_has_or_that_have_no_hash() -> None:
    old, new = "static/app.1a2b3c4d.css", "static/app.2b3c4d5e.css"
    releases = {"one": {new, "static/logo.svg"}}
    assert statics.outdated({old: 10.0, new: 10.0, "static/logo.svg": 99.0}, releases, before=50.0) == {
        old, "static/logo.svg"
    }  # fmt: skip
    assert statics.outdated({old: 60.0}, releases, before=50.0) == set(), "left by a version without folders"
    assert statics.in_the_way({"a/b", "c", "d/e/f"}, {"a", "c/x", "d/e/g"}) == {"a/b", "c"}


def test_another_image_or_other_sources_are_another_folder() -> None:
    folders = {statics.release_folder(image, {"static": path}) for image in ("sha256:1", "sha256:2") for path in "ab"}
    assert len(folders) == 4
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in folders)


def test_a_static_file_without_a_hash_in_its_name_is_kept_as_long_as_is_declared() -> None:
    assert "add_header Cache-Control $static_cache;" in location(routes_conf(EDGE, [NEW]), "^~ /static/")
    text = routes_conf(replace(EDGE, static_max_age=2592000), [NEW])
    assert "add_header Cache-Control $static_kept;" in location(text, "^~ /static/")
    told = text.split("map $static_cache $static_kept {")[1].partition("}")[0]
    assert '"no-cache" "public, max-age=2592000";' in told
    assert "default $static_cache;" in told


def test_a_post_is_sent_again_at_the_idempotent_paths_alone() -> None:
    stock = replace(STOCK, idempotent=("/login", "/sessions/"))
    releases = [Release(service="stock", servers=("s",)), OLD]
    text = routes_conf(EdgeModel(services=(SHOP, stock), callers={"stock": ("10.1.0.0/24",)}), releases)
    blocks = [text.partition("server_name stock;")[0], server(text, "stock")]
    for block in blocks:  # for visitors and for services that call it
        assert block.count("proxy_next_upstream error non_idempotent;") == 3  # and where they begin anew
        for path in ("= /stock/login", "= /stock/sessions/"):
            inside = location(block, path)
            assert "non_idempotent" in inside
            assert f"proxy_pass http://{releases[0].upstream};" in inside


def test_without_copied_files_the_service_is_asked_for_them() -> None:
    assert "try_files" not in routes_conf(EDGE, [Release(service="shop", servers=("s",))])


def test_a_service_without_a_release_is_unavailable_and_the_others_are_not() -> None:
    text = routes_conf(EDGE, [OLD])
    assert "return 503;" in location(text, "/stock/")
    assert OLD.upstream in location(text, "/")


def test_a_host_of_its_own_has_a_server_of_its_own() -> None:
    block = server(routes_conf(EDGE, [Release(service="admin", servers=("a",))]), "admin.test")
    assert "proxy_pass http://admin_" in block
    assert "default_server" not in block


def test_with_names_given_other_names_get_nothing() -> None:
    text = routes_conf(EdgeModel(services=(SHOP,), callers={}, hosts=("a.test", "b.test")), [OLD])
    assert "server_name a.test b.test;" in text
    assert text.count("default_server") == 1
    assert "return 404;" in text.split("default_server")[1].partition("}")[0]


def test_where_nothing_has_the_root_it_is_not_found() -> None:
    assert "return 404;" in location(routes_conf(EdgeModel(services=(STOCK,), callers={}), []), "/")


def test_only_those_who_use_a_service_may_call_it_through_the_edge() -> None:
    text = routes_conf(EDGE, [Release(service="stock", servers=("s",))])
    block = server(text, "stock")
    assert "listen 5000;" in block
    assert block.index("allow 10.1.0.0/24;") < block.index("deny all;")
    assert "server_name shop;" not in text


def test_the_timeouts_form_a_ladder() -> None:
    steps = ladder(30)
    assert steps.request <= steps.drain <= steps.graceful < steps.stop
    assert steps.last_request > steps.request + CLIENT_KEEPALIVE_MIN
    assert steps.last_request + steps.graceful < WORKER_SHUTDOWN
    text = main_conf(drain=30)
    assert "proxy_read_timeout 30s;" in text
    assert f"worker_shutdown_timeout {WORKER_SHUTDOWN}s;" in text
    assert f"keepalive_min_timeout {CLIENT_KEEPALIVE_MIN}s;" in text
    assert GUNICORN_KEEPALIVE > UPSTREAM_KEEPALIVE
    command = gunicorn.command(SHOP, trusted="10.1.0.0/24", drain=30)
    assert f"--keep-alive={GUNICORN_KEEPALIVE}" in command
    assert f"--graceful-timeout={steps.graceful}" in command


def test_names_are_looked_up_again_and_a_request_is_never_sent_twice_blindly() -> None:
    text = main_conf(drain=30)
    assert "resolver 127.0.0.11 valid=1s" in text
    assert "proxy_next_upstream error;" in text
    assert not re.search(r"proxy_next_upstream[^;]*non_idempotent", text)


def test_the_log_does_not_hold_the_query() -> None:
    logged = main_conf(drain=30).split("log_format")[1].partition(";")[0]
    assert '"path":"$asked_path"' in logged
    assert not re.search(r"\$(request_uri|request|args|http_referer)\b", logged)
