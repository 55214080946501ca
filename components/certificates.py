"""The certificates with which the edge speaks TLS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi
import pulumi_docker as docker

from components.context import Context
from components.secrets import Secrets
from slipway.core import certificates, rotation
from slipway.core.certificates import Pair
from slipway.core.topology import EDGE
from slipway.core.urls import EVERYWHERE, LOOPBACK
from slipway.nginx import main as nginx_main
from slipway.nginx import tls
from slipway.providers.certificate import LocalCertificate
from slipway.providers.files import FilesVolume
from slipway.providers.placeholders import Placeholders
from slipway.site.edge import TlsMode
from slipway.site.workload import Mount

LOCAL = ("localhost", LOOPBACK)
WARNING_DAYS = 14
"""Before the end of a certificate that somebody brought: time enough to get another one."""


@dataclass(frozen=True, kw_only=True)
class CertificatesArgs:
    """`image` is the edge's."""

    context: Context
    secrets: Secrets
    image: pulumi.Input[str]


class Certificates(pulumi.ComponentResource):
    """Owns the volume at slipway.nginx.tls.FOLDER and, unless the certificate was brought along, a local authority.

    The volume keeps its name when a certificate changes, so that nginx is not replaced: it reloads, because `version`
    is part of its routes. Where an ACME authority issues the certificates, the volume is where certbot puts them, and
    the local authority's is the one to show until then; nginx follows them by itself.

    Either volume has the files that the other mode's routes name: when the mode changes, the new nginx starts with the
    routes of before, and would not start without them.
    """

    volume: pulumi.Output[str]
    version: pulumi.Output[str]
    authority: pulumi.Output[str] | None

    def __init__(self, name: str, args: CertificatesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Certificates", name, None, opts)
        self.args = args
        mode, child = args.context.site.edge.tls.mode, pulumi.ResourceOptions(parent=self)
        self.authority = None
        if mode is TlsMode.FILES:
            pair = self._brought()
            self.version = pulumi.Output.from_input(certificates.fingerprint(pair.certificate))
            self.volume = self._filled(pulumi.Output.secret(pair.combined))
        else:
            local = LocalCertificate(
                args.context.name(EDGE, "certificate"),
                names=self._names(),
                generation=args.secrets.generation(EDGE, rotation.TLS),
                opts=child,
            )
            if mode is TlsMode.ACME:
                self.version = pulumi.Output.from_input("")
                self.volume = self._shared(local.combined)
            else:
                self.authority, self.version = local.authority, local.fingerprint
                self.volume = self._filled(local.combined)
        self.register_outputs({"volume": self.volume, "version": self.version})

    @property
    def mount(self) -> Mount:
        return Mount(volume=self.volume, target=tls.FOLDER, read_only=True)

    def _names(self) -> list[str]:
        site = self.args.context.site
        declared = [host for hosts in site.hosts() for host in hosts]
        address = () if site.edge.address in EVERYWHERE else (site.edge.address,)
        return list(dict.fromkeys((*declared, *LOCAL, *address)))

    def _brought(self) -> Pair:
        site = self.args.context.site
        settings = site.edge.tls
        chain, key = ((site.root / str(file)).read_text() for file in (settings.certificate, settings.key))
        end = certificates.validity(chain)[1]
        if (end - datetime.now(UTC)).days < WARNING_DAYS:
            pulumi.warn(f"the certificate in {settings.certificate} ends on {end:%Y-%m-%d}", self)
        return Pair(chain, key)

    def _per_server(self) -> list[str]:
        return [f"{tls.CERTIFICATES}/{names[0]}.pem" for names in self.args.context.site.hosts() if names]

    def _filled(self, combined: pulumi.Output[str]) -> pulumi.Output[str]:
        context = self.args.context
        constant = pulumi.Output.from_input({tls.SITE: ""})
        return FilesVolume(
            context.name(EDGE, "tls"),
            engine=context.engine,
            volume=self.args.secrets.volume_name(f"{EDGE}-tls", constant),
            files=dict.fromkeys((tls.SITE, *self._per_server()), combined),
            uid=nginx_main.USER,
            gid=nginx_main.USER,
            image=self.args.image,
            labels=context.labels(EDGE),
            opts=pulumi.ResourceOptions(parent=self),
        ).volume

    def _shared(self, combined: pulumi.Output[str]) -> pulumi.Output[str]:
        context = self.args.context
        labels = context.labels(EDGE)
        volume = docker.Volume(
            context.name(EDGE, "tls"),
            labels=[docker.VolumeLabelArgs(label=key, value=value) for key, value in labels.items()],
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["labels", "driverOpts"]),
        )
        return Placeholders(
            context.name(EDGE, "tls", "placeholders"),
            engine=context.engine,
            volume=volume.name,
            paths=[tls.SITE, *self._per_server()],
            folders=[tls.CHALLENGES],
            content=combined,
            uid=nginx_main.USER,
            image=self.args.image,
            labels=labels,
            opts=pulumi.ResourceOptions(parent=self),
        ).volume
