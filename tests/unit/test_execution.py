"""A command in a container that may end at any moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from docker.errors import APIError

from slipway.engine.execution import NOT_RUNNING, UNKNOWN, execute


class Answering:
    """A container that has one answer to every command."""

    def __init__(self, code: int | None, output: bytes) -> None:
        self.answer = SimpleNamespace(exit_code=code, output=output)

    def exec_run(self, _command: list[str], **_options: Any) -> SimpleNamespace:
        return self.answer


class Ended:
    """A container that ended before it was asked."""

    def exec_run(self, _command: list[str], **_options: Any) -> SimpleNamespace:
        raise APIError("409 Client Error", explanation="container is not running")


def test_the_exit_code_and_what_was_written_are_returned() -> None:
    container: Any = Answering(3, b"no such file")
    assert execute(container, ["ls"]) == (3, "no such file")


def test_a_command_that_its_container_did_not_outlive_has_failed() -> None:
    container: Any = Answering(None, b"half")
    assert execute(container, ["ls"]) == (UNKNOWN, "half")


def test_a_container_that_ended_before_is_told_from_a_command_that_failed() -> None:
    container: Any = Ended()
    assert execute(container, ["ls"]) == (NOT_RUNNING, "container is not running")
