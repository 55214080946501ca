"""The fingerprint of a service's database, asked of the stack's own server as the OS user postgres."""

from __future__ import annotations

from docker.errors import DockerException
from docker.models.containers import Container

from slipway.core import schema, superuser
from slipway.core.provisioning import database_name
from slipway.engine.execution import run_with_input


def fingerprint(postgres: Container, service: str) -> str:
    """It; "" where the server does not answer or has no such database."""
    command = [*schema.ARGUMENTS, "-d", database_name(service)]
    environment = {"PGOPTIONS": superuser.pgoptions(schema.SESSION)}
    try:
        code, printed = run_with_input(postgres, command, schema.SQL, user="postgres", environment=environment)
    except (DockerException, OSError):  # it, or the engine, is just being restarted, say
        return ""
    return "" if code else schema.fingerprint(printed)
