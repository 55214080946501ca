"""Which cluster a Postgres server works on: the identity that initdb gave its data, in the state with what was made."""

from __future__ import annotations

from docker.models.containers import Container

from slipway.providers.engine import Failure, Properties, connect, find, recorded
from slipway.providers.execution import execute

CLUSTER = "cluster"
"""The output that no input answers to: the identity that initdb gave the data."""
ASK_CLUSTER = ["psql", "-XqtA", "-d", "postgres", "-c", "SELECT system_identifier FROM pg_control_system()"]


def cluster(server: Container) -> str:
    """The identity of the server's data; "" where it does not answer."""
    code, printed = execute(server, ASK_CLUSTER, user="postgres")
    return "" if code else printed.strip()


def with_cluster(props: Properties) -> Properties:
    """What is recorded of a server that has just been provisioned."""
    with connect(props["engine"]) as client:
        container = find(client, props["container"])
        found = cluster(container) if container else ""
    if not found:
        raise Failure(f"the Postgres container {props['container']} went away while its databases were made")
    return {**without_cluster(props), CLUSTER: found}


def without_cluster(props: Properties) -> Properties:
    return {name: value for name, value in recorded(props).items() if name != CLUSTER}
