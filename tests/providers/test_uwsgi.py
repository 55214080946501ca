"""Releases of services that speak uwsgi, on a real engine with a real nginx and gunicorn."""

from __future__ import annotations

import http.client

import pytest

from slipway.engine.edge import Edge
from slipway.engine.errors import Failure
from slipway.nginx.main import INTERNAL_PORT, LIVE
from slipway.nginx.serving import serving
from slipway.providers.release import ReleaseProvider
from slipway.site.protocol import Protocol
from tests.providers.site import MAIN, Load, Site
from tests.support.waiting import wait_until

HTTP, UWSGI = Protocol.HTTP, Protocol.UWSGI


def test_a_service_changes_its_protocol_and_back_under_load_without_a_lost_request(site: Site) -> None:
    old, running = site.release(first := site.start()), first
    with Load(site.address) as load:
        for protocol in (UWSGI, UWSGI, HTTP):
            newer = site.start(protocol=protocol)
            old = ReleaseProvider().update("", old, site.wanted(newer, protocol=protocol)).outs or {}
            running.stop(timeout=40)
            assert running.wait()["StatusCode"] == 0
            running = newer
        wait_until("the last release answers", lambda: load.answers["r4"] > 100, 10)
    assert load.failed == []
    assert {"r1", "r2", "r3", "r4"} == set(load.answers)


def test_the_gate_knows_each_container_and_who_serves(site: Site) -> None:
    containers = [site.start(protocol=UWSGI) for _ in range(2)]
    site.release(*containers, protocol=UWSGI)
    assert {site.get()[1] for _ in range(10)} == {"r1", "r2"}
    files = Edge(site.edge, LIVE, MAIN, INTERNAL_PORT).files()
    assert serving(files) == {"web": sorted(str(container.name) for container in containers)}


def test_a_container_that_is_not_ready_is_not_let_in(site: Site) -> None:
    old = site.release(site.start(protocol=UWSGI), protocol=UWSGI)
    unready = site.start(protocol=UWSGI, READY="503 Not Yet")
    with pytest.raises(Failure, match="answered GET /ready through nginx with status 503"):
        ReleaseProvider().update("", old, site.wanted(unready, protocol=UWSGI, timeout=6.0))
    assert site.get() == (200, "r1")


def test_one_that_speaks_http_where_uwsgi_was_declared_is_found_out_by_its_health_check(site: Site) -> None:
    old = site.release(site.start(protocol=UWSGI), protocol=UWSGI)
    other = site.start(protocol=UWSGI, command=["gunicorn", "--bind=0.0.0.0:5000", "--no-control-socket", "app:app"])
    with pytest.raises(Failure, match="its health check says"):
        ReleaseProvider().update("", old, site.wanted(other, protocol=UWSGI, timeout=8.0))
    assert site.get() == (200, "r1")


def test_answers_are_as_by_http(site: Site) -> None:
    """Bodies both ways, one that nobody reads, an answer without an end of its own, and nothing of gunicorn's."""
    site.release(site.start(protocol=UWSGI), protocol=UWSGI)
    connection = http.client.HTTPConnection(site.address, timeout=30)
    body = b"x" * 2_000_000
    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        connection.request("POST", "/", iter([body]) if headers else body, headers, encode_chunked=bool(headers))
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"r1" + body)
    connection.request("HEAD", "/")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert answer.headers.get_all("Server") == ["nginx"]
    assert len(answer.headers.get_all("Date") or []) == 1
