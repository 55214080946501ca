"""The `random` plugin's service, called as the pulumi engine calls it."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from slipway_offline import random_provider
from slipway_offline.random_provider import RESOURCES, RandomProvider
from slipway_offline.stubs import plugin_pb2, provider_pb2_grpc
from slipway_offline.stubs import provider_pb2 as proto
from slipway_offline.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN, decode, encode


class RefusedError(Exception):
    """What the provider aborts a call with."""


class Context:
    def abort_with_status(self, status: Any) -> None:
        raise RefusedError(status.details)


NOTHING = empty_pb2.Empty()  # type: ignore[attr-defined]
PROVIDER = RandomProvider("127.0.0.1:1", [resource() for resource in RESOURCES])


def urn(kind: str) -> str:
    return f"urn:pulumi:s::p::random:index/{kind[0].lower()}{kind[1:]}:{kind}::it"


def checked(kind: str, **inputs: Any) -> tuple[dict[str, Any], list[str]]:
    """(the completed inputs, what is wrong with them)."""
    answer = PROVIDER.Check(proto.CheckRequest(urn=urn(kind), news=encode(inputs)), Context())
    return decode(answer.inputs), [failure.reason for failure in answer.failures]


def created(kind: str, *, preview: bool = False, **inputs: Any) -> tuple[str, dict[str, Any], set[str]]:
    """(id, outputs, which of them are secret)."""
    completed, wrong = checked(kind, **inputs)
    assert wrong == []
    answer = PROVIDER.Create(
        proto.CreateRequest(urn=urn(kind), properties=encode(completed), preview=preview), Context())
    return answer.id, decode(answer.properties), secrets(answer.properties)


def secrets(properties: Any) -> set[str]:
    """The properties that are marked as secret."""
    return {key for key, value in MessageToDict(properties).items()  # type: ignore[no-untyped-call]
            if isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE}


def test_a_password_has_its_length_and_at_least_so_many_of_each_class() -> None:
    resource_id, outputs, secret = created(
        "RandomPassword", length=12, minLower=3, minUpper=3, minNumeric=3, minSpecial=3, overrideSpecial="_")
    result = outputs["result"]

    assert (resource_id, secret) == ("none", {"result"})
    assert [len(result), sum(map(str.islower, result)), sum(map(str.isupper, result)), sum(map(str.isdigit, result)),
            result.count("_")] == [12, 3, 3, 3, 3]


def test_a_class_that_is_turned_off_does_not_occur() -> None:
    result = created("RandomString", length=1000, special=False, upper=False)[1]["result"]
    assert result.isalnum()
    assert result == result.lower()
    assert set(result) >= set("0123456789")


def test_number_is_another_name_of_numeric() -> None:
    _, outputs, _ = created("RandomString", length=50, number=False, special=False)
    assert outputs["result"].isalpha()
    assert outputs["numeric"] is outputs["number"] is False
    assert checked("RandomString", length=5, number=False, numeric=True)[1] == [
        "number is another name of numeric, and says otherwise"]


def test_a_string_is_its_own_id_and_no_secret() -> None:
    resource_id, outputs, secret = created("RandomString", length=8)
    assert (resource_id, secret) == (outputs["result"], set())


def test_no_two_passwords_are_alike_and_any_character_may_come_first() -> None:
    drawn = {created("RandomPassword", length=12, minLower=6, minNumeric=6)[1]["result"] for _ in range(50)}
    assert len(drawn) == 50
    assert {password[0].isdigit() for password in drawn} == {True, False}


def test_an_ids_forms_are_the_same_bytes() -> None:
    resource_id, outputs, _ = created("RandomId", byteLength=5, prefix="p-")
    raw = base64.b64decode(outputs["b64Std"].removeprefix("p-"))

    assert len(raw) == 5
    assert outputs["hex"] == f"p-{raw.hex()}"
    assert outputs["dec"] == f"p-{int.from_bytes(raw, 'big')}"
    assert outputs["b64Url"] == f"p-{resource_id}"
    assert base64.urlsafe_b64decode(resource_id + "=") == raw


@pytest.mark.parametrize(("inputs", "words"), [({}, 2), ({"length": 1}, 1), ({"length": 4, "prefix": "my"}, 5)])
def test_a_pets_id_is_so_many_words(inputs: dict[str, Any], words: int) -> None:
    resource_id, outputs, _ = created("RandomPet", separator="_", **inputs)
    assert len(resource_id.split("_")) == words
    assert outputs["length"] == inputs.get("length", 2)


def test_an_integer_lies_within_its_bounds() -> None:
    assert {created("RandomInteger", min=1, max=3)[1]["result"] for _ in range(100)} == {1, 2, 3}
    assert checked("RandomInteger", min=3, max=1)[1] == ["max must not be less than min"]


def test_bytes_are_secret() -> None:
    _, outputs, secret = created("RandomBytes", length=6)
    assert base64.b64decode(outputs["base64"]).hex() == outputs["hex"]
    assert (len(outputs["hex"]), secret) == (12, {"base64", "hex"})


def test_a_uuid_is_its_own_id() -> None:
    resource_id, outputs, _ = created("RandomUuid")
    assert resource_id == outputs["result"]
    assert [len(part) for part in resource_id.split("-")] == [8, 4, 4, 4, 12]


def test_a_shuffle_gives_every_input_before_it_repeats_one() -> None:
    assert sorted(created("RandomShuffle", inputs=["a", "b", "c"])[1]["results"]) == ["a", "b", "c"]
    results = created("RandomShuffle", inputs=["a", "b", "c"], resultCount=5)[1]["results"]
    assert sorted(results[:3]) == ["a", "b", "c"]
    assert len(results) == 5


@pytest.mark.parametrize(("kind", "inputs", "wrong"), [
    ("RandomPassword", {"length": 8, "bcryptCost": 4}, "does not support bcryptCost"),
    ("RandomInteger", {"min": 1, "max": 2, "seed": "x"}, "does not support seed"),
    ("RandomPassword", {}, "length is required"),
    ("RandomPassword", {"length": 0}, "length must be at least 1"),
    ("RandomPassword", {"length": 3, "minLower": 2, "minUpper": 2}, "must be at least 4, the sum of the minimums"),
    ("RandomId", {"byteLength": "four"}, "byteLength must be a whole number"),
])
def test_an_input_that_cannot_be_met_is_refused(kind: str, inputs: dict[str, Any], wrong: str) -> None:
    [found] = checked(kind, **inputs)[1]
    assert wrong in found


def test_a_string_of_no_characters_at_all_is_refused() -> None:
    with pytest.raises(RefusedError, match="no characters to draw from"):
        created("RandomString", length=4, lower=False, upper=False, numeric=False, special=False)


@pytest.mark.parametrize(("kind", "old", "new"), [
    ("RandomPassword", {"length": 8}, {"length": 9}),
    ("RandomPassword", {"length": 8}, {"length": 8, "special": False}),
    ("RandomPassword", {"length": 8, "keepers": {"a": "1"}}, {"length": 8, "keepers": {"a": "2"}}),
    ("RandomPet", {}, {"prefix": "x"}),
    ("RandomUuid", {}, {"keepers": {"a": "1"}}),
    ("RandomShuffle", {"inputs": ["a", "b"]}, {"inputs": ["b", "a"]}),
])
def test_any_change_of_an_input_replaces(kind: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    answer = PROVIDER.Diff(proto.DiffRequest(urn=urn(kind), old_inputs=encode(old), news=encode(new)), Context())
    assert answer.replaces
    assert not answer.deleteBeforeReplace


@pytest.mark.parametrize(("kind", "old", "new"), [
    ("RandomPassword", {"length": 8}, {"length": 8, "special": True, "minLower": 0}),
    ("RandomString", {"length": 8, "number": False, "numeric": False}, {"length": 8, "numeric": False}),
    ("RandomPet", {"length": 2}, {"separator": "-"}),
])
def test_saying_what_is_the_default_changes_nothing(kind: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    answer = PROVIDER.Diff(proto.DiffRequest(urn=urn(kind), old_inputs=encode(old), news=encode(new)), Context())
    assert answer.changes == proto.DiffResponse.DIFF_NONE


def test_a_preview_promises_a_result_and_draws_none() -> None:
    resource_id, outputs, secret = created("RandomPassword", preview=True, length=UNKNOWN, special=False)
    assert (resource_id, outputs["result"], outputs["special"], secret) == ("", UNKNOWN, False, {"result"})


def test_a_refresh_keeps_the_value_and_its_secrecy() -> None:
    state = {"length": 4, "result": "abcd"}
    answer = PROVIDER.Read(proto.ReadRequest(id="none", urn=urn("RandomPassword"), properties=encode(state),
                                             inputs=encode({"length": 4})), Context())
    assert decode(answer.properties) == state
    assert secrets(answer.properties) == {"result"}


def test_an_import_is_refused() -> None:
    with pytest.raises(RefusedError, match="cannot import"):
        PROVIDER.Read(proto.ReadRequest(id="abcd", urn=urn("RandomPassword")), Context())


def test_a_schema_is_refused_with_what_works_instead() -> None:
    with pytest.raises(RefusedError, match="--generate-code=false"):
        PROVIDER.GetSchema(proto.GetSchemaRequest(), Context())


def test_the_plugin_serves_until_it_is_interrupted_and_then_ends_at_once() -> None:
    launch = Path(random_provider.__file__).with_name("launch.py")
    with subprocess.Popen([sys.executable, "-I", launch, "random_provider", "127.0.0.1:1"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            answer = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(NOTHING)
        process.send_signal(2)
        assert process.communicate(timeout=3) == ("", "")
    assert answer == plugin_pb2.PluginInfo(version="4.21.4")
    assert process.returncode == 0
