"""The Docker engine that a command talks to, wherever it is."""

from __future__ import annotations

import atexit
from contextlib import ExitStack

from docker import DockerClient
from docker.errors import DockerException

from slipway.cli.errors import CliError, Code
from slipway.engine import connection
from slipway.engine.link import Link, LinkError, by_ssh, without_engine


def engine_client(address: str) -> DockerClient:
    """Of a server over SSH: by a connection that stands until the command ends. Raises CliError where none answers."""
    link = Link(address) if by_ssh(address) else None
    try:
        if link:
            until_the_end = ExitStack()
            atexit.register(until_the_end.close)
            until_the_end.enter_context(link.held())
        return connection.client(address)
    except LinkError as error:
        raise CliError(str(error), *error.steps, code=Code.NOT_SET_UP) from error
    except DockerException as error:
        if link:
            cause = without_engine(link)
            raise CliError(str(cause), *cause.steps, code=Code.NOT_SET_UP) from error
        raise CliError(
            f"no Docker engine answers at {address}: {error}", "make doctor", code=Code.NOT_SET_UP
        ) from error
