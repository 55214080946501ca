"""certbot beside nginx: it gets the site's certificates from an ACME authority and renews them by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi

from components.context import Context
from components.edge import Edge
from components.networks import Networks
from components.secrets import Secrets
from components.volumes import data_volume
from components.workload import run
from slipway.core import container_paths, kinds, naming, processes, rotation, scratch
from slipway.core.topology import CERTBOT, EDGE
from slipway.nginx import main as nginx_main
from slipway.providers.files import FilesVolume, OwnedVolume
from slipway.site.workload import Health, Limits, Mount, Replacement, Stop, Workload

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

    def __init__(self, name: str, args: CertbotArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Certbot", name, None, opts)
        self.args, certificates = args, args.edge.certificates
        assert certificates is not None
        context, site = args.context, args.context.site
        settings = site.edge.tls
        mounts = [
            Mount(volume=certificates.volume, target=container_paths.TLS),
            Mount(volume=self._data(), target=DATA),
        ]
        if settings.ca_bundle:
            bundle = self._bundle(certificates.args.secrets, (site.root / settings.ca_bundle).read_text())
            mounts.append(Mount(volume=bundle, target=FILES, read_only=True))
        configuration = {
            "certificates": {names[0]: list(names) for names in site.hosts()},
            "directory": settings.authority,
            "email": settings.email or "",
            "bundle": f"{FILES}/{BUNDLE}" if settings.ca_bundle else "",
            "generation": certificates.args.secrets.generation(EDGE, rotation.TLS),
        }
        described = Workload(
            service=CERTBOT,
            image=args.image,
            user=str(nginx_main.USER),
            entrypoint=[],
            command=[*PROGRAM, json.dumps(configuration)],
            networks=args.networks.memberships(CERTBOT),
            mounts=mounts,
            tmpfs=scratch.tmp(32),
            limits=Limits(memory=kinds.OWN[CERTBOT].memory(site), cpus=0.5, pids=processes.LEAST),
            health=Health(command=[*PROGRAM, "--check"], interval=30, timeout=5),
            stop=Stop(signal="SIGTERM", grace=GRACE),
            replaced=Replacement(delete_first=True, check=["true"]),
        )
        running = run(context, args.networks, name, described, parent=self, started_after=[args.release])
        self.register_outputs({"container": running.container.name})

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
