from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slipway.setup import engine
from slipway.setup.choices import Choices
from slipway.setup.console import Console, SetupError

Commands = Callable[[str, str], dict[str, str]]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[str]:
    """Something that answers like a Docker engine on a socket."""
    path, body = tmp_path / "docker.sock", b'{"Version": "28.5.2"}'
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        threading.Thread(target=serve, daemon=True).start()
        yield f"unix://{path}"
        listener.shutdown(socket.SHUT_RDWR)


def test_an_engine_that_answers_is_taken_with_its_version(answering: str, commands: Commands, console: Console) -> None:
    choices, environment = Choices(), commands("docker", "exit 1") | {"DOCKER_HOST": answering}
    assert "28.5.2" in engine.settle(choices, console, environment).chosen
    assert choices.environment["DOCKER_HOST"] == answering


def test_the_current_docker_context_names_the_engine(commands: Commands) -> None:
    environment = commands("docker", """echo '[{"Name": "vps", "Endpoints": {"docker": {"Host": "ssh://me@vps"}}}]'""")
    assert engine.address(environment) == ("ssh://me@vps", True)


def test_an_engine_that_the_user_named_and_that_does_not_answer_is_an_error_and_nothing_is_installed(
    commands: Commands,
    console: Console,
    tmp_path: Path,
) -> None:
    environment = commands("docker", "exit 1") | {"DOCKER_HOST": f"unix://{tmp_path}/absent.sock"}
    with pytest.raises(SetupError, match=r"absent\.sock, which DOCKER_HOST"):
        engine.settle(Choices(), console, environment)


def test_without_root_the_error_names_the_command_to_type(monkeypatch: pytest.MonkeyPatch, console: Console) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError) as caught:
        engine.start(engine.DEFAULT, console, {"PATH": "/nowhere"})
    assert "sudo make setup" in caught.value.remedy[0]


def test_a_pid_file_left_by_a_machine_that_went_down_is_removed_and_a_living_engines_is_kept(tmp_path: Path) -> None:
    stale, other, broken = tmp_path / "a.pid", tmp_path / "b.pid", tmp_path / "c.pid"
    stale.write_text("4194304\n")
    other.write_text(f"{os.getpid()}\n")  # alive, but no engine
    broken.write_text("")
    for pidfile in (stale, other, broken, tmp_path / "absent.pid"):
        engine.forget_stale(pidfile)
    assert [path.name for path in tmp_path.glob("*.pid")] == ["c.pid"]


def test_an_engine_without_settings_keeps_containers_while_it_restarts_and_the_owners_settings_stay(
    monkeypatch: pytest.MonkeyPatch, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "docker" / "daemon.json"
    monkeypatch.setattr(engine, "CONFIGURATION", file)
    monkeypatch.setattr(engine, "ROUTES", routes(tmp_path, "0100A8C0 00FFFFFF"))
    engine.configure(console)
    pools = [{"base": "10.209.0.0/16", "size": 26}]
    assert json.loads(file.read_text()) == {"live-restore": True, "default-address-pools": pools}
    file.write_text("{}")
    engine.configure(console)
    assert file.read_text() == "{}"


@pytest.mark.parametrize(
    ("known", "base"),
    [
        (("00000000 00000000",), "10.209.0.0/16"),
        (("0000D10A 0000FFFF",), "172.30.0.0/16"),
        (("0001020A 00FFFFFF", "00001EAC 0000FFFF"), "192.168.192.0/18"),
        (("0000000A 000000FF", "000010AC 0000F0FF", "0000A8C0 0000FFFF"), None),
    ],
)
def test_small_networks_of_a_new_engine_keep_out_of_the_machines_routes(
    monkeypatch: pytest.MonkeyPatch, console: Console, tmp_path: Path, known: tuple[str, ...], base: str | None
) -> None:
    file = tmp_path / "docker" / "daemon.json"
    monkeypatch.setattr(engine, "CONFIGURATION", file)
    monkeypatch.setattr(engine, "ROUTES", routes(tmp_path, *known))
    engine.configure(console)
    written = json.loads(file.read_text())
    assert (written.get("default-address-pools") or [{"base": None}])[0]["base"] == base


def routes(folder: Path, *known: str) -> Path:
    """A table as /proc/net/route has it, of "destination mask"."""
    file = folder / "route"
    lines = (each.split() for each in known)
    file.write_text("Iface ...\n" + "".join(f"eth0 {to} 00000000 0001 0 0 0 {mask} 0 0 0\n" for to, mask in lines))
    return file


def test_a_refused_socket_is_told_apart_from_an_absent_engine(monkeypatch: pytest.MonkeyPatch, answering: str) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SetupError) as caught:
        engine.refuse_forbidden_socket(answering)
    assert "usermod -aG docker" in caught.value.remedy[0]
