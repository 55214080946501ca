"""What the Docker engine must be and have for the site, and what it must not have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from slipway.core import budget, kinds, naming, pools, topology
from slipway.core.pools import Room
from slipway.settings.problems import Problem, set_config, write_service
from slipway.site.site import Site


class Engine(Protocol):
    """What is asked of it: its host's memory in MiB, whether it is on another machine, whether it has an image, the
    labels of a volume (empty: it has no such volume, or one without any), {running container that may write to it: its
    user}, and where the addresses of new networks come from."""

    @property
    def memory(self) -> int: ...
    @property
    def elsewhere(self) -> bool: ...
    def has_image(self, image: str) -> bool: ...
    def volume_labels(self, name: str) -> Mapping[str, str]: ...
    def strangers(self, project: str, stack: str) -> Mapping[str, tuple[str, str]]: ...
    def writers(self, volume: str) -> Mapping[str, str]: ...
    def room(self) -> Room: ...


def everything(site: Site, engine: Engine) -> Iterator[Problem]:
    """All problems of the site with this engine."""
    yield from _place(site, engine)
    yield from _memory(site, engine.memory)
    yield from list(_volumes(site, engine)) or _names(site, engine)
    yield from _users(site, engine)
    yield from _networks(site, engine.room())


def _place(site: Site, engine: Engine) -> Iterator[Problem]:
    if engine.elsewhere and site.profile.bind_mounts:
        what = (
            f"the engine is on another machine, and the profile {site.profile.name} mounts the services' folders of "
            "this one"
        )
        ways = ("Type: pulumi config rm dockerHost", "      docker context use default", "      unset DOCKER_HOST")
        yield Problem(path="dockerHost", what=what, fix=ways)


def _memory(site: Site, there: int) -> Iterator[Problem]:
    needed = kinds.memory(site)
    if needed <= there:
        return
    services = sorted(site.services.values(), key=budget.service_memory, reverse=True)
    parts = ", ".join(f"{service.name} {budget.service_memory(service)}" for service in services)
    what = f"a release needs {needed} MiB for old and new containers together; the engine's host has {there} ({parts})"
    largest = services[0]
    key, value = ("replicas", 1) if largest.replicas > 1 else ("memory", max(32, largest.memory // 2))
    yield Problem(path="memory", what=what, fix=(set_config(f"overrides.{largest.name}.{key}", value),))


def _volumes(site: Site, engine: Engine) -> Iterator[Problem]:
    """The data of another stack is never adopted: shop-eu's prod and shop's eu-prod have the same names."""
    for volume in kinds.data_volumes(site):
        labels = engine.volume_labels(volume)
        project, stack = (labels.get(label) for label in (naming.PROJECT_LABEL, naming.STACK_LABEL))
        if not project or not stack or (project, stack) == (site.project, site.stack):
            continue
        what = f"the volume {volume} holds data of stack {stack} of project {project}"
        fix = ("Choose another `name:` in Pulumi.yaml, or:", "  pulumi stack rename NAME")
        yield Problem(path="project and stack", what=what, fix=fix)
        return


def _names(site: Site, engine: Engine) -> Iterator[Problem]:
    """Images, their tags and jobs are called after the service: two stacks that give the same name would take them from
    each other."""
    theirs = engine.strangers(site.project, site.stack)
    for service in (*site.services, *(kind.name for kind in kinds.of(site) if kind.built)):
        name = naming.prefix(site.project, site.stack) + service
        if name in theirs:
            project, stack = theirs[name]
            what = f"stack {stack} of project {project} has something that is called {name}, as {service} would be here"
            fix = ("Rename the service, choose another `name:` in Pulumi.yaml, or:", "  pulumi stack rename NAME")
            yield Problem(path="project and stack", what=what, fix=fix)
            return


def _users(site: Site, engine: Engine) -> Iterator[Problem]:
    """Files that the containers in service write are not given to another user before the switch."""
    for service in site.services.values():
        if site.profile.bind_mounts:
            continue  # they run as whoever owns the project's folder
        for volume in service.volumes:
            name = naming.data_volume(site.project, site.stack, service.name, volume)
            others = {each: user for each, user in engine.writers(name).items() if _uid(user) != str(service.user)}
            if not others:
                continue
            former = ", ".join(sorted({_uid(user) for user in others.values()}))
            what = (
                f"the files in the volume {name} belong to user {former}, as whom {', '.join(others)} writes to them; "
                f"they cannot be user {service.user}'s at the same time"
            )
            back = write_service(service.name, "user", value=int(former)) if former.isdecimal() else ()
            fix = (
                *back,
                f"Or take {service.name} away for the change; the files are given to user {service.user} then:",
                f"  docker stop {' '.join(others)}",
                "  and the same again",
            )
            yield Problem(path=f"services.{service.name}.user", what=what, fix=fix)


def _uid(user: str) -> str:
    return user.partition(":")[0]


def _networks(site: Site, room: Room) -> Iterator[Problem]:
    """An engine that has no addresses left would stop half way."""
    prefix = re.escape(naming.prefix(site.project, site.stack))
    missing = [
        plan.name
        for plan in topology.networks(site)
        if not any(re.fullmatch(f"{prefix}{re.escape(plan.name)}-[0-9a-f]{{7}}", name) for name in room.names)
    ]
    if len(missing) <= room.free:
        return
    base = pools.place(room.taken)
    small = f'"default-address-pools": {json.dumps(pools.setting(base))}' if base else ""
    what = (
        f"the site needs {len(missing)} more networks, and the engine has addresses for {room.free}: it has "
        f"{len(room.names)} networks, which take all but those of its address pools"
    )
    fix = (
        "Remove those that nobody uses:  docker network prune",
        *(
            (
                "or let it make small ones: add to its /etc/docker/daemon.json (`ip route` shows what is taken)",
                f"  {small}",
                "and restart it:  sudo systemctl restart docker",
            )
            if small
            else ()
        ),
    )
    yield Problem(path="networks", what=what, fix=fix)
