"""The connection to a server over SSH: where it is, and what an operator is told. tests/e2e/test_ssh.py makes one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.engine import link
from slipway.engine.link import Link, explained, local

CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key verification failed.
"""


def test_any_other_address_stays_as_it_is() -> None:
    assert local("unix:///var/run/docker.sock") == "unix:///var/run/docker.sock"
    assert local("tcp://docker.test:2376") == "tcp://docker.test:2376"


def test_the_sockets_place_is_short_and_follows_from_the_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    place = local("ssh://deploy@a-server-with-a-long-name.region.example.org:2222/run/user/1000/docker.sock")
    monkeypatch.setenv("HOME", "/home/somebody-else")
    monkeypatch.setenv("TMPDIR", "/somewhere")
    assert len(place) < 60
    assert local("ssh://one") == local("ssh://one") != local("ssh://other")


def test_a_folder_that_others_may_write_to_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(link, "Path", lambda _: tmp_path)
    tmp_path.joinpath("slipway-theirs").mkdir(mode=0o777)
    tmp_path.joinpath("slipway-theirs").chmod(0o777)
    assert link._folder("theirs") != tmp_path / "slipway-theirs"
    tmp_path.joinpath("slipway-mine").mkdir(mode=0o700)
    assert link._folder("mine") == tmp_path / "slipway-mine"
    tmp_path.joinpath("slipway-led").symlink_to(tmp_path / "slipway-mine")
    assert link._folder("led") != tmp_path / "slipway-led"


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("ssh://box", "box", []),
        ("ssh://deploy@box", "deploy@box", []),
        ("ssh://deploy@box.example.org:2222", "deploy@box.example.org", ["-p", "2222"]),
    ],
)
def test_ssh_is_told_no_more_than_the_address_says(
    address: str, host: str, port: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/ssh")
    made = Link(address)
    assert made.host == host
    assert made.command()[1:-2] == port, "without a port the user's own configuration decides"


@pytest.mark.parametrize(
    ("said", "problem", "step"),
    [
        (
            "Host key verification failed.",
            "its host key is not known here",
            "compare the fingerprint:  ssh -p",
        ),
        (CHANGED, "has another host key than it had", "ssh-keygen -R '[box]:2222'"),
        ("me@box: Permission denied (publickey).", "Permission denied (publickey)", "ssh-add"),
        (
            "ssh: Could not resolve hostname box: Name or service not known",
            "Could not resolve hostname box",
            "this must work:  ssh -p 2222 me@box true",
        ),
        ("", "ssh said nothing", "this must work"),
    ],
)
def test_what_ssh_says_comes_with_what_to_type(said: str, problem: str, step: str) -> None:
    error = explained(Link("ssh://me@box:2222"), said)
    assert problem in str(error)
    assert "ssh://me@box:2222" in str(error)
    assert step in "\n".join(error.steps)


def test_without_an_ssh_command_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(link.LinkError, match="no ssh command") as raised:
        Link("ssh://box").command()
    assert raised.value.steps == ("apt-get install openssh-client",)
