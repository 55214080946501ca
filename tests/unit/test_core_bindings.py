"""What is tried of published addresses, and how a refusal is told."""

from __future__ import annotations

import pytest

from slipway.core.bindings import Binding, Setting, refused, to_try

HERE = Setting(Binding("127.0.0.1", 8100), "edge.port", "edge.address")
EVERYWHERE = Setting(Binding("0.0.0.0", 8100), "edge.port", "edge.address")
TAKEN = "driver failed programming external connectivity: listen tcp4 127.0.0.1:8100: bind: address already in use"
ALLOCATED = "Bind for 0.0.0.0:8100 failed: port is already allocated"
NEWER = "failed to bind host port 10.9.8.7:8100/tcp: cannot assign requested address"
FOREIGN = "Error starting userland proxy: listen tcp4 10.9.8.7:0: bind: cannot assign requested address"


@pytest.mark.parametrize(
    ("wanted", "held", "tried"),
    [
        (HERE, [], {HERE: Binding("127.0.0.1", 8100)}),
        (HERE, [Binding("127.0.0.1", 8100)], {}),
        (HERE, [Binding("127.0.0.1", 8200)], {HERE: Binding("127.0.0.1", 8100)}),
        (EVERYWHERE, [Binding("127.0.0.1", 8100)], {EVERYWHERE: Binding("0.0.0.0", 0)}),
        (HERE, [Binding("0.0.0.0", 8100)], {HERE: Binding("127.0.0.1", 0)}),
    ],
)
def test_what_the_stack_holds_itself_is_free_for_it(
    wanted: Setting, held: list[Binding], tried: dict[Setting, Binding]
) -> None:
    assert to_try([wanted], held) == tried


@pytest.mark.parametrize(
    ("said", "binding", "why"),
    [
        (TAKEN, Binding("127.0.0.1", 8100), "taken"),
        (ALLOCATED, Binding("0.0.0.0", 8100), "taken"),
        (TAKEN, Binding("127.0.0.1", 810), ""),
        (FOREIGN, Binding("10.9.8.7", 0), "foreign"),
        (NEWER, Binding("10.9.8.7", 8100), "foreign"),
        ("no such image", Binding("127.0.0.1", 8100), ""),
    ],
)  # fmt: skip
def test_the_engines_words_are_understood(said: str, binding: Binding, why: str) -> None:
    assert refused(said, binding) == why


def test_the_setting_the_holder_and_the_way_are_named() -> None:
    taken = HERE.explain("taken", ["shop"])
    assert "edge.port: 127.0.0.1:8100 is taken by the container shop" in taken
    assert "docker stop shop" in taken
    assert "pulumi config set --path edge.port PORT" in taken
    assert "ss -ltnp 'sport = :8100'" in HERE.explain("taken", [])
    foreign = HERE.explain("foreign", [])
    assert "edge.address: 127.0.0.1 is no address of the engine's host" in foreign


def test_an_address_of_every_interface_meets_each_other_on_its_port() -> None:
    assert Binding("", 80).meets(Binding("127.0.0.1", 80))
    assert not Binding("127.0.0.2", 80).meets(Binding("127.0.0.1", 80))
    assert str(Binding("::1", 80)) == "[::1]:80"
