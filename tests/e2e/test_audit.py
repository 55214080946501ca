"""The shipped site in production, over TLS, looked at from outside: it is closed, and a gap shows in its own row."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from slipway.audit import leaks, reachability
from slipway.audit.canary import Canaries
from slipway.audit.docker_bench import ROWS
from slipway.cli.target import Target
from slipway.setup import paths
from tests.e2e.site import Site, status
from tests.support import engine
from tests.support.tls import trusting, visited
from tests.support.waiting import wait_until

BACK_SECONDS = 20
CONTAINERS = {"ui", "images", "edge", "postgres"}
NEIGHBOUR = {"ui": "images/ready", "images": "upload", "edge": "images/ready", "postgres": "images/health"}
"""What must go on to answer, whatever happens in the container."""
BOMB = "while sleep 3 & do echo started; done 2>&1"
"""Starts processes until it may not; they end by themselves soon after."""
HOG = ["tail", "/dev/zero"]
"""Looks for the last ten lines of something without a line: takes memory until it gets no more."""
OUT_OF_MEMORY = 128 + 9
OBSERVATORY = "@mdn/mdn-http-observatory@1.4.8"
SCAN = """\
cd "$(dirname "$(realpath "$(command -v mdn-http-observatory-scan)")")/.."
for list in hsts-preload tld-list; do test -e conf/$list.json || echo '{}' > conf/$list.json; done
exec node src/scan.js """
"""Not through the command itself, which trusts the authorities of a bundle of its own. The lists are what the package's
scripts would download: sites that browsers know, of which ours is none."""
HALF_A_YEAR = 15768000


class AuditedSite(Site):
    """On the usual ports of an address of its own, because the observatory asks at no others. `said` is what the first
    `up` wrote."""

    def __init__(self, directory: Path, virtualenv: Path) -> None:
        self.address = "127." + ".".join(str(random.randint(1, 254)) for _ in range(3))
        tls = {"mode": "self-signed", "hsts": HALF_A_YEAR}
        edge = {"address": self.address, "port": 80, "tlsPort": 443, "tls": tls}
        super().__init__(directory, "prod", {"edge": edge}, virtualenv=virtualenv)
        self.said = ""

    @property
    def url(self) -> str:
        return f"https://{self.address}/"

    def get(self, path: str = "") -> httpx.Response:
        return httpx.get(self.url + path, verify=trusting(self.authority), timeout=30)

    @property
    def authority(self) -> str:
        return str(self.outputs()["tls_authority"])

    def target(self, patch: pytest.MonkeyPatch) -> Target:
        for name in ("PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"):
            patch.setenv(name, self.environment[name])
        return Target(self.stack, self.directory, json=False)


@dataclass(frozen=True)
class Audit:
    """What `make audit` ends with and writes."""

    code: int
    said: str
    rows: list[dict[str, str]]

    def of(self, result: str) -> set[tuple[str, str]]:
        return {(each["where"], each["row"]) for each in self.rows if each["result"] == result}


def audit(site: Site, folder: Path) -> Audit:
    file = folder / "audit.json"
    options = ["--stack", "prod", "--project", str(site.directory), "--output", str(file)]
    command = [sys.executable, "-m", "slipway.audit", *options]
    done = subprocess.run(
        command, cwd=paths.PROJECT, env=site.environment, text=True, capture_output=True, timeout=300, check=False
    )
    assert file.exists(), done.stdout + done.stderr
    return Audit(done.returncode, done.stdout, json.loads(file.read_text())["findings"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, virtualenv: Path) -> Iterator[AuditedSite]:
    site = AuditedSite(tmp_path_factory.mktemp("audit"), virtualenv)
    try:
        site.init()
        site.said = site.up("--diff").text
        yield site
    finally:
        site.remove()


@pytest.fixture(scope="module")
def before(site: AuditedSite, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Of the site as it is."""
    return audit(site, tmp_path_factory.mktemp("before"))


