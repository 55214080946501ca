"""One Flask app on gunicorn behind nginx, with Postgres: the smallest real site."""

import pulumi
import pulumi_docker as docker
import pulumi_random as random

config = pulumi.Config()
prefix = f"{pulumi.get_project()}-{pulumi.get_stack()}"
labels = [docker.ContainerLabelArgs(label="slipway.test", value=pulumi.get_project())]


def built(name: str, base: str) -> docker.Image:
    return docker.Image(
        name,
        image_name=f"{prefix}-{name}:latest",
        skip_push=True,
        build=docker.DockerBuildArgs(context=name, args={"BASE": config.require(base)}, platform="linux/amd64"),
    )


def attached(network: docker.Network, alias: str) -> list[docker.ContainerNetworksAdvancedArgs]:
    return [docker.ContainerNetworksAdvancedArgs(name=network.name, aliases=[alias])]


def every_second(*test: str) -> docker.ContainerHealthcheckArgs:
    return docker.ContainerHealthcheckArgs(tests=["CMD", *test], interval="1s", timeout="3s", retries=30)


def replaced(*, delete_first: bool) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(delete_before_replace=delete_first, replace_on_changes=["healthcheck", "#initerror"])


password = random.RandomPassword("database-password", length=24, special=False)
secret = [docker.ContainerUploadArgs(file="/run/database-password", content=password.result, permissions="0444")]
network = docker.Network(f"{prefix}-net")
data = docker.Volume(f"{prefix}-data")
database = docker.Container(
    f"{prefix}-postgres",
    image=config.require("postgres"),
    networks_advanced=attached(network, "postgres"),
    labels=labels,
    envs=["POSTGRES_PASSWORD_FILE=/run/database-password"],
    uploads=secret,
    stop_signal="SIGINT",
    destroy_grace_seconds=90,
    volumes=[docker.ContainerVolumeArgs(volume_name=data.name, container_path="/var/lib/postgresql/data")],
    wait=True,
    healthcheck=every_second("psql", "--host=127.0.0.1", "--username=postgres", "--command=SELECT 1"),
    wait_timeout=60,
    opts=replaced(delete_first=True),
)
app = docker.Container(
    f"{prefix}-app",
    image=built("app", "python").repo_digest,
    networks_advanced=attached(network, "app"),
    labels=labels,
    uploads=secret,
    healthcheck=every_second("python", "-m", "probe"),
    wait=True,
    wait_timeout=40,
    destroy_grace_seconds=30,
    opts=pulumi.ResourceOptions.merge(replaced(delete_first=False), pulumi.ResourceOptions(depends_on=[database])),
)
docker.Container(
    f"{prefix}-edge",
    image=built("edge", "nginx").repo_digest,
    networks_advanced=attached(network, "edge"),
    labels=labels,
    ports=[
        docker.ContainerPortArgs(internal=8080, external=config.require_int("port"), ip="127.0.0.1", protocol="tcp")
    ],
    destroy_grace_seconds=10,
    opts=replaced(delete_first=True),
)

pulumi.export("url", f"http://127.0.0.1:{config.require_int('port')}/")
pulumi.export("app", app.name)
pulumi.export("password", password.result)
