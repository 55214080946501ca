"""From a correct declaration to the site: defaults, overrides, and what the profile changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from slipway.core.urls import urls
from slipway.settings.models import (
    TOP_LEVEL,
)
from slipway.settings.problems import SettingsError
from slipway.site.profile import DEV, PROD, PROFILES, profile_for
from slipway.site.site import Strategy
from tests.unit.declaring import FakeEngine, correct, make_root, read


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def test_a_service_needs_nothing_but_its_name(root: Path) -> None:
    service = read({"services": {"shop": None}}, root).services["shop"]
    assert (service.path, service.app, service.route, service.health) == ("services/shop", "manage:app", "/", "/health")
    assert (service.replicas, service.strategy, service.egress, service.database) == (1, Strategy.ROLLING, False, None)


def test_among_several_services_none_is_reachable_unless_it_says_so(root: Path) -> None:
    services = read({"services": {"shop": {"route": "/"}, "stock": {}}}, root).services
    assert services["shop"].routed
    assert not services["stock"].routed


def test_a_host_alone_means_the_whole_host(root: Path) -> None:
    assert read({"services": {"shop": {"host": "shop.test"}}}, root).services["shop"].route == "/"


def test_a_route_may_lack_its_last_slash(root: Path) -> None:
    raw = correct()
    raw["services"]["stock"]["route"] = "/stock"
    assert read(raw, root).services["stock"].route == "/stock/"


def test_a_worker_has_neither_gunicorn_nor_a_place_at_the_edge(root: Path) -> None:
    raw = correct()
    raw["services"]["stock"] |= {"command": "python manage.py work", "route": None}
    service = read(raw | {"services": {**raw["services"], "shop": {"route": "/"}}}, root).services["stock"]
    assert service.command == ("python", "manage.py", "work")
    assert (service.app, service.http, service.routed) == (None, False, False)


def test_a_ready_made_image_is_not_built(root: Path) -> None:
    raw = correct()
    raw["services"]["cache"] = {"image": "redis:7.4"}
    cache = read(raw, root).services["cache"]
    assert (cache.path, cache.app, cache.http) == (None, None, False)


def test_the_gate_asks_for_health_unless_told_otherwise(root: Path) -> None:
    raw = correct()
    raw["services"]["stock"] |= {"health": "/alive", "ready": "/ready"}
    services = read(raw, root).services
    assert (services["shop"].health, services["shop"].ready) == ("/health", "/health")
    assert (services["stock"].health, services["stock"].ready) == ("/alive", "/ready")


def test_overrides_change_single_keys_and_entries_and_null_takes_one_back(root: Path) -> None:
    raw = correct()
    raw["services"]["stock"]["memory"] = 512
    raw["overrides"] = {"shop": {"replicas": 3, "env": {"TITLE": "Sale"}}, "stock": {"memory": None, "database": None}}
    raw["services"]["stock"] |= {"env": {}, "migrate": None}
    services = read(raw, root).services
    assert services["shop"].replicas == 3
    assert services["shop"].env == {"TITLE": "Sale", "STOCK_URL": "{services.stock.url}"}
    assert (services["stock"].memory, services["stock"].database) == (256, None)


def test_numbers_and_truth_become_the_text_of_a_variable(root: Path) -> None:
    raw = correct()
    raw["services"]["shop"]["env"] = {"PORT": 80, "DEBUG": True, "RATIO": 0.5, "JSON": '{"a": {"b": 1}}'}
    env = read(raw, root).services["shop"].env
    assert env == {"PORT": "80", "DEBUG": "true", "RATIO": "0.5", "JSON": '{"a": {"b": 1}}'}


def test_ports_for_developers_are_the_declared_ones_and_then_the_next_free(root: Path) -> None:
    raw = correct()
    raw["services"]["stock"]["devPort"] = 8006
    services = read(raw, root).services
    assert (services["stock"].dev_port, services["shop"].dev_port) == (8006, 8007)


def test_a_managed_database_takes_its_password_from_the_secrets(root: Path) -> None:
    raw = correct()
    raw["services"]["stock"] |= {"database": {"url": "postgresql://a:{secrets.DB}@db.test/stock"}, "secrets": ["DB"]}
    site = read(raw | {"secrets": {"stock": {"DB": "x"}}}, root)
    assert site.configured_secrets == {"stock": ("DB",)}
    assert not site.owns_postgres


def test_values_of_secrets_do_not_travel(root: Path) -> None:
    site = read(correct() | {"secrets": {"shop": {"SECRET_KEY": "hunter2"}}}, root)
    assert site.configured_secrets == {"shop": ("SECRET_KEY",)}
    assert "hunter2" not in repr(site)


def test_base_images_come_from_the_settings_and_then_from_set_up(root: Path) -> None:
    images = read(correct() | {"baseImages": {"nginx": "mirror.test/nginx:1.30"}}, root).base_images
    assert (images.nginx, images.python) == ("mirror.test/nginx:1.30", "registry.test/python:1")


@pytest.mark.parametrize(("stack", "profile"), [("dev", DEV), ("dev-anna", DEV), ("prod", PROD), ("staging", PROD)])
def test_a_stack_is_prod_unless_its_name_begins_with_dev(stack: str, profile: object) -> None:
    assert profile_for(stack) is profile


def test_the_profile_can_be_chosen(root: Path) -> None:
    assert read(correct() | {"profile": "prod"}, root, stack="dev").profile is PROD


def test_in_prod_everything_that_helps_debugging_is_off() -> None:
    assert PROFILES["prod"] is PROD
    assert not any((PROD.bind_mounts, PROD.debug_server, PROD.publish_services, PROD.adminer, PROD.seed))
    assert PROD.hardened
    assert PROD.keep_data


def test_adminer_is_there_in_dev_and_only_there_and_can_be_switched_off(root: Path) -> None:
    adminer = read(correct(), root, stack="dev").adminer
    assert adminer is not None
    assert adminer.port == 8081
    assert read(correct() | {"adminer": False}, root, stack="dev").adminer is None
    assert read(correct(), root).adminer is None


def test_paths_and_addresses_have_the_route_before_them_where_gunicorn_cuts_it_off(root: Path) -> None:
    prod, dev = read(correct(), root), read(correct(), root, stack="dev")
    stock = prod.services["stock"]
    assert (prod.prefix(stock), prod.health_path(stock)) == ("/stock", "/stock/health")
    assert (dev.prefix(stock), dev.health_path(stock)) == ("", "/health")
    assert prod.url_of(stock) == "http://stock:5000/stock"
    assert dev.url_of(stock) == "http://stock:5000"
    assert prod.prefix(prod.services["shop"]) == ""
    assert prod.callers(stock) == ("shop",)


@pytest.mark.parametrize(
    ("edge", "url"),
    [
        ({}, "http://127.0.0.1:8100/"),
        ({"address": "0.0.0.0", "port": 80}, "http://127.0.0.1/"),
        ({"address": "::1"}, "http://[::1]:8100/"),
        ({"hosts": ["shop.test"]}, "http://shop.test:8100/"),
    ],
)
def test_the_site_says_where_a_browser_finds_it(root: Path, edge: dict[str, object], url: str) -> None:
    assert urls(read(correct() | {"edge": edge}, root)) == {"url": url}


def test_in_dev_each_service_has_an_address_of_its_own(root: Path) -> None:
    found = urls(read(correct(), root, stack="dev"))
    assert found == {"shop_url": "http://127.0.0.1:8006/", "stock_url": "http://127.0.0.1:8007/"}


def test_by_default_the_site_is_published_to_this_machine_only(root: Path) -> None:
    edge = read(correct(), root).edge
    assert (edge.address, edge.port, edge.trusted_proxies) == ("127.0.0.1", 8100, ())


def test_the_sites_own_pages_and_the_retention_of_static_files_can_be_chosen(root: Path) -> None:
    (root / "closed.html").write_text("<h1>Closed</h1>")
    edge = read(correct() | {"edge": {"pages": {"maintenance": "closed.html"}, "staticRetention": 3600}}, root).edge
    assert (edge.pages, edge.static_retention) == ({"maintenance": "closed.html"}, 3600)
    assert (read(correct(), root).edge.pages, read(correct(), root).edge.static_retention) == ({}, 7 * 24 * 3600)


@pytest.mark.parametrize("content", [b"", b"x" * (100 * 1024 + 1), b"\xff\xfe"])
def test_a_page_that_is_empty_too_large_or_no_text_is_refused(root: Path, content: bytes) -> None:
    (root / "closed.html").write_bytes(content)
    with pytest.raises(SettingsError, match=r"edge\.pages\.maintenance"):
        read(correct() | {"edge": {"pages": {"maintenance": "closed.html"}}}, root)


@pytest.mark.parametrize(
    ("files", "app"),
    [
        ({"wsgi.py": "def create_app(): ..."}, "wsgi:create_app()"),
        (
            {"web/__init__.py": "", "web/main.py": "try:\n    import a as app\nexcept ImportError:\n    app = None"},
            "web.main:app",
        ),
        ({"wsgi.py": "from site_of_ours import *"}, "wsgi:application"),
        ({"requirements.txt": "somebodys-app==1.0"}, "somebodys_app:create_app()"),
    ],
)
def test_an_entry_point_is_found_where_gunicorn_would_find_it(root: Path, files: dict[str, str], app: str) -> None:
    folder = root / "services" / "third"
    for name, text in {"Dockerfile": "FROM scratch", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert read({"services": {"third": {"app": app}}}, root).services["third"].app == app


def test_an_entry_point_that_no_file_and_no_dependency_can_hold_is_a_mistake(root: Path) -> None:
    (root / "services" / "third").mkdir()
    (root / "services" / "third" / "Dockerfile").write_text("FROM scratch")
    (root / "services" / "third" / "wsgi.py").write_text("application = None")
    with pytest.raises(SettingsError, match="app: wsgi:application"):
        read({"services": {"third": {}}}, root)


def test_what_travels_can_be_imported_without_pulumi_docker_and_pydantic() -> None:
    modules = (
        "slipway.nginx.routes, slipway.core.provisioning, slipway.core.budget, slipway.core.dsn, slipway.core.hashing"
    )
    check = f"import sys, {modules}; print([m for m in ('pulumi', 'docker', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_declaration_in_this_repository_is_correct_in_both_stacks() -> None:
    root = Path(__file__).parents[2]
    declared = yaml.safe_load((root / "Pulumi.yaml").read_text())
    defaults = {key: entry["default"] for key, entry in declared["config"].items()}
    engine = FakeEngine(memory=4000)
    for stack in ("dev", "prod"):
        own = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text())
        assert "encryptionsalt" not in own, "it belongs to one user's stack"
        site = read(defaults | own["config"], root, stack=stack, project=declared["name"], engine=engine)
        assert site.profile.name == stack
    assert set(declared["config"]) <= set(TOP_LEVEL)
