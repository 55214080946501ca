from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.setup import plugins, pulumi_cli
from slipway.setup.choices import Choices
from slipway.setup.console import Console, SetupError
from slipway.setup.settings import IMAGES, Settings

Commands = Callable[[str, str], dict[str, str]]
SETTINGS = Settings("3.259.0", {"docker": "5.2.0", "random": "4.21.4"}, dict.fromkeys(IMAGES, "x"))
INSTALLER = """#!/bin/sh
# Like the official one: --version V --install-root DIR --no-edit-path
[ "$1 $3 $5" = "--version --install-root --no-edit-path" ] || exit 2
mkdir -p "$4/bin" && printf '#!/bin/sh\\necho v%s\\n' "$2" > "$4/bin/pulumi" && chmod +x "$4/bin/pulumi"
"""
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tools: Path) -> list[str]:
    """Stands for the offline kit: notes what was asked of it."""
    asked: list[str] = []

    def build(*_: object) -> Path:
        asked.append("build")
        return Path("/cache/pulumi")

    monkeypatch.setattr(pulumi_cli, "build", build)
    monkeypatch.setattr(pulumi_cli, "lay_out", lambda *arguments: asked.append(" ".join(arguments)))
    (tools / "home" / "plugins").mkdir(parents=True)
    return asked


def test_a_recent_pulumi_on_path_is_taken(commands: Commands, console: Console, built: list[str]) -> None:
    choices = Choices()
    choice = pulumi_cli.settle(choices, console, commands("pulumi", "echo v3.300.1"), SETTINGS, Choices())
    assert "3.300.1" in choice.chosen
    assert choices.path == built == []


def test_an_old_one_on_path_gives_way_to_the_official_release_when_its_site_answers(
    commands: Commands,
    console: Console,
    web: tuple[str, Path],
    tools: Path,
    built: list[str],
) -> None:
    url, folder = web
    (folder / "index.html").write_text(INSTALLER)
    choices, environment = Choices(), commands("pulumi", "echo v3.100.0") | {"SLIPWAY_PULUMI_SITE": url}
    choice = pulumi_cli.settle(choices, console, environment, SETTINGS, Choices())
    assert "official" in choice.chosen
    assert "3.100.0, older than 3.259.0" in choice.why
    assert choices.path == [str(tools / "pulumi" / "bin")]
    assert built == []


def test_an_official_release_installed_earlier_is_kept_without_asking_the_site(
    commands: Commands,
    console: Console,
    web: tuple[str, Path],
    built: list[str],
) -> None:
    (web[1] / "index.html").write_text(INSTALLER)
    environment = commands("true", "") | {"SLIPWAY_PULUMI_SITE": web[0]}
    pulumi_cli.settle(Choices(), console, environment, SETTINGS, Choices())
    again = pulumi_cli.settle(Choices(), console, environment | {"SLIPWAY_PULUMI_SITE": NOWHERE}, SETTINGS, Choices())
    assert "installed here earlier" in again.why
    assert built == []


@pytest.mark.parametrize("answer", ["exit 1", "", "<html>Blocked by your administrator</html>"])
def test_an_installer_that_does_not_deliver_leads_to_the_offline_engine(
    answer: str,
    commands: Commands,
    console: Console,
    web: tuple[str, Path],
    built: list[str],
) -> None:
    (web[1] / "index.html").write_text(answer)
    choices, environment = Choices(), commands("true", "") | {"SLIPWAY_PULUMI_SITE": web[0]}
    choice = pulumi_cli.settle(choices, console, environment, SETTINGS, Choices())
    assert "built from Go modules" in choice.chosen
    assert built == ["build", "--cli /cache/pulumi"]


def test_a_site_that_hangs_costs_a_few_seconds_only(commands: Commands, console: Console) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = commands("true", "") | {"SLIPWAY_PULUMI_SITE": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        start = time.monotonic()
        choice = pulumi_cli.settle(Choices(), console, environment, SETTINGS, Choices())
    assert "built from Go modules" in choice.chosen
    assert time.monotonic() - start < pulumi_cli.ANSWER_SECONDS + 2


def genuine(home: Path, *names: str) -> None:
    for name in names:
        folder = home / "plugins" / f"resource-{name}-v{SETTINGS.plugins[name]}"
        folder.mkdir(parents=True)
        (folder / f"pulumi-resource-{name}").touch()


def test_installed_plugins_are_taken_and_the_users_pulumi_home_stays(
    commands: Commands,
    console: Console,
    tmp_path: Path,
) -> None:
    genuine(tmp_path, "docker", "random")
    choices, environment = Choices(), commands("true", "") | {"PULUMI_HOME": str(tmp_path)}
    assert "genuine" in plugins.settle(choices, console, environment, SETTINGS, Choices()).chosen
    assert "PULUMI_HOME" not in choices.environment


def test_a_plugin_whose_download_was_interrupted_does_not_count(tmp_path: Path) -> None:
    genuine(tmp_path, "docker")
    assert plugins.installed(tmp_path, "docker", "5.2.0")
    (tmp_path / "plugins" / "resource-docker-v5.2.0.partial").touch()
    assert not plugins.installed(tmp_path, "docker", "5.2.0")


def test_a_missing_plugin_is_downloaded_when_the_site_answers(
    commands: Commands,
    console: Console,
    web: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (web[1] / "index.html").touch()
    environment = commands(
        "pulumi",
        """
        [ "$1 $2 $3 $6" = "plugin install resource --server" ] || exit 1
        mkdir -p $PULUMI_HOME/plugins/resource-$4-v$5; touch $PULUMI_HOME/plugins/resource-$4-v$5/pulumi-resource-$4""",
    )
    monkeypatch.setenv("PATH", environment["PATH"])
    environment |= {"SLIPWAY_PULUMI_SITE": web[0], "PULUMI_HOME": str(tmp_path / "pulumi")}
    assert "genuine" in plugins.settle(Choices(), console, environment, SETTINGS, Choices()).chosen


def test_a_stand_in_goes_into_a_home_of_the_projects_own_beside_the_genuine_ones(
    commands: Commands,
    console: Console,
    tools: Path,
    tmp_path: Path,
    built: list[str],
) -> None:
    genuine(tmp_path, "random")
    choices = Choices()
    environment = commands("true", "") | {"PULUMI_HOME": str(tmp_path), "SLIPWAY_PULUMI_SITE": NOWHERE}
    plugins.settle(choices, console, environment, SETTINGS, Choices())
    assert built == ["--plugin=docker=5.2.0"]
    assert choices.environment["PULUMI_HOME"] == str(tools / "home")
    assert choices.environment["PULUMI_CREDENTIALS_PATH"] == str(tmp_path)
    assert (tools / "home" / "plugins" / "resource-random-v4.21.4" / "pulumi-resource-random").exists()
    assert not (tmp_path / "plugins" / "resource-docker-v5.2.0").exists()


def test_settings_that_name_no_base_image_are_an_error_that_says_which_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.slipway]\npulumi = "1"\nplugins = {}\n[tool.slipway.base-images]\npython = "p"\n')
    with pytest.raises(SetupError, match="must name python, postgres, nginx, adminer and nothing else; it"):
        Settings.load(file)


def test_the_projects_own_settings_pin_the_plugins_that_its_packages_ask_for() -> None:
    requirements = (Path(__file__).parents[2] / "requirements.lock").read_text()
    for name, version in Settings.load().plugins.items():
        assert f"\npulumi-{name}=={version} " in requirements
