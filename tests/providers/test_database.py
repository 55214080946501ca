"""Provisioning of a real Postgres server."""

from __future__ import annotations

import io
import os
import secrets
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core import postgres, superuser
from slipway.core.provisioning import ServiceDatabase, login, provisioning_sql
from slipway.engine.errors import Failure
from slipway.engine.schema import fingerprint
from slipway.providers.database import DatabaseLoginProvider, DatabaseRolesProvider, masked
from slipway.site.database import PostgresSettings, Preload
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

SERVICE = "photos"
USER = login(SERVICE, "runtime", "a")


def start(name: str) -> Container:
    """A server on an empty volume, as it is configured in a stack; it has only begun to start when this returns."""
    script = """
        printf %s "$HBA" > /tmp/pg_hba.conf
        echo 'SELECT pg_sleep(3);' > /docker-entrypoint-initdb.d/slow.sql
        exec docker-entrypoint.sh "$@"
        """
    command = [argument.replace(postgres.HBA_FILE, "/tmp/pg_hba.conf") for argument in postgres.command(SETTINGS)]
    return engine.client().containers.run(
        base_image("postgres"),
        ["-c", script, "sh", *command],
        entrypoint=["sh"],
        name=f"{name}-postgres",
        environment={
            "HBA": postgres.pg_hba(),
            "POSTGRES_PASSWORD": "unused",
            "POSTGRES_INITDB_ARGS": postgres.initdb_args(),
        },
        detach=True,
    )


SETTINGS = PostgresSettings(memory=128, max_connections=20, preload=(Preload.PG_STAT_STATEMENTS,))


@pytest.fixture(scope="module")
def server() -> Iterator[Container]:
    name = f"providers-{secrets.token_hex(4)}"
    yield start(name)
    engine.remove_all(name)


def wanted(server: Container, password: str = "a", **changes: Any) -> dict[str, Any]:
    database = ServiceDatabase(service=SERVICE, connections=5, passwords={USER: password})
    props = {
        "engine": os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
        "container": server.id,
        "sql": provisioning_sql([database]),
        "triggers": {"volume": "first"},
        "timeout": 60.0,
    }
    return props | changes


def identifier(server: Container) -> str:
    asked = ["psql", "-XqtAc", "SELECT system_identifier FROM pg_control_system()"]
    output = server.exec_run(asked, user="postgres").output
    assert isinstance(output, bytes)
    return output.decode().strip()


def logs_in(server: Container, password: str) -> bool:
    """Over TCP from another address than loopback, as a service does."""
    command = ["psql", "-XqtAc", "SELECT 1", "-h", engine.address(server), "-U", USER, SERVICE]
    return server.exec_run(command, environment={"PGPASSWORD": password}).exit_code == 0


def test_a_server_that_is_just_being_made_is_waited_for(server: Container) -> None:
    made = DatabaseRolesProvider().create(wanted(server))
    assert "FATAL" not in server.logs().decode()
    assert server.exec_run(["pg_isready", "-h", "127.0.0.1"]).exit_code == 0, "a temporary server was provisioned"
    assert made.outs == wanted(server) | {"cluster": identifier(server)}
    assert logs_in(server, "a")
    assert not logs_in(server, "b")


def test_a_changed_password_is_set_and_repeating_changes_nothing(server: Container) -> None:
    provider, old, new = DatabaseRolesProvider(), wanted(server), wanted(server, "b")
    provider.create(old)
    assert provider.diff("", old, new).changes
    provider.update("", old, new)
    provider.create(new)
    assert logs_in(server, "b")
    assert not logs_in(server, "a")


def test_a_new_container_or_volume_is_provisioned_again_and_a_new_time_limit_is_not(server: Container) -> None:
    provider, old = DatabaseRolesProvider(), wanted(server, "c", cluster=identifier(server))
    provider.create(wanted(server, "elsewhere"))
    later = old | {"timeout": 5}
    assert provider.update("", old, later).outs == later
    assert not logs_in(server, "c")
    provider.update("", old, old | {"triggers": {"volume": "second"}})
    assert logs_in(server, "c")
    assert "container" in provider.work
    assert provider.diff("", old, wanted(server, "c")).changes is False


