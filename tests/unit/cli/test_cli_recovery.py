"""What a run does before it begins: it gives way to another one, and clears away what a killed one left."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.unit.cli.fakes import Desk, container_resource


def test_a_run_at_work_is_left_alone(desk: Desk) -> None:
    desk.lock(hostname="elsewhere")
    desk.has_state()

    result = desk.run("up")

    assert result.exit_code == 8
    assert "ada on elsewhere" in result.stderr
    assert "pulumi cancel --stack dev" in result.stderr
    assert desk.calls() == []


def test_what_a_killed_run_left_is_cleared_in_the_order_that_works(desk: Desk) -> None:
    desk.lock(hostname=socket.gethostname(), pid=2**22 + 1)
    desk.has_state(container_resource("known", "known"), interrupted=True)
    desk.engine.add("site-dev-known-1234567", "known", id="known")
    desk.engine.add("site-dev-half-1234567", "half", status="created")
    desk.engine.networks = {"site-dev-new-1234567": {}}

    assert desk.run("up").exit_code == 0

    assert desk.ran() == ["refresh", "up"]
    assert list(desk.root.parent.rglob("locks/**/*.json")) == []
    assert "--clear-pending-creates" in desk.call("refresh")["arguments"]
    assert desk.engine.done == ["remove site-dev-half-1234567", "remove network site-dev-new-1234567"]


@pytest.mark.parametrize(
    ("helper", "described", "stays"),
    [
        ("job", {"status": "running"}, True),
        ("job", {"status": "exited", "exit_code": 0}, True),
        ("job", {"status": "exited", "exit_code": 1}, False),
        ("job", {"status": "created"}, False),
        ("files", {"status": "running"}, False),
    ],
)
def test_a_job_of_a_killed_run_is_left_to_the_next_one_which_takes_it_over(
    desk: Desk, helper: str, described: dict[str, Any], *, stays: bool
) -> None:
    desk.lock(hostname=socket.gethostname(), pid=2**22 + 1)
    desk.has_state(container_resource("ui", "a"))
    desk.engine.add("site-dev-ui-1234567", "ui", id="a")
    desk.engine.add("site-dev-half-1234567", "half")
    desk.engine.add("site-dev-images-migrate", "images", labels={"slipway.helper": helper}, **described)

    assert desk.run("up").exit_code == 0

    left = {each.name for each in desk.engine.containers}
    assert left == {"site-dev-ui-1234567", *(["site-dev-images-migrate"] if stays else [])}


def test_a_job_ends_where_the_state_was_lost_because_its_server_is_replaced(desk: Desk) -> None:
    desk.engine.add("site-dev-postgres-1234567", "postgres")
    desk.engine.add("site-dev-images-migrate", "images", labels={"slipway.helper": "job"})

    assert desk.run("up").exit_code == 0
    assert desk.engine.containers == []


def test_when_nothing_was_killed_nothing_is_removed(desk: Desk) -> None:
    desk.has_state(container_resource("ui", "a"))
    desk.engine.add("site-dev-ui-1234567", "ui", id="a")
    desk.engine.add("site-dev-images-migrate", "images", status="exited", labels={"slipway.helper": "job"})

    assert desk.run("up").exit_code == 0
    assert desk.engine.done == []


def test_containers_of_a_lost_state_give_way_the_database_last_and_with_its_own_grace(desk: Desk) -> None:
    desk.engine.add("site-dev-postgres-1234567", "postgres", grace=90)
    desk.engine.add("site-dev-ui-1234567", "ui")
    desk.engine.add("site-dev-edge-1234567", "edge", grace=40)

    assert desk.run("up").exit_code == 0

    stopped = [line for line in desk.engine.done if line.startswith("stop")]
    assert stopped == [
        "stop site-dev-edge-1234567 within 40",
        "stop site-dev-ui-1234567 within 10",
        "stop site-dev-postgres-1234567 within 90",
    ]


def test_where_data_is_kept_containers_of_a_lost_state_need_a_yes(desk: Desk) -> None:
    desk.engine.add("site-prod-postgres-1234567", "postgres")

    refused = desk.run("up", "--stack", "prod")

    assert refused.exit_code == 5
    assert "site-prod-postgres-1234567" in refused.stderr
    assert "--yes" in refused.stderr
    assert desk.engine.done == []
    assert "up" not in desk.ran()

    assert desk.run("up", "--stack", "prod", "--yes").exit_code == 0
    assert "remove site-prod-postgres-1234567" in desk.engine.done
