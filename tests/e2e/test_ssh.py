"""A site on a server over SSH: everything goes through one connection, and nothing is lost when that breaks."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slipway.engine import connection
from slipway.engine.link import Link
from tests.support import engine
from tests.support.example import Example, example_running
from tests.support.server import HOST, USER, Server, serving
from tests.support.waiting import wait_until

NOT_SET_UP, UNWELL = 3, 6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def site(server: Server, tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp("site")
    example = Example(folder, "rooms", settings={"dockerHost": server.address, "drain": 5}, virtualenv=virtualenv)
    example.environment["PATH"] = f"{server.tools}:{example.environment['PATH']}"
    example.environment.pop("DOCKER_HOST", None)
    with example_running(example):
        yield example


def refused(site: Example) -> str:
    """What an operator is told whose command does not get through."""
    done = subprocess.run(
        [site.command, "status", "--stack", site.stack],
        cwd=site.directory,
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == NOT_SET_UP, done.stdout + done.stderr
    return done.stderr


def checked(site: Example, address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(site.command), "server", "check", address, "--json"]
    return subprocess.run(command, env=site.environment | environment, capture_output=True, text=True, check=False)


def being_made(address: str) -> bool:
    """Whether a command is at it: until then ssh is in the foreground, and dies with it."""
    with (Link(address).folder / "making").open("w") as making:
        try:
            fcntl.flock(making, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_site_serves_and_a_second_up_changes_nothing(site: Example) -> None:
    site.answers("ready")
    site.slipway("preview", "--expect-no-changes")


def test_another_operators_machine_sees_no_change(site: Example, tmp_path: Path) -> None:
    before = site.environment
    site.environment = before | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    try:
        site.slipway("preview", "--expect-no-changes")
    finally:
        site.environment = before


def test_what_an_operator_asks_works_from_afar(site: Example) -> None:
    assert "healthy" in site.slipway("status")
    assert "rooms" in site.slipway("ps")
    assert site.slipway("exec", "rooms", "--", "sh", "-c", "exit 7", code=7) == ""
    assert site.psql("SELECT 1") == "1"
    assert "serving" in site.slipway("releases")
    site.slipway("logs", "--all", "--tail", "5")


def test_a_server_is_checked_before_a_site_is_released_to_it(site: Example, server: Server) -> None:
    done = checked(site, server.address)
    told = json.loads(done.stdout)
    assert done.returncode == (0 if told["ready"] else UNWELL)
    rows = {row["what"]: row for row in told["findings"]}
    assert rows["Docker"]["said"] == engine.client().version()["Version"]
    assert rows["Docker"]["well"]
    assert rows["clock"]["well"]
    assert float(rows["free disk"]["said"].split()[0]) > 0


def test_the_users_own_configuration_leads_to_a_server_behind_another(site: Example, server: Server) -> None:
    inner = f"  ProxyJump {HOST}\n  HostName 127.0.0.1\n  Port 22\n  HostKeyAlias [127.0.0.1]:{server.port}\n"
    outer = server.config.read_text()
    own = outer.partition("\n")[2]  # all but the first line, which names the server
    server.config.write_text(f"Host inner\n{inner}{own}\n{outer}")
    try:
        told = json.loads(checked(site, server.address.replace(HOST, "inner")).stdout)
    finally:
        server.configure()
    assert {row["what"]: row["well"] for row in told["findings"]}["Docker"]


def test_a_key_with_a_passphrase_comes_from_the_agent(site: Example, server: Server, tmp_path: Path) -> None:
    key = tmp_path / "locked"
    for suffix in ("", ".pub"):
        shutil.copy(f"{server.folder}/key{suffix}", f"{key}{suffix}")
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "a passphrase", "-f", str(key)], check=True)
    server.config.write_text(server.config.read_text().replace(str(server.folder / "key"), str(key)))
    ask = tmp_path / "ask"
    ask.write_text("#!/bin/sh\necho 'a passphrase'\n")
    ask.chmod(0o700)
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        without = checked(site, server.address)
        assert without.returncode == NOT_SET_UP
        assert "ssh-add" in without.stdout
        wait_until("the agent is there", socket.exists, 10)
        own = {"SSH_AUTH_SOCK": str(socket), "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
        subprocess.run(["ssh-add", "-q", str(key)], env=os.environ | own, check=True, stdin=subprocess.DEVNULL)
        told = json.loads(checked(site, server.address, SSH_AUTH_SOCK=str(socket)).stdout)
        assert {row["what"]: row["well"] for row in told["findings"]}["Docker"]
    finally:
        agent.terminate()
        agent.wait()
        server.configure()


def test_the_connection_ends_with_the_command(site: Example, server: Server) -> None:
    site.slipway("ps")
    wait_until("sshd has nobody connected", lambda: server.connections() == 0, 10)
    assert not Link(server.address).stands


def test_a_release_loses_no_request_and_no_more_than_one_connection_is_made(site: Example, server: Server) -> None:
    made = server.container.logs().decode().count("Accepted publickey")
    site.edit("services/rooms/wsgi.py", "app = ", "released = 2\napp = ")
    with site.under_load("ready"):
        site.slipway("up", "--yes")
    assert server.container.logs().decode().count("Accepted publickey") == made + 1
    assert site.slipway("releases").count("\n") > 2


def test_a_connection_that_breaks_in_a_release_costs_no_request_and_the_next_up_goes_on(
    site: Example, server: Server
) -> None:
    site.edit("services/rooms/wsgi.py", "released = 2", "released = 3")
    before = set(site.ids().values())
    with site.under_load("ready"):
        with subprocess.Popen(
            [site.command, "up", "--stack", site.stack, "--yes"],
            cwd=site.directory,
            env=site.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as up:
            wait_until("a new container is there", lambda: set(site.ids().values()) - before, 120)
            server.cut()
            said, _ = up.communicate(timeout=300)
        assert up.returncode == 0 or "broke" in said, said
        assert "Traceback" not in said
        site.slipway("up", "--yes")
    site.slipway("preview", "--expect-no-changes")


def test_a_killed_commands_connection_is_found_and_ended_by_the_next(site: Example, server: Server) -> None:
    with subprocess.Popen(
        [site.command, "logs", "--stack", site.stack, "--follow"],
        cwd=site.directory,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as following:
        wait_until("it is connected", lambda: Link(server.address).stands and not being_made(server.address), 30)
        os.killpg(following.pid, signal.SIGKILL)
    assert Link(server.address).stands
    site.slipway("ps")
    assert not Link(server.address).stands


def test_a_connection_that_breaks_is_made_again_and_a_question_to_the_engine_outlasts_that(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(server.tools), prepend=os.pathsep)
    with Link(server.address).held(), closing(connection.client(server.address)) as asked:
        assert asked.ping()
        for _ in range(2):
            server.cut()
            assert asked.info()["ServerVersion"] == engine.client().version()["Version"]
        wait_until("the connection stands again", lambda: server.connections() > 0, 20)
    assert not Link(server.address).stands


def test_a_server_whose_key_is_not_known_is_never_trusted(site: Example, server: Server) -> None:
    server.known.unlink()
    said = refused(site)
    assert "its host key is not known here" in said
    assert "compare the fingerprint" in said
    server.trust()


def test_a_server_whose_key_has_changed_is_never_trusted(site: Example, server: Server, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    kind, key, *_ = (tmp_path / "other.pub").read_text().split()
    server.known.write_text(f"[127.0.0.1]:{server.port} {kind} {key}\n")
    said = refused(site)
    assert "another host key than it had" in said
    assert "ssh-keygen -R" in said
    server.trust()


def test_a_user_who_may_not_log_in_is_told_what_must_work(site: Example, server: Server) -> None:
    server.configure(user="nobody-else")
    try:
        said = refused(site)
    finally:
        server.configure()
    assert "Permission denied" in said
    assert "this must work without a question:  ssh server true" in said


def test_a_user_who_may_not_use_the_engine_is_told_how_they_may(site: Example, server: Server) -> None:
    engine.run_in(server.container, "gpasswd", "-d", USER, "engine")
    try:
        assert "usermod -aG docker" in refused(site)
    finally:
        engine.run_in(server.container, "usermod", "-aG", "engine", USER)


def test_a_server_without_docker_is_told_from_one_that_does_not_answer(site: Example, server: Server) -> None:
    stack = site.directory / f"Pulumi.{site.stack}.yaml"
    text = stack.read_text()
    stack.write_text(text.replace(server.address, "ssh://server/run/no-docker.sock"))
    try:
        assert "no Docker engine runs there: there is no /run/no-docker.sock" in refused(site)
    finally:
        stack.write_text(text)


def test_the_site_is_taken_down_from_afar(site: Example) -> None:
    site.assert_destroyed_whole()
