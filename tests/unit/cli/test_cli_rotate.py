"""rotate."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import yaml

from slipway.cli import stack_file
from slipway.cli.certificates import STATUS
from slipway.cli.rotate import KEY, NOTE
from tests.unit.cli.fakes import URN, Desk, FakeContainer, container_resource

THERE = {"ui": {"SECRET_KEY": 0, "TOKEN": 0}, "images": {"database": 2}, "postgres": {"superuser": 0}}


def recorded(**outputs: Any) -> dict[str, Any]:
    return {"type": "slipway:components:Secrets", "urn": URN + "secrets", "outputs": outputs}


WITH_KEY = recorded(rotations={"edge": {"tls": 0}})


@pytest.fixture
def stack(desk: Desk) -> Desk:
    """A stack that is up."""
    desk.has_state(recorded(rotations=THERE))
    return desk


def counts(desk: Desk) -> Any:
    return yaml.safe_load((desk.root / "Pulumi.dev.yaml").read_text())["config"][KEY]


def test_a_secret_is_counted_up_in_the_stack_file_and_the_stack_brought_up_with_it(stack: Desk) -> None:
    (stack.root / "Pulumi.dev.yaml").write_text("# mine\nconfig:\n  drain: 5  # short\n")
    result = stack.run("rotate", "ui.SECRET_KEY")
    assert result.exit_code == 0, result.output
    text = (stack.root / "Pulumi.dev.yaml").read_text()
    assert text == f"# mine\nconfig:\n  {NOTE}\n  rotations:\n    ui:\n      SECRET_KEY: 1\n  drain: 5  # short\n"
    assert stack.ran() == ["up"]
    assert stack.call("up")["config"] == text
    assert "new values for ui.SECRET_KEY" in result.stderr


def test_each_rotation_counts_one_further_and_keeps_the_other_counts(stack: Desk) -> None:
    (stack.root / "Pulumi.dev.yaml").write_text("config:\n  site:rotations: {images: {database: 2}}\n")
    stack.run("rotate", "images.database", "ui.TOKEN", "ui.TOKEN")
    assert counts(stack) == {"images": {"database": 3}, "ui": {"TOKEN": 1}}


def test_a_service_stands_for_all_of_its_secrets_and_all_for_those_of_the_stack(stack: Desk) -> None:
    stack.run("rotate", "ui")
    assert counts(stack) == {"ui": {"SECRET_KEY": 1, "TOKEN": 1}}
    stack.has_state(recorded(rotations=THERE | counts(stack)))
    stack.run("rotate", "--all")
    assert counts(stack) == {
        "ui": {"SECRET_KEY": 2, "TOKEN": 2},
        "images": {"database": 1},
        "postgres": {"superuser": 1},
    }


def test_a_chosen_secret_is_refused_with_the_line_to_type_and_left_out_of_all(stack: Desk) -> None:
    secure = "config:\n  site:secrets:\n    ui:\n      KEY:\n        secure: v1:x\n"
    (stack.root / "Pulumi.dev.yaml").write_text(secure)
    line = "pulumi config set --stack dev --secret --path secrets.ui.KEY"
    refused = stack.run("rotate", "ui.KEY")
    assert refused.exit_code == 2
    assert line in refused.stderr
    assert stack.ran() == []
    assert (stack.root / "Pulumi.dev.yaml").read_text() == secure
    every = stack.run("rotate", "--all")
    assert every.exit_code == 0
    assert line in every.stderr
    assert "KEY" not in counts(stack)["ui"].keys() - {"SECRET_KEY"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "slipway rotate images.database"),
        (("ui.SECRET_KEY", "--all"), 2, "either --all or"),
        (("ui.SECRET_KEI",), 4, "did you mean ui.SECRET_KEY?"),
        (("nobody",), 4, "nothing that is generated is called nobody"),
    ],
)
def test_what_cannot_be_rotated_is_refused_before_anything_is_written(
    stack: Desk, arguments: tuple[str, ...], code: int, says: str
) -> None:
    result = stack.run("rotate", *arguments)
    assert result.exit_code == code, result.output
    assert says in result.stderr
    assert not (stack.root / "Pulumi.dev.yaml").exists()
    assert stack.ran() == []


@pytest.mark.parametrize("tls", ["files", "{mode: files, certificate: a, key: b}"])
def test_a_key_that_was_brought_along_is_refused_with_what_to_do_and_left_out_of_all(stack: Desk, tls: str) -> None:
    (stack.root / "Pulumi.dev.yaml").write_text(f"config:\n  edge:\n    tls: {tls}\n")
    refused = stack.run("rotate", "edge.tls")
    assert (refused.exit_code, stack.ran()) == (2, [])
    assert "put another certificate and its key into the files" in refused.stderr
    every = stack.run("rotate", "--all")
    assert every.exit_code == 0
    assert "edge.tls was brought along and stays" in every.stderr
    assert "edge" not in counts(stack)


def certbot(stack: Desk, *told: dict[str, Any]) -> FakeContainer:
    """certbot's container, which tells one after the other."""
    stack.has_state(container_resource("certbot", "c"), WITH_KEY)
    container = stack.engine.add("site-dev-certbot-1234567", "certbot", id="c", health="healthy")
    left = list(told)

    def archive(_path: str) -> Any:
        container.files[STATUS] = json.dumps({"shop.test": {"error": "", **left.pop(0)}})
        return FakeContainer.get_archive(container, STATUS)

    container.get_archive = archive  # type: ignore[method-assign,assignment]
    return container


@pytest.fixture
def with_key(desk: Desk) -> Desk:
    desk.has_state(WITH_KEY)
    return desk


