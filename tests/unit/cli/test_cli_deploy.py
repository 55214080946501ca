"""preview and up."""

from __future__ import annotations

import json
import os

import pytest
import yaml

from tests.unit.cli.fakes import URN, Desk, container_resource, image_resource, step


def test_up_makes_a_stack_that_does_not_exist(desk: Desk) -> None:
    result = desk.run("up")

    assert result.exit_code == 0, result.output
    assert desk.ran() == ["stack init", "up"]
    assert {"--yes", "--skip-preview", "--refresh", "dev"} <= set(desk.call("up")["arguments"])


def test_up_of_an_existing_stack_makes_none(desk: Desk) -> None:
    desk.has_state()

    assert desk.run("up").exit_code == 0
    assert desk.ran() == ["up"]


def test_pulumi_gives_way_to_what_serves(desk: Desk) -> None:
    assert desk.run("up").exit_code == 0
    assert desk.call("up")["niceness"] > os.nice(0)


def test_the_projects_stack_file_stays_as_it_is_while_pulumi_reads_and_writes_a_copy(desk: Desk) -> None:
    text = "# a comment\nconfig:\n  drain: 5\n"
    (desk.root / "Pulumi.dev.yaml").write_text(text)
    before = sorted(desk.root.iterdir())

    assert desk.run("up").exit_code == 0

    assert desk.call("up")["config"] == text
    assert (desk.root / "Pulumi.dev.yaml").read_text() == text
    assert "--cwd" in desk.call("init")["arguments"], "a folder of its own, because there Pulumi writes a salt"
    assert sorted(desk.root.iterdir()) == before


def test_a_stack_without_a_file_gets_none(desk: Desk) -> None:
    assert desk.run("up", "--stack", "staging").exit_code == 0
    assert not (desk.root / "Pulumi.staging.yaml").exists()
    assert desk.call("up")["config"] == ""


@pytest.mark.parametrize("key", ["encryptionsalt: v1:mine", "secretsprovider: awskms://alias/mine"])
def test_a_stack_file_that_says_how_its_secrets_are_encrypted_is_used_itself(desk: Desk, key: str) -> None:
    (desk.root / "Pulumi.dev.yaml").write_text(f"{key}\n")

    assert desk.run("up").exit_code == 0

    assert str(desk.root / "Pulumi.dev.yaml") in desk.call("up")["arguments"]
    assert desk.call("init")["folder"] == str(desk.root)


def test_a_failed_run_ends_with_1_and_says_who_is_unwell_and_what_to_type(desk: Desk) -> None:
    desk.has_state()
    desk.engine.add("site-dev-ui-1234567", "ui", health="unhealthy", id="a")
    desk.has_state(container_resource("ui", "a"))
    desk.ends_with("up", 255)

    result = desk.run("up")

    assert result.exit_code == 1
    assert "site-dev-ui-1234567 is unhealthy:  docker logs site-dev-ui-1234567" in result.stderr
    assert " up --stack dev" in result.stderr
    assert "is up" not in result.stdout


def test_the_closing_report_shows_the_urls_and_how_to_log_in_to_adminer(desk: Desk) -> None:
    urls = {"images_url": "http://127.0.0.1:2/", "ui_url": "http://127.0.0.1:1/", "adminer": "http://127.0.0.1:3/"}
    desk.declares(services={"images": {"route": "/images/"}, "ui": {"route": "/"}})
    desk.has_state(outputs=urls)

    said = desk.run("up").stdout

    assert "site-dev is up  (2 created, 1 unchanged)" in said
    shown = [line.split()[-1] for line in said.splitlines() if "http" in line]
    assert shown == ["http://127.0.0.1:1/", "http://127.0.0.1:2/", "http://127.0.0.1:3/"], "the start page comes first"
    assert "open adminer" in said


def test_for_machines_standard_output_is_one_json_text(desk: Desk) -> None:
    desk.has_state(outputs={"url": "http://127.0.0.1/"})

    result = desk.run("up", "--json")

    told = json.loads(result.stdout)
    assert told["urls"] == {"site": "http://127.0.0.1/"}
    assert told["changes"] == {"create": 2, "same": 1}
    assert "said by pulumi up" in result.stderr


def test_errors_are_json_for_machines_as_well(desk: Desk) -> None:
    desk.lock(hostname="elsewhere")

    result = desk.run("up", "--json")

    assert result.exit_code == json.loads(result.stdout)["code"] == 8


@pytest.mark.parametrize("command", ["up", "preview"])
def test_an_image_that_is_gone_is_built_anew(desk: Desk, command: str) -> None:
    desk.engine.images = {"sha256:there"}
    desk.has_state(image_resource("there", "sha256:there"), image_resource("gone", "sha256:gone"))

    assert desk.run(command).exit_code == 0

    arguments = desk.call(command)["arguments"]
    assert arguments[arguments.index("--replace") + 1] == f"{URN}gone"
    assert arguments.count("--replace") == 1


def test_preview_asks_the_engine_and_changes_nothing(desk: Desk) -> None:
    desk.has_state()

    assert desk.run("preview").exit_code == 0
    assert desk.ran() == ["preview"]
    assert "--refresh" in desk.call("preview")["arguments"]


