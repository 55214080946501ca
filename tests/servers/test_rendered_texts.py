"""What real servers make of the texts that slipway.core renders: nginx's configuration, Postgres' roles."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core import postgres
from slipway.core.provisioning import DUTIES, ServiceDatabase, login, provisioning_sql
from slipway.engine.edge import Edge
from slipway.nginx import main as nginx_main
from slipway.nginx import pages
from slipway.nginx.routes import EdgeModel, Release
from slipway.site.database import PostgresSettings
from slipway.site.site import Service
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.nginx_files import DEFAULT, render
from tests.support.waiting import wait_until

SHOP = Service(name="shop", route="/", health="/health", static={"/static/": "app/static"})
STOCK = Service(name="stock", route="/stock/", health="/health")
ADMIN = Service(name="admin", route="/", host="admin.test", health="/health")
PLAIN = EdgeModel(services=(SHOP, STOCK, ADMIN), callers={"stock": ("10.1.0.0/24",)})
FULL = EdgeModel(
    services=(SHOP, STOCK, ADMIN),
    callers={"stock": ("10.1.0.0/24", "10.2.0.0/24")},
    hosts=("a.test", "b.test"),
    trusted_proxies=("10.0.0.0/8", "192.168.1.1/32"),
)
FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT"
RELEASES = (
    Release(service="shop", servers=("nowhere-1", "nowhere-2"), static=("new", "old")),
    Release(service="stock", servers=("nowhere-3",)),
)


def put(container: Container, files: Mapping[str, str]) -> None:
    """Copies texts into a container before it starts."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(text.encode()), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    container.put_archive("/", packed.getvalue())


@pytest.fixture
def project() -> Iterator[str]:
    name = f"texts-{secrets.token_hex(4)}"
    yield name
    engine.remove_all(name)


def start_nginx(project: str, edge: EdgeModel, releases: tuple[Release, ...]) -> Container:
    texts = render(edge, releases)
    engine.client().networks.create(f"{project}-net")
    container = engine.client().containers.create(
        base_image("nginx"), name=f"{project}-nginx", network=f"{project}-net", user=str(nginx_main.USER),
        entrypoint=["nginx", "-g", "daemon off;"], tmpfs={nginx_main.TEMPORARY: f"uid={nginx_main.USER}"},
    )  # fmt: skip
    texts |= pages.files(max_body=edge.max_body)
    live = {f"{nginx_main.LIVE}/{name}": text for name, text in texts.items() if name != nginx_main.MAIN_FILE}
    put(container, {DEFAULT: texts[nginx_main.MAIN_FILE], **(live if releases else {})})
    container.start()
    return container


def run(container: Container, *command: str, **options: Any) -> tuple[int, str]:
    """Exit status and output of a command in the container."""
    status, output = container.exec_run(list(command), **options)
    assert isinstance(output, bytes)
    return status or 0, output.decode().strip()


def curl(container: Container, *arguments: str) -> str:
    """Head and body of an answer."""
    return run(container, "curl", "-sS", "-i", *arguments)[1]


@pytest.mark.parametrize("edge", [PLAIN, FULL], ids=["plain", "full"])
def test_nginx_takes_the_configuration_without_a_warning(project: str, edge: EdgeModel) -> None:
    container = start_nginx(project, edge, RELEASES)
    status, output = run(container, "nginx", "-t")
    assert status == 0, output
    assert "warn" not in output


