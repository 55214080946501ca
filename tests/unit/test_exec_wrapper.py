"""The wrapper that turns files into environment variables, under every shell that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

WRAPPER = Path(__file__).parents[2] / "slipway" / "images" / "flask" / "exec"
SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)]


def run(folder: Path, *command: str, shell: str = "sh", **environment: str) -> subprocess.CompletedProcess[bytes]:
    start = [shell, "sh"] if shell == "busybox" else [shell]
    return subprocess.run(
        [*start, str(WRAPPER), *command],
        env={"PATH": os.environ["PATH"], "SLIPWAY_ENV": str(folder), **environment},
        capture_output=True,
        timeout=30,
        check=False,
    )


def variables(folder: Path, shell: str = "sh", **environment: str) -> dict[bytes, bytes]:
    done = run(folder, "env", "-0", shell=shell, **environment)
    assert done.returncode == 0, done.stderr
    return dict(line.split(b"=", 1) for line in done.stdout.split(b"\0") if line)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "content",
    [
        b"simple",
        b"",
        b"  spaces at both ends ",
        b"$HOME `id` $(id) \\n \"double\" 'single' * ; & | < >",
        b"-----BEGIN KEY-----\nline\n\n  line\n-----END KEY-----",
        "Grüße".encode(),
    ],
)
def test_the_content_arrives_as_it_is_without_the_newline_at_its_end(
    tmp_path: Path, shell: str, content: bytes
) -> None:
    (tmp_path / "SECRET").write_bytes(content + b"\n")
    assert variables(tmp_path, shell)[b"SECRET"] == content


def test_other_variables_stay_and_a_file_wins_over_a_variable(tmp_path: Path) -> None:
    (tmp_path / "PASSWORD").write_text("from the file")
    (tmp_path / "name").write_text("lower case")
    found = variables(tmp_path, PASSWORD="from outside", OTHER="kept", value="kept too")
    assert found[b"PASSWORD"] == b"from the file"
    assert (found[b"OTHER"], found[b"value"], found[b"name"]) == (b"kept", b"kept too", b"lower case")
    assert not [key for key in found if b"slipway" in key.lower()], "nothing of the wrapper's own is left"


def test_hidden_files_and_folders_are_no_variables(tmp_path: Path) -> None:
    (tmp_path / ".half-written").write_text("x")
    (tmp_path / "FOLDER").mkdir()
    assert b"FOLDER" not in variables(tmp_path)


@pytest.mark.parametrize("missing", [True, False])
def test_without_files_the_command_just_runs(tmp_path: Path, missing: bool) -> None:
    done = run(tmp_path / "none" if missing else tmp_path, "echo", "two words", "*")
    assert (done.returncode, done.stdout) == (0, b"two words *\n")


def test_the_command_takes_the_wrappers_place_and_its_exit_code_counts(tmp_path: Path) -> None:
    assert run(tmp_path, "sh", "-c", "exit 7").returncode == 7
    command = [str(WRAPPER), "sh", "-c", "echo $$"]
    with subprocess.Popen(["sh", *command], env={**os.environ, "SLIPWAY_ENV": str(tmp_path)}, stdout=-1) as started:
        assert started.communicate()[0] == f"{started.pid}\n".encode(), "signals reach the command itself"


@pytest.mark.parametrize("name", ["WITH-DASH", "1ST", "WITH SPACE"])
def test_a_name_that_no_variable_can_have_stops_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("secret")
    done = run(tmp_path, "true")
    assert done.returncode == 64
    assert name.encode() in done.stderr
    assert b"secret" not in done.stderr


def test_no_command_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 64
    assert b"no command" in done.stderr
