"""What nginx does with requests while the containers that it knows change."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable

import httpx
from docker.models.containers import Container

from slipway.nginx.routes import EdgeModel, Release
from slipway.site.site import Service
from tests.servers.test_rendered_texts import project, start_nginx
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

__all__ = ["project"]

GOOD = """
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body or b"got")

    do_POST = do_GET


http.server.ThreadingHTTPServer(("", 5000), Handler).serve_forever()
"""
REFUSES = "import time; time.sleep(600)"
"""Gets connections and no request. Connections to it when it has just gone are neither taken nor refused."""
DROPS = """
import socket

with socket.create_server(("", 5000)) as listener:
    while True:
        connection = listener.accept()[0]
        connection.recv(1000)
        connection.close()
"""
NEVER_ANSWERS = """
import http.server
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked", flush=True)
        time.sleep(600)


http.server.ThreadingHTTPServer(("", 5000), Handler).serve_forever()
"""
CLIENTS, BEFORE, AFTER = 12, 100, 400
"""How many ask, and how many answers there are before and after a container goes."""
TIMES = 10
"""How often it may have to go until a request meets the moment: about nine in ten do at the first."""
GAVE_UP = re.compile(rb'"upstream_status":"[^"]*50[24] : 200"')
"""What nginx says of a request that it would have answered itself, and began anew."""


class Visitors:
    """Ask for pages, and send what they want back, over and over."""

    def __init__(self, url: str) -> None:
        self.url, self.answers, self.stopped = url, Counter[str](), threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(number,)) for number in range(CLIENTS)]

    def ask(self, number: int) -> None:
        method, body = ("POST", f"from {number}") if number % 2 else ("GET", "")
        with httpx.Client(timeout=30) as client:
            while not self.stopped.wait(0.05):
                answer = client.request(method, self.url, content=body)
                good = (answer.status_code, answer.text) == (200, body or "got")
                self.answers["good" if good else f"{method}: {answer.status_code}"] += 1

    def have(self, answers: int) -> None:
        """Waits until there are so many more."""
        wanted = self.answers.total() + answers
        wait_until(f"{answers} more answers", lambda: self.answers.total() >= wanted, 30)


def site(project: str, servers: dict[str, str], *, answers: int = 200, drain: int = 30) -> tuple[Container, str]:
    """nginx before containers with these names and programs, and its URL, where they answer with this status."""
    nginx = start_nginx(
        project,
        EdgeModel(services=(Service(name="shop", route="/"),), callers={}, drain=drain),
        (Release(service="shop", servers=tuple(f"{project}-{name}" for name in servers)),),
    )
    for name, program in servers.items():
        engine.client().containers.run(
            base_image("python"),
            ["python", "-c", program],
            name=f"{project}-{name}",
            network=f"{project}-net",
            init=True,
            detach=True,
        )
    url = f"http://{engine.address(nginx)}/"
    wait_until("the site answers", lambda: httpx.get(url, timeout=10).status_code == answers, 20)
    return nginx, url


def test_a_request_that_no_container_took_is_handed_to_one_of_those_that_are_left(project: str) -> None:
    nginx, url = site(project, {"a-good": GOOD, "b-gone": REFUSES, "c-good": GOOD})
    visitors = Visitors(url)
    for thread in visitors.threads:
        thread.start()
    gone = engine.container(f"{project}-b-gone")
    try:
        for _ in range(TIMES):
            visitors.have(BEFORE)
            gone.kill()
            visitors.have(AFTER)
            if GAVE_UP.search(nginx.logs()):
                break
            gone.start()
    finally:
        visitors.stopped.set()
        for thread in visitors.threads:
            thread.join(30)
    assert set(visitors.answers) == {"good"}, visitors.answers
    assert GAVE_UP.search(nginx.logs()), "nginx itself gave none of them up: nothing was shown"


def test_a_post_that_a_container_got_and_did_not_answer_is_not_sent_to_another(project: str) -> None:
    _, url = site(project, {"a-drops": DROPS, "b-good": GOOD})
    with httpx.Client(timeout=30) as client:
        assert {client.get(url).status_code for _ in range(6)} == {200}
        assert {client.post(url, content="1").status_code for _ in range(6)} == {200, 503}


def test_a_request_that_is_not_answered_in_time_is_not_sent_to_another(project: str) -> None:
    """The second container would be kept busy as well, and the client would wait twice."""
    names = ("a-silent", "b-silent")
    _, url = site(project, dict.fromkeys(names, NEVER_ANSWERS), answers=504, drain=2)
    before = asked(project, names)
    began = time.monotonic()
    assert httpx.get(url, timeout=30).status_code == 504
    assert time.monotonic() - began < 2 * 2
    assert asked(project, names) == before + 1


def asked(project: str, names: Iterable[str]) -> int:
    return sum(engine.container(f"{project}-{name}").logs().count(b"asked") for name in names)