def test_nginx_serves_before_any_service_exists_and_says_that_it_is_a_moment(project: str) -> None:
    container = start_nginx(project, PLAIN, RELEASES)
    wait_until("nginx is up", lambda: " 204 " in curl(container, nginx_main.HEALTH_URL), 10)
    page = curl(container, "http://127.0.0.1/anything")
    assert " 503 " in page.splitlines()[0]
    assert "Back in a moment" in page
    assert "Retry-After: 5" in page
    redirect = curl(container, "http://127.0.0.1/stock?a=1")
    assert "Location: /stock/?a=1" in redirect
    posted = curl(container, "-d", "x", "http://127.0.0.1/anything")
    assert " 503 " in posted.splitlines()[0]
    assert "Back in a moment" in posted
    assert " 403 " in curl(container, "-H", "Host: stock", "http://127.0.0.1:5000/stock/")
    assert " 404 " in curl(container, "-H", "Host: shop", "http://127.0.0.1:5000/")


FOREVER, ASK = "public, max-age=31536000, immutable", "no-cache"
SENT = {
    # what a browser refuses under another type, as Flask would send it; texts with their encoding
    "module.mjs": ("text/javascript; charset=utf-8", ASK), "app.js": ("text/javascript; charset=utf-8", ASK),
    "site.webmanifest": ("application/manifest+json", ASK), "code.wasm": ("application/wasm", ASK),
    "style.css": ("text/css; charset=utf-8", ASK), "page.html": ("text/html; charset=utf-8", ASK),
    "notes.txt": ("text/plain; charset=utf-8", ASK), "logo.svg": ("image/svg+xml; charset=utf-8", ASK),
    "feed.xml": ("text/xml; charset=utf-8", ASK), "table.csv": ("text/csv; charset=utf-8", ASK),
    "data.json": ("application/json", ASK), "app.js.map": ("application/json", ASK),
    "photo.avif": ("image/avif", ASK), "photo.webp": ("image/webp", ASK), "PHOTO.JPG": ("image/jpeg", ASK),
    "font.woff2": ("font/woff2", ASK), "font.ttf": ("font/ttf", ASK), "font.otf": ("font/otf", ASK),
    "captions.vtt": ("text/vtt; charset=utf-8", ASK), "all.zip": ("application/zip", ASK),
    "none": ("application/octet-stream", ASK), "odd.zzz": ("application/octet-stream", ASK),
    # names with a hash of the content, and others
    "app.3f2a9c1b.css": ("text/css; charset=utf-8", FOREVER), "index-BQ3X0nEl.js": ("text/javascript; charset=utf-8",
    FOREVER), "main-FFHMD2TL.css": ("text/css; charset=utf-8", FOREVER), "app-4kQ9zX7bT2mN1pLs.wasm":
    ("application/wasm", FOREVER), "agenda-20260115.txt": ("text/plain; charset=utf-8", ASK),
    "chapter01.html": ("text/html; charset=utf-8", ASK), "minutes-15feb2026.pdf": ("application/pdf", ASK),
    "3f2a9c1b-1234-4abc-8def-0123456789ab.png": ("image/png", ASK), "logo-Win11Pro.png": ("image/png", ASK),
}  # fmt: skip


def test_static_files_have_the_type_that_browsers_need_and_a_date_is_no_hash(project: str) -> None:
    """Also a single file, and in a folder of the releases before."""
    shop = replace(SHOP, static={"/static/": "app/static", "/favicon.ico": "app/favicon.ico"})
    container = start_nginx(project, replace(PLAIN, services=(shop,)), RELEASES[:1])
    folders = {name: "old" if name == "notes.txt" else "new" for name in SENT}
    put(container, {f"{nginx_main.STATIC}/shop/{folder}/static/{name}": "x" for name, folder in folders.items()})
    put(container, {f"{nginx_main.STATIC}/shop/new/favicon.ico": "x"})
    wait_until("nginx is up", lambda: " 204 " in curl(container, nginx_main.HEALTH_URL), 10)
    said = '%{http_code} %{content_type} | %header{cache-control}\\n'
    paths = [*(f"static/{name}" for name in SENT), "favicon.ico"]
    status, output = run(container, "curl", "-sS", "-w", said, *(f"http://127.0.0.1/{path}" for path in paths),
                         *(each for _ in paths for each in ("-o", "/dev/null")))  # fmt: skip
    assert status == 0, output
    expected = [*SENT.values(), ("image/vnd.microsoft.icon", ASK)]
    answers = dict(zip(paths, output.splitlines(), strict=True))
    assert answers == {path: f"200 {kind} | {kept}" for path, (kind, kept) in zip(paths, expected, strict=True)}
    assert " 503 " in curl(container, "http://127.0.0.1/favicon.ico/x").splitlines()[0], "the service is asked"


