"""When certbot is run, what becomes of what it got, and what a failure leaves as it was."""

from __future__ import annotations

import errno
import importlib.util
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.core import certificates
from slipway.core.certificates import Pair

PROGRAM = Path(__file__).parents[2] / "slipway/images/certbot/renew.py"
HOSTS = ["www.shop.test", "shop.test"]


class Bench:
    """The program, with folders of its own and a certbot that is a list of what it does at each run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(PROGRAM.parent)
        spec = importlib.util.spec_from_file_location("renew", PROGRAM)
        assert spec
        assert spec.loader
        self.renew: Any = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "renew", self.renew)
        spec.loader.exec_module(self.renew)
        self.data, self.shared = folder / "data", folder / "shared"
        for name, path in (("DATA", self.data), ("SHARED", self.shared), ("SCRATCH", folder / "scratch")):
            monkeypatch.setattr(self.renew, name, path)
        monkeypatch.setattr(self.renew, "ALIVE", folder / "alive")
        monkeypatch.setattr(self.renew.subprocess, "run", self.certbot)
        self.authority = certificates.authority("Test", datetime.now(UTC))
        self.runs: list[list[str]] = []
        self.next: list[Any] = []
        self.log, self.kept = "", 0
        configuration = self.renew.Configuration({"www.shop.test": HOSTS}, "https://ca.test/directory")
        self.certificate: Any = self.renew.Certificate("www.shop.test", HOSTS, configuration)

    def configured(self, **changes: Any) -> Any:
        """The certificate of a container that was started with another configuration."""
        self.certificate = self.renew.Certificate(
            "www.shop.test", HOSTS, self.renew.Configuration({"www.shop.test": HOSTS}, "https://ca.test", **changes)
        )
        self.certificate.load()
        return self.certificate

    def certbot(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.runs.append(command)
        result = self.next.pop(0) if self.next else self.issued()
        if isinstance(result, str):
            logs = self.renew.SCRATCH / "logs"
            logs.mkdir(parents=True, exist_ok=True)
            (logs / "letsencrypt.log").write_text(self.log)
            return subprocess.CompletedProcess(command, 1, f"Saving debug log to x\n{result}\n")
        self.keep(result)
        return subprocess.CompletedProcess(command, 0, "")

    def issued(self, days: int = 90, hosts: list[str] = HOSTS, ago: float = 0) -> Pair:
        """`ago`: days since it was issued."""
        return certificates.issue(self.authority, hosts, datetime.now(UTC) - timedelta(days=ago), days)

    def keep(self, pair: Pair) -> None:
        """As certbot does: numbered files, and links to the last of them."""
        live, archive = self.data / "live/www.shop.test", self.data / "archive/www.shop.test"
        for folder in (live, archive):
            folder.mkdir(parents=True, exist_ok=True)
        self.kept += 1
        for name, text in (("fullchain", pair.certificate), ("privkey", pair.key)):
            (archive / f"{name}{self.kept}.pem").write_text(text)
            (live / f"{name}.pem").unlink(missing_ok=True)
            (live / f"{name}.pem").symlink_to(archive / f"{name}{self.kept}.pem")

    def archived(self) -> set[str]:
        return {file.name for file in (self.data / "archive/www.shop.test").iterdir()}

    def delivered(self) -> str:
        return (self.shared / "certificates/www.shop.test.pem").read_text()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_the_first_certificate_is_asked_for_at_once_and_handed_to_nginx_alone(bench: Bench) -> None:
    pair = bench.issued()
    bench.next = [pair]
    bench.certificate.attend(1000.0)
    assert bench.delivered() == pair.combined
    assert (bench.shared / "certificates/www.shop.test.pem").stat().st_mode & 0o777 == 0o400
    command = bench.runs[0]
    assert command[command.index("--server") + 1] == "https://ca.test/directory"
    assert [command[i + 1] for i, word in enumerate(command) if word == "-d"] == HOSTS
    assert bench.certificate.next_run == 1000.0 + bench.renew.USUAL


@pytest.mark.parametrize(("days", "ago", "hours"), [(90, 59.9, 2.4), (90, 10, 12), (6, 2.9, 2.4), (6, 1, 12)])
def test_certbot_is_run_when_it_is_time_and_twice_a_day_in_any_case(
    bench: Bench, days: int, ago: float, hours: float
) -> None:
    bench.next = [bench.issued(days, ago=ago)]
    bench.certificate.attend(0.0)
    expected = hours - 1 if hours < 12 else hours  # it is valid from an hour before it is issued
    assert bench.certificate.next_run / 3600 == pytest.approx(expected, abs=0.1)
    bench.certificate.attend(bench.certificate.next_run - 1)
    assert len(bench.runs) == 1
    bench.certificate.attend(bench.certificate.next_run)
    assert len(bench.runs) == 2


def test_a_failed_renewal_keeps_the_old_certificate_says_why_and_is_tried_again_ever_later(bench: Bench) -> None:
    old = bench.issued(ago=70)
    bench.next = [old, *["Detail: connection refused"] * 12]
    bench.certificate.attend(0.0)
    pauses, clock = [], bench.certificate.next_run
    for _ in range(12):
        bench.certificate.attend(clock)
        assert bench.delivered() == old.combined
        pauses.append(bench.certificate.next_run - clock)
        clock = bench.certificate.next_run
    assert pauses[:4] == [30, 60, 120, 240]
    assert pauses[-1] == 3600
    told = bench.certificate.told()
    assert (told["error"], bool(told["failing_since"])) == ("connection refused", True)

    new = bench.issued()
    bench.next = [new]
    bench.certificate.attend(clock)
    assert bench.delivered() == new.combined
    assert bench.certificate.told()["error"] == bench.certificate.told()["failing_since"] == ""


def test_other_names_are_a_failure_until_certbot_has_them(bench: Bench) -> None:
    bench.next = [bench.issued(hosts=["www.shop.test"])]
    bench.certificate.attend(0.0)
    assert "no certificate for these names" in bench.certificate.error
    bench.certificate.attend(bench.certificate.next_run)
    assert bench.certificate.error == ""


@pytest.mark.parametrize("broken", ["key", "chain", "missing"])
def test_what_is_not_whole_is_not_handed_over(bench: Bench, broken: str) -> None:
    good = bench.issued()
    bench.keep(good)
    bench.certificate.load()
    live = bench.data / "live/www.shop.test"
    if broken == "key":
        (live / "privkey.pem").write_text(bench.issued().key)
    elif broken == "chain":
        (live / "fullchain.pem").write_text("-----BEGIN CERTIFICATE-----\nxx")
    else:
        (live / "fullchain.pem").unlink()
    bench.certificate.load()
    assert bench.delivered() == good.combined


def test_what_is_there_already_keeps_its_file_so_that_nginx_need_not_reload(bench: Bench) -> None:
    bench.keep(bench.issued())
    bench.certificate.load()
    before = (bench.shared / "certificates/www.shop.test.pem").stat().st_ino
    bench.certificate.load()
    assert (bench.shared / "certificates/www.shop.test.pem").stat().st_ino == before


def test_another_generation_is_a_certificate_anew_with_another_key_and_once(bench: Bench) -> None:
    bench.certificate.attend(0.0)
    first = bench.delivered()
    assert "--force-renewal" not in bench.runs[0]
    assert (bench.certificate.told()["generation"], bench.archived()) == (0, {"fullchain1.pem", "privkey1.pem"})

    rotating = bench.configured(generation=1)
    bench.next = ["Detail: the authority is away"]
    rotating.attend(0.0)
    assert (bench.delivered(), rotating.told()["generation"]) == (first, 0)
    rotating.attend(rotating.next_run)
    assert ["--force-renewal" in command for command in bench.runs] == [False, True, True]
    assert bench.delivered() != first
    assert rotating.told()["generation"] == 1
    assert bench.archived() == {"fullchain2.pem", "privkey2.pem"}, "the old key is gone"

    again = bench.configured(generation=1)
    again.attend(0.0)
    assert "--force-renewal" not in bench.runs[-1]


def test_an_account_that_the_authority_has_forgotten_is_made_anew(bench: Bench) -> None:
    (bench.data / "accounts/ca.test").mkdir(parents=True)
    bench.next = ["Detail: another problem", "An unexpected error occurred:"]
    bench.certificate.attend(0.0)
    assert (bench.data / "accounts/ca.test").exists()
    bench.log = "acme.messages.Error: urn:ietf:params:acme:error:accountDoesNotExist :: …"
    bench.certificate.attend(bench.certificate.next_run)
    assert not (bench.data / "accounts").exists()


def test_a_problem_is_told_in_the_authoritys_words(bench: Bench) -> None:
    said = """Saving debug log to /tmp/certbot/logs/letsencrypt.log
