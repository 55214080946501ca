"""Pulumi's type tokens of the resources that the program registers, as plans and states name them."""

from __future__ import annotations

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/image:Image"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type

FILES_VOLUME = "pulumi-python:dynamic/slipway:FilesVolume"
JOB = "pulumi-python:dynamic/slipway:Job"
LOCAL_CERTIFICATE = "pulumi-python:dynamic/slipway:LocalCertificate"
ROLES = "pulumi-python:dynamic/slipway:DatabaseRoles"
RELEASE = "pulumi-python:dynamic/slipway:Release"
STACK = "pulumi:pulumi:Stack"
