"""One description of anything that runs: what every kind of container is before an engine's own words are put to it.

A Workload says what runs and how it is replaced, and nothing of who may do what: how a profile hardens its containers
is the renderer's (components.workload), the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Text = Any
"""A str, or the promise of one that is known only when something else is there (to Pulumi, an Output)."""
Words = Any
"""A list of str, or the promise of one."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A `volume` by its name or a `folder` of the host, at the path `target`; with neither, a volume of the container's
    own, which goes with it."""

    target: str
    volume: Text | None = None
    folder: str | None = None
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Port:
    """A TCP port `inside` that is published as `outside` on an `address` of the host. `port_key` and `address_key` are
    the settings that chose them ("": nobody did), for who has to say that they are taken."""

    inside: int
    outside: int
    address: str
    port_key: str
    address_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`memory` and `shared_memory` in MiB (None: the engine's 64), `cpus` in cores; `pids` counts processes and
    threads."""

    memory: int
    cpus: float
    pids: int
    shared_memory: int | None = None
    open_files: int = 4096


@dataclass(frozen=True, kw_only=True)
class Health:
    """The program and arguments that ask whether it is well, every `interval` seconds, for `timeout` at most. Without a
    command nothing is asked, not even what the image would ask."""

    command: Sequence[str]
    interval: int = 5
    timeout: int = 3


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The `signal` that ends it, and after how many seconds it is killed. Without a signal: as its image says."""

    grace: int
    signal: str | None = None


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """How a new one takes the place of the old.

    delete_first  the old one goes before the new one comes. What could fail about the new one is tried before that
    check         the command of that trial, which only looks at the configuration; empty: the engine's part alone
    unseen        the path of a mount that the check must not see
    """

    delete_first: bool
    check: Sequence[str] = ()
    unseen: str = ""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What runs. `image`, `command` and the mounts' volumes may be promises; all that decides is known.

    service      what it belongs to, by its label; its member of the site's networks, unless `networks` says otherwise
    entrypoint   what stands before the command; None: as the image is made, as for the command
    environment  plain values only: whoever may inspect a container reads them. Secrets come as files in a mount
    tmpfs        {path: mount options}
    networks     {network: the names under which the others on it find this; None: no word about names}
    made_on      the one network that it is made with where it joins the others later, so that one more network never
                 replaces it; "": all
    health       None: as its image says
    init         a process of the engine's own buries what the command leaves behind
    fixed_name   the container has its logical name, so that there can never be two
    replicas     started one after the other; the ports are the first one's
    """

    service: str
    image: Text
    user: str
    limits: Limits
    stop: Stop
    replaced: Replacement
    networks: Mapping[str, Sequence[str] | None]
    made_on: str = ""
    entrypoint: Sequence[str] | None = None
    command: Words | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[Port] = ()
    health: Health | None = None
    init: bool = False
    fixed_name: bool = False
    replicas: int = 1
