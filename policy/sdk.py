"""What Pulumi tells the pack and pulumi-policy does not pass on: which stack it is, and which inputs are secret.

The SDK opens secrets before it hands a resource over, and nothing tells them from other values any more; of the stack
it keeps the tags alone. So the two functions that receive these are wrapped here. They are internal to the SDK, whose
version is pinned; a test sees the outcome on real runs of both stacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pulumi_policy import deserialize, policy

SECRETS = "__secrets"
"""The property under which a policy finds the paths of a resource's secrets."""


@dataclass
class Stack:
    """The stack that the policies are about: its name and the configured `profile`, "" where there is none."""

    name: str = ""
    profile: str = ""


STACK = Stack()


def secret_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where secrets stand in what came over the wire, also those whose value is not known yet; never what they are."""
    if isinstance(value, dict):
        if value.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_SECRET_SIG:
            yield path
            return
        for key, item in value.items():
            if not key.startswith("__"):
                yield from secret_paths(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secret_paths(item, f"{path}[{index}]")


def pass_everything_on() -> None:
    """From now on, the inputs that a policy is given hold SECRETS, and STACK is known before the first of them."""
    sdk: Any = policy
    servicer: Any = policy._PolicyAnalyzerServicer  # noqa: SLF001 - there is no other way to it
    configure = servicer.ConfigureStack
    original = sdk.deserialize_properties

    def deserialize_properties(props: dict[str, Any], proxy_secrets: bool = False) -> Any:
        opened = original(props, proxy_secrets)
        opened[SECRETS] = list(secret_paths(props))
        return opened

    sdk.deserialize_properties = deserialize_properties

    def configure_stack(self: Any, request: Any, context: Any) -> Any:
        STACK.name, STACK.profile = request.stack, request.config.get(f"{request.project}:profile", "")
        return configure(self, request, context)

    servicer.ConfigureStack = configure_stack
