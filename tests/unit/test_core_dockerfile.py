"""Which stage of a Dockerfile is built."""

from __future__ import annotations

import pytest

from slipway.core.dockerfile import copies, instructions, stages, target
from slipway.setup import paths

STAGED = """\
# FROM nothing AS prod
ARG BASE
FROM --platform=linux/amd64 ${BASE} \\
    as Wheels
RUN echo FROM x AS prod
FROM ${BASE} AS dev
"""


def test_stages_are_the_named_ones_however_their_line_is_written() -> None:
    assert stages(STAGED) == ("wheels", "dev")
    assert stages('FROM python:3.13-slim\nCMD ["true"]\n') == ()


@pytest.mark.parametrize(("wanted", "built"), [("dev", "dev"), ("prod", None)])
def test_a_stage_is_asked_for_where_there_is_one_of_that_name(wanted: str, built: str | None) -> None:
    assert target(STAGED, wanted) == built


def test_the_generic_dockerfile_has_a_stage_for_each_profile() -> None:
    text = (paths.PROJECT / "slipway/images/flask/Dockerfile").read_text()
    assert (target(text, "dev"), target(text, "prod")) == ("dev", "prod")
    assert stages(text)[-1] == "prod"


def test_comments_and_continued_lines_are_read_as_docker_does() -> None:
    assert list(instructions("RUN a \\\n  # why\n  b\n\nexpose 80\n")) == [("RUN", "a    b"), ("EXPOSE", "80")]


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("COPY . .", True),
        ("copy --chown=app:app ./ /srv/", True),
        ('ADD --chown=app ["app/", "/srv"]', True),
        ("COPY main.py app /srv/", True),
        ("COPY app/*.pem /srv/", True),
        ("COPY app/x.pem /srv/", True),
        ("COPY --from=build . .", False),
        ("COPY main.py requirements*.txt /srv/", False),
        ("RUN cp -R . /srv", False),
        ('COPY ["broken /srv', False),
    ],
)
def test_what_of_a_folder_gets_into_an_image_is_read_from_what_is_copied(text: str, copied: bool) -> None:
    assert copies(f"FROM x\n{text}\n", "app/x.pem") is copied
