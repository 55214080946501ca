"""nginx itself on configurations from all over the settings space."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from docker.models.containers import Container

from slipway.core import certificates
from slipway.nginx import main as nginx_main
from slipway.nginx import tls
from tests.servers.test_rendered_texts import put, run
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.edge_settings import HOSTS, sample

CHECK = """
for folder in /configurations/*; do
    said=$(nginx -t -c "$folder/nginx.conf" 2>&1) || echo "$folder: $said"
    case $said in *warn*) echo "$folder: $said" ;; esac
done
"""


@pytest.fixture
def container() -> Iterator[Container]:
    name = f"configurations-{secrets.token_hex(4)}"
    yield engine.client().containers.create(
        base_image("nginx"),
        ["sleep", "600"],
        name=f"{name}-nginx",
        entrypoint=[],
        init=True,
        user=str(nginx_main.USER),
        network_mode="none",
        tmpfs={nginx_main.TEMPORARY: f"uid={nginx_main.USER}"},
    )
    engine.remove_all(name)


def test_nginx_takes_every_configuration_without_a_warning(container: Container) -> None:
    chosen = sample(60)
    files = {
        f"/configurations/{number}/{name}": text.replace(nginx_main.LIVE, f"/configurations/{number}")
        for number, texts in enumerate(chosen)
        for name, text in texts.items()
    }
    now = datetime.now(UTC)
    pair = certificates.issue(certificates.authority("Test", now), HOSTS, now)
    for name in (tls.SITE, *(f"{tls.CERTIFICATES}/{host}.pem" for host in HOSTS)):
        files[f"{tls.FOLDER}/{name}"] = pair.combined
    broken = next(iter(chosen[0].values()), "").replace("events {", "event {", 1)
    put(container, {**files, "/configurations/broken/nginx.conf": broken})
    container.start()
    status, output = run(container, "sh", "-c", CHECK)
    assert status == 0
    complaints = [line for line in output.splitlines() if line.startswith("/configurations/")]
    assert [line for line in complaints if "/broken:" not in line] == []
    assert complaints, "nginx took a configuration that is broken"
