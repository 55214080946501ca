"""A site whose folder is not the program's (`main:`)."""

from __future__ import annotations

from pathlib import Path

from tests.mocks.program import ROOT, run


def test_a_site_elsewhere_is_built_from_its_own_folders_and_the_programs_images_from_the_programs(
    tmp_path: Path,
) -> None:
    (tmp_path / "services" / "shop").mkdir(parents=True)
    (tmp_path / "services" / "shop" / "shop.py").write_text("app = None\n")
    services = {
        "shop": {"app": "shop:app", "database": True, "route": "/"},
        "own": {"path": "services/shop", "app": "shop:app"},
    }
    program = run("prod", {"services": services, "overrides": {}}, root=tmp_path)
    built = {name: each.inputs["build"] for name, each in program.of_kind("Image").items()}
    contexts = {name: (ROOT / build["context"]).resolve() for name, build in built.items()}
    assert contexts["shop"] == contexts["own"] == tmp_path / "services" / "shop"
    assert (contexts["edge"], contexts["postgres"]) == (ROOT / "services/nginx", ROOT / "services/postgres")
    files = [built[name]["dockerfile"] for name in ("shop", "edge")]
    assert files == ["slipway/build/Dockerfile", "services/nginx/Dockerfile"]
    assert not any(each.startswith("/") for build in built.values() for each in (build["context"], build["dockerfile"]))
