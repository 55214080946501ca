"""Two services of one image, whose Dockerfile has no stages: nginx speaks HTTP with one, uwsgi with the other."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from simple_websocket import Client, ConnectionClosed

from slipway.nginx import tls
from tests.e2e.site import running
from tests.e2e.tls_site import TlsSite
from tests.support import engine
from tests.support.tls import trusting

GOING_AWAY = 1001
SOURCE = Path(__file__).with_name("programs") / "echo"
COMMON = {"path": "services/echo", "app": "app:app", "memory": 128, "secrets": ["TOKEN"]}
SERVICES: dict[str, dict[str, Any]] = {
    "http": {
        **COMMON,
        "route": "/http/",
        "uses": ["uwsgi"],
        "env": {"OTHER_URL": "{services.uwsgi.url}"},
    },
    "uwsgi": {
        **COMMON,
        "route": "/uwsgi/",
        "protocol": "uwsgi",
        "uses": ["http"],
        "env": {"OTHER_URL": "{services.http.url}"},
    },
}
FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "forged.test",
    "X-Forwarded-Prefix": "/forged",
    "Forwarded": "for=6.6.6.6;proto=http",
    "SCRIPT_NAME": "/forged",
    "Script-Name": "/forged",
    "HTTPS": "off",
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Ssl": "forged",
    "X-Original-URL": "/forged",
    "True-Client-IP": "6.6.6.6",
    "Proxy": "http://forged.test",
    "X-Own": "kept",
}
MEANT = ("//NAME/seen/x", "/%NAME/seen/x", "/NAME/../NAME/seen/x", "/./NAME/seen/x", "/NAME//seen/x", "//NAME",
         "/NAME/%2e%2e/NAME/seen/x", "/NAME;a/seen/x", "/NAMEx", "/NAME/seen/..", "/NAME/seen/%00", "/NAME/seen/%ff",
         "///NAME/headers/1", "http://127.0.0.1//NAME/seen/x", "//NAME//seen/%2F%2fx")  # fmt: skip
"""Paths that two parsers may take for different ones; %NAME is the name with its first letter written as %xx."""


EVENTS = """
curl -sNk {options} https://127.0.0.1:{port}{path} | while read -r line; do
    [ -z "$line" ] || echo "$line" "$(date +%s.%N)"
