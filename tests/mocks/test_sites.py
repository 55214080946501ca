"""What the program makes of sites that are not the shipped one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from slipway.core import probes
from slipway.nginx import routes as nginx
from tests.mocks.program import ROOT, run
from tests.mocks.recording import SECRET, Program
from tests.mocks.sites import IMAGES, PASSWORD, UI, declared, program_of

PAGE = "services/ui/app/templates/upload.html"
"""Any HTML file of the project."""


def released(program: Program) -> dict[str, Any]:
    """{container: what the release is told of it}."""
    containers = program.of_kind("Release")["release"].inputs["containers"]
    return {each["name"].removeprefix("slipway-prod-").removesuffix("-1234567"): each for each in containers}


def routes(program: Program) -> str:
    return str(program.of_kind("Release")["release"].inputs["routes"][nginx.TLS_ROUTES_FILE])


def environment(program: Program, service: str) -> dict[str, str]:
    return dict(each.split("=", 1) for each in program.services[service].inputs["envs"])


def files(program: Program, service: str) -> dict[str, str]:
    written: dict[str, str] = program.of_kind("FilesVolume")[f"{service}-files"].inputs["files"]
    return written


def aliases(program: Program, container: str) -> dict[str, list[str]]:
    """{network: names under which the container is found on it}, as it is made and joined."""
    names = {each.name + "-1234567": name for name, each in program.of_kind("Network").items()}
    each = program.containers[container]
    own = {names[entry["name"]]: entry.get("aliases", []) for entry in each.inputs["networksAdvanced"]}
    joined = [other.inputs for other in program.of_kind("Attachment").values()]
    return own | {names[e["network"]]: e["aliases"] for e in joined if e["container"] == f"{each.name}-id"}


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_without_a_database_there_is_no_postgres_and_nothing_to_look_into_it(stack: str) -> None:
    program = program_of(stack, "one service and no database")
    assert set(program.containers) == ({"ui", "edge"} if stack == "prod" else {"ui"})
    assert not program.of_kind("DatabaseRoles")
    assert set(program.of_kind("RandomPassword")) == {"stack-key"}


def test_a_managed_database_is_reached_by_a_network_of_its_own_with_the_password_in_a_file() -> None:
    program = program_of("prod", "a managed database")
    assert "postgres" not in program.containers
    assert "ui-egress" in aliases(program, "ui")
    assert program.of_kind("Network")["ui-egress"].inputs["internal"] is False
    assert environment(program, "ui")["DB_WHERE"] == "db.example.org:5432/photos"
    written = files(program, "ui")
    assert written["env/DB_LOGIN"] == f"app:{PASSWORD}"
    quoted = PASSWORD.replace(" ", "%20").replace("/", "%2F").replace("@", "%40").replace(":", "%3A")
    assert written["env/DATABASE_URL"] == f"postgresql://app:{quoted}@db.example.org:5432/photos?sslmode=require"


def test_a_worker_has_no_place_at_the_edge_and_calls_services_through_it() -> None:
    program = program_of("prod", "a worker")
    worker = program.services["worker"].inputs
    assert worker["command"] == ["python", "worker.py"]
    assert worker["healthcheck"]["tests"] == ["NONE"], "the generic image's asks a port that it does not have"
    assert released(program)["worker"]["upstream"] == ""
    assert "worker" not in routes(program)
    assert aliases(program, "edge") == {"public": [], "ui": [], "worker-ui": ["ui"]}
    assert aliases(program, "worker").keys() == {"worker", "worker-ui", "worker-db"}
    assert environment(program, "worker")["UI_URL"] == "http://ui:5000"
    assert environment(program, "worker")["UI"] == "ui:5000"


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_a_worker_on_anothers_database_logs_in_as_that_service_and_waits_for_its_migration(stack: str) -> None:
    program = program_of(stack, "a worker on another's database")
    assert files(program, "worker")["env/DATABASE_URL"] == files(program, "images")["env/DATABASE_URL"]
    assert aliases(program, "worker").keys() == {"worker", "worker-db"}
    before = {urn.rpartition("::")[2] for urn in program.all_before(program.services["worker"])}
    assert before >= {f"slipway-{stack}-images-migrate", f"slipway-{stack}-images-db-runtime-login"}
    assert not [name for name in program.of_kind("RandomPassword") if name.startswith("worker")]
    assert program.of_kind("Release")["release"].inputs["record"]["databases"] == ["images"]


def test_a_new_call_moves_no_container_from_a_network_that_it_is_on() -> None:
    """Another name on the same network would cut the edge off from it, with all requests under way."""
    without = run("prod", declared(ui=UI, images={**IMAGES, "route": "/images/"}))
    using = run("prod", declared(ui={**UI, "uses": ["images"]}, images={**IMAGES, "route": "/images/"}))
    before, after = (aliases(program, "edge") for program in (without, using))
    assert {network: after[network] for network in before} == before
    assert set(after) - set(before) == {"ui-images"}


def test_a_worker_publishes_nothing_in_dev() -> None:
    program = program_of("dev", "a worker")
    assert not program.services["worker"].inputs.get("ports")
    assert set(program.exports) >= {"ui_url"}
    assert "worker_url" not in program.exports


def test_replicas_share_the_image_the_volumes_and_the_upstream() -> None:
    program = program_of("prod", "three replicas")
    assert set(program.services) == {"ui", "ui-2", "ui-3"}
    told = released(program)
    assert set(told) == {"ui", "ui-2", "ui-3"}
    assert len({each["upstream"] for each in told.values()}) == 1
    first, *others = (each.inputs for each in program.services.values())
    assert all(each == first for each in others)
    assert set(program.of_kind("Volume")) == {"ui-uploads", "edge-live", "edge-static", "edge-temporary"}


def test_replicas_start_one_after_the_other() -> None:
    program = program_of("prod", "three replicas")
    first, second, third = (program.services[name] for name in ("ui", "ui-2", "ui-3"))
    assert first.urn in program.all_before(second)
    assert second.urn in program.all_before(third)


def test_one_replica_more_leaves_those_that_run_alone() -> None:
    assert set(program_of("prod", "three replicas").resources) > set(
        run("prod", declared(ui={**UI, "volumes": {"uploads": "/home/app/web/media"}})).resources
    )


def test_large_uploads_have_room_on_disk_that_goes_with_the_container() -> None:
    program = program_of("prod", "a Redis")
    room = {"containerPath": "/var/tmp"}
    for name in ("ui", "images"):
        given = program.services[name].inputs
        assert room in given["volumes"], name
        assert environment(program, name)["TMPDIR"] == room["containerPath"]
    cache = program.services["cache"].inputs
    assert room not in cache.get("volumes", ()), "a ready-made image need not have the folder"
    assert not [each for each in cache.get("envs", ()) if each.startswith("TMPDIR=")]


def test_in_dev_only_one_of_several_replicas_has_the_port() -> None:
    program = program_of("dev", "three replicas")
    ports = [each.inputs["ports"][0]["external"] for each in program.services.values() if each.inputs.get("ports")]
    assert ports == [8006]


def test_gunicorn_its_health_check_and_nginx_agree_on_the_protocol() -> None:
    prod, dev = program_of("prod", "by uwsgi"), program_of("dev", "by uwsgi")
    images = prod.services["images"].inputs
    assert "--protocol=uwsgi" in images["command"]
    url = "http://127.0.0.1:5000/images/health"
    assert images["healthcheck"]["tests"] == ["CMD", "python", "-IS", "-c", probes.UWSGI, url, "localhost"]
    assert "SCRIPT_NAME=/images" in images["envs"]
    target = released(prod)["images"]["upstream"]
    passed = routes(prod).count(f"uwsgi_pass {target};")
    assert passed == 2 * 3, "for visitors and for the service that uses it, for streams, and where either begins anew"
    assert "proxy_pass http://ui_" in routes(prod)
    assert "--protocol=uwsgi" not in prod.services["ui"].inputs["command"]
    assert probes.UWSGI not in dev.services["images"].inputs["healthcheck"]["tests"], "Flask's own server speaks HTTP"


@pytest.mark.parametrize(("dockerfile", "target"), [("FROM a\n", None), ("FROM a AS prod\nFROM a\n", "prod")])
def test_a_stage_is_asked_for_where_the_dockerfile_has_it(tmp_path: Path, dockerfile: str, target: str | None) -> None:
    (tmp_path / "services/ui").mkdir(parents=True)
    (tmp_path / "services/ui/Dockerfile").write_text(dockerfile)
    (tmp_path / "services/ui/ui.py").write_text("app = None\n")
    program = run("prod", declared(ui={"route": "/", "app": "ui:app"}), root=tmp_path)
    assert program.of_kind("Image")["ui"].inputs["build"].get("target") == target


@pytest.mark.parametrize(
    ("stack", "dockerfile", "warned"),
    [("prod", "FROM a\nCOPY . .\n", 1), ("prod", "FROM a\nCOPY ui.py .\n", 0), ("dev", "FROM a\nCOPY . .\n", 0)],
)
def test_a_dockerfile_of_ones_own_that_copies_a_secret_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: str, dockerfile: str, warned: int
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))
    (tmp_path / "services/ui").mkdir(parents=True)
    for name, text in (("Dockerfile", dockerfile), ("ui.py", "app = None\n"), (".env", ""), (".env.example", "")):
        (tmp_path / "services/ui" / name).write_text(text)
    run(stack, declared(ui={"route": "/", "app": "ui:app"}), root=tmp_path)
    assert len(said) == warned
    assert all("the image of ui would hold .env, which" in each for each in said)


SCRIPTS = {"wraps.sh": 'set -e\nexec "$@"\n', "starts.sh": "flask db upgrade\nexec gunicorn x:app\n"}


@pytest.mark.parametrize(
    ("image", "wanted", "before", "warned"),
    [
        (("sh", "./wraps.sh"), None, ["sh", "./wraps.sh"], False),
        (("sh", "./starts.sh"), None, [], True),
        (("sh", "./starts.sh"), True, ["sh", "./starts.sh"], False),
        (("sh", "./starts.sh"), False, [], False),
        (("sh", "./wraps.sh"), False, [], False),
        ((), None, [], False),
    ],
)
def test_an_images_entrypoint_stands_before_every_command_where_it_passes_it_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    image: tuple[str, ...],
    wanted: bool | None,
    before: list[str],
    warned: bool,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))
    (tmp_path / "services/ui").mkdir(parents=True)
    for name, text in {"Dockerfile": "FROM a\n", "ui.py": "app = None\n", **SCRIPTS}.items():
        (tmp_path / "services/ui" / name).write_text(text)
    service = {
        "route": "/",
        "app": "ui:app",
        "database": True,
        "migrate": "flask db upgrade",
        "schedule": {"tidy": {"cron": "@daily", "command": "flask tidy"}},
        **({} if wanted is None else {"entrypoint": wanted}),
    }
    program = run("prod", declared(ui=service), root=tmp_path, entrypoints={"-ui": image})
    wrapper, (job,) = ["sh", "/run/slipway/exec"], program.of_kind("Job").values()
    containers = [program.services["ui"].inputs, program.containers["ui-schedule"].inputs]
    ran = [[*(each.get("entrypoints") or ()), *each["command"]] for each in (*containers, job.inputs)]
    assert [each[: len(before) + 2] for each in ran] == 3 * [wrapper + before]
    assert [each[len(before) + 2] for each in ran] == ["gunicorn", "python", "flask"]
    assert len(said) == warned
    assert all("`app`" in each and "services.ui.entrypoint: false" in each for each in said)


def test_services_may_have_hosts_of_their_own() -> None:
    text = routes(program_of("prod", "two hosts"))
    assert "server_name a.example.org;" in text
    assert "server_name b.example.org;" in text
    told = released(program_of("prod", "two hosts"))
    assert {name: each["ready"] for name, each in told.items()} == {"ui": "/health", "images": "/health"}


@pytest.mark.parametrize(
    ("edge", "url"),
    [
        ({"address": "0.0.0.0", "port": 80}, "http://127.0.0.1/"),
        ({"address": "::1"}, "http://[::1]:8100/"),
        ({"hosts": ["www.example.org"]}, "http://www.example.org:8100/"),
    ],
)
def test_the_url_is_one_that_a_browser_takes(edge: dict[str, Any], url: str) -> None:
    assert run("prod", {"edge": edge}).exports["url"] == url


def test_recreate_deletes_the_old_container_first() -> None:
    program = program_of("prod", "never two at once")
    assert program.services["ui"].request.deleteBeforeReplace


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_scheduled_commands_start_after_the_release_in_one_container_of_the_services_own(stack: str) -> None:
    program = program_of(stack, "a schedule")
    service, scheduled = program.services["images"], program.containers["images-schedule"]
    assert scheduled.inputs["command"][:4] == ["sh", "/run/slipway/exec", "python", "/run/slipway/schedule.py"]
    assert json.loads(scheduled.inputs["command"][4]) == {"cleanup": ["0 3 * * *", ["flask", "cleanup", "--all"]]}
    assert "schedule.py" in files(program, "images")
    for shared in ("image", "envs", "volumes", "user", "memory", "cpus"):
        assert scheduled.inputs[shared] == service.inputs[shared], shared
    assert scheduled.request.deleteBeforeReplace
    assert {urn.rpartition("::")[2] for urn in program.all_before(scheduled)} >= {f"slipway-{stack}-release"}
    assert aliases(program, "images-schedule") == {network: [] for network in aliases(program, "images")}, (
        "it can reach what the service can, and nobody takes it for the service"
    )


def test_a_migration_waits_for_a_lock_as_long_as_is_declared_and_a_seed_runs_once() -> None:
    table = {**IMAGES, "database": True, "migrate": "flask db upgrade", "seed": "python manage.py seed_db"}
    settings = {"migrations": {"lockTimeout": 3, "statementTimeout": 60, "timeout": 90}}
    jobs = run("dev", declared(images=table) | settings).of_kind("Job")
    migrate, seed = jobs["images-migrate"].inputs, jobs["images-seed"].inputs
    assert migrate["env"]["PGOPTIONS"] == "-c lock_timeout=3s -c statement_timeout=60s"
    assert (migrate["timeout"], migrate["once"], seed["once"]) == (90, False, True)
    assert "PGOPTIONS" not in seed["env"]
    own = run("dev", declared(images={**table, "env": {"PGOPTIONS": "-c lock_timeout=1s"}}) | settings)
    assert own.of_kind("Job")["images-migrate"].inputs["env"]["PGOPTIONS"] == "-c lock_timeout=1s"


def test_the_release_knows_what_it_may_stop_and_what_was_migrated() -> None:
    images = {**IMAGES, "database": True, "migrate": "flask db upgrade", "strategy": "recreate"}
    program = run("prod", declared(ui=UI, images=images, worker={**IMAGES, "command": "python worker.py"}))
    told = released(program)
    assert {name: each["beside"] for name, each in told.items()} == {"ui": True, "images": False, "worker": True}
    assert {name: each["port"] for name, each in told.items()} == {"ui": 5000, "images": 5000, "worker": 0}
    migrations = program.of_kind("Release")["release"].inputs["migrations"]
    assert migrations == {"images": "sha256:slipway-prod-images"}


def test_only_a_service_with_egress_has_a_way_out() -> None:
    open_networks = {
        n for n, e in program_of("prod", "a way out").of_kind("Network").items() if not e.inputs["internal"]
    }
    assert open_networks == {"public", "ui-egress"}
    assert "ui-egress" in aliases(program_of("prod", "a way out"), "ui")


def test_a_redis_is_called_directly_and_by_those_alone_that_use_it() -> None:
    program = program_of("prod", "a Redis")
    assert aliases(program, "cache") == {"cache": [], "ui-cache": ["cache"], "images-cache": ["cache"]}
    assert aliases(program, "ui") == {"ui": [], "ui-cache": [], "ui-images": []}
    assert aliases(program, "edge") == {"public": [], "ui": [], "ui-images": ["images"], "images": []}
    assert environment(program, "ui")["CACHE"] == "redis://cache:6379/0"
    assert released(program)["cache"]["upstream"] == "", "it is not asked by HTTP"
    assert "6379" not in routes(program)
    for name in ("cache", "ui-cache", "images-cache"):
        assert program.of_kind("Network")[name].inputs["internal"] is True, name


@pytest.mark.parametrize("stack", ["prod", "dev"])
def test_a_ready_made_image_without_a_command_starts_as_it_is_made(stack: str) -> None:
    cache = program_of(stack, "a Redis").services["cache"].inputs
    assert cache["image"] == "redis:7.4"
    assert "command" not in cache
    assert "entrypoints" not in cache
    assert not [each for each in cache["volumes"] if each.get("hostPath")]
    assert "cache" not in program_of(stack, "a Redis").of_kind("Image")


def test_a_ready_made_image_with_a_command_finds_its_secrets_in_the_environment() -> None:
    program = program_of("prod", "a ready-made server")
    inputs = program.services["files"].inputs
    assert (inputs.get("entrypoints"), inputs.get("command")) == (["sh", "/run/slipway/exec"], ["serve", "/srv"])
    assert files(program, "files")["env/SECRET_URL"] == f"https://x:{SECRET}slipwayprodfilesSECRETKEY@example.org"


def test_a_ready_made_server_is_probed_with_what_its_image_has() -> None:
    check = program_of("prod", "a ready-made server").services["files"].inputs["healthcheck"]["tests"]
    assert check[:3] == ["CMD", "sh", "-c"]
    assert {"curl", "wget", "python3"} <= set(check[3].split())
    assert check[-2:] == ["http://127.0.0.1:8080/files/health", "localhost"]


def test_routes_limits_pages_and_retention_are_a_matter_of_the_release_and_nginx_stays() -> None:
    changed = {"maxBody": 5, "hosts": ["a.example.org"], "trustedProxies": ["10.0.0.0/8"], "staticRetention": 3600}
    before, after = program_of("prod", "as shipped"), run("prod", {"edge": {**changed, "pages": {"maintenance": PAGE}}})
    assert before.containers["edge"].inputs == after.containers["edge"].inputs
    assert after.of_kind("StaticFiles")["ui-static"].inputs["retention"] == 3600
    release = after.of_kind("Release")["release"].inputs
    assert "5 MB" in release["pages"]["too-large.html"]
    assert release["pages"]["maintenance.html"] == (ROOT / PAGE).read_text()
    assert "client_max_body_size 5m;" in routes(after)


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ({"ui": {**UI, "replicas": 2}, "ui_2": {**UI, "route": "/two/"}}, "services.ui-2: what belongs to ui"),
        ({"stack": {**UI, "secrets": ["key"]}}, "services.stack: this name belongs to Slipway"),
        ({"ui": UI, "cache": {"image": "redis:7.4", "secrets": ["PASSWORD"]}}, "services.cache.command: its secrets"),
        (
            {"ui": {**UI, "uses": ["cache"], "env": {"URL": "{services.cache.url}"}}, "cache": {"image": "redis:7.4"}},
            "cache does not speak HTTP",
        ),
    ],
)
def test_what_could_not_work_is_refused_before_anything_is_touched(services: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        run("prod", declared(**services))


def test_a_volume_of_another_service_is_mounted_once_it_belongs_to_its_user() -> None:
    for stack in ("prod", "dev"):
        site = program_of(stack, "a schedule")
        owned, ui = site.of_kind("OwnedVolume")["images-uploads-owner"], site.containers["ui"]
        mounted = {each["containerPath"]: each["volumeName"] for each in ui.inputs["volumes"] if "volumeName" in each}
        assert mounted["/media"] == f"slipway-{stack}-images-uploads"
        assert owned.urn in site.all_before(ui)
        assert [name for name in site.of_kind("Volume") if "uploads" in name] == ["images-uploads"]
