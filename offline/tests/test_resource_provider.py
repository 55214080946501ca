"""The gRPC service, called as the pulumi engine calls it."""

# What a base class passes is not always wanted.
# ruff: noqa: ARG002
from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import grpc
import pytest
from google.protobuf import empty_pb2
from slipway_offline.properties import Problem, Schema, boolean, integer, record, text
from slipway_offline.resource import Call, InitError, OperationError, Resource, Values
from slipway_offline.resource_provider import ResourceProvider
from slipway_offline.stubs import provider_pb2 as proto
from slipway_offline.stubs import provider_pb2_grpc, status_pb2
from slipway_offline.values import UNKNOWN, Secret, decode, encode

URN = "urn:pulumi:dev::shop::toy:index:Shelf$toy:index:Box::parcel"
NOTHING = empty_pb2.Empty()  # type: ignore[attr-defined]


class Box(Resource):
    """Keeps what it was asked to do."""

    token = "toy:index:Box"
    properties: ClassVar[Schema] = {
        "name": text(), "size": integer(in_place=True), "lid": record({"colour": text()}, in_place=True),
        "heavy": boolean(default=False), "maker": text(computed=True)}
    outputs = ("weight", "key")
    autoname = True

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.gone = False

    def check(self, inputs: Values) -> list[Problem]:
        return [Problem("size", "size 13 is unlucky")] if inputs.get("size") == 13 else []

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        match inputs.get("size"):
            case 500:
                raise OperationError("there is no such big box")
            case 501:
                raise InitError("it has a hole", "half", inputs | {"weight": 1})
            case 502:
                raise KeyError("a mistake of ours")
        return "box-1", inputs | {"weight": 4, "key": Secret("s3cret")}

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values] | None:
        return None if self.gone else (state | {"weight": 5}, inputs | {"size": 9})

    def delete(self, call: Call, resource_id: str, state: Values) -> None:
        self.deleted.append(resource_id)


class Toys(ResourceProvider):
    name, version = "toy", "1.2.3"
    settings: ClassVar[Schema] = {"shop": text()}
    failures = (OSError,)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def provider(box: Box) -> Toys:
    return Toys("127.0.0.1:1", [box])


@pytest.fixture
def plugin(provider: Toys) -> Iterator[Any]:
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(0)


def check(plugin: Any, news: Values, olds: Values | None = None, **more: Any) -> Any:
    return plugin.Check(proto.CheckRequest(
        urn=URN, name="parcel", news=encode(news), olds=encode(olds or {}), randomSeed=bytes.fromhex("0123456789ab"),
        **more))


def diff(plugin: Any, old_inputs: Values, news: Values, **more: Any) -> Any:
    return plugin.Diff(proto.DiffRequest(
        urn=URN, id="box-1", old_inputs=encode(old_inputs), olds=encode({}), news=encode(news), **more))


def failure(call: Any, request: Any) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return caught.value


# -- names

def test_an_automatic_name_is_the_logical_one_and_seven_hex_digits_of_the_seed(plugin: Any) -> None:
    assert decode(check(plugin, {}).inputs) == {"name": "parcel-0123456", "__defaults": ["name"]}


def test_an_automatic_name_stays_and_a_replacement_gets_a_new_one(plugin: Any) -> None:
    old = {"name": "parcel-old", "__defaults": ["name"]}
    assert decode(check(plugin, {}, old).inputs)["name"] == "parcel-old"
    assert decode(check(plugin, {}).inputs)["name"] != "parcel-old"


def test_a_name_in_the_program_is_taken_as_it_is(plugin: Any) -> None:
    assert decode(check(plugin, {"name": "mine"}, {"name": "x", "__defaults": ["name"]}).inputs) == {"name": "mine"}
    assert decode(check(plugin, {}, {"name": "mine"}).inputs)["name"] == "parcel-0123456"


def test_the_projects_own_way_of_naming_is_followed(plugin: Any) -> None:
    options = proto.CheckRequest.AutonamingOptions
    enforced = options(proposed_name="parcel", mode=options.ENFORCE)
    assert decode(check(plugin, {}, autonaming=enforced).inputs)["name"] == "parcel"
    failures = check(plugin, {}, autonaming=options(mode=options.DISABLE)).failures
    assert [failure.reason for failure in failures] == ["name is required: automatic names are turned off"]


# -- check and diff

def test_an_input_that_the_plugin_does_not_support_is_refused_not_ignored(plugin: Any) -> None:
    failures = check(plugin, {"lid": {"lock": 1}}).failures
    assert [f.reason for f in failures] == ["the offline toy plugin does not support lid.lock; it supports colour"]


def test_a_refusal_does_not_name_its_property_to_the_cli_which_would_print_the_value(plugin: Any) -> None:
    assert [f.property for f in check(plugin, {"password": "hunter2"}).failures] == [""]


def test_a_resources_own_check_is_asked_as_well(plugin: Any) -> None:
    assert [f.reason for f in check(plugin, {"size": 13}).failures] == ["size 13 is unlucky"]


def test_the_difference_is_told_by_nested_paths(plugin: Any) -> None:
    answer = diff(plugin, {"name": "a", "lid": {"colour": "red"}}, {"name": "a", "lid": {"colour": "blue"}})
    assert answer.changes == proto.DiffResponse.DIFF_SOME
    assert {path: d.kind for path, d in answer.detailedDiff.items()} == {"lid.colour": proto.PropertyDiff.UPDATE}
    assert (list(answer.diffs), list(answer.replaces)) == (["lid"], [])


