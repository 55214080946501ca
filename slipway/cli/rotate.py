"""rotate: new values for generated secrets of a running stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from slipway.cli import backend, certificates, screen, stack_file
from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.cli.pulumi import State
from slipway.cli.target import Target, changing
from slipway.cli.up import bring_up
from slipway.core import rotation
from slipway.core.topology import EDGE
from slipway.settings.problems import closest
from slipway.site.edge import TlsMode

SECRETS = "slipway:components:Secrets"
KEY = "rotations"
NOTE = "# counted up by `slipway rotate`: another count is another value; keep it with the rest of this file"
Name = tuple[str, str]
"""The owner (a service, postgres or edge) and the secret."""
TLS = (EDGE, rotation.TLS)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every generated secret of the stack.")
@changing
def rotate(target: Target, *, names: tuple[str, ...], everything: bool) -> int:
    """Draw new values for generated secrets, live.

    NAME is SERVICE.SECRET, SERVICE.database (all logins of its database), postgres.superuser, edge.tls (the key of
    the site's certificates), or SERVICE for all of one. Counts them in the stack file and brings the stack up: new
    containers start with the new values, and when the old ones have gone, their logins are locked. What a former
    SECRET_KEY signed is accepted until the next rotation. What is counted and was not brought up yet goes on.
    """
    project = target.project
    if bool(names) == everything:
        there = generated(project, target.state())
        raise CliError("either --all or the names of secrets", *listed(there), code=Code.USAGE)
    locks = backend.locks(project, target.pulumi.folder)
    backend.refuse_if_held(project, locks)
    state = target.state()
    there, chosen_ones = generated(project, state), set(chosen(project))
    wanted = (
        every(there)
        if everything
        else list(dict.fromkeys(each for name in names for each in meant(name, there, project)))
    )
    counts: rotation.Counts = {owner: dict(names) for owner, names in project.site.rotations.items()}
    under_way = rotation.under_way(counts, there, wanted)
    uncounted = [each for each in wanted if each not in under_way]
    if uncounted:
        refuse_unless_well(target, killed=bool(locks) or state.interrupted)
    for owner, name in sorted(chosen_ones if everything else []):
        screen.say(f"{owner}.{name} was chosen and stays. To choose another value:  {choose(project, owner, name)}")
    if everything and brought(project):
        screen.say("edge.tls was brought along and stays; put another certificate and its key into its files")
    if under_way:
        screen.say(f"counted already, and now goes on: the rotation of {told(under_way)}")
    if uncounted:
        counts = count(project, uncounted)
    screen.say(f"new values for {told(wanted)}")
    code = bring_up(target.again(), refresh=True, yes=False, arguments=())
    if code:
        screen.say("  until then the old values go on working beside the new ones")
    elif TLS in wanted:
        certificates.wait_until_issued(target.objects, counts[EDGE][rotation.TLS])
    return code


def generated(project: Project, state: State) -> rotation.Counts:
    """What can be rotated, with the counts that the last run recorded. Raises CliError where there is none."""
    recorded = recorded_rotations(state)
    if recorded is None:
        raise CliError(
            f"{project} is not up, or was brought up by an earlier Slipway, which could not rotate",
            project.typed("up"),
            code=Code.MISSING,
        )
    return recorded


def recorded_rotations(state: State) -> rotation.Counts | None:
    found: list[Any] = [(each.get("outputs") or {}).get(KEY) for each in state.of_type(SECRETS)]
    return found[0] if found else None


def every(there: rotation.Counts) -> list[Name]:
    return [(owner, name) for owner, names in there.items() for name in names]


def listed(there: rotation.Counts) -> list[str]:
    return [f"  slipway rotate {owner}.{name}" for owner, name in every(there)]


def told(names: Sequence[Name]) -> str:
    return ", ".join(".".join(each) for each in names)


def meant(text: str, there: rotation.Counts, project: Project) -> list[Name]:
    """What a name on the command line stands for. Raises CliError for one that cannot be rotated."""
    owner, _, name = text.partition(".")
    if not name and there.get(owner):
        return [(owner, each) for each in there[owner]]
    if name in there.get(owner, ()):
        return [(owner, name)]
    if (owner, name) in chosen(project):
        raise CliError(
            f"{text} was chosen with `pulumi config set --secret`, so its next value is yours to choose as well",
            choose(project, owner, name),
            project.typed("up"),
            code=Code.USAGE,
        )
    if (owner, name) == TLS and brought(project):
        raise CliError(
            f"{text} was brought along, so the next one is yours to bring as well",
            "put another certificate and its key into the files that edge.tls names",
            f"make up STACK={project.stack}",
            code=Code.USAGE,
        )
    near = closest(text, [".".join(each) for each in every(there)])
    raise CliError(
        f"nothing that is generated is called {text}" + (f"; did you mean {near}?" if near else ""),
        *listed(there),
        code=Code.MISSING,
    )


def chosen(project: Project) -> list[Name]:
    """The secrets whose values were set."""
    return [(owner, name) for owner, names in project.site.configured_secrets.items() for name in names]


def brought(project: Project) -> bool:
    """Whether the site's certificate is in files that somebody put there."""
    return project.site.edge.tls.mode is TlsMode.FILES


def choose(project: Project, owner: str, name: str) -> str:
    return f"pulumi config set --stack {project.stack} --secret --path secrets.{owner}.{name}"


def refuse_unless_well(target: Target, *, killed: bool) -> None:
    """Raises CliError when the last run did not succeed: a rotation may be under way, and the next one would take the
    login that the containers in use came by.

    A run records the counts before anything has started with the new values, so the state cannot tell by itself. One
    that was `killed` leaves no entry in the history.
    """
    if killed or target.pulumi.last_run().get("result") != "succeeded":
        raise CliError(
            f"the last run of {target.project} did not end well, and what it began comes first",
            target.project.typed("up"),
            code=Code.UNWELL,
        )


def count(project: Project, names: Sequence[Name]) -> dict[str, dict[str, int]]:
    """Writes the counts into the stack file, where every `up` finds them, plain Pulumi's too."""
    counts = rotation.counted_up(project.site.rotations, names)
    stack_file.put(project, KEY, counts, NOTE)
    return counts
