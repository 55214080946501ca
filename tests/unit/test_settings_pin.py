"""A stack that is pinned to a release: its services are the record's, all else is today's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from slipway.settings.pin import pinned
from slipway.settings.problems import SettingsError
from slipway.site.site import Pin
from tests.unit.declaring import FakeEngine, correct, make_root, read

IMAGES = {"shop": f"sha256:{'a' * 64}", "stock": f"sha256:{'b' * 64}"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def held(**changes: Any) -> dict[str, Any]:
    """Today's declaration, and a pin to release 7, in which the shop had another title."""
    services = correct()["services"]
    services["shop"] = {**services["shop"], "env": {"TITLE": "Old shop"}}
    return {**correct(), "release": {"release": "7", "images": IMAGES, "services": services, **changes}}


def test_the_services_are_those_of_the_release_and_overrides_do_not_count(root: Path) -> None:
    site = read({**held(), "overrides": {"shop": {"replicas": 3}}, "drain": 7}, root)
    assert site.pin == Pin(release="7", images=IMAGES)
    assert (site.services["shop"].env, site.services["shop"].replicas) == ({"TITLE": "Old shop"}, 1)
    assert site.drain == 7, "what is not of a service is today's"
    assert site.tables == held()["release"]["services"]


def test_without_a_pin_the_tables_are_the_declared_ones_with_their_overrides(root: Path) -> None:
    site = read({**correct(), "overrides": {"shop": {"replicas": 3}}}, root)
    assert site.pin is None
    assert site.tables["shop"] == {**correct()["services"]["shop"], "replicas": 3}


def test_a_record_can_be_declared_again(root: Path) -> None:
    """What is written down is enough to get the same services."""
    today = read({**correct(), "overrides": {"stock": {"memory": 300}}}, root)
    again = read({**correct(), "release": {"release": "1", "images": IMAGES, "services": today.tables}}, root)
    assert again.services == today.services


def test_secrets_are_todays_also_those_that_the_release_did_not_know(root: Path) -> None:
    raw = held()
    raw["services"]["shop"]["secrets"] = ["SECRET_KEY", "TOKEN"]
    raw["secrets"] = {"shop": {"TOKEN": "set"}}
    site = read(raw, root)
    assert site.declared_secrets == {"shop": ("SECRET_KEY", "TOKEN"), "stock": ()}
    assert site.configured_secrets == {"shop": ("TOKEN",)}


def test_mistakes_in_todays_services_do_not_hold_up_a_rollback(root: Path) -> None:
    raw = {**held(), "services": {"shop": {"replicas": "many"}}, "overrides": {"stok": {}}}
    assert read(raw, root).services.keys() == {"shop", "stock"}


def test_the_sources_may_be_gone_where_the_images_hold_them(root: Path) -> None:
    shutil.rmtree(root / "services")
    assert read(held(), root).services.keys() == {"shop", "stock"}
    with pytest.raises(SettingsError, match="there is no folder services/shop"):
        read(held(), root, stack="dev")


def test_an_image_that_the_engine_has_no_more_is_one_mistake_each_with_what_to_type(root: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read(held(), root, engine=FakeEngine(images={IMAGES["shop"]}))
    [problem] = error.value.problems
    assert problem.path == "release.images.stock"
    assert "the engine has the image of release 7 no more" in problem.what
    assert problem.fix[0] == "Type: slipway rollback --clear"
    assert read(held(), root, engine=FakeEngine()).pin


def test_a_record_without_the_image_of_a_service_is_refused(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"release\.images\.stock: the record of release 7 names no image"):
        read(held(images={"shop": IMAGES["shop"]}), root)


@pytest.mark.parametrize(
    "spoilt", [{"release": "newest"}, {"images": {"shop": "shop:latest"}}, {"services": []}, {"more": 1}]
)
def test_what_rollback_did_not_write_is_refused(root: Path, spoilt: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="release: is not what `slipway rollback` writes"):
        read(held(**spoilt), root)


def test_the_operator_is_told_what_it_means_and_how_to_end_it() -> None:
    text = pinned(Pin(release="7", images={}))
    assert "pinned to release 7" in text
    assert "slipway rollback --clear" in text