def test_a_change_that_cannot_be_made_in_place_replaces(plugin: Any) -> None:
    answer = diff(plugin, {"name": "a", "__defaults": ["name"]}, {"name": "a", "heavy": True, "__defaults": ["name"]})
    assert list(answer.replaces) == ["heavy"]
    assert answer.detailedDiff["heavy"].kind == proto.PropertyDiff.UPDATE_REPLACE
    assert not answer.deleteBeforeReplace


def test_what_has_a_name_of_its_own_is_deleted_first(plugin: Any) -> None:
    assert diff(plugin, {"name": "a"}, {"name": "a", "heavy": True}).deleteBeforeReplace
    assert not diff(plugin, {"name": "a"}, {"name": "a", "size": 1}).deleteBeforeReplace


def test_ignored_changes_are_no_changes(plugin: Any) -> None:
    answer = diff(plugin, {"name": "a"}, {"name": "a", "heavy": True}, ignoreChanges=["heavy"])
    assert answer.changes == proto.DiffResponse.DIFF_NONE


# -- operations

def test_a_preview_promises_only_what_it_knows(plugin: Any) -> None:
    request = proto.CreateRequest(urn=URN, properties=encode({"name": "a", "__defaults": ["name"]}), preview=True)
    assert decode(plugin.Create(request).properties) == {
        "name": "a", "heavy": False, "weight": UNKNOWN, "key": UNKNOWN, "maker": UNKNOWN}


def test_secrets_leave_wrapped_and_our_own_notes_stay_out_of_the_inputs(plugin: Any) -> None:
    answer = plugin.Create(proto.CreateRequest(urn=URN, properties=encode({"name": "a", "__defaults": ["name"]})))
    assert answer.id == "box-1"
    assert decode(answer.properties) == {"name": "a", "weight": 4, "key": "s3cret"}
    assert dict(answer.properties["key"])["value"] == "s3cret"


def test_a_failure_is_reported_as_an_operation_that_did_not_happen(plugin: Any) -> None:
    error = failure(plugin.Create, proto.CreateRequest(urn=URN, properties=encode({"size": 500})))
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "there is no such big box")


def test_something_half_made_is_reported_with_its_id_and_outputs(plugin: Any) -> None:
    error = failure(plugin.Create, proto.CreateRequest(urn=URN, properties=encode({"size": 501})))
    assert error.code() == grpc.StatusCode.UNKNOWN
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    detail = proto.ErrorResourceInitFailed()
    status = status_pb2.Status()
    status.MergeFromString(packed)  # type: ignore[no-untyped-call]
    assert status.details[0].Unpack(detail)
    assert (detail.id, decode(detail.properties), list(detail.reasons)) == (
        "half", {"size": 501, "weight": 1}, ["it has a hole"])


def test_a_mistake_of_our_own_leaves_the_engine_in_doubt(plugin: Any) -> None:
    """ABORTED would say that nothing has happened, which nobody knows here."""
    error = failure(plugin.Create, proto.CreateRequest(urn=URN, properties=encode({"size": 502})))
    assert error.code() == grpc.StatusCode.UNKNOWN


def test_reading_reports_drift_and_absence(plugin: Any, box: Box) -> None:
    request = proto.ReadRequest(id="box-1", urn=URN, properties=encode({"weight": 4}), inputs=encode({"size": 1}))
    answer = plugin.Read(request)
    assert (answer.id, decode(answer.properties), decode(answer.inputs)) == ("box-1", {"weight": 5}, {"size": 9})
    box.gone = True
    assert plugin.Read(request).id == ""


def test_an_update_and_its_preview_keep_the_old_outputs(plugin: Any) -> None:
    request = {"urn": URN, "id": "box-1", "olds": encode({"size": 1, "weight": 4}), "news": encode({"size": 2})}
    assert decode(plugin.Update(proto.UpdateRequest(**request)).properties) == {"size": 2, "weight": 4}
    assert decode(plugin.Update(proto.UpdateRequest(**request, preview=True)).properties) == {
        "size": 2, "weight": 4, "heavy": False}


def test_deleting_is_passed_on(plugin: Any, box: Box) -> None:
    plugin.Delete(proto.DeleteRequest(id="box-1", urn=URN))
    assert box.deleted == ["box-1"]


def test_a_resource_type_that_the_plugin_lacks_is_refused_by_name(plugin: Any) -> None:
    error = failure(plugin.Check, proto.CheckRequest(urn=URN.replace("Box", "Crate")))
    assert error.details() == "the offline toy plugin does not support toy:index:Crate; it supports toy:index:Box"


def test_functions_are_refused_by_name(plugin: Any) -> None:
    assert "does not support the function toy:index:find" in failure(
        plugin.Invoke, proto.InvokeRequest(tok="toy:index:find")).details()


def test_a_setting_of_the_provider_that_is_not_supported_is_refused(plugin: Any) -> None:
    answer = plugin.CheckConfig(proto.CheckRequest(news=encode({"shop": "x", "version": "1.2.3", "till": "y"})))
    assert [f.reason for f in answer.failures] == ["the offline toy plugin does not support till; it supports shop"]


def test_cancelling_is_told_to_whoever_waits(plugin: Any, provider: Toys) -> None:
    assert not provider.cancelled.is_set()
    plugin.Cancel(NOTHING)
    assert provider.cancelled.is_set()


def test_it_says_its_version_and_that_it_previews(plugin: Any) -> None:
    assert plugin.GetPluginInfo(NOTHING).version == "1.2.3"
    answer = plugin.Configure(proto.ConfigureRequest(variables={"toy:config:shop": "x"}))
    assert answer.supportsPreview
    assert not answer.acceptSecrets
