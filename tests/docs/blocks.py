"""The commands that the pages show, and those that the tests do not type, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slipway.setup import paths

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(^|\s+)#( .*|$)")

ENVIRONMENT = ". .slipway/environment"
SHELLS = {"bash", "console", "shell", "shell-session", "zsh"}
"""What other pages call a block of commands: here it is sh."""

BLOCKS_NOT_TYPED = {
    ("docs/production.md", "apt-get update && apt-get install --yes git make"): "sets up a server",
    ("docs/production.md", "git clone https://git.example.org/slipway.git /srv/slipway"): "the same",
    ("docs/production.md", "slipway new ~/shop"): "README's ~/site is typed",
    ("docs/production.md", "git clone git@git.example.org:shop.git /srv/shop"): "on a server with a repository",
    ("docs/production.md", "pulumi stack select prod"): "a secret of a service of the reader's own; README's is typed",
    ("docs/production.md", 'ssh-keygen -t ed25519 -N "" -C "deployments of shop" -f deploy-key'): "asks a server",
    ("docs/production.md", "cd /srv/slipway && git pull && make setup"): "test_upgrade.py, from an older commit",
    ("docs/production.md", "slipway up --stack prod --allow-data-loss"): "test_edge_changes.py",
    ("docs/production.md", "docker volume rm shop-prod-blog-uploads"): "deletes what the reader names",
    ("docs/security.md", "slipway rotate ui.SECRET_KEY --stack prod"): "each line is a release: test_rotation.py",
    ("docs/security.md", "pulumi stack select prod"): "the same: test_rotation.py",
    ("docs/security.md", "pulumi up --stack prod --policy-pack policy"): "test_policy.py, with each rule broken",
    ("examples/gallery/README.md", "make setup"): "test_gallery.py, on ports of its own",
    ("examples/login/README.md", "cd examples/login"): "test_login.py, on ports of its own",
    ("examples/microblog/README.md", "cd examples/microblog"): "test_microblog.py, on ports of its own",
    ("examples/webpage/README.md", "cd examples/webpage"): "test_webpage.py, on ports of its own",
    ("examples/webpage/README.md", "../../bin/slipway up --stack prod"): "the same, with an authority of its own",
}
"""(page, first command of the block): why the block is not typed here, and who does it."""
LINES_NOT_TYPED = {
    "apt-get install git make": "installs packages on the machine that runs the tests",
    "make test": "runs this test",
}
"""Single commands of blocks that are typed."""


@dataclass(frozen=True)
class Block:
    """A block of commands: its page, the number of its first line, and its text."""

    page: str
    line: int
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines without comments and without those that are not typed."""
        plain = [COMMENT.sub("", line).rstrip() for line in self.text.splitlines()]
        return [line for line in plain if line]

    @property
    def name(self) -> tuple[str, str]:
        """Its page, and what it begins with apart from reading the environment."""
        return self.page, next(line for line in self.commands if line != ENVIRONMENT)

    @property
    def script(self) -> str:
        return "\n".join(line for line in self.commands if line not in LINES_NOT_TYPED)


def pages(root: Path = paths.PROJECT) -> list[str]:
    files = [root / "README.md", *sorted(root.glob("docs/*.md")), *sorted(root.glob("examples/*/README.md"))]
    return [file.relative_to(root).as_posix() for file in files]


def fences(page: str, root: Path = paths.PROJECT) -> Iterator[tuple[str, Block]]:
    """(what the fence says that it holds, the block)."""
    text = (root / page).read_text()
    for found in FENCE.finditer(text):
        yield found[1].strip(), Block(page, text[: found.start()].count("\n") + 2, found[2])


def blocks(root: Path = paths.PROJECT) -> dict[tuple[str, str], Block]:
    """Every block of commands, by its name."""
    return {block.name: block for page in pages(root) for kind, block in fences(page, root) if kind == "sh"}
