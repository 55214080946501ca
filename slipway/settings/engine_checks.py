"""What the Docker engine must be and have for the site, and what it must not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from slipway.core import budget, naming
from slipway.core.topology import CERTBOT, POSTGRES
from slipway.settings.problems import Problem, set_config
from slipway.settings.site import Site


class Engine(Protocol):
    """What is asked of it: its host's memory in MiB, whether it is on another machine, whether it has an image, and the
    labels of a volume (empty: it has no such volume, or one without any)."""

    @property
    def memory(self) -> int: ...
    @property
    def elsewhere(self) -> bool: ...
    def has_image(self, image: str) -> bool: ...
    def volume_labels(self, name: str) -> Mapping[str, str]: ...


def everything(site: Site, engine: Engine) -> Iterator[Problem]:
    """All problems of the site with this engine."""
    yield from _place(site, engine)
    yield from _memory(site, engine.memory)
    yield from _volumes(site, engine)


def _place(site: Site, engine: Engine) -> Iterator[Problem]:
    if engine.elsewhere and site.profile.bind_mounts:
        what = (
            f"the engine is on another machine, and the profile {site.profile.name} mounts the services' folders of "
            "this one"
        )
        ways = ("Type: pulumi config rm dockerHost", "      docker context use default", "      unset DOCKER_HOST")
        yield Problem(path="dockerHost", what=what, fix=ways)


def _memory(site: Site, there: int) -> Iterator[Problem]:
    needed = budget.memory(site)
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
    for volume in _data_volumes(site):
        labels = engine.volume_labels(volume)
        project, stack = (labels.get(label) for label in (naming.PROJECT_LABEL, naming.STACK_LABEL))
        if not project or not stack or (project, stack) == (site.project, site.stack):
            continue
        what = f"the volume {volume} holds data of stack {stack} of project {project}"
        fix = ("Choose another `name:` in Pulumi.yaml, or:", "  pulumi stack rename NAME")
        yield Problem(path="project and stack", what=what, fix=fix)
        return


def _data_volumes(site: Site) -> Iterator[str]:
    """The names of the volumes that components.volumes.data_volume() makes for the site."""
    volumes = [(service.name, volume) for service in site.services.values() for volume in service.volumes]
    volumes += [(POSTGRES, "data")] if site.owns_postgres else []
    volumes += [(CERTBOT, "data")] if site.acme else []
    for service, volume in volumes:
        yield naming.data_volume(site.project, site.stack, service, volume)
