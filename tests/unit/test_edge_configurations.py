"""gixy on whatever configuration of nginx the settings can lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gixy.core.manager import Manager

from slipway.nginx.main import MAIN_FILE
from slipway.settings.edge_table import EdgeTable
from tests.support.edge_settings import EDGE, sample

TOLERATED = {
    "hsts_header": "a setting, because a browser does not forget it: it is for the owner to say when all is well",
    "worker_rlimit_nofile_vs_connections": "the container's own limit (nofile) is twice the connections",
    "try_files_is_evil_too": "a cache of open files would go on serving what a release has taken away",
    "return_bypasses_allow_deny": "a service without a release has nothing to guard: it answers 503 to whoever asks",
}
"""What gixy says of configurations that are right, and why they are."""


def complaints(folder: Path, texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(check, what it says) for each issue that gixy finds."""
    live = folder / "live"
    live.mkdir(exist_ok=True)
    for old in live.iterdir():
        old.unlink()
    (folder / "mime.types").write_text("types {}\n")
    for name, text in texts.items():
        place = folder if name == MAIN_FILE else live
        (place / name).write_text(text.replace("/etc/nginx/", f"{folder}/"))
    manager = Manager()
    manager.audit(str(folder / MAIN_FILE), None)
    for check in manager.results:
        for issue in check.issues:
            yield check.name, f"{issue.reason or issue.summary}: {[str(each) for each in issue.directives]}"


@pytest.fixture(scope="module")
def configurations() -> list[dict[str, str]]:
    return sample(100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def found(configurations: list[dict[str, str]], folder: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """{check: (what it says, a configuration of which it says so)}"""
    return {check: (said, texts) for texts in configurations for check, said in complaints(folder, texts)}


def test_gixy_finds_nothing_in_any_configuration_that_can_be_declared(
    found: dict[str, tuple[str, dict[str, str]]],
) -> None:
    assert {check: said for check, said in found.items() if check not in TOLERATED} == {}


def test_no_server_has_a_location_twice_in_any_configuration_that_can_be_declared(
    configurations: list[dict[str, str]],
) -> None:
    """Where two settings would lead to that, the declaration is refused; the settings space has such ones."""
    seen = set()
    for block in (part for texts in configurations for text in texts.values() for part in text.split("\nserver {")):
        places = [place.removeprefix("^~ ") for place in re.findall(r"^    location (.+) \{$", block, re.MULTILINE)]
        assert sorted(places) == sorted(set(places)), block
        seen.update(places)
    assert any(place[:2] == "= " and f"{place[2:]}/" in seen for place in seen), "what is a file or a folder is there"


def test_what_is_tolerated_is_still_found(found: dict[str, tuple[str, dict[str, str]]]) -> None:
    assert set(TOLERATED) <= set(found)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ("location /old { return 301 https://$http_host$uri; }", "http_splitting"),
        ("location /i { alias /srv/; }", "alias_traversal"),
        ("location /x { proxy_pass http://$arg_where; }", "ssrf"),
        ("location /v { server_tokens on; }", "version_disclosure"),
        ("proxy_set_header Host $http_host;", "host_spoofing"),
    ],
)
def test_a_mistake_in_the_generator_would_be_found(
    configurations: list[dict[str, str]], folder: Path, broken: str, check: str
) -> None:
    texts = configurations[0]
    routes = texts["routes.conf"].replace("    listen 80", f"    {broken}\n    listen 80", 1)
    assert broken in routes
    assert check in {name for name, _ in complaints(folder, texts | {"routes.conf": routes})}


def test_the_settings_space_has_every_key_of_the_edge() -> None:
    assert set(EDGE) == {field.alias for field in EdgeTable.model_fields.values()}


def test_the_sample_has_something_of_everything(configurations: list[dict[str, str]]) -> None:
    whole = "".join(text for texts in configurations for text in texts.values())
    parts = ("set_real_ip_from", "try_files", "deny all", "default_server", "return 308", "return 503;", "resolve")
    by_uwsgi = ("uwsgi_pass", "uwsgi_next_upstream error non_idempotent")
    for part in (*parts, *by_uwsgi, "TLSv1.2 TLSv1.3;", "ssl_protocols TLSv1.3;", "max-age=300", "tls/certificates/"):
        assert part in whole, part
