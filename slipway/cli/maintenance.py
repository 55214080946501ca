"""maintenance: visitors get a page instead of the site, and the site goes on behind it."""

from __future__ import annotations

import contextlib
import io
import tarfile

import click
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from slipway.cli import screen
from slipway.cli.docker_objects import DockerObjects
from slipway.cli.errors import CliError, Code
from slipway.cli.project import Project
from slipway.cli.target import Target, command
from slipway.core import timeouts
from slipway.core.topology import EDGE
from slipway.nginx import pages, routes
from slipway.nginx.main import INTERNAL_PORT, LIVE, MAIN


@click.command()
@click.argument("wanted", type=click.Choice(["on", "off"]), required=False, metavar="[on|off]")
@click.option(
    "--retry-after",
    type=click.IntRange(1, 7 * 24 * 3600),
    default=pages.RETRY_AFTER,
    show_default=True,
    help="Seconds after which clients may ask again.",
)
@command
def maintenance(target: Target, *, wanted: str | None, retry_after: int) -> int:
    """Show visitors a maintenance page (status 503) instead of the site, or the site again; say which it is.

    Health checks and /.well-known/acme-challenge/ stay open, and services go on calling each other. `on` returns when
    the last request that came before it has ended. It lasts until `off`, over every `up` and restart.
    """
    if not target.project.profile.edge:
        raise CliError(
            f"{target.project} has no nginx in front", "maintenance is for stacks like prod", code=Code.USAGE
        )
    container = target.objects.running(EDGE)
    if wanted:
        switch(target, container, pages.flag(retry_after) if wanted == "on" else "")
    on = is_on(target.objects)
    if target.json:
        screen.as_json({"project": target.project.name, "stack": target.project.stack, "maintenance": on})
    else:
        screen.output().print(f"[bold]{target.project}[/]: maintenance is {'on' if on else 'off'}")
    return Code.OK


def switch(target: Target, container: Container, text: str) -> None:
    """Puts `text` (nothing: none) in the flag's place and has nginx take it up. Raises CliError when it does not.

    nginx then goes on as it was, and so does the flag: left in its place, `status` would tell what no visitor sees, and
    the next release would turn it on or off unasked.
    """
    from slipway.engine.edge import Edge  # noqa: PLC0415 - with it comes Pulumi's SDK, which no other command needs
    from slipway.engine.errors import Failure, Interrupted  # noqa: PLC0415
    from slipway.engine.finishing import Finishing  # noqa: PLC0415
    from slipway.engine.progress import wait  # noqa: PLC0415

    def put(content: str) -> None:
        if content:
            edge.place(pages.FLAG, content)
        else:
            edge.remove([pages.FLAG])

    edge = Edge(container, LIVE, MAIN, INTERNAL_PORT)
    seconds = timeouts.ladder(target.project.site.drain).last_request
    try:
        if pages.FLAG not in edge.files().get(routes.ROUTES_FILE, ""):
            raise CliError("nginx has no routes yet that know of maintenance", target.project.typed("up"))
        before = flag_of(container)
        try:
            put(text)
            old = edge.reload()
        except Failure:
            with contextlib.suppress(Failure, DockerException):
                put(before)
            raise
        if text:
            screen.say("maintenance is on for every new request; waiting for the last one from before")
            try:
                wait(Finishing(edge, old).over, seconds, lambda: "WebSockets and long streams are left")
            except Interrupted:
                raise
            except Failure:
                screen.say(f"ending the WebSockets and streams that are left after {seconds} s")
                edge.end(old)
    except Failure as failure:
        raise CliError(str(failure)) from None


def remind(objects: DockerObjects) -> None:
    """After an `up`, which leaves maintenance as it is."""
    if is_on(objects):
        screen.say(f"maintenance is still on; to end it:  {ending(objects.project)}", "bold yellow")


def ending(project: Project) -> str:
    """The command that ends it."""
    return f"{screen.command()} maintenance off --stack {project.stack}"


def is_on(objects: DockerObjects) -> bool:
    """Whether visitors get the maintenance page; where nginx has stopped, whether they will when it runs again."""
    for container in objects.of_service(EDGE)[:1]:
        return bool(flag_of(container))
    return False


def flag_of(container: Container) -> str:
    """The flag's content; "" where there is none."""
    try:
        chunks, _ = container.get_archive(f"{LIVE}/{pages.FLAG}")
    except NotFound:
        return ""
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        content = archive.extractfile(archive.next() or tarfile.TarInfo())
        assert content is not None
        return content.read().decode()
