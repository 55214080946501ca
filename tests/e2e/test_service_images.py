"""The shipped images as containers of a production stack: no root, a read-only root filesystem, no capabilities."""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from docker.models.containers import Container

from services.images.tests.conftest import picture
from slipway.core.generic_build import Recipe
from tests.support import engine
from tests.support.base_images import base_image
from tests.support.waiting import wait_until

PROJECT = Path(__file__).parents[2]
NAME = f"service-images-{secrets.token_hex(4)}"
PASSWORD = "p@ss/word: 100%"
DATABASE = {"DB_HOST": "postgres", "DB_NAME": "images", "DB_USER": "postgres", "SCRIPT_NAME": "/images"}
GUNICORN = ["gunicorn", "--bind=0.0.0.0:5000", "--worker-class=gthread", "--workers=2", "--no-control-socket",
            "--worker-tmp-dir=/tmp", "manage:app"]  # fmt: skip
WRAPPED = ["sh", "/run/slipway/exec"]


def build(folder: Path, name: str, base: str = "python", dockerfile: Path | None = None, **options: Any) -> str:
    """Builds with the classic builder; the Pulumi plugin uses BuildKit."""
    tag = f"{NAME}-{name}"
    engine.client().images.build(
        path=str(folder),
        dockerfile=str(dockerfile) if dockerfile else None,
        tag=tag,
        buildargs={"BASE": base_image(base), **options.pop("arguments", {})},
        rm=True,
        forcerm=True,
        **options,
    )
    return tag


def run(image: str, name: str, command: list[str] | None = None, **options: Any) -> Container:
    started: Container = engine.client().containers.run(
        image, command, name=f"{NAME}-{name}", detach=True, user="1000", read_only=True, cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"], tmpfs={"/tmp": "mode=1777,size=64m"}, mem_limit="256m",
        memswap_limit="256m", **options,
    )  # fmt: skip
    return started


def output(image: str, *command: str) -> str:
    """What a one-shot container of the image prints."""
    container = run(image, secrets.token_hex(4), list(command))
    container.wait(timeout=60)
    return container.logs().decode().strip()


def well(container: Container) -> None:
    def state() -> str:
        assert container.status in {"created", "running"}, container.logs().decode()
        return engine.health(container)

    wait_until(f"{container.name} is healthy", lambda: state() == "healthy", 180)


@pytest.fixture(scope="module", autouse=True)
def _cleaned() -> Iterator[None]:
    yield
    engine.remove_all(NAME)
    for tag in engine.tags(f"{NAME}-"):
        engine.remove_image(tag)


@pytest.fixture(scope="module")
def images() -> str:
    return build(PROJECT / "services/images", "images")


@pytest.fixture(scope="module")
def network() -> str:
    engine.client().networks.create(f"{NAME}-net")
    return f"{NAME}-net"


@pytest.fixture(scope="module")
def store(images: str, network: str) -> Iterator[dict[str, Any]]:
    """Options of a container of the picture store beside a new Postgres; the password comes as a file."""
    image = build(PROJECT / "slipway/images/postgres", "postgres-image", "postgres")
    server = engine.client().containers.run(
        image, name=f"{NAME}-postgres", detach=True, network=network,
        environment={"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "images"},
    )  # fmt: skip
    server_at = engine.client().networks.get(network)
    server_at.disconnect(server)
    server_at.connect(server, aliases=["postgres"])
    files = run(images, "files", ["true"], volumes={f"{NAME}-run": {"bind": "/run/slipway"}})
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in (
            ("exec", (PROJECT / "slipway/images/flask/exec").read_bytes()),
            ("env/DB_PASSWORD", PASSWORD),
        ):
            data = content if isinstance(content, bytes) else content.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.uid, entry.gid, entry.mode = len(data), 1000, 1000, 0o400
            tar.addfile(entry, io.BytesIO(data))
    assert files.put_archive("/run/slipway", archive.getvalue())
    probe = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "images", "-c", "SELECT 1"]
    wait_until(
        "Postgres answers", lambda: server.exec_run(probe, environment={"PGPASSWORD": PASSWORD}).exit_code == 0, 60
    )
    volumes = {f"{NAME}-run": {"bind": "/run/slipway", "mode": "ro"}, f"{NAME}-media": {"bind": "/home/app/web/media"}}
    yield {"network": network, "volumes": volumes, "environment": DATABASE}
    server.remove(force=True, v=True)


def test_an_image_holds_what_it_needs_and_nothing_to_build_with(images: str) -> None:
    assert output(images, "id", "-un") == "app"
    assert "No module named pip" in output(images, "python", "-m", "pip", "--version")
    for tool in ("gcc", "make"):
        assert output(images, "sh", "-c", f"command -v {tool} || echo none") == "none"
    assert output(images, "sh", "-c", "touch manage.py app/x 2>&1 | grep -c 'Read-only\\|denied'") == "2"
    compiled = output(images, "python", "-v", "-c", "import flask, sqlalchemy, PIL, app, argparse, asyncio")
    read = [line for line in compiled.splitlines() if line.startswith("# code object from")]
    assert read
    assert [line for line in read if ".pyc" not in line] == [], "no worker compiles anything at its start"


