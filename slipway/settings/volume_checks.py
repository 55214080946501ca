"""What must be right about the volumes of a service: names, places in the container, and those of other services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from slipway.core import container_paths
from slipway.settings import fields
from slipway.settings.problems import Problem, did_you_mean, write_service
from slipway.settings.service_checks import problem
from slipway.site.site import Service, Site

OURS = ("/dev", "/proc", "/sys", container_paths.SECRETS, container_paths.TMP)


def everything(site: Site, service: Service) -> Iterator[Problem]:
    """Of one service's volumes."""
    seen: dict[str, str] = {}
    others = {f"{owner}.{volume}": path for (owner, volume), path in service.others_volumes.items()}
    for volume, target in {**service.volumes, **others}.items():
        key = ("volumes", volume)
        better = target if target.startswith("/") else f"{container_paths.SOURCE}/media"
        example = write_service(service.name, "volumes", value={"uploads": better})
        if volume[:1] in "./~" or "/" in volume:
            never = "" if site.profile.bind_mounts else f", and the profile {site.profile.name} mounts none"
            yield problem(service, key, f"this would mount a folder of the host; volumes have names{never}", example)
        elif volume in others:
            yield from _others_volume(site, service, volume)
        elif not fields.is_name(volume):
            what = f"it has small letters, digits and single hyphens, and at most {fields.LONGEST_NAME} characters"
            yield problem(service, key, what, example)
        path = str(PurePosixPath(target))
        if not target.startswith("/") or path == "/" or ".." in PurePosixPath(target).parts:
            yield problem(service, key, f"{target} must be a folder in the container, from its root on", example)
        elif any(path == taken or path.startswith(f"{taken}/") for taken in OURS):
            yield problem(service, key, f"{path} belongs to Slipway or to the system", example)
        elif path in seen:
            yield problem(service, key, f"{path} is where the volume {seen[path]} is mounted", example)
        seen[path] = volume


def _others_volume(site: Site, service: Service, key: str) -> Iterator[Problem]:
    """The other service has it, as the same user, and needs nothing of this one."""
    owner, _, volume = key.partition(".")
    own = write_service(service.name, "volumes", value={volume: "/data"})
    known = {f"{each.name}.{name}" for each in site.services.values() for name in each.volumes if each is not service}
    if key not in known:
        yield problem(service, ("volumes", key), f"there is no volume {key}{did_you_mean(key, known)}", own)
        return
    other, order = site.services[owner], list(site.services)
    if other.user != service.user:
        what = f"the files belong to user {other.user}, as whom {owner} runs, and {service.name} is user {service.user}"
        yield problem(service, ("volumes", key), what, write_service(service.name, "user", value=other.user))
    if order.index(owner) > order.index(service.name):
        what = f"{owner} uses the database or a volume of {service.name}: one of the two must come first"
        lines = (f"In Pulumi.yaml, services.{service.name}: let one of them own what both use",)
        yield problem(service, ("volumes", key), what, lines)
