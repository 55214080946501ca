"""The one place that knows what `dev` and `prod` mean. Everything else asks the profile, never the stack's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a stack's kind changes.

    target          image stage that is built: `dev` (tools, no source) or `prod` (wheels, source, non-root)
    bind_mounts     each service's folder is mounted over its source
    debug_server    Flask's debug server with reload instead of gunicorn; paths then have no route prefix
    publish_services  each service on 127.0.0.1:<dev_port>
    edge            nginx in front, and the release gate that switches it
    adminer         the database's web page, on 127.0.0.1
    hardened        read-only root, no capabilities, no new privileges, limits
    keep_data       data volumes outlive `destroy`
    seed            services' `seed` commands run
    """

    name: str
    target: str
    bind_mounts: bool
    debug_server: bool
    publish_services: bool
    edge: bool
    adminer: bool
    hardened: bool
    keep_data: bool
    seed: bool


DEV: Final = Profile(
    name="dev",
    target="dev",
    bind_mounts=True,
    debug_server=True,
    publish_services=True,
    edge=False,
    adminer=True,
    hardened=False,
    keep_data=False,
    seed=True,
)
PROD: Final = Profile(
    name="prod",
    target="prod",
    bind_mounts=False,
    debug_server=False,
    publish_services=False,
    edge=True,
    adminer=False,
    hardened=True,
    keep_data=True,
    seed=False,
)
PROFILES: Final = {profile.name: profile for profile in (DEV, PROD)}


def profile_for(stack: str, chosen: str | None = None) -> Profile:
    """The profile that was chosen, else dev for a stack named `dev…` and prod for every other: closed by default.

    Raises KeyError for a chosen profile that does not exist.
    """
    if chosen is not None:
        return PROFILES[chosen]
    return DEV if stack.startswith("dev") else PROD


def guarding(stack: str, chosen: str | None) -> Profile:
    """The same for who does not read the settings, and leaves it to the program to say what is wrong with them: a
    profile that does not exist counts as the one that guards more."""
    try:
        return profile_for(stack, chosen or None)
    except KeyError:
        return PROD
