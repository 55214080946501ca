"""certbot beside nginx: it gets the site's certificates from an ACME authority and renews them by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components import hardening
from components.context import Context, container_labels
from components.edge import Edge
from components.networks import Networks
from components.secrets import Secrets
from components.trial import tried
from components.volumes import data_volume
from slipway.core import container_paths, naming, nginx_main, processes, rotation, scratch
from slipway.core.budget import CERTBOT_MEMORY
from slipway.core.topology import CERTBOT, EDGE
from slipway.providers.files import FilesVolume, OwnedVolume

PROGRAM = ["python", "/opt/certbot/renew.py"]
DATA, FILES, BUNDLE = "/var/lib/certbot", "/etc/slipway", "ca.pem"
GRACE = 10
"""Seconds; a run of certbot that is cut off is done again at the next start."""


@dataclass(frozen=True, kw_only=True)
class CertbotArgs:
    """`edge` has certificates. `release` must have succeeded before anything is asked of the authority: it proves
    that the names are ours by what nginx answers."""

    context: Context
    networks: Networks
    edge: Edge
    image: pulumi.Input[str]
    release: pulumi.Resource


class Certbot(pulumi.ComponentResource):
    """Owns the container and the volume with the account and the certificates, which is kept like other data.

    It runs as nginx's user and shares one volume with it, where nginx may only read; it has no access to the engine,
    nor to any network of a service. Replaced delete-first: two would ask for the same certificates.
    """

    container: docker.Container

    def __init__(self, name: str, args: CertbotArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Certbot", name, None, opts)
        self.args, certificates = args, args.edge.certificates
        assert certificates is not None
        context, site = args.context, args.context.site
        settings = site.edge.tls
        mounts = [
            docker.ContainerVolumeArgs(volume_name=certificates.volume, container_path=container_paths.TLS),
            docker.ContainerVolumeArgs(volume_name=self._data(), container_path=DATA),
        ]
        if settings.ca_bundle:
            bundle = self._bundle(certificates.args.secrets, (site.root / settings.ca_bundle).read_text())
            mounts.append(docker.ContainerVolumeArgs(volume_name=bundle, container_path=FILES, read_only=True))
        configuration = {
            "certificates": {names[0]: list(names) for names in site.hosts()},
            "directory": settings.authority,
            "email": settings.email or "",
            "bundle": f"{FILES}/{BUNDLE}" if settings.ca_bundle else "",
            "generation": certificates.args.secrets.generation(EDGE, rotation.TLS),
        }
        described = dict(
            image=args.image,
            networks_advanced=args.networks.of(CERTBOT),
            volumes=mounts,
            **hardening.container(
                site.profile, memory=CERTBOT_MEMORY, cpus=0.5, user=str(nginx_main.USER), tmpfs=scratch.tmp(32)
            ),
        )
        child = pulumi.ResourceOptions(parent=self)
        trial = tried(context, name, CERTBOT, described, check=["true"], opts=child)
        self.container = docker.Container(
            name,
            entrypoints=[],
            command=[*PROGRAM, json.dumps(configuration)],
            labels=container_labels(context.labels(CERTBOT)),
            healthcheck=hardening.healthcheck(["CMD", *PROGRAM, "--check"], interval=30, timeout=5),
            stop_signal="SIGTERM",
            stop_timeout=GRACE,
            destroy_grace_seconds=GRACE,
            **described,
            opts=hardening.replacement(delete_first=True, parent=self, depends_on=[args.release, trial]),
        )
        hardening.limit_pids(context, name, self.container, processes.LEAST, opts=child)
        self.register_outputs({"container": self.container.name})

    def _data(self) -> pulumi.Output[str]:
        context = self.args.context
        volume = data_volume(context, CERTBOT, "data", parent=self)
        return OwnedVolume(
            context.name(CERTBOT, "data", "owner"),
            engine=context.engine,
            volume=naming.data_volume(context.site.project, context.site.stack, CERTBOT, "data"),
            uid=nginx_main.USER,
            gid=nginx_main.USER,
            mode=0o700,
            image=self.args.image,
            labels=context.labels(CERTBOT),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[volume]),
        ).volume

    def _bundle(self, secrets: Secrets, text: str) -> pulumi.Output[str]:
        context = self.args.context
        files = {BUNDLE: text}
        return FilesVolume(
            context.name(CERTBOT, "files"),
            engine=context.engine,
            volume=secrets.volume_name(CERTBOT, pulumi.Output.from_input(files)),
            files=files,
            uid=nginx_main.USER,
            gid=nginx_main.USER,
            image=self.args.image,
            labels=context.labels(CERTBOT),
            opts=pulumi.ResourceOptions(parent=self),
        ).volume
