"""Slipway's architecture: settings → networks → secrets → postgres → images → services → edge → release → outputs."""

from functools import partial

import pulumi
import pulumi_docker as docker

from components.adminer import Adminer, AdminerArgs
from components.certbot import Certbot, CertbotArgs
from components.context import Context
from components.databases import Databases, DatabasesArgs
from components.edge import Edge, EdgeArgs
from components.flask_service import FlaskService, FlaskServiceArgs
from components.networks import Networks, NetworksArgs
from components.postgres import Postgres, PostgresArgs
from components.release import SiteRelease, SiteReleaseArgs
from components.schedule import Schedule, ScheduleArgs
from components.secrets import Secrets, SecretsArgs
from components.service_image import ServiceImage, ServiceImageArgs
from slipway.core.urls import urls
from slipway.settings.configuration import load, resolve_engine
from slipway.settings.pin import pinned

config = pulumi.Config()
engine = resolve_engine(config.get("dockerHost"))
site = load(engine)
if site.pin:
    pulumi.log.warn(pinned(site.pin))
context = Context(site=site, engine=engine.address, platform=engine.platform, isolates=engine.isolates)
profile, bases = site.profile, site.base_images
on_engine = pulumi.ResourceOptions(providers=[docker.Provider(context.name("engine"), host=engine.host)])

networks = Networks(context.name("networks"), NetworksArgs(context=context), on_engine)
secrets = Secrets(context.name("secrets"), SecretsArgs(context=context), on_engine)


def built(service: str, folder: str, base: str) -> pulumi.Output[str]:
    args = ServiceImageArgs(context=context, service=service, folder=folder, base=base)
    return ServiceImage(context.name(service), args, on_engine).image_id


databases = None
if site.owns_postgres:
    image = built("postgres", "slipway/images/postgres", bases.postgres)
    postgres_args = PostgresArgs(context=context, networks=networks, secrets=secrets, image=image)
    postgres = Postgres(context.name("postgres"), postgres_args, on_engine)
    databases = Databases(context.name("databases"), DatabasesArgs(context=context, secrets=secrets, postgres=postgres))

services = list[FlaskService]()
declared = partial(FlaskServiceArgs, context=context, networks=networks, secrets=secrets, databases=databases)
for service in site.services.values():
    image_id = service.image or ServiceImage.of(context, service, on_engine).image_id
    args = declared(service=service, image=image_id, others=tuple(services))
    services.append(FlaskService(context.name(service.name), args, on_engine))

edge = None
if profile.edge:
    edge_image = built("edge", "slipway/images/nginx", bases.nginx)
    edge_args = EdgeArgs(context=context, networks=networks, secrets=secrets, image=edge_image)
    edge = Edge(context.name("edge"), edge_args, on_engine)
release_args = SiteReleaseArgs(context=context, services=services, edge=edge, networks=networks)
release = SiteRelease(context.name("release"), release_args, on_engine)
for each in services:
    if each.service.schedule:
        schedule_args = ScheduleArgs(context=context, service=each, networks=networks, release=release)
        Schedule(context.name(each.service.name, "schedule"), schedule_args, on_engine)
if edge and site.acme:
    image = built("certbot", "slipway/images/certbot", bases.python)
    certbot_args = CertbotArgs(context=context, networks=networks, edge=edge, image=image, release=release)
    Certbot(context.name("certbot"), certbot_args, on_engine)

if site.adminer:
    adminer_args = AdminerArgs(context=context, settings=site.adminer, networks=networks, image=bases.adminer)
    pulumi.export("adminer", Adminer(context.name("adminer"), adminer_args, on_engine).url)
    pulumi.export("adminer_logins", databases and databases.logins())
if edge and edge.certificates and edge.certificates.authority:
    pulumi.export("tls_authority", edge.certificates.authority)
for name, url in urls(site).items():
    pulumi.export(name, url)