done
"""
"""Each event with the moment at which it came."""


class Talk(threading.Thread):
    """Says something over a WebSocket and waits for the echo, again and again until it is closed (`code`)."""

    def __init__(self, client: Client) -> None:
        super().__init__(daemon=True)
        self.client, self.echoed, self.code = client, 0, 0
        self.start()

    def run(self) -> None:
        with contextlib.suppress(AssertionError):
            while not self.code:
                self.say()

    def say(self) -> None:
        try:
            self.client.send(str(self.echoed))
            assert self.client.receive(timeout=5) == str(self.echoed)
        except ConnectionClosed as closed:
            self.code = int(closed.reason)
        else:
            self.echoed += 1
            time.sleep(0.1)


class Site(TlsSite):
    """`answers` compares what the two say, each by its own name."""

    def get(self, path: str, **options: Any) -> httpx.Response:
        with httpx.Client(verify=trusting(self.outputs()["tls_authority"]), timeout=30) as client:
            return client.request(options.pop("method", "GET"), f"https://127.0.0.1:{self.tls_port}{path}", **options)

    def socket(self, service: str) -> Client:
        verified = trusting(self.outputs()["tls_authority"])
        return Client(f"wss://127.0.0.1:{self.tls_port}/{service}/socket", ssl_context=verified)

    def said(self, request: str) -> str:
        """All that comes back for the head of a request as it stands here."""
        with (
            socket.create_connection(("127.0.0.1", self.tls_port), 10) as connection,
            trusting(self.outputs()["tls_authority"]).wrap_socket(connection, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(request.encode())
            return secure.makefile("rb").read().decode()

    def answers(self, path: str, **options: Any) -> dict[str, Any]:
        """What both answer, with NAME for the name of each; fails the test where they differ."""
        said = {}
        for name in SERVICES:
            answer = self.get(f"/{name}/{path}", **options)
            assert answer.status_code == 200, f"{name}: {answer.text}"
            said[name] = answer.text.replace(f"/{name}", "/NAME")
        assert said["http"] == said["uwsgi"]
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("uwsgi"), virtualenv, SERVICES, tls="self-signed", maxHeader=12, maxBody=100)
    shutil.copytree(SOURCE, site.directory / "services" / "echo")
    with running(site):
        yield site


def test_an_app_notices_no_difference_and_believes_nothing_that_a_client_made_up(site: Site) -> None:
    seen = site.answers("seen/a%2520b%2Fc?x=%26", headers=FORGED)
    assert seen["rest"] == "a%20b/c", "decoded once"
    assert seen["url"] == f"https://127.0.0.1:{site.tls_port}/uwsgi/seen/a%20b/c?x=%26", "as Flask writes it"
    assert seen["scheme"] == "https"
    told = seen["told"]
    assert told["X-Forwarded-Proto"] == "https"
    assert told["X-Forwarded-Host"] == f"127.0.0.1:{site.tls_port}"
    assert told["X-Own"] == "kept"
    assert told.pop("Script-Name") == "/forged", "a header like any other: no server takes it for SCRIPT_NAME"
    assert seen["root"] == "/uwsgi"
    assert "6.6.6.6" not in str(told)
    assert "forged" not in str(told)


def test_the_images_entrypoint_runs_before_the_server_with_the_services_secrets(site: Site) -> None:
    for name in SERVICES:
        assert re.fullmatch(r"token=\w{32,} user=1000\n", site.get(f"/{name}/settings").text)
        assert site.container(name).attrs["Config"]["Cmd"][:3] == ["sh", "./entry.sh", "gunicorn"]


def test_bodies_arrive_whole(site: Site) -> None:
    assert site.answers("seen/x", method="POST", content=b"x" * 3_000_000)["body"] == 3_000_000
    assert site.answers("seen/x", method="POST", content=[b"x" * 100_000] * 5)["body"] == 500_000


@pytest.mark.parametrize("options", ["--http1.1", "--http2"])
@pytest.mark.parametrize("path", ["/http/events", "/uwsgi/events", "/uwsgi/events?mime=application/x-ndjson"])
def test_each_part_of_a_stream_arrives_at_once(site: Site, path: str, options: str) -> None:
    lines = site.inside("edge", "sh", "-c", EVENTS.format(options=options, port=tls.PORT, path=path)).splitlines()
    moments = [line.removeprefix("data: ").split() for line in lines]
    assert len(moments) == 4
    assert all(float(came) - float(sent) < 0.3 for sent, came in moments), moments


def test_a_websocket_is_answered_by_either_protocol_for_visitors_and_for_other_services(site: Site) -> None:
    for name in SERVICES:
        client = site.socket(name)
        client.send("over TLS")
        assert client.receive(timeout=5) == "over TLS"
        client.close()
        assert site.get(f"/{name}/through/word").text == "word"


def test_uploads_of_the_largest_size_find_room_and_leave_none_of_it_taken(site: Site) -> None:
    """Together, and each by itself, they are more than /tmp or the container's memory hold."""

    def upload(size: int) -> dict[str, Any]:
        return site.answers("upload", method="POST", files={"file": ("x", b"x" * size)})

    with ThreadPoolExecutor() as senders:
        sizes = [95_000_000, *[30_000_000] * 4]
        assert [each["size"] for each in senders.map(upload, sizes)] == sizes
    assert upload(1_000_000) == {"size": 1_000_000, "left": 0}


