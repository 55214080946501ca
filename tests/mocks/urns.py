"""The URNs of all resources of the shipped site, as they are in people's state.

    python -m tests.mocks.urns [--forget]      writes urns.prod.txt and urns.dev.txt anew

A URN that goes away is a resource that the next `up` deletes, and one that comes is a new one: for a data volume, a
password or a network that is a loss. So a resource that is renamed or moved gets `aliases=[…]` with its old URN, and
the command refuses to write while one is missing. `--forget` is for resources that are really given up.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.mocks.program import run
from tests.mocks.recording import Program

STACKS = ("prod", "dev")


def of(program: Program) -> list[str]:
    """All URNs, in a stable order."""
    return sorted(program.resources)


def lost(program: Program, known: Iterable[str]) -> list[str]:
    """Those that no resource has any more, and that none names as an alias."""
    found = set(program.resources).union(*(each.aliases for each in program.resources.values()))
    return sorted(set(known) - found)


def file(stack: str) -> Path:
    return Path(__file__).with_name(f"urns.{stack}.txt")


def golden(stack: str) -> list[str]:
    return file(stack).read_text().split()


def main(arguments: list[str]) -> int:
    programs = {stack: run(stack) for stack in STACKS}
    missing = [urn for stack in STACKS if file(stack).exists() for urn in lost(programs[stack], golden(stack))]
    if missing and "--forget" not in arguments:
        print("The next `up` would delete these. Give what took their place an alias:", *missing, sep="\n  ")
        return 1
    for stack, program in programs.items():
        file(stack).write_text("\n".join(of(program)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
