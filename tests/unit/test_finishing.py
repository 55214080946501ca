"""The end of a drain is believed only when it is certain: a busy engine loses outputs, and nginx may be killed."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import APIError

from slipway.engine.edge import Edge
from slipway.engine.finishing import Finishing


class Engine:
    """docker-py's container, client and API in one, with a command that is `seen` to be in some state."""

    id = "nginx"

    def __init__(self, output: str = "") -> None:
        self.started, self.waits, self.output = "monday", 0, output
        self.seen: dict[str, Any] = {"Running": True, "ExitCode": None}
        self.client = self.api = self

    @property
    def attrs(self) -> dict[str, Any]:
        return {"State": {"StartedAt": self.started}}

    def reload(self) -> None:
        """Nothing to ask."""

    def exec_create(self, _container: str, _command: list[str]) -> dict[str, str]:
        self.waits += 1
        return {"Id": f"exec-{self.waits}"}

    def exec_start(self, _id: str, *, detach: bool) -> None:
        assert detach

    def exec_inspect(self, _id: str) -> dict[str, Any]:
        if not self.seen:
            raise APIError("the engine is busy")
        return self.seen

    def exec_run(self, _command: list[str], *, user: str) -> Any:
        assert not user
        return type("Result", (), {"exit_code": 0, "output": self.output.encode()})


def edge(engine: Engine) -> Edge:
    return Edge(engine, "/live", "/nginx.conf", 8079)  # type: ignore[arg-type]


def test_it_is_over_when_the_command_that_waits_has_ended_well() -> None:
    engine = Engine()
    finishing = Finishing(edge(engine), {7, 8})
    assert not finishing.over()
    engine.seen = {"Running": False, "ExitCode": 0}
    assert finishing.over()
    assert engine.waits == 1


@pytest.mark.parametrize("seen", [{"Running": False, "ExitCode": 137}, {"Running": False, "ExitCode": None}, {}])
def test_what_ended_otherwise_is_asked_again(seen: dict[str, Any]) -> None:
    engine = Engine()
    finishing = Finishing(edge(engine), {7})
    engine.seen = seen
    assert not finishing.over()
    assert not finishing.over()
    assert engine.waits > 1 or not seen
    engine.seen = {"Running": False, "ExitCode": 0}
    finishing.over()
    assert finishing.over()


def test_another_nginx_has_none_of_the_workers() -> None:
    engine = Engine()
    finishing = Finishing(edge(engine), {7})
    engine.seen, engine.started = {"Running": False, "ExitCode": 137}, "tuesday"
    assert finishing.over()


def test_without_workers_there_is_nothing_to_wait_for() -> None:
    engine = Engine()
    assert Finishing(edge(engine), set()).over()
    assert not engine.waits


@pytest.mark.parametrize(
    ("output", "workers"),
    [
        ("7 nginx: worker process\n8 nginx: worker process is shutting down\ncomplete\n", {7: False, 8: True}),
        ("7 nginx: worker process\n8 nginx: worker process is shutting down\n", {}),
        ("", {}),
    ],
)
def test_a_list_of_workers_that_is_not_whole_is_none(output: str, workers: dict[int, bool]) -> None:
    assert edge(Engine(output)).workers() == workers