def test_a_rotated_key_is_waited_for_until_the_authority_has_issued_its_certificate(with_key: Desk) -> None:
    certbot(with_key, {}, {"generation": 0}, {"generation": 1})
    result = with_key.run("rotate", "edge.tls")
    assert result.exit_code == 0, result.output
    assert counts(with_key) == {"edge": {"tls": 1}}


def test_an_authority_that_issues_none_is_told_with_its_reason(with_key: Desk) -> None:
    certbot(with_key, {"generation": 0}, {"generation": 0, "error": "rate limited"})
    result = with_key.run("rotate", "edge.tls")
    assert result.exit_code == 6
    assert "shop.test: rate limited" in result.stderr
    assert "until then the old key goes on working" in result.stderr


def test_without_certbot_a_rotated_key_is_there_when_the_stack_is_up(with_key: Desk) -> None:
    assert with_key.run("rotate", "edge.tls").exit_code == 0


@pytest.mark.parametrize("resources", [(), (recorded(),)])
def test_a_stack_that_is_not_up_or_of_an_earlier_slipway_is_brought_up_first(desk: Desk, resources: Any) -> None:
    desk.has_state(*resources)
    result = desk.run("rotate", "--all")
    assert (result.exit_code, desk.ran()) == (4, [])
    assert " up --stack dev" in result.stderr


def test_nothing_is_rotated_on_top_of_a_run_that_failed(stack: Desk) -> None:
    stack.last_run("failed")
    result = stack.run("rotate", "images.database")
    assert (result.exit_code, stack.ran()) == (6, [])
    assert "did not end well" in result.stderr


@pytest.mark.parametrize("result", ["succeeded", "failed"])
def test_what_is_counted_and_was_not_brought_up_is_not_counted_again_but_goes_on(stack: Desk, result: str) -> None:
    """The plan was interrupted or refused, which leaves no entry in the history, or the run before it got far."""
    text = "config:\n  rotations: {ui: {SECRET_KEY: 1}, images: {database: 3}}  # mine\n"
    (stack.root / "Pulumi.dev.yaml").write_text(text)
    stack.last_run(result)
    said = stack.run("rotate", "ui.SECRET_KEY", "images.database")
    assert said.exit_code == 0, said.output
    assert "counted already, and now goes on: the rotation of ui.SECRET_KEY, images.database" in said.stderr
    assert (stack.root / "Pulumi.dev.yaml").read_text() == stack.call("up")["config"] == text


def test_of_all_secrets_only_those_are_counted_that_are_not_yet(stack: Desk) -> None:
    (stack.root / "Pulumi.dev.yaml").write_text("config:\n  rotations: {images: {database: 3}}\n")
    said = stack.run("rotate", "--all")
    assert "now goes on: the rotation of images.database" in said.stderr
    new = {"ui": {"SECRET_KEY": 1, "TOKEN": 1}, "postgres": {"superuser": 1}}
    assert counts(stack) == {"images": {"database": 3}, **new}


def test_a_key_whose_rotation_goes_on_is_waited_for_by_the_count_that_is_there(with_key: Desk) -> None:
    (with_key.root / "Pulumi.dev.yaml").write_text("config:\n  rotations: {edge: {tls: 1}}\n")
    certbot(with_key, {"generation": 0}, {"generation": 1}, {"generation": 1, "error": "no more is to come"})
    result = with_key.run("rotate", "edge.tls")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("trace", ["lock", "unfinished"])
def test_nothing_is_rotated_on_top_of_a_run_that_was_killed(stack: Desk, trace: str) -> None:
    """It recorded the count, and may not have come to the switch."""
    text = "config:\n  rotations: {images: {database: 2}}\n"
    (stack.root / "Pulumi.dev.yaml").write_text(text)
    if trace == "lock":
        stack.lock(hostname=socket.gethostname(), pid=2**22 + 1)
    else:
        stack.has_state(recorded(rotations=THERE), interrupted=True)
    refused = stack.run("rotate", "images.database")
    assert (refused.exit_code, stack.ran()) == (6, [])
    assert " up --stack dev" in refused.stderr
    assert (stack.root / "Pulumi.dev.yaml").read_text() == text


def test_a_failed_rotation_says_that_the_old_values_still_work_and_stays_counted(stack: Desk) -> None:
    stack.ends_with("up", 255)
    result = stack.run("rotate", "images.database")
    assert result.exit_code == 1
    assert "the old values go on working" in result.stderr
    assert counts(stack) == {"images": {"database": 1}}


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", ""),
        ("config:\n", ""),
        ("config: {}\n", ""),
        ("encryptionsalt: v1:x\n", "encryptionsalt: v1:x\n"),
        *[("# first\nconfig:\n    # edge\n    edge:\n        port: 1\n\n# last\n",) * 2],
    ],
)
def test_a_key_comes_into_a_stack_file_and_goes_without_a_trace(text: str, after: str) -> None:
    once = stack_file.with_key(text, KEY, {"a": {"b": 1}}, NOTE)
    twice = stack_file.with_key(once, KEY, {"a": {"b": 2}}, NOTE)
    assert yaml.safe_load(twice)["config"][KEY] == {"a": {"b": 2}}
    assert once.count(NOTE) == twice.count(NOTE) == 1
    assert stack_file.without_key(twice, KEY, NOTE) == after


def test_a_configuration_in_one_line_is_refused() -> None:
    with pytest.raises(ValueError, match="not a table with one key to a line"):
        stack_file.with_key("config: {drain: 5}\n", KEY, {}, NOTE)
