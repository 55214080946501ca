"""One of each dynamic resource, used as a stack uses them; the settings of a test are in the configuration."""

import os

import pulumi
import pulumi_docker as docker

from slipway.providers.database import DatabaseRoles
from slipway.providers.files import FilesVolume, OwnedVolume
from slipway.providers.job import Job
from slipway.providers.pids_limit import PidsLimit
from slipway.providers.records import RecordInputs
from slipway.providers.release import Release

config = pulumi.Config()
name = pulumi.get_project()
engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
labels = {"slipway.project": name, "slipway.stack": "test"}
image = config.require("image")
password = config.require_secret("password")

data = docker.Volume(f"{name}-data", name=f"{name}-data")
owned = OwnedVolume("owned", engine=engine, volume=data.name, uid=1000, gid=1000, image=image, labels=labels)
files = FilesVolume(
    "files",
    engine=engine,
    volume=f"{name}-files-{config.require('files')}",
    files={"env/PASSWORD": password},
    uid=1000,
    gid=1000,
    image=image,
    labels=labels,
)
job = Job(
    "job",
    engine=engine,
    container=f"{name}-job",
    image=image,
    command=["sh", "-c", config.require("script")],
    env={},
    networks=[],
    mounts=[
        {"source": files.volume, "target": "/run/slipway", "read_only": True},
        {"source": data.name, "target": "/data", "read_only": False},
    ],
    user="1000",
    memory=64,
    timeout=60,
    labels=labels,
    opts=pulumi.ResourceOptions(depends_on=[owned]),
)
service = docker.Container(
    f"{name}-web",
    image=image,
    command=["sh", "-c", config.require("serve")],
    must_run=True,
    opts=pulumi.ResourceOptions(depends_on=[job], delete_before_replace=False),
)
limit = PidsLimit("limit", engine=engine, container=service.id, limit=64)
if config.get("postgres"):
    postgres = docker.Container(
        f"{name}-postgres",
        image=config.require("postgres"),
        envs=["POSTGRES_PASSWORD=unused"],
        destroy_grace_seconds=30,
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )
    sql = pulumi.Output.concat("ALTER ROLE postgres PASSWORD '", password, "';")
    DatabaseRoles("roles", engine=engine, container=postgres.id, sql=sql)
release = Release(
    "release",
    engine=engine,
    containers=[
        {"service": "web", "name": service.name, "port": 0, "upstream": "", "ready": "", "beside": True},
    ],
    edge="",
    upstreams={},
    routes="",
    pages={},
    directory="/etc/nginx/live",
    main="/etc/nginx/nginx.conf",
    gate_port=8079,
    timeout=30,
    drain=5,
    release="",
    record=RecordInputs(project=name, stack="test", revision="", images={}, services={}, databases=[]),
    keep=5,
    opts=pulumi.ResourceOptions(depends_on=[job, limit]),
)
pulumi.export("volume", files.volume)
