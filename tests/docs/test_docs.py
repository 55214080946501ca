"""What README and the other pages show, typed as it stands: in a shell, in a clone of the last commit, by somebody who
has just come. Only the projects' names and the ports are others, because the engine may be in use."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.setup import paths
from tests.docs.blocks import blocks
from tests.docs.steps import SITE, STEPS, Step
from tests.support import engine, newcomer
from tests.support.engine import free_port

STEP_SECONDS = 600
PORTS = ("8006", "8007", "8081", "8080", "8100", "8443")
"""Those that the pages and the files of the sites name."""


class Newcomer:
    """A clone, a home in a path that people have, and a shell."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.home = folder / "slipway", folder / "ein größeres home"
        self.home.mkdir()
        self.environment = newcomer.environment(self.home) | {"PULUMI_SKIP_CONFIRMATIONS": "true", "NO_COLOR": "1"}
        self.ports = {port: str(free_port()) for port in PORTS}
        self.projects = {name: f"docs-{secrets.token_hex(3)}" for name in ("slipway", "rooms", "site")}
        subprocess.run(["git", "clone", "-q", paths.PROJECT, self.clone], check=True)
        # Set-up makes it in a minute, and its own test sees that. What is in it is the same.
        (self.clone / ".venv").symlink_to(paths.VIRTUALENV)
        for file in [*self.clone.glob("Pulumi.*yaml"), *self.clone.glob("examples/rooms/Pulumi.*yaml")]:
            file.write_text(self.own(re.sub(r"^name: (\w+)$", self.renamed, file.read_text(), flags=re.MULTILINE)))
        dev = self.clone / "Pulumi.dev.yaml"
        dev.write_text(f"{dev.read_text()}  adminer: {{port: {self.ports['8081']}}}\n")
        author = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
        subprocess.run(["git", *author, "commit", "-qam", "Names and ports"], cwd=self.clone, check=True)

    def renamed(self, found: re.Match[str]) -> str:
        return f"name: {self.projects[found[1]]}"

    def own(self, text: str) -> str:
        """The same with this newcomer's ports, and with another name for the site that is made."""
        text = text.replace(SITE, f"~/{self.projects['site']}")
        text = text.replace("slipway-prod-", f"{self.projects['slipway']}-prod-")
        return re.sub(rf"\b({'|'.join(PORTS)})\b", lambda found: self.ports[found[0]], text)

    def types(self, script: str, folder: str = ".", stdin: str = "") -> str:
        """What a shell says that is given these lines; fails the test with it where one line fails."""
        lines = ["set -e", f"cd {folder}" if folder.startswith("~") else f'cd "$CLONE/{folder}"', script]
        if (self.clone / ".slipway" / "environment").exists():
            lines.insert(1, '. "$CLONE/.slipway/environment"')
        done = subprocess.run(
            ["sh", "-c", self.own("\n".join(lines))],
            cwd=self.home,
            env=self.environment | {"CLONE": str(self.clone)},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"in {folder}:\n{script}\nexit code {done.returncode}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    made = Newcomer(tmp_path_factory.mktemp("docs"))
    try:
        yield made
    finally:
        for project in made.projects.values():
            engine.remove_all(project)
            for tag in engine.tags(f"{project}-"):
                engine.remove_image(tag)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.page}: {step.begins}")
def test_the_block_does_what_its_page_says(reader: Newcomer, step: Step) -> None:
    block = blocks(reader.clone)[step.name]
    reader.types(f"{step.given}{block.script}", step.folder, step.stdin)
    if step.then:
        reader.types(step.then, step.folder)


def test_a_command_that_has_gone_is_noticed_wherever_it_stands(reader: Newcomer) -> None:
    block = blocks(reader.clone)["docs/releases.md", "slipway maintenance on --stack prod"]
    broken = block.script.replace("maintenance on", "maintain on")
    with pytest.raises(AssertionError, match="No such command 'maintain'"):
        reader.types(f"{broken}\ntrue", SITE)


def test_pulumi_new_ends_with_the_steps_that_are_right_here(reader: Newcomer) -> None:
    said = reader.types('git clone -q "$CLONE" ~/template; pulumi new ~/template -g -y --dir ~/another -n another')
    assert said.rstrip().endswith("bin/slipway new DIR")
    assert "make up STACK=prod" in said


@pytest.mark.parametrize("folder", [".", "examples/rooms", SITE])
def test_all_of_it_is_taken_down_again(reader: Newcomer, folder: str) -> None:
    for stack in ("dev", "prod"):
        reader.types(
            f"if pulumi stack ls | grep -q '^{stack}'; then slipway down --stack {stack} --delete-data -y; fi", folder
        )
    project = reader.types("sed -n 's/^name: //p' Pulumi.yaml", folder).strip()
    assert engine.tags(f"{project}-") == []
    assert not [each.name for each in engine.client().containers.list(all=True) if str(each.name).startswith(project)]
