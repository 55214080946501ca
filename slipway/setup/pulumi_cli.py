"""The Pulumi command line: the user's own, else the official release, else one built from Go modules."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from slipway.setup import paths
from slipway.setup.choices import Choice, Choices
from slipway.setup.console import Console, SetupError
from slipway.setup.settings import Settings

SITE = "https://get.pulumi.com"  # serves the documented installer at / and the plugins at /releases/plugins
ANSWER_SECONDS = 4
PART = "Pulumi CLI"


def site(environment: Mapping[str, str]) -> str:
    """Where official downloads come from; SLIPWAY_PULUMI_SITE names a company mirror (or a server in a test)."""
    return environment.get("SLIPWAY_PULUMI_SITE", SITE).rstrip("/")


def fetch(url: str) -> bytes | None:
    """The content at `url`, or None when none comes within ANSWER_SECONDS in all, name look-up included."""

    def read() -> bytes:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as response:  # noqa: S310  the address is ours or the user's
            return bytes(response.read())

    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        return pool.submit(read).result(ANSWER_SECONDS)
    except (OSError, concurrent.futures.TimeoutError, urllib.error.URLError, ValueError):
        return None
    finally:
        pool.shutdown(wait=False)


def answers(environment: Mapping[str, str]) -> bool:
    """Whether the site of the official downloads can be reached."""
    return fetch(site(environment) + "/") is not None


def version(command: str | Path, environment: Mapping[str, str]) -> tuple[int, ...] | None:
    """The version that `command` prints, or None when it is no working pulumi."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        quiet = {**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        shown = subprocess.run([command, "version"], env=quiet, capture_output=True, text=True, timeout=30, check=False)
        if found := re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+).*", shown.stdout.strip()):
            return tuple(map(int, found.groups()))
    return None


def shown(number: tuple[int, ...] | None) -> str:
    return ".".join(map(str, number or ()))


def settle(
    choices: Choices, console: Console, environment: Mapping[str, str], settings: Settings, previous: Choices
) -> Choice:
    """Finds, downloads or builds the CLI. Raises SetupError when none of the three can be had."""
    wanted = tuple(map(int, settings.pulumi.split(".")))
    users = shutil.which("pulumi", path=environment["PATH"])
    found = version(users, environment) if users else None
    if found and found >= wanted:
        return choices.chose(PART, f"{shown(found)} at {users}", "on PATH and recent enough", origin="path")
    reason = f"the one on PATH is {shown(found)}, older than {settings.pulumi}" if found else "none on PATH"
    official = paths.TOOLS / "pulumi"
    if version(official / "bin" / "pulumi", environment) == wanted:
        choices.path.append(str(official / "bin"))
        return choices.chose(
            PART, f"{settings.pulumi}, the official release", f"{reason}; installed here earlier", origin="official"
        )
    if previous.origin.get(PART) != "built":
        console.status(f"{'':<14} asking {site(environment)}")
        if (script := fetch(site(environment) + "/")) and install(
            script, official, settings.pulumi, console, environment
        ):
            choices.path.append(str(official / "bin"))
            return choices.chose(
                PART,
                f"{settings.pulumi}, the official release",
                f"{reason}; {site(environment)} answers",
                origin="official",
            )
        reason += f"; {site(environment)} gives none"
    built = build(console, environment)
    lay_out("--cli", str(built))
    choices.path.append(str(paths.TOOLS / "bin"))
    return choices.chose(PART, f"{settings.pulumi}, built from Go modules", reason, origin="built")


def install(script: bytes, root: Path, release: str, console: Console, environment: Mapping[str, str]) -> bool:
    """Runs the documented installer; False (and a line that says so) when it does not succeed."""
    installer = paths.TOOLS / "install-pulumi.sh"
    installer.parent.mkdir(exist_ok=True)
    installer.write_bytes(script)
    command: list[str | Path] = ["sh", installer, "--version", release, "--install-root", root, "--no-edit-path"]
    try:
        console.run(
            f"the official installer of Pulumi {release}",
            command,
            environment=environment,
            log=paths.TOOLS / "setup.log",
        )
    except SetupError as error:
        console.line(f"{'':<14} {error.problem}")
    finally:
        installer.unlink()
    return version(root / "bin" / "pulumi", environment) is not None


def build(console: Console, environment: Mapping[str, str]) -> Path:
    """Builds the CLI into the cache, some four minutes on two cores; at once when it is there already."""
    command: list[str | Path] = [sys.executable, paths.OFFLINE / "cli" / "build_cli.py"]
    cached = subprocess.run([*command, "--cached"], env=environment, capture_output=True, text=True, check=False)
    if cached.returncode == 0:
        return Path(cached.stdout.strip())
    output = console.run(
        "build the Pulumi CLI from Go modules (about 4 minutes, once)",
        command,
        environment=environment,
        log=paths.TOOLS / "setup.log",
    )
    return Path(output.splitlines()[-1])


def lay_out(*arguments: str) -> None:
    """Puts parts of the offline kit where the CLI looks for them."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "slipway_offline.layout",
        "--tools",
        paths.TOOLS / "bin",
        "--home",
        paths.TOOLS / "home",
        "--python",
        paths.VIRTUALENV / "bin" / "python",
        *arguments,
    ]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(paths.OFFLINE)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SetupError(f"the offline kit could not be laid out in {paths.TOOLS}: {done.stderr.strip()}")


def check(choices: Choices) -> str | None:
    """What is missing, or None."""
    environment = choices.exported()
    command = shutil.which("pulumi", path=environment["PATH"])
    return None if command and version(command, environment) else "there is no working pulumi command"
