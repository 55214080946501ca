"""Sizes, durations, references, addresses, hashes and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.core import budget, dsn, gunicorn, hashing, kinds, naming, processes, scratch
from slipway.core.durations import go_duration
from slipway.core.references import fill, references, split
from slipway.site.database import Database, PostgresSettings
from slipway.site.site import Service, Strategy
from tests.unit.declaring import correct, make_root, read


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (5, "5s"),
        (60, "1m0s"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (1.5, "1.5s"),
        (0.25, "250ms"),
        (61.05, "1m1.05s"),
    ],
)
def test_durations_are_written_as_the_engine_gives_them_back(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


@pytest.mark.parametrize("seconds", [-1, 0.0001])
def test_a_duration_that_could_not_come_back_the_same_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        go_duration(seconds)


@pytest.mark.parametrize(
    ("cpus", "memory", "workers"), [(0.5, 256, 1), (1, 256, 2), (2, 1024, 4), (4, 256, 2), (0.1, 32, 1)]
)
def test_workers_fit_the_container_not_the_host(cpus: float, memory: int, workers: int) -> None:
    assert gunicorn.workers(cpus, memory) == workers


@pytest.mark.parametrize(
    ("service", "limit"),
    [
        (Service(name="small", cpus=0.5), 256),
        (Service(name="large", cpus=16, memory=8192), 2 * 32 * 6),
        (Service(name="own", cpus=16, memory=8192, pids=64), 64),
    ],
    ids=lambda each: each.name if isinstance(each, Service) else str(each),
)
def test_a_container_may_have_twice_the_processes_and_threads_that_its_server_starts(
    service: Service, limit: int
) -> None:
    assert processes.of_service(service) == limit


def test_each_connection_of_postgres_may_have_its_process() -> None:
    assert processes.of_postgres(PostgresSettings(max_connections=100)) == 256
    assert processes.of_postgres(PostgresSettings(max_connections=1000)) == 1064


SERVED = Service(name="shop", app="manage:app")


def test_gunicorn_trusts_the_edge_alone_and_opens_nothing_else() -> None:
    command = gunicorn.command(Service(name="shop", app="manage:app"), trusted="10.1.0.0/24", drain=30)
    assert "--forwarded-allow-ips=10.1.0.0/24" in command
    assert {"--no-control-socket", "--worker-class=slipway_worker.Worker", "--worker-tmp-dir=/tmp"} <= set(command)
    assert command[-1] == "manage:app"


def test_gunicorn_has_as_many_threads_as_the_service_declares() -> None:
    def threads(service: Service) -> list[str]:
        command = gunicorn.command(service, trusted="10.1.0.0/24", drain=30)
        return [argument for argument in command if argument.startswith("--threads=")]

    assert threads(Service(name="shop", app="manage:app")) == ["--threads=4"]
    assert threads(Service(name="shop", app="manage:app", threads=16)) == ["--threads=16"]


@pytest.mark.parametrize("max_header", [4, 8, 32, 64])
def test_gunicorn_takes_every_header_that_nginx_lets_in(max_header: int) -> None:
    command = gunicorn.command(SERVED, trusted="10.1.0.0/24", drain=30, max_header=max_header)
    assert "--limit-request-line=0" in command
    [size] = [int(word.partition("=")[2]) for word in command if word.startswith("--limit-request-field_size=")]
    assert size > 4 * max_header * 1024, "four buffers of cookies, which nginx makes one line of"


@pytest.mark.parametrize(("deploy_timeout", "timeout"), [(10, 60), (120, 120), (300, 300)])
def test_gunicorn_does_not_kill_a_worker_that_may_still_be_starting(deploy_timeout: int, timeout: int) -> None:
    command = gunicorn.command(SERVED, trusted="", drain=30, deploy_timeout=deploy_timeout)
    assert f"--timeout={timeout}" in command


def test_room_for_uploads_is_where_images_have_the_folder_and_nothing_else_is_mounted() -> None:
    assert scratch.spools(Service(name="shop", path="services/shop", volumes={"data": "/data"}))
    assert not scratch.spools(Service(name="shop", path="services/shop", volumes={"data": "/var/tmp"}))
    assert not scratch.spools(Service(name="store", image="redis:7.4"))


def test_gunicorn_needs_an_entry_point() -> None:
    with pytest.raises(ValueError, match="service work has no WSGI entry point"):
        gunicorn.command(Service(name="work", command=("x",)), trusted="", drain=30)


def test_during_a_release_old_and_new_containers_count() -> None:
    service = Service(name="shop", app="manage:app", replicas=3, memory=256, database=Database(connections=4))
    assert budget.connection_limit(service) == 2 * 3 * 2 * 4 + 2
    assert budget.service_memory(service) == 2 * 3 * 256
    alone = Service(name="shop", app="manage:app", memory=256, database=Database(), strategy=Strategy.RECREATE)
    assert budget.connection_limit(alone) == 2 * 15 + 2
    assert budget.service_memory(alone) == 256


def test_a_login_is_for_all_who_use_the_database(tmp_path: Path) -> None:
    raw = correct()
    raw["services"]["worker"] = {
        "path": "services/stock", "command": "python worker.py", "database": {"service": "stock", "connections": 3},
    }  # fmt: skip
    site = read(raw, make_root(tmp_path))
    stock, worker = site.services["stock"], site.services["worker"]
    assert budget.login_limit(site, stock) == budget.connection_limit(stock) + 2 * 3 + 2
    assert budget.login_limit(site, worker) == 0
    assert budget.connections(site) == budget.login_limit(site, stock) + 10


def test_the_site_needs_what_its_parts_need(tmp_path: Path) -> None:
    site = read(correct(), make_root(tmp_path))
    assert budget.connections(site) == 2 * 2 * 15 + 2 + 10
    assert kinds.memory(site) == 2 * (2 * 256) + 512 + 256


def test_a_variable_with_a_secret_in_it_is_secret_as_a_whole() -> None:
    env = {"TITLE": "Shop", "URL": "{database.url}", "HOST": "{database.host}", "DSN": "x:{secrets.KEY}@y"}
    plain, secret = split(env, ["KEY"])
    assert plain == {"TITLE": "Shop", "HOST": "{database.host}"}
    assert secret == {"KEY": "{secrets.KEY}", "URL": "{database.url}", "DSN": "x:{secrets.KEY}@y"}


def test_references_are_filled_in_and_other_braces_stay() -> None:
    text = '{"a": {"b": 1}} {services.stock.url}/x {{record.name}} {} {plain}'
    assert [reference.path for reference in references(text)] == ["services.stock.url"]
    assert fill(text, {"services.stock.url": "http://s"}) == '{"a": {"b": 1}} http://s/x {record.name} {} {plain}'


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert fill("{secrets.KEY}", {"secrets.KEY": "{secrets.OTHER}"}) == "{secrets.OTHER}"


def test_a_reference_without_a_value_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        fill("{database.port}", {"database.host": "postgres"})


def test_an_address_survives_passwords_that_urls_cannot_hold() -> None:
    place = dsn.Dsn(host="db.test", port=5432, name="stock", user="app")
    assert dsn.parse(place.url("p@ss/w:rd%")) == (place, "p@ss/w:rd%")
    assert place.values("p@ss")["database.url"] == "postgresql://app:p%40ss@db.test:5432/stock"
    assert not {"database.url", "database.password"} & set(place.plain_values())


def test_a_reference_may_stand_for_the_password() -> None:
    place, password = dsn.parse("postgres://app:{secrets.DB}@db.test/stock?sslmode=require")
    assert password == "{secrets.DB}"
    assert place.url("x") == "postgresql://app:x@db.test:5432/stock?sslmode=require"


@pytest.mark.parametrize(
    "url", ["mysql://a@b/c", "postgresql://b/c", "postgresql://a@b", "postgresql://a:geheim@b:x/c"]
)
def test_an_incomplete_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(it must|its port)") as caught:
        dsn.parse(url)
    assert "geheim" not in str(caught.value)


def test_the_hash_of_secrets_needs_the_key() -> None:
    assert hashing.keyed("k", {"A": "1"}) == hashing.keyed("k", {"A": "1"})
    assert len({hashing.keyed(key, {"A": value}) for key in "kl" for value in "12"}) == 4


def test_the_hash_of_a_value_does_not_depend_on_the_order_of_keys() -> None:
    assert hashing.of_value({"a": 1, "b": 2}) == hashing.of_value({"b": 2, "a": 1}) != hashing.of_value({"a": 1})


def test_labels_that_would_replace_a_volume_never_change() -> None:
    constant = naming.labels("site", "prod", "shop")
    assert constant == {"slipway.project": "site", "slipway.stack": "prod", "slipway.service": "shop"}
    assert naming.data_volume("site", "prod", "shop", "uploads") == "site-prod-shop-uploads"


def test_the_longest_names_are_still_host_names() -> None:
    longest = "s" * naming.LONGEST_PREFIX + "n" * 20 + "-31" + "-1234567"
    assert len(longest) <= 63
