"""Where the built CLI belongs, when Go is new enough, and what a Go in a container is told of this user's settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cli import build_cli

GO_MOD = "module x\n\ngo 1.26\n\nrequire (\n\tgithub.com/pulumi/pulumi/pkg/v3 v3.259.0 // indirect\n)\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "go.mod").write_text(GO_MOD)
    (tmp_path / "go.sum").write_text("sums")
    return tmp_path


def go_that_says(version: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "go"
    program.write_text(f'#!/bin/sh\n[ "$GOTOOLCHAIN" = local ] && echo {version}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_release_and_go_version_are_read_from_go_mod() -> None:
    assert build_cli.release(GO_MOD) == "v3.259.0"
    assert build_cli.wanted_go(GO_MOD) == (1, 26)


def test_a_go_mod_without_the_cli_is_an_error_that_names_what_is_missing() -> None:
    with pytest.raises(build_cli.BuildError, match="pulumi/pkg/v3"):
        build_cli.release("module x\n\ngo 1.26\n")


def test_the_projects_own_go_mod_asks_for_the_version_that_setup_asks_for() -> None:
    pyproject = (build_cli.HERE.parents[1] / "pyproject.toml").read_text()
    version = build_cli.release((build_cli.HERE / "go.mod").read_text())
    assert f'pulumi = "{version.removeprefix("v")}"' in pyproject


def test_the_same_sources_give_the_same_path(sources: Path) -> None:
    assert build_cli.binary(sources, ["-x"], sources) == build_cli.binary(sources, ["-x"], sources)


@pytest.mark.parametrize("changed", ["go.mod", "go.sum", "flags"])
def test_other_sources_or_flags_give_another_path(sources: Path, changed: str) -> None:
    before = build_cli.binary(sources, ["-x"], sources)
    if changed != "flags":
        (sources / changed).write_text("other")
    assert build_cli.binary(sources, ["-y" if changed == "flags" else "-x"], sources) != before


@pytest.mark.parametrize(("says", "enough"), [
    ("go1.26", True), ("go1.26.8", True), ("go1.27rc1", True), ("go2.0", True), ("go1.25.9", False), ("go1.9", False),
    ("devel", False), ("", False)])
def test_only_a_go_that_is_new_enough_by_itself_is_used(
    says: str, enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_that_says(says, tmp_path, monkeypatch)
    assert (build_cli.local_go((1, 26)) is not None) == enough


def test_no_go_and_no_docker_is_an_error_that_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build_cli.local_go((1, 26)) is None
    with pytest.raises(build_cli.BuildError, match=r"Go 1\.26 or newer, or Docker"):
        build_cli.build_in_container([], tmp_path / "pulumi", tmp_path)


def test_go_in_a_container_gets_the_users_settings_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / ".config" / "go" / "env"
    file.parent.mkdir(parents=True)
    file.write_text("GOPROXY=from-file\nGOPRIVATE=kept\nGOROOT=/not/for/a/container\n")
    environment = {"GOPROXY": "from-environment", "https_proxy": "proxy", "GOPATH": "/not/either", "GOFLAGS": ""}
    assert build_cli.go_settings(environment, tmp_path) == {
        "GOPROXY": "from-environment", "GOPRIVATE": "kept", "https_proxy": "proxy"}


def test_the_cache_follows_xdg_cache_home(tmp_path: Path) -> None:
    assert build_cli.cache({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "slipway"
    assert build_cli.cache({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache" / "slipway"


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` that makes a script in place of the CLI; what the script says as its version stands in `says`."""
    says = tmp_path / "says"
    version = build_cli.release((build_cli.HERE / "go.mod").read_text())
    says.write_text(version)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    go = bin_ / "go"
    go.write_text(f"""#!/bin/sh
if [ "$1" = env ]; then echo go1.26; exit; fi
echo built >> {tmp_path}/builds
mkdir -p "$GOMODCACHE" && touch "$GOMODCACHE/module"
[ -e {says} ] || exit 7
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho %s\\n' "$(cat {says})" > "$2"
chmod +x "$2"
""")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    return tmp_path


def test_a_build_is_kept_and_its_modules_are_removed(pretended: Path) -> None:
    root = pretended / "cache"
    first, second = build_cli.build(root), build_cli.build(root)
    assert first == second
    assert subprocess.run([first], capture_output=True, check=True).stdout.startswith(b"v")
    assert (pretended / "builds").read_text().split() == ["built"]
    assert not (root / "go").exists()


def test_a_failed_build_leaves_no_binary_and_keeps_its_modules_for_the_next(pretended: Path) -> None:
    root = pretended / "cache"
    (pretended / "says").rename(pretended / "later")
    with pytest.raises(build_cli.BuildError, match="exit code 7"):
        build_cli.build(root)
    assert (root / "go" / "mod" / "module").exists()
    assert not list(root.rglob("pulumi"))
    (pretended / "later").rename(pretended / "says")
    assert build_cli.build(root).exists()


def test_a_binary_that_does_not_work_is_not_taken_for_the_cli(pretended: Path) -> None:
    (pretended / "says").write_text("v0.0.1")
    with pytest.raises(build_cli.BuildError, match=r"v0\.0\.1"):
        build_cli.build(pretended / "cache")
    assert not list((pretended / "cache").rglob("pulumi"))
