"""`python -m slipway.audit [--stack prod]`: looks at a running stack from outside and says what is not as it should be.

Every container is judged by docker-bench-security's scored rows (slipway.audit.docker_bench) on what the engine says,
and by what its main process really is; every pair of containers by who answers whom (slipway.audit.reachability); and
every place that others may look at by whether a secret is there (slipway.audit.leaks). Prints a table, writes
bench/results/audit.json, and ends with 1 when a row fails that has no reason to.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from slipway.audit import leaks, reachability
from slipway.audit.docker_bench import ROWS, Seen, expected
from slipway.cli import screen
from slipway.cli.docker_objects import is_helper, service_of
from slipway.cli.errors import CliError
from slipway.cli.target import Target
from slipway.core.topology import EDGE
from slipway.setup import paths

RESULTS = paths.PROJECT / "bench" / "results" / "audit.json"
COMMAND_LINES = r"for each in /proc/[0-9]*/cmdline; do tr '\0' ' ' < $each; echo; done 2> /dev/null"
"""From inside: the engine's own list comes from a `ps` on its host, and a minimal Debian has none."""
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@dataclass(frozen=True)
class Finding:
    """`where` is a container, or a place where a secret could be. `result` is pass, expected (it fails, and `says` why
    it may) or fail."""

    where: str
    row: str
    title: str
    result: str
    says: str = ""


def seen(container: Container) -> Seen:
    """Everything that the rows look at."""
    client: Any = container.client
    execs = (client.api.exec_inspect(each) for each in container.attrs.get("ExecIDs") or ())
    _, processes = inside(container, "sh", "-c", COMMAND_LINES)
    return Seen(
        container=container.attrs,
        image=client.images.get(container.attrs["Image"]).attrs,
        info=client.info(),
        processes=processes.splitlines(),
        execs=list(execs),
        content_trust=os.environ.get("DOCKER_CONTENT_TRUST", ""),
    )


def by_docker_bench(container: Container) -> Iterator[Finding]:
    looked_at = seen(container)
    for row in ROWS:
        wrong = row.judge(looked_at)
        reason = expected(row, looked_at, edge=service_of(container) == EDGE) if wrong else ""
        result = "pass" if not wrong else "expected" if reason else "fail"
        yield Finding(str(container.name), row.number, row.title, result, f"{wrong} ({reason})" if reason else wrong)


def by_its_process(container: Container) -> Iterator[Finding]:
    """What the kernel says of the main process, and whether a process of its user can write to the root."""

    def finding(row: str, title: str, wrong: str) -> Finding:
        return Finding(str(container.name), row, title, "fail" if wrong else "pass", wrong)

    status = inside(container, "cat", "/proc/1/status")[1]
    fields = {key: value.split() for key, _, value in (line.partition(":") for line in status.splitlines())}
    held = [kind for kind in CAPABILITIES if int(fields[kind][0], 16)]
    yield finding("capabilities", "the main process has no capability at all", f"has {', '.join(held)}" if held else "")
    yield finding("uid", "the main process is not root's", "runs as uid 0" if "0" in fields["Uid"] else "")
    for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")):
        found = fields[name][0]
        yield finding(name, f"{name} is {wanted}", "" if found == wanted else f"{name} is {found}")
    code, _ = inside(container, "sh", "-c", "touch /slipway-audit && rm /slipway-audit")
    yield finding("root", "its root cannot be written to", "" if code else "a file could be made in /")


def inside(container: Container, *command: str) -> tuple[int, str]:
    """Exit code and output of a command in a container."""
    result: Any = container.exec_run(list(command))
    return int(result.exit_code), result.output.decode(errors="replace")


def by_reachability(target: Target) -> Iterator[Finding]:
    """Who answers whom, held against the declaration."""
    for pair in reachability.matrix(target):
        wrong = f"{reachability.shown(pair.expected)} may answer, {reachability.shown(pair.open)} does"
        says, result = ("", "pass") if pair.right else (wrong, "fail")
        yield Finding(pair.source, f"to {pair.target}", "it reaches what is declared, and nothing else", result, says)


def by_secrets(target: Target) -> Iterator[Finding]:
    """Where a secret is found that must not be there; by its name and form."""
    for place, hits in leaks.looked_at(target):
        found = ", ".join(f"{each.secret} ({each.form})" for each in hits)
        yield Finding(place, "secrets", "no secret is there", "fail" if found else "pass", found)


def findings(target: Target) -> list[Finding]:
    """Everything. Raises CliError where nothing runs, and for a stack that is open on purpose."""
    objects = target.objects
    if not objects.project.profile.hardened:
        raise CliError(f"{objects.project} is for development, and open on purpose", "make audit STACK=prod")
    running = [each for each in objects.containers() if each.status == "running" and not is_helper(each)]
    if not running:
        raise CliError(f"{objects.project} does not run", f"make up STACK={objects.project.stack}")
    by_name = sorted(running, key=lambda each: str(each.name))
    judged = [finding for each in by_name for finding in (*by_docker_bench(each), *by_its_process(each))]
    return [*judged, *by_reachability(target), *by_secrets(target)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="slipway.audit", description="Judges a running stack from outside.")
    parser.add_argument("--stack", default="prod")
    parser.add_argument("--project", type=Path, default=None, help="the folder of Pulumi.yaml")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the file for all rows")
    given = parser.parse_args()
    try:
        target = Target(given.stack, given.project, json=False)
        found = findings(target)
    except CliError as error:
        screen.failed(error, json_wanted=False)
        sys.exit(int(error.code))
    told = [each for each in found if each.result != "pass"]
    screen.table(
        ("where", "row", "result", "what it is"), [(e.where, e.row, e.result, e.says or e.title) for e in told]
    )
    failed = sum(each.result == "fail" for each in found)
    print(f"{len(found)} rows: {len(found) - len(told)} pass, {len(told) - failed} expected, {failed} fail")
    given.output.parent.mkdir(exist_ok=True)
    summary = {"stack": str(target.project), "rows": len(found), "failed": failed}
    given.output.write_text(json.dumps({**summary, "findings": [asdict(each) for each in found]}, indent=1) + "\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
