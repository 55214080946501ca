"""Databases and roles of the stack's own Postgres server: SQL run as the OS user postgres over the local socket.

So no superuser has a password or a way in over the network, and a server whose old data came with unknown passwords is
provisioned like a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import pulumi
from docker.models.containers import Container
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from slipway.core import postgres, superuser
from slipway.core.provisioning import locking_sql
from slipway.engine.containers import Properties, connect, find, log_tail
from slipway.engine.errors import Failure
from slipway.engine.execution import execute, run_with_input
from slipway.engine.progress import say, wait
from slipway.providers.cluster import CLUSTER, cluster, with_cluster, without_cluster
from slipway.providers.provider import Provider, changes, recorded

ENDED = {"exited", "dead"}
DOES_NOT_RUN = {*ENDED, "created", "restarting"}
RESTARTS = 2
"""How often a server may end while it is waited for: once by accident, but not again and again."""
PSQL = [
    "psql",
    "--no-psqlrc",
    "--quiet",
    "--set=ON_ERROR_STOP=1",
    "--set=VERBOSITY=terse",
    "--dbname=postgres",
    "--file=-",
]
"""Terse: a verbose error quotes the statement, passwords and all."""
SESSION = {
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_duration": "off",
    "client_min_messages": "warning",
    "lock_timeout": "30s",
    "statement_timeout": "60s",
}
"""The server's log would keep a failed statement, and some settings every statement, passwords and all."""
SECRET = re.compile(r"(?i)(?:\bpassword|\\set\s+\S+)\s+'((?:[^']|'')+)'")


class Ended(Failure):
    """The server is not there to be waited for."""

    __module__ = "builtins"


class DatabaseRolesProvider(Provider):
    """Runs the SQL again when it, the container or a trigger changed. Never removes anything: databases are data.

    Tells it whether this stack ran it before, and of which services the generation changed since. Records whose data it
    met, and runs the SQL again on any other: a volume that was emptied or exchanged.
    """

    work: ClassVar = ("container", "sql", "triggers")

    def id(self, _props: Properties) -> str:
        return "database-roles"

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        if CLUSTER not in olds:
            return DiffResult(changes=True, replaces=[], delete_before_replace=False)
        return super().diff(id_, without_cluster(olds), without_cluster(news))

    def create(self, props: Properties) -> CreateResult:
        self.do({}, props)
        return CreateResult(self.id(props), with_cluster(props))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        if CLUSTER not in olds or changes(olds, news) & set(self.work):
            self.do(without_cluster(olds), news)
            return UpdateResult(with_cluster(news))
        return UpdateResult({**without_cluster(news), CLUSTER: olds[CLUSTER]})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Without the cluster where it is another one: then the next `up` does the work again."""
        with connect(props["engine"]) as client:
            container = find(client, props["container"])
            found = cluster(container) if container and container.status == "running" else ""
        same = not found or found == props.get(CLUSTER)
        return ReadResult(id_, recorded(props) if same else without_cluster(props))

    def do(self, olds: Properties, news: Properties) -> None:
        before, now = olds.get("generations", {}), news.get("generations", {})
        if olds and "generations" not in olds and any(now.values()):
            raise Failure(
                "this stack was brought up by a Slipway that could not rotate, and nothing would lock the logins "
                "in use: take `rotations` of databases out of its settings, bring it up, and rotate then"
            )
        rotated = sorted(service for service in before.keys() & now.keys() if before[service] != now[service])
        settled = not olds or olds.get("limits") == news.get("limits")
        variables = {"settled": str(settled).lower(), "fresh": str(not olds).lower(), "rotated": ",".join(rotated)}
        with connect(news["engine"]) as client:
            if (container := find(client, news["container"])) is None:
                raise Failure(f"there is no Postgres container {news['container']}")
            wait_for_server(container, float(news["timeout"]))
            run_sql(container, news["sql"], "provisioning the databases", variables)
            say(f"{container.name}: databases and roles are as declared")

    def delete(self, _id: str, _props: Properties) -> None:
        """Databases and roles stay with the data."""


class DatabaseLoginProvider(Provider):
    """Does nothing while the login is in use, and locks it when the resource is deleted.

    It was opened by DatabaseRoles, before anything could use it. Where there is no server, or it was stopped, or ends
    again and again (a full disk), nothing can be locked: who takes a stack down finds its logins closed when it comes
    up again.
    """

    identity: ClassVar = ("role",)

    def id(self, props: Properties) -> str:
        return str(props["role"])

    def do(self, _olds: Properties, _news: Properties) -> None:
        """The role and its password are DatabaseRoles'."""

    def delete(self, _id: str, props: Properties) -> None:
        with connect(props["engine"]) as client:
            container = find(client, props["container"])
            if container is None or container.status in DOES_NOT_RUN:
                say(f"{props['role']} is not locked: its server does not run")
                return
            try:
                wait_for_server(container, float(props["timeout"]))
            except Ended:
                say(f"{props['role']} is not locked: its server does not stay up")
                return
            run_sql(container, locking_sql(props["role"]), f"locking {props['role']}")
            say(f"{container.name}: the login {props['role']} is locked")


