"""What a delete-first replacement tries beforehand, on a real engine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core.naming import SERVICE_LABEL
from slipway.engine.errors import Failure
from slipway.providers.trial import TrialProvider
from tests.providers.place import Place
from tests.support import engine


def wanted(place: Place, network: str, **changes: Any) -> dict[str, Any]:
    props = {
        "engine": place.engine,
        "container": f"{place.name}-edge",
        "labels": {**place.labels, SERVICE_LABEL: "edge"},
        "image": place.image,
        "user": "1000",
        "check": ["true"],
        "mounts": [],
        "network": network,
        "ports": [],
        "memory": 32.0,  # numbers arrive as protobuf has them
        "shared_memory": 0.0,
        "tmpfs": {},
        "read_only": True,
    }
    return props | changes


def port(number: int, ip: str = "127.0.0.1") -> dict[str, Any]:
    return {"ip": ip, "port": float(number), "port_setting": "edge.port", "ip_setting": "edge.address"}


@pytest.fixture
def network(place: Place) -> str:
    return str(engine.client().networks.create(f"{place.name}-public", labels=place.labels).name)


@pytest.fixture
def serving(place: Place, network: str) -> Container:
    """The container that would be deleted, which publishes a port."""
    return engine.client().containers.run(
        place.image,
        ["sleep", "300"],
        name=f"{place.name}-edge",
        detach=True,
        network=network,
        labels={**place.labels, SERVICE_LABEL: "edge"},
        ports={"80/tcp": ("127.0.0.1", engine.free_port())},
        stop_signal="SIGKILL",
    )


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def untouched(place: Place, serving: Container) -> None:
    serving.reload()
    assert serving.status == "running"
    assert place.leftovers() == [serving.name]


def test_a_free_port_is_bound_once_and_given_back(place: Place, network: str, serving: Container) -> None:
    number = engine.free_port()
    TrialProvider().create(wanted(place, network, ports=[port(number)]))
    untouched(place, serving)
    with closing(socket.create_server(("127.0.0.1", number))):
        pass


def test_what_it_holds_itself_counts_as_free(place: Place, network: str, serving: Container) -> None:
    held = port(engine.published(serving, 80)[1])
    everywhere = {**held, "ip": "0.0.0.0"}
    for ports in ([held], [everywhere]):
        TrialProvider().create(wanted(place, network, ports=ports))
    untouched(place, serving)


def test_a_port_of_another_program_is_named(place: Place, network: str, serving: Container, taken: int) -> None:
    with pytest.raises(Failure, match=rf"edge\.port: 127\.0\.0\.1:{taken} is taken by another program") as refused:
        TrialProvider().create(wanted(place, network, ports=[port(taken)]))
    assert "Nothing was deleted" in str(refused.value)
    untouched(place, serving)


def test_a_port_of_another_container_is_named(place: Place, network: str, serving: Container) -> None:
    number = engine.published(serving, 80)[1]
    stranger = wanted(place, network, labels={**place.labels, SERVICE_LABEL: "adminer"}, container=f"{place.name}-b")
    with pytest.raises(Failure, match=f"is taken by the container {serving.name}"):
        TrialProvider().create(stranger | {"ports": [port(number)]})
    untouched(place, serving)


def test_a_foreign_address_is_named(place: Place, network: str, serving: Container) -> None:
    """Also where the port stays the same, so that it cannot be bound itself."""
    for number in (engine.free_port(), engine.published(serving, 80)[1]):
        with pytest.raises(Failure, match=r"edge\.address: 192\.0\.2\.7 is no address of the engine's host"):
            TrialProvider().create(wanted(place, network, ports=[port(number, "192.0.2.7")]))
    untouched(place, serving)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"memory": 4}, "refuses its container: Minimum memory limit"),
        ({"user": "nobody-knows-me"}, "does not start: .*nobody-knows-me"),
        ({"check": ["sh", "-c", "echo unknown >&2; exit 1"]}, "does not accept its settings: .*unknown"),
        ({"mounts": [{"source": "/no/such/folder", "target": "/src"}]}, "refuses its container: .*/no/such/folder"),
        ({"image": "127.0.0.1:1/none:1"}, "refuses its container: .*127.0.0.1:1"),
    ],
)  # fmt: skip
def test_what_cannot_start_is_found_before_anything_is_deleted(
    place: Place, network: str, serving: Container, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Failure, match=f"(?s){why}.*Nothing was deleted"):
        TrialProvider().create(wanted(place, network, **changes))
    untouched(place, serving)


def test_a_ready_made_image_needs_no_program_to_look_with(place: Place, network: str, serving: Container) -> None:
    TrialProvider().create(wanted(place, network, check=[], ports=[port(engine.free_port())]))
    untouched(place, serving)


def test_where_nothing_runs_nothing_is_tried_but_addresses(place: Place, network: str) -> None:
    TrialProvider().create(wanted(place, network, check=["false"]))
    assert place.leftovers() == []


def test_a_refresh_forgets_an_address_that_is_not_held_any_more(place: Place, network: str, serving: Container) -> None:
    held = port(engine.published(serving, 80)[1])
    provider, props = TrialProvider(), wanted(place, network, ports=[held])
    assert provider.read("x", props).outs == props
    serving.stop(timeout=0)
    found = provider.read("x", props).outs or {}
    assert found["ports"] == []
    assert provider.diff("x", found, props).changes
