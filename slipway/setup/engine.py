"""The Docker engine: the one that answers, else Debian's own package, installed and started.

A DOCKER_HOST or a Docker context that the user has set is a decision: when that engine does not answer, set-up says so
and stops, it does not install another one.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from slipway.core import pools
from slipway.setup import paths
from slipway.setup.choices import Choice, Choices
from slipway.setup.console import Console, SetupError

DEFAULT = "unix:///var/run/docker.sock"
PIDFILES = (Path("/run/docker.pid"), Path("/run/docker/containerd/containerd.pid"))
CONFIGURATION = Path("/etc/docker/daemon.json")
ROUTES = Path("/proc/net/route")
TEN = IPv4Network("10.0.0.0/8")
KEEPS_CONTAINERS = {"live-restore": True}
"""For an engine that set-up starts: containers go on while dockerd restarts. Without it, one that was killed (seen on
20.10, every time) stops them all at its next start, notes that somebody wanted that, and does not start them again:
its restart policy `unless-stopped` holds for what ended otherwise."""
SYSTEM_PATH = ":/usr/sbin:/sbin"
START_SECONDS = 60  # dockerd on a slow disk needs some 10 s; beyond a minute something is wrong


def address(environment: Mapping[str, str]) -> tuple[str, bool]:
    """The engine's address, and whether the user chose it: DOCKER_HOST, else the current Docker context."""
    if host := environment.get("DOCKER_HOST"):
        return host, True
    if shutil.which("docker", path=environment.get("PATH")):
        shown = subprocess.run(
            ["docker", "context", "inspect"], env=environment, capture_output=True, text=True, check=False
        )
        with contextlib.suppress(ValueError, LookupError):
            context = json.loads(shown.stdout)[0]
            return context["Endpoints"]["docker"]["Host"], context["Name"] != "default"
        if shown.returncode and environment.get("DOCKER_CONTEXT"):
            raise SetupError(f"the Docker context {environment['DOCKER_CONTEXT']} does not exist", "docker context ls")
    return DEFAULT, False


