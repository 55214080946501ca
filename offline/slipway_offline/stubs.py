"""The gRPC messages and services of the Pulumi SDK, without the SDK itself.

Importing `pulumi` takes about 0.13 s more than these generated modules need, and every plugin process would pay that
on every run. So while they are imported, empty packages stand where `pulumi` and its two inner packages belong; they
are taken away at once, and a later `import pulumi` loads the real one, which finds these modules already there.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

PACKAGES = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")
CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]  # the SDK's own limit, in bytes


@contextmanager
def _bare_packages() -> Iterator[None]:
    spec = None if "pulumi" in sys.modules else importlib.util.find_spec("pulumi")
    if spec is None:
        yield  # it is loaded already, or missing and the import itself will say so
        return
    top = next(iter(spec.submodule_search_locations or ()))
    for name in PACKAGES:
        package = ModuleType(name)
        package.__path__ = [os.path.join(os.path.dirname(top), *name.split("."))]  # noqa: PTH118, PTH120
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in PACKAGES:
            del sys.modules[name]


with _bare_packages():
    from pulumi.runtime.proto import (
        engine_pb2,
        engine_pb2_grpc,
        errors_pb2,
        language_pb2,
        language_pb2_grpc,
        plugin_pb2,
        provider_pb2,
        provider_pb2_grpc,
        status_pb2,
    )

__all__ = [
    "CHANNEL_OPTIONS", "engine_pb2", "engine_pb2_grpc", "errors_pb2", "language_pb2", "language_pb2_grpc", "plugin_pb2",
    "provider_pb2", "provider_pb2_grpc", "status_pb2",
]
