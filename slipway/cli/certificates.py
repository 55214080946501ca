"""How long the site's certificates last, and whether renewing them fails."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from docker.errors import NotFound

from slipway.cli.docker_objects import DockerObjects
from slipway.cli.errors import CliError, Code
from slipway.cli.pulumi import State
from slipway.core import container_paths
from slipway.core.resource_types import LOCAL_CERTIFICATE
from slipway.core.topology import CERTBOT

STATUS = f"{container_paths.TLS}/status.json"
"""Where certbot's container writes down how it went (slipway/images/certbot/renew.py)."""
ISSUING = 180
"""Seconds that an authority may take for a site's certificates; usually it is ten for each."""
DAY, MINUTE = 10, 16
"""Characters of a time that say the day, or the minute."""


def certificates(objects: DockerObjects, state: State) -> list[dict[str, Any]]:
    """One row each: its name, the names of its hosts, when it ends, and what is wrong ("" where nothing is)."""
    issued = [
        {"name": name, **{key: told.get(key) for key in ("hosts", "expires", "error", "failing_since")}}
        for name, told in written(objects).items()
    ]
    if issued or objects.of_service(CERTBOT):
        return issued
    return [local(each["outputs"]) for each in state.of_type(LOCAL_CERTIFICATE) if each.get("outputs")]


def failing(rows: list[dict[str, Any]]) -> bool:
    return any(row["error"] for row in rows)


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """For an operator: a line for each certificate."""
    found = []
    for row in rows:
        until = f"until {str(row['expires'])[:DAY]}" if row["expires"] else "not issued yet"
        renewed = f"; the first `up` from {row['renewal'][:DAY]} renews it" if row.get("renewal") else ""
        trouble = f"; no new one since {row['failing_since'][:MINUTE]}: {row['error']}" if row["error"] else renewed
        found.append(f"certificate of {', '.join(row['hosts'])}: {until}{trouble}")
    return found


def wait_until_issued(objects: DockerObjects, generation: int) -> None:
    """Waits until every certificate that certbot looks after is of this generation; without certbot they are already.
    Raises CliError when one is not in time, which certbot goes on trying."""
    deadline = time.monotonic() + ISSUING
    while objects.of_service(CERTBOT):
        rows = written(objects)
        behind = [name for name, row in rows.items() if row.get("generation") != generation]
        if rows and not behind:
            return
        errors = [f"{name}: {rows[name]['error']}" for name in behind if rows[name]["error"]]
        if errors or time.monotonic() > deadline:
            raise CliError(
                f"no new certificate yet for {', '.join(errors or behind or ['any name'])}",
                "certbot goes on trying, and until then the old key goes on working",
                f"slipway status --stack {objects.project.stack}",
                code=Code.UNWELL,
            )
        time.sleep(0.5)


def written(objects: DockerObjects) -> dict[str, Mapping[str, Any]]:
    """What certbot's container has written down; nothing before it did, or without one."""
    for container in objects.of_service(CERTBOT)[:1]:
        try:
            chunks, _ = container.get_archive(STATUS)
        except NotFound:
            return {}
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            content = archive.extractfile(archive.next() or tarfile.TarInfo())
            assert content is not None
            found: dict[str, Mapping[str, Any]] = json.load(content)
            return found
    return {}


def local(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate of the stack's own authority, which `up` renews: nobody else will."""
    from slipway.core.certificates import renewal, validity  # noqa: PLC0415 - slow, and no other command needs it

    end = validity(outputs["certificate"])[1]
    return {
        "name": outputs["names"][0],
        "hosts": outputs["names"],
        "expires": end.isoformat(),
        "renewal": renewal(outputs["certificate"]).isoformat(),
        "error": "its time is over" if end <= datetime.now(UTC) else "",
        "failing_since": end.isoformat(),
    }
