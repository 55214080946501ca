"""What Slipway relies on in the images that it builds on, whether they are the official ones, a mirror's or our own."""

from __future__ import annotations

import gzip
import io
import secrets
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core import postgres
from slipway.setup import paths
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

Files = dict[str, bytes]
Start = Callable[..., Container]
INIT = "/docker-entrypoint-initdb.d"


@pytest.fixture
def project() -> Iterator[str]:
    """The beginning of the names of a test's containers and volumes, which it takes away."""
    name = f"images-{secrets.token_hex(4)}"
    yield name
    engine.remove_all(name)


@pytest.fixture
def start(project: str) -> Start:
    """Starts a container of a base image, with files put into it before."""
    def run(image: str, command: Any = None, *, files: Files | None = None, **options: Any) -> Container:
        made = engine.client().containers.create(
            base_image(image), command, name=f"{project}-{secrets.token_hex(2)}", **options)
        if files:
            made.put_archive("/", packed(files))
        made.start()
        return made

    return run


def packed(files: Files) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def ends(container: Container) -> tuple[int, str]:
    """Exit code and output of a container that ends by itself within a minute and a half."""
    code = int(container.wait(timeout=90)["StatusCode"])
    return code, logs(container)


def logs(container: Container) -> str:
    return bytes(container.logs()).decode()


def variable(image: str, name: str) -> str:
    """The value that an image gives to a variable."""
    values = dict(each.split("=", 1) for each in engine.client().images.get(image).attrs["Config"]["Env"])
    return str(values[name])


