"""What pip reads beside a requirements.txt, and what the generic Dockerfile copies for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from slipway.core.generic_build import DOCKERFILE, REQUIREMENTS, Recipe
from slipway.core.requirements import copied, included, mentions
from slipway.settings.problems import SettingsError
from tests.unit.declaring import read


def folder(place: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("flask==3.1.3  # -r comment.txt\n# -c none.txt\n--index-url https://pypi.test/simple\n", []),
        ("-c constraints.txt", ["constraints.txt"]),
        ("-cone.txt\n--constraint=two.txt\n--requirement  'a b.txt'", ["one.txt", "two.txt", "a b.txt"]),
        ("-r requirements/prod.txt\n-r https://example.org/x.txt", ["requirements/prod.txt", "requirements/base.txt"]),
        ("-e .[extra]\n-e git+https://example.org/x.git#egg=x\n--editable=libs/one", [".", "libs/one"]),
        ("./libs/one[x] ; python_version > '3'\nvendor/x-1-py3-none-any.whl --hash=sha256:1",
         ["libs/one", "vendor/x-1-py3-none-any.whl"]),
        ("x-1.tar.gz\nx @ https://example.org/x.zip\ny @ file:libs/one\nz @ file:///srv/z",
         ["x-1.tar.gz", "libs/one", "/srv/z"]),
        ("--find-links wheels/\n-f https://example.org/wheels", ["wheels"]),
        ("-r ../common.txt\n-r ${WHERE}/x.txt", ["../common.txt"]),
        ("flask \\\n  --hash=sha256:1\n-c \\\n  constraints.txt\n", ["constraints.txt"]),
        ("\ufeff-c constraints.txt\r\n", ["constraints.txt"]),
        ("-r requirements.txt\n", []),
    ],
)  # fmt: skip
def test_whatever_pip_would_read_is_seen(tmp_path: Path, text: str, named: list[str]) -> None:
    place = folder(tmp_path, {
        "requirements.txt": text, "requirements/prod.txt": "-r base.txt\n", "requirements/base.txt": "flask\n",
        "wheels/x.whl": "",
    })  # fmt: skip
    assert [mention.path for mention in mentions(place)] == ["requirements.txt", *named]


def test_a_list_that_powershell_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-c constraints.txt\n", encoding="utf-16")
    assert [mention.where for mention in mentions(tmp_path)] == ["requirements.txt", "requirements.txt:1"]


def test_the_dockerfile_copies_it_before_pip_runs(tmp_path: Path) -> None:
    plain = folder(tmp_path / "plain", {"requirements.txt": "-r requirements-base.txt\n"})
    assert Recipe.of(plain).dockerfile == DOCKERFILE.read_text()
    more = folder(tmp_path / "more", {"requirements.txt": "-c a b.txt\n-r requirements/x.txt\n"})
    lines = 'COPY ["a b.txt", "a b.txt"]\nCOPY ["requirements/x.txt", "requirements/x.txt"]\n'
    assert Recipe.of(more).dockerfile == DOCKERFILE.read_text().replace(REQUIREMENTS, REQUIREMENTS + lines)
    itself = folder(tmp_path / "itself", {"requirements.txt": "-c constraints.txt\n-e .\n"})
    assert copied(itself) == ["."]
    assert included(plain) == ["requirements.txt"], "only what is there"


def test_one_recipe_for_one_content_wherever_it_is_written(tmp_path: Path) -> None:
    service = folder(tmp_path / "service", {"requirements.txt": "-c constraints.txt\n"})
    path = Recipe.of(service).written(tmp_path)
    assert path.startswith(".slipway/build/")
    assert (tmp_path / path).read_text() == Recipe.of(service).dockerfile
    assert (tmp_path / f"{path}.dockerignore").read_text() == Recipe.of(service).ignore
    assert Recipe.of(service).written(tmp_path / "other") == path
    plain = folder(tmp_path / "plain", {"requirements.txt": "flask\n"})
    assert Recipe.of(plain).written(DOCKERFILE.parents[3]) == "slipway/images/flask/Dockerfile"


@pytest.mark.parametrize(
    ("files", "says", "type_"),
    [
        ({}, "no requirements.txt that names the packages", "echo flask >> services/third/requirements.txt"),
        (
            {"requirements/dev.txt": "", "requirements/prod.txt": ""},
            "no requirements.txt",
            "echo '-r requirements/prod.txt' >> services/third/requirements.txt",
        ),
        ({"poetry.lock": ""}, "no requirements.txt", "cd services/third && poetry export -o requirements.txt"),
        ({"pyproject.toml": "[tool.poetry]\n"}, "no [project] table", "echo flask >>"),
        ({"pyproject.toml": "[project]\ndynamic = ['dependencies']\n"}, "leaves its dependencies", "echo flask >>"),
        ({"pyproject.toml": "[project\n"}, "services/third/pyproject.toml: ", "Correct the file."),
        ({"requirements.txt": "-c no.txt\n"}, "requirements.txt:1: there is no services/third/no.txt", "Make it"),
        ({"requirements.txt": "\n-r ../x.txt\n"}, "../x.txt lies outside services/third", "Copy it into"),
        (
            {"requirements.txt": "-e ./lib\n", "lib/setup.py": "", ".dockerignore": "lib\n"},
            "the build does not see services/third/lib",
            "echo '!lib' >> services/third/.dockerignore",
        ),
        (
            {"requirements.txt": "flask\n", ".dockerignore": "*\n!*.py\n"},
            "the build does not see services/third/requirements.txt",
            "echo '!requirements.txt' >> services/third/.dockerignore",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_told_before_it_is_tried(
    tmp_path: Path, files: dict[str, str], says: str, type_: str
) -> None:
    folder(tmp_path / "services" / "third", {"wsgi.py": "app = None\n", **files})
    with pytest.raises(SettingsError) as caught:
        read({"services": {"third": {"app": "wsgi:app"}}}, tmp_path)
    (problem,) = caught.value.problems
    assert (problem.path, says in problem.what) == ("services.third.path", True), problem.what
    assert type_ in problem.fix[0]


def test_a_list_that_is_a_link_out_of_the_folder_is_told(tmp_path: Path) -> None:
    service = folder(tmp_path / "services" / "third", {"wsgi.py": "app = None\n"})
    (tmp_path / "requirements.txt").write_text("flask\n")
    (service / "requirements.txt").symlink_to("../../requirements.txt")
    with pytest.raises(SettingsError, match="is a link that leads out of services/third"):
        read({"services": {"third": {"app": "wsgi:app"}}}, tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "-c constraints.txt\n", "constraints.txt": "", ".dockerignore": "docs\n"},
        {"pyproject.toml": "[project]\nname = 'x'\n"},
        {"Dockerfile": "FROM python\n"},
    ],
)
def test_what_can_be_built_is_no_mistake(tmp_path: Path, files: dict[str, str]) -> None:
    folder(tmp_path / "services" / "third", {"wsgi.py": "app = None\n", **files})
    assert read({"services": {"third": {"app": "wsgi:app"}}}, tmp_path).services["third"].path == "services/third"
