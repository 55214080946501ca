"""A certificate by an authority of the stack's own. Nothing on the engine belongs to it: it lives in the state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, UpdateResult

from slipway.core import certificates
from slipway.core.certificates import Pair
from slipway.engine.containers import Properties
from slipway.engine.progress import say
from slipway.providers.provider import Provider, recorded

INPUTS = ("names", "days", "generation")


class LocalCertificateProvider(Provider):
    """Issues, and issues again when the names change or the time has come: its outputs are more than its inputs, and
    `diff` looks at the certificate in the state, so that every `up` and every preview sees one that is due."""

    identity: ClassVar = ()

    def id(self, props: Properties) -> str:
        return str(props["names"][0])

    def diff(self, _id: str, olds: Properties, news: Properties) -> DiffResult:
        # What an earlier Slipway recorded has no generation.
        changed = any((olds.get(name) or 0) != (news.get(name) or 0) for name in INPUTS)
        return DiffResult(changes=changed or due(olds), replaces=[], delete_before_replace=False)

    def create(self, props: Properties) -> CreateResult:
        return CreateResult(self.id(props), issued(props, None))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        signer = Pair(olds["authority"], olds["authority_key"])
        if certificates.validity(signer.certificate)[1] - now() < timedelta(days=int(news["days"])):
            say(
                "the local authority ends before its next certificate would: there is a new one to import into browsers"
            )
            return UpdateResult(issued(news, None))
        return UpdateResult(issued(news, signer))

    def delete(self, _id: str, _props: Properties) -> None:
        """There is nothing outside the state."""


def now() -> datetime:
    return datetime.now(UTC)


def due(olds: Properties) -> bool:
    """Whether the certificate in the state has to be renewed."""
    return certificates.renewal(olds["certificate"]) <= now()


def issued(props: Properties, signer: Pair | None) -> Properties:
    """The inputs and, in PEM form, what was issued for them."""
    signer = signer or certificates.authority(f"Slipway {props['names'][0]}", now())
    pair = certificates.issue(signer, list(props["names"]), now(), int(props["days"]))
    return {
        **recorded(props),
        "authority": signer.certificate,
        "authority_key": signer.key,
        "certificate": pair.certificate,
        "combined": pair.combined,
        "fingerprint": certificates.fingerprint(pair.certificate),
    }


class LocalCertificate(Resource, module="slipway", name="LocalCertificate"):
    """A certificate for `names`, at least one, that lives `days`; renewed by the first run in its last third, and when
    the `generation` is another. Each has a key of its own.

    authority    the certificate that signed it, for browsers to import; it stays the same over renewals
    certificate  the new one; `combined`, with its key before it, is secret, and so is the authority's key
    fingerprint  changes with the certificate
    """

    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    combined: pulumi.Output[str]
    fingerprint: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        names: Sequence[str],
        days: int = certificates.DAYS,
        generation: int = 0,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outputs = dict.fromkeys(("authority", "authority_key", "certificate", "combined", "fingerprint"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["authority_key", "combined"])
        props = {"names": list(names), "days": days, "generation": generation, **outputs}
        super().__init__(LocalCertificateProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))
