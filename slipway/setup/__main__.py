"""`python3 -m slipway.setup [doctor] [--again]`, which `make setup` and `make doctor` call."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import sys
from collections.abc import Callable, Iterator

from slipway.setup import base_images, engine, paths, plugins, pulumi_cli, state, virtualenv
from slipway.setup.choices import Choice, Choices, users_environment
from slipway.setup.console import Console, SetupError
from slipway.setup.settings import Settings

CHECKS = {
    "Docker engine": engine.check,
    pulumi_cli.PART: pulumi_cli.check,
    plugins.PART: plugins.check,
    base_images.PART: base_images.check,
    "Python": virtualenv.check,
    state.PART: state.check,
}


@contextlib.contextmanager
def alone(console: Console) -> Iterator[None]:
    """One set-up at a time for this user: two would install packages and build images into each other's way."""
    lock = paths.cache() / "setup.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.line("another set-up is running; waiting for it to end")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def setup(console: Console, *, again: bool) -> None:
    """Settles every part in order and records the choices. A part that is settled already costs next to nothing."""
    settings, recorded = Settings.load(), Choices.load()
    environment = users_environment(recorded)
    previous, choices = Choices() if again else recorded, Choices()
    choices.path.append(str(paths.PROJECT / "bin"))
    choices.environment |= {
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Pulumi takes the salt of the passphrase from the state when the stack file has none (slipway.cli.project).
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    }
    steps: tuple[Callable[[], Choice], ...] = (
        lambda: engine.settle(choices, console, environment),
        lambda: pulumi_cli.settle(choices, console, environment, settings, previous),
        lambda: plugins.settle(choices, console, environment, settings, previous),
        lambda: base_images.settle(choices, console, environment, settings, previous),
        lambda: virtualenv.settle(choices, console, environment),
        lambda: state.settle(choices, environment),
    )
    for step in steps:
        choice = step()
        console.settled(choice.part, choice.chosen, choice.why)
    choices.save()


def doctor(console: Console) -> int:
    """Says what was chosen and what is missing now; returns the exit code."""
    choices = Choices.load()
    if not choices.parts:
        console.line("set-up has not finished yet; type:  make setup")
        return 1
    missing = 0
    for choice in choices.parts:
        problem = CHECKS[choice.part](choices)
        missing += problem is not None
        console.settled(choice.part, choice.chosen, choice.why)
        if problem:
            console.line(f"{'':<14} MISSING: {problem}")
    for name, value in sorted(choices.environment.items()):
        console.line(f"{'':<14} {name}={value}")
    console.line("type:  make setup" if missing else "nothing is missing")
    return 1 if missing else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["setup", "doctor"], default="setup")
    parser.add_argument("--again", action="store_true", help="decide every part anew, as on a new machine")
    arguments = parser.parse_args()
    console = Console()
    try:
        if arguments.what == "doctor":
            return doctor(console)
        with alone(console):
            setup(console, again=arguments.again)
    except SetupError as error:
        console.line(f"\nerror: {error.problem}")
        for line in error.remedy:
            console.line(f"  {line}")
        return 1
    except KeyboardInterrupt:
        console.line("\ninterrupted; type  make setup  again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