def test_nginx_is_well_before_the_first_release(project: str) -> None:
    container = start_nginx(project, PLAIN, ())
    wait_until("nginx is up", lambda: " 204 " in curl(container, nginx_main.HEALTH_URL), 10)
    assert " 503 " in curl(container, "http://127.0.0.1/").splitlines()[0]


def test_a_request_that_is_too_large_is_answered_by_a_page_that_says_so(project: str) -> None:
    container = start_nginx(project, replace(PLAIN, max_body=1), RELEASES)
    wait_until("nginx is up", lambda: " 204 " in curl(container, nginx_main.HEALTH_URL), 10)
    run(container, "sh", "-c", "head -c 1048577 /dev/zero > /tmp/large")
    for encoding in ("Content-Type: text/plain", "Transfer-Encoding: chunked"):
        answer = curl(container, "-H", "Expect:", "-H", encoding, "--data-binary", "@/tmp/large", "http://127.0.0.1/")
        assert " 413 " in answer.splitlines()[0]
        assert "larger than the 1 MB" in answer


def test_maintenance_is_one_file_and_a_reload_and_closes_the_site_to_visitors_only(project: str) -> None:
    container = start_nginx(project, replace(FULL, health=("/health", "/stock/health")), RELEASES)
    wait_until("nginx is up", lambda: " 204 " in curl(container, nginx_main.HEALTH_URL), 10)
    run(container, "sh", "-c", "head -c 17000000 /dev/zero > /tmp/large")
    put(container, {f"{nginx_main.LIVE}/{pages.FLAG}": pages.flag(600)})
    edge = Edge(container, nginx_main.LIVE, DEFAULT, nginx_main.INTERNAL_PORT)
    assert run(container, "nginx", "-t")[0] == 0
    edge.reload()

    def asked(path: str, *options: str, host: str = "a.test") -> str:
        return curl(container, *options, "-H", f"Host: {host}", f"http://127.0.0.1{path}")

    for path, options, host in (
        ("/stock/any?x=1", (), "a.test"), ("/", ("-d", "x"), "a.test"), ("/static/app.css", (), "b.test"),
        ("/", ("-X", "DELETE"), "admin.test"), ("/.slipway/x", ("-H", f"If-Modified-Since: {FUTURE}"), "a.test"),
        ("/", ("-H", "Expect:", "--data-binary", "@/tmp/large"), "a.test"),
    ):  # fmt: skip
        answer = asked(path, *options, host=host)
        assert answer.splitlines()[0] == "HTTP/1.1 503 Service Temporarily Unavailable", path
        assert "Retry-After: 600" in answer
        assert "Cache-Control: no-store" in answer
        assert "Back soon" in answer
    for path in ("/health", "/stock/health", "/.well-known/acme-challenge/token"):
        assert "Back in a moment" in asked(path), "it did not get as far as a service"
    assert " 404 " in asked("/.slipway/maintenance.html").splitlines()[0]
    assert " 404 " in asked("/", host="other.test").splitlines()[0]
    assert " 403 " in asked(":5000/stock/", host="stock").splitlines()[0], "the calls of services do not change"

    run(container, "rm", f"{nginx_main.LIVE}/{pages.FLAG}", user="0")
    edge.reload()
    assert "Back in a moment" in asked("/"), "maintenance is off"


