"""What a rotation changes, and what it leaves alone."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from tests.mocks.program import run
from tests.mocks.recording import SECRET, Program, Registered
from tests.mocks.sites import UI, declared


@functools.cache
def rotated(name: str, count: int = 1) -> Program:
    """The shipped site after a rotation of `owner.name`."""
    owner, _, secret = name.partition(".")
    return run("prod", {"rotations": {owner: {secret: count}}})


def changed(before: Program, after: Program) -> set[str]:
    """The logical names of what both have and what differs."""
    return {
        after.resources[urn].logical
        for urn in before.resources.keys() & after.resources.keys()
        if before.resources[urn].inputs != after.resources[urn].inputs
    }


def new(before: Program, after: Program) -> list[str]:
    return sorted(after.resources[urn].logical for urn in after.resources.keys() - before.resources.keys())


def gone(before: Program, after: Program) -> list[str]:
    return new(after, before)


def files(program: Program, name: str) -> dict[str, str]:
    found: dict[str, str] = program.of_kind("FilesVolume")[name].inputs["files"]
    return found


def test_a_stack_that_rotated_nothing_is_as_it_was(prod: Program) -> None:
    assert not [name for name in files(prod, "ui-files") if "FALLBACKS" in name]
    none = run(
        "prod", {"rotations": {"ui": {"SECRET_KEY": 0}, "images": {"database": 0}, "postgres": {"superuser": 0}}}
    )
    assert (new(prod, none), gone(prod, none), changed(prod, none)) == ([], [], set())


def test_a_rotated_secret_is_another_value_and_its_former_one_goes_on_verifying() -> None:
    for count, key, former in ((1, "SECRETKEY1", "SECRETKEY"), (2, "SECRETKEY2", "SECRETKEY1")):
        found = files(rotated("ui.SECRET_KEY", count), "ui-files")
        assert found["env/SECRET_KEY"] == f"{SECRET}slipwayprodui{key}"
        assert json.loads(found["env/SECRET_KEY_FALLBACKS"]) == [f"{SECRET}slipwayprodui{former}"]


def test_a_rotation_of_a_secret_changes_nothing_but_the_containers_that_have_it(prod: Program) -> None:
    after = rotated("ui.SECRET_KEY")
    assert changed(prod, after) == {"ui", "ui-files"}
    assert new(prod, after) == ["ui-SECRET_KEY-1"]
    assert gone(prod, after) == []


def test_only_two_generations_are_kept(prod: Program) -> None:
    after = rotated("ui.SECRET_KEY", 3)
    assert new(prod, after) == ["ui-SECRET_KEY-2", "ui-SECRET_KEY-3"]
    assert gone(prod, after) == ["ui-SECRET_KEY"]
    database = rotated("images.database", 2)
    drawn = set(database.of_kind("RandomPassword"))
    assert {name for name in drawn if "db" in name} == {"images-db-owner-2", "images-db-runtime-2"}


@pytest.mark.parametrize(("count", "slot", "other"), [(0, "a", "b"), (1, "b", "a"), (2, "a", "b")])
def test_a_rotated_database_is_entered_by_the_other_login_and_the_former_is_left_as_it_is(
    count: int, slot: str, other: str
) -> None:
    program = rotated("images.database", count)
    roles = program.of_kind("DatabaseRoles")["database-roles"].inputs
    assert f"DB_USER=images_runtime_{slot}" in program.services["images"].inputs["envs"]
    migration = program.of_kind("Job")["images-migrate"].inputs
    assert migration["env"]["DB_USER"] == f"images_owner_{slot}"
    number = str(count or "")
    assert files(program, "images-files")["env/DB_PASSWORD"] == f"{SECRET}slipwayprodimagesdbruntime{number}"
    for duty in ("owner", "runtime"):
        assert f'ALTER ROLE "images_{duty}_{slot}" LOGIN PASSWORD' in roles["sql"]
        locked = f'ALTER ROLE "images_{duty}_{other}" NOLOGIN PASSWORD NULL;'
        assert f"\\if :fresh\n{locked}\n\\endif\n" in roles["sql"]
        assert roles["sql"].count(locked) == 1
    assert roles["generations"] == {"images": count}
    logins = {name: each.inputs["role"] for name, each in program.of_kind("DatabaseLogin").items()}
    tail = f"-{count}" if count else ""
    assert logins == {f"images-db-{duty}-login{tail}": f"images_{duty}_{slot}" for duty in ("owner", "runtime")}


@pytest.mark.parametrize("count", [0, 1])
def test_a_login_is_locked_only_after_what_uses_it_has_gone(count: int) -> None:
    program = rotated("images.database", count)
    logins = {each.urn for each in program.of_kind("DatabaseLogin").values()}

    def before(each: Registered) -> set[str]:
        return program.all_before(each) & logins

    assert len(logins) == 2
    assert before(program.services["images"]) == logins
    assert before(program.of_kind("Job")["images-migrate"]) == logins
    assert not before(program.containers["postgres"])
    for each in program.of_kind("DatabaseLogin").values():
        assert program.of_kind("DatabaseRoles")["database-roles"].urn in each.depends_on
        assert not each.built_from, "a new server would take them along, and lock them while they are used"


def test_a_rotated_superuser_leaves_the_server_alone(prod: Program) -> None:
    after = rotated("postgres.superuser")
    assert changed(prod, after) == {"postgres-config"}
    was, now = (program.of_kind("FilesVolume")["postgres-config"].inputs for program in (prod, after))
    assert was["volume"] == now["volume"]
    assert {name for name in was["files"] if was["files"][name] != now["files"][name]} == {"superuser-password"}
    assert (new(prod, after), gone(prod, after)) == (["postgres-superuser-1"], [])


def test_what_can_be_rotated_is_in_the_state(prod: Program) -> None:
    def recorded(program: Program) -> Any:
        [found] = [outputs for urn, outputs in program.registered_outputs.items() if "components:Secrets::" in urn]
        return found.get("rotations", {})

    assert recorded(prod) == {"ui": {"SECRET_KEY": 0}, "images": {"database": 0}, "postgres": {"superuser": 0}}
    assert recorded(rotated("images.database", 2)).get("images") == {"database": 2}


@pytest.mark.parametrize(("count", "former"), [(0, []), (1, [f"{SECRET}slipwayproduiKEY"])])
def test_an_application_may_name_the_former_values_as_it_likes(count: int, former: list[str]) -> None:
    env = {"FLASK_SECRET_KEY": "{secrets.KEY}", "FLASK_SECRET_KEY_FALLBACKS": "{secrets.KEY_FALLBACKS}"}
    site = declared(ui={**UI, "secrets": ["KEY"], "env": env}) | {"rotations": {"ui": {"KEY": count}}}
    found = files(run("prod", site), "ui-files")
    assert json.loads(found["env/FLASK_SECRET_KEY_FALLBACKS"]) == former
    assert found["env/FLASK_SECRET_KEY"] == found["env/KEY"]
