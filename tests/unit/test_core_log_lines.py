"""Which lines of a log are shown first."""

from __future__ import annotations

import json

import pytest

from slipway.core import log_lines

NOW = "2026-11-30 19:00:00.123 UTC [7]"
REQUEST = {"path": "/", "upstream": "shop-list_3f2a9c1b", "upstream_address": "10.1.0.3:5000"}


@pytest.mark.parametrize(
    "text",
    [
        "2026/11/30 19:00:00 [notice] 1#1: signal 1 (SIGHUP) received from 42, reconfiguring",
        "[2026-11-30 19:00:00 +0000] [7] [INFO] Booting worker with pid: 7",
        f"{NOW} LOG:  checkpoint starting: time",
        '127.0.0.1 - - [30/Nov/2026 19:00:00] "GET /health HTTP/1.1" 200 -',
        '127.0.0.1 - - [30/Nov/2026 19:00:00] "\x1b[36mGET /health HTTP/1.1\x1b[0m" 302 -',
        "[Mon Nov 30 19:00:00 2026] [::1]:52000 Accepted",
    ],
)
def test_what_servers_say_of_themselves_is_routine(text: str) -> None:
    assert log_lines.routine(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        json.dumps(REQUEST),
        "2026/11/30 19:00:00 [error] 7#7: *3 connect() failed (111: Connection refused) while connecting to upstream",
        "[2026-11-30 19:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
        "[2026-11-30 19:00:00 +0000] [1] [ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?",
        "[2026-11-30 19:00:00,123] INFO in app: an order came in",
        f"{NOW} ERROR:  duplicate key value violates unique constraint",
        f"{NOW} LOG:  server process (PID 9) was terminated by signal 9: Killed",
        f"{NOW} LOG:  database system was not properly shut down; automatic recovery in progress",
        "Traceback (most recent call last):",
        '172.18.0.1 - - [30/Nov/2026 19:00:00] "GET / HTTP/1.1" 200 -',
        '127.0.0.1 - - [30/Nov/2026 19:00:00] "GET /health HTTP/1.1" 500 -',
    ],
)
def test_requests_errors_and_what_apps_print_are_not(text: str) -> None:
    assert not log_lines.routine(text)


def test_what_a_service_was_asked_is_in_nginxs_log() -> None:
    def shown(text: str, *, owner: str = "edge", service: str | None = "shop-list", whole: bool = False) -> bool:
        return log_lines.wanted(owner, text, service=service, addresses={"10.1.0.3"}, whole=whole)

    assert shown(json.dumps(REQUEST))
    assert not shown(json.dumps(REQUEST | {"upstream": "shop_3f2a9c1b"}))
    by_uwsgi = REQUEST | {"upstream": "", "upstream_address": "10.1.0.2:5000, 10.1.0.3:5000"}
    assert shown(json.dumps(by_uwsgi))
    assert not shown(json.dumps(by_uwsgi | {"upstream_address": "10.1.0.30:5000"}))
    assert not shown("7")
    assert not shown("2026/11/30 19:00:00 [notice] 1#1: start")
    assert not shown(json.dumps(REQUEST), owner="other")
    assert shown("anything", owner="shop-list")
    assert shown("[2026] [7] [INFO] started", owner="shop-list", whole=True)
    assert shown(json.dumps(REQUEST), service=None)
