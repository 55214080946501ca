"""What was changed behind Pulumi's back: what only a refresh sees, and what nothing sees."""

from __future__ import annotations

from tests.contract.conftest import NewProject
from tests.support import engine
from tests.support.waiting import wait_until

PROGRAM = """
import pulumi_docker as docker
from contract import WELL, container, idle, named

network = docker.Network(named("network"))
checked = {"healthcheck": WELL, "wait": True, "wait_timeout": 20}
container("stopped")
container("removed", **checked)
container("unhealthy", **checked)
idle("limited", memory=64, memory_swap=64)
container("disconnected", networks_advanced=[{"name": network.name}])
"""
NAMES = ("stopped", "removed", "unhealthy", "limited", "disconnected")


def test_a_plain_run_sees_no_drift_and_a_refresh_repairs_some_of_it(new_project: NewProject) -> None:
    project = new_project(PROGRAM)
    project.up()
    old = project.ids(*NAMES)
    stopped, unhealthy, limited = (project.container(name) for name in ("stopped", "unhealthy", "limited"))
    disconnected = project.container("disconnected")
    stopped.stop(timeout=5)
    project.container("removed").remove(force=True)
    engine.run_in(unhealthy, "rm", "/tmp/well")
    limited.update(mem_limit="96m", memswap_limit="96m")
    (network,) = disconnected.attrs["NetworkSettings"]["Networks"]
    engine.client().networks.get(network).disconnect(disconnected)
    wait_until("the container is unhealthy", lambda: engine.health(unhealthy) == "unhealthy", 15)

    assert project.plan() == {}
    assert project.plan("--refresh") == {"stopped": "update", "removed": "create", "limited": "update"}
    project.up("--refresh")
    new = project.ids(*NAMES)
    assert {name for name in NAMES if new[name] != old[name]} == {"removed"}
    stopped.reload()
    assert stopped.status == "running"
    assert engine.health(project.container("removed")) == "healthy", "the run waited for it"
    limited.reload()
    assert limited.attrs["HostConfig"]["Memory"] == limited.attrs["HostConfig"]["MemorySwap"] == 64 * 2**20

    assert project.plan("--refresh") == {}, "an unhealthy or disconnected container is for others to find"
    assert engine.health(unhealthy) == "unhealthy"
    assert project.container("disconnected").attrs["NetworkSettings"]["Networks"] == {}
