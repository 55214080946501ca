"""Who reaches whom, and by which name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.core import topology
from slipway.site.site import Site
from tests.unit.declaring import correct, make_root, read

CACHE = {"image": "redis:7.4", "port": 6379}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def site(root: Path, stack: str = "prod", *, cache: bool = False, **changes: dict[str, Any]) -> Site:
    """The correct site with some keys of its services changed; with a Redis, which the shop uses, on demand."""
    raw = correct()
    if cache:
        raw["services"]["cache"] = dict(CACHE)
        raw["services"]["shop"]["uses"] = ["stock", "cache"]
    for name, change in changes.items():
        raw["services"][name] |= change
    return read(raw, root, stack=stack)


def networks(site: Site) -> dict[str, dict[str, tuple[str, ...]]]:
    """{network: {member: aliases}}."""
    return {plan.name: dict(plan.members) for plan in topology.networks(site)}


def internal(site: Site) -> set[str]:
    return {plan.name for plan in topology.networks(site) if plan.internal}


def test_in_prod_services_meet_only_at_the_edge(root: Path) -> None:
    assert networks(site(root)) == {
        "shop": {"shop": (), "edge": ()},
        "shop-stock": {"shop": (), "edge": ("stock",)},
        "stock": {"stock": (), "edge": ()},
        "stock-db": {"stock": (), "postgres": ("postgres",)},
        "public": {"edge": ()},
        "postgres": {"postgres": ("postgres",)},
    }


def test_in_prod_only_the_edge_reaches_the_world(root: Path) -> None:
    assert set(networks(site(root))) - internal(site(root)) == {"public"}


def test_without_an_edge_caller_and_called_share_a_network(root: Path) -> None:
    assert networks(site(root, "dev")) == {
        "shop": {"shop": ()},
        "shop-stock": {"shop": (), "stock": ("stock",)},
        "stock": {"stock": ()},
        "stock-db": {"stock": (), "postgres": ("postgres",)},
        "postgres": {"postgres": ("postgres",), "adminer": ()},
        "adminer": {"adminer": ()},
    }


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_what_does_not_speak_http_is_reached_directly_by_its_callers(root: Path, stack: str) -> None:
    found = networks(site(root, stack, cache=True))
    assert found["shop-cache"] == {"shop": (), "cache": ("cache",)}
    assert "shop-cache" in internal(site(root, stack, cache=True))
    reaching = {member for members in found.values() if "cache" in members for member in members}
    assert reaching == {"shop", "cache"}


def test_the_edge_does_not_stand_for_what_it_cannot_pass_on(root: Path) -> None:
    found = networks(site(root, cache=True))
    assert "edge" not in {**found["shop-cache"], **found["cache"]}
    assert found["shop-stock"] == {"shop": (), "edge": ("stock",)}


def test_a_new_call_changes_no_network_that_is_there(root: Path) -> None:
    before, after = networks(site(root, shop={"uses": [], "env": {}})), networks(site(root, cache=True))
    assert {name: after[name] for name in before} == before


def test_the_edge_is_only_where_it_is_needed(root: Path) -> None:
    worker: dict[str, Any] = {"command": ["python", "work.py"], "route": None, "static": {}, "uses": [], "env": {}}
    assert "edge" not in networks(site(root, shop=worker, stock={"route": "/"}))["shop"]
    calling = worker | {"uses": ["stock"]}
    assert networks(site(root, shop=calling, stock={"route": "/"}))["shop-stock"]["edge"] == ("stock",)


def test_a_service_that_is_only_called_is_behind_the_edge_too(root: Path) -> None:
    stock = {"route": None, "health": "/health"}
    found = networks(site(root, stock=stock))
    assert found["stock"]["edge"] == ()
    assert found["shop-stock"]["edge"] == ("stock",)


@pytest.mark.parametrize("change", [{"egress": True}, {"database": {"url": "postgresql://app@db.example.org/stock"}}])
def test_egress_and_a_managed_database_give_a_service_a_way_out(root: Path, change: dict[str, Any]) -> None:
    declared = site(root, stock=change | {"migrate": None})
    assert networks(declared)["stock-egress"] == {"stock": ()}
    assert "stock-egress" not in internal(declared)
    assert "stock-egress" not in networks(site(root, "dev", stock=change | {"migrate": None})), "dev is open anyway"


def test_each_database_is_reached_by_its_own_service_alone(root: Path) -> None:
    found = networks(site(root, shop={"database": True}))
    assert set(found["shop-db"]) == {"shop", "postgres"}
    assert set(found["stock-db"]) == {"stock", "postgres"}


def test_memberships_are_what_a_container_is_attached_to(root: Path) -> None:
    plans = topology.networks(site(root, cache=True))
    assert topology.memberships(plans, "edge") == {"shop": (), "shop-stock": ("stock",), "stock": (), "public": ()}
    assert topology.memberships(plans, "cache") == {"shop-cache": ("cache",), "cache": ()}
