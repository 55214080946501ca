"""A site whose folder is not the program's (`main:`)."""

from __future__ import annotations

from pathlib import Path

from tests.mocks.program import ROOT, run


def test_a_site_elsewhere_is_built_from_its_own_folders_and_the_programs_images_from_the_programs(
    tmp_path: Path,
) -> None:
    for name in ("shop", "own"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "shop.py").write_text("app = None\n")
        (tmp_path / "services" / name / "requirements.txt").write_text("flask\n")
    (tmp_path / "services" / "own" / ".dockerignore").write_text("private\n")
    services = {
        "shop": {"app": "shop:app", "database": True, "route": "/"},
        "same": {"path": "services/shop", "app": "shop:app"},
        "own": {"app": "shop:app"},
    }
    program = run("prod", {"services": services, "overrides": {}}, root=tmp_path)
    built = {name: each.inputs["build"] for name, each in program.of_kind("Image").items()}
    contexts = {name: (ROOT / build["context"]).resolve() for name, build in built.items()}
    assert contexts["shop"] == contexts["same"] == tmp_path / "services" / "shop"
    assert (contexts["edge"], contexts["postgres"]) == (ROOT / "slipway/images/nginx", ROOT / "slipway/images/postgres")
    files = [built[name]["dockerfile"] for name in ("shop", "edge")]
    assert files == ["slipway/images/flask/Dockerfile", "slipway/images/nginx/Dockerfile"]
    own = built["own"]["dockerfile"]
    assert own.startswith(".slipway/build/")
    lists = (
        (ROOT / f"{own}.dockerignore").read_text(),
        (ROOT / "slipway/images/flask/Dockerfile.dockerignore").read_text(),
    )
    assert lists[0] == f"private\n\n{lists[1]}\n"
    assert not any(each.startswith("/") for build in built.values() for each in (build["context"], build["dockerfile"]))
