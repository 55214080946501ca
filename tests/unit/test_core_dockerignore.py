"""What a build leaves out, judged by the engine's own client as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from docker.utils import exclude_paths

from slipway.core.dockerignore import SECRETS, files, is_secret, of_dockerfile, patterns, visible
from slipway.core.generic_build import DOCKERFILE, Recipe, ignored

FILES = (
    ".env", ".env.example", ".env.production", ".env.d/token", ".dockerignore", "Dockerfile.notes", "app/.env",
    "app/certs/ca.pem", "app/certs/site.key", "app/instance/__init__.py", "app/main.py", "docs/keep.txt", "docs/x.txt",
    "instance/config.py", "instance/schema.sql", "main.py", "private/note.txt", "private/x.pem", "requirements.txt",
    "src/instance/shop.db", "tests/test_main.py", "we[i]rd.pem",
)  # fmt: skip
CLEAN = {
    ".dockerignore", ".env.example", "Dockerfile.notes", "app/instance/__init__.py", "app/main.py", "docs/keep.txt",
    "docs/x.txt", "main.py", "private/note.txt", "requirements.txt",
}  # fmt: skip
"""What is in the image of a folder without an ignore file of its own."""


def folder(place: Path, own: str | None) -> Path:
    for name in FILES:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("")
    if own is None:
        (place / ".dockerignore").unlink()
    else:
        (place / ".dockerignore").write_text(own)
    return place


def built(place: Path) -> set[str]:
    """The files that a build gets to see by the text that is written for it, as the engine's client reads it."""
    lines = [line for line in Recipe.of(place).ignore.splitlines() if line and not line.startswith("#")]
    return {path for path in exclude_paths(str(place), lines) if (place / path).is_file()}


@pytest.mark.parametrize(
    ("own", "more", "less"),
    [
        (None, "", ".dockerignore"),
        ("", "", ""),
        ("private/\n.env.production\n*.pem\n", "", "private/note.txt"),
        ("/docs\n!docs/keep.txt\n", "", "docs/x.txt"),
        # An exception that only means a folder, or everything, brings no secret back; one that names it does.
        ("*\n!app\n", "", " ".join(CLEAN - {"app/main.py", "app/instance/__init__.py"})),
        ("**\n!**\n", "", ""),
        ("!app/certs\n", "", ""),
        ("!app/certs/ca.pem\n", "app/certs/ca.pem", ""),
        ("!**/*.pem\nprivate\n", "app/certs/ca.pem we[i]rd.pem", "private/note.txt"),
        ("!**/.env.production\n", ".env.production", ""),
        ("!instance/\ninstance/config.py\n", "instance/schema.sql", ""),
        ("!tests\n", "tests/test_main.py", ""),
        ("!.env\n.env\n", "", ""),
        ("# docs\n\ufeff\n  docs  \n", "", "docs/keep.txt docs/x.txt"),
        ("**/m?in.p[xy]\n", "", "main.py app/main.py"),
        (".env*\n", "", ".env.example"),
    ],
)  # fmt: skip
def test_both_lists_hold(tmp_path: Path, own: str | None, more: str, less: str) -> None:
    place = folder(tmp_path, own)
    expected = (CLEAN | set(more.split())) - set(less.split())
    assert built(place) | {".dockerignore"} == expected | {".dockerignore"}, "which no list keeps from being sent"
    assert {path for path in files(place) if not ignored(place).leaves_out(path)} == expected


def test_slipways_own_list_names_every_secret_and_has_no_exceptions() -> None:
    ours = patterns(DOCKERFILE.with_name("Dockerfile.dockerignore").read_text())
    assert set(SECRETS) <= {pattern.path for pattern in ours}
    assert not any(pattern.excepted for pattern in ours)


def test_a_pattern_that_is_none_names_nothing(tmp_path: Path) -> None:
    place = folder(tmp_path, "[\n!\n")
    assert {path for path in files(place) if not ignored(place).leaves_out(path)} == CLEAN


def secrets_seen(place: Path) -> list[str]:
    return sorted(filter(is_secret, visible(place, of_dockerfile(place / "Dockerfile"))))


def test_of_a_folder_with_a_dockerfile_only_its_own_list_holds(tmp_path: Path) -> None:
    place = folder(tmp_path, "app\n.env\n")
    assert secrets_seen(place) == [
        ".env.d/token", ".env.production", "instance/config.py", "instance/schema.sql", "private/x.pem",
        "src/instance/shop.db", "we[i]rd.pem",
    ]  # fmt: skip
    (place / "Dockerfile.dockerignore").write_text("*\n!private\n")
    assert secrets_seen(place) == ["private/x.pem"]
