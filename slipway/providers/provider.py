"""What all dynamic resources share.

Outputs of these resources are exactly their inputs. So the next run's `diff` compares like with like, and the engine
keeps secret in state every output whose input was secret.
"""

from __future__ import annotations

from typing import ClassVar

from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from slipway.engine.containers import Properties
from slipway.engine.errors import Failure
from slipway.providers import lifeline


class Provider(ResourceProvider):
    """Plans and does the work of one kind of resource.

    `identity` are the inputs whose change needs another resource; `work` those whose change needs the work done again.
    Other inputs (time limits, labels, the engine's address) are only recorded. Subclasses implement `do`, which must be
    safe to repeat from any point at which an earlier run was killed.
    """

    serialize_as_secret_always = False
    identity: ClassVar[tuple[str, ...]] = ()
    work: ClassVar[tuple[str, ...]] = ()

    def configure(self, _req: ConfigureRequest) -> None:
        """Called in Pulumi's process for dynamic providers only."""
        if not Failure.inside_provider:
            Failure.inside_provider = True
            lifeline.end_with_pulumi()

    def diff(self, _id: str, olds: Properties, news: Properties) -> DiffResult:
        changed = changes(olds, news)
        replaces = [name for name in self.identity if name in changed]
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=False)

    def create(self, props: Properties) -> CreateResult:
        self.do({}, props)
        return CreateResult(self.id(props), recorded(props))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        if changes(olds, news) & set(self.work):
            self.do(olds, news)
        return UpdateResult(recorded(news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        return ReadResult(id_ if self.there(props) else "", recorded(props))

    def id(self, _props: Properties) -> str:
        """The resource's id in state; never a secret."""
        raise NotImplementedError

    def do(self, olds: Properties, news: Properties) -> None:
        """The work. `olds` is what the last run that succeeded recorded; empty when there was none."""
        raise NotImplementedError

    def there(self, _props: Properties) -> bool:
        """Whether a refresh still finds what was made."""
        return True


def recorded(props: Properties) -> Properties:
    """The properties without those that belong to Pulumi."""
    return {name: value for name, value in props.items() if not name.startswith("__")}


def changes(olds: Properties, news: Properties) -> set[str]:
    """The names of the properties that differ. What is unknown in a preview differs from everything known."""
    old, new = recorded(olds), recorded(news)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