Requesting a certificate for www.shop.test and shop.test

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Identifier: shop.test
  Type:   connection
  Detail: 203.0.113.9: Connection refused

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.
Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org."""
    assert bench.renew.reason(said) == "shop.test: 203.0.113.9: Connection refused"
    assert bench.renew.reason("Saving debug log\nAn unexpected error occurred:\nno such host") == (
        "An unexpected error occurred: no such host"
    )
    assert bench.renew.reason("") == "certbot failed and said nothing"


def test_a_new_container_hands_over_what_it_finds_and_forgets_other_names_before_it_asks_anybody(bench: Bench) -> None:
    kept = bench.issued()
    bench.keep(kept)
    (bench.shared / "certificates").mkdir(parents=True)
    (bench.shared / "certificates/old.test.pem").write_text("x")
    bench.next = ["the authority is away"]
    stopping = threading.Event()
    configuration = bench.renew.Configuration({"www.shop.test": HOSTS}, "https://ca.test/directory")
    running = threading.Thread(target=bench.renew.work, args=(configuration, stopping))
    running.start()
    try:
        for _ in range(200):
            if (bench.shared / "status.json").exists():
                break
            stopping.wait(0.05)
    finally:
        stopping.set()
        running.join(10)
    assert not running.is_alive()
    assert bench.delivered() == kept.combined
    assert not (bench.shared / "certificates/old.test.pem").exists()
    status = json.loads((bench.shared / "status.json").read_text())
    assert status["www.shop.test"]["error"] == "the authority is away"
    assert bench.renew.ALIVE.exists()


def test_a_full_volume_costs_no_order_and_no_pause(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written, the status least of all: the program goes on, and waits ever longer."""

    def full(path: Path, *_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    placed, stopping = bench.renew.place, threading.Event()
    monkeypatch.setattr(bench.renew, "place", full)
    pauses = []
    for _ in range(4):
        bench.certificate.attend(bench.certificate.next_run)
        pauses.append(bench.certificate.pause(datetime.now(UTC)))
    assert pauses == [30, 60, 120, 240]
    assert (bench.runs, "No space left on device" in bench.certificate.error) == ([], True)

    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            stopping.set()

    monkeypatch.setattr(stopping, "wait", wait)
    bench.renew.work(bench.certificate.configuration, stopping)
    assert (bench.runs, len(waits)) == ([], 3)

    monkeypatch.setattr(bench.renew, "place", placed)
    bench.certificate.attend(bench.certificate.next_run)
    assert (len(bench.runs), bench.certificate.error) == (1, "")
    assert not list(bench.shared.glob("*room"))


def test_a_volume_that_fills_up_while_certbot_works_is_a_failure_like_any_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.renew, "ROOM", 1)
    placed = bench.renew.place

    def full(path: Path, content: bytes, mode: int) -> None:
        if len(content) > 1:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        placed(path, content, mode)

    monkeypatch.setattr(bench.renew, "place", full)
    bench.certificate.attend(0)
    assert (len(bench.runs), bench.certificate.failures, bench.certificate.next_run >= 30) == (1, 1, True)
