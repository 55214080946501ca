"""Protobuf structs and plain Python values."""

from __future__ import annotations

import pytest
from slipway_offline.values import (
    SECRET_SIGNATURE,
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_SENTINELS,
    Secret,
    decode,
    encode,
    has_unknown,
)


@pytest.mark.parametrize("value", ["text", "", 7, 0, -3, 1.5, True, False, [], [1, [2]], {"a": {"b": []}}])
def test_a_value_comes_back_as_it_went(value: object) -> None:
    back = decode(encode({"value": value}))["value"]
    assert back == value
    assert type(back) is type(value)


def test_keys_without_a_value_are_left_out_at_any_depth() -> None:
    assert decode(encode({"a": None, "b": {"c": None, "d": 1}, "e": [{"f": None}]})) == {"b": {"d": 1}, "e": [{}]}


@pytest.mark.parametrize("sentinel", sorted(UNKNOWN_SENTINELS))
def test_every_unknown_of_the_protocol_is_known_for_one(sentinel: str) -> None:
    found = decode(encode({"a": {"b": [sentinel]}}))
    assert found["a"]["b"][0] is UNKNOWN
    assert has_unknown(found)


def test_an_unknown_travels_as_the_protocol_writes_it() -> None:
    assert encode({"a": UNKNOWN})["a"] == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert decode(encode({"a": [UNKNOWN]})) == {"a": [UNKNOWN]}
    assert not has_unknown({"a": ["UNKNOWN", None]})


def test_a_secret_is_marked_on_its_way_out_and_unwrapped_on_its_way_in() -> None:
    message = encode({"password": Secret("hunter2"), "inner": {"list": [Secret(1)]}})
    assert message["password"][SIGNATURE] == SECRET_SIGNATURE
    assert message["password"]["value"] == "hunter2"
    assert decode(message) == {"password": "hunter2", "inner": {"list": [1]}}


def test_a_secret_does_not_show_itself() -> None:
    assert "hunter2" not in repr(Secret("hunter2"))
