"""docker.Container through its life on a real engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from slipway_offline.docker_provider.container import Container
from slipway_offline.docker_provider.engine import Engine
from slipway_offline.docker_provider.volume import Volume
from slipway_offline.resource import Call, InitError, OperationError, Resource, Values

from tests.support.base_images import base_image
from tests.support.waiting import wait_until

Make = Callable[[Resource, Values], tuple[str, Values]]
SLEEP = ["sleep", "600"]


@pytest.fixture
def container(engine: Engine) -> Container:
    return Container(engine)


def inputs(name: str, **more: Any) -> Values:
    return {"name": name, "image": base_image("python"), "command": SLEEP} | more


def files_of(engine: Engine, container_id: str, path: str) -> str:
    command = engine.exec_create(container_id, ["sh", "-c", f"stat -c '%a %u %g' {path} && cat {path}"])
    return engine.exec_start(command["Id"]).decode()


# -- health

def test_a_wait_ends_when_the_container_is_healthy(container: Container, make: Make, name: str, engine: Engine) -> None:
    container_id, _ = make(container, inputs(name, wait=True, waitTimeout=20, healthcheck={
        "tests": ["CMD", "true"], "interval": "200ms", "retries": 3}))
    assert engine.inspect_container(container_id)["State"]["Health"]["Status"] == "healthy"


def test_a_container_that_never_gets_healthy_is_kept_and_the_error_says_what_was_seen(
    container: Container, make: Make, name: str, engine: Engine,
) -> None:
    start = time.monotonic()
    with pytest.raises(InitError) as caught:
        make(container, inputs(name, command=["sh", "-c", "echo up; sleep 600"], wait=True, waitTimeout=3, healthcheck={
            "tests": ["CMD-SHELL", "echo no database; exit 1"], "interval": "200ms", "retries": 1}))
    assert 3 <= time.monotonic() - start < 8
    assert str(caught.value) == (
        f"container {name}: wait: container failed to be in healthy state: after 3 s it is unhealthy (running); "
        "the last check said: no database; its last output: up")
    assert engine.inspect_container(caught.value.resource_id)["State"]["Running"]
    assert caught.value.outputs["__unfinished"] == "wait"


def test_waiting_without_a_health_check_fails_at_once(container: Container, make: Make, name: str) -> None:
    with pytest.raises(InitError, match="neither the container nor its image has a health check"):
        make(container, inputs(name, wait=True))


def test_a_wait_ends_when_the_run_is_interrupted(container: Container, make: Make, name: str, call: Call) -> None:
    threading.Timer(0.5, call.cancelled.set).start()
    start = time.monotonic()
    with pytest.raises(InitError, match="interrupted while waiting for health"):
        make(container, inputs(name, wait=True, healthcheck={"tests": ["CMD", "false"], "interval": "1m0s"}))
    assert time.monotonic() - start < 10


# -- files

def test_uploads_arrive_with_mode_owner_and_content(
    container: Container, make: Make, name: str, engine: Engine,
) -> None:
    container_id, _ = make(container, inputs(name, uploads=[
        {"file": "/srv/new/folder/secret", "content": "hüsh", "permissions": "0400", "owner": "10001", "group": "33"}]))
    assert files_of(engine, container_id, "/srv/new/folder/secret") == "400 10001 33\nhüsh"


def test_an_upload_into_a_read_only_root_is_refused_and_leaves_a_container_that_is_replaced(
    container: Container, make: Make, name: str, engine: Engine, call: Call,
) -> None:
    given = inputs(name, readOnly=True, entrypoints=["sleep"], uploads=[{"file": "/etc/x", "content": "y"}])
    with pytest.raises(InitError, match="uploads: container rootfs is marked read-only") as caught:
        make(container, given)
    assert engine.inspect_container(caught.value.resource_id)["State"]["Status"] == "created"
    read = container.read(call, caught.value.resource_id, caught.value.outputs, given)
    assert read is not None
    for state in (caught.value.outputs, read[0]):
        assert ("uploads", True) in [(c.path, c.replaces) for c in container.changes(given, state, given)]


def test_files_can_be_put_into_a_volume_by_a_container_that_never_runs(
    container: Container, make: Make, name: str, engine: Engine,
) -> None:
    make(Volume(engine), {"name": name})
    make(container, inputs(f"{name}-seed", start=False, mustRun=False, volumes=[
        {"volumeName": name, "containerPath": "/seed"}], uploads=[{"file": "/seed/a", "content": "b"}]))
    container_id, _ = make(container, inputs(name, readOnly=True, volumes=[
        {"volumeName": name, "containerPath": "/data", "readOnly": True}]))
    assert files_of(engine, container_id, "/data/a") == "644 0 0\nb"


def test_anonymous_volumes_go_with_the_container(
    container: Container, make: Make, name: str, engine: Engine, call: Call,
) -> None:
    container_id, outputs = make(container, inputs(name, start=False, volumes=[{"containerPath": "/v"}]))
    volume = engine.inspect_container(container_id)["Mounts"][0]["Name"]
    container.delete(call, container_id, outputs)
    assert volume not in [found["Name"] for found in engine.volumes()["Volumes"] or ()]


# -- jobs

def test_a_job_gives_out_its_exit_code_and_both_its_streams(container: Container, make: Make, name: str) -> None:
    _, outputs = make(container, inputs(name, command=["sh", "-c", "echo out; echo err >&2; exit 3"], attach=True,
                                        logs=True, mustRun=False))
    assert outputs["exitCode"] == 3
    assert sorted(outputs["containerLogs"].split()) == ["err", "out"]


def test_a_job_that_removes_itself_still_gives_out_its_log(
    container: Container, make: Make, name: str, call: Call,
) -> None:
    container_id, outputs = make(container, inputs(name, command=["echo", "done"], attach=True, logs=True, rm=True,
                                                   mustRun=False))
    assert outputs["containerLogs"] == "done\n"
    wait_until("it is gone", lambda: container.read(call, container_id, outputs, {"name": name}) is None, 10)


def test_a_job_that_takes_too_long_is_kept_and_fails(
    container: Container, make: Make, name: str, engine: Engine, call: Call,
) -> None:
    hurried = Call(call.urn, call.cancelled, call.log, call.status, timeout=1)
    with pytest.raises(InitError, match="attach: the run did not end within 1 s") as caught:
        container.create(hurried, inputs(name, attach=True))
    container.delete(call, caught.value.resource_id, caught.value.outputs)


# -- the end

@pytest.mark.parametrize(("grace", "code"), [({"destroyGraceSeconds": 20}, 0), ({}, 137)])
def test_the_grace_in_the_state_decides_whether_a_container_may_finish(
    container: Container, make: Make, name: str, engine: Engine, call: Call, grace: Values, code: int,
) -> None:
    """Seen in the engine's own record of the end: the container itself is gone by then."""
    slow = ["sh", "-c", "trap 'sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.1; done"]
    container_id, outputs = make(container, inputs(name, command=slow) | grace)
    wait_until("it listens to signals", lambda: b"ready" in engine.logs(container_id), 10)
    start = time.time()
    container.delete(call, container_id, outputs)
    ends = engine.events(since=int(start) - 1, until=int(time.time()) + 1, decode=True,
                         filters={"container": container_id, "event": "die"})
    assert [event["Actor"]["Attributes"]["exitCode"] for event in ends] == [str(code)]


