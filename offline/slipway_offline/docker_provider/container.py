"""docker.Container."""

# What a base class passes is not always wanted.
# ruff: noqa: ARG002
from __future__ import annotations

import re
import time
from typing import Any, ClassVar

from docker.errors import APIError, DockerException, NotFound
from requests import RequestException

from slipway_offline.properties import Change, Problem, Schema, differences
from slipway_offline.resource import Call, InitError, OperationError, Resource, Values
from slipway_offline.values import UNKNOWN

from . import container_uploads
from .container_job import Logs, wait_for_end
from .container_properties import CONTAINER, NEEDS_API
from .container_spec import container_config, endpoint, limits
from .container_state import LIVE, drift, outputs_of
from .engine import Engine, reason
from .images import available
from .units import as_read, duration, go_duration

HEALTH_PAUSE = 1  # seconds between two looks at a container's health, as the genuine plugin has it
LIMITS = frozenset({"restart", "maxRetryCount", "memory", "memorySwap", "memoryReservation", "cpuShares", "cpuSet"})

# Our note in the state of a container whose making failed: the step at which it did. After one that is not WAIT it may
# lack files or networks, or never have run, so the next run replaces it. WAIT is left to what the program says about
# #initerror, like the genuine plugin.
UNFINISHED = "__unfinished"
WAIT = "wait"
# Mistakes in these show only when the container starts; by what the engine then says.
SHOWN_AT_START = {
    "ports": "port is already allocated|address already in use", "networksAdvanced": "network .* not found"}


