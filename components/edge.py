"""nginx in front of the services: the only container that publishes a port."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components import hardening
from components.certificates import Certificates, CertificatesArgs
from components.context import Context, container_labels
from components.networks import Networks
from components.secrets import Secrets
from components.trial import tried
from components.volumes import PROVIDED, volume_labels
from slipway.core import nginx_main, pages, processes, scratch, statics, tls, watching
from slipway.core.topology import EDGE, PUBLIC
from slipway.providers.files import FilesVolume, OwnedVolume
from slipway.providers.static_files import StaticFiles
from slipway.settings.site import Service

PORT = 80
NGINX = ["nginx", "-c", nginx_main.MAIN, "-g", "daemon off;"]
CHECK = ["nginx", "-t", "-q", "-c", nginx_main.MAIN]
KEYS = {PORT: ("edge.port", "edge.address"), tls.PORT: ("edge.tlsPort", "edge.address")}

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

    container: docker.Container
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
            texts[watching.SCRIPT] = watching.script(nginx_main.MAIN)
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
        mounts = [
            docker.ContainerVolumeArgs(volume_name=config.volume, container_path=nginx_main.CONFIG, read_only=True),
            docker.ContainerVolumeArgs(volume_name=live.name, container_path=nginx_main.LIVE),
            docker.ContainerVolumeArgs(volume_name=static.name, container_path=nginx_main.STATIC, read_only=True),
            docker.ContainerVolumeArgs(volume_name=owned.volume, container_path=nginx_main.TEMPORARY),
            *([self.certificates.mount] if self.certificates else []),
        ]
        published = {PORT: settings.port} | ({tls.PORT: settings.tls_port} if settings.tls.on else {})
        described = dict(
            image=args.image,
            networks_advanced=args.networks.only(EDGE, PUBLIC),
            ports=[
                docker.ContainerPortArgs(internal=inside, external=outside, ip=settings.address, protocol="tcp")
                for inside, outside in published.items()
            ],
            volumes=mounts,
            **hardening.container(
                site.profile,
                memory=settings.memory,
                cpus=settings.cpus,
                user=str(nginx_main.USER),
                tmpfs=scratch.tmp(16),
                open_files=nginx_main.CONNECTIONS,
            ),
        )
        # Without the live files: a release puts those right that do not suit a new main file.
        trial = tried(context, name, EDGE, described, check=CHECK, keys=KEYS, leave_out=nginx_main.LIVE, opts=child)
        self.container = docker.Container(
            name,
            entrypoints=[],
            command=[*(["sh", f"{nginx_main.CONFIG}/{watching.SCRIPT}"] if site.acme else []), *NGINX],
            labels=container_labels(labels),
            healthcheck=hardening.healthcheck(["CMD", "curl", "-fsS", "-o", "/dev/null", nginx_main.HEALTH_URL]),
            stop_signal="SIGQUIT",
            stop_timeout=GRACE,
            destroy_grace_seconds=GRACE,
            **described,
            opts=hardening.replacement(delete_first=True, parent=self, depends_on=[trial]),
        )
        self.memberships = args.networks.join(EDGE, self.container, first=PUBLIC, opts=child)
        self.pids_limit = hardening.limit_pids(context, name, self.container, processes.LEAST, opts=child)
        self.register_outputs({"container": self.container.name})

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
