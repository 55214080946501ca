"""The operator's command with a `pulumi` that is a script and an engine that is a list: what it runs, and in which
order, without anything being deployed."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from click.testing import CliRunner, Result
from docker.errors import APIError, ImageNotFound, NotFound

from slipway.cli.__main__ import main
from slipway.engine.lock import LABEL

PULUMI = """\
#!{python} -SE
import json, os, pathlib, sys
book = pathlib.Path(os.environ["FAKE_PULUMI"])
arguments = sys.argv[1:]
words = [word for word in arguments if not word.startswith(("-", "/"))]
config = pathlib.Path(arguments[arguments.index("--config-file") + 1]) if "--config-file" in arguments else None
with (book / "calls").open("a") as calls:
    calls.write(json.dumps({
        "arguments": arguments, "config": config.read_text() if config else None, "folder": os.getcwd(),
        "niceness": os.nice(0),
        "environment": {name: value for name, value in os.environ.items() if name.startswith("PULUMI")}}) + "\\n")
if config:
    config.write_text(config.read_text() + "encryptionsalt: v1:salt\\n")
state = book / "state.json"
if "export" in words:
    if not state.exists():
        sys.exit("error: no stack named 'dev' found")
    print(state.read_text())
elif "init" in words:
    state.write_text("{}")
elif "history" in words:
    result = book / "result"
    ended = result.read_text() if result.exists() else "succeeded"
    began = "2026-01-02T03:04:05.000Z" if (book / "refused").exists() else "2999-01-02T03:04:05.000Z"
    print(json.dumps([{"kind": "update", "result": ended, "startTime": began, "endTime": "2026-01-02T03:04:05Z",
                       "resourceChanges": {"create": 2, "same": 1}}]))
else:
    print("said by pulumi " + words[0])
recorded = book / f"{words[0]}.state"
if recorded.exists():
    recorded.replace(state)
said = book / f"{words[0]}.said"
if said.exists():
    sys.exit(said.read_text())
events = book / "events"
if "--event-log" in arguments and os.environ.get("PULUMI_DEBUG_COMMANDS") != "true":
    sys.exit("error: unknown flag: --event-log")
if "--event-log" in arguments and events.exists():
    pathlib.Path(arguments[arguments.index("--event-log") + 1]).write_text(events.read_text())
