"""Lets policies know which inputs are secret.

pulumi-policy opens secrets before it hands a resource over, and nothing tells them from other values any more. Its one
function for this is wrapped here. That is internal to the SDK, whose version is pinned; a test sees the outcome on a
real run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi_policy import deserialize, policy

SECRETS = "__secrets"
"""The property under which a policy finds the paths of a resource's secrets."""


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


def mark_secrets() -> None:
    """From now on, the inputs that a policy is given hold SECRETS."""
    sdk: Any = policy
    original = sdk.deserialize_properties

    def deserialize_properties(props: dict[str, Any], proxy_secrets: bool = False) -> Any:
        opened = original(props, proxy_secrets)
        opened[SECRETS] = list(secret_paths(props))
        return opened

    sdk.deserialize_properties = deserialize_properties
