"""Warnings about folders with a Dockerfile of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.core.own_dockerfile import warnings

ALL = "FROM a\nCOPY . .\n"


@pytest.mark.parametrize(
    ("text", "file", "folder", "says"),
    [
        (ALL, 0o644, 0o755, None),
        (ALL, 0o600, 0o755, "only their owner may read shop/main.py"),
        (ALL, 0o644, 0o700, "only their owner may read shop/main.py"),
        ("FROM a\nCOPY app .\n", 0o600, 0o700, None),
        ("FROM a\nCOPY --chown=app . .\n", 0o600, 0o700, None),
        (f"{ALL}RUN chmod -R a+rX .\n", 0o600, 0o700, None),
    ],
)
def test_files_that_the_images_user_could_not_read(
    tmp_path: Path, text: str, file: int, folder: int, says: str | None
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "main.py").write_text("")
    (tmp_path / "notes").write_text("")
    (tmp_path / "notes").chmod(0o600)
    (tmp_path / "shop" / "main.py").chmod(file)
    (tmp_path / "shop").chmod(folder)
    said = list(warnings("web", tmp_path, text))
    assert [says in each for each in said if says] == ([True] if says else []), said
    assert len(said) == bool(says)


def test_files_with_secrets(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.pem").write_text("")
    (tmp_path / ".dockerignore").write_text("0.pem\n")
    (said,) = warnings("web", tmp_path, ALL)
    assert "would hold 1.pem, 2.pem, 3.pem, 4.pem, 5.pem …, which" in said
    assert said.endswith("1.pem\n2.pem\n3.pem\n4.pem\n5.pem")
