"""How long a container that is replaced may take to finish the requests that it has."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from docker.models.containers import Container

from tests.contract.conftest import NewProject
from tests.support import engine

PROGRAM = """
from contract import container

version, late = ["VERSION=one"], {}
side_by_side = {"delete_before_replace": False}
container("graceful", side_by_side, envs=version, destroy_grace_seconds=20)
container("killed", side_by_side, envs=version)
container("too-late", side_by_side, envs=version, **late)
container("visitor", command=["sleep", "infinity"])
"""
NAMES = ("graceful", "killed", "too-late")


def slow_request(pool: ThreadPoolExecutor, visitor: Container, server: Container) -> Future[tuple[int, str]]:
    """A request, made inside the engine's network, that is answered one second after the server is told to stop."""
    url = f"http://{engine.address(server)}:8000/slow"
    ask = f"from urllib.request import urlopen; print(urlopen('{url}').read().decode())"
    request = pool.submit(engine.run_in, visitor, "python3", "-c", ask)
    engine.wait_for_log(server, "a slow request is on its way", 10)
    return request


def test_a_request_is_finished_only_within_a_grace_that_the_state_had_before_the_replacement(
    new_project: NewProject,
) -> None:
    project = new_project(PROGRAM)
    project.up()
    visitor, old = project.container("visitor"), {name: project.container(name) for name in NAMES}
    for server in old.values():
        engine.wait_for_log(server, "ready", 10)
    with ThreadPoolExecutor() as pool:
        requests = {name: slow_request(pool, visitor, server) for name, server in old.items()}
        events = engine.Events(project.name)
        project.edit('["VERSION=one"], {}', '["VERSION=two"], {"destroy_grace_seconds": 20}')
        project.up()
        answers = {name: request.result(timeout=30) for name, request in requests.items()}
    assert answers["graceful"] == (0, "one\n"), "the old version answered what was asked of it"
    for name in ("killed", "too-late"):
        assert answers[name][0] != 0, answers[name]
    assert events.exit_codes() == {old["graceful"].id: "0", old["killed"].id: "137", old["too-late"].id: "137"}