def run_sql(container: Container, sql: str, what: str, variables: Mapping[str, str] | None = None) -> None:
    """As the superuser, with these variables of psql. Raises Failure, in which no password is quoted."""
    environment = {"PGOPTIONS": superuser.pgoptions(SESSION)}
    command = [*PSQL, *(f"--set={name}={value}" for name, value in (variables or {}).items())]
    code, output = run_with_input(container, command, sql, user="postgres", environment=environment)
    if code:
        raise Failure(f"{what} failed (psql exit code {code}):\n{masked(output, sql)}")


def wait_for_server(container: Container, seconds: float) -> None:
    """Waits until the server answers over TCP: on an empty volume a temporary one answers on the socket first.

    Raises Ended when it was stopped, or ends again and again; Failure after `seconds`.
    """
    ended_before = int(container.attrs["RestartCount"])

    def answers() -> bool:
        container.reload()
        if container.status in ENDED:
            raise Ended(f"Postgres ended. Its last lines:\n{log_tail(container)}")
        if int(container.attrs["RestartCount"]) >= ended_before + RESTARTS:
            raise Ended(f"Postgres ends as soon as it is started. Its last lines:\n{log_tail(container)}")
        if container.status != "running":
            return False
        return execute(container, postgres.READY, user="postgres")[0] == 0

    wait(
        answers,
        seconds,
        lambda: f"Postgres did not answer within {seconds:g} s. Its last lines:\n{log_tail(container)}",
    )


def masked(output: str, sql: str) -> str:
    """psql's words without the passwords that the SQL sets, whatever they quote."""
    for secret in sorted(SECRET.findall(sql), key=len, reverse=True):
        output = output.replace(secret, "…")
    return output.strip()


class DatabaseRoles(Resource, module="slipway", name="DatabaseRoles"):
    """What `sql` (safe to repeat; kept secret) makes on the server in `container`.

    `container` is the id of the Postgres container, so that a new container is provisioned again; `triggers` are
    further identities. `generations` are those of the services' logins, `limits` their limits of connections: one that
    goes down does so with a later run, because the containers in service count on it until the switch. `timeout` is how
    many seconds the server may take to answer. `cluster` tells one server's data from any other: its system identifier.
    """

    cluster: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        container: pulumi.Input[str],
        sql: pulumi.Input[str],
        generations: Mapping[str, int] | None = None,
        limits: Mapping[str, int] | None = None,
        triggers: Mapping[str, pulumi.Input[str]] | None = None,
        timeout: float = 120,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "container": container,
            "sql": pulumi.Output.secret(sql),
            "generations": dict(generations or {}),
            "limits": dict(limits or {}),
            "triggers": dict(triggers or {}),
            "timeout": timeout,
            CLUSTER: None,
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["sql"])
        super().__init__(DatabaseRolesProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


class DatabaseLogin(Resource, module="slipway", name="DatabaseLogin"):
    """That a login `role` is in use. Deleting the resource locks it and ends its sessions.

    `container` is the name of the Postgres container. Whatever logs in by the role depends on this resource, so that it
    is deleted later. `timeout` as in DatabaseRoles.
    """

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        container: str,
        role: str,
        timeout: float = 120,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        described = {"engine": engine, "container": container, "role": role, "timeout": timeout}
        super().__init__(DatabaseLoginProvider(), name, described, opts)
