#!/usr/bin/env python3
"""A current Docker engine (Debian testing's) beside the machine's own, for tests.

    python3 offline/engine/engine.py run -- COMMAND …    starts it, runs COMMAND beside it, stops it
    python3 offline/engine/engine.py start | stop | status | address

With `--store containerd` before `run` or `start` it keeps images in the containerd image store, the default of Docker
29; else in the storage driver overlay2.

It runs in a root, a mount namespace and a network namespace of its own and shares nothing with the other engine but
the kernel. COMMAND runs in the same network namespace, so ports that containers publish on 127.0.0.1 answer there, and
finds the engine's address in SLIPWAY_ENGINE. The project's folder and /tmp can be bind-mounted into containers.

Everything lies in `$XDG_CACHE_HOME/slipway/engine`; `stop` ends every process of it and removes that folder, the
network namespace and its firewall rules. Needs root, and the machine's own engine (docker on PATH), which provides the
files and the base images.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import processes

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
BUILD_IMAGES = PROJECT / "offline" / "images" / "build_images.py"
IMAGE = "slipway.invalid/engine:28"
STATE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway" / "engine"
ROOT, LOG, PID = STATE / "root", STATE / "dockerd.log", STATE / "pid"
ADDRESS = f"unix://{STATE / 'socket' / 'docker.sock'}"
NETWORK = "slipway-engine"  # its control group, below which its containers are, has the same name
STORES = {
    "overlay2": ("--storage-driver", "overlay2"),
    "containerd": ("--storage-driver", "overlayfs", "--feature", "containerd-snapshotter=true"),
}
"""Where it keeps images: the flags of dockerd, the second of which is the driver that it then reports."""
NAMESPACE = Path("/run/netns", NETWORK)


class EngineError(Exception):
    """The engine cannot be started or stopped; the message says why."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(*command: str | Path) -> str:
    """Runs a short command and returns what it wrote; raises EngineError when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"`{' '.join(map(str, command))}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def succeeds(*command: str | Path) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return reached


def on_engine(*arguments: str) -> tuple[str, ...]:
    """A docker command for this engine, whatever context or DOCKER_HOST the user has."""
    return ("docker", "--host", ADDRESS, *arguments)


def answers() -> bool:
    return succeeds(*on_engine("version"))


def make_root() -> None:
    """Lays out the engine's files, from an image of the machine's own engine."""
    with subprocess.Popen([sys.executable, BUILD_IMAGES, "engine"], stdout=sys.stderr) as build:
        if build.wait():
            raise EngineError("the engine's files could not be made from Debian packages")
    for folder in (ROOT, STATE / "mount", STATE / "data", STATE / "socket"):
        folder.mkdir(parents=True)
    container = run("docker", "create", IMAGE).strip()
    try:
        pipe(["docker", "export", container], ["tar", "--extract", "--directory", str(ROOT)])
    finally:
        run("docker", "rm", container)
    # A resolver on the host's loopback cannot be reached from another network namespace; this file names the real ones.
    resolved = Path("/run/systemd/resolve/resolv.conf")
    shutil.copy(resolved if resolved.exists() else "/etc/resolv.conf", ROOT / "etc/resolv.conf")
    shutil.copy("/etc/hosts", ROOT / "etc/hosts")


def pipe(source: list[str], target: list[str]) -> None:
    with subprocess.Popen(source, stdout=subprocess.PIPE) as writer:
        reader = subprocess.run(target, stdin=writer.stdout, capture_output=True, text=True, check=False)
    if writer.returncode or reader.returncode:
        raise EngineError(f"{source[0]} {source[1]} | {target[0]} failed: {reader.stderr.strip()}")


def base_images() -> list[str]:
    """The images that builds start from, as set-up chose them; those that this machine has."""
    try:
        chosen = json.loads((PROJECT / ".slipway" / "choices.json").read_text())["base_images"]
    except (OSError, ValueError, KeyError):
        lines = run(sys.executable, BUILD_IMAGES, "--status").splitlines()
        chosen = {line.split()[0]: line.split()[1] for line in lines}
    return [image for image in chosen.values() if succeeds("docker", "image", "inspect", image)]


def start(store: str) -> None:
    """Starts the engine unless it answers, with the machine's base images in it; whole or not at all."""
    if answers():
        if run(*on_engine("info", "--format", "{{.Driver}}")).strip() != STORES[store][1]:
            raise EngineError(f"it runs with another store than {store}: stop it first")
        return
    stop()
    say(f"Docker of Debian testing: laying out its root in {STATE}")
    try:
        make_root()
        run(HERE / "network.sh", "up", NETWORK)
        start_daemon(STORES[store])
        images = base_images()
        say(f"copying {', '.join(images)} into it")
        pipe(["docker", "save", *images], list(on_engine("load")))
    except BaseException:
        stop()
        raise
    say(f"Docker {run(*on_engine('version', '--format', '{{.Server.Version}}')).strip()} answers at {ADDRESS}")


