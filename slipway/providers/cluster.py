"""Which cluster a Postgres server works on: the identity that initdb gave its data, in the state with what was made."""

from __future__ import annotations

from docker.models.containers import Container

from slipway.engine.containers import Properties, connect, find
from slipway.engine.execution import NOT_RUNNING, execute
from slipway.engine.progress import wait
from slipway.providers.provider import recorded

CLUSTER = "cluster"
"""The output that no input answers to: the identity that initdb gave the data."""
ASK_CLUSTER = ["psql", "-XqtA", "-d", "postgres", "-c", "SELECT system_identifier FROM pg_control_system()"]
SECONDS = 30.0
"""How long a server that has just been provisioned is asked again: a busy engine fails a command now and then."""


def cluster(server: Container) -> str:
    """The identity of the server's data; "" where it does not answer."""
    code, printed = execute(server, ASK_CLUSTER, user="postgres")
    return "" if code else printed.strip()


def with_cluster(props: Properties) -> Properties:
    """What is recorded of a server that has just been provisioned. Raises Failure where it does not answer."""
    refusal = ""

    def identity() -> str:
        nonlocal refusal
        server = find(client, props["container"])
        code, printed = (
            execute(server, ASK_CLUSTER, user="postgres") if server else (NOT_RUNNING, "there is no such container")
        )
        refusal = f"exit code {code}: {printed.strip() or 'no output'}"
        return "" if code else printed.strip()

    with connect(props["engine"]) as client:
        provisioned = wait(
            identity,
            SECONDS,
            lambda: (
                f"the databases are made, but the Postgres container {props['container']} does not say whose data "
                f"it has (psql ended with {refusal})"
            ),
        )
    return {**without_cluster(props), CLUSTER: provisioned}


def without_cluster(props: Properties) -> Properties:
    return {name: value for name, value in recorded(props).items() if name != CLUSTER}