def test_a_lower_limit_of_connections_waits_until_the_containers_in_service_have_gone(server: Container) -> None:
    provider = DatabaseRolesProvider()

    def limited(connections: int, **changes: Any) -> dict[str, Any]:
        database = ServiceDatabase(service=SERVICE, connections=connections, passwords={USER: "a"})
        return wanted(server, sql=provisioning_sql([database]), limits={SERVICE: float(connections)}, **changes)

    def limit() -> str:
        asked = ["psql", "-XqtAc", f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{USER}'"]
        output = server.exec_run(asked, user="postgres").output
        assert isinstance(output, bytes)
        return output.decode().strip()

    provider.create(limited(9))
    assert limit() == "9"
    lower = provider.update("", provider.create(limited(9)).outs or {}, limited(4)).outs or {}
    assert limit() == "9", "the containers of the release before may still open that many"
    higher = provider.update("", lower, limited(12)).outs or {}
    assert limit() == "12"
    lower = provider.update("", higher, limited(4)).outs or {}
    provider.update("", lower, limited(4, triggers={"volume": "another"}))
    assert limit() == "4"


def test_another_servers_data_is_provisioned_again_and_known_by_its_control_file(server: Container) -> None:
    provider = DatabaseRolesProvider()
    mine = provider.create(wanted(server, "mine")).outs or {}
    for other in ({**mine, "cluster": "1"}, {key: value for key, value in mine.items() if key != "cluster"}):
        found = provider.read("", other).outs or {}
        assert provider.diff("", found, wanted(server, "mine")).changes
    assert provider.read("", mine).outs == mine
    taken_over = {key: value for key, value in wanted(server, "former").items() if key != "cluster"}
    assert provider.update("", taken_over, wanted(server, "mine")).outs == mine
    chunks, _ = server.get_archive(f"{postgres.DATA}/{postgres.CONTROL_FILE}")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        control = archive.extractfile("pg_control")
        assert control
        assert postgres.system_identifier(control.read()) == mine["cluster"]


@pytest.mark.parametrize(("made", "code"), [(None, 0), ("16", 1), ("17", 0)])
def test_the_trial_of_a_server_reads_its_datas_version(server: Container, made: str | None, code: int) -> None:
    """Beside the server that runs on the same data."""
    folder = "/tmp/data"
    written = f"rm -rf {folder}; cp -a {postgres.DATA} {folder}; printf %s '{made or ''}' > {folder}/PG_VERSION"
    server.exec_run(["sh", "-ec", written if made else f"rm -rf {folder}"], user="postgres")
    command = [part.replace(postgres.DATA, folder) for part in postgres.check_command(SETTINGS)]
    found, said = server.exec_run(command, user="postgres")
    assert (found, b"data in its volume is of Postgres 16" in said) == (code, bool(code)), said
    assert server.exec_run(postgres.check_command(SETTINGS), user="postgres").exit_code == 0


def test_the_password_is_neither_on_a_command_line_nor_in_the_servers_log_nor_in_an_error(server: Container) -> None:
    sql = "SELECT pg_sleep(1.5);\nALTER ROLE nobody_at_all PASSWORD 'hunter2-hunter2';"
    with ThreadPoolExecutor() as pool:
        running = pool.submit(DatabaseRolesProvider().create, wanted(server, sql=sql))
        seen = wait_until("psql runs", lambda: processes(server, "psql"), 10)
        with pytest.raises(Failure) as failure:
            running.result()
    assert "--file=-" in seen[0]
    assert "hunter2" not in seen[0]
    assert 'role "nobody_at_all" does not exist' in str(failure.value)
    assert "hunter2" not in str(failure.value)
    assert 'role "nobody_at_all" does not exist' in server.logs().decode()
    assert "hunter2" not in server.logs().decode()


def test_sql_that_does_not_end_is_an_error_and_no_endless_wait(server: Container) -> None:
    with pytest.raises(Failure, match="unterminated quoted string"):
        DatabaseRolesProvider().create(wanted(server, sql="SELECT 'it has no end;\n"))


def test_an_error_does_not_quote_the_statement(server: Container) -> None:
    with pytest.raises(Failure, match='column "nonsense" does not exist') as failure:
        DatabaseRolesProvider().create(wanted(server, sql="SELECT set_config('a.b', 'hunter2', nonsense);"))
    assert "hunter2" not in str(failure.value)
    assert "hunter2" not in server.logs().decode()


def processes(server: Container, program: str) -> list[str]:
    """The command lines of a program that runs in the container."""
    lines = [line for _, line in server.top(ps_args="-eo pid,args")["Processes"]]
    return [line for line in lines if program in line.split()[0]]


def test_statements_after_a_failed_one_are_not_run(server: Container) -> None:
    with pytest.raises(Failure, match="psql exit code 3"):
        DatabaseRolesProvider().create(wanted(server, sql="SELECT nonsense;\nCREATE DATABASE too_late;"))
    listed = server.exec_run(["psql", "-XqtAc", "SELECT datname FROM pg_database"], user="postgres").output
    assert b"too_late" not in listed


@pytest.mark.parametrize("sql", ["ALTER ROLE x LOGIN PASSWORD 'it''s';", "\\set word 'it''s'"])
def test_what_psql_quotes_of_a_password_is_masked(sql: str) -> None:
    assert masked("syntax error at or near \"it''s\"", sql) == 'syntax error at or near "…"'


def test_a_server_that_ended_is_not_waited_for(server: Container) -> None:
    name = f"providers-{secrets.token_hex(4)}"
    try:
        broken = engine.client().containers.run(
            base_image("postgres"), ["sh", "-c", "echo no space left; exit 1"], name=f"{name}-postgres", detach=True
        )
        broken.wait(timeout=20)
        with pytest.raises(Failure, match="no space left"):
            DatabaseRolesProvider().create(wanted(broken))
    finally:
        engine.remove_all(name)
    with pytest.raises(Failure, match="there is no Postgres container"):
        DatabaseRolesProvider().create(wanted(broken))


def test_deleting_keeps_the_data(server: Container) -> None:
    provider, props = DatabaseRolesProvider(), wanted(server, "kept")
    provider.create(props)
    provider.delete("", props)
    assert logs_in(server, "kept")


def execute(server: Container, sql: str) -> None:
    code, output = server.exec_run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", SERVICE, "-c", sql], user="postgres"
    )
    assert code == 0, output


