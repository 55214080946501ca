"""What kind of line a container has written: a request, something that matters, or a server's routine."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from slipway.core.kinds import KINDS
from slipway.core.topology import EDGE

ROUTINE = tuple(re.compile(pattern) for kind in KINDS for pattern in kind.routine)
"""What the servers that Slipway starts say of themselves, whatever a site is asked. All that an app prints is shown."""


def routine(text: str) -> bool:
    return any(pattern.match(text) for pattern in ROUTINE)


def asked_of(service: str, text: str, addresses: Collection[str]) -> bool:
    """Whether a line of nginx's is a request that went to this service; `addresses` are those of its containers."""
    try:
        request = json.loads(text)
    except ValueError:
        return False
    if not isinstance(request, dict):
        return False
    named = str(request.get("upstream") or "").rpartition("_")[0]
    tried = re.findall(r"([\d.]+):\d+", str(request.get("upstream_address") or ""))
    return service == named or (not named and bool(set(tried) & set(addresses)))


def wanted(owner: str, text: str, *, service: str | None, addresses: Collection[str], whole: bool) -> bool:
    """Whether to show a line of the container of `owner`. `service` is the one whose log is asked for (None: all);
    what it was asked is in nginx's. `whole`: routine as well."""
    if service and owner != service and not (owner == EDGE and asked_of(service, text, addresses)):
        return False
    return whole or not routine(text)
