"""maintenance: what is done to nginx, in which order, and who hears of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest

from slipway.engine.edge import Edge
from slipway.engine.errors import Failure
from slipway.nginx import pages
from slipway.nginx.main import LIVE, MAIN
from tests.unit.cli.fakes import Desk, FakeContainer, container_resource

FLAG = f"{LIVE}/{pages.FLAG}"


@pytest.fixture
def nginx(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> FakeContainer:
    """A stack with nginx in front, which knows of maintenance; its workers of before end after the second look."""
    found = desk.engine.add("site-prod-edge-1234567", "edge", id="e", health="healthy")
    desk.has_state(container_resource("edge", "e"))
    found.files["routes"] = f"include {FLAG}*;"
    done, over = desk.engine.done, [False, True]

    def place(edge: Edge, name: str, text: str) -> None:
        found.files[f"{edge.directory}/{name}"] = text
        done.append(f"place {text.strip()}")

    def remove(edge: Edge, names: Iterable[str]) -> None:
        for name in names:
            found.files.pop(f"{edge.directory}/{name}", None)
            done.append(f"remove {name}")

    def reload(edge: Edge) -> set[int]:
        done.append(f"reload {edge.main}")
        return {1}

    class Looked:
        def __init__(self, _edge: Edge, workers: set[int]) -> None:
            assert workers == {1}

        def over(self) -> bool:
            done.append("look at the workers")
            return over.pop(0)

    monkeypatch.setattr(Edge, "files", lambda _: {"routes.conf": found.files["routes"]})
    monkeypatch.setattr(Edge, "place", place)
    monkeypatch.setattr(Edge, "remove", remove)
    monkeypatch.setattr(Edge, "reload", reload)
    monkeypatch.setattr("slipway.engine.finishing.Finishing", Looked)
    return found


def test_on_returns_when_the_last_request_from_before_has_ended(desk: Desk, nginx: FakeContainer) -> None:
    result = desk.run("maintenance", "on", "--stack", "prod", "--retry-after", "60")

    assert result.exit_code == 0, result.output
    look = "look at the workers"
    assert desk.engine.done == ["place default 60;", f"reload {MAIN}", look, look]
    assert "maintenance is on" in result.stdout


def test_on_ends_the_websockets_and_streams_that_do_not_end_by_themselves(
    desk: Desk, nginx: FakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(*_: object) -> None:
        raise Failure("they go on")

    monkeypatch.setattr("slipway.engine.progress.wait", waits)
    monkeypatch.setattr(Edge, "end", lambda _, workers: desk.engine.done.append(f"end {workers}"))

    assert desk.run("maintenance", "on", "--stack", "prod").exit_code == 0
    assert desk.engine.done[-1] == "end {1}"


def test_off_shows_the_site_again_and_waits_for_nothing(desk: Desk, nginx: FakeContainer) -> None:
    nginx.files[FLAG] = "default 300;"

    result = desk.run("maintenance", "off", "--stack", "prod", "--json")

    assert desk.engine.done == ["remove maintenance.on", f"reload {MAIN}"]
    assert json.loads(result.stdout)["maintenance"] is False


def test_without_a_word_it_only_says_which(desk: Desk, nginx: FakeContainer) -> None:
    assert "maintenance is off" in desk.run("maintenance", "--stack", "prod").stdout
    nginx.files[FLAG] = "default 300;"
    assert "maintenance is on" in desk.run("maintenance", "--stack", "prod").stdout
    assert desk.engine.done == []


def test_status_and_up_say_that_it_is_on_and_how_to_end_it(desk: Desk, nginx: FakeContainer) -> None:
    prod = ("--stack", "prod")
    assert "maintenance" not in desk.run("status", *prod).stdout
    nginx.files[FLAG] = "default 300;"

    status, up = desk.run("status", *prod), desk.run("up", *prod)

    ending = "slipway maintenance off --stack prod"
    assert ending in status.stdout
    assert status.exit_code == 0, "it is what the operator wants"
    assert ending in up.stderr
    assert json.loads(desk.run("status", *prod, "--json").stdout)["maintenance"] is True


def test_a_stack_without_nginx_has_none(desk: Desk) -> None:
    assert desk.run("maintenance", "on").exit_code == 2


def test_routes_of_an_older_version_are_not_thought_to_obey(desk: Desk, nginx: FakeContainer) -> None:
    nginx.files["routes"] = "server {}"

    result = desk.run("maintenance", "on", "--stack", "prod")

    assert result.exit_code == 1
    assert " up --stack prod" in result.stderr
    assert desk.engine.done == []


def test_an_nginx_that_does_not_take_it_up_is_an_error(
    desk: Desk, nginx: FakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_edge: Edge) -> set[int]:
        raise Failure("nginx did not take its new configuration")

    monkeypatch.setattr(Edge, "reload", fails)
    result = desk.run("maintenance", "on", "--stack", "prod")
    assert result.exit_code == 1
    assert "did not take" in result.stderr


@pytest.mark.parametrize("wanted", ["on", "off"])
@pytest.mark.parametrize("before", ["", "default 300;\n"])
def test_where_nginx_goes_on_as_it_was_maintenance_is_what_it_was(
    desk: Desk, nginx: FakeContainer, monkeypatch: pytest.MonkeyPatch, wanted: str, before: str
) -> None:
    nginx.files |= {FLAG: before} if before else {}

    def fails(_edge: Edge) -> set[int]:
        assert (FLAG in nginx.files) == (wanted == "on")
        raise Failure("nginx did not take its new configuration")

    monkeypatch.setattr(Edge, "reload", fails)
    assert desk.run("maintenance", wanted, "--stack", "prod").exit_code == 1
    assert nginx.files.get(FLAG, "") == before
    assert json.loads(desk.run("status", "--stack", "prod", "--json").stdout)["maintenance"] is bool(before)


def test_a_flag_that_cannot_be_taken_back_hides_nothing_of_what_went_wrong(
    desk: Desk, nginx: FakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(what: str) -> Callable[..., None]:
        def failing(*_arguments: object) -> None:
            raise Failure(what)

        return failing

    monkeypatch.setattr(Edge, "reload", fails("nginx did not take its new configuration"))
    monkeypatch.setattr(Edge, "remove", fails("nginx: gone"))
    result = desk.run("maintenance", "on", "--stack", "prod")
    assert result.exit_code == 1
    assert "did not take" in result.stderr


def test_requests_that_take_too_long_leave_maintenance_on(
    desk: Desk, nginx: FakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_arguments: object) -> None:
        raise Failure("requests from before still run")

    monkeypatch.setattr("slipway.engine.progress.wait", late)
    assert desk.run("maintenance", "on", "--stack", "prod").exit_code == 1
    assert FLAG in nginx.files, "nginx has taken it up"
