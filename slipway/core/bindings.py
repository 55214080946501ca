"""Addresses and ports of the engine's host that containers publish: what meets what, and what to type about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - what is compared, not listened on
TAKEN = re.compile(r"already (in use|allocated)", re.IGNORECASE)
FOREIGN = re.compile(r"cannot assign requested address|address not available", re.IGNORECASE)


@dataclass(frozen=True)
class Binding:
    """A published address; port 0 is any free one, which proves that the address is the host's."""

    ip: str
    port: int

    @property
    def published(self) -> Any:
        """As docker-py takes it."""
        return (self.ip, self.port) if self.port else (self.ip,)

    def meets(self, other: Binding) -> bool:
        """Whether one of the two keeps the other from being published."""
        return self.port == other.port and (self.ip == other.ip or bool({self.ip, other.ip} & EVERYWHERE))

    def __str__(self) -> str:
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip or "0.0.0.0"  # noqa: S104 - only shown
        return f"{ip}:{self.port}"


@dataclass(frozen=True)
class Setting:
    """A published address and the keys of the settings that chose it; `ip_key` "" where Slipway chose the address."""

    binding: Binding
    port_key: str
    ip_key: str

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Setting:
        binding = Binding(str(written["ip"]), int(written["port"]))
        return cls(binding, str(written["port_setting"]), str(written["ip_setting"]))

    def explain(self, found: str, holders: Collection[str]) -> str:
        """What is wrong with it (as `refused` says), who holds it where that is known, and what to type."""
        if found == "foreign":
            return (
                f"{self.ip_key or self.port_key}: {self.binding.ip} is no address of the engine's host.\n"
                f"  What to type: pulumi config set --path {self.ip_key or self.port_key} 127.0.0.1\n"
                "  or another address of that host: ip -brief address"
            )
        if holders:
            who, look = f"the container {', '.join(holders)}", f"docker stop {' '.join(holders)}"
        else:
            who, look = "another program of the engine's host", f"sudo ss -ltnp 'sport = :{self.binding.port}'"
        return (
            f"{self.port_key}: {self.binding} is taken by {who}.\n"
            f"  What to type: {look}\n"
            f"  or take another port: pulumi config set --path {self.port_key} PORT"
        )


def to_try(wanted: Iterable[Setting], held: Collection[Binding]) -> dict[Setting, Binding]:
    """What must be published to know that the wanted can be: nothing of what is held already, which becomes free. Where
    its port is held at another address, only the address is tried."""
    ports = {each.port for each in held}
    return {
        each: Binding(each.binding.ip, 0) if each.binding.port in ports else each.binding
        for each in wanted
        if each.binding not in held
    }


def refused(said: str, binding: Binding) -> str:
    """Whether the engine's words refuse this one: "taken", "foreign", or "" when they are about something else."""
    if FOREIGN.search(said) and binding.ip and binding.ip in said:
        return "foreign"
    about = re.search(rf":{binding.port}\b", said) is not None
    return "taken" if binding.port and about and TAKEN.search(said) else ""
