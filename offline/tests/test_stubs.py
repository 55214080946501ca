"""The SDK's generated modules, imported without the SDK."""

import os
import subprocess
import sys
from pathlib import Path

from slipway_offline import stubs


def test_the_sdk_can_be_imported_after_its_stubs_and_shares_them() -> None:
    subprocess.run([sys.executable, "-c", """
import sys
from slipway_offline.stubs import provider_pb2
assert "pulumi" not in sys.modules
import pulumi.runtime.proto
assert pulumi.runtime.proto.CheckResponse is provider_pb2.CheckResponse
"""], check=True, env=os.environ | {"PYTHONPATH": str(Path(stubs.__file__).parents[1])})
