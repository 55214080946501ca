"""The one engine of a run: which one it is, and in which version of its API it is spoken to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker
import pulumi
import pytest

from slipway.engine import connection
from slipway.engine.link import Link
from slipway.engine.lock import VARIABLE, EngineLock
from slipway.settings.configuration import resolve_engine
from tests.unit.cli.fakes import FakeEngine

ENGINE = connection.DockerEngine(address="unix:///x", platform="linux/amd64", memory=1)
UNIX = "unix:///run/user/1000/docker.sock"


class FakeClient:
    """A client as docker-py makes it, of an engine whose newest API version is `newest`."""

    newest = "1.44"
    made: list[FakeClient]

    def __init__(self, *, version: str, **settings: Any) -> None:
        self.version, self.settings, self.closed = version, settings, False
        self.api, self.base_url, self.adapter = self, "http+docker://localhost", SimpleNamespace()
        self.api_version = self.newest if version == "auto" else version
        self.made.append(self)

    def close(self) -> None:
        self.closed = True

    def get_adapter(self, _url: str) -> SimpleNamespace:
        return self.adapter


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    FakeClient.made = []
    monkeypatch.setattr(docker, "DockerClient", FakeClient)
    return FakeClient


@pytest.mark.parametrize("newest", ["1.41", "1.44", "1.51"])
def test_an_engine_is_spoken_to_in_its_own_version(
    fake: type[FakeClient], monkeypatch: pytest.MonkeyPatch, newest: str
) -> None:
    monkeypatch.setattr(fake, "newest", newest)
    found: Any = connection.client(UNIX)
    assert (found.version, found.closed, len(fake.made)) == ("auto", False, 1)


def test_a_newer_engine_is_spoken_to_in_the_version_that_is_known(
    fake: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "newest", "1.53")
    found: Any = connection.client(UNIX, timeout=20)
    assert (found.version, found.settings["timeout"]) == (connection.NEWEST_API, 20)
    assert [each.closed for each in fake.made] == [True, False]
    assert found.settings == fake.made[0].settings


def test_an_engine_behind_tls_gets_the_certificates_that_the_docker_command_would_use(
    fake: type[FakeClient], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    found: Any = connection.client("tcp://docker.test:2376")
    assert found.settings["base_url"] == "tcp://docker.test:2376"
    assert found.settings["tls"].cert == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))


def test_a_server_over_ssh_is_reached_through_the_socket_that_was_brought_here(fake: type[FakeClient]) -> None:
    address = "ssh://root@docker.test"
    found: Any = connection.client(address)
    assert found.settings["base_url"] == f"unix://{Link(address).socket}"
    assert found.adapter.max_retries.total == connection.AGAIN
    assert "POST" not in found.adapter.max_retries.allowed_methods
    local: Any = connection.client(UNIX)
    assert not hasattr(local.adapter, "max_retries")


@pytest.mark.parametrize(("where", "given"), [("ssh://root@docker.test", "unix:///tmp/slipway-"), (UNIX, UNIX)])
def test_the_docker_plugin_is_given_what_is_the_same_for_every_operator(where: str, given: str) -> None:
    found = connection.DockerEngine(address=where, platform="linux/amd64", memory=1)
    assert found.host.startswith(given)
    assert found.host == connection.DockerEngine(address=where, platform="linux/arm64", memory=2).host


def test_the_setting_goes_before_the_environment_and_that_before_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def context(name: str | None) -> Any:
        asked.append(name)
        return type("Context", (), {"Host": "unix:///of-the-context.sock"})

    monkeypatch.setattr(docker.ContextAPI, "get_context", context)
    environment = {"DOCKER_HOST": "tcp://a.test:2375", "DOCKER_CONTEXT": "far"}
    assert connection.address("tcp://b.test:2375", environment) == "tcp://b.test:2375"
    assert connection.address(None, environment) == "tcp://a.test:2375"
    assert connection.address(None, {"DOCKER_CONTEXT": "far"}) == "unix:///of-the-context.sock"
    assert asked == ["far"]


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        (UNIX, False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://[::1]:2375", False),
        ("npipe:////./pipe/docker_engine", False),
        ("tcp://docker.test:2376", True),
        ("ssh://root@docker.test", True),
    ],
)
def test_an_address_tells_whether_the_engine_has_this_machines_folders(address: str, elsewhere: bool) -> None:
    found = connection.DockerEngine(address=address, platform="linux/amd64", memory=1)
    assert found.elsewhere is elsewhere


@pytest.mark.parametrize(
    ("version", "store", "refused"),
    [
        ("27.5.1", "io.containerd.snapshotter.v1", True),
        ("28.3.0", "io.containerd.snapshotter.v1", False),
        ("29.1.2", "io.containerd.snapshotter.v1", False),
        ("20.10.24+dfsg1", "extfs", False),
    ],
)
def test_an_engine_that_cannot_build_is_known_before_anything_is_made(version: str, store: str, refused: bool) -> None:
    problem = connection.cannot_build({"ServerVersion": version, "DriverStatus": [["driver-type", store]]})
    assert bool(problem) is refused
    assert not refused or (version in problem and "update Docker to 28" in problem)


def test_an_engine_that_does_not_answer_is_told_in_one_text_and_without_a_traceback() -> None:
    with pytest.raises(pulumi.RunError, match=r"no Docker engine answers at unix:///nowhere\.sock[\s\S]*make setup"):
        resolve_engine("unix:///nowhere.sock")


@pytest.mark.parametrize(("preview", "ours"), [(False, False), (False, True), (True, False)])
def test_plain_pulumi_changes_nothing_while_a_command_does(
    monkeypatch: pytest.MonkeyPatch, *, preview: bool, ours: bool
) -> None:
    engine = FakeEngine()
    found: Any = engine.client()
    found.close = lambda: None
    monkeypatch.setattr(connection, "resolve", lambda _: ENGINE)
    monkeypatch.setattr(connection, "client", lambda _: found)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: preview)
    monkeypatch.setattr(pulumi, "get_project", lambda: "shop")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "prod")
    monkeypatch.delenv(VARIABLE, raising=False)
    assert resolve_engine(None) == ENGINE, "nobody is at work"
    with EngineLock(found, "shop", "prod").held() as token:
        if ours:
            monkeypatch.setenv(VARIABLE, token)
        if preview or ours:
            assert resolve_engine(None) == ENGINE
        else:
            with pytest.raises(pulumi.RunError, match=r"a slipway command is changing shop-prod, .*: process \d+ of "):
                resolve_engine(None)
