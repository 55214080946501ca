"""docker.Network and docker.Volume on a real engine, and containers on networks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from slipway_offline.docker_provider.container import Container
from slipway_offline.docker_provider.engine import Engine
from slipway_offline.docker_provider.network import Network
from slipway_offline.docker_provider.volume import Volume
from slipway_offline.resource import Call, InitError, Resource, Values

from tests.support.base_images import base_image

Make = Callable[[Resource, Values], tuple[str, Values]]
SLEEP = ["sleep", "600"]


@pytest.fixture
def container(engine: Engine) -> Container:
    return Container(engine)


def inputs(name: str, **more: Any) -> Values:
    return {"name": name, "image": base_image("python"), "command": SLEEP} | more


def test_a_container_is_on_its_networks_and_no_other_under_its_aliases(
    container: Container, make: Make, name: str, engine: Engine,
) -> None:
    network = Network(engine)
    for part, internal in (("front", False), ("back", True)):
        make(network, {"name": f"{name}-{part}", "internal": internal})
    container_id, outputs = make(container, inputs(name, networksAdvanced=[
        {"name": f"{name}-front"}, {"name": f"{name}-back", "aliases": ["db"]}]))
    joined = engine.inspect_container(container_id)["NetworkSettings"]["Networks"]
    assert sorted(joined) == [f"{name}-back", f"{name}-front"]
    assert "db" in joined[f"{name}-back"]["Aliases"]
    assert [data["networkName"] for data in outputs["networkDatas"]] == [f"{name}-back", f"{name}-front"]
    assert all(data["ipAddress"] for data in outputs["networkDatas"])


def test_a_container_can_live_in_the_network_of_another(
    container: Container, make: Make, name: str, engine: Engine,
) -> None:
    first, _ = make(container, inputs(f"{name}-socket"))
    second, state = make(container, inputs(name, networkMode=f"container:{first}"))
    links = [engine.exec_start(engine.exec_create(each, ["readlink", "/proc/1/ns/net"])["Id"])
             for each in (first, second)]
    assert links[0] == links[1]
    assert state["networkDatas"] == []


def test_a_network_that_does_not_exist_is_named_with_its_property(
    container: Container, make: Make, name: str,
) -> None:
    with pytest.raises(InitError, match=f"networksAdvanced: .*network {name}-none not found"):
        make(container, inputs(name, networksAdvanced=[{"name": f"{name}-none"}]))


def test_a_port_that_is_taken_is_named_with_its_property(container: Container, make: Make, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InitError, match=r"ports: .*already (allocated|in use)"):
            make(container, inputs(name, ports=[{"internal": 80, "external": port, "ip": "127.0.0.1"}]))


def test_a_network_reads_back_as_it_was_made_and_is_gone_once_deleted(
    engine: Engine, make: Make, name: str, call: Call,
) -> None:
    network = Network(engine)
    given = {"name": name, "internal": True, "labels": [{"label": "a", "value": "b"}], "attachable": True}
    network_id, outputs = make(network, given)
    found = engine.inspect_network(network_id)
    assert (found["Internal"], found["Labels"], found["Attachable"]) == (True, {"a": "b"}, True)
    assert (outputs["scope"], outputs["driver"], len(outputs["ipamConfigs"])) == ("local", "bridge", 1)
    assert network.read(call, network_id, outputs, given) == (outputs, given)
    network.delete(call, network_id, outputs)
    assert network.read(call, network_id, outputs, given) is None


def test_a_network_in_use_is_tried_again_until_it_is_free(
    container: Container, make: Make, name: str, engine: Engine, call: Call,
) -> None:
    network = Network(engine)
    network_id, outputs = make(network, {"name": name})
    container_id, state = make(container, inputs(name, networksAdvanced=[{"name": name}]))
    remover = threading.Timer(1, lambda: container.delete(call, container_id, state))
    remover.start()
    network.delete(call, network_id, outputs)
    remover.join()
    assert network.read(call, network_id, outputs, {}) is None


def test_making_a_volume_that_exists_adopts_it_and_a_refresh_shows_what_differs(
    engine: Engine, make: Make, name: str, call: Call,
) -> None:
    volume = Volume(engine)
    old = {"name": name, "labels": [{"label": "a", "value": "1"}]}
    make(volume, old)
    new = old | {"labels": [{"label": "a", "value": "2"}]}
    assert [(c.path, c.replaces) for c in volume.changes(old, {}, new)] == [("labels", True)]
    volume_id, outputs = make(volume, new)
    assert engine.inspect_volume(volume_id)["Labels"] == {"a": "1"}
    read = volume.read(call, volume_id, outputs, new)
    assert read is not None
    assert read[1] == old
    assert volume.read(call, volume_id, outputs, old) == ({**outputs, **old}, old)


