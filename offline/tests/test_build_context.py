"""Which files a build gets to see, and what makes it a different build."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from slipway_offline.docker_provider.build_context import OUTSIDE, BuildContext
from slipway_offline.resource import OperationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    (root / "app").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM base\n")
    (root / "app/main.py").write_text("print()\n")
    (root / "app/notes.md").write_text("notes\n")
    (root / "link").symlink_to("app/main.py")
    return root


def names(context: BuildContext) -> list[str]:
    with context.archive() as file, tarfile.open(fileobj=file, mode="r:gz") as tar:
        return sorted(tar.getnames())


def digest(folder: Path) -> str:
    return BuildContext(str(folder), None).digest()


def test_all_files_are_sent_compressed(folder: Path) -> None:
    context = BuildContext(str(folder), None)
    assert names(context) == ["Dockerfile", "app", "app/main.py", "app/notes.md", "link"]
    with context.archive() as file:
        assert file.read(2) == b"\x1f\x8b"


def test_ignored_files_are_not_sent_and_their_changes_do_not_count(folder: Path) -> None:
    (folder / ".dockerignore").write_text("# notes\n**/*.md\n!keep.md\n")
    (folder / "keep.md").write_text("kept\n")
    before = digest(folder)
    (folder / "app/notes.md").write_text("other notes\n")
    assert digest(folder) == before
    assert "app/notes.md" not in names(BuildContext(str(folder), None))
    assert "keep.md" in names(BuildContext(str(folder), None))


def test_the_dockerfiles_own_ignore_file_wins(folder: Path) -> None:
    (folder / ".dockerignore").write_text("app\n")
    (folder / "Dockerfile.dockerignore").write_text("link\n")
    assert names(BuildContext(str(folder), None)) == [
        ".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "app", "app/main.py", "app/notes.md"]


def test_a_dockerfile_from_outside_is_sent_under_another_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "Other").write_text("FROM other\n")
    context = BuildContext(str(folder), str(tmp_path / "Other"))
    assert context.dockerfile == OUTSIDE
    assert OUTSIDE in names(context)
    before = context.digest()
    (tmp_path / "Other").write_text("FROM another\n")
    assert BuildContext(str(folder), str(tmp_path / "Other")).digest() != before


def test_content_mode_path_and_link_target_make_another_build(folder: Path) -> None:
    seen = [digest(folder)]

    def changed() -> bool:
        seen.append(digest(folder))
        return seen.count(seen[-1]) == 1

    (folder / "app/main.py").write_text("print(1)\n")
    assert changed()
    (folder / "app/main.py").chmod(0o755)
    assert changed()
    (folder / "app/main.py").rename(folder / "app/other.py")
    assert changed()
    (folder / "link").unlink()
    (folder / "link").symlink_to("app/other.py")
    assert changed()
    (folder / "new").write_text("")
    assert changed()


def test_times_do_not_make_another_build(folder: Path) -> None:
    before = digest(folder)
    os.utime(folder / "app/main.py", (1, 1))
    assert digest(folder) == before


@pytest.mark.parametrize(("directory", "dockerfile", "what"), [
    ("nowhere", None, "build.context: there is no folder"),
    (".", "Nofile", "build.dockerfile: there is no file"),
])
def test_what_is_not_there_is_named_with_its_property(
    folder: Path, monkeypatch: pytest.MonkeyPatch, directory: str, dockerfile: str | None, what: str,
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(OperationError, match=what):
        BuildContext(directory, dockerfile)