@pytest.fixture(scope="module")
def server() -> Iterator[Container]:
    """A Postgres that was started with our texts and provisioned twice, for stock and for shop."""
    name = f"texts-{secrets.token_hex(4)}"
    container = engine.client().containers.create(
        base_image("postgres"), postgres.command(PostgresSettings()), name=f"{name}-postgres", shm_size="256m",
        environment={"POSTGRES_PASSWORD": "never-used", "POSTGRES_INITDB_ARGS": postgres.initdb_args()},
    )  # fmt: skip
    put(container, {postgres.HBA_FILE: postgres.pg_hba()})
    container.start()
    wait_until("Postgres answers", lambda: run(container, "pg_isready", "-q", "-h", "127.0.0.1")[0] == 0, 60)
    databases = [
        ServiceDatabase(
            service=service,
            connections=3,
            passwords={login(service, duty, "a"): f"{service}-{duty}" for duty in DUTIES},
        )
        for service in ("stock", "shop")
    ]
    put(container, {"/tmp/provision.sql": provisioning_sql(databases)})
    for _ in range(2):
        script = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "/tmp/provision.sql"]
        status, output = run(container, *script, user="postgres")
        assert status == 0, output
    assert run(container, *postgres.health_command()) == (0, "1")
    yield container
    engine.remove_all(name)


def query(server: Container, role: str, password: str, database: str, sql: str) -> tuple[int, str]:
    """Over the network, as a service would."""
    command = ["psql", "-XqtA", "-h", engine.address(server), "-U", role, "-d", database, "-c", sql]
    return run(server, *command, environment={"PGPASSWORD": password})


def test_the_owner_makes_tables_and_the_service_only_fills_them(server: Container) -> None:
    make = "CREATE TABLE goods (id serial PRIMARY KEY); SELECT current_user"
    assert query(server, "stock_owner_a", "stock-owner", "stock", make) == (0, "stock_owner")
    insert = "INSERT INTO goods DEFAULT VALUES RETURNING id"
    assert query(server, "stock_runtime_a", "stock-runtime", "stock", insert) == (0, "1")
    code, output = query(server, "stock_runtime_a", "stock-runtime", "stock", "DROP TABLE goods")
    assert (code, "must be owner" in output) == (1, True)
    code, output = query(server, "stock_runtime_a", "stock-runtime", "stock", "CREATE TABLE mine (id int)")
    assert (code, "permission denied" in output) == (1, True)


@pytest.mark.parametrize(
    ("role", "password", "database"),
    [
        ("stock_runtime_a", "wrong", "stock"),
        ("stock_runtime_a", "stock-runtime", "shop"),
        ("stock_runtime_a", "stock-runtime", "postgres"),
        ("stock_owner_a", "stock-owner", "shop"),
        ("stock_runtime_b", "stock-runtime", "stock"),
        ("postgres", "never-used", "postgres"),
        (postgres.HEALTH_ROLE, "", "postgres"),
    ],
)
def test_nobody_comes_in_who_need_not(server: Container, role: str, password: str, database: str) -> None:
    code, output = query(server, role, password, database, "SELECT 1")
    assert code == 2, output


def test_neither_passwords_nor_verifiers_are_in_the_servers_log(server: Container) -> None:
    assert b"SCRAM-SHA-256$" not in server.logs()
    assert b"stock-owner" not in server.logs()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep(1.1), 'private'",
        "SELECT 1 / 0, 'private'",
        "CREATE TEMP TABLE once (word text PRIMARY KEY); INSERT INTO once VALUES ('private'), ('private')",
    ],
)
def test_a_slow_or_a_wrong_statement_is_not_in_the_servers_log(server: Container, statement: str) -> None:
    query(server, "stock_owner_a", "stock-owner", "stock", statement)
    assert b"private" not in server.logs()


def test_the_cluster_has_checksums(server: Container) -> None:
    assert run(server, "psql", "-XqtA", "-c", "SHOW data_checksums", user="postgres") == (0, "on")
