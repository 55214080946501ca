"""Work that can be held back for a time."""

from __future__ import annotations

from pulumi.dynamic import CreateResult, DiffResult

from slipway.engine.containers import Properties
from slipway.providers.provider import Provider


class Suspendable(Provider):
    """While the input `suspended` is there nothing is done, whatever changed, and what the last run recorded stays.
    When it is gone the work is done if anything differs from that."""

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        return DiffResult(changes=False) if news.get("suspended") else super().diff(id_, olds, news)

    def create(self, props: Properties) -> CreateResult:
        if not props.get("suspended"):
            return super().create(props)
        # No `work` among it: the work has never been done.
        return CreateResult(
            self.id(props), {name: props[name] for name in props.keys() - self.work if name[:2] != "__"}
        )
