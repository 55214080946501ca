"""Whether Pulumi and the stand-ins of the offline kit are those with which their own tests passed last.

    python -m tests.support.proven           the folders of all other tests, for pytest; nothing where they are due
    python -m tests.support.proven --note    notes in offline/proven that they have passed, for all who have the kit

They are due where a file of the kit, one of these tests, what they share with others, or a pinned version has changed,
and always where a plugin is genuine: the note is about the kit. They use nothing of the program but where set-up puts
things, so that no change of the program makes them due.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from typing import Any

from slipway.setup import paths, plugins
from slipway.setup.choices import Choices

TESTS = ("tests/contract", "offline/tests")
PINNED = re.compile(r"^(?:pulumi|docker|grpcio|protobuf)[a-z-]*==\S+", re.MULTILINE)
"""The packages that the kit talks with, in requirements.lock."""
NOTE = paths.PROJECT / "offline" / "proven"
LISTED = ("offline", "tests/contract", "tests/support", "tests/conftest.py")


def digest() -> str:
    """Of all that these tests are about: the kit, themselves, the versions."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *LISTED],
        cwd=paths.PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    total = hashlib.sha256()
    for name in sorted(set(filter(None, listed.split("\0")))):
        file = paths.PROJECT / name
        if file != NOTE and file.is_file():
            total.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    versions = [*PINNED.findall((paths.PROJECT / "requirements.lock").read_text()), repr(settings()["slipway"])]
    total.update("\n".join(versions).encode())
    return total.hexdigest()


def settings() -> dict[str, Any]:
    """The tables of the tools in pyproject.toml."""
    tools: dict[str, Any] = tomllib.loads((paths.PROJECT / "pyproject.toml").read_text())["tool"]
    return tools


def genuine() -> bool:
    return Choices.load().origin.get(plugins.PART) == "genuine"


def are_due() -> bool:
    if genuine() or not NOTE.exists():
        return True
    try:
        return NOTE.read_text().strip() != digest()
    except (OSError, subprocess.CalledProcessError):
        return True  # no git here to list the files


def main(arguments: list[str]) -> None:
    if arguments == ["--note"]:
        if not genuine():
            NOTE.write_text(f"{digest()}\n")
    elif not are_due():
        # Named, because pytest's own --ignore does not hold for folders of its `testpaths`.
        print(*(folder for folder in settings()["pytest"]["ini_options"]["testpaths"] if folder not in TESTS))


if __name__ == "__main__":
    main(sys.argv[1:])
