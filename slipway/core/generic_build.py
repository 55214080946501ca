"""How a folder without a Dockerfile is built: Slipway's own Dockerfile and ignore file, made to fit the folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from slipway.core import hashing, requirements
from slipway.core.dockerignore import Ignored

DOCKERFILE = Path(__file__).parents[1] / "images/flask/Dockerfile"
REQUIREMENTS = "COPY requirements*.txt pyproject.tom[l] ./\n"
"""The line of the Dockerfile below which whatever else pip reads is copied."""


def ignored(folder: Path) -> Ignored:
    """What the image of the folder leaves out."""
    own = folder / ".dockerignore"
    ours = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text()
    return Ignored(own.read_text(errors="replace") if own.is_file() else "", ours)


@dataclass(frozen=True)
class Recipe:
    """The texts of a Dockerfile and of the ignore file that belongs beside it."""

    dockerfile: str
    ignore: str

    @classmethod
    def of(cls, folder: Path) -> Recipe:
        copies = [f"COPY {json.dumps([path, path])}\n" for path in requirements.copied(folder)]
        dockerfile = DOCKERFILE.read_text().replace(REQUIREMENTS, "".join([REQUIREMENTS, *copies]))
        return cls(dockerfile, ignored(folder).text(folder))

    def written(self, program: Path) -> str:
        """The path of the Dockerfile from the program's folder on: Slipway's own where that will do, else one below
        .slipway, which is named by its content and so is the same in every checkout."""
        if self == Recipe(DOCKERFILE.read_text(), DOCKERFILE.with_name("Dockerfile.dockerignore").read_text()):
            return DOCKERFILE.relative_to(program).as_posix()
        file = program / ".slipway" / "build" / hashing.of_value([self.dockerfile, self.ignore]) / "Dockerfile"
        for path, content in ((file, self.dockerfile), (file.with_name("Dockerfile.dockerignore"), self.ignore)):
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                (beside := path.with_name(f"{path.name}.{os.getpid()}")).write_text(content)
                beside.replace(path)
        return file.relative_to(program).as_posix()
