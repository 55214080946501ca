"""The switch of the whole site from one set of containers to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.context import Context
from components.edge import Edge
from components.flask_service import FlaskService
from components.networks import Networks
from slipway import revision
from slipway.core.timeouts import ladder
from slipway.core.topology import EDGE
from slipway.nginx import main as nginx_main
from slipway.nginx import routes, statics
from slipway.providers.records import RecordInputs
from slipway.providers.release import Release
from slipway.site.site import Service, Strategy


@dataclass(frozen=True, kw_only=True)
class SiteReleaseArgs:
    """`edge` is None where the profile has none: then the release only waits until every container is well."""

    context: Context
    services: Sequence[FlaskService]
    edge: Edge | None
    networks: Networks


class SiteRelease(pulumi.ComponentResource):
    """Owns the release. Everything that must be there before the switch is a dependency of it, and Pulumi deletes old
    containers only after it succeeded. Containers reach it by name, so each replacement is a new release.
    """

    def __init__(self, name: str, args: SiteReleaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:SiteRelease", name, None, opts)
        site, edge = args.context.site, args.edge
        described = pulumi.Output.all(
            names={each.service.name: pulumi.Output.all(*each.running.names) for each in args.services},
            images={each.service.name: each.args.image for each in args.services if each.service.static},
            subnets={each.service.name: args.networks.subnets(each.service.name, EDGE) for each in args.services},
            certificate=edge.certificates.version if edge and edge.certificates else "",
        ).apply(lambda known: describe(args.context, **known))
        copied = [
            edge.serve_static(each.service, each.args.image) for each in args.services if edge and each.service.static
        ]
        built = {each.service.name: each.args.image for each in args.services if not each.service.image}
        databases = [each.service.name for each in args.services if each.service.owns_database]
        Release(
            name,
            engine=args.context.engine,
            containers=described["containers"],
            migrations={
                each.service.name: each.args.image for each in args.services if each.service.migrate and not site.pin
            },
            edge=edge.running.container.id if edge else "",
            upstreams=described["upstreams"],
            routes=described["routes"],
            pages=edge.pages if edge else {},
            directory=nginx_main.LIVE,
            main=nginx_main.MAIN,
            gate_port=nginx_main.INTERNAL_PORT,
            timeout=site.deploy_timeout,
            drain=ladder(site.drain).last_request,
            release=site.pin.release if site.pin else "",
            record=RecordInputs(
                project=site.project,
                stack=site.stack,
                revision=revision.of(site.root),
                images=built,
                services=site.tables,
                databases=databases,
            ),
            keep=site.keep_releases,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[
                    *copied,
                    *(edge.running.ready if edge else []),
                    *(each for service in args.services for each in service.running.everything),
                ],
            ),
        )
        self.register_outputs({"containers": described["containers"]})


def describe(
    context: Context,
    *,
    names: dict[str, list[str]],
    images: dict[str, str],
    subnets: dict[str, list[str]],
    certificate: str,
) -> dict[str, Any]:
    """What the release is told, once the containers have names, the images ids, the networks ranges and the certificate
    a version. `images`: of the services with static files."""
    site = context.site
    callers = {
        service.name: tuple(subnet for caller in site.callers(service) for subnet in subnets[caller])
        for service in site.services.values()
        if site.profile.edge
    }
    model = routes.EdgeModel.of(site, callers, certificate)
    releases = {
        service: routes.Release(
            service=service,
            servers=tuple(servers),
            port=site.services[service].port,
            protocol=site.protocol(site.services[service]),
            static=static_folders(site.services[service], images),
        )
        for service, servers in names.items()
    }
    behind = {service.name for service in model.services}
    shown = [release for service, release in releases.items() if service in behind]
    containers = [
        {
            "service": service,
            "name": server,
            "port": site.services[service].port if site.services[service].http else 0,
            "upstream": release.upstream if service in behind else "",
            "ready": site.ready_path(site.services[service]) or "/",
            "beside": site.services[service].strategy is Strategy.ROLLING,
        }
        for service, release in releases.items()
        for server in release.servers
    ]
    return {
        "containers": containers,
        "upstreams": routes.upstream_blocks(model, shown),
        "routes": routes.routes_files(model, shown),
    }


def static_folders(service: Service, images: Mapping[str, str]) -> tuple[str, ...]:
    """Where nginx looks for a static file: in the release's own folder, then among those of the releases before."""
    if service.name not in images:
        return ()
    return (statics.release_folder(images[service.name], statics.sources(service)), statics.FORMER)
