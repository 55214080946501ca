"""down."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Desk, container_resource, image_resource

SECRETS = "site-prod-ui-files-files-0123456789ab"


@pytest.fixture
def prod(desk: Desk) -> Desk:
    """What a prod stack leaves on the engine."""
    desk.engine.volumes = {
        "site-prod-postgres-data": {"slipway.service": "postgres"},
        "site-prod-images-uploads": {"slipway.service": "images"},
        "site-prod-images-abcdef0": {"slipway.service": "images"},
        "site-prod-edge-live-1234567": {"slipway.service": "edge"},
        SECRETS: {"slipway.service": "ui"},
    }
    return desk


DATA = {"site-prod-postgres-data", "site-prod-images-uploads", "site-prod-images-abcdef0"}


def test_down_destroys_and_keeps_the_data_of_prod(prod: Desk) -> None:
    prod.has_state(container_resource("ui", "a"))

    result = prod.run("down", "--stack", "prod")

    assert result.exit_code == 0, result.output
    assert prod.ran() == ["destroy"]
    assert set(prod.engine.volumes) == DATA
    assert " down --stack prod --delete-data" in result.stdout


def test_in_dev_the_data_goes_with_the_stack(desk: Desk) -> None:
    desk.has_state(container_resource("ui", "a"))
    desk.engine.volumes = {"site-dev-postgres-data": {}}

    assert desk.run("down").exit_code == 0
    assert desk.engine.volumes == {}


def test_a_stack_whose_state_was_lost_is_taken_down_by_its_labels(prod: Desk) -> None:
    prod.engine.add("site-prod-postgres-1234567", "postgres", grace=90)
    prod.engine.add("site-prod-edge-1234567", "edge")
    prod.engine.networks = {"site-prod-ui-1234567": {}}

    assert prod.run("down", "--stack", "prod").exit_code == 0

    assert prod.ran() == []
    assert prod.engine.containers == []
    assert prod.engine.networks == {}
    assert set(prod.engine.volumes) == DATA
    assert prod.engine.done.index("stop site-prod-edge-1234567 within 10") < prod.engine.done.index(
        "stop site-prod-postgres-1234567 within 90"
    )


def test_deleting_data_leaves_nothing(prod: Desk) -> None:
    prod.declares(services={"ui": {}})
    prod.has_state(container_resource("ui", "a"), image_resource("ui", "sha256:1"))
    ours = ["site-prod-ui:latest", "site-prod-ui:12", "site-prod-edge:latest", "site-prod-left:build-0123456789ab"]
    others = ["site-prod-2-ui:latest", "other:latest", "site-prod-ui:mine"]
    prod.engine.tags = [*ours, *others]

    result = prod.run("down", "--stack", "prod", "--delete-data", "--yes")

    assert result.exit_code == 0, result.output
    assert prod.ran() == ["destroy", "stack rm"]
    assert "--preserve-config" in prod.call("rm")["arguments"]
    assert prod.engine.volumes == {}
    assert prod.engine.tags == others, "not ours"


def test_services_that_left_and_certbot_leave_no_image_and_another_stack_keeps_its_own(prod: Desk) -> None:
    """Also after a `down`, when neither state nor containers tell of them any more."""
    prod.declares(services={"ui": {}})
    other = {"slipway.project": "site", "slipway.stack": "prod-eu"}
    prod.engine.volumes = {"site-prod-eu-web-media": {**other, "slipway.service": "web"}}
    clash = {"slipway.project": "site-prod", "slipway.stack": "x", "slipway.service": "web"}
    prod.engine.volumes["site-prod-x-web-media"] = clash
    theirs = ["site-prod-eu-web:3", "site-prod-eu-left:latest", "site-prod-x-web:1"]
    prod.engine.tags = ["site-prod-certbot:build-0123456789ab", "site-prod-left:latest", "site-prod-left:3", *theirs]

    assert prod.run("down", "--stack", "prod", "--delete-data", "--yes").exit_code == 0

    assert prod.engine.tags == theirs


def test_deleting_data_needs_a_yes_where_nobody_can_be_asked(prod: Desk) -> None:
    prod.has_state(container_resource("ui", "a"))

    result = prod.run("down", "--stack", "prod", "--delete-data")

    assert result.exit_code == 5
    assert "--yes" in result.stderr
    assert prod.ran() == prod.engine.done == []


@pytest.mark.parametrize(("answer", "code"), [("prod", 0), ("yes", 5), ("", 5)])
def test_on_a_terminal_it_goes_on_only_when_the_stacks_name_is_typed(answer: str, code: int) -> None:
    question = "from slipway.cli import screen, errors\ntry:\n    screen.confirm('really', word='prod', yes=False)\n"
    question += "except errors.CliError as error:\n    raise SystemExit(int(error.code))\n"
    operator, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", question], stdin=terminal, stderr=terminal, cwd=Path(__file__).parents[3]
    ) as asked:
        os.write(operator, f"{answer}\n".encode())
        ended = asked.wait(60)
    os.close(operator)
    os.close(terminal)
    assert ended == code


@pytest.mark.parametrize("flags", [[], ["--delete-data", "--yes"]])
def test_a_destroy_that_fails_ends_with_1_and_nothing_more_is_removed(prod: Desk, flags: list[str]) -> None:
    prod.has_state(container_resource("ui", "a"))
    prod.ends_with("destroy", 255)

    failed = prod.run("down", "--stack", "prod", *flags)

    assert failed.exit_code == 1
    assert f" down --stack prod{' --delete-data' if flags else ''}\n" in failed.stderr
    assert prod.engine.done == []
    assert prod.ran() == ["destroy"]


def test_a_job_of_a_killed_run_goes_before_the_networks_that_it_is_in(desk: Desk) -> None:
    desk.lock(hostname=socket.gethostname(), pid=2**22 + 1)
    desk.has_state(container_resource("ui", "a"))
    desk.engine.add("site-dev-images-migrate", "images", labels={"slipway.helper": "job"})
    desk.ends_with("destroy", 255)

    desk.run("down")

    assert desk.engine.containers == [], "also where nothing but the clearing before the destroy came to pass"


def test_what_something_else_still_uses_is_named(desk: Desk) -> None:
    desk.engine.networks = {"site-dev-ui-1234567": {}}
    desk.engine.in_use = {"site-dev-ui-1234567"}

    result = desk.run("down")

    assert result.exit_code == 1
    assert "site-dev-ui-1234567" in result.stderr


def test_down_of_nothing_is_fine(desk: Desk) -> None:
    result = desk.run("down", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["kept"] == []
    assert desk.ran() == []
