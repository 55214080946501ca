"""nginx in front of the services: the only container that publishes a port."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.certificates import Certificates, CertificatesArgs
from components.context import Context
from components.networks import Networks
from components.secrets import Secrets
from components.volumes import PROVIDED, volume_labels
from components.workload import Running, run
from slipway.core import processes, scratch
from slipway.core.topology import EDGE, PUBLIC
from slipway.nginx import certificate_watch, pages, statics, tls
from slipway.nginx import main as nginx_main
from slipway.providers.files import FilesVolume, OwnedVolume
from slipway.providers.static_files import StaticFiles
from slipway.site.site import Service
from slipway.site.workload import Health, Limits, Mount, Port, Replacement, Stop, Workload

PORT = 80
NGINX = ["nginx", "-c", nginx_main.MAIN, "-g", "daemon off;"]
CHECK = ["nginx", "-t", "-q", "-c", nginx_main.MAIN]

GRACE = 5
"""Seconds in which nginx, told to stop, finishes requests. It takes no new ones meanwhile: a minute for a few slow
answers would be a minute of outage for everybody."""


@dataclass(frozen=True, kw_only=True)
class EdgeArgs:
    """`image` has nginx, curl and the user 101."""

    context: Context
    networks: Networks
    secrets: Secrets
    image: pulumi.Input[str]


class Edge(pulumi.ComponentResource):
    """Owns the nginx container, its configuration volumes, its certificates and the static files that it serves itself.

    The container stays over releases: routes and upstreams are files that the release writes. It is replaced
    delete-first, because it publishes a port: a short gap, when its image or its own settings change.
    """

    running: Running
    pages: dict[str, str]
    certificates: Certificates | None

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Edge", name, None, opts)
        self._context, self._image = args.context, args.image
        context, settings, site = args.context, args.context.site.edge, args.context.site
        labels = context.labels(EDGE)
        self.pages = pages.files(
            max_body=settings.max_body,
            own={page: (site.root / file).read_text() for page, file in settings.pages.items()},
        )
        child = pulumi.ResourceOptions(parent=self)
        texts = {nginx_main.MAIN_FILE: nginx_main.main_conf(drain=site.drain, cpus=settings.cpus, tls=settings.tls.on)}
        if site.acme:
            texts[certificate_watch.SCRIPT] = certificate_watch.script(nginx_main.MAIN)
        files = pulumi.Output.from_input(texts)
        config = FilesVolume(
            context.name(EDGE, "config"),
            engine=context.engine,
            volume=args.secrets.volume_name(EDGE, files),
            files=files,
            uid=nginx_main.USER,
            gid=nginx_main.USER,
            image=args.image,
            labels=labels,
            opts=child,
        )
        live, static, temporary = (self._volume(part) for part in ("live", "static", "temporary"))
        self._static = static
        owned = OwnedVolume(
            context.name(EDGE, "temporary-owner"),
            engine=context.engine,
            volume=temporary.name,
            uid=nginx_main.USER,
            gid=nginx_main.USER,
            image=args.image,
            labels=labels,
            opts=child,
        )
        self.certificates = None
        if settings.tls.on:
            certificates_args = CertificatesArgs(context=context, secrets=args.secrets, image=args.image)
            self.certificates = Certificates(context.name(EDGE, "certificates"), certificates_args, child)
        published = [(PORT, settings.port, "edge.port")]
        published += [(tls.PORT, settings.tls_port, "edge.tlsPort")] if settings.tls.on else []
        described = Workload(
            service=EDGE,
            image=args.image,
            user=str(nginx_main.USER),
            entrypoint=[],
            command=[*(["sh", f"{nginx_main.CONFIG}/{certificate_watch.SCRIPT}"] if site.acme else []), *NGINX],
            networks=args.networks.memberships(EDGE),
            made_on=PUBLIC,
            ports=[
                Port(inside=inside, outside=outside, address=settings.address, port_key=key, address_key="edge.address")
                for inside, outside, key in published
            ],
            mounts=[
                Mount(volume=config.volume, target=nginx_main.CONFIG, read_only=True),
                Mount(volume=live.name, target=nginx_main.LIVE),
                Mount(volume=static.name, target=nginx_main.STATIC, read_only=True),
                Mount(volume=owned.volume, target=nginx_main.TEMPORARY),
                *([self.certificates.mount] if self.certificates else []),
            ],
            tmpfs=scratch.tmp(16),
            limits=Limits(
                memory=settings.memory,
                cpus=settings.cpus,
                pids=processes.LEAST,
                open_files=nginx_main.CONNECTIONS,
            ),
            health=Health(command=["curl", "-fsS", "-o", "/dev/null", nginx_main.HEALTH_URL]),
            stop=Stop(signal="SIGQUIT", grace=GRACE),
            # Tried without the live files: a release puts those right that do not suit a new main file.
            replaced=Replacement(delete_first=True, check=CHECK, unseen=nginx_main.LIVE),
        )
        self.running = run(context, args.networks, name, described, parent=self)
        self.register_outputs({"container": self.running.container.name})

    def serve_static(self, service: Service, image: pulumi.Input[str]) -> StaticFiles:
        """Copies a service's static files out of its image, beside what earlier releases left."""
        sources = statics.sources(service)
        return StaticFiles(
            self._context.name(service.name, "static"),
            engine=self._context.engine,
            volume=self._static.name,
            folder=service.name,
            release=pulumi.Output.from_input(image).apply(lambda known: statics.release_folder(known, sources)),
            image=image,
            tools=self._image,
            sources=sources,
            retention=self._context.site.edge.static_retention,
            labels=self._context.labels(service.name),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _volume(self, part: str) -> docker.Volume:
        return docker.Volume(
            self._context.name(EDGE, part),
            labels=volume_labels(self._context.labels(EDGE)),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=PROVIDED),
        )
