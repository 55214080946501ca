"""The docker and random plugins: installed ones, else the official download, else the stand-ins of the offline kit.

Genuine plugins live in the user's own PULUMI_HOME. As soon as one stand-in is needed, the project gets a PULUMI_HOME of
its own: another project on this machine must never pick up a stand-in as if it were the genuine plugin.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from slipway.setup import paths, pulumi_cli
from slipway.setup.choices import Choice, Choices
from slipway.setup.console import Console, SetupError
from slipway.setup.settings import Settings

PART = "Plugins"


def users_home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")


def installed(home: Path, name: str, version: str) -> bool:
    """Whether the CLI will find this plugin; it marks one that is not fully installed with a `.partial` file."""
    folder = home / "plugins" / f"resource-{name}-v{version}"
    return (folder / f"pulumi-resource-{name}").is_file() and not folder.with_name(f"{folder.name}.partial").exists()


def missing_in(home: Path, settings: Settings) -> dict[str, str]:
    """{plugin: version} of those that the CLI will not find in this PULUMI_HOME."""
    return {name: version for name, version in settings.plugins.items() if not installed(home, name, version)}


def settle(
    choices: Choices, console: Console, environment: Mapping[str, str], settings: Settings, previous: Choices
) -> Choice:
    """Finds, downloads or lays out both plugins."""
    users, ours = users_home(environment), paths.TOOLS / "home"
    missing = missing_in(users, settings)
    names = ", ".join(f"{name} {version}" for name, version in settings.plugins.items())
    why = "installed"
    if missing and previous.origin.get(PART) != "stand-ins" and pulumi_cli.answers(environment):
        missing = {
            name: version
            for name, version in missing.items()
            if not download(name, version, users, console, choices.exported(), environment)
        }
        why = f"{pulumi_cli.site(environment)} answers"
    if not missing:
        return choices.chose(PART, f"{names}, genuine", why, origin="genuine")
    pulumi_cli.lay_out(*(f"--plugin={name}={version}" for name, version in missing.items()))
    for name in settings.plugins.keys() - missing.keys():
        folder = f"resource-{name}-v{settings.plugins[name]}"
        link = ours / "plugins" / folder
        if not link.exists():
            link.symlink_to(users / "plugins" / folder)
    choices.environment |= {
        "PULUMI_HOME": str(ours),
        "PULUMI_CREDENTIALS_PATH": environment.get("PULUMI_CREDENTIALS_PATH") or str(users),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    return choices.chose(
        PART,
        f"{names}; {' and '.join(missing)} from the offline kit",
        f"not installed, and {pulumi_cli.site(environment)} gives none",
        origin="stand-ins",
    )


def download(
    name: str, version: str, home: Path, console: Console, exported: Mapping[str, str], environment: Mapping[str, str]
) -> bool:
    """The official plugin into the user's PULUMI_HOME; False (and a line that says so) when it cannot be had."""
    command = ["pulumi", "plugin", "install", "resource", name, version]
    if "SLIPWAY_PULUMI_SITE" in environment:
        command += ["--server", f"{pulumi_cli.site(environment)}/releases/plugins"]
    pulumi = shutil.which("pulumi", path=exported["PATH"])
    try:
        console.run(
            f"download the {name} plugin {version}",
            [pulumi or "pulumi", *command[1:]],
            environment={**exported, "PULUMI_HOME": str(home)},
            log=paths.TOOLS / "setup.log",
        )
    except SetupError as error:
        console.line(f"{'':<14} {error.problem}")
    return installed(home, name, version)


def check(choices: Choices) -> str | None:
    """What is missing, or None."""
    try:
        home = users_home(choices.exported())
        missing = missing_in(home, Settings.load())
        listed = subprocess.run(["pulumi", "plugin", "ls"], env=choices.exported(), capture_output=True, check=False)
    except OSError as error:
        return str(error)
    if missing:
        return f"the {' and '.join(missing)} plugin is not in {home / 'plugins'}"
    return None if listed.returncode == 0 else "pulumi plugin ls fails"