def test_what_is_gone_already_can_be_deleted(container: Container, make: Make, name: str, call: Call) -> None:
    container_id, outputs = make(container, inputs(name, start=False))
    container.delete(call, container_id, outputs)
    container.delete(call, container_id, outputs)


# -- changes in place

def test_limits_and_restart_policy_change_in_place_and_nothing_else_does(
    container: Container, make: Make, name: str, engine: Engine, call: Call,
) -> None:
    old = inputs(name, memory=64, memorySwap=64)
    container_id, state = make(container, old)
    new = old | {"memory": 80, "memorySwap": 96, "restart": "always", "cpuShares": 512, "init": True}
    outputs = container.update(call, container_id, state, new)
    host = engine.inspect_container(container_id)["HostConfig"]
    assert (host["Memory"], host["MemorySwap"]) == (80 * 2**20, 96 * 2**20)
    assert (host["RestartPolicy"]["Name"], host["CpuShares"], host.get("Init")) == ("always", 512, None)
    assert container.changes(new, outputs, new) == []
    read = container.read(call, container_id, outputs, new)
    assert read is not None
    assert [change.path for change in container.changes(read[1], read[0], new)] == ["init"]


def test_memory_alone_differs_by_the_swap_that_the_engine_chose_until_an_update(
    container: Container, make: Make, name: str, call: Call,
) -> None:
    given = inputs(name, memory=64)
    container_id, state = make(container, given)
    assert [change.path for change in container.changes(given, state, given)] == ["memorySwap"]
    outputs = container.update(call, container_id, state, given)
    assert container.changes(given, outputs, given) == []
    read = container.read(call, container_id, outputs, given)
    assert read is not None
    assert [change.path for change in container.changes(read[1], read[0], given)] == ["memorySwap"]


def test_a_stopped_container_is_started_by_the_update_after_a_refresh(
    container: Container, make: Make, name: str, engine: Engine, call: Call,
) -> None:
    given = inputs(name)
    container_id, state = make(container, given)
    engine.stop(container_id, timeout=0)
    assert container.changes(given, state, given) == [], "without a refresh nobody has looked"
    read = container.read(call, container_id, state, given)
    assert read is not None
    assert [(c.path, c.replaces) for c in container.changes(read[1], read[0], given)] == [("mustRun", False)]
    container.update(call, container_id, read[0], given)
    assert engine.inspect_container(container_id)["State"]["Running"]


def test_an_image_that_does_not_exist_is_named_and_no_container_made(
    container: Container, make: Make, name: str, engine: Engine,
) -> None:
    missing = "sha256:" + "0" * 64
    with pytest.raises(OperationError, match=f"image {missing} is not on this engine"):
        make(container, inputs(name, image=missing))
    assert engine.containers(all=True, filters={"name": name}) == []
