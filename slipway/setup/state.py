"""Where the state of the stacks and the passphrase of their secrets live.

A user who is logged in to a Pulumi backend, or names one, keeps it. Everybody else gets a file backend and a generated
passphrase in the user's data folder: outside the checkout, where `git clean` would take production's state along.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from slipway.setup import paths
from slipway.setup.choices import Choice, Choices
from slipway.setup.console import SetupError
from slipway.setup.plugins import users_home

PART = "State"


def users_backend(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The backend the user already has and how we know, or None."""
    if url := environment.get("PULUMI_BACKEND_URL"):
        return url, "PULUMI_BACKEND_URL is set"
    if environment.get("PULUMI_ACCESS_TOKEN"):
        return "Pulumi Cloud", "PULUMI_ACCESS_TOKEN is set"
    folder = Path(environment.get("PULUMI_CREDENTIALS_PATH") or users_home(environment))
    try:
        current = json.loads((folder / "credentials.json").read_text()).get("current")
    except (OSError, ValueError, AttributeError):
        return None
    return (current, "logged in with pulumi login") if current else None


def settle(choices: Choices, environment: Mapping[str, str]) -> Choice:
    """Keeps the user's backend or makes the embedded one; raises SetupError when the latter's passphrase is lost."""
    if found := users_backend(environment):
        url, why = found
        return choices.chose(PART, url, why, origin="user")
    state, passphrase = paths.data() / "state", paths.data() / "passphrase"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    choices.environment["PULUMI_BACKEND_URL"] = state.as_uri()
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & environment.keys():
        keep_passphrase(passphrase, state)
        choices.environment["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase)
    return choices.chose(
        PART, f"{paths.data()}, back it up", "no Pulumi login and no PULUMI_BACKEND_URL", origin="embedded"
    )


def keep_passphrase(file: Path, state: Path) -> None:
    """Generates the passphrase once, readable by its owner only; written whole or not at all."""
    if file.is_file() and file.stat().st_size:
        return
    if any(state.glob(".pulumi/stacks/*/*.json")):
        raise SetupError(
            f"{file} is missing, and the stacks in {state} have secrets under it",
            f"restore {file} from a backup,",
            f"or put that state aside (its secrets are lost):  mv {state} {state}.old",
        )
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(secrets.token_urlsafe(32))
        written.flush()
        os.fsync(written.fileno())
    temporary.replace(file)


def check(choices: Choices) -> str | None:
    """What is missing, or None."""
    file = choices.environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    return f"the passphrase file {file} is missing" if file and not Path(file).is_file() else None
