"""Writes the table of docs/examples.md from the settings of the examples and from examples/needs.yaml.

python -m tests.unit.examples_page      writes it anew, between its marks
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PAGE = ROOT / "docs" / "examples.md"
MARK = re.compile(r"(<!-- written: needs -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Setting:
    """A declared value. `key` is its service's (env.TITLE) or the stack's (edge.port); `stack` is "" for all stacks."""

    key: str
    value: Any
    stack: str = ""

    def belongs(self, key: str) -> bool:
        return f"{self.key}.".startswith(f"{key}.")

    def __str__(self) -> str:
        value = yaml.safe_dump(self.value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
        return f"`{self.key}: {value}`" + (f" ({self.stack})" if self.stack else "")


def names() -> list[str]:
    return sorted(file.parent.name for file in EXAMPLES.glob("*/Pulumi.yaml"))


def needs() -> dict[str, dict[str, list[str]]]:
    """{example: {need: keys of settings}}."""
    written = yaml.safe_load((EXAMPLES / "needs.yaml").read_text())
    return {
        name: {need: keys if isinstance(keys, list) else [keys] for need, keys in table.items()}
        for name, table in written.items()
    }


def settings(name: str) -> list[Setting]:
    """All that an example declares: project defaults, then what each stack adds or changes."""
    described = yaml.safe_load((EXAMPLES / name / "Pulumi.yaml").read_text())["config"]
    found = list(of_services(described["services"]["default"], ""))
    defaults = {key: each.get("default") for key, each in described.items() if key not in {"services", "overrides"}}
    found += of_stack(defaults, "")
    for file in sorted((EXAMPLES / name).glob("Pulumi.*.yaml")):
        stack = file.name.split(".")[1]
        declared = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
        found += of_services(declared.pop("overrides", {}), stack)
        found += of_stack(declared, stack)
    return found


def of_services(services: Mapping[str, Any], stack: str) -> Iterator[Setting]:
    for table in services.values():
        for key, value in (table or {}).items():
            if key == "env":
                yield from (Setting(f"env.{name}", held, stack) for name, held in value.items())
            else:
                yield Setting(key, value, stack)


def of_stack(declared: Mapping[str, Any], stack: str) -> Iterator[Setting]:
    for key, value in declared.items():
        if isinstance(value, Mapping):
            yield from (Setting(f"{key}.{name}", held, stack) for name, held in value.items())
        elif value not in (None, ""):
            yield Setting(key, value, stack)


def written() -> str:
    lines = ["| shape | needed | setting |", "|---|---|---|"]
    wanted = needs()
    for name in names():
        declared = settings(name)
        for number, (need, keys) in enumerate(wanted.get(name, {}).items()):
            shown = dict.fromkeys(str(each) for key in keys for each in declared if each.belongs(key))
            cells = ("" if number else f"[{name}](../examples/{name})", need, "<br>".join(shown))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    return MARK.sub(lambda found: f"{found[1]}{written()}{found[2]}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
