"""status, ps, logs, open, doctor, psql, exec."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest

from slipway.cli.__main__ import main
from slipway.cli.errors import MEANINGS, Code
from slipway.core import superuser
from slipway.engine import execution
from tests.unit.cli.fakes import Desk, container_resource


def two(desk: Desk, **ui: Any) -> None:
    """A stack of two containers."""
    desk.engine.add("site-dev-ui-1234567", "ui", id="a", **{"health": "healthy", **ui})
    desk.engine.add("site-dev-adminer-1234567", "adminer", id="b")
    desk.has_state(container_resource("ui", "a"), container_resource("adminer", "b"))


def test_status_of_a_stack_that_is_well(desk: Desk) -> None:
    two(desk)

    result = desk.run("status", "--json")

    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["well"] is True
    assert told["containers"] == {"ui": "healthy", "adminer": "running"}


@pytest.mark.parametrize(
    ("ui", "condition"),
    [
        ({"health": "unhealthy"}, "unhealthy"),
        ({"health": "starting"}, "starting"),
        ({"status": "exited", "health": "healthy"}, "exited"),
        ({"status": "restarting", "health": "unhealthy"}, "restarting"),
    ],
)
def test_status_ends_with_6_when_something_is_not_well(desk: Desk, ui: dict[str, str], condition: str) -> None:
    two(desk, **ui)

    result = desk.run("status")

    assert result.exit_code == 6
    assert condition in result.stdout
    assert " up --stack dev" in result.stderr


def test_status_misses_a_container_that_somebody_removed(desk: Desk) -> None:
    two(desk)
    desk.engine.containers.pop(0)

    result = desk.run("status", "--json")

    assert result.exit_code == 6
    assert json.loads(result.stdout)["containers"] == {"ui": "missing", "adminer": "running"}


def test_status_tells_a_run_at_work_from_one_that_was_killed(desk: Desk) -> None:
    two(desk)
    desk.lock(hostname=socket.gethostname(), pid=os.getpid())  # it runs, and is no pulumi

    assert "left by a killed run" in desk.run("status").stdout


def test_a_stack_that_does_not_exist_ends_with_4(desk: Desk) -> None:
    result = desk.run("status")

    assert result.exit_code == 4
    assert "there is no stack site-dev" in result.stderr


def test_the_variable_stack_names_the_stack(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK", "prod")
    assert "site-prod" in desk.run("status").stderr
    assert "site-dev" in desk.run("status", "--stack", "dev").stderr


def test_ps_lists_containers_with_their_ports(desk: Desk) -> None:
    two(desk)

    assert {row["service"]: row["ports"] for row in json.loads(desk.run("ps", "--json").stdout)} == {
        "ui": ["127.0.0.1:8006->5000/tcp"],
        "adminer": ["127.0.0.1:8006->5000/tcp"],
    }
    assert "site-dev-ui-1234567" in desk.run("ps").stdout


def test_ps_names_the_image_by_the_release_that_it_is_of(desk: Desk) -> None:
    two(desk)
    assert {row["image"] for row in json.loads(desk.run("ps", "--json").stdout)} == {"sha256:1"}
    desk.engine.tags = ["site-dev-ui:latest", "site-dev-ui:12", "site-dev-ui:build-0123456789ab", "other:1"]
    assert {row["image"] for row in json.loads(desk.run("ps", "--json").stdout)} == {"ui:12"}
    assert "ui:12" in desk.run("ps").stdout


def test_logs_of_several_containers_are_in_the_order_of_time(desk: Desk) -> None:
    desk.engine.add("site-dev-ui-1234567", "ui", log=b"2026-01-01T00:00:02.5Z second\n")
    desk.engine.add("site-dev-images-1-7654321", "images", log=b"2026-01-01T00:00:01Z first\n2026-01-01T00:00:03Z \n")

    said = [json.loads(line) for line in desk.run("logs", "--json").stdout.splitlines()]

    assert [(line["container"], line["line"]) for line in said] == [
        ("images-1", "first"),
        ("ui", "second"),
        ("images-1", ""),
    ]
    assert "second" not in desk.run("logs", "images").stdout


def test_logs_show_requests_and_errors_and_the_rest_if_asked_for(desk: Desk) -> None:
    moment, routine = b"2026-01-01T00:00:01Z ", b"[2026-01-01 00:00:01 +0000] [7] [INFO] Booting worker with pid: 7"
    desk.engine.add("site-dev-ui-1234567", "ui", log=moment + routine + b"\n" + moment + b"printed\n")
    requests = [
        b'{"path": "/%d", "upstream": "%s_3f2a9c1b"}' % (number, b"ui" if number else b"no") for number in (0, 1)
    ]
    desk.engine.add("site-dev-edge-1234567", "edge", log=b"\n".join(moment + each for each in requests))

    assert "Booting" not in desk.run("logs").stdout
    assert "Booting" in desk.run("logs", "--all").stdout
    of_ui = desk.run("logs", "ui").stdout
    assert ("/1" in of_ui, "/0" in of_ui, "printed" in of_ui) == (True, False, True)
    last = desk.run("logs", "--tail", "1").stdout
    assert ("/1" in last, "/0" in last, "printed" in last) == (True, False, True)


def test_logs_show_what_looks_like_markup_as_it_is(desk: Desk) -> None:
    desk.engine.add("site-dev-ui-1234567", "ui", log=b"2026-01-01T00:00:01Z [bold] [/no] " + b"x" * 300)

    assert desk.run("logs").stdout == f"{'ui':<12} [bold] [/no] {'x' * 300}\n"


def test_logs_of_a_service_without_containers_end_with_4(desk: Desk) -> None:
    assert desk.run("logs", "nobody").exit_code == 4


@pytest.mark.parametrize("since", ["10", "m", "1w", "-5m"])
def test_a_time_that_is_none_is_refused(desk: Desk, since: str) -> None:
    desk.engine.add("site-dev-ui-1234567", "ui")
    assert desk.run("logs", "--since", since).exit_code == 2


def test_open_prints_the_start_page_and_others_by_name(desk: Desk) -> None:
    desk.declares(services={"ui": {"route": "/"}, "images": {"route": "/images/"}})
    desk.has_state(outputs={"images_url": "http://127.0.0.1:2/", "ui_url": "http://127.0.0.1:1/", "note": "no URL"})

    assert desk.run("open").stdout == "http://127.0.0.1:1/\n"
    assert desk.run("open", "images").stdout == "http://127.0.0.1:2/\n"
    refused = desk.run("open", "postgres")
    assert refused.exit_code == 4
    assert "it has: ui, images" in refused.stderr


def test_open_adminer_tells_how_to_log_in(desk: Desk) -> None:
    login = {"server": "postgres", "username": "image_store_owner_b", "password": "pass", "database": "image_store"}
    secret = {"4dabf18193072939515e22adb298388d": "1b47", "plaintext": json.dumps({"image-store": login})}
    desk.has_state(outputs={"adminer": "http://127.0.0.1:3/", "adminer_logins": secret})

    [login] = json.loads(desk.run("open", "adminer", "--json").stdout)["logins"]

    assert "--show-secrets" in desk.calls()[-1]["arguments"]
    assert (login["username"], login["password"], login["database"]) == ("image_store_owner_b", "pass", "image_store")
    assert login["url"] == "http://127.0.0.1:3/?pgsql=postgres&username=image_store_owner_b&db=image_store"


def test_doctor_says_that_set_up_has_not_run(desk: Desk) -> None:
    assert desk.run("doctor").exit_code == 3
    assert json.loads(desk.run("doctor", "--json").stdout)["ready"] is False


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the command turned itself into, without `docker exec --interactive`."""
    seen: list[list[str]] = []
    monkeypatch.setattr(execution, "execute", lambda *_, **__: (0, "t\n"))
    monkeypatch.setattr(os, "execve", lambda _program, arguments, _environment: seen.append(arguments[3:]))
    return seen


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ([], ["psql", "-U", "image_store_console", "-d", "image_store"]),
        (["image-store", "--", "-l"], ["psql", "-U", "image_store_console", "-d", "image_store", "-l"]),
        (["--", "-c", "SELECT 1"], ["psql", "-U", "image_store_console", "-d", "image_store", "-c", "SELECT 1"]),
    ],
)
def test_psql_is_the_owners_in_the_database_of_the_service(
    desk: Desk, became: list[list[str]], typed: list[str], wanted: list[str]
) -> None:
    desk.declares(services={"ui": {}, "image-store": {"database": {"connections": 4}}})
    desk.engine.add("site-dev-postgres-1234567", "postgres", id="db")

    assert desk.run("psql", *typed).exit_code == 0
    assert became == [["--user", "postgres", "db", *wanted]]


