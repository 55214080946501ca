"""What the programs of these tests have in common: names, and a container whose every setting is shown."""

import os

import pulumi
import pulumi_docker as docker

PROJECT = pulumi.get_project()
SERVER = os.environ["CONTRACT_SERVER"]
WELL = {"tests": ["CMD", "test", "-e", "/tmp/well"], "interval": "1s", "timeout": "5s", "retries": 2}


def named(short):
    return f"{PROJECT}-{short}"


def container(short, options=None, /, **settings):
    """`options` are the resource options; everything else is a setting of the container, as the plugin has it."""
    return docker.Container(named(short), **{"image": SERVER, **settings},
                            opts=pulumi.ResourceOptions(**options or {}))


def idle(short, options=None, /, **settings):
    """A container that is made and never started: enough where only its settings matter."""
    return container(short, options, start=False, must_run=False, **settings)
