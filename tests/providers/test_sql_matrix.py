"""Who may do what in the stack's Postgres: a table of roles and actions, each tried on a real server from another
container, as a service would.

`stock` has migrations: its owner changes tables, its runtime fills them. `shop` has none and one login for both.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core.postgres import CONSOLE_ROLE, HEALTH_ROLE
from slipway.core.provisioning import ServiceDatabase, console, login, provisioning_sql
from slipway.providers.database import DatabaseLoginProvider, DatabaseRolesProvider
from tests.providers.test_database import start
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

OWNER, OTHER_OWNER = login("stock", "owner", "a"), login("stock", "owner", "b")
RUNTIME, LOCKED = login("stock", "runtime", "a"), login("stock", "runtime", "b")
SHOP = login("shop", "owner", "a")
CONSOLE = console("stock")
ROLES = (OWNER, OTHER_OWNER, RUNTIME, LOCKED, SHOP, CONSOLE, "postgres", HEALTH_ROLE)
PASSWORDS = {role: f"of-{role}" for role in ROLES}
TABLES = "CREATE TABLE IF NOT EXISTS goods (id serial PRIMARY KEY, name text); INSERT INTO goods (name) VALUES ('a')"
NOT_PUBLIC = "SELECT 1 / (NOT has_table_privilege('public', 'goods', 'SELECT'))::int"

OK = ""
"""What a refusal says; nothing where the action is needed."""
DENIED, OWNED, NO_LOGIN, WRONG, NO_CONNECT, HBA = (
    "permission denied",
    "must be owner",
    "is not permitted to log in",
    "password authentication failed",
    "permission denied for database",
    "pg_hba.conf rejects connection",
)
MATRIX = [
    # who, in which database, does what, and is refused with which words
    # -- the owner's login: a migration
    (OWNER, "stock", "CREATE TABLE made (id int); ALTER TABLE made ADD name text; DROP TABLE made", OK),
    (OWNER, "stock", "CREATE INDEX ON goods (name)", OK),
    (OWNER, "stock", "CREATE VIEW seen AS SELECT 1; DROP VIEW seen", OK),
    (OWNER, "stock", "CREATE TYPE kind AS ENUM ('a'); DROP TYPE kind", OK),
    (OWNER, "stock", "CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1; DROP FUNCTION one()", OK),
    (OWNER, "stock", "CREATE SCHEMA apart; DROP SCHEMA apart", OK),
    (OWNER, "stock", "INSERT INTO goods (name) VALUES ('b'); UPDATE goods SET name = 'c'; DELETE FROM goods", OK),
    (OWNER, "stock", "SELECT pg_advisory_lock(1)", OK),
    (OWNER, "stock", "TRUNCATE goods", OK),
    (OTHER_OWNER, "stock", "ALTER TABLE goods ADD more text; ALTER TABLE goods DROP more", OK),
    (OWNER, "stock", "SELECT 1 / (current_user = 'stock_owner')::int", OK),
    (OWNER, "stock", "CREATE ROLE another", DENIED),
    (OWNER, "stock", "CREATE DATABASE another", DENIED),
    (OWNER, "stock", f"ALTER ROLE {OWNER} SUPERUSER", DENIED),
    (OWNER, "stock", f"ALTER ROLE {RUNTIME} PASSWORD 'mine'", DENIED),
    (OWNER, "stock", f"GRANT stock_owner TO {SHOP}", DENIED),
    (OWNER, "stock", "SET ROLE postgres", DENIED),
    (OWNER, "stock", "SET ROLE shop_owner", DENIED),
    (OWNER, "stock", "SET SESSION AUTHORIZATION postgres", DENIED),
    (OWNER, "stock", "DROP DATABASE stock", "cannot drop the currently open database"),
    (OWNER, "stock", "DROP DATABASE shop", OWNED),
    (OWNER, "stock", "ALTER SYSTEM SET log_statement = 'all'", DENIED),
    (OWNER, "stock", "SET log_statement = 'none'", DENIED),
    (OWNER, "stock", "CREATE EXTENSION file_fdw", DENIED),
    (OWNER, "stock", "CREATE FUNCTION c() RETURNS int LANGUAGE c AS 'x'", DENIED),
    (OWNER, "shop", "SELECT 1", NO_CONNECT),
    (OWNER, "postgres", "SELECT 1", NO_CONNECT),
    (OWNER, "template1", "SELECT 1", NO_CONNECT),
    # -- the runtime's login beside migrations: the application
    (RUNTIME, "stock", "SELECT * FROM goods", OK),
    (RUNTIME, "stock", "INSERT INTO goods (name) VALUES ('d') RETURNING id", OK),
    (RUNTIME, "stock", "UPDATE goods SET name = 'e'; DELETE FROM goods WHERE name = 'e'", OK),
    (RUNTIME, "stock", "SELECT * FROM goods FOR UPDATE", OK),
    (RUNTIME, "stock", "SELECT nextval('goods_id_seq')", OK),
    (RUNTIME, "stock", "CREATE TEMPORARY TABLE short (id int)", OK),
    (RUNTIME, "stock", "LISTEN news; NOTIFY news", OK),
    (RUNTIME, "stock", "SELECT pg_advisory_lock(1)", OK),
    (RUNTIME, "stock", "CREATE TABLE mine (id int)", DENIED),
    (RUNTIME, "stock", "CREATE SCHEMA mine", DENIED),
    (RUNTIME, "stock", "CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1", DENIED),
    (RUNTIME, "stock", "ALTER TABLE goods ADD mine text", OWNED),
    (RUNTIME, "stock", "DROP TABLE goods", OWNED),
    (RUNTIME, "stock", "TRUNCATE goods", DENIED),
    (RUNTIME, "stock", "CREATE INDEX ON goods (name)", OWNED),
    (
        RUNTIME,
        "stock",
        "CREATE TRIGGER t AFTER INSERT ON goods EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        DENIED,
    ),
    (RUNTIME, "stock", f"GRANT SELECT ON goods TO PUBLIC; {NOT_PUBLIC}", OK),  # a warning, and nothing is granted
    (RUNTIME, "stock", "SET ROLE stock_owner", DENIED),
    (RUNTIME, "stock", f"SET ROLE {OWNER}", DENIED),
    (RUNTIME, "stock", "SET ROLE postgres", DENIED),
    (RUNTIME, "stock", "CREATE ROLE another", DENIED),
    (RUNTIME, "stock", "CREATE DATABASE another", DENIED),
    (RUNTIME, "stock", "DROP DATABASE stock", OWNED),
    (RUNTIME, "stock", "ALTER DATABASE stock SET work_mem = '1GB'", OWNED),
    (RUNTIME, "stock", "SELECT rolpassword FROM pg_authid", DENIED),
    (RUNTIME, "stock", "SELECT passwd FROM pg_shadow", DENIED),
    (RUNTIME, "stock", "SELECT pg_read_file('/etc/slipway/superuser-password')", DENIED),
    (RUNTIME, "stock", "SELECT pg_ls_dir('/')", DENIED),
    (RUNTIME, "stock", "SELECT lo_import('/etc/passwd')", DENIED),
    (RUNTIME, "stock", "COPY goods FROM PROGRAM 'id'", DENIED),
    (RUNTIME, "stock", "COPY goods TO '/tmp/goods'", DENIED),
    (RUNTIME, "stock", "SELECT pg_reload_conf()", DENIED),
    (
        RUNTIME,
        "stock",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS DISTINCT FROM current_user",
        DENIED,
    ),
    (RUNTIME, "stock", "CHECKPOINT", DENIED),
    (RUNTIME, "shop", "SELECT 1", NO_CONNECT),
    (RUNTIME, "postgres", "SELECT 1", NO_CONNECT),
    (RUNTIME, "template1", "SELECT 1", NO_CONNECT),
    # -- a service without migrations makes its tables itself, in its own database only
    (SHOP, "shop", f"{TABLES}; DROP TABLE goods", OK),
    (SHOP, "stock", "SELECT 1", NO_CONNECT),
    (SHOP, "postgres", "SELECT 1", NO_CONNECT),
    (SHOP, "shop", "SET ROLE stock_owner", DENIED),
    (SHOP, "shop", "SET ROLE stock_runtime", DENIED),
    (SHOP, "shop", "CREATE ROLE another", DENIED),
    # -- nobody else comes in over a network
    (LOCKED, "stock", "SELECT 1", WRONG),
    ("stock_owner", "stock", "SELECT 1", WRONG),
    ("stock_runtime", "stock", "SELECT 1", WRONG),
    ("postgres", "postgres", "SELECT 1", HBA),
    ("postgres", "stock", "SELECT 1", HBA),
    (HEALTH_ROLE, "postgres", "SELECT 1", HBA),
    (HEALTH_ROLE, "stock", "SELECT 1", HBA),
    (CONSOLE, "stock", "SELECT 1", WRONG),
    ("nobody", "stock", "SELECT 1", WRONG),
]
INSIDE = [
    # as which user of the system, by which way, who, in which database, does what, and is refused with which words
    ("postgres", "socket", "postgres", "stock", "SELECT rolpassword FROM pg_authid LIMIT 1", OK),
    ("postgres", "127.0.0.1", HEALTH_ROLE, "postgres", "SELECT 1", OK),
    ("postgres", "127.0.0.1", "postgres", "postgres", "SELECT 1", HBA),
    ("postgres", "socket", OWNER, "stock", "SELECT 1", HBA),
    # -- an operator, as the owner of one database
    ("postgres", "socket", CONSOLE, "stock", "CREATE TABLE made (id int); DROP TABLE made; DROP TABLE goods", OK),
    ("postgres", "socket", CONSOLE, "stock", TABLES, OK),
    ("postgres", "socket", CONSOLE, "stock", "SELECT 1 / (current_user = 'stock_owner')::int", OK),
    ("postgres", "socket", CONSOLE, "stock", "CREATE EXTENSION pgcrypto; DROP EXTENSION pgcrypto", OK),
    ("postgres", "socket", CONSOLE, "stock", "CREATE EXTENSION file_fdw", DENIED),
    ("postgres", "socket", CONSOLE, "stock", "SET ROLE postgres", DENIED),
    ("postgres", "socket", CONSOLE, "stock", "SET SESSION AUTHORIZATION postgres", DENIED),
    ("postgres", "socket", CONSOLE, "stock", f"SET ROLE {OWNER}", DENIED),
    ("postgres", "socket", CONSOLE, "shop", "SELECT 1", NO_CONNECT),
    ("postgres", "socket", CONSOLE, "postgres", "SELECT 1", NO_CONNECT),
    ("postgres", "socket", CONSOLE_ROLE, "stock", "SELECT 1", NO_LOGIN),
    ("postgres", "127.0.0.1", CONSOLE, "stock", "SELECT 1", WRONG),
    ("postgres", "socket", HEALTH_ROLE, "postgres", "SELECT 1", HBA),
    ("postgres", "127.0.0.1", HEALTH_ROLE, "stock", "SELECT 1", HBA),
    ("postgres", "127.0.0.1", HEALTH_ROLE, "postgres", "CREATE TABLE mine (id int)", DENIED),
    ("postgres", "127.0.0.1", HEALTH_ROLE, "postgres", "SELECT rolpassword FROM pg_authid", DENIED),
    ("postgres", "127.0.0.1", HEALTH_ROLE, "postgres", "SET ROLE postgres", DENIED),
    ("postgres", "127.0.0.1", HEALTH_ROLE, "postgres", "CREATE ROLE another", DENIED),
    ("root", "socket", "postgres", "postgres", "SELECT 1", "Peer authentication failed"),
    ("nobody", "socket", "postgres", "postgres", "SELECT 1", "Peer authentication failed"),
]


@dataclass(frozen=True)
class Site:
    """The server, and a container beside it."""

    server: Container
    client: Container

    def query(self, role: str, database: str, sql: str) -> tuple[int, str]:
        return run(self.client, role, database, sql, engine.address(self.server))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    name = f"providers-{secrets.token_hex(4)}"
    try:
        server = start(name)
        client = engine.client().containers.run(
            base_image("postgres"), ["infinity"], entrypoint=["sleep"], name=f"{name}-client", detach=True
        )
        made = Site(server, client)
        address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        provision(server, address, OWNER, RUNTIME)
        assert made.query(OWNER, "stock", TABLES)[0] == 0
        provision(server, address, OTHER_OWNER, LOCKED, before={"generations": {}})
        held = {"engine": address, "container": server.name, "role": LOCKED, "timeout": 60.0}
        DatabaseLoginProvider().delete("", held)
        provision(server, address, OWNER, RUNTIME, before={"generations": {}})
        yield made
    finally:
        engine.remove_all(name)


def provision(server: Container, address: str, *stock: str, before: dict[str, Any] | None = None) -> None:
    declared = {"stock": stock, "shop": (SHOP,)}
    databases = [
        ServiceDatabase(service=service, connections=5, passwords={role: PASSWORDS[role] for role in roles})
        for service, roles in declared.items()
    ]
    inputs = {"engine": address, "container": server.id, "sql": provisioning_sql(databases), "timeout": 60.0}
    DatabaseRolesProvider().do(before or {}, inputs)


def run(container: Container, role: str, database: str, sql: str, host: str = "", user: str = "") -> tuple[int, str]:
    """Exit code and words of psql, with the password that the role would have."""
    way = ["-h", host] if host else []
    command = ["psql", "-XqtA", "-v", "ON_ERROR_STOP=1", *way, "-U", role, "-d", database, "-c", sql]
    result: Any = container.exec_run(command, environment={"PGPASSWORD": PASSWORDS.get(role, "any")}, user=user)
    return result.exit_code, result.output.decode().strip()


def judge(code: int, said: str, refusal: str) -> None:
    assert (code != 0, refusal in said) == (bool(refusal), True), said


@pytest.mark.parametrize(("role", "database", "sql", "refusal"), MATRIX)
def test_each_role_may_do_what_it_needs_and_nothing_else(
    site: Site, role: str, database: str, sql: str, refusal: str
) -> None:
    judge(*site.query(role, database, sql), refusal)


@pytest.mark.parametrize(("user", "way", "role", "database", "sql", "refusal"), INSIDE)
def test_inside_the_servers_container_too(
    site: Site, user: str, way: str, role: str, database: str, sql: str, refusal: str
) -> None:
    judge(*run(site.server, role, database, sql, "" if way == "socket" else way, user), refusal)


def test_no_service_sees_what_another_asks(site: Site) -> None:
    asking = ["psql", "-XqtA", "-h", engine.address(site.server), "-U", SHOP, "-d", "shop", "-c"]
    site.client.exec_run(
        [*asking, "SELECT 'hidden', pg_sleep(20)"], environment={"PGPASSWORD": PASSWORDS[SHOP]}, detach=True
    )
    seen = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%hid' || 'den%'"
    wait_until(
        "the superuser sees it", lambda: run(site.server, "postgres", "postgres", seen, user="postgres")[1] == "1", 10
    )
    assert site.query(RUNTIME, "stock", seen) == (0, "0")


def test_the_superuser_has_no_password_at_all(site: Site) -> None:
    asked = "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'"
    assert run(site.server, "postgres", "postgres", asked, user="postgres") == (0, "t")


def test_no_login_but_those_that_are_in_use_is_open(site: Site) -> None:
    asked = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin"
    _, said = run(site.server, "postgres", "postgres", asked, user="postgres")
    consoles = {CONSOLE, console("shop")}
    assert set(said.split()) == {OWNER, OTHER_OWNER, RUNTIME, SHOP, "postgres", HEALTH_ROLE} | consoles
