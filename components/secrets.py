"""Every secret of a stack: generated, or set with `pulumi config set --secret --path secrets.<service>.<NAME>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_random as random

from components.context import Context
from slipway.core import hashing, rotation

LENGTH = 40
GENERATED = pulumi.ResourceOptions(ignore_changes=["length", "special", "lower", "upper", "numeric", "keepers"])
"""An edited argument would draw a new value, while the data is still locked with the old one."""


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    context: Context


class Secrets(pulumi.ComponentResource):
    """Owns generated values and the stack's key; hands them out as secret outputs only.

    Generated values are letters and digits, because they end up in URLs and in alembic's configuration, where
    `/ @ : %` would need quoting. A rotated one is a resource of its own for each generation; the one before the last
    rotation is kept, because what it signed goes on being accepted.
    """

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:Secrets", name, None, opts)
        self._context = args.context
        self._generated: dict[str, random.RandomPassword] = {}
        self._key = self.generated("stack-key")
        site = args.context.site
        used = [(service.name, service.secrets) for service in site.services.values()]
        # Also those of today while an older release is pinned: drawn anew afterwards they would be others.
        for owner, names in (*used, *site.declared_secrets.items()):
            for secret in names:
                if secret not in site.configured_secrets.get(owner, ()):
                    self.of(owner, secret)
                    self.former(owner, secret)
        # Where `slipway rotate` finds what there is to rotate.
        self.register_outputs({"rotations": rotation.in_force(site)})

    def generated(self, *name: str, generation: int = 0) -> pulumi.Output[str]:
        """A value drawn once, the same at each call with this name and generation."""
        logical = self._context.name(*rotation.logical(name, generation))
        if logical not in self._generated:
            self._generated[logical] = random.RandomPassword(
                logical,
                length=LENGTH,
                special=False,
                opts=pulumi.ResourceOptions.merge(GENERATED, pulumi.ResourceOptions(parent=self)),
            )
        return pulumi.Output.secret(self._generated[logical].result)

    def of(self, service: str, name: str) -> pulumi.Output[str]:
        """One of a service's declared secrets."""
        if name in self._context.site.configured_secrets.get(service, ()):
            values: pulumi.Output[Any] = pulumi.Config().require_secret_object("secrets")
            return values.apply(lambda tables: str(tables[service][name]))
        return self.generated(service, name, generation=self.generation(service, name))

    def generation(self, owner: str, name: str) -> int:
        """How often this was rotated; see slipway.core.rotation."""
        return rotation.generation(self._context.site.rotations, owner, name)

    def former(self, service: str, name: str) -> pulumi.Output[str] | None:
        """The value before the last rotation of a service's secret; None where there was none, or none that we know."""
        generation = self.generation(service, name)
        if not generation or name in self._context.site.configured_secrets.get(service, ()):
            return None
        return self.generated(service, name, generation=generation - 1)

    def volume_name(self, purpose: str, files: pulumi.Output[dict[str, str]]) -> pulumi.Output[str]:
        """A name for a volume of secret files that changes with their contents and tells nothing about them."""
        named = pulumi.Output.all(self._key, files).apply(lambda known: hashing.keyed(known[0], known[1]))
        return pulumi.Output.unsecret(named).apply(lambda digest: self._context.name(purpose, "files", digest))