def test_two_migrations_at_once_both_succeed_and_pictures_outlive_the_container(
    images: str, store: dict[str, Any]
) -> None:
    migrations = [run(images, f"migrate-{n}", [*WRAPPED, "flask", "db", "upgrade"], **store) for n in range(3)]
    ends = [migration.wait(timeout=60)["StatusCode"] for migration in migrations]
    assert ends == [0, 0, 0], [migration.logs().decode() for migration in migrations]
    for _ in range(2):
        seeds = run(images, secrets.token_hex(4), [*WRAPPED, "python", "manage.py", "seed_db"], **store)
        assert seeds.wait(timeout=60)["StatusCode"] == 0, seeds.logs().decode()

    def started(name: str) -> tuple[Container, str]:
        ports = {"5000/tcp": ("127.0.0.1", None)}
        container = run(images, name, [*WRAPPED, *GUNICORN], ports=ports, **store)
        well(container)
        host, port = engine.published(container, 5000)
        return container, f"http://{host}:{port}"

    container, address = started("images-1")
    assert PASSWORD not in str(container.attrs), "the password is in a file only"
    assert httpx.get(f"{address}/images/ready").status_code == 200
    page = httpx.get(f"{address}/images/pictures").json()
    assert page["total"] == 6, "seeding twice adds the pictures once"
    content = picture("JPEG", (640, 480))
    stored = httpx.post(f"{address}/images/pictures", files={"file": ("a.jpg", content)}).json()
    assert stored["links"]["file"].startswith("/images/pictures/")
    container.kill()
    container, address = started("images-2")
    assert httpx.get(f"{address}{stored['links']['file']}").content == content
    assert httpx.delete(f"{address}{stored['links']['self']}").status_code == 204
    assert httpx.get(f"{address}/images/pictures").json()["total"] == 6


def test_the_site_starts_without_its_picture_store_and_says_so() -> None:
    image = build(PROJECT / "services/ui", "ui")
    container = run(
        image, "ui", environment={"SECRET_KEY": "x", "IMAGES_URL": "http://127.0.0.1:1"},
        ports={"5000/tcp": ("127.0.0.1", None)},
    )  # fmt: skip
    well(container)
    host, port = engine.published(container, 5000)
    assert httpx.get(f"http://{host}:{port}/", timeout=30).status_code == 503
    names = output(image, "ls", "app/static").split()
    assert [name for name in names if name.startswith("app.") and name.count(".") == 2], names


PROJECTS = {
    "requirements": {
        "requirements.txt": "-r requirements/prod.txt\n-c constraints.txt\n",
        "requirements/prod.txt": "flask\ngunicorn==21.2.0\n-e ./libs/own\n",
        "constraints.txt": "flask==3.1.2\n",
        "libs/own/pyproject.toml": '[project]\nname = "own"\nversion = "1"\n',
        "manage.py": "{app}",
    },
    "pyproject": {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask==3.1.3"]\n',
        "src/shop/__init__.py": "{app}",
    },
}
APP = """
from flask import Flask

def create_app():
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "from " + __name__)
    return app

app = create_app()
"""


@pytest.mark.parametrize(("project", "entry"), [("requirements", "manage:app"), ("pyproject", "shop:create_app()")])
@pytest.mark.parametrize("target", ["prod", "dev"])
def test_an_ordinary_flask_folder_needs_no_dockerfile(tmp_path: Path, project: str, entry: str, target: str) -> None:
    for name, content in PROJECTS[project].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content.replace("{app}", APP))
        (tmp_path / name).chmod(0o600 if target == "prod" else 0o644)
    dockerfile = PROJECT / Recipe.of(tmp_path).written(PROJECT)
    image = build(tmp_path, f"{project}-{target}", dockerfile=dockerfile, target=target, arguments={"APP": entry})
    source = {str(tmp_path): {"bind": "/home/app/web", "mode": "ro"}}
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    container = run(
        image, f"{project}-{target}", ports={"5000/tcp": ("127.0.0.1", None)}, volumes=source if target == "dev" else {}
    )
    well(container)
    host, port = engine.published(container, 5000)
    assert httpx.get(f"http://{host}:{port}/").text == f"from {entry.partition(':')[0]}"
    assert "27.0.1" in output(image, "gunicorn", "--version")
    if project == "requirements":
        installed = output(
            image, "python", "-c", "from importlib.metadata import version as v; print(v('flask'), v('own'))"
        )
        assert installed == "3.1.2 1"


def test_a_project_without_a_list_of_its_dependencies_is_told_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.poetry]\n")
    with pytest.raises(Exception, match="requirements") as failed:
        build(tmp_path, "poetry", dockerfile=PROJECT / "slipway/images/flask/Dockerfile")
    log = "".join(str(line.get("stream", "")) for line in getattr(failed.value, "build_log", []))
    assert "add its dependencies there, or a requirements.txt" in log


def test_the_edge_runs_as_its_own_user_on_a_read_only_root() -> None:
    image = build(PROJECT / "slipway/images/nginx", "nginx", "nginx")
    found = engine.client().images.get(image).attrs["Config"]
    assert (found["User"], found["StopSignal"]) == ("101:101", "SIGQUIT")
    owners = output(image, "stat", "-c", "%u", "/etc/nginx/live", "/var/cache/nginx", "/srv/static")
    assert owners.split() == ["0", "101", "0"]
    assert output(image, "ls", "/etc/nginx/conf.d") == ""
