"""Property values of the Pulumi protocol as plain Python and back.

A property map travels as a protobuf Struct. Here it is a dict with camelCase keys; whole numbers are int (the wire
only knows doubles), what a preview cannot know yet is UNKNOWN, and a value to keep encrypted is a Secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

# From here on as in the protocol's own definition (pulumi's sdk/proto and its Go package `plugin`).
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_SENTINELS: Final = frozenset({
    UNKNOWN_STRING,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
    "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
})


class Unknown:
    """The type of UNKNOWN. It equals nothing but itself."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine must keep encrypted in the state and hidden in its output."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


def has_unknown(value: Any) -> bool:
    """Whether UNKNOWN stands anywhere in `value`."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    return any(map(has_unknown, value)) if isinstance(value, list) else value is UNKNOWN


def decode(message: Any) -> dict[str, Any]:
    """A property map as plain Python. A secret is unwrapped; the engine sends none to who does not accept them."""
    return {key: _decoded(item) for key, item in message.fields.items()}


def _decoded(value: Any) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            found = decode(value.struct_value)
            return found.get("value") if found.get(SIGNATURE) == SECRET_SIGNATURE else found
        case "list_value":
            return [_decoded(item) for item in value.list_value.values]
        case "number_value":
            return int(value.number_value) if value.number_value.is_integer() else value.number_value
        case "string_value":
            return UNKNOWN if value.string_value in UNKNOWN_SENTINELS else value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def encode(mapping: dict[str, Any]) -> Any:
    """The reverse of `decode`. Keys without a value are left out, at any depth: null and absent mean the same."""
    message = struct_pb2.Struct()  # type: ignore[attr-defined]
    message.update(_encoded(mapping))
    return message


def _encoded(value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_STRING
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET_SIGNATURE, "value": _encoded(value.value)}
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items() if item is not None}
    return [_encoded(item) for item in value] if isinstance(value, (list, tuple)) else value