def test_an_audit_finds_nothing(site: AuditedSite, before: Audit) -> None:
    assert before.of("fail") == set(), before.said
    assert before.code == 0
    assert {row for _, row in before.of("expected")} <= {"4.5", "5.2", "5.8"}
    edge = str(site.container("edge").name)
    assert {where for where, row in before.of("expected") if row == "5.8"} == {edge}
    judged: dict[str, set[str]] = {}
    for each in before.rows:
        judged.setdefault(each["where"], set()).add(each["row"])
    wanted = {row.number for row in ROWS} | {"capabilities", "uid", "NoNewPrivs", "Seccomp", "root"}
    names = {str(each.name) for each in site.containers().values()}
    assert {where for where, rows in judged.items() if wanted <= rows} == names
    assert {"to edge", "to postgres", f"to {reachability.WORLD}"} <= judged["ui"]
    assert judged.get(reachability.HOST, set()) == {f"to {name}" for name in CONTAINERS}
    looked_at = [where for where, rows in judged.items() if rows == {"secrets"}]
    kinds = ["inspect ", "inspect image", "history of", "layers of", "the builder's", "processes of", "log of"]
    kinds += ["pulumi preview", "pulumi stack output", "state: "]
    assert [kind for kind in kinds if not any(where.startswith(kind) for where in looked_at)] == []


