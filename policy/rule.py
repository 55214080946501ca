"""What a rule is: a plain function that is given one resource and says what is wrong with it. Knows nothing of Pulumi.

A rule's name is its function's, its description the docstring. It yields one text for each violation: the property as
the program writes it, what it is, and what to change. It may read inputs that a preview does not know yet: whoever
calls it stops there, and the `up` judges them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.site.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the program declared it. `inputs` by their names on the wire (camelCase); `ignores` are the
    properties whose changes it ignores; `secrets` the paths at which secrets stand in the inputs, such as envs[2];
    `built_from` the URNs of the resources whose outputs it takes."""

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    ignores: Sequence[str] = ()
    secrets: Sequence[str] = ()
    built_from: frozenset[str] = field(default_factory=frozenset)

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    def belongs_to(self, component: str) -> bool:
        """Whether one of Slipway's components of this class made it."""
        return f"slipway:components:{component}$" in self.urn

    def is_secret(self, path: str) -> bool:
        """Whether what stands there is a secret, or within one."""
        return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in self.secrets)

    def texts(self, *properties: str) -> list[str]:
        """What stands in properties that are lists of texts."""
        return [str(text) for key in properties for text in self.inputs.get(key) or ()]


Judgement = Callable[[Resource, Profile], Iterator[str]]


def name(judge: Callable[..., object]) -> str:
    """`read-only-root`"""
    return judge.__name__.replace("_", "-")


def description(judge: Callable[..., object]) -> str:
    return " ".join((judge.__doc__ or "").split())
