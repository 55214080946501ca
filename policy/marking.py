"""Lets policies see which texts are secret.

pulumi-policy opens secrets before it hands a resource over, and nothing tells them from other texts any more. Its one
function for this is wrapped here. That is internal to the SDK, whose version is pinned; a test sees the outcome on a
real run.
"""

from __future__ import annotations

from typing import Any

from pulumi_policy import deserialize, policy

from policy.rule import Secret


def marked(value: Any, *, secret: bool = False) -> Any:
    """What came over the wire, with every secret opened and its texts marked."""
    if isinstance(value, dict):
        if value.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_SECRET_SIG:
            return marked(value["value"], secret=True)
        return {key: marked(item, secret=secret) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, secret=secret) for item in value]
    return Secret(value) if secret and isinstance(value, str) else value


def mark_secrets() -> None:
    """From now on, every secret text that a policy sees is a `Secret`."""
    sdk: Any = policy
    original = sdk.deserialize_properties

    def deserialize_properties(props: dict[str, Any], proxy_secrets: bool = False) -> Any:
        return original(props if proxy_secrets else marked(props), proxy_secrets)

    sdk.deserialize_properties = deserialize_properties