def inside(container: Container, *command: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    code, output = container.exec_run(list(command), environment=environment)
    assert code is not None
    assert isinstance(output, bytes)
    return code, output.decode()


def stopped(container: Container, seconds: int) -> int:
    """Stops it with the image's own signal; its exit code, which is 137 when it had to be killed."""
    container.stop(timeout=seconds)
    container.reload()
    return int(container.attrs["State"]["ExitCode"])


def status(container: Container, port: int) -> int | None:
    try:
        return engine.http_get(engine.address(container), port)[0]
    except (OSError, StopIteration):
        return None


def serves(container: Container, port: int) -> None:
    wait_until(f"port {port} answers 200", lambda: status(container, port) == 200, 30)


def asked(container: Container, sql: str, *, user: str = "postgres", password: str, database: str = "postgres") -> str:
    """The answer of a query over TCP with a password; "" when there was none."""
    own = engine.address(container)  # the loopback lines of pg_hba.conf ask for no password
    code, output = inside(container, "psql", f"postgresql://{user}@{own}/{database}", "--tuples-only", "--no-align",
                          "--command", sql, environment={"PGPASSWORD": password})
    return output.strip() if code == 0 else ""


def ready(container: Container, **login: str) -> None:
    wait_until("PostgreSQL answers over TCP", lambda: asked(container, "SELECT 1", **login) == "1", 60)


def test_python_makes_virtual_environments_and_installs_packages_as_the_host_does(start: Start) -> None:
    script = "python -m venv /tmp/v && /tmp/v/bin/pip install click && /tmp/v/bin/python -c 'import click'"
    code, output = ends(start("python", ["sh", "-ec", script]))
    assert code == 0, output


def test_pip_installs_where_a_second_build_stage_looks_for_it(start: Start) -> None:
    script = ("pip install --prefix=/install click; test -d /install/lib/python3.13/site-packages/click; "
              "pip install click; cd /usr/local/lib/python3.13/site-packages/click")
    code, output = ends(start("python", ["sh", "-ec", script]))
    assert code == 0, output


def test_python_has_a_user_of_its_own_after_useradd(start: Start) -> None:
    code, output = ends(start("python", ["sh", "-ec", "useradd --uid 1234 app; su app -c 'python -V; id'"]))
    assert code == 0, output
    assert "Python 3.13" in output
    assert "uid=1234(app)" in output


def test_postgres_takes_user_password_and_database_from_files(start: Start) -> None:
    files = {"/run/user": b"own\n", "/run/password": b"from a file\n", "/run/name": b"shop\n"}
    server = start("postgres", files=files, environment={
        "POSTGRES_USER_FILE": "/run/user", "POSTGRES_PASSWORD_FILE": "/run/password", "POSTGRES_DB_FILE": "/run/name"})
    login = {"user": "own", "password": "from a file", "database": "shop"}
    ready(server, **login)
    assert asked(server, "SELECT rolsuper FROM pg_roles WHERE rolname = 'own'", **login) == "t"
    assert asked(server, "SELECT 1", **(login | {"password": "another"})) == ""


@pytest.mark.parametrize("setting", ["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"])
def test_postgres_refuses_a_setting_given_both_as_value_and_as_file(start: Start, setting: str) -> None:
    both = {"POSTGRES_PASSWORD": "x", setting: "x", f"{setting}_FILE": "/run/x"}
    code, output = ends(start("postgres", environment=both, files={"/run/x": b"x"}))
    assert code == 1
    assert setting in output
    assert f"{setting}_FILE" in output


def test_postgres_refuses_to_start_without_a_password(start: Start) -> None:
    code, output = ends(start("postgres"))
    assert code == 1
    assert "POSTGRES_PASSWORD" in output


def test_postgres_runs_initial_files_while_only_its_socket_answers(start: Start) -> None:
    files = {
        f"{INIT}/1.sql": b"CREATE TABLE done (what text);",
        f"{INIT}/2.sql.gz": gzip.compress(b"INSERT INTO done VALUES ('gz');"),
        f"{INIT}/3.sh": b"""#!/bin/sh
            pg_isready --quiet --host 127.0.0.1 && over_tcp=open || over_tcp=closed
            psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --command "INSERT INTO done VALUES ('$over_tcp')"
            """,
    }
    server = start("postgres", environment={"POSTGRES_PASSWORD": "x", "POSTGRES_DB": "shop"}, files=files)
    ready(server, password="x", database="shop")
    assert asked(server, "SELECT what FROM done", password="x", database="shop").split() == ["gz", "closed"]


@pytest.mark.parametrize("command", [["-c", "max_connections=33"], ["postgres", "-c", "max_connections=33"]])
def test_postgres_takes_options_and_initdb_arguments(start: Start, command: list[str]) -> None:
    server = start("postgres", command, environment={
        "POSTGRES_PASSWORD": "x", "POSTGRES_INITDB_ARGS": "--data-checksums --locale=C"})
    ready(server, password="x")
    assert asked(server, "SHOW max_connections", password="x") == "33"
    assert asked(server, "SHOW data_checksums", password="x") == "on"
    assert asked(server, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'", password="x") == "C"


def test_postgres_shuts_down_cleanly_although_a_client_is_busy(start: Start) -> None:
    server = start("postgres", environment={"POSTGRES_PASSWORD": "x"})
    ready(server, password="x")
    server.exec_run(["psql", "--username", "postgres", "--command", "SELECT pg_sleep(600)"], detach=True)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
    wait_until("the client is busy", lambda: asked(server, busy, password="x") == "1", 10)
    assert stopped(server, seconds=30) == 0
    assert "fast shutdown" in logs(server)


def test_postgres_keeps_its_data_and_its_password_in_the_volume(start: Start, project: str) -> None:
    at = {f"{project}-data": {"bind": "/var/lib/postgresql/data", "mode": "rw"}}
    first = start("postgres", environment={"POSTGRES_PASSWORD": "first"}, volumes=at)
    ready(first, password="first")
    assert asked(first, "CREATE TABLE kept AS SELECT 42 AS answer", password="first")
    first.remove(force=True)
    second = start("postgres", environment={"POSTGRES_PASSWORD": "second"}, volumes=at)
    ready(second, password="first")
    assert asked(second, "SELECT answer FROM kept", password="first") == "42"
    assert asked(second, "SELECT 1", password="second") == ""


@pytest.mark.parametrize("user", [None, "postgres"])
def test_postgres_runs_on_a_read_only_root_as_user_999(start: Start, user: str | None) -> None:
    hardened = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]} if user else {}
    server = start("postgres", user=user, read_only=True, environment={"POSTGRES_PASSWORD": "x"},
                   tmpfs={"/tmp": "", "/var/run/postgresql": "uid=999,gid=999"}, **hardened)
    ready(server, password="x")
    assert inside(server, "stat", "--format", "%u %g", "/proc/1")[1].split() == ["999", "999"]


