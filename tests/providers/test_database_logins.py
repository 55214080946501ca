"""Logins take turns on a real Postgres server: one is opened while the other still works, then that one is locked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core.provisioning import ServiceDatabase, login, provisioning_sql, slot
from slipway.engine.errors import Failure
from slipway.providers.database import DatabaseLoginProvider, DatabaseRolesProvider, wait_for_server
from tests.providers.test_database import start
from tests.providers.test_database import wanted as provisioned
from tests.support import engine
from tests.support.waiting import wait_until

SERVICE = "photos"


@pytest.fixture(scope="module")
def server() -> Iterator[Container]:
    name = f"providers-{secrets.token_hex(4)}"
    yield start(name)
    engine.remove_all(name)


def role(generation: int) -> str:
    return login(SERVICE, "runtime", slot(generation))


def password(generation: int) -> str:
    return f"password-{generation}"


def wanted(server: Container, generation: int, **changes: Any) -> dict[str, Any]:
    """The inputs of DatabaseRoles after so many rotations."""
    database = ServiceDatabase(service=SERVICE, connections=5, passwords={role(generation): password(generation)})
    inputs = {"sql": provisioning_sql([database]), "generations": {SERVICE: float(generation)}}
    return provisioned(server) | inputs | changes


def held(server: Container, generation: int) -> dict[str, Any]:
    """The inputs of DatabaseLogin."""
    address = provisioned(server)["engine"]
    return {"engine": address, "container": server.name, "role": role(generation), "timeout": 60.0}


def logs_in(server: Container, generation: int) -> bool:
    """Over TCP from another address than loopback, as a service does."""
    command = ["psql", "-XqtAc", "SELECT 1", "-h", engine.address(server), "-U", role(generation), SERVICE]
    return server.exec_run(command, environment={"PGPASSWORD": password(generation)}).exit_code == 0


def test_a_new_stack_has_one_login_open_and_locks_those_that_an_earlier_one_left(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server, 1))
    assert logs_in(server, 1)
    DatabaseRolesProvider().create(wanted(server, 0))
    assert logs_in(server, 0)
    assert not logs_in(server, 1), "the state was lost: nothing that is known uses it"


def test_both_logins_work_until_the_former_is_locked_with_the_sessions_that_it_has(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server, 0))
    DatabaseRolesProvider().update("", wanted(server, 0), wanted(server, 1))
    assert (logs_in(server, 0), logs_in(server, 1)) == (True, True)
    sleeping = ["psql", "-XqtAc", "SELECT pg_sleep(60)", "-h", engine.address(server), "-U", role(0), SERVICE]
    session = server.client.api.exec_create(server.id, sleeping, environment={"PGPASSWORD": password(0)})  # type: ignore[union-attr]
    server.client.api.exec_start(session["Id"], detach=True)  # type: ignore[union-attr]
    wait_until("it is there", lambda: sessions(server, 0) == 1, 10)

    DatabaseLoginProvider().delete("", held(server, 0))

    wait_until("it is thrown out", lambda: sessions(server, 0) == 0, 5)
    assert (logs_in(server, 0), logs_in(server, 1)) == (False, True)
    DatabaseLoginProvider().delete("", held(server, 0))


def test_provisioning_again_does_not_open_a_locked_login(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server, 0))
    DatabaseRolesProvider().update("", wanted(server, 0), wanted(server, 1))
    DatabaseLoginProvider().delete("", held(server, 0))
    DatabaseRolesProvider().update("", wanted(server, 1), wanted(server, 1, triggers={"volume": "another"}))
    assert (logs_in(server, 0), logs_in(server, 1)) == (False, True)


def test_provisioning_again_during_a_rotation_locks_nobody_out(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server, 0))
    DatabaseRolesProvider().update("", wanted(server, 0), wanted(server, 1))
    DatabaseRolesProvider().update("", wanted(server, 1), wanted(server, 1, triggers={"volume": "another"}))
    assert (logs_in(server, 0), logs_in(server, 1)) == (True, True)


@pytest.mark.parametrize("third", [2, 3])
def test_a_rotation_on_top_of_one_that_has_not_ended_is_refused_and_changes_nothing(
    server: Container, third: int
) -> None:
    first, second = third % 2, 1 - third % 2
    DatabaseRolesProvider().create(wanted(server, first))
    DatabaseRolesProvider().update("", wanted(server, first), wanted(server, second))
    with pytest.raises(Failure, match=f"the login {role(third)} is still in use: an earlier rotation has not ended"):
        DatabaseRolesProvider().update("", wanted(server, second), wanted(server, third))
    assert (logs_in(server, first), logs_in(server, second), logs_in(server, third)) == (True, True, False)
    DatabaseLoginProvider().delete("", held(server, first))
    DatabaseRolesProvider().update("", wanted(server, second), wanted(server, third))
    assert logs_in(server, third)


def test_a_rotation_that_did_not_end_can_be_taken_back(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server, 0))
    DatabaseRolesProvider().update("", wanted(server, 0), wanted(server, 1))
    DatabaseRolesProvider().update("", wanted(server, 1), wanted(server, 0))
    DatabaseLoginProvider().delete("", held(server, 1))
    assert (logs_in(server, 0), logs_in(server, 1)) == (True, False)


def test_a_service_that_comes_back_gets_its_login_whatever_was_left_of_it(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server, 0))
    elsewhere = wanted(server, 0, sql="SELECT 1;", generations={})
    again = wanted(server, 2)
    DatabaseRolesProvider().update("", elsewhere, again)
    assert logs_in(server, 2)


def test_a_stack_of_an_earlier_slipway_goes_on_with_its_login(server: Container) -> None:
    earlier = {name: value for name, value in wanted(server, 0).items() if name != "generations"}
    DatabaseRolesProvider().create(earlier)
    with pytest.raises(Failure, match="bring it up, and rotate then"):
        DatabaseRolesProvider().update("", earlier, wanted(server, 1))
    assert (logs_in(server, 0), logs_in(server, 1)) == (True, False)
    DatabaseRolesProvider().update("", earlier, wanted(server, 0))
    assert logs_in(server, 0)
    DatabaseRolesProvider().update("", wanted(server, 0), wanted(server, 1))
    assert (logs_in(server, 0), logs_in(server, 1)) == (True, True)


def test_a_server_that_is_gone_or_was_stopped_does_not_keep_a_stack_from_being_taken_down(place: Any) -> None:
    stopped = engine.client().containers.create(place.image, ["true"], name=f"{place.name}-postgres")
    begun = time.monotonic()
    DatabaseLoginProvider().delete("", held(stopped, 0))
    stopped.remove()
    DatabaseLoginProvider().delete("", held(stopped, 0) | {"engine": place.engine})
    assert time.monotonic() - begun < 5


def test_a_server_that_ends_again_and_again_does_not_either_and_is_not_waited_for(place: Any) -> None:
    crashing = engine.client().containers.run(
        place.image,
        ["sh", "-c", "sleep 0.3; exit 1"],
        name=f"{place.name}-postgres",
        restart_policy={"Name": "always", "MaximumRetryCount": 0},
        detach=True,
    )
    begun = time.monotonic()
    DatabaseLoginProvider().delete("", held(crashing, 0))
    with pytest.raises(Failure, match="Postgres ends as soon as it is started"):
        wait_for_server(crashing, 60)
    assert time.monotonic() - begun < 20


def sessions(server: Container, generation: int) -> int:
    ask = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role(generation)}'"
    output: Any = server.exec_run(["psql", "-XqtAc", ask], user="postgres").output
    return int(output)
