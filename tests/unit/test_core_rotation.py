"""What can be rotated, and which generation is in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.core import rotation
from slipway.site.site import Service, Site
from tests.unit.declaring import correct, make_root, read


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path)


def site(root: Path, **more: Any) -> Site:
    return read(correct() | more, root)


def test_every_generated_secret_of_a_stack_can_be_rotated(root: Path) -> None:
    assert rotation.in_force(site(root)) == {
        "shop": {"SECRET_KEY": 0},
        "stock": {"database": 0},
        "postgres": {"superuser": 0},
    }


def test_the_count_is_the_generation(root: Path) -> None:
    known = rotation.in_force(site(root, rotations={"shop": {"SECRET_KEY": 2}, "postgres": {"superuser": 1}}))
    assert known == {"shop": {"SECRET_KEY": 2}, "stock": {"database": 0}, "postgres": {"superuser": 1}}


def test_a_chosen_secret_is_not_among_them(root: Path) -> None:
    assert "shop" not in rotation.in_force(site(root, secrets={"shop": {"SECRET_KEY": "chosen"}}))


@pytest.mark.parametrize(
    ("tls", "rotatable"),
    [("self-signed", True), ({"mode": "acme", "directory": "https://ca.test"}, True), ("off", False)],
)
def test_the_key_of_the_sites_certificates_is_among_them_where_it_is_made_here(
    root: Path, tls: Any, *, rotatable: bool
) -> None:
    known = rotation.in_force(site(root, edge={"hosts": ["www.example.org"], "tls": tls}))
    assert known.get("edge") == ({"tls": 0} if rotatable else None)


def test_a_key_that_was_rotated_once_is_no_obstacle_to_another_mode(root: Path) -> None:
    assert site(root, edge={"tls": "off"}, rotations={"edge": {"tls": 1}}).rotations["edge"] == {"tls": 1}


def test_who_uses_the_database_of_another_has_no_logins_to_rotate(root: Path) -> None:
    services = correct()["services"]
    services["worker"] = {"path": "services/stock", "command": "python worker.py", "database": {"service": "stock"}}
    assert rotation.in_force(site(root, services=services)).keys() == {"shop", "stock", "postgres"}


def test_the_name_of_what_draws_a_value_tells_its_generation() -> None:
    for generation in (0, 1, 12):
        assert rotation.drawn_as("-".join(rotation.logical(("web", "KEY"), generation))) == ("web-KEY", generation)


def test_counting_up_leaves_the_other_counts_as_they_are() -> None:
    before = {"shop": {"SECRET_KEY": 1, "OTHER": 3}}
    after = rotation.counted_up(before, [("shop", "SECRET_KEY"), ("stock", "database")])
    assert after == {"shop": {"SECRET_KEY": 2, "OTHER": 3}, "stock": {"database": 1}}
    assert before == {"shop": {"SECRET_KEY": 1, "OTHER": 3}}


def test_a_variable_that_the_service_declares_itself_stays_its_own() -> None:
    plain = Service(name="shop", secrets=("KEY",))
    assert rotation.fallback_variables(plain, ["KEY"]) == {"KEY_FALLBACKS": "KEY"}
    for own in (
        Service(name="shop", secrets=("KEY", "KEY_FALLBACKS")),
        Service(name="shop", secrets=("KEY",), env={"KEY_FALLBACKS": "[]"}),
    ):
        assert rotation.fallback_variables(own, ["KEY"]) == {}