def start_daemon(flags: tuple[str, ...]) -> None:
    with LOG.open("w") as log:
        daemon = subprocess.Popen(
            ["nsenter", f"--net={NAMESPACE}", "unshare", "--mount", HERE / "enter_root.sh", STATE, PROJECT, NETWORK,
             *flags],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")
    PID.write_text(str(daemon.pid))  # every step to dockerd is an exec: the number stays
    if not wait_until(lambda: answers() or daemon.poll() is not None, 60) or daemon.poll() is not None:
        raise EngineError(f"the engine does not answer; its last lines:\n{LOG.read_text()[-2000:]}")


def stop() -> None:
    """Ends every process of the engine and removes all that it made; also after a start or a stop that broke off."""
    if answers():
        if containers := run(*on_engine("ps", "--all", "--quiet")).split():
            succeeds(*on_engine("rm", "--force", "--volumes", *containers))  # else the daemon ends them
        daemon = int(PID.read_text())
        processes.end([daemon] if daemon in processes.rooted_in(ROOT) else [], signal.SIGTERM)
        wait_until(lambda: not processes.rooted_in(ROOT), 30)
    processes.end(processes.rooted_in(ROOT), signal.SIGKILL)
    if not wait_until(lambda: not processes.rooted_in(ROOT), 10):
        raise EngineError(f"processes {processes.rooted_in(ROOT)} of the engine do not end")
    run(HERE / "network.sh", "down", NETWORK)
    # Other containers' groups come and go meanwhile, which `find` counts as a failure.
    succeeds("find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", f"*/{NETWORK}*", "-delete")
    # What is mounted was mounted in the engine's own namespace. Should any of it be visible here, removing the folder
    # would remove the project.
    if f" {STATE}/" in Path("/proc/self/mounts").read_text():
        raise EngineError(f"something is mounted below {STATE}: unmount it, then remove the folder")
    if STATE.exists():
        shutil.rmtree(STATE)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    STATE.parent.mkdir(parents=True, exist_ok=True)
    with STATE.with_name("engine.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another command with this engine")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_beside(command: list[str], store: str) -> int:
    """Runs a command in the engine's network namespace; its exit code. An engine that ran before goes on running."""
    running = answers()
    start(store)
    try:
        beside = ["nsenter", f"--net={NAMESPACE}", "--", *command]
        with subprocess.Popen(beside, env={**os.environ, "SLIPWAY_ENGINE": ADDRESS}) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:  # a terminal's Ctrl-C has reached the command as well: its tidying up first
                process.terminate()
                return process.wait() or 130
    finally:
        if not running:
            stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", choices=STORES, default="overlay2", help="where a started engine keeps images")
    parser.add_argument("action", choices=["run", "start", "stop", "status", "address"])
    parser.add_argument("command", nargs=argparse.REMAINDER, help="for run: -- COMMAND …")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if asked.action == "address":
        print(ADDRESS)
        return 0
    if asked.action == "status":
        up = answers()
        print(f"running, {ADDRESS}, process {PID.read_text()}" if up else "not running")
        return 0 if up else 1
    needed = [tool for tool in ("docker", "ip", "iptables", "nsenter", "unshare", "tar") if not shutil.which(tool)]
    if os.geteuid() != 0 or needed:
        say(f"error: a second engine needs root{''.join(f' and {tool}' for tool in needed)}")
        return 1
    try:
        with only_one():
            if asked.action == "run":
                command = [word for number, word in enumerate(asked.command) if number or word != "--"]
                return run_beside(command, asked.store)
            if asked.action == "start":
                start(asked.store)
            else:
                stop()
    except EngineError as problem:
        say(f"error: {problem}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
