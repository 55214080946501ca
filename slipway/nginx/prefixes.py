"""The prefix of a service's paths, where nginx and the server of the app must mean the same by it."""

from __future__ import annotations

import re

from slipway.site.site import Service


def prefix(service: Service) -> str:
    """ "" or "/images"."""
    return (service.route or "/").rstrip("/")


def below(service: Service, path: str) -> str:
    """A path of the service's own, as visitors write it."""
    return f"{prefix(service)}{path}"


def guard(service: Service) -> str:
    """What a location of nginx says first: a path that only nginx takes for one below the prefix is not found, such as
    `//images/x` or `/%69mages/x`.

    nginx finds the location by the path as it is meant, and passes on what was written: an app's `%2F` survives. The
    app's server cuts the prefix off what was written, and fails where it is not there (benoitc/gunicorn#2969).
    """
    if not prefix(service):
        return ""
    written = f"^{re.escape(prefix(service))}(/|$)"
    return f'        if ($asked_path !~ "{written}") {{\n            return 404;\n        }}\n'
