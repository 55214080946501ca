"""Address pools of a Docker engine: how many networks still find room in them, and where small ones fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

SIZE = 26
"""Of a small network: 61 containers beside its gateway. The engine's own choice has room for 4,093 or 65,533, and so
for 31 networks in all."""
PLACES = ("10.209.0.0/16", "10.147.0.0/16", "10.83.0.0/16", "172.30.0.0/16", "192.168.192.0/18")
"""Where to put small ones, in this order: ranges that routers and clouds do not give out by themselves come first."""


@dataclass(frozen=True)
class Pool:
    """`base` is cut into networks of `size` bits."""

    base: IPv4Network
    size: int

    @classmethod
    def of(cls, base: str, size: int) -> Pool | None:
        """None for a pool of IPv6."""
        return None if ":" in base else cls(IPv4Network(base, strict=False), size)


DEFAULTS = tuple(
    Pool(IPv4Network(base), size)
    for base, size in (
        ("172.17.0.0/16", 16),
        ("172.18.0.0/16", 16),
        ("172.19.0.0/16", 16),
        ("172.20.0.0/14", 16),
        ("172.24.0.0/14", 16),
        ("172.28.0.0/14", 16),
        ("192.168.0.0/16", 20),
    )
)
"""The engine's own, where its configuration names none (moby, libnetwork/ipamutils)."""


@dataclass(frozen=True)
class Room:
    """An engine's pools, its networks' names, and the ranges that are taken."""

    pools: tuple[Pool, ...]
    names: frozenset[str]
    taken: tuple[IPv4Network, ...]

    @property
    def free(self) -> int:
        """How many more networks it can make."""
        return sum(_free(pool, self.taken) for pool in self.pools)


def place(taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """A range for small networks that meets none of these."""
    known = tuple(taken)
    return next((each for each in map(IPv4Network, PLACES) if not any(each.overlaps(other) for other in known)), None)


def setting(base: IPv4Network) -> list[dict[str, object]]:
    """The value of `default-address-pools` in daemon.json."""
    return [{"base": str(base), "size": SIZE}]


def _free(pool: Pool, taken: Collection[IPv4Network]) -> int:
    step = 1 << (32 - pool.size)
    first, last = int(pool.base.network_address), int(pool.base.broadcast_address)
    used = set[int]()
    for each in taken:
        start, end = max(int(each.network_address), first), min(int(each.broadcast_address), last)
        if start <= end:
            used.update(range((start - first) // step, (end - first) // step + 1))
    return max(0, pool.base.num_addresses // step - len(used))
