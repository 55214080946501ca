"""How many networks find room in an engine's address pools."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from slipway.core.pools import DEFAULTS, PLACES, Pool, Room, place, setting


def room(pools: tuple[Pool, ...], *taken: str) -> Room:
    return Room(pools, frozenset(), tuple(map(IPv4Network, taken)))


SMALL = (Pool(IPv4Network("10.209.0.0/16"), 26),)


@pytest.mark.parametrize(
    ("pools", "taken", "free"),
    [
        (DEFAULTS, (), 31),
        (DEFAULTS, ("172.17.0.0/16",), 30),
        (DEFAULTS, ("172.17.0.0/16", "172.20.0.0/14", "192.168.16.0/20", "192.168.17.0/24"), 25),
        (DEFAULTS, ("10.0.0.0/8", "203.0.113.0/24"), 31),
        (DEFAULTS, ("172.16.0.0/12", "192.168.0.0/16"), 0),
        (SMALL, (), 1024),
        (SMALL, ("10.209.0.64/26", "10.209.0.80/28", "10.209.1.0/24"), 1019),
        ((Pool(IPv4Network("10.0.0.0/8"), 29),), ("10.0.0.0/9",), 2**20),
        ((), (), 0),
    ],
)
def test_what_is_free(pools: tuple[Pool, ...], taken: tuple[str, ...], free: int) -> None:
    assert room(pools, *taken).free == free


def test_a_pool_of_ipv6_is_none_of_ours() -> None:
    assert Pool.of("fd00::/48", 64) is None
    assert Pool.of("10.1.2.3/16", 24) == Pool(IPv4Network("10.1.0.0/16"), 24)


def test_small_networks_are_put_where_nothing_else_is() -> None:
    assert place(()) == IPv4Network(PLACES[0])
    assert place([IPv4Network("10.0.0.0/8")]) == IPv4Network("172.30.0.0/16")
    assert place([IPv4Network("0.0.0.0/0")]) is None
    assert setting(IPv4Network("10.209.0.0/16")) == [{"base": "10.209.0.0/16", "size": 26}]
