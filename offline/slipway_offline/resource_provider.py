"""The gRPC service that every resource plugin of the kit is: the pulumi engine on one side, `Resource`s on the other.

Resources never see secrets: the service tells the engine that it does not accept them, so the engine unwraps inputs
and marks every output of the same name secret again, also after a partial failure. An output that is secret by nature
is wrapped in `values.Secret`.
"""

# Names and arguments are those of the protocol.
# ruff: noqa: ARG002, N802
from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent import futures
from functools import wraps
from typing import Any, ClassVar, Never

import grpc
from google.protobuf import empty_pb2

from . import lifeline
from .properties import Change, Problem, Schema, problems
from .resource import Call, InitError, OperationError, Resource, Values
from .stubs import CHANNEL_OPTIONS, engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2_grpc, status_pb2
from .stubs import provider_pb2 as proto
from .values import decode, encode

Kind = proto.PropertyDiff


def abort(context: Any, code: grpc.StatusCode, message: str, metadata: tuple[Any, ...] = ()) -> Never:
    status = grpc.Status()
    status.code, status.details, status.trailing_metadata = code, message, metadata
    context.abort_with_status(status)
    raise AssertionError("abort_with_status does not return")


def reporting(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns exceptions into the statuses from which the engine reads how a resource was left.

    UNKNOWN with details is a resource that exists but is not well; ABORTED is an operation that did not happen. Any
    other exception stays what gRPC makes of it, which the engine takes for "nobody knows".
    """
    @wraps(method)
    def wrapped(self: ResourceProvider, request: Any, context: Any) -> Any:
        known: tuple[type[Exception], ...] = (OperationError, *self.failures)
        try:
            return method(self, request, context)
        except InitError as error:
            detail = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
            detail.details.add().Pack(proto.ErrorResourceInitFailed(
                id=error.resource_id, properties=encode(error.outputs), reasons=[str(error)]))
            abort(context, grpc.StatusCode.UNKNOWN, str(error),
                  (("grpc-status-details-bin", detail.SerializeToString()),))  # type: ignore[no-untyped-call]
        except known as error:
            abort(context, grpc.StatusCode.ABORTED, self.explain(error))
    return wrapped


class ResourceProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Subclasses name themselves and their resources, and may override `configure`, `failures` and `explain`.

    name, version   the plugin's, as in `pulumi-resource-<name>`
    settings        what the provider's configuration may hold; anything else is refused
    failures        exceptions, besides `OperationError`, after which nothing has happened
    """

    name = ""
    version = "0.0.0"
    settings: ClassVar[Schema] = {}
    failures: tuple[type[Exception], ...] = ()

    def __init__(self, engine_address: str, resources: Iterable[Resource]) -> None:
        self.engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address, options=CHANNEL_OPTIONS))
        self.cancelled = threading.Event()
        self.resources = {resource.token: resource for resource in resources}

    def configure(self, settings: dict[str, str]) -> None:
        """Makes ready to work with these settings, values being JSON unless they are strings."""

    def explain(self, error: Exception) -> str:
        return str(error)

    def resource(self, urn: str) -> Resource:
        token = urn.split("::")[2].rpartition("$")[2]
        if token not in self.resources:
            raise OperationError(f"the offline {self.name} plugin does not support {token}; "
                         f"it supports {', '.join(sorted(self.resources))}")
        return self.resources[token]

    def call(self, request: Any) -> Call:
        def log(message: str, ephemeral: bool = False) -> None:
            self.engine.Log(engine_pb2.LogRequest(
                severity=engine_pb2.INFO, message=message, urn=request.urn, ephemeral=ephemeral))

        return Call(request.urn, self.cancelled, log, lambda message: log(message, ephemeral=True),
                    getattr(request, "timeout", 0) or None)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        inputs = decode(request.news)
        inputs.pop("version", None)
        return proto.CheckResponse(inputs=request.news, failures=_failures(problems(self.settings, inputs, self.name)))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        changed = decode(request.old_inputs) != decode(request.news)
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_SOME if changed else proto.DiffResponse.DIFF_NONE)

    @reporting
    def Configure(self, request: Any, context: Any) -> Any:
        self.configure({key.rpartition(":")[2]: value for key, value in request.variables.items()})
        return proto.ConfigureResponse(supportsPreview=True, supports_autonaming_configuration=True)

    @reporting
    def Invoke(self, request: Any, context: Any) -> Any:
        raise OperationError(f"the offline {self.name} plugin does not support the function {request.tok}")

    def GetSchema(self, request: Any, context: Any) -> Any:
        abort(context, grpc.StatusCode.UNIMPLEMENTED,
              f"the offline {self.name} plugin has no schema: `pulumi import` works with --generate-code=false, "
              "`pulumi package add` does not")

    @reporting
    def Check(self, request: Any, context: Any) -> Any:
        resource, inputs = self.resource(request.urn), decode(request.news)
        inputs.pop("__defaults", None)
        found = list(problems(resource.properties, inputs, self.name))
        if resource.autoname and inputs.get("name") is None:
            name = automatic_name(request)
            if name is None:
                found.append(Problem("name", "name is required: automatic names are turned off"))
            inputs |= {"name": name, "__defaults": ["name"]}
        found += resource.check(inputs) if not found else []
        return proto.CheckResponse(inputs=encode(inputs), failures=_failures(found))

    @reporting
    def Diff(self, request: Any, context: Any) -> Any:
        resource, new = self.resource(request.urn), decode(request.news)
        changes = [change for change in resource.changes(decode(request.old_inputs), decode(request.olds), new)
                   if change.top not in request.ignoreChanges and change.path not in request.ignoreChanges]
        replaces = sorted({change.top for change in changes if change.replaces})
        named = resource.autoname and "name" not in new.get("__defaults", ())
        return proto.DiffResponse(
            changes=proto.DiffResponse.DIFF_SOME if changes else proto.DiffResponse.DIFF_NONE,
            diffs=sorted({change.top for change in changes}), replaces=replaces, hasDetailedDiff=True,
            detailedDiff={change.path: Kind(kind=_kind(change), inputDiff=True) for change in changes},
            deleteBeforeReplace=bool(replaces) and (resource.delete_first or named))

    @reporting
    def Create(self, request: Any, context: Any) -> Any:
        resource, inputs = self.resource(request.urn), _shown(decode(request.properties))
        if request.preview:
            return proto.CreateResponse(properties=encode(resource.planned(inputs)))
        resource_id, outputs = resource.create(self.call(request), inputs)
        return proto.CreateResponse(id=resource_id, properties=encode(outputs))

    @reporting
    def Read(self, request: Any, context: Any) -> Any:
        found = self.resource(request.urn).read(
            self.call(request), request.id, decode(request.properties), decode(request.inputs))
        if found is None:
            return proto.ReadResponse(id="")
        state, inputs = found
        return proto.ReadResponse(id=request.id, properties=encode(state), inputs=encode(inputs))

    @reporting
    def Update(self, request: Any, context: Any) -> Any:
        resource, old, inputs = self.resource(request.urn), decode(request.olds), _shown(decode(request.news))
        if request.preview:
            return proto.UpdateResponse(properties=encode(resource.planned_update(old, inputs)))
        return proto.UpdateResponse(properties=encode(resource.update(self.call(request), request.id, old, inputs)))

    @reporting
    def Delete(self, request: Any, context: Any) -> Any:
        self.resource(request.urn).delete(self.call(request), request.id, decode(request.properties))
        return empty_pb2.Empty()  # type: ignore[attr-defined]

    def Cancel(self, request: Any, context: Any) -> Any:
        self.cancelled.set()
        return empty_pb2.Empty()  # type: ignore[attr-defined]


