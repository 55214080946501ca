"""Postgres' own texts. What a server makes of them is asked in tests/servers."""

from __future__ import annotations

import re

import pytest

from slipway.core import postgres
from slipway.core.provisioning import ServiceDatabase, database_name, login, provisioning_sql, scram_verifier, slot
from slipway.site.database import PostgresSettings, Preload


def test_the_superuser_comes_by_the_local_socket_only() -> None:
    lines = [line.split() for line in postgres.pg_hba().splitlines() if not line.startswith("#")]
    assert lines[0] == ["local", "all", "postgres", "peer"]
    superuser = [line for line in lines if line[0] == "host" and line[2] in {"postgres", "all"}]
    assert superuser[0][-1] == "reject"
    trusted = [line for line in lines if line[-1] == "trust"]
    assert {tuple(line[:4]) for line in trusted if line[0] == "host"} == {
        ("host", "postgres", postgres.HEALTH_ROLE, address) for address in ("127.0.0.1/32", "::1/128")
    }
    assert [line[2] for line in trusted if line[0] == "local"] == [f"+{postgres.CONSOLE_ROLE}"]


def test_the_server_is_sized_by_its_container() -> None:
    command = postgres.command(PostgresSettings(memory=1024, max_connections=300))
    assert {"shared_buffers=256MB", "effective_cache_size=768MB", "max_connections=300"} <= set(command)
    assert f"hba_file={postgres.HBA_FILE}" in command
    assert command.index("listen_addresses=*") == 2, "the image appends an empty one while it makes the cluster"


def test_libraries_are_loaded_where_they_are_asked_for() -> None:
    command = postgres.command(PostgresSettings(preload=(Preload.PG_STAT_STATEMENTS,)))
    assert "shared_preload_libraries=pg_stat_statements" in command
    assert not [each for each in postgres.command(PostgresSettings()) if "preload" in each]


def test_health_is_a_query_over_tcp() -> None:
    assert postgres.health_command()[-1] == "SELECT 1"
    assert "127.0.0.1" in postgres.health_command()


def test_a_verifier_has_the_form_in_which_postgres_stores_it() -> None:
    verifier = scram_verifier("stock_runtime_a", "geheim")
    assert re.fullmatch(r"SCRAM-SHA-256\$4096:[\w+/=]{24}\$[\w+/=]{44}:[\w+/=]{44}", verifier)


def test_the_same_password_gives_the_same_text_and_the_role_counts() -> None:
    assert scram_verifier("a", "geheim") == scram_verifier("a", "geheim")
    assert scram_verifier("a", "geheim") != scram_verifier("b", "geheim") != scram_verifier("b", "anders")


@pytest.mark.parametrize("password", ["", "pässword", "a\nb"])
def test_passwords_that_postgres_would_prepare_differently_are_refused(password: str) -> None:
    with pytest.raises(ValueError, match="the password of a must be printable ASCII"):
        scram_verifier("a", password)


def test_no_password_is_in_the_script_and_none_in_a_representation() -> None:
    database = ServiceDatabase(service="stock", connections=9, passwords={"stock_owner_a": "hunter2"})
    assert "hunter2" not in provisioning_sql([database])
    assert "hunter2" not in repr(database)


def test_only_logins_with_a_password_can_be_used() -> None:
    name = login("stock", "runtime", "b")
    sql = provisioning_sql([ServiceDatabase(service="stock", connections=9, passwords={name: "x"})])
    assert f'ALTER ROLE "{name}" LOGIN PASSWORD \'SCRAM-SHA-256$' in sql
    assert '\\if :fresh\nALTER ROLE "stock_runtime_a" NOLOGIN PASSWORD NULL;\n\\endif\n' in sql
    assert sql.count("THEN 9 ELSE greatest(9, rolconnlimit)") == 1


def test_logins_take_turns() -> None:
    assert [slot(generation) for generation in range(4)] == ["a", "b", "a", "b"]


def test_names_are_those_of_the_service() -> None:
    assert database_name("big-shop") == "big_shop"
    assert login("big-shop", "owner", "a") == "big_shop_owner_a"


def test_nothing_of_it_reaches_the_servers_log() -> None:
    sql = provisioning_sql([ServiceDatabase(service="stock", connections=9, passwords={})])
    assert sql.index("SET log_statement = 'none'") < sql.index("CREATE ROLE")
    after = sql.split('\\connect "stock"')[1]
    assert after.lstrip().startswith("SET log_statement = 'none'"), "a new session starts with the server's settings"
