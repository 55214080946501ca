"""certbot's container alone against an ACME authority that refuses nonces, goes away, or finds no challenge."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from docker.models.containers import Container

from tests.support import engine
from tests.support.base_images import base_image
from tests.support.pebble import Pebble, gateway, packed, pebble
from tests.support.waiting import wait_until

FOLDER = Path(__file__).parents[2] / "slipway" / "images" / "certbot"
PROJECT = f"acme-{secrets.token_hex(4)}"
USER = "101"
SHARED, DATA = "/srv/tls", "/var/lib/certbot"
NAME = "www.example.test"
SHORT = 30
"""Seconds that a certificate lives in most tests: renewed after the half."""
SOON = 60
OFTEN = 10
"""Certificates that are issued and renewed in the test of nonces."""
LONG = 150
"""Seconds that those live: no renewal before all are issued, also on a machine that does something else as well."""


class Client:
    """certbot's container, as the product runs it, with a web server that shows what nginx would: `port` is the web
    server's, `log` what the container has written since it was started last."""

    def __init__(self, name: str, image: str, names: list[str]) -> None:
        self.name, self.image, self.names, self.port = f"{PROJECT}-{name}", image, names, engine.free_port()
        self.authority: Pebble | None = None
        self.started: Container | None = None

    def volume(self, purpose: str) -> str:
        """Made anew if it is not there, and its user's own."""
        name = f"{self.name}-{purpose}"
        folders = f"mkdir -p /v/challenges /v/nothing && chown {USER}:{USER} /v /v/*"
        engine.client().containers.run(
            base_image("python"), ["sh", "-c", folders], entrypoint=[], user="0", volumes=[f"{name}:/v"], remove=True
        )
        return name

    def serve(self, folder: str = "challenges") -> None:
        """Starts the web server, in the place of the one that was there."""
        for old in engine.containers(f"{self.name}-web"):
            old.remove(force=True)
        engine.client().containers.run(
            base_image("python"), ["python", "-m", "http.server", "80", "--directory", f"{SHARED}/{folder}"],
            entrypoint=[], name=f"{self.name}-web", user=USER, detach=True, ports={"80/tcp": (gateway(), self.port)},
            volumes=[f"{self.volume('shared')}:{SHARED}:ro"],
        )  # fmt: skip
        wait_until("the web server answers", self._web_answers, 20)

    def _web_answers(self) -> bool:
        try:
            return engine.http_get(gateway(), self.port)[0] > 0
        except OSError:
            return False

    def start(self, **configuration: Any) -> None:
        """Starts certbot's container, in the place of the one that was there."""
        assert self.authority
        if self.started:
            self.started.remove(force=True)
        told = {
            "certificates": {name: [name] for name in self.names},
            "directory": self.authority.directory,
            "bundle": f"{DATA}/etc/pebble/bundle.pem",
            **configuration,
        }
        volumes = [f"{self.volume('shared')}:{SHARED}", f"{self.volume('data')}:{DATA}"]
        created: Container = engine.client().containers.create(
            self.image, ["python", "/opt/certbot/renew.py", json.dumps(told)], name=f"{self.name}-certbot", user=USER,
            volumes=volumes, read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"],
            tmpfs={"/tmp": "mode=1777,size=32m"}, mem_limit="256m",
        )  # fmt: skip
        created.put_archive(DATA, packed({"bundle.pem": self.authority.bundle}))
        created.start()
        self.started = created

    def run(self, *command: str) -> str:
        assert self.started
        code, output = engine.run_in(self.started, *command)
        assert code == 0, output
        return output

    def log(self) -> str:
        assert self.started
        return str(self.started.logs().decode())

    def delivered(self) -> str:
        """What nginx would read; "" before there is a certificate."""
        assert self.started
        code, text = engine.run_in(self.started, "cat", f"{SHARED}/certificates/{NAME}.pem")
        return "" if code else text

    def told(self) -> dict[str, Any]:
        """What `slipway status` would say."""
        found: dict[str, Any] = json.loads(self.run("cat", f"{SHARED}/status.json"))[NAME]
        return found

    def next(self, before: str, seconds: float = SOON) -> str:
        """Waits for another certificate than that one."""

        def another() -> str:
            found = self.delivered()
            return found if found != before else ""

        try:
            return wait_until("there is another certificate", another, seconds)
        except AssertionError:
            print(self.log())
            raise


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    tag = f"{PROJECT}-certbot"
    base = {"BASE": base_image("python")}
    engine.client().images.build(path=str(FOLDER), tag=tag, buildargs=base, rm=True, forcerm=True)
    yield tag
    engine.remove_all(PROJECT)
    engine.remove_image(tag)


