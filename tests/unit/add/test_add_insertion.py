"""How a block gets into Pulumi.yaml: nothing of the rest is touched, and nothing is ever half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from slipway.add.block import Block, Line
from slipway.add.insertion import InsertionError, inserted, text_of, write
from slipway.setup import paths

BLOCK = Block("shop", (Line("app", "app:app", "seen"), Line("env", (Line("A", "1", "read"),))), ("Left to say.",))
TEXT = """\
    shop:
      app: app:app  # seen
      env:
        A: "1"  # read
      # Left to say.
"""
FILE = """\
name: site  # the name
config:
  services:
    type: object
    default:
      # the first
      ui:
        route: /
        # about ui
{mark}
  overrides:   # kept as it is
      default:   {{}}
template: {{quickstart: "a: b"}}
"""


def shifted(columns: int) -> str:
    return "".join(f"{' ' * columns}{line}\n" for line in TEXT.splitlines())


def test_the_block_comes_last_and_every_other_line_stays_as_it_is() -> None:
    before = FILE.format(mark="")
    assert inserted(before, BLOCK) == FILE.format(mark="@").replace("@\n", shifted(2) + "\n")


def test_the_projects_own_file_gets_nothing_but_the_block() -> None:
    before = text_of(paths.PROJECT / "Pulumi.yaml")
    after = inserted(before, BLOCK)
    assert after.replace(shifted(2), "") == before


def test_a_second_block_leaves_the_comments_of_the_first_where_they_belong() -> None:
    once = inserted(FILE.format(mark=""), BLOCK)
    twice = inserted(once, Block("stock", BLOCK.lines))
    assert (
        once.splitlines()[: once.splitlines().index("        # Left to say.") + 1]
        == twice.splitlines()[: twice.splitlines().index("        # Left to say.") + 1]
    )
    assert list(yaml.safe_load(twice)["config"]["services"]["default"]) == ["ui", "shop", "stock"]


TOP = "config:\n  services:\n    default:\n"
WAYS = {
    "no services yet": "config:\n  services:\n    type: object\n    default: {}  # none\n  a: {default: 1}\n",
    "an empty default": "name: site\nconfig:\n  services:\n    default:\n",
    "services without a default": "name: site\nconfig:\n  services:\n    type: object\n    description: x\n",
    "no services key": "name: site\nconfig:\n  a:\n    default: 1\n\n# the end\n",
    "an empty config": "name: site\nconfig: {}\nruntime: python\n",
    "an empty services": "config:\n  services:\nname: site\n",
    "no config": "name: site\nruntime: python",
    "the end of the file": TOP + "      ui: {route: /}",
    "a service without settings": TOP + "      ui:\nname: site\n",
    "a text over several lines": (
        TOP + "      ui:\n        env:\n          A: |\n            x\n            y\nname: site\n"
    ),
    "a quoted text over several lines": TOP + '      ui:\n        app: "a\n          b"\nname: x\n',
    "a list in the last place": TOP + "      ui:\n        uses:\n        - a\n        - b\nname: x\n",
    "an alias": "a: &a {route: /}\nconfig:\n  services:\n    default:\n      ui: *a\nname: x\n",
    "other indents": "config:\n    services:\n        default:\n            ui:\n                route: /\nname: x\n",
    "line breaks of Windows": "name: site\r\nconfig:\r\n  services:\r\n    default:\r\n      ui: {route: /}\r\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_it_finds_its_place_whatever_way_the_file_is_written_in(way: str) -> None:
    before = WAYS[way]
    after = inserted(before, BLOCK)
    old, new = yaml.safe_load(before), yaml.safe_load(after)
    services = new["config"]["services"]["default"]
    assert services.pop("shop") == {"app": "app:app", "env": {"A": "1"}}
    known = ((old.get("config") or {}).get("services") or {}).get("default") or {}
    assert services == known
    assert "# seen" in after
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in before else 0)
    rest = iter(after.splitlines())
    lost = [line for line in before.splitlines() if "{}" not in line and line not in rest]  # takes them in their order
    assert lost == []


@pytest.mark.parametrize(
    "text",
    [
        "config: {services: {default: {ui: {route: /}}}}\n",
        "config:\n  services:\n    default: {ui: {route: /}}\n",
        "config:\n  services:\n    default:\n      ui:\n        env:\n          A: |+\n            x\n\n\nname: x\n",
        "config:\n  services:\n    value:\n      ui: {}\n",
        "config:\n  services:\n    default:\n      ui: [\n",
        "- a list\n",
        "",
        "config:\n\tservices: x\n",
        "config: text\n",
        "config:\n  services: text\n",
        "config:\n  services:\n    default: text\n",
    ],
)
def test_a_file_that_it_cannot_be_put_into_is_refused(text: str) -> None:
    with pytest.raises(InsertionError):
        inserted(text, BLOCK)


def test_the_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "Pulumi.yaml"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write(link, "old", "new")
    assert (link.is_symlink(), real.read_text(), real.stat().st_mode & 0o777) == (True, "new", 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Pulumi.yaml", "real.yaml"]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Pulumi.yaml"
    file.write_text("old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(file, "old", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["Pulumi.yaml"]
    assert file.read_text() == "old"


def test_what_somebody_else_wrote_meanwhile_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.yaml"
    file.write_text("theirs")
    with pytest.raises(InsertionError, match="changed"):
        write(file, "old", "new")
    assert file.read_text() == "theirs"