class Container(Resource):
    token = "docker:index/container:Container"  # noqa: S105
    properties: ClassVar[Schema] = CONTAINER
    outputs = ("bridge", "containerLogs", "exitCode", "networkDatas")
    delete_first = True
    autoname = True

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def check(self, inputs: Values) -> list[Problem]:
        found = container_uploads.problems(inputs.get("uploads"))
        for path, needed in NEEDS_API.items():
            top, key = path.split(".")
            items = inputs.get(top) if isinstance(inputs.get(top), list) else [inputs.get(top)]
            if self.engine.api < needed and any(isinstance(item, dict) and item.get(key) for item in items or ()):
                wanted, has = (".".join(map(str, version)) for version in (needed, self.engine.api))
                found.append(Problem(top, f"{path} needs an engine with API {wanted}; this one has {has}"))
        return found

    def planned(self, inputs: Values) -> Values:
        outputs = super().planned(inputs)
        if isinstance(outputs.get("ports"), list):
            outputs["ports"] = [{"external": UNKNOWN} | port if isinstance(port, dict) else port
                                for port in outputs["ports"]]
        return outputs

    def planned_update(self, old: Values, inputs: Values) -> Values:
        """An update leaves the ports alone, those that the engine chose included."""
        return super().planned_update(old, inputs) | {key: old[key] for key in ("ports",) if key in old}

    # -- what has changed

    def changes(self, old_inputs: Values, state: Values, new: Values) -> list[Change]:
        """Against the old inputs as the genuine plugin would have read them back, its blind spots included."""
        unset = {key: state[key] for key, (_, absent) in LIVE.items() if key not in old_inputs
                 and state.get(key) not in (None, absent)}
        found = differences(self.properties, unset | normalised(old_inputs), new)
        step = state.get(UNFINISHED)
        if step == WAIT and not new.get("entrypoints"):
            # The genuine plugin has not read a container that failed to get healthy, so it misses the entry point
            # that the engine chose, and replaces. With one in the program it misses nothing.
            found.append(Change("entrypoints", None, UNKNOWN, replaces=True))
        elif step not in (None, WAIT):
            found.append(Change(step, None, new.get(step, UNKNOWN), replaces=True))
        return found

    # -- operations

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        files = container_uploads.archive(inputs["uploads"]) if inputs.get("uploads") else None
        container_id, step, logs = self.made(inputs), "networksAdvanced", None
        try:  # from here on there is a container, so whatever goes wrong leaves it in the state
            self.connect(container_id, inputs.get("networksAdvanced") or [])
            step = "uploads"
            if files:
                self.engine.put_archive(container_id, "/", files)
            step = "start"
            if inputs.get("start", True):
                logs = Logs(self.engine, container_id) if inputs.get("attach") and inputs.get("logs") else None
                self.engine.start(container_id)
                step = WAIT
                if inputs.get("wait"):
                    self.wait_for_health(call, container_id, inputs.get("waitTimeout", 60))
                step = "attach"
                if inputs.get("attach"):
                    wait_for_end(self.engine, call, container_id)
            text = {"containerLogs": logs.text()} if logs else {}
            return container_id, self.described(container_id, inputs) | text
        except (OperationError, DockerException, RequestException, OSError) as error:
            message = f"container {inputs['name']}: {self.failure(step, error)}"
            raise InitError(message, container_id, inputs | {UNFINISHED: step}) from error

    def made(self, inputs: Values) -> str:
        available(self.engine, inputs["image"])
        try:
            return self.engine.make_container(container_config(inputs), inputs["name"])
        except APIError as error:
            raise OperationError(f"container {inputs['name']} cannot be created: {reason(error)}") from error

    def connect(self, container_id: str, networks: list[Values]) -> None:
        """Takes the container off the default network and onto its own ones."""
        if networks:
            try:
                self.engine.disconnect_container_from_network(container_id, "bridge")
            except APIError as error:
                if "is not connected to" not in reason(error):
                    raise
        for network in sorted(networks, key=lambda network: str(network["name"])):
            self.engine.ask(f"/networks/{network['name']}/connect",
                             {"Container": container_id, "EndpointConfig": endpoint(network)})

    def wait_for_health(self, call: Call, container_id: str, seconds: float) -> None:
        """Until the container is healthy. Neither an unhealthy one nor one that has ended is given up before the time
        is over: it may come back."""
        deadline, shown = time.monotonic() + seconds, ""
        while True:
            state = self.engine.inspect_container(container_id)["State"]
            if "Health" not in state:
                raise OperationError("wait is set, but neither the container nor its image has a health check")
            status = state["Health"]["Status"]
            if status == "healthy":
                return
            if shown != (shown := f"waiting for health: {status} ({state['Status']})"):
                call.status(shown)
            if call.cancelled.wait(min(HEALTH_PAUSE, max(0.0, deadline - time.monotonic()))):
                raise OperationError("interrupted while waiting for health")
            if time.monotonic() >= deadline:
                said = (state["Health"].get("Log") or [{}])[-1].get("Output", "").strip()
                log = self.engine.logs(container_id, tail=5).decode(errors="replace").strip()
                raise OperationError(
                    f"container failed to be in healthy state: after {seconds:g} s it is {status} ({state['Status']}); "
                    f"the last check said: {said or 'nothing'}; its last output: {log or 'none'}")

    def described(self, container_id: str, inputs: Values) -> Values:
        try:
            found = self.engine.inspect_container(container_id)
        except NotFound:  # `rm` has taken it away at its end
            if not inputs.get("rm"):
                raise
            return dict(inputs)
        extra = {key: read(found) for key, (read, absent) in LIVE.items()
                 if key not in inputs and read(found) != absent}
        return extra | outputs_of(found, inputs)

    def read(self, call: Call, resource_id: str, state: Values, inputs: Values) -> tuple[Values, Values] | None:
        try:
            found: Values = self.engine.inspect_container(resource_id)
        except NotFound:
            return None
        imported = inputs or {"name": found["Name"].lstrip("/"), "image": found["Config"]["Image"]}
        seen = drift(found, imported)
        kept = {key: state[key] for key in ("containerLogs",) if key in state}
        if state.get(UNFINISHED) not in (None, WAIT):
            kept[UNFINISHED] = state[UNFINISHED]
        return outputs_of(found, imported) | kept | seen, imported | seen

    def update(self, call: Call, resource_id: str, old: Values, inputs: Values) -> Values:
        """The engine can change limits and the restart policy. Healthcheck, tmpfs, init and processor quotas change in
        the state alone, as with the genuine plugin: programs list them in replace_on_changes."""
        changed = {change.top for change in differences(self.properties, old, inputs)}
        if changed & LIMITS:
            self.engine.ask(f"/containers/{resource_id}/update", limits(inputs))
        if inputs.get("mustRun", True) and old.get("mustRun") is False:
            self.engine.start(resource_id)
        found = self.engine.inspect_container(resource_id)
        return outputs_of(found, inputs) | {"containerLogs": old.get("containerLogs")}

    def delete(self, call: Call, resource_id: str, state: Values) -> None:
        """Stops with the grace that is in the state, none by default, then removes. A one-shot run is not stopped but
        removed."""
        try:
            if not state.get("attach"):
                self.engine.stop(resource_id, timeout=state.get("destroyGraceSeconds") or 0)
            self.engine.remove_container(resource_id, v=state.get("removeVolumes", True), force=True)
        except NotFound:
            return
        except APIError as error:  # AutoRemove is quicker than we are
            if "is already in progress" not in reason(error):
                raise

    def failure(self, step: str, error: Exception) -> str:
        """The error, under the property that it is about."""
        text = self.engine.explain(error)
        blamed = [name for name, sign in SHOWN_AT_START.items() if step == "start" and re.search(sign, text)]
        return f"{[*blamed, step][0]}: {text}"


def normalised(inputs: Values) -> Values:
    """`inputs` in the engine's notation: whoever writes "60s" or "1" where it says "1m0s" and "1.0" sees a change at
    each run, as with the genuine plugin."""
    result = dict(inputs)
    if inputs.get("cpus"):
        result["cpus"] = as_read(inputs["cpus"])
    if isinstance(inputs.get("healthcheck"), dict):
        result["healthcheck"] = {key: _go(key, value) for key, value in inputs["healthcheck"].items()}
    return result


def _go(key: str, value: Any) -> Any:
    durations = ("interval", "timeout", "startPeriod", "startInterval")
    return go_duration(duration(value)) if key in durations and value else value
