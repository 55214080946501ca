"""Where the engine is looked for, and the errors of one that does not answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from docker.errors import APIError, DockerException
from slipway_offline.docker_provider.engine import DEFAULT_ADDRESS, Address, Engine, reason, resolve
from slipway_offline.resource import OperationError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of the docker command, with the context "far"."""
    key = hashlib.sha256(b"far").hexdigest()
    (tmp_path / "contexts/meta" / key).mkdir(parents=True)
    (tmp_path / "contexts/meta" / key / "meta.json").write_text(json.dumps(
        {"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:2376"}}}))
    (tmp_path / "contexts/tls" / key / "docker").mkdir(parents=True)
    return tmp_path


def test_the_providers_own_setting_comes_first(home: Path) -> None:
    environment = {"DOCKER_HOST": "tcp://b", "DOCKER_CONTEXT": "far", "DOCKER_CONFIG": str(home)}
    assert resolve({"host": "tcp://a"}, environment) == Address("tcp://a")
    assert resolve({"context": "far"}, environment).host == "tcp://far:2376"


def test_then_docker_host_then_the_context_in_use_then_the_local_socket(home: Path) -> None:
    environment = {"DOCKER_CONFIG": str(home)}
    assert resolve({}, environment) == Address(DEFAULT_ADDRESS)
    (home / "config.json").write_text('{"currentContext": "far"}')
    assert resolve({}, environment).host == "tcp://far:2376"
    assert resolve({}, environment | {"DOCKER_CONTEXT": "default"}) == Address(DEFAULT_ADDRESS)
    assert resolve({}, environment | {"DOCKER_HOST": "tcp://b"}) == Address("tcp://b")


def test_certificates_come_from_the_setting_the_context_or_the_environment(home: Path) -> None:
    environment = {"DOCKER_CONFIG": str(home)}
    assert resolve({"host": "tcp://a", "certPath": "/certs"}, environment).certificates == Path("/certs")
    key = hashlib.sha256(b"far").hexdigest()
    assert resolve({"context": "far"}, environment).certificates == home / "contexts/tls" / key / "docker"
    verified = environment | {"DOCKER_HOST": "tcp://b", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/mine"}
    assert resolve({}, verified).certificates == Path("/mine")
    assert resolve({}, verified | {"DOCKER_TLS_VERIFY": ""}).certificates is None


def test_a_context_that_does_not_exist_is_named(home: Path) -> None:
    with pytest.raises(OperationError, match='there is no Docker context "near"'):
        resolve({"context": "near"}, {"DOCKER_CONFIG": str(home)})


def test_an_engine_out_of_reach_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as caught:
        Engine(Address(f"unix://{tmp_path}/docker.sock"))
    assert str(caught.value) == (
        f"cannot reach the Docker engine at unix://{tmp_path}/docker.sock: No such file or directory")


def test_an_error_is_told_in_the_engines_words_or_in_ours_but_not_in_those_of_the_layers_between() -> None:
    refused = APIError("409 Client Error for url", explanation="the name is in use")
    refused.__cause__ = OSError("a layer below")
    ours = OperationError("container x cannot be created: the name is in use")
    ours.__cause__ = refused
    wrapped = DockerException("Error while fetching server API version")
    wrapped.__cause__ = FileNotFoundError(2, "No such file or directory")
    assert [reason(error) for error in (refused, ours, wrapped)] == [
        "the name is in use", "container x cannot be created: the name is in use", "No such file or directory"]
