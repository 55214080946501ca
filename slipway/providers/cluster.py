"""Which cluster a Postgres server works on: the identity that initdb gave its data, in the state with what was made."""

from __future__ import annotations

from docker.models.containers import Container

from slipway.engine.containers import Properties, connect, find
from slipway.engine.execution import execute
from slipway.engine.progress import wait
from slipway.providers.provider import recorded

CLUSTER = "cluster"
"""The output that no input answers to: the identity that initdb gave the data."""
ASK_CLUSTER = ["psql", "-XqtA", "-d", "postgres", "-c", "SELECT system_identifier FROM pg_control_system()"]
SECONDS = 30.0
"""How long a server that has just been provisioned is asked again: a busy engine fails a command now and then."""


def cluster(server: Container) -> str:
    """The identity of the server's data; "" where it does not answer."""
    return _asked(server)[0]


def with_cluster(props: Properties) -> Properties:
    """What is recorded of a server that has just been provisioned. Raises Failure where it does not answer."""
    said = ""

    def identity() -> str:
        nonlocal said
        server = find(client, props["container"])
        known, said = _asked(server) if server else ("", "there is no such container")
        return known

    with connect(props["engine"]) as client:
        provisioned = wait(
            identity,
            SECONDS,
            lambda: (
                f"the databases are made, but the Postgres container {props['container']} does not say whose data "
                f"it has: {said}"
            ),
        )
    return {**without_cluster(props), CLUSTER: provisioned}


def _asked(server: Container) -> tuple[str, str]:
    """The identity, "" where there was none, and how psql ended."""
    code, printed = execute(server, ASK_CLUSTER, user="postgres")
    return "" if code else printed.strip(), f"psql ended with exit code {code}: {printed.strip() or 'no output'}"


def without_cluster(props: Properties) -> Properties:
    return {name: value for name, value in recorded(props).items() if name != CLUSTER}