def automatic_name(request: Any) -> str | None:
    """A name for the resource of a CheckRequest: the one that it has, the one that `pulumi:autonaming` in the
    project's configuration makes, or `<logical>-<7 hex>`. None where that configuration forbids automatic names."""
    old = decode(request.olds)
    if "name" in old.get("__defaults", ()):
        return str(old["name"])
    proposed: str = request.autonaming.proposed_name
    if proposed or request.autonaming.mode == proto.CheckRequest.AutonamingOptions.DISABLE:
        return proposed or None
    return f"{request.name}-{(request.randomSeed.hex() or secrets.token_hex(4))[:7]}"


def _shown(values: Values) -> Values:
    return {key: value for key, value in values.items() if not key.startswith("__")}


def _failures(found: Iterable[Problem]) -> list[Any]:
    """By reason alone, which names the property: told the property as well, the CLI prints its value, secret or not."""
    return [proto.CheckFailure(reason=problem.reason) for problem in found]


def _kind(change: Change) -> Any:
    kind = Kind.ADD if change.was is None else Kind.DELETE if change.now is None else Kind.UPDATE
    return int(kind) + change.replaces  # each kind's _REPLACE is its successor


def serve(make: Callable[[str], ResourceProvider]) -> Never:
    """Serves a plugin until told to stop, or until the CLI is gone: `<program> [flags] ENGINE_ADDRESS` writes its port
    as its first line. It never returns: winding the interpreter down would keep the CLI waiting for nothing."""
    lifeline.hold()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=CHANNEL_OPTIONS)
    provider = make(sys.argv[-1])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # the engine interrupts the whole process group
        signal.signal(number, lambda *_: stop.set())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    stop.wait()
    provider.cancelled.set()
    server.stop(4).wait()  # the engine gives us 5 s
    os._exit(0)
