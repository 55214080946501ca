"""The policy pack as Pulumi starts it and talks to it: a process of its own, told which stack it is about."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from tests.mocks.mistakes import PASSWORD, secret
from tests.mocks.program import ROOT
from tests.mocks.recording import PROJECT, Registered, table
from tests.mocks.sites import program_of

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A text that a preview does not know yet, as it is on the wire."""
PACK = ROOT / "policy"


@contextmanager
def started() -> Iterator[Any]:
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PACK) as process:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
        process.kill()


@pytest.fixture(scope="module")
def packs() -> Iterator[dict[str, Any]]:
    """{stack: the pack that was told of it}"""
    with started() as prod, started() as dev, started() as chosen:
        for pack, stack, config in ((prod, "prod", {}), (dev, "dev", {}), (chosen, "staging", {"profile": "dev"})):
            named = {f"{PROJECT}:{key}": value for key, value in config.items()}
            pack.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(stack=stack, project=PROJECT, config=named))
        yield {"prod": prod, "dev": dev, "staging": chosen}


def said(pack: Any, each: Registered, **changes: Any) -> list[tuple[str, str, bool]]:
    """(rule, message, whether it stops the run) for each violation by one resource, with some inputs changed."""
    given = {**table(each.request.object), **changes}
    properties = json_format.ParseDict(given, type(each.request.object)())  # type: ignore[no-untyped-call]
    options = analyzer_pb2.AnalyzerResourceOptions(ignoreChanges=list(each.request.ignoreChanges))
    answer = pack.Analyze(
        analyzer_pb2.AnalyzeRequest(
            type=each.type, properties=properties, urn=each.urn, name=each.name, options=options
        )
    )
    return [(one.policyName, one.message, one.enforcementLevel == analyzer_pb2.MANDATORY) for one in answer.diagnostics]


@pytest.mark.parametrize(("stack", "declared"), [("prod", "prod"), ("dev", "dev"), ("staging", "dev")])
def test_every_resource_is_judged_by_the_profile_of_its_stack(packs: dict[str, Any], stack: str, declared: str) -> None:
    resources = program_of(declared, "as shipped").resources.values()
    assert [found for each in resources for found in said(packs[stack], each)] == []


def test_what_dev_allows_is_refused_in_prod(packs: dict[str, Any]) -> None:
    found = {rule for rule, _, _ in said(packs["prod"], program_of("dev", "as shipped").containers["ui"])}
    assert {"read-only-root", "no-capabilities", "published-ports", "no-host-folder"} <= found


def test_a_secret_in_an_environment_stops_the_run_and_is_not_shown(packs: dict[str, Any]) -> None:
    envs = ["A=b", secret(f"SECRET_KEY={PASSWORD}")]
    [(rule, message, mandatory)] = said(packs["prod"], program_of("prod", "as shipped").containers["ui"], envs=envs)
    assert (rule, mandatory) == ("hidden-secrets", True)
    assert "envs[1] holds a secret" in message
    assert PASSWORD not in message


def test_a_guess_is_said_and_stops_nothing(packs: dict[str, Any]) -> None:
    ui = program_of("prod", "as shipped").containers["ui"]
    [(rule, _, mandatory)] = said(packs["prod"], ui, envs=["SECRET_KEY=dev"])
    assert (rule, mandatory) == ("passwords-in-plain", False)


def test_a_preview_is_not_bothered_with_what_it_cannot_know_and_told_what_it_can(packs: dict[str, Any]) -> None:
    ui = program_of("prod", "as shipped").containers["ui"]
    assert said(packs["prod"], ui, image=UNKNOWN, networksAdvanced=UNKNOWN) == []
    unknown_secret = {**secret(""), "value": UNKNOWN}
    found = said(packs["prod"], ui, image=UNKNOWN, hostname=unknown_secret)
    assert [rule for rule, _, _ in found] == ["hidden-secrets"]