@pytest.mark.parametrize(("operation", "code"), [("same", 0), ("create", 7)])
def test_preview_for_machines_lists_what_would_change(desk: Desk, operation: str, code: int) -> None:
    desk.has_state()
    desk.plans(step(operation, "docker:index/network:Network", "ui"), error="and a mistake")

    result = desk.run("preview", "--json", "--expect-no-changes")

    assert result.exit_code == code
    told = json.loads(result.stdout)
    wanted = {"operation": "create", "resource": "ui", "urn": f"{URN}ui", "impact": "none"}
    assert told["steps"] == ([] if operation == "same" else [wanted])
    assert (told["changes"], told["errors"], told["data_at_risk"]) == ({operation: 1}, ["and a mistake"], False)
    assert "said by pulumi preview" in result.stderr


def test_preview_that_expects_no_changes_ends_with_7_when_pulumi_does(desk: Desk) -> None:
    desk.ends_with("preview", 7)

    assert desk.run("preview", "--expect-no-changes").exit_code == 7
    assert desk.run("preview").exit_code == 1


def test_what_follows_two_dashes_is_pulumis(desk: Desk) -> None:
    assert desk.run("up", "--", "--policy-pack", "policy").exit_code == 0
    assert desk.call("up")["arguments"][-2:] == ["--policy-pack", "policy"]


@pytest.mark.parametrize("flag", [["--target", "urn"], ["-t", "urn"], ["--target=urn"], ["--target-replace", "urn"]])
def test_a_target_without_what_depends_on_it_is_refused(desk: Desk, flag: list[str]) -> None:
    desk.has_state()

    refused = desk.run("up", "--", *flag)

    assert refused.exit_code == 2
    assert "--target-dependents" in refused.stderr
    assert desk.calls() == []
    assert desk.run("up", "--", *flag, "--target-dependents").exit_code == 0


@pytest.mark.parametrize("command", ["up", "preview"])
def test_what_is_unhealthy_or_cut_off_is_replaced_and_nothing_else(desk: Desk, command: str) -> None:
    networks = {"well": {"back": ["db"]}, "sick": {"back": ["db"]}, "off": {}, "renamed": {"back": ["other"]}}
    resources = []
    for name, joined in networks.items():
        container = desk.engine.add(name, name, id=name, health="unhealthy" if name == "sick" else "healthy")
        container.attrs["NetworkSettings"]["Networks"] = {each: {"Aliases": names} for each, names in joined.items()}
        resource = container_resource(name, name)
        resource["outputs"]["networksAdvanced"] = [{"name": "back", "aliases": ["db"]}]
        resources.append(resource)
    desk.engine.add("stopped", "stopped", id="stopped", status="exited", health="unhealthy")
    old = {**container_resource("sick", "gone"), "delete": True}
    desk.has_state(*resources, container_resource("stopped", "stopped"), old)

    result = desk.run(command)

    arguments = desk.call(command)["arguments"]
    flags = [arguments[place + 1] for place, each in enumerate(arguments) if each == "--replace"]
    assert flags == [f"{URN}sick", f"{URN}off", f"{URN}renamed"]
    assert "sick is unhealthy" in result.stderr
    assert "off was taken off the network back" in result.stderr


def test_a_newcomer_whose_release_never_came_is_stopped_and_what_serves_is_not(desk: Desk) -> None:
    """A migration failed, say: its own service has no new container, but others have."""
    names = ("worker-new", "worker-old", "web", "api-new", "api-old")
    for name in names:
        desk.engine.add(name, name, id=name)
    old = [{**container_resource(each, f"{each}-old"), "delete": True} for each in ("worker", "api")]
    new = [container_resource(each, f"{each}-new") for each in ("worker", "api")]
    release = {
        "type": "pulumi-python:dynamic/slipway:Release",
        "urn": URN + "release",
        "id": "release",
        "outputs": {"containers": [{"name": "web"}, {"name": "api-new"}]},
    }
    desk.has_state(*old, *new, container_resource("web", "web"), release)
    desk.ends_with("up", 255)

    result = desk.run("up")

    assert result.exit_code == 1
    assert desk.engine.done == ["stop worker-new within 2"], "the other one was let in before something failed"
    assert "stopping worker-new" in result.stderr


@pytest.mark.parametrize("command", ["preview", "up"])
@pytest.mark.parametrize("main", [None, "program"])
def test_the_policy_pack_beside_the_program_is_checked(desk: Desk, command: str, main: str | None) -> None:
    described = yaml.safe_load((desk.root / "Pulumi.yaml").read_text()) | ({"main": main} if main else {})
    (desk.root / "Pulumi.yaml").write_text(yaml.safe_dump(described))
    pack = desk.root / (main or ".") / "policy"
    pack.mkdir(parents=True)
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")

    desk.run(command)

    arguments = desk.call(command)["arguments"]
    assert arguments[arguments.index("--policy-pack") + 1] == str(pack)


def test_a_project_without_a_policy_pack_is_checked_against_none(desk: Desk) -> None:
    desk.run("up")
    assert "--policy-pack" not in desk.call("up")["arguments"]
