"""What a release does to nginx before it may be switched."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from slipway.engine import switching
from slipway.engine.errors import Failure, Interrupted

PROPS = {"edge": "id", "directory": "/etc/nginx/live", "main": "/etc/nginx/nginx.conf", "gate_port": 8099}
ROUTES = {"routes.conf": "to the new ones"}


@pytest.mark.parametrize(("problem", "done"), [(Interrupted, []), (Failure, [ROUTES, "restarted"])])
def test_an_nginx_that_refuses_its_files_gets_the_releases_unless_the_run_was_interrupted(
    problem: type[Failure], done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[Any] = []

    def wait(*_: object) -> None:
        if not did:
            raise problem("nginx is not there")

    container = SimpleNamespace(
        name="edge",
        attrs={"State": {"ExitCode": switching.REFUSED}},
        reload=lambda: None,
        restart=lambda timeout: did.append("restarted"),  # noqa: ARG005
    )
    monkeypatch.setattr(switching, "find", lambda *_: container)
    monkeypatch.setattr(switching, "Edge", lambda *_: SimpleNamespace(workers=lambda: {1}, lay=did.append))
    monkeypatch.setattr(switching, "wait", wait)
    client: Any = None
    if done:
        switching.edge_of(client, PROPS, ROUTES)
    else:
        with pytest.raises(problem):
            switching.edge_of(client, PROPS, ROUTES)
    assert did == done
