"""Why a container is not fit to serve: from what can be seen of it, one sentence and what to do about it.

Pure: slipway.engine.evidence does the looking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipway.core.log_causes import Cause, exception, in_log

ENDED = frozenset({"exited", "dead", "removing"})
LOOPBACK = "127.0.0.1"
LISTEN = "0A"
"""TCP_LISTEN in /proc/net/tcp."""
ENGINE_DNS = "0B00007F"
"""127.0.0.11, the engine's own resolver in every container's network namespace."""
IPV6_LOOPBACK = "0" * 24 + "01000000"
MAPPED = "0" * 16 + "FFFF0000"
"""Before an IPv4 address in tcp6."""
LONGEST_PROBE = 300
NO_MEMORY = Cause(
    "it was killed, out of memory: it needs more than its limit{limit}",
    "raise its `memory`, or let it do with less (fewer workers come with fewer `cpus`)",
)
EXIT_CODES = {
    126: Cause("its command cannot be executed", "check `command`: the file must be executable for its user"),
    127: Cause("its command is not in its image", "check `command`, and what its requirements install"),
    137: Cause("it was killed (SIGKILL)", "somebody, or the machine's lack of memory, killed it: `dmesg` tells"),
}
ELSEWHERE = Cause(
    "it listens on port {found}, and not on its declared port {port}",
    "let it listen on {port}, or set `port: {found}`",
)
INSIDE_ONLY = Cause(
    f"it listens on {LOOPBACK} only, where nothing outside of its container reaches it",
    "let it listen on 0.0.0.0:{port}",
)
STILL_STARTING = Cause(
    "it is too slow: it listens on no port yet", "let it do less when it starts, or raise `deployTimeout`"
)
SILENT = Cause("it is too slow: it listens on port {port} and has not answered yet", STILL_STARTING.hint)
NOT_THERE = Cause("there is nothing at that path", "set `{key}:` to a path that it has, such as `{key}: /`")
CLOSED = Cause("that path wants a login", "set `{key}:` to a path that answers everybody")
NAMES = Cause(
    "it refuses the request",
    "if it takes certain host names only (Flask's TRUSTED_HOSTS), name them in `edge.hosts` or as its `host`",
)
NO_GET = Cause("it refuses the request", "set `{key}:` to a path that answers GET with a status below 400")
REFUSALS = {400: NAMES, 401: CLOSED, 403: CLOSED, 404: NOT_THERE, 410: NOT_THERE}
PASSING = frozenset({408, 421, 425, 429})
"""Statuses of 4xx that another time may bring another answer."""
REPEATED = 2
"""Checks one after the other that were refused: so is every further one."""
STATUS = re.compile(r"(?:HTTP status|error:?(?: HTTP/[0-9.]+)?|HTTP Error) ([1-5][0-9]{2})\b")
"""As Slipway's own checks, curl, wget and urllib write it."""
TIMED_OUT = re.compile(r"time[sd]? ?out", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Listener:
    """A TCP port that something in the container listens on; `reachable` from other containers."""

    port: int
    reachable: bool


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen of one container.

    state      of `docker inspect`; of a container that runs again, ExitCode and OOMKilled of its last end
               (None: unknown).
               `restarts` is how often the engine started it again since it was looked at first
    memory     its limit in MiB, 0 without one
    log        its last lines
    port       the port that is declared, 0 where it does not speak HTTP
    listeners  None where one could not look
    path       what was asked through nginx, and `status` the last answer: 0 no answer, None not asked
    waited     seconds; `was_well` whether it had been well meanwhile
    """

    state: Mapping[str, Any]
    restarts: int = 0
    memory: int = 0
    log: str = ""
    port: int = 0
    listeners: frozenset[Listener] | None = None
    path: str = ""
    status: int | None = None
    waited: float = 0
    was_well: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """`what` can stand after the container's name; `hint` is what to do, "" where nothing is known."""

    what: str
    hint: str


def diagnose(seen: Evidence) -> Diagnosis:
    """What is wrong with the container, and the most telling cause that was found for it."""
    cause = _cause(seen)
    what = condition(seen)
    return Diagnosis(f"{what}: {cause.what}", cause.hint) if cause else Diagnosis(what, "")


def condition(seen: Evidence) -> str:
    """How it stands, without the cause."""
    state, code = seen.state, seen.state.get("ExitCode")
    if state["Status"] == "restarting" or seen.restarts:
        last = "" if code is None else f" (last exit code {code})"
        return f"{'was well, but ' if seen.was_well else ''}keeps ending{last}"
    if state["Status"] in ENDED:
        return f"{'was well and then ' if seen.was_well else ''}ended with exit code {code}"
    said = f" (its health check says: {text})" if (text := last_probe(state)) else ""
    if _health(state) == "unhealthy":
        return f"{'was well and then got' if seen.was_well else 'is'} unhealthy{said}"
    if not seen.was_well:
        return f"was not healthy after {seen.waited:.0f} s{said}"
    if seen.status is None:
        return f"was not ready after {seen.waited:.0f} s"
    answer = f"with status {seen.status}" if seen.status else "with nothing"
    return f"is healthy, but answered GET {seen.path} through nginx {answer}"


def last_probe(state: Mapping[str, Any]) -> str:
    """What the last health check said if it failed, on one line; checks before the container's last start are old."""
    log = _probes(state)
    if not log or not log[-1]["ExitCode"]:
        return ""
    lines = [line.strip() for line in str(log[-1]["Output"]).splitlines() if line.strip()]
    return (lines[-1] if lines else f"exit code {log[-1]['ExitCode']}")[-LONGEST_PROBE:]


def refuses(status: int | None) -> bool:
    """Whether a server that runs says by it that the request itself is wrong: it will say so the next time as well."""
    return status is not None and 400 <= status < 500 and status not in PASSING


def refused(state: Mapping[str, Any]) -> int:
    """The status by which the container refused its last health checks; 0 where it did not, or only once."""
    answers = [
        STATUS.findall(str(check["Output"])) if check["ExitCode"] else [] for check in _probes(state)[-REPEATED:]
    ]
    statuses = [int(found[-1]) for found in answers if found]
    return statuses[-1] if len(statuses) == REPEATED and all(map(refuses, statuses)) else 0


def _probes(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The health checks since the container's last start, the newest last."""
    checks = (state.get("Health") or {}).get("Log") or ()
    if not checks:
        return []
    since = datetime.fromisoformat(state["StartedAt"])
    return [check for check in checks if datetime.fromisoformat(check["Start"]) >= since]


def _cause(seen: Evidence) -> Cause | None:
    """The engine's word counts more than the container's own, and an exact pattern more than any last error."""
    if seen.state.get("OOMKilled"):
        return NO_MEMORY.filled(limit=f" of {seen.memory} MiB" if seen.memory else "")
    if error := str(seen.state.get("Error") or ""):
        return Cause(f"the engine says: {error}", "")
    if status := refused(seen.state):
        return REFUSALS.get(status, NO_GET).filled(key="health")
    if seen.was_well and refuses(seen.status):
        return REFUSALS.get(seen.status or 0, NO_GET).filled(key="ready")
    if found := in_log(seen.log):
        return found
    if seen.state["Status"] == "running" and (found := _where_it_listens(seen)):
        return found
    return exception(seen.log) or EXIT_CODES.get(int(seen.state.get("ExitCode") or 0))


def _where_it_listens(seen: Evidence) -> Cause | None:
    if not seen.port or seen.listeners is None:
        return None
    declared = {each for each in seen.listeners if each.port == seen.port}
    if not seen.listeners:
        return STILL_STARTING
    if not declared:
        return ELSEWHERE.filled(found=str(min(seen.listeners).port), port=str(seen.port))
    if not any(each.reachable for each in declared):
        return INSIDE_ONLY.filled(port=str(seen.port))
    if not seen.was_well and TIMED_OUT.search(last_probe(seen.state)):
        return SILENT.filled(port=str(seen.port))
    return None


def _health(state: Mapping[str, Any]) -> str:
    return str((state.get("Health") or {}).get("Status", ""))


def listeners(tables: Iterable[str]) -> frozenset[Listener]:
    """From the lines of /proc/net/tcp and tcp6 of a container."""
    found = set()
    for line in tables:
        match = re.match(r"\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ (\S\S) ", line)
        if match and match[3] == LISTEN and match[1] != ENGINE_DNS:
            found.add(Listener(int(match[2], 16), reachable=not _is_loopback(match[1])))
    return frozenset(found)


def _is_loopback(address: str) -> bool:
    """Of an address as /proc/net/tcp has it: words in the machine's (little-endian) order."""
    address = address.removeprefix(MAPPED)
    return address == IPV6_LOOPBACK or (len(address) == 8 and address.endswith("7F"))
