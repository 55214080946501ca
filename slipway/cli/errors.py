"""How a command ends: exit codes that scripts can rely on, and errors that say what happened and what to type."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Exit codes. `psql` and `exec` end with the code of the command that they ran."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_SET_UP = 3
    MISSING = 4
    NOT_CONFIRMED = 5
    UNWELL = 6
    CHANGES = 7
    LOCKED = 8
    DATA_AT_RISK = 9
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS = {
    Code.OK: "done",
    Code.FAILED: "the run failed; what Pulumi said is above",
    Code.USAGE: "the command line is wrong",
    Code.NOT_SET_UP: "something of this machine is missing: pulumi, the passphrase, the Docker engine",
    Code.MISSING: "there is no such stack or service, or it does not run",
    Code.NOT_CONFIRMED: "it needs a yes and did not get one",
    Code.UNWELL: "status: something does not run or is not healthy; server check: something is missing",
    Code.CHANGES: "preview --expect-no-changes: there are changes",
    Code.LOCKED: "another run is working on this stack",
    Code.DATA_AT_RISK: "the plan puts data at risk; up --allow-data-loss or rollback --force carries it out",
    Code.INTERRUPTED: "interrupted",
    Code.TERMINATED: "terminated",
}


class CliError(Exception):
    """A command cannot go on. `remedy` is what the operator can type or do, one line each."""

    def __init__(self, problem: str, *remedy: str, code: Code = Code.FAILED) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.code = problem, remedy, code
