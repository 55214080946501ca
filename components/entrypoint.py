"""What stands before every command of a service: its image's own ENTRYPOINT."""

from __future__ import annotations

import pulumi

from components.context import Context
from slipway.core.entrypoint import passes_on
from slipway.engine import connection
from slipway.site.site import Service


def entrypoint(context: Context, service: Service, image: pulumi.Input[str]) -> pulumi.Output[list[str]]:
    """As the engine says of the image; empty where the service has none, wants none, or has one that would run a
    program of its own in place of the command, which is warned of. A ready-made image is pulled for it, but not by a
    preview, which then takes it to have none.
    """
    folder = context.site.root / service.path if service.path else None
    generic = folder and context.site.needs_sources and not (folder / "Dockerfile").is_file()
    if generic or service.entrypoint is False or not (service.app or service.command):
        return pulumi.Output.from_input(list[str]())
    pull = bool(service.image) and not pulumi.runtime.is_dry_run()

    def judged(name: str) -> list[str]:
        words = list(connection.entrypoint(context.engine, name, pull=pull))
        if not words or service.entrypoint or passes_on(words, folder):
            return words
        ran = "app" if service.app else "command"
        pulumi.log.warn(
            f"{service.name}: the ENTRYPOINT of its image ({' '.join(words)}) does not run, because it starts a "
            f"program of its own instead of the service's `{ran}`. What it does beforehand belongs into `migrate:` or "
            f'an ENTRYPOINT that ends with exec "$@". If all is well so: services.{service.name}.entrypoint: false'
        )
        return []

    return pulumi.Output.from_input(image).apply(judged)