@contextmanager
def client(name: str, image: str, names: list[str], **authority: Any) -> Iterator[Client]:
    """With its authority; certbot is started."""
    made = Client(name, image, names)
    try:
        with pebble(names, http_port=made.port, **authority) as made.authority:
            made.serve()
            made.start()
            yield made
    finally:
        engine.remove_all(made.name)


@pytest.fixture
def site(image: str) -> Iterator[Client]:
    with client("site", image, [NAME], validity=SHORT) as made:
        yield made


def test_every_certificate_is_issued_and_renewed_however_many_nonces_are_refused(image: str) -> None:
    """5 % and 50 %, at the same time: certbot mostly waits. Every attempt succeeds, so nothing else is written."""
    names = [f"shop{number}.example.test" for number in range(OFTEN)]
    with ExitStack() as stack:
        both = [
            stack.enter_context(client(f"nonces-{percent}", image, names, validity=LONG, bad_nonces=percent))
            for percent in (5, 50)
        ]
        for each in both:
            wait_until(
                f"all {OFTEN} are issued and renewed",
                lambda each=each: min(handed_over(each.log(), names).values()) >= 2,  # type: ignore[misc]
                LONG * 2,
                pause=1,
            )
            lines = [line for line in each.log().splitlines() if not line.partition(": ")[2].startswith("certificate")]
            assert lines == []


def handed_over(log: str, names: list[str]) -> dict[str, int]:
    """{name: how many certificates}."""
    found = Counter(re.findall(r"^(\S+): certificate until", log, re.MULTILINE))
    return {name: found[name] for name in names}


def test_an_authority_that_is_away_for_longer_than_a_certificate_lives_is_asked_until_it_is_back(site: Client) -> None:
    assert site.authority
    first = site.next("")
    site.authority.container.pause()
    try:
        wait_until("the certificate has ended", lambda: ended(first), SHORT + 10)
        wait_until("the failure is told", lambda: site.told()["error"], SOON)
        assert site.delivered() == first, "an old certificate is better than none"
        assert site.told()["failing_since"]
    finally:
        site.authority.container.unpause()
    second = site.next(first)
    assert not ended(second)
    wait_until("nothing is wrong any more", lambda: site.told()["error"] == site.told()["failing_since"] == "", SOON)


def test_a_challenge_that_is_not_found_changes_nothing_and_is_told_in_the_authoritys_words(site: Client) -> None:
    first = site.next("")
    site.serve("nothing")
    error = wait_until("the failure is told", lambda: site.told()["error"], SOON)
    assert "404" in str(error)
    assert site.delivered() == first
    site.serve()
    site.next(first)
    wait_until("nothing is wrong any more", lambda: site.told()["error"] == "", SOON)


def test_without_its_volume_certbot_makes_another_account_and_has_everything_issued_anew(site: Client) -> None:
    first = site.next("")
    account = site.run("find", f"{DATA}/accounts", "-name", "regr.json")
    assert site.started
    site.started.remove(force=True)
    site.started = None
    engine.client().volumes.get(f"{site.name}-data").remove()
    site.start()
    site.next(first)
    assert site.run("find", f"{DATA}/accounts", "-name", "regr.json") != account


def test_a_rotated_key_is_a_new_certificate_at_once_and_the_old_key_is_nowhere(image: str) -> None:
    with client("rotated", image, [NAME], validity=7 * 24 * 3600) as site:
        first = site.next("")
        site.start(generation=1)
        second = site.next(first)
        old, new = (load_pem_private_key(each.encode(), None) for each in (first, second))
        assert old.public_key() != new.public_key()
        wait_until("it is told", lambda: site.told()["generation"] == 1, SOON)
        line = first.splitlines()[2]
        assert site.run("sh", "-c", f"grep -rlF -- '{line}' {DATA} {SHARED} || true") == ""
        site.start(generation=1)
        wait_until("it is told again", lambda: "generation" in site.told(), SOON)
        assert site.delivered() == second, "once is enough"


def ended(combined: str) -> bool:
    leaf = x509.load_pem_x509_certificates(combined.encode())[0]
    return leaf.not_valid_after_utc < datetime.now(UTC)
