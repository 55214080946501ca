"""Whose data a Postgres server has, asked of an engine that fails a command now and then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from slipway.engine.errors import Failure
from slipway.providers import cluster

PROPERTIES = {"engine": "unix:///engine", "container": "shop-prod-postgres"}


class Server:
    """Has these answers, the last one again and again."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)

    def exec_run(self, _command: list[str], **_options: Any) -> SimpleNamespace:
        code, output = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return SimpleNamespace(exit_code=code, output=output)


@pytest.fixture
def serves(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a server, or none, the one that the engine has."""

    @contextmanager
    def connect(_address: str) -> Iterator[None]:
        yield None

    def serve(server: Server | None) -> None:
        monkeypatch.setattr(cluster, "find", lambda _client, _name: server)

    monkeypatch.setattr(cluster, "connect", connect)
    monkeypatch.setattr(cluster, "SECONDS", 0.05)
    return serve


@pytest.mark.parametrize("first", [(126, b"OCI runtime exec failed"), (0, b""), (2, b"connection refused")])
def test_it_is_asked_again_where_the_engine_failed_the_command(serves: Any, first: tuple[int, bytes]) -> None:
    serves(Server(first, (0, b"7512\n")))
    assert cluster.with_cluster(PROPERTIES) == {**PROPERTIES, "cluster": "7512"}


def test_the_failure_says_what_the_command_said(serves: Any) -> None:
    serves(Server((126, b"OCI runtime exec failed\n")))
    with pytest.raises(Failure, match=r"shop-prod-postgres .*exit code 126: OCI runtime exec failed"):
        cluster.with_cluster(PROPERTIES)


def test_the_failure_says_that_the_container_is_gone(serves: Any) -> None:
    serves(None)
    with pytest.raises(Failure, match="there is no such container"):
        cluster.with_cluster(PROPERTIES)