code = book / f"{words[0]}.code"
sys.exit(int(code.read_text()) if code.exists() else 0)
"""
URN = "urn:pulumi:dev::site::"


class FakeContainer:
    """A container as docker-py hands it out; what was done to it is in the engine's list `done`."""

    def __init__(self, engine: FakeEngine, name: str, service: str, **described: Any) -> None:
        self.engine, self.name, self.id = engine, name, described.get("id", f"id-of-{name}")
        self.status = described.get("status", "running")
        self.labels = {"slipway.project": "site", "slipway.service": service, **described.get("labels", {})}
        health = {"Health": {"Status": described["health"]}} if "health" in described else {}
        self.attrs: dict[str, Any] = {
            "State": {
                "StartedAt": "2026-01-02T03:04:05.6Z",
                "ExitCode": described.get("exit_code", 0),
                **health,
            },
            "Config": {
                "StopTimeout": described.get("grace"),
                "Image": "sha256:1",
                "Labels": self.labels,
            },
            "NetworkSettings": {"Ports": {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8006"}]}},
            "RestartCount": 0,
            "Image": "sha256:1",
            "Mounts": [{"Destination": target} for target in described.get("mounts", ())],
        }
        self.log: bytes = described.get("log", b"")
        self.files: dict[str, str] = {}

    def stop(self, timeout: int) -> None:
        self.engine.done.append(f"stop {self.name} within {timeout}")

    def remove(self, **_options: Any) -> None:
        self.engine.done.append(f"remove {self.name}")
        self.engine.containers.remove(self)

    def get_archive(self, path: str) -> tuple[Any, dict[str, Any]]:
        if path not in self.files:
            raise NotFound(path)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(path.rpartition("/")[2])
            entry.size = len(self.files[path].encode())
            archive.addfile(entry, io.BytesIO(self.files[path].encode()))
        return iter((packed.getvalue(),)), {}

    def logs(self, **_options: Any) -> bytes:
        return self.log


@dataclass
class FakeEngine:
    containers: list[FakeContainer] = field(default_factory=list)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    images: set[str] = field(default_factory=set)
    in_use: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    locks: dict[str, SimpleNamespace] = field(default_factory=dict)
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, 600, UTC)

    def add(self, name: str, service: str, **described: Any) -> FakeContainer:
        self.containers.append(FakeContainer(self, name, service, **described))
        return self.containers[-1]

    def client(self) -> Any:
        return SimpleNamespace(
            containers=SimpleNamespace(list=lambda **_: list(self.containers)),
            networks=SimpleNamespace(list=lambda **_: self._things("network", self.networks)),
            volumes=SimpleNamespace(list=self._list_volumes, create=self.create, get=self._volume),
            info=lambda: {"SystemTime": self.now.isoformat()},
            images=SimpleNamespace(get=self._image, remove=self._remove("image", self.tags)),
            api=SimpleNamespace(images=self._listed),
        )

    def create(self, name: str, labels: dict[str, str], *, age: float = 0) -> SimpleNamespace:
        """A lock's volume, made `age` seconds ago."""
        made = {"Labels": labels, "CreatedAt": (self.now - timedelta(seconds=age)).isoformat(timespec="seconds")}
        self.locks[name] = SimpleNamespace(name=name, attrs=made, remove=lambda: self.locks.pop(name))
        return self.locks[name]

    def _list_volumes(self, filters: dict[str, Any] | None = None) -> list[Any]:
        wanted = (filters or {}).get("label")
        if isinstance(wanted, str):
            return [each for each in self.locks.values() if wanted == f"{LABEL}={each.attrs['Labels'][LABEL]}"]
        return self._things("volume", matching(self.volumes, wanted or ()))

    def _listed(self) -> list[dict[str, Any]]:
        """One image, which every container runs, with all the names; and one without any."""
        return [{"Id": "sha256:0", "RepoTags": None}, {"Id": "sha256:1", "RepoTags": list(self.tags)}]

    def _things(self, kind: str, held: dict[str, dict[str, Any]]) -> list[Any]:
        return [
            SimpleNamespace(
                name=name,
                id=f"id-of-{name}",
                attrs={"Labels": labels},
                remove=lambda n=name: self._remove(kind, self.volumes if kind == "volume" else held)(n),
            )
            for name, labels in held.items()
        ]

    def _remove(self, kind: str, held: Any) -> Callable[[str], None]:
        def remove(name: str) -> None:
            if name in self.in_use:
                raise APIError("in use", response=SimpleNamespace(status_code=409))  # type: ignore[arg-type]
            self.done.append(f"remove {kind} {name}")
            held.pop(name) if isinstance(held, dict) else held.remove(name)

        return remove

    def _volume(self, name: str) -> Any:
        if name not in self.volumes:
            raise NotFound(name)
        return SimpleNamespace(name=name)

    def _image(self, name: str) -> Any:
        if name not in self.images:
            raise ImageNotFound(name)
        return SimpleNamespace(tags=["named"])


def matching(held: dict[str, dict[str, Any]], labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Those that have no other values of these labels; here they need not have any."""
    wanted = dict(each.split("=") for each in labels if "=" in each)
    return {name: own for name, own in held.items() if all(own.get(k, v) == v for k, v in wanted.items())}


@dataclass
class Desk:
    """A project `site`, its pulumi's book, its engine, and the command."""

    root: Path
    book: Path
    engine: FakeEngine

    def run(self, *arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(main, [arguments[0], "--project", str(self.root), *arguments[1:]], input=typed)

    def calls(self) -> list[dict[str, Any]]:
        file = self.book / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def ran(self) -> list[str]:
        """The first word of each pulumi that changed something."""
        words = [[word for word in call["arguments"] if not word.startswith(("-", "/"))] for call in self.calls()]
        looked = {"export", "history", "output"}
        return [" ".join(each[:2]) if each[0] == "stack" else each[0] for each in words if not looked & set(each)]

    def call(self, word: str) -> dict[str, Any]:
        """The one pulumi with this word."""
        [found] = [call for call in self.calls() if word in call["arguments"]]
        return found

    def has_state(
        self, *resources: dict[str, Any], interrupted: bool = False, outputs: Any = None, after: str = ""
    ) -> None:
        """What is recorded: now, or `after` the next `pulumi <command>`."""
        stack = {"type": "pulumi:pulumi:Stack", "urn": URN + "stack", "outputs": outputs or {}}
        pending = [{"type": "creating", "resource": {}}] if interrupted else []
        deployment = {"resources": [stack, *resources], "pending_operations": pending}
        file = self.book / (f"{after}.state" if after else "state.json")
        file.write_text(json.dumps({"deployment": deployment}))

    def declares(self, **config: Any) -> None:
        """The configuration in Pulumi.yaml."""
        text = {"name": "site", "runtime": "python", "config": {key: {"default": v} for key, v in config.items()}}
        (self.root / "Pulumi.yaml").write_text(yaml.safe_dump(text))

    def ends_with(self, command: str, code: int) -> None:
        """From now on `pulumi <command>` ends with this exit code."""
        (self.book / f"{command}.code").write_text(str(code))

    def plans(self, *steps: dict[str, Any], error: str = "") -> None:
        """What every preview's events tell from now on: steps as `step` makes them, and an error."""
        events: list[dict[str, Any]] = [{"resourcePreEvent": {"metadata": each}} for each in steps]
        events.append({"summaryEvent": {"resourceChanges": dict(Counter(each["op"] for each in steps))}})
        if error:
            events.append({"diagnosticEvent": {"severity": "error", "message": f"{error}\n"}})
        (self.book / "events").write_text("".join(f"{json.dumps(event)}\n" for event in events))

    def locked_elsewhere(self, command: str, words: str) -> None:
        """From now on `pulumi <command>` fails with these words, as where another run has the lock of the backend."""
        (self.book / f"{command}.said").write_text(f"error: {words}")

    def refuses_to_begin(self) -> None:
        """From now on the newest entry of the stack's history is of an earlier run."""
        (self.book / "refused").touch()

    def last_run(self, result: str) -> None:
        """How the newest entry of the stack's history ended."""
        (self.book / "result").write_text(result)

    def lock(self, stack: str = "dev", **content: Any) -> None:
        folder = self.root.parent / "state/.pulumi/locks/organization/site" / stack
        folder.mkdir(parents=True)
        known = {"pid": 1, "username": "ada", "hostname": "here", "timestamp": "2026-01-02T03:04:05Z"}
        (folder / "1.json").write_text(json.dumps(known | content))


def container_resource(name: str, id_: str) -> dict[str, Any]:
    return {"type": "docker:index/container:Container", "urn": URN + name, "id": id_, "outputs": {"name": name}}


def image_resource(name: str, digest: str) -> dict[str, Any]:
    return {
        "type": "docker:index/image:Image",
        "urn": URN + name,
        "id": f"site-dev-{name}:latest",
        "outputs": {"repoDigest": digest},
    }


def step(operation: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    """A step of the engine's plan."""
    state = {"type": kind, "urn": URN + name, "inputs": more.pop("inputs", {}), **more.pop("state", {})}
    told: dict[str, Any] = {"op": operation, "urn": URN + name, "type": kind, "old": state, "new": state, **more}
    if operation == "create":
        del told["old"]
    if operation == "delete":
        del told["new"]
    return told