@pytest.mark.parametrize(
    "migration",
    [
        "ALTER TABLE public.pictures ADD COLUMN title text",
        "ALTER TABLE public.pictures ALTER COLUMN size TYPE bigint",
        "ALTER TABLE public.pictures ALTER COLUMN size SET NOT NULL",
        "ALTER TABLE public.pictures ALTER COLUMN size SET DEFAULT 7",
        "CREATE INDEX by_size ON public.pictures (size)",
        "ALTER TABLE public.pictures ADD CONSTRAINT large CHECK (size > 7)",
        "CREATE TABLE public.other (id int)",
        "UPDATE public.alembic_version SET version_num = '2'",
    ],
)
def test_the_fingerprint_changes_with_each_migration_and_comes_back_with_the_schema(
    server: Container, migration: str
) -> None:
    DatabaseRolesProvider().create(wanted(server))
    execute(server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    execute(server, "CREATE TABLE public.pictures (id int PRIMARY KEY, size int)")
    execute(server, "CREATE TABLE public.alembic_version (version_num text)")
    execute(server, "INSERT INTO public.alembic_version VALUES ('1')")
    before = fingerprint(server, SERVICE)
    execute(server, "INSERT INTO public.pictures VALUES (1, 8)")
    assert before == fingerprint(server, SERVICE) != "", "rows are no schema"
    execute(server, migration)
    assert fingerprint(server, SERVICE) != before


def test_the_fingerprint_executes_nothing_that_the_owner_of_the_database_made(server: Container) -> None:
    """A view in place of alembic's table would run its functions as the superuser."""
    DatabaseRolesProvider().create(wanted(server))
    execute(server, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.seen (who text)")
    execute(
        server,
        "CREATE FUNCTION public.spy() RETURNS text LANGUAGE sql AS "
        "$$ INSERT INTO public.seen VALUES (current_user) RETURNING who $$;"
        "CREATE VIEW public.alembic_version AS SELECT public.spy() AS version_num;"
        "CREATE FUNCTION public.format_type(oid, int) RETURNS text LANGUAGE sql AS $$ SELECT public.spy() $$",
    )
    assert fingerprint(server, SERVICE)
    assert server.exec_run(["psql", "-XqAtc", "TABLE public.seen", SERVICE], user="postgres").output == b""


SPITE = [
    "SET role = 'photos_runtime'",
    "SET search_path = public, pg_catalog",
    "SET default_transaction_read_only = on",
    "SET standard_conforming_strings = off",
    "SET statement_timeout = '1ms'",
    "SET lock_timeout = '1ms'",
    "SET transaction_timeout = '1ms'",
    "SET restrict_nonsystem_relation_kind = 'view'",
    "SET local_preload_libraries = 'nowhere'",
    "ALLOW_CONNECTIONS false",
    "DROP SCHEMA public CASCADE",
]
"""What the owner of a database may do to every session in it, and to what provisioning expects there."""
PLANTED = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE public.seen (who text);
CREATE FUNCTION public.spy() RETURNS text LANGUAGE sql AS
    $$ INSERT INTO public.seen VALUES (current_user) RETURNING who $$;
CREATE FUNCTION public.lower(name) RETURNS text LANGUAGE sql AS $$ SELECT public.spy() $$;
"""


@pytest.mark.parametrize("spite", SPITE)
def test_an_owner_cannot_keep_the_superuser_from_its_work(server: Container, spite: str) -> None:
    DatabaseRolesProvider().create(wanted(server))
    inside = spite.startswith("DROP")
    statement = spite if inside else f"ALTER DATABASE {SERVICE} {spite}"
    as_owner = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", SERVICE if inside else "postgres"]
    code, said = server.exec_run([*as_owner, "-c", f"SET ROLE {SERVICE}_owner", "-c", statement], user="postgres")
    assert code == 0, said
    try:
        DatabaseRolesProvider().create(wanted(server, "after"))
        assert fingerprint(server, SERVICE)
        DatabaseLoginProvider().delete("", {**wanted(server), "role": USER})
        assert not logs_in(server, "after")
    finally:
        undo = ["psql", "-XqAtd", "postgres", "-c", f"ALTER DATABASE {SERVICE} RESET ALL"]
        server.exec_run(undo, user="postgres")


def test_a_superusers_session_runs_nothing_that_an_owner_planted(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server))
    execute(server, PLANTED)
    asked = ["psql", "-XqAt", "-d", SERVICE, "-c", "SELECT lower(current_user), current_setting('search_path')"]
    seen = ["psql", "-XqtAc", "TABLE public.seen", SERVICE]
    own = {"PGOPTIONS": superuser.pgoptions()}
    code, said = server.exec_run(asked, user="postgres", environment=own)
    assert (code, said) == (0, b"postgres|pg_catalog,pg_temp\n")
    assert server.exec_run(seen, user="postgres").output == b""
    server.exec_run(asked, user="postgres")
    assert server.exec_run(seen, user="postgres").output == b"postgres\n", "what a plain session runs"


def test_a_library_that_was_asked_for_is_loaded(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server))
    execute(server, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public; TABLE public.pg_stat_statements")


def test_there_is_no_fingerprint_of_a_database_that_is_not_there(server: Container) -> None:
    DatabaseRolesProvider().create(wanted(server))
    assert fingerprint(server, "nobody") == ""