def test_neither_up_nor_a_preview_of_everything_says_a_secret(
    site: AuditedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = leaks.secrets_of(site.target(monkeypatch).state(secrets=True))
    assert len(values) >= 8
    assert {name.rpartition(":")[2] for name in values} >= {"site.pem", "authority_key", "superuser-password"}
    replaced = [f"--replace={each['urn']}" for each in site.resources() if "RandomPassword" in each["type"]]
    said = site.said + site.preview("--diff", *replaced).text
    assert "randomPassword" in site.said
    assert Canaries(values).in_bytes(said.encode()) == set()


def test_each_container_reaches_what_is_declared_and_a_network_too_much_is_found(
    site: AuditedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = site.target(monkeypatch)
    pairs = reachability.matrix(target)
    assert [pair for pair in pairs if not pair.right] == []
    answers = {(pair.source, pair.target): pair.open for pair in pairs}
    assert answers["images", "postgres"] == (5432,)
    assert answers["ui", "postgres"] == answers["edge", "postgres"] == answers["ui", "images"] == ()
    assert answers["ui", reachability.WORLD] == ()
    assert answers["edge", reachability.WORLD] == (reachability.ANY,)
    assert answers["edge", "ui"] == (5000,)
    assert answers[reachability.HOST, "edge"] == (80, 443)
    [closed] = [each for each in target.objects.networks() if "-images-db" in str(each.name)]
    closed.connect(site.container("ui"))
    try:
        wrong = {(pair.source, pair.target) for pair in reachability.matrix(target) if not pair.right}
    finally:
        closed.disconnect(site.container("ui"))
    assert wrong == {("ui", "postgres"), ("postgres", "ui"), ("ui", "images"), ("images", "ui")}


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_fork_bomb_is_stopped_and_its_neighbours_go_on(site: AuditedSite, name: str) -> None:
    container = site.container(name)
    limit = container.attrs["HostConfig"]["PidsLimit"]
    api: Any = engine.client().api
    bomb = api.exec_create(container.id, ["sh", "-c", BOMB])
    said = b""
    for chunk in api.exec_start(bomb["Id"], stream=True):
        said += chunk
        if b"fork" in said.lower():
            break
    assert site.get(NEIGHBOUR[name]).status_code == 200
    assert 0 < said.count(b"\n") < limit <= 512
    wait_until("its processes are gone", lambda: processes(name, site) < limit / 2, BACK_SECONDS)
    wait_until("the site answers", lambda: answers(site), BACK_SECONDS, pause=0.3)
    assert site.container(name).attrs["RestartCount"] == 0


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_memory_hog_dies_alone(site: AuditedSite, name: str) -> None:
    started = site.starts(CONTAINERS)
    with visited(site.url, trusting(site.authority), site.address) as visits:
        died = site.container(name).exec_run(HOG)
        wait_until("visitors come afterwards", lambda seen=visits.requests: visits.requests > seen + 20, 30)  # type: ignore[misc]
    assert died.exit_code == OUT_OF_MEMORY
    assert visits.failures == []
    assert site.starts(CONTAINERS) == started


def test_mdns_observatory_gives_the_site_its_best_mark(site: AuditedSite, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text(site.authority)
    tried = npm("true", authority)
    if tried.returncode:
        pytest.skip(f"NOT CHECKED: MDN's HTTP Observatory cannot be installed here: {tried.stderr.strip()[-300:]}")
    done = npm(SCAN + site.address, authority)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["scan"]["grade"], told["scan"]["testsFailed"]) == ("A+", 0), done.stdout
    assert told["scan"]["score"] >= 120, done.stdout
    print(f"MDN HTTP Observatory: {told['scan']['grade']}, {told['scan']['score']} points")


def npm(command: str, authority: Path) -> subprocess.CompletedProcess[str]:
    """Runs it where the observatory is installed, from npm's own cache and without any package's scripts."""
    if not (shutil.which("npm") and shutil.which("node")):
        return subprocess.CompletedProcess(command, 127, "", "there is no npm on this machine")
    options = ["--yes", "--ignore-scripts", f"--cache={paths.TOOLS / 'npm'}", f"--package={OBSERVATORY}"]
    try:
        return subprocess.run(
            ["npm", "exec", *options, "-c", command], cwd=authority.parent, text=True, capture_output=True,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(authority)}, timeout=240, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", "npm did not end")


def test_an_open_port_turns_exactly_its_rows_red(site: AuditedSite, before: Audit, tmp_path: Path) -> None:
    """A container that somebody started by hand, closed as all others but for a port of its own."""
    ui = site.container("ui").attrs
    network = engine.client().networks.create(f"{site.prefix}-stray")
    stray = engine.client().containers.run(
        ui["Image"], ["python", "-m", "http.server", "5000"], name=f"{site.prefix}-stray", entrypoint=[], detach=True,
        network=network.name, ports={"5000/tcp": (site.address, 5000)}, user="1000", read_only=True, cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"], mem_limit="64m", memswap_limit="64m", nano_cpus=10**9, pids_limit=64,
        labels={"slipway.project": site.project, "slipway.stack": site.stack, "slipway.service": "stray"},
    )  # fmt: skip
    try:
        wait_until("it answers", lambda: status(f"http://{site.address}:5000/") == 200, 20, pause=0.3)
        after = audit(site, tmp_path)
    finally:
        stray.remove(force=True)
        network.remove()
    assert after.of("fail") == {(reachability.HOST, "to stray"), ("stray", f"to {reachability.WORLD}")}
    assert after.code == 1
    assert f"{len(after.of('fail'))} fail" in after.said
    assert len(after.rows) > len(before.rows)


def test_a_leak_turns_exactly_its_row_red(site: AuditedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor sends a secret where no service sees it: it stands in nginx's log from then on, so this test is the
    last."""
    values = leaks.secrets_of(site.target(monkeypatch).state(secrets=True))
    name, value = next((name, value) for name, value in values.items() if name.endswith("ui-SECRET_KEY"))
    assert httpx.get(f"http://{site.address}/{value}").status_code == 308
    after = audit(site, tmp_path)
    assert after.of("fail") == {(f"log of {site.container('edge').name}", "secrets")}
    assert after.code == 1
    assert name in after.said
    assert value not in after.said + json.dumps(after.rows)


def answers(site: AuditedSite) -> bool:
    """Whether the pages do, and through them the images API and its database."""
    return {site.get().status_code, site.get("images/ready").status_code} == {200}


def processes(name: str, site: AuditedSite) -> int:
    """As the engine counts them, without starting one more."""
    stats: Any = site.container(name).stats(stream=False)
    return int(stats["pids_stats"]["current"])
