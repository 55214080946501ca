"""A command inside a container, which may end at any moment; also one that reads its input from here, for what must not
be an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import APIError
from docker.models.containers import Container
from docker.utils import socket

COUNTED = 'length=$1; shift; head -c "$length" | "$@"'
"""Ends the command's input after so many bytes: not every kind of connection to the engine can be closed by half."""

UNKNOWN = 255
"""Stands for an exit code that nobody knows: the engine has none where it went away itself, or the container did,
before the command had ended."""
NOT_RUNNING = 125
"""Stands for the exit code of a command where the container does not run, as in `docker run`."""


def execute(container: Container, command: Sequence[str], user: str = "") -> tuple[int, str]:
    """Exit code and output (both streams) of `command`; NOT_RUNNING and the engine's words where none was started."""
    try:
        result: Any = container.exec_run(list(command), user=user)
    except APIError as error:
        return NOT_RUNNING, str(error.explanation)
    return exit_code(result.exit_code), result.output.decode(errors="replace")


def run_with_input(
    container: Container,
    command: Sequence[str],
    text: str,
    *,
    user: str,
    environment: Mapping[str, str],
) -> tuple[int, str]:
    """Exit code and output (both streams) of `command`, whose standard input is `text`. The container needs `sh`."""
    assert container.client is not None
    api: Any = container.client.api  # the types do not know what is used of docker-py here
    frames: Any = socket.frames_iter
    data = text.encode()
    counted = ["sh", "-c", COUNTED, "sh", str(len(data)), *command]
    made = api.exec_create(container.id, counted, stdin=True, user=user, environment=dict(environment))
    stream = api.exec_start(made["Id"], socket=True)
    try:
        # A plain socket comes wrapped for reading only; the TLS and ssh ones as they are.
        getattr(stream, "_sock", stream).sendall(data)
        output = b"".join(part for _, part in frames(stream, tty=False))
    finally:
        stream.close()
    return exit_code(api.exec_inspect(made["Id"])["ExitCode"]), output.decode(errors="replace")


def exit_code(known: int | None) -> int:
    return UNKNOWN if known is None else known
