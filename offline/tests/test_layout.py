"""The layout of the kit, made by the system's Python as set-up makes it, in folders with spaces in their names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from slipway_offline import layout

OFFLINE = Path(layout.__file__).parents[1]
WRITE_ENVIRONMENT = """#!/bin/sh
env > "$SEEN"
pwd >> "$SEEN"
for argument; do echo "argument $argument" >> "$SEEN"; done
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    """A CLI and a Python that only tell how they were called, and where the kit goes."""
    folder = tmp_path / "a folder"
    return {"tools": folder / "tools", "home": folder / "home",
            "cli": executable(folder / "cache" / "pulumi", "the CLI"),
            "python": executable(folder / "venv" / "bin" / "python", WRITE_ENVIRONMENT)}


def lay_out(given: dict[str, Path], *more: str, cli: bool = True) -> subprocess.CompletedProcess[str]:
    arguments = [f"--{name}={path}" for name, path in given.items() if cli or name != "cli"]
    return subprocess.run([sys.executable, "-m", "slipway_offline.layout", *arguments, *more], capture_output=True,
                          text=True, check=False, cwd="/", env={"PYTHONPATH": str(OFFLINE), "PATH": "/usr/bin:/bin"})


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in folder.rglob("*") if path.is_file()}


def call(launcher: Path, tmp_path: Path, *arguments: str, **environment: str) -> list[str]:
    """Calls a launcher in a folder with a space in its name, and returns what the Python that it started has seen."""
    (tmp_path / "a project").mkdir(exist_ok=True)
    seen = tmp_path / "seen"
    subprocess.run([launcher, *arguments], check=True, cwd=tmp_path / "a project",
                   env={"PATH": "/usr/bin:/bin", "SEEN": str(seen), **environment})
    return seen.read_text().splitlines()


def test_everything_lies_where_the_cli_looks_for_it(given: dict[str, Path]) -> None:
    done = lay_out(given, "--plugin", "docker=5.2.0", "--plugin", "random=4.21.4")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert set(files(given["tools"])) == {"pulumi", "pulumi-language-python", "pulumi-resource-pulumi-python"}
    assert set(files(given["home"])) == {"plugins/resource-docker-v5.2.0/pulumi-resource-docker",
                                         "plugins/resource-random-v4.21.4/pulumi-resource-random"}
    assert (given["tools"] / "pulumi").samefile(given["cli"])
    assert not (given["tools"] / "pulumi").is_symlink()
    assert all(os.access(path, os.X_OK) for folder in ("tools", "home")
               for path in given[folder].rglob("*") if path.is_file())


def test_laying_out_again_writes_nothing(given: dict[str, Path]) -> None:
    lay_out(given, "--plugin", "random=4.21.4")
    before = files(given["tools"]) | files(given["home"])
    lay_out(given, "--plugin", "random=4.21.4")
    assert files(given["tools"]) | files(given["home"]) == before


def test_what_was_spoilt_or_is_of_another_version_is_put_right(given: dict[str, Path]) -> None:
    lay_out(given)
    before = (given["tools"] / "pulumi-language-python").read_text()
    (given["tools"] / "pulumi-language-python").write_text("half a fi")
    (given["tools"] / "pulumi").unlink()
    (given["tools"] / "pulumi").symlink_to(given["cli"])

    lay_out(given)
    assert (given["tools"] / "pulumi-language-python").read_text() == before
    assert not (given["tools"] / "pulumi").is_symlink()

    lay_out(given | {"cli": executable(given["cli"].with_name("newer"), "a newer CLI")})
    assert (given["tools"] / "pulumi").read_text() == "a newer CLI"
    assert given["cli"].read_text() == "the CLI"


def test_without_a_cli_there_are_only_the_plugins_asked_for(given: dict[str, Path]) -> None:
    lay_out(given, "--plugin", "random=9.9.9", cli=False)
    assert not given["tools"].exists()
    assert set(files(given["home"])) == {"plugins/resource-random-v9.9.9/pulumi-resource-random"}


@pytest.mark.parametrize("plugin", ["docker", "docker=", "aws=1.0.0"])
def test_a_plugin_that_is_not_ours_or_has_no_version_is_refused(given: dict[str, Path], plugin: str) -> None:
    done = lay_out(given, "--plugin", plugin)
    assert done.returncode == 2
    assert "wanted NAME=VERSION with one of docker, random" in done.stderr
    assert not given["home"].exists()


@pytest.mark.parametrize(("launcher", "module"), [
    ("tools/pulumi-language-python", "language_host"),
    ("home/plugins/resource-docker-v5.2.0/pulumi-resource-docker", "docker_provider"),
    ("home/plugins/resource-random-v4.21.4/pulumi-resource-random", "random_provider"),
])
def test_a_launcher_starts_its_module_alone_and_leaves_the_environment_as_it_is(
        given: dict[str, Path], tmp_path: Path, launcher: str, module: str) -> None:
    lay_out(given, "--plugin", "docker=5.2.0", "--plugin", "random=4.21.4")
    seen = call(given["tools"].parent / launcher, tmp_path, "-v=3", "127.0.0.1:99", PYTHONPATH="the user's own")

    arguments = [line.removeprefix("argument ") for line in seen if line.startswith("argument ")]
    assert arguments == ["-I", f"{OFFLINE}/slipway_offline/launch.py", module, "-v=3", "127.0.0.1:99"]
    assert "PYTHONPATH=the user's own" in seen


def test_dynamic_providers_run_under_the_projects_python(given: dict[str, Path], tmp_path: Path) -> None:
    lay_out(given)
    venv = given["python"].parents[1]
    launcher = given["tools"] / "pulumi-resource-pulumi-python"
    wanted = [f"argument {word}" for word in ("-u", "-m", "pulumi.dynamic", "99")]

    seen = call(launcher, tmp_path, "99", PULUMI_RUNTIME_VIRTUALENV=str(venv), PYTHONHOME="elsewhere")
    assert seen[-4:] == wanted
    assert f"PATH={venv}/bin:/usr/bin:/bin" in seen
    assert "PYTHONHOME=elsewhere" not in seen

    relative = os.path.relpath(venv, tmp_path / "a project")
    assert call(launcher, tmp_path, "99", PULUMI_RUNTIME_VIRTUALENV=relative)[-4:] == wanted
    assert call(launcher, tmp_path, "99", PULUMI_PYTHON_CMD=str(given["python"]))[-4:] == wanted


def test_a_virtual_environment_that_is_not_there_is_one_clear_message(given: dict[str, Path]) -> None:
    lay_out(given)
    done = subprocess.run([given["tools"] / "pulumi-resource-pulumi-python", "99"], capture_output=True, text=True,
                          check=False, env={"PATH": "/usr/bin:/bin", "PULUMI_RUNTIME_VIRTUALENV": "nowhere"}, cwd="/")
    assert (done.returncode, done.stderr) == (1, "nowhere is not a virtual environment (seen from /)\n")