def version(host: str, environment: Mapping[str, str]) -> str | None:
    """The version of the engine at `host`, None when none answers there.

    A local socket is asked directly, which needs no docker command; any other address (tcp, ssh) through the command.
    """
    if host.startswith("unix://"):
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.settimeout(10)
            connection.sock.connect(host.removeprefix("unix://"))
            connection.request("GET", "/version")
            return str(json.load(connection.getresponse())["Version"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return None
        finally:
            connection.close()
    shown = ask(host, environment)
    return shown.stdout.strip() or None if shown and shown.returncode == 0 else None


def ask(host: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str] | None:
    """What the docker command says of the engine's version; None where there is no such command or no answer."""
    command = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    return None


def reason(host: str, environment: Mapping[str, str]) -> str:
    """Why the engine does not answer, in the docker command's own words: it may be too old for the engine."""
    shown = ask(host, environment)
    said = shown.stderr.strip().splitlines() if shown else []
    return f": {said[-1]}" if said else ""


def settle(choices: Choices, console: Console, environment: Mapping[str, str]) -> Choice:
    """Finds, starts or installs the engine. Raises SetupError with the command to type where it may not."""
    host, chosen = address(environment)
    found, why = version(host, environment), "it answers"
    if not found and chosen:
        raise SetupError(
            f"no Docker engine answers at {host}, which DOCKER_HOST or the Docker context names"
            + reason(host, environment),
            "start that engine, or:  unset DOCKER_HOST;  docker context use default",
        )
    if not found:
        refuse_forbidden_socket(host)
        why = "Debian's docker.io, started by set-up"
        start(host, console, environment)
        found = version(host, environment)
    if not shutil.which("docker", path=environment.get("PATH")):
        install(console, ["docker-cli"], "the docker command")
    choices.environment["DOCKER_HOST"] = host
    return choices.chose(
        "Docker engine", f"{found} at {host}", why, origin="found" if why == "it answers" else "started"
    )


def refuse_forbidden_socket(host: str) -> None:
    path = Path(host.removeprefix("unix://"))
    if path.is_socket() and not os.access(path, os.R_OK | os.W_OK):
        raise SetupError(
            f"the Docker engine at {host} does not let you in", "sudo usermod -aG docker $USER   and log in again"
        )


def start(host: str, console: Console, environment: Mapping[str, str]) -> None:
    """Installs the engine where that is allowed, and starts it so that it outlives this command."""
    if os.geteuid() != 0 or not is_debian():
        raise SetupError(
            "no Docker engine answers, and set-up can install one only as root on Debian or Ubuntu",
            "sudo make setup        (Debian, Ubuntu)",
            "or install Docker Engine and start it, then: make setup",
        )
    configure(console)
    if not shutil.which("dockerd", path=environment.get("PATH", "") + SYSTEM_PATH):
        install(console, ["docker.io", "iptables"], "a Docker engine (Debian's docker.io)")
    if version(host, environment):  # the package's own start script was faster
        return
    if Path("/run/systemd/system").is_dir():
        console.run("start docker.service", ["systemctl", "enable", "--now", "docker.service"])
        log = "journalctl -u docker"
    else:
        log = start_in_background()
    deadline = time.monotonic() + START_SECONDS
    while not version(host, environment):
        if time.monotonic() > deadline:
            raise SetupError(f"the Docker engine did not answer within {START_SECONDS} s of its start", f"see  {log}")
        console.status(f"{'':<14} waiting for the Docker engine to answer")
        time.sleep(0.3)


def configure(console: Console) -> None:
    """Settings of an engine that has none yet. A file that is there is the owner's decision, whatever is in it."""
    if CONFIGURATION.exists():
        return
    CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
    base = pools.place(routes())
    small = {"default-address-pools": pools.setting(base)} if base else {}
    CONFIGURATION.write_text(json.dumps(KEEPS_CONTAINERS | small, indent=2) + "\n")
    console.line(f"{'':<14} wrote {CONFIGURATION}: containers go on while the engine restarts, room for many networks")


def routes() -> list[IPv4Network]:
    """What this machine reaches elsewhere than by its default route: no place for networks of its own. One that stands
    in a network of 10.0.0.0/8 may reach all of that through its router."""
    found = []
    for line in ROUTES.read_text().splitlines()[1:] if ROUTES.exists() else ():
        _, destination, _, _, _, _, _, mask = line.split()[:8]
        address, netmask = (IPv4Address(bytes.fromhex(each)[::-1]) for each in (destination, mask))
        if int(netmask):
            found.append(IPv4Network(f"{address}/{netmask}", strict=False))
    return [*found, TEN] if any(each.subnet_of(TEN) for each in found) else found


def start_in_background() -> str:
    """Starts dockerd where no systemd runs; returns its log file. dockerd keeps its own pid in /run/docker.pid."""
    for pidfile in PIDFILES:
        forget_stale(pidfile)
    if not any(line.split()[2].startswith("cgroup") for line in Path("/proc/mounts").read_text().splitlines()):
        subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)
    log = paths.data() / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        subprocess.Popen(
            [shutil.which("dockerd", path=os.environ.get("PATH", "") + SYSTEM_PATH) or "dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )
    return str(log)


def forget_stale(pidfile: Path) -> None:
    """Removes a pid file that an engine left behind when its machine went down: where /run is not a tmpfs it survives,
    and dockerd refuses to start as soon as any other process has that number."""
    with contextlib.suppress(OSError, ValueError):
        command = Path("/proc", str(int(pidfile.read_text())), "comm")
        if not command.exists() or command.read_text().strip() not in ("dockerd", "containerd"):
            pidfile.unlink()


def is_debian() -> bool:
    with contextlib.suppress(OSError):
        lines = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
        names = f"{lines.get('ID', '')} {lines.get('ID_LIKE', '')}".replace('"', "").split()
        return bool({"debian", "ubuntu"} & set(names))
    return False


def install(console: Console, packages: list[str], what: str) -> None:
    """Installs Debian packages, after asking where there is somebody to ask."""
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or not is_debian():
        raise SetupError(f"{what} is missing", f"sudo {command}")
    if not console.confirm(f"Install {what}?  {command}"):
        raise SetupError(f"{what} is needed", f"install it yourself:  {command}", "and then:  make setup")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    log = paths.TOOLS / "setup.log"
    log.parent.mkdir(exist_ok=True)
    console.run("apt-get update", ["apt-get", "update"], environment=quiet, log=log)
    console.run(
        command,
        ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", *packages],
        environment=quiet,
        log=log,
    )


def check(choices: Choices) -> str | None:
    """What is missing, or None."""
    host = choices.environment.get("DOCKER_HOST", DEFAULT)
    return None if version(host, choices.exported()) else f"no Docker engine answers at {host}"