def test_our_server_makes_its_data_in_a_new_volume_although_the_base_has_no_folder_for_it(project: str) -> None:
    """As in the official images from Postgres 18 on, whose data is elsewhere."""
    path = variable(base_image("postgres"), "PATH")
    without = f"""\
FROM {base_image("postgres")} AS base
FROM scratch
COPY --from=base / /
RUN rm -r /var/lib/postgresql
ENV PATH={path} PG_MAJOR=99 PGDATA=/var/lib/postgresql/99/docker
ENTRYPOINT ["docker-entrypoint.sh"]
"""
    images, base, ours = engine.client().images, f"{project}:base", f"{project}:ours"
    images.build(fileobj=io.BytesIO(without.encode()), tag=base, rm=True)
    images.build(path=str(paths.PROJECT / "slipway/images/postgres"), tag=ours, buildargs={"BASE": base}, rm=True)
    try:
        server = engine.client().containers.run(
            ours, ["postgres", "-c", "listen_addresses=*"], name=f"{project}-server", user="999", detach=True,
            environment={"POSTGRES_PASSWORD": "x", "PGDATA": postgres.DATA}, tmpfs={"/var/run/postgresql": "uid=999"},
            volumes={f"{project}-data": {"bind": postgres.DATA, "mode": "rw"}}, cap_drop=["ALL"], read_only=True)
        ready(server, password="x")
    finally:
        engine.remove_all(project)
        for tag in (ours, base):
            engine.remove_image(tag)


def test_nginx_serves_and_logs_to_the_containers_output(start: Start) -> None:
    server = start("nginx")
    serves(server, 80)
    wait_until("the request is in the log", lambda: "GET / HTTP" in logs(server), 10)
    workers = inside(server, "sh", "-c", "stat --format %u /proc/[0-9]*")[1].split()
    assert "101" in workers


def test_nginx_fills_in_its_templates_and_leaves_its_own_variables_alone(start: Start) -> None:
    template = b"server { listen 81; location / { return 200 '${GREETING} $uri'; } }"
    server = start("nginx", environment={"GREETING": "hello"},
                   files={"/etc/nginx/templates/own.conf.template": template})
    serves(server, 81)
    assert engine.http_get(engine.address(server), 81, "/here") == (200, "hello /here")


def test_nginx_runs_its_entry_scripts_first(start: Start) -> None:
    server = start("nginx", files={"/docker-entrypoint.d/90-own.sh": b"#!/bin/sh\ntouch /tmp/was-here\n"})
    serves(server, 80)
    assert inside(server, "test", "-e", "/tmp/was-here")[0] == 0


def test_nginx_leaves_cleanly_on_the_signal_of_its_image(start: Start) -> None:
    server = start("nginx")
    serves(server, 80)
    assert stopped(server, seconds=30) == 0
    assert "gracefully shutting down" in logs(server)


def test_nginx_runs_without_root_on_a_read_only_root(start: Start) -> None:
    server = start("nginx", user="nginx", read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges"],
                   tmpfs={"/run": "uid=101", "/var/cache/nginx": "uid=101", "/tmp": ""})
    serves(server, 80)
    assert inside(server, "id", "-u")[1].strip() == "101"


def test_adminer_proposes_the_server_that_it_was_given(start: Start) -> None:
    server = start("adminer", environment={"ADMINER_DEFAULT_SERVER": "some-server"}, read_only=True, tmpfs={"/tmp": ""})
    serves(server, 8080)
    page = engine.http_get(engine.address(server), 8080)[1]
    assert "Adminer" in page
    assert "some-server" in page
    assert "pgsql" in page


def test_adminer_runs_as_user_adminer_and_stops_at_once(start: Start) -> None:
    server = start("adminer")
    serves(server, 8080)
    assert inside(server, "id", "-un")[1].strip() == "adminer"
    assert stopped(server, seconds=30) != 137
