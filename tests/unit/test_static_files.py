"""What may be removed of static files depends on what nginx says is in force, also where an engine fails a command."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from slipway.engine.errors import Failure
from slipway.providers import static_files

PROPERTIES = {"volume": "shop-prod-edge-static", "folder": "shop"}


def nginx(answer: SimpleNamespace | APIError) -> Any:
    def exec_run(_command: list[str], **_options: Any) -> SimpleNamespace:
        if isinstance(answer, APIError):
            raise answer
        return answer

    return SimpleNamespace(name="shop-prod-edge", exec_run=exec_run)


@pytest.mark.parametrize(
    "answer",
    [
        SimpleNamespace(exit_code=1, output=b"cat: /etc/nginx/live/*.conf: No such file or directory"),
        APIError("409 Client Error", explanation="container is not running"),
    ],
)
def test_nothing_is_in_force_where_nginx_has_no_routes_or_has_just_ended(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "running_nginx", lambda _client, _props: nginx(answer))
    client: Any = None
    assert static_files.in_force(client, PROPERTIES) == set()


def test_nginx_that_cannot_be_asked_is_not_taken_for_one_without_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = SimpleNamespace(exit_code=126, output=b"OCI runtime exec failed")
    monkeypatch.setattr(static_files, "running_nginx", lambda _client, _props: nginx(answer))
    client: Any = None
    with pytest.raises(Failure, match=r"shop-prod-edge .*\(exit code 126\): OCI runtime exec failed"):
        static_files.in_force(client, PROPERTIES)
