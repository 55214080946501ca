"""The steps by which nginx goes from the containers of one release to those of the next, and back.

After every step nginx could be restarted and would serve the site.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping

from docker import DockerClient

from slipway.core.timeouts import CLIENT_KEEPALIVE_MIN
from slipway.engine.containers import Properties, find, log_tail
from slipway.engine.edge import Edge
from slipway.engine.errors import Failure, Interrupted
from slipway.engine.finishing import Finishing
from slipway.engine.gate import Gate
from slipway.engine.progress import pause, say, wait
from slipway.nginx.serving import serving, unused

RESTART = 5
"""Seconds that nginx may take to run again."""
REFUSED = 1
"""nginx's exit code where it does not take its configuration. One that was killed has another."""
WATCHED = CLIENT_KEEPALIVE_MIN
"""Seconds at least, from the switch on, in which the old containers are there to take over again. A drain takes as long
anyway where somebody keeps a connection."""
LOOK = 0.5
"""Seconds between two looks at what has been switched to; each of them is work for a machine that serves."""
CARRIED = 12
"""How many workers of before may go on with their WebSockets and streams at most: a release makes three where somebody
has one, and each takes a few MiB of nginx's memory."""
BACK = "Switched back: the release before serves again."
GONE = "The release before is not there to go back to, so nginx goes on with what is left of this one."


def edge_of(client: DockerClient, props: Properties, wanted: Mapping[str, str]) -> Edge:
    """nginx, which may just be started again, after it was killed.

    One that refuses the files that it has (they may name a certificate that is no longer there) serves nobody: it gets
    those of this release, `wanted`, at once. Raises Failure when it does not run all the same.
    """
    container = find(client, props["edge"])
    if container is None:
        raise Failure(f"there is no nginx: container {props['edge']}")
    edge = Edge(container, props["directory"], props["main"], int(props["gate_port"]))

    def problem() -> str:
        return f"nginx does not run: container {container.name}. Its last lines:\n{log_tail(container)}"

    try:
        wait(edge.workers, RESTART, problem)
    except Interrupted:
        raise
    except Failure:
        container.reload()
        if container.attrs["State"]["ExitCode"] != REFUSED:
            raise
        say("release: nginx refuses the files that it has, and gets those of this release")
        edge.lay(wanted)
        container.restart(timeout=RESTART)
        wait(edge.workers, RESTART, problem)
    return edge


def show(edge: Edge, files: Mapping[str, str]) -> None:
    """Adds new upstreams, and pages. nginx looks up addresses while it still sends everything to the old upstreams."""
    edge.write(files)
    edge.reload()


def switch(edge: Edge, routes: Mapping[str, str], done: str = "release: switched") -> set[int]:
    """Puts the new routes in force in one reload; the process ids of the nginx workers that still finish requests by
    the old ones. Raises Failure, with the old routes in force, when nginx does not take the new ones."""
    files = edge.files()
    before = {name: files[name] for name in routes if name in files}
    edge.write(routes)
    try:
        old = edge.reload()
    except Interrupted:
        raise
    except Failure:
        edge.remove(routes.keys() - before.keys())
        edge.write(before)
        with contextlib.suppress(Failure):
            edge.reload()  # it may have taken the new ones, only too late to be seen
        raise
    say(done)
    return old


def switch_back(
    client: DockerClient, edge: Edge, before: Mapping[str, str], routes: Iterable[str], seconds: float
) -> str:
    """Has nginx send everything to the release before again, and lets requests to the new one end; `before` are nginx's
    files of then, `routes` the names of those that say where requests go. Does nothing where that release is not there
    any more: at the first one, or where a service's predecessor had to end first (strategy recreate). Says in words how
    it came out."""
    names = [name for each in serving(before).values() for name in each]
    old = [find(client, name) for name in names]
    if not old or not all(each and each.status == "running" for each in old):
        return GONE
    try:
        then = {name: before[name] for name in routes if name in before}
        drain(edge, switch(edge, then, "release: switched back"), seconds)
    except Failure as failure:
        return f"The release before could not be gone back to: {failure}"
    return BACK


def retire(edge: Edge, more: Iterable[str] = ()) -> None:
    """Has nginx forget the upstreams that no route leads to, and with them their containers' names, which it would look
    up without end once these are gone. `more` are files to remove besides."""
    forgotten = unused(edge.files())
    edge.remove(sorted({*forgotten, *more}))
    if forgotten:
        edge.reload()
        finishing = sorted(pid for pid, ends in edge.workers().items() if ends)
        edge.end(finishing[:-CARRIED])


def drain(edge: Edge, old: set[int], seconds: float, gate: Gate | None = None) -> None:
    """Returns when the last request to what nginx no longer sends requests to has ended, or after `seconds`; what then
    still goes on, a WebSocket or a long stream, is ended by its container when that is stopped.

    Watches the new containers of `gate` meanwhile; raises Failure as soon as one of them did not stay well.
    """
    start, finishing = time.monotonic(), Finishing(edge, old)
    least = min(WATCHED, seconds) if gate else 0
    while not finishing.over() or time.monotonic() - start < least:
        if gate:
            gate.watch()
        if time.monotonic() - start > seconds:
            say(f"release: some connections are still open after {seconds:g} s; going on")
            return
        pause(LOOK)
    say(f"release: the last request to the old containers ended after {time.monotonic() - start:.1f} s")
