"""Rules on what is around a container: ports, networks, volumes, images, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy.rule import Resource
from slipway.core.container_paths import SPOOL
from slipway.core.kinds import KINDS
from slipway.site.profile import Profile

LOOPBACK = {"127.0.0.1", "::1"}
SOCKET = re.compile(r"(docker|containerd|podman|crio|buildkitd)\.sock$")
SYSTEM = re.compile(r"/(boot|dev|etc|lib|proc|root|run|sys|usr|var|var/run|var/lib|var/lib/docker)?/?")
"""Folders of the host with which a container could become the host."""
WITH_A_WAY_OUT = re.compile(f"-({'|'.join(kind.way_out for kind in KINDS if kind.way_out)})$")
INTERNAL_EVERYWHERE = re.compile(r"-(postgres|db)$")
PINNED = re.compile(r"(^|@)sha256:|:(?=[^/]*\d)[\w.-]+$")
"""An id, a digest, or a tag with a number in it."""
KEEPERS = {"FilesVolume", "Placeholders", "DatabaseRoles", "DatabaseLogin"}
"""What secrets are for: files of mode 0400, and SQL over a local socket. Their inputs never reach the engine."""
SPEAKING = re.compile(r"(PASSWORD|PASSWD|SECRET|SECRET_KEY|PRIVATE_KEY|API_KEY|TOKEN)$")
LOGIN = re.compile(r"://[^/@:\s]*:[^/@\s]+@")


def published_ports(each: Resource, profile: Profile) -> Iterator[str]:
    """Ports are published by the edge alone; where the profile has none, on the loopback address only."""
    if each.inputs.get("publishAllPorts"):
        yield "publish_all_ports is set: remove it"
    for port in each.inputs.get("ports") or ():
        if profile.edge and not each.belongs_to("Edge"):
            yield f"ports publishes {port.get('internal'):g}: remove it, and give the service a route"
        elif not profile.edge and port.get("ip") not in LOOPBACK:
            yield f'ports publishes {port.get("internal"):g} on "{port.get("ip") or "0.0.0.0"}": set ip="127.0.0.1"'  # noqa: S104
        elif not port.get("ip"):
            yield f"ports publishes {port.get('internal'):g} on every address: name one in ip"


def own_networks(each: Resource, profile: Profile) -> Iterator[str]:
    """A container names its networks: one without is on the engine's default bridge, together with strangers."""
    del profile
    if not each.inputs.get("networksAdvanced") and each.inputs.get("networkMode") in {None, "", "default", "bridge"}:
        yield 'networks_advanced is empty: name the networks (or set network_mode="none")'


def internal_networks(each: Resource, profile: Profile) -> Iterator[str]:
    """Networks have no way out, but those that are named for one: `public`, `<service>-egress`."""
    wanted = INTERNAL_EVERYWHERE.search(each.name) if profile.publish_services else not WITH_A_WAY_OUT.search(each.name)
    if wanted and each.inputs.get("internal") is not True:
        yield "internal is not True: set it, or call the network <service>-egress if its members need a way out"


def sources(each: Resource) -> Iterator[tuple[str, str]]:
    """(where it stands, path or name) of everything that is mounted; "" for an anonymous volume, unless it is for
    temporary files, which are to go with their container."""
    for volume in each.inputs.get("volumes") or ():
        if not (volume.get("fromContainer") or volume == {"containerPath": SPOOL}):
            yield "volumes", str(volume.get("hostPath") or volume.get("volumeName") or "")
    for mount in each.inputs.get("mounts") or ():
        if mount.get("type") != "tmpfs":
            yield "mounts", str(mount.get("source") or "")


def no_engine_socket(each: Resource, profile: Profile) -> Iterator[str]:
    """No container gets at the engine or the system of the host: whoever does is root there."""
    del profile
    for where, source in sources(each):
        if SOCKET.search(source) or SYSTEM.fullmatch(source):
            yield f"{where} mounts {source} of the host: remove it"


def no_host_folder(each: Resource, profile: Profile) -> Iterator[str]:
    """Nothing of the host is mounted, except source code in a profile that mounts it."""
    for where, source in sources(each):
        if source.startswith(("/", "~", ".")) and not profile.bind_mounts:
            yield f"{where} mounts {source} of the host: put the files into the image or a volume"


def named_volumes(each: Resource, profile: Profile) -> Iterator[str]:
    """What a container mounts has a name: an anonymous volume is lost with its container."""
    del profile
    for where, source in sources(each):
        if not source:
            yield f"{where} holds a volume without a name: give volume_name"


def kept_data(each: Resource, profile: Profile) -> Iterator[str]:
    """A volume with data has a fixed name and is never replaced for its labels, so that the next `up` finds the data.
    (retain_on_delete is not shown to policies.) The edge's volumes hold nothing that is not made again."""
    if each.inputs.get("driverOpts") and not profile.bind_mounts:
        device = str(each.inputs["driverOpts"].get("device") or "")
        if device.startswith("/"):
            yield f"driver_opts mounts {device} of the host: remove it"
    if each.belongs_to("Edge"):
        return
    if each.inputs.get("name") != each.name:
        yield f'name is not fixed: set name="{each.name}"'
    if missing := {"labels", "driverOpts"} - set(each.ignores):
        yield f"ignore_changes lacks {', '.join(sorted(missing))}: a change of them would delete the data"


def pinned_image(each: Resource, profile: Profile) -> Iterator[str]:
    """What is built here is named by its id; a ready-made image by its digest, or by its version at least."""
    del profile
    image = str(each.inputs.get("image") or "")
    if not PINNED.search(image):
        yield f"image is {image}: name it by its id (image.repo_digest), by a digest, or by a version"


def no_adminer(each: Resource, profile: Profile) -> Iterator[str]:
    """The database's login page exists in profiles for development only."""
    if each.belongs_to("Adminer") and not profile.adminer:
        yield "this profile has no adminer: remove it (slipway psql looks into a database)"


def hidden_secrets(each: Resource, profile: Profile) -> Iterator[str]:
    """No secret is told to the engine, where whoever may inspect an object reads it: not in an environment, a label, a
    command, a name or a build argument."""
    del profile
    if each.kind in KEEPERS:
        return
    for path in each.secrets:
        yield f"{path} holds a secret: give it as a file (components.service_files)"


def passwords_in_plain(each: Resource, profile: Profile) -> Iterator[str]:
    """A variable that looks like a password is given as a secret, not as a plain text of the declaration."""
    del profile
    given = [(f"env.{variable}", variable, value) for variable, value in (each.inputs.get("env") or {}).items()]
    for index, text in enumerate(each.inputs.get("envs") or ()):
        variable, _, value = text.partition("=")
        given.append((f"envs[{index}]", variable, value))
    for path, variable, value in given:
        if value and not each.is_secret(path) and (SPEAKING.search(variable) or LOGIN.search(value)):
            yield f"{path} holds {variable} in plain: declare it in `secrets:`, and refer to it in `env:`"
