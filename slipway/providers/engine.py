"""What all dynamic resources share: the engine by its address, telling the operator, waiting, failing.

Outputs of these resources are exactly their inputs. So the next run's `diff` compares like with like, and the engine
keeps secret in state every output whose input was secret.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from slipway import docker_engine
from slipway.core import interruption
from slipway.core.naming import HELPER_LABEL
from slipway.providers import lifeline

T = TypeVar("T")
Properties = dict[str, Any]

TAIL = 60
"""Lines of a container's log that an error shows: gunicorn may write thirty of its own after an app's."""
PAUSE = 0.2


class Failure(Exception):  # noqa: N818 - what is raised is what failed
    """What the operator has to know, complete without a traceback."""

    __module__ = "builtins"  # reported by its name, not by where we keep it
    inside_provider: ClassVar[bool] = False

    def __init__(self, text: str) -> None:
        super().__init__(text)
        if self.inside_provider:  # Pulumi reports traceback.format_exc(), which keeps to this limit
            sys.tracebacklimit = 0


class Interrupted(Failure):
    """The operator ended the run: what is under way is left as it is."""

    __module__ = "builtins"


class Provider(ResourceProvider):
    """Plans and does the work of one kind of resource.

    `identity` are the inputs whose change needs another resource; `work` those whose change needs the work done again.
    Other inputs (time limits, labels, the engine's address) are only recorded. Subclasses implement `do`, which must be
    safe to repeat from any point at which an earlier run was killed.
    """

    serialize_as_secret_always = False
    identity: ClassVar[tuple[str, ...]] = ()
    work: ClassVar[tuple[str, ...]] = ()

    def configure(self, _req: ConfigureRequest) -> None:
        """Called in Pulumi's process for dynamic providers only."""
        if not Failure.inside_provider:
            Failure.inside_provider = True
            lifeline.end_with_pulumi()

    def diff(self, _id: str, olds: Properties, news: Properties) -> DiffResult:
        changed = changes(olds, news)
        replaces = [name for name in self.identity if name in changed]
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=False)

    def create(self, props: Properties) -> CreateResult:
        self.do({}, props)
        return CreateResult(self.id(props), recorded(props))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        if changes(olds, news) & set(self.work):
            self.do(olds, news)
        return UpdateResult(recorded(news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        return ReadResult(id_ if self.there(props) else "", recorded(props))

    def id(self, _props: Properties) -> str:
        """The resource's id in state; never a secret."""
        raise NotImplementedError

    def do(self, olds: Properties, news: Properties) -> None:
        """The work. `olds` is what the last run that succeeded recorded; empty when there was none."""
        raise NotImplementedError

    def there(self, _props: Properties) -> bool:
        """Whether a refresh still finds what was made."""
        return True


def recorded(props: Properties) -> Properties:
    """The properties without those that belong to Pulumi."""
    return {name: value for name, value in props.items() if not name.startswith("__")}


def changes(olds: Properties, news: Properties) -> set[str]:
    """The names of the properties that differ. What is unknown in a preview differs from everything known."""
    old, new = recorded(olds), recorded(news)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


@contextmanager
def connect(address: str) -> Iterator[DockerClient]:
    """The engine at `address`. Raises Failure where none answers."""
    try:
        client = docker_engine.client(address)
    except DockerException as error:
        raise Failure(f"no Docker engine answers at {address}: {error}") from None
    try:
        yield client
    finally:
        client.close()


def say(text: str) -> None:
    """One line to the operator: Pulumi shows what a provider writes as it comes."""
    print(text, file=sys.stderr, flush=True)


def wait(condition: Callable[[], T], seconds: float, problem: Callable[[], str]) -> T:
    """Asks until the answer is true and returns it. Raises Failure with `problem()` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise Failure(problem())
        pause()
    return answer


def pause(seconds: float = PAUSE) -> None:
    """The time between two questions to the engine. Raises Interrupted when the run was, by the command or because
    Pulumi ends this process: it only ends when the work in hand has, and nothing must happen after the operator was
    told that it failed.
    """
    if interruption.came() or not threading.main_thread().is_alive():
        raise Interrupted("interrupted, and left as it is until the next run")
    time.sleep(seconds)


def have_image(client: DockerClient, image: str) -> None:
    """Pulls an image that the engine has not got, as `docker run` would."""
    if not docker_engine.has_image(client, image):
        say(f"pulling {image}")
        client.images.pull(image)


def find(client: DockerClient, name: str) -> Container | None:
    """The container of this name or id, if there is one."""
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def remove(client: DockerClient, name: str) -> None:
    """Removes a container that a provider made, running or not; nothing when it is gone. Refuses any other."""
    if container := find(client, name):
        if HELPER_LABEL not in container.labels:
            raise Failure(f"a container named {name} exists that Slipway did not make: rename or remove it")
        try:
            container.remove(force=True, v=True)
        except NotFound:
            return


def log_tail(container: Container, lines: int = TAIL) -> str:
    """The last lines of a container's log, indented, for an error message."""
    return indented(container.logs(tail=lines).decode(errors="replace").strip())


def indented(log: str) -> str:
    return "\n".join(f"    {line}" for line in log.splitlines()) or "    (it wrote nothing)"


def helper_labels(labels: Mapping[str, str], purpose: str) -> dict[str, str]:
    """The stack's labels and the one by which a helper is known."""
    return {**labels, HELPER_LABEL: purpose}
