"""Two operators: who does not get the lock changes nothing and ends with exit code 8; who gets it acts on what it saw
only if nobody was at work."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from slipway.cli import failed
from slipway.engine.lock import HOLDER_LABEL, LABEL, Holder
from tests.unit.cli.fakes import Desk, container_resource

DIY = "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file"
CLOUD = "[409] Conflict: Another update is currently in progress.\nTo learn more about possible reasons, visit …"
RUNNING, DONE = "site-dev-new-1234567", "site-dev-images-migrate"
CHANGING = [["up"], ["down"], ["down", "--delete-data", "--yes"], ["rotate", "--all"], ["rollback"]]


def at_work(desk: Desk, *, interrupted: bool = True) -> None:
    """What another operator's run looks like: operations that are pending, a container and a migration that no state
    knows yet."""
    desk.has_state(container_resource("ui", "a"), interrupted=interrupted)
    desk.engine.add("site-dev-ui-1234567", "ui", id="a")
    desk.engine.add(RUNNING, "ui")
    desk.engine.add(DONE, "images", labels={"slipway.helper": "job"})


def hold(desk: Desk, stack: str = "dev") -> None:
    """A command of somebody else's holds the lock of the stack on its engine."""
    holder = replace(Holder.me(), token="other", machine="another", host="elsewhere", user="ada")
    desk.engine.create("held", {LABEL: f"site/{stack}", HOLDER_LABEL: json.dumps(asdict(holder))})


@pytest.mark.parametrize("arguments", [*CHANGING, ["rollback", "--clear"]])
def test_beside_another_command_none_that_changes_the_stack_begins(desk: Desk, arguments: list[str]) -> None:
    at_work(desk)
    hold(desk)

    refused = desk.run(*arguments)

    assert refused.exit_code == 8
    assert "ada on elsewhere" in refused.stderr
    assert (desk.engine.done, desk.calls(), set(desk.engine.locks)) == ([], [], {"held"})


@pytest.mark.parametrize("command", ["preview", "status", "releases", "ps"])
def test_what_only_looks_goes_on_beside_it(desk: Desk, command: str) -> None:
    desk.has_state()
    hold(desk)
    assert desk.run(command).exit_code in {0, 6}


def test_another_stack_is_nobodys_business(desk: Desk) -> None:
    hold(desk, "prod")
    assert desk.run("up").exit_code == 0
    assert set(desk.engine.locks) == {"held"}


@pytest.mark.parametrize("words", [DIY, CLOUD])
@pytest.mark.parametrize("arguments", [["up"], ["up", "--yes"], ["down"], ["down", "--delete-data", "--yes"]])
def test_where_only_pulumi_knows_of_the_other_run_pending_operations_are_no_proof_of_its_death(
    desk: Desk, arguments: list[str], words: str
) -> None:
    at_work(desk)
    desk.locked_elsewhere("refresh", words)

    refused = desk.run(*arguments)

    assert refused.exit_code == 8
    assert words.splitlines()[0] in refused.stderr
    assert "pulumi cancel --stack dev" in refused.stderr
    assert desk.engine.done == []
    assert desk.ran() == ["refresh"]


@pytest.mark.parametrize(
    ("arguments", "asked"), [(["up"], "up"), (["down"], "destroy"), (["down", "--delete-data", "--yes"], "destroy")]
)
def test_who_does_not_get_pulumis_lock_neither_stops_nor_sweeps(desk: Desk, arguments: list[str], asked: str) -> None:
    desk.has_state(
        container_resource("ui", "a") | {"delete": True}, container_resource("ui", "b"), outputs={"url": "http://x/"}
    )
    desk.engine.add("site-dev-ui-1234567", "ui", id="a")
    desk.engine.add("site-dev-ui-7654321", "ui", id="b")
    desk.engine.volumes = {"site-dev-postgres-data": {}}
    desk.locked_elsewhere(asked, DIY)

    assert desk.run(*arguments).exit_code == 8
    assert desk.engine.done == []


@pytest.mark.parametrize("arguments", [["up"], ["down"]])
def test_what_a_run_recorded_that_ended_meanwhile_is_not_taken_for_left_over(desk: Desk, arguments: list[str]) -> None:
    at_work(desk, interrupted=False)
    desk.has_state(container_resource("ui", "a"), container_resource("new", f"id-of-{RUNNING}"), after="refresh")
    desk.ends_with("destroy", 255)  # `down` would take them with Pulumi

    desk.run(*arguments)

    assert desk.engine.done == []


def test_what_appears_after_the_lock_was_gone_through_is_not_touched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(desk)
    engine, listed = desk.engine, list[Any]()
    client: Callable[[], Any] = engine.client

    def looking() -> Any:
        found = client()
        there = found.containers.list

        def look(**filters: Any) -> list[Any]:
            seen: list[Any] = there(**filters)
            if not listed:
                listed.extend(seen)
                engine.add("site-dev-later-1234567", "ui")
            return seen

        found.containers.list = look
        return found

    monkeypatch.setattr(engine, "client", looking)
    assert desk.run("up").exit_code == 0
    assert f"remove {RUNNING}" in engine.done
    assert "remove site-dev-later-1234567" not in engine.done


def test_only_the_dead_runs_own_lock_is_removed(desk: Desk) -> None:
    """As `pulumi cancel` would not: it takes away whatever lock it finds."""
    desk.has_state()
    desk.lock(hostname=socket.gethostname(), pid=2**22 + 1)

    assert desk.run("up").exit_code == 0
    assert "cancel" not in desk.ran()


@pytest.mark.parametrize("begins", [True, False])
def test_a_run_that_did_not_even_begin_stops_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, begins: bool
) -> None:
    monkeypatch.setattr(failed, "serving_now", lambda _: {})
    desk.has_state({**container_resource("ui", "a"), "delete": True}, container_resource("ui", "b"))
    desk.engine.add("site-dev-ui-1234567", "ui", id="a")
    desk.engine.add("site-dev-ui-7654321", "ui", id="b")
    desk.ends_with("up", 255)
    if not begins:
        desk.refuses_to_begin()

    assert desk.run("up").exit_code == 1
    assert desk.engine.done == (["stop site-dev-ui-7654321 within 2"] if begins else [])