@pytest.mark.parametrize(
    ("typed", "database"),
    [(["web"], "web"), ([], "postgres"), (["b-c", "--", "-l"], "b_c"), (["--", "-l"], "postgres")],
)
def test_the_superusers_psql_is_asked_for_and_finds_nothing_that_an_app_planted(
    desk: Desk, became: list[list[str]], typed: list[str], database: str
) -> None:
    desk.declares(services={"web": {"database": True}, "b-c": {"database": True}})
    desk.engine.add("site-dev-postgres-1234567", "postgres", id="db")

    assert desk.run("psql", "--superuser", *typed).exit_code == 0
    options = f"PGOPTIONS={superuser.pgoptions()}"
    words = ["db", "psql", "-U", "postgres", "-d", database, *(["-l"] if "-l" in typed else [])]
    assert became == [["--user", "postgres", "--env", options, *words]]
    assert "-c search_path=pg_catalog,pg_temp" in options


def test_a_stack_of_an_earlier_slipway_has_no_such_login_and_that_is_told(
    desk: Desk, became: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.declares(services={"web": {"database": True}})
    desk.engine.add("site-dev-postgres-1234567", "postgres", id="db")
    monkeypatch.setattr(execution, "execute", lambda *_, **__: (0, "f\n"))
    result = desk.run("psql")
    assert (result.exit_code, became) == (1, [])
    assert "up --stack dev" in result.stderr
    assert desk.run("psql", "--superuser").exit_code == 0


@pytest.mark.parametrize("typed", [[], ["worker"], ["web"]])
def test_psql_finds_the_database_that_two_services_share(desk: Desk, became: list[list[str]], typed: list[str]) -> None:
    desk.declares(services={"worker": {"database": {"service": "web"}}, "web": {"database": True}})
    desk.engine.add("site-dev-postgres-1234567", "postgres", id="db")

    assert desk.run("psql", *typed).exit_code == 0
    assert became == [["--user", "postgres", "db", "psql", "-U", "web_console", "-d", "web"]]


def test_psql_finds_a_database_that_only_this_stack_declares(desk: Desk, became: list[list[str]]) -> None:
    desk.declares(services={"ui": {}}, overrides={"ui": {"database": True}})
    desk.engine.add("site-dev-postgres-1234567", "postgres", id="db")
    assert desk.run("psql", "ui").exit_code == 0
    assert len(became) == 1


def test_psql_names_the_services_that_have_a_database(desk: Desk, became: list[list[str]]) -> None:
    desk.declares(services={"ui": {}, "images": {"database": True}})
    desk.engine.add("site-dev-postgres-1234567", "postgres")

    result = desk.run("psql", "ui")

    assert result.exit_code == 4
    assert "psql images --stack dev" in result.stderr
    desk.declares(services={"a": {"database": True}, "b": {"database": True}})
    assert desk.run("psql").exit_code == 2
    desk.declares(services={"a": {"database": {"url": "postgresql://a@db.example.org/a"}}})
    assert "no database server of its own" in desk.run("psql").stderr
    assert became == []


def test_exec_goes_through_the_wrapper_that_exports_the_secrets(desk: Desk, became: list[list[str]]) -> None:
    desk.engine.add("site-dev-ui-0000000", "ui", id="stopped", status="exited")
    desk.engine.add("site-dev-ui-1111111", "ui", id="unwell", health="unhealthy", mounts=["/run/slipway"])
    desk.engine.add("site-dev-ui-2222222", "ui", id="well", health="healthy", mounts=["/run/slipway"])
    desk.engine.add("site-dev-ui-migrate", "ui", id="job", labels={"slipway.helper": "job"})

    assert desk.run("exec", "ui", "--", "flask", "--version").exit_code == 0
    assert became == [["well", "sh", "/run/slipway/exec", "flask", "--version"]]


def test_exec_in_a_container_without_secrets_starts_a_shell(desk: Desk, became: list[list[str]]) -> None:
    desk.engine.add("site-dev-edge-1234567", "edge", id="edge")

    assert desk.run("exec", "edge").exit_code == 0
    assert became == [["edge", "sh"]]


def test_exec_names_the_services_there_are(desk: Desk, became: list[list[str]]) -> None:
    desk.engine.add("site-dev-ui-1234567", "ui", status="exited")

    result = desk.run("exec", "iu", "--", "id")

    assert result.exit_code == 4
    assert "ui" in result.stderr
    assert became == []


def test_every_exit_code_is_explained_in_the_help() -> None:
    assert set(MEANINGS) == set(Code)
    assert all(meaning in str(main.epilog) for meaning in MEANINGS.values())