def test_nginx_and_gunicorn_have_the_same_limits_of_headers(site: Site) -> None:
    cookie = f"session={'x' * 11_000}"
    assert site.answers("seen/x", headers={"Cookie": cookie})["told"]["Cookie"] == cookie
    assert len(site.answers(f"seen/x?q={'x' * 11_000}")["url"]) > 11_000
    many = {f"X-{number}": "x" for number in range(300)}
    assert many.items() <= site.answers("seen/x", headers=many)["told"].items()
    for name in SERVICES:
        assert site.get(f"/{name}/seen/x", headers={"Cookie": "x" * 13_000}).status_code == 400
        assert site.get(f"/{name}/seen/{'x' * 13_000}").status_code == 414
        crumbs = [option for letter in "abc" for option in ("-H", f"Cookie: {letter}={letter * 10_000}")]
        url = f"https://127.0.0.1:{site.tls_port}/{name}/seen/x"
        asked = ["curl", "-sSk", "--http2", "--noproxy", "*", "-w", " %{http_version} %{http_code}", *crumbs, url]
        told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=30).stdout
        assert told.endswith(" 2 200"), told
        assert "c" * 10_000 in told


def test_an_answer_may_have_large_headers(site: Site) -> None:
    for name in SERVICES:
        answer = site.get(f"/{name}/headers/60000")
        assert (answer.status_code, len(answer.headers["X-Large"])) == (200, 60_000)
        assert site.get(f"/{name}/headers/70000").status_code == 503
    assert "upstream sent too big header" in site.container("edge").logs(tail=20).decode()


@pytest.mark.parametrize("path", MEANT)
def test_no_path_makes_a_service_fail_whichever_way_it_is_written(site: Site, path: str) -> None:
    for name in SERVICES:
        written = path.replace("%NAME", f"%{ord(name[0]):x}{name[1:]}").replace("NAME", name)
        answer = site.said(f"GET {written} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert answer.split()[1] in {"200", "308", "400", "404"}, answer
        assert "SCRIPT_NAME" not in answer


def test_a_client_that_names_no_host_gets_an_answer_for_a_name_that_could_be_one(site: Site) -> None:
    for name in SERVICES:
        body = site.said(f"GET /{name}/seen/x HTTP/1.0\r\n\r\n").partition("\r\n\r\n")[2]
        told = json.loads(body)["told"]
        assert told["Host"].partition(":")[0] == "localhost"
        assert told["X-Forwarded-Host"] == told["Host"]


def test_services_call_each_other_by_http_whatever_nginx_speaks_with_them(site: Site) -> None:
    for caller, called in (("http", "uwsgi"), ("uwsgi", "http")):
        seen = site.get(f"/{caller}/call/x").json()
        assert (seen["url"], seen["scheme"]) == (f"http://{called}:5000/{called}/seen/x", "http")


def test_the_health_check_speaks_it_too_and_gunicorns_answers_show_no_server(site: Site) -> None:
    assert engine.health(site.container("uwsgi")) == "healthy"
    assert "--protocol=uwsgi" in site.container("uwsgi").attrs["Config"]["Cmd"]
    headers = [site.get(f"/{name}/health").headers for name in SERVICES]
    assert {each["Server"] for each in headers} == {"nginx"}
    assert all(len(each.get_list("Date")) == 1 for each in headers)


def test_a_trusted_proxys_scheme_is_believed_and_changing_the_protocol_is_an_ordinary_release(site: Site) -> None:
    site.declare(trustedProxies=["0.0.0.0/1", "128.0.0.0/1"])
    site.settings["services"]["http"]["protocol"] = "uwsgi"
    site.declare()
    edge, ended, going_on = site.starts({"edge"}), Talk(site.socket("http")), Talk(site.socket("uwsgi"))
    site.up()
    ended.join(10)
    assert (ended.code, ended.echoed > 50) == (GOING_AWAY, True), "every message was answered until the close frame"
    assert going_on.is_alive(), "its service did not change"
    after = site.socket("http")
    after.send("again")
    assert after.receive(timeout=5) == "again"
    after.close()
    seen = site.answers("seen/x", headers=FORGED)
    assert (seen["scheme"], seen["told"]["X-Forwarded-For"]) == ("http", "6.6.6.6")
    assert "--protocol=uwsgi" in site.container("http").attrs["Config"]["Cmd"]
    assert site.starts({"edge"}) == edge
    site.assert_settled()
